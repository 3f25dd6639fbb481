"""Alarm system metrics of ISA-18.2 and EEMUA 191 (domain.md §2.3)."""

from collections import Counter, deque

import msgspec

from core.clock import NS

WINDOW_NS = 600 * NS
#: Alarms in ten minutes at which a flood starts, and below which it ends.
FLOOD_START, FLOOD_END = 10, 5
#: Activations in a minute that make an alarm a chattering one.
CHATTER_COUNT, CHATTER_NS = 3, 60 * NS
_KEPT = 10_000


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Hold the figures of one moment."""

    raised_10min: int
    standing: int
    unacknowledged: int
    shelved: int
    out_of_service: int
    stale: int
    """Active for more than 24 h."""
    flood: bool
    chattering: int
    seconds_to_acknowledge: float | None
    """Median over the last acknowledged ones."""
    top_sources: tuple[tuple[str, int], ...]
    by_priority: dict[int, int]


class Metrics:
    """Count activations and acknowledgements; bounded, live, rebuilt by running."""

    def __init__(self) -> None:
        self._raised: deque[tuple[int, str, int]] = deque(maxlen=_KEPT)
        self._answered: deque[float] = deque(maxlen=1000)
        self._recent: dict[str, deque[int]] = {}
        self._flood = False

    def raised(self, now: int, key: str, source: str, priority: int) -> None:
        """Count an activation."""
        self._raised.append((now, source, priority))
        times = self._recent.setdefault(key, deque(maxlen=CHATTER_COUNT))
        times.append(now)

    def acknowledged(self, after_ns: int) -> None:
        """Count how long an alarm waited; below 0 it was raised in another boot."""
        if after_ns >= 0:
            self._answered.append(after_ns / NS)

    def chatters(self, key: str, now: int) -> bool:
        """Say whether an alarm came three times within a minute."""
        times = self._recent.get(key)
        if times is None or len(times) < CHATTER_COUNT:
            return False
        return now - times[0] <= CHATTER_NS

    def sweep(self, now: int) -> None:
        """Let go of what is older than the windows."""
        while self._raised and now - self._raised[0][0] > WINDOW_NS:
            self._raised.popleft()
        for key in [k for k, t in self._recent.items() if now - t[-1] > CHATTER_NS]:
            del self._recent[key]
        count = len(self._raised)
        self._flood = count > FLOOD_START or (self._flood and count >= FLOOD_END)

    def window(self, now: int) -> tuple[int, bool, int, list[tuple[str, int]]]:
        """Return activations in 10 min, flood, chattering keys, top sources."""
        self.sweep(now)
        chattering = sum(self.chatters(key, now) for key in self._recent)
        top = Counter(source for _, source, _ in self._raised).most_common(10)
        return len(self._raised), self._flood, chattering, top

    def priorities(self) -> dict[int, int]:
        """Return activations of the window by priority."""
        return dict(Counter(priority for _, _, priority in self._raised))

    def median_answer(self) -> float | None:
        """Return the median seconds to acknowledge."""
        if not self._answered:
            return None
        ranked = sorted(self._answered)
        return ranked[len(ranked) // 2]
