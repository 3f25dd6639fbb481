"""How often alarms called: pure figures over moments (domain.md §2.3, ISA-18.2)."""

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterable, Sequence

import msgspec

MINUTE = 60_000
WINDOW = 10 * MINUTE
HOUR, DAY = 6 * WINDOW, 144 * WINDOW
#: Alarms in ten minutes, per operator, above which a flood starts; below, it ends.
FLOOD_START, FLOOD_END = 10, 5
#: Activations of one alarm within a minute that make it a chattering one.
CHATTER = 3
#: An alarm that stood longer than this is stale.
STALE = DAY


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """Hold the rates of a span, per operator."""

    per_10min: float
    per_hour: float
    per_day: float
    busy_windows: float
    """Share of the 10-minute windows with more than ten alarms, 0 … 1."""
    peak_10min: float
    flood_time: float
    """Share of the span that was a flood, 0 … 1."""
    floods: int


class Flood:
    """Follow whether a flood is on: above ten in ten minutes, until below five."""

    def __init__(self, operators: int = 1) -> None:
        self.operators = max(operators, 1)
        self.on = False
        self.since_ms = 0
        self._moments: deque[int] = deque()

    @property
    def count(self) -> int:
        """Return how many called in the last ten minutes."""
        return len(self._moments)

    def call(self, ms: int) -> None:
        """Count an alarm that calls."""
        self.pass_to(ms)
        self._moments.append(ms)
        self._judge(ms)

    def pass_to(self, ms: int) -> None:
        """Let time pass: what is older than ten minutes no longer counts."""
        while self._moments and ms - self._moments[0] >= WINDOW:
            self._judge(self._moments.popleft() + WINDOW)
        self._judge(ms)

    def _judge(self, ms: int) -> None:
        was, each = self.on, self.count / self.operators
        self.on = each > FLOOD_START or (was and each >= FLOOD_END)
        if self.on and not was:
            self.since_ms = ms


def rates(moments: Sequence[int], start: int, end: int, operators: int = 1) -> Rates:
    """Return the rates of sorted wall ms within a span."""
    operators = max(operators, 1)
    length = max(end - start, 1)
    each = len(moments) / operators
    bins = Counter((ms - start) // WINDOW for ms in moments)
    windows = max(-(-length // WINDOW), 1)
    busy = sum(count > FLOOD_START * operators for count in bins.values())
    flooded, floods = _flooded(moments, end, operators)
    return Rates(
        # A span shorter than the window tells what came, not what might have come.
        per_10min=each * WINDOW / max(length, WINDOW),
        per_hour=each * HOUR / max(length, HOUR),
        per_day=each * DAY / max(length, DAY),
        busy_windows=busy / windows,
        peak_10min=_peak(moments) / operators,
        flood_time=flooded / length,
        floods=floods,
    )


def _peak(moments: Sequence[int]) -> int:
    """Return the most alarms in any ten minutes."""
    return max(
        (n + 1 - bisect_left(moments, ms - WINDOW + 1) for n, ms in enumerate(moments)),
        default=0,
    )


def _flooded(moments: Sequence[int], end: int, operators: int) -> tuple[int, int]:
    """Return how many ms were a flood, and how many floods began."""
    flood, total, floods, began = Flood(operators), 0, 0, 0
    steps = sorted([*((ms, 1) for ms in moments), *((m + WINDOW, 0) for m in moments)])
    for ms, calls in steps:
        if ms > end:
            break
        was = flood.on
        if calls:
            flood.call(ms)
        else:
            flood.pass_to(ms)
        if flood.on and not was:
            began, floods = ms, floods + 1
        elif was and not flood.on:
            total += ms - began
    return total + (end - began if flood.on else 0), floods


def chattering(calls: Iterable[tuple[int, str]]) -> set[str]:
    """Return the alarms' keys that came three times within a minute."""
    found: set[str] = set()
    recent: dict[str, deque[int]] = {}
    for ms, key in calls:
        times = recent.setdefault(key, deque(maxlen=CHATTER))
        times.append(ms)
        if len(times) == CHATTER and ms - times[0] <= MINUTE:
            found.add(key)
    return found


def most_stale(stood: Iterable[tuple[int, int]], start: int, end: int) -> int:
    """Return the most alarms that stood for over a day on any day of a span.

    ``stood`` holds (raised, returned) in wall ms; 0 is 'stands still'.
    """
    stale = [(a + STALE, b or end) for a, b in stood if (b or end) - a > STALE]
    days = range(max((end - start) // DAY, 0) + 1)
    return max(
        (
            sum(a < start + (day + 1) * DAY and b > start + day * DAY for a, b in stale)
            for day in days
        ),
        default=0,
    )


def middle(values: Sequence[float], share: float = 0.5) -> float | None:
    """Return the value below which a share of them lies; None where none are."""
    ranked = sorted(values)
    return ranked[min(int(len(ranked) * share), len(ranked) - 1)] if ranked else None


def wilson(hits: int, of: int) -> tuple[float, float]:
    """Return the 95 % band of a share (Wilson)."""
    if not of:
        return 0.0, 1.0
    z, p = 1.96, hits / of
    mid = p + z * z / (2 * of)
    half = z * ((p * (1 - p) + z * z / (4 * of)) / of) ** 0.5
    scale = 1 + z * z / of
    return max((mid - half) / scale, 0.0), min((mid + half) / scale, 1.0)
