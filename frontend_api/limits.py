"""Count failed tries per account and per source; too many must wait."""

from collections import OrderedDict

from core.clock import NS, Clock

TRIES = 10
WINDOW_S = 900
#: Keys remembered; the one not seen for longest is forgotten first.
_KEYS = 4096


class Tries:
    """Allow ten failures in fifteen minutes for each key (reliability §4 Login)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failed: OrderedDict[str, list[int]] = OrderedDict()

    def wait_s(self, *keys: str) -> int:
        """Return how long these keys must wait, 0 when they may try."""
        return max(self._wait(key) for key in keys)

    def _wait(self, key: str) -> int:
        now = self._clock.mono_ns() // NS
        recent = [at for at in self._failed.get(key, ()) if now - at < WINDOW_S]
        if len(recent) < TRIES:
            return 0
        return max(1, recent[-TRIES] + WINDOW_S - now)

    def failed(self, *keys: str) -> None:
        """Count a failure."""
        now = self._clock.mono_ns() // NS
        for key in keys:
            recent = [at for at in self._failed.pop(key, []) if now - at < WINDOW_S]
            self._failed[key] = [*recent, now][-TRIES:]
        while len(self._failed) > _KEYS:
            self._failed.popitem(last=False)

    def passed(self, *keys: str) -> None:
        """Forget the failures of a key that succeeded."""
        for key in keys:
            self._failed.pop(key, None)
