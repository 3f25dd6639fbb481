"""Which alarms chatter: they come again and again within a minute (ISA-18.2)."""

from collections import deque

from core.clock import NS

#: Activations in a minute that make an alarm a chattering one (domain.md §2.3).
CHATTER_COUNT, CHATTER_NS = 3, 60 * NS


class Chatter:
    """Remember each alarm's last activations; live only, forgotten after a minute."""

    def __init__(self) -> None:
        self._recent: dict[str, deque[int]] = {}

    def raised(self, now: int, key: str) -> None:
        """Count an activation at a boot time in ns."""
        self._recent.setdefault(key, deque(maxlen=CHATTER_COUNT)).append(now)

    def chatters(self, key: str, now: int) -> bool:
        """Say whether an alarm came three times within a minute."""
        times = self._recent.get(key)
        if times is None or len(times) < CHATTER_COUNT:
            return False
        return now - times[0] <= CHATTER_NS

    def sweep(self, now: int) -> None:
        """Let go of what has been calm for longer."""
        for key in [k for k, t in self._recent.items() if now - t[-1] > CHATTER_NS]:
            del self._recent[key]
