"""Filters with names: raw values stay, and beside them stands what cleaned them.

Nothing protective reads a cleaned value (issue: limits always read raw); a filter
takes a value out of a curve and says why, it never puts another in its place.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from core.api.quality import Quality
from core.api.reading import Value
from core.quality.classes import Usual

#: Samples on each side that a spike is measured against.
SIDE: Final = 2
#: Robust deviations beyond which one sample is a spike (Hampel).
_FAR: Final = 5.0
_MAD: Final = 1.4826
#: So many samples of a new level make a jump a step: a leak is no error.
_CONFIRM: Final = 3
GOOD: Final = int(Quality.GOOD)
UNCERTAIN: Final = int(Quality.UNCERTAIN)


class Sample(NamedTuple):
    """Hold one raw sample: wall milliseconds, value, quality."""

    ms: int
    value: Value
    quality: int


class Cleaned(NamedTuple):
    """Hold a sample and the filter that took it out; '' where none did."""

    ms: int
    raw: Value
    filter: str
    """quality, range, rate, spike or stuck."""

    @property
    def value(self) -> Value:
        """Return the value of the cleaned curve, None where it is taken out."""
        return None if self.filter else self.raw


def clean(samples: Iterable[Sample], usual: Usual) -> Iterator[Cleaned]:
    """Yield every sample in order with the first filter that takes it out."""
    yield from _spikes(_rates(_ranges(_stuck(samples, usual), usual), usual), usual)


def number(value: Value) -> float | None:
    """Return a value as a number; None for words and gaps."""
    if value is None or isinstance(value, str):
        return None
    return float(value)


def _stuck(samples: Iterable[Sample], usual: Usual) -> Iterator[Cleaned]:
    """Take out what no driver believed, and what has stood still for too long."""
    since, last = 0, None
    for ms, value, quality in samples:
        if value is None or quality > UNCERTAIN:
            yield Cleaned(ms, value, "quality")
            continue
        if value != last:
            since, last = ms, value
        still = usual.stuck_s and (ms - since) / 1000 > usual.stuck_s
        yield Cleaned(ms, value, "stuck" if still else "")


def _ranges(rows: Iterable[Cleaned], usual: Usual) -> Iterator[Cleaned]:
    """Take out what no instrument of the class measures."""
    for row in rows:
        own = number(row.raw)
        if row.filter or own is None:
            yield row
            continue
        below = usual.low is not None and own < usual.low
        above = usual.high is not None and own > usual.high
        yield row._replace(filter="range") if below or above else row


def _rates(rows: Iterable[Cleaned], usual: Usual) -> Iterator[Cleaned]:
    """Take out a jump that no true change makes, until the new level is confirmed."""
    before: Cleaned | None = None
    jumped: list[Cleaned] = []
    for row in rows:
        own = number(row.raw)
        if row.filter or own is None or usual.rate is None:
            yield row
            continue
        if before is None or _slow(before, row, usual.rate):
            before, jumped = row, []
            yield row
            continue
        if jumped and not _slow(jumped[-1], row, usual.rate):
            jumped = []
        jumped.append(row)
        if len(jumped) >= _CONFIRM:
            before, jumped = row, []
            yield row
        else:
            yield row._replace(filter="rate")


def _slow(one: Cleaned, two: Cleaned, rate: float) -> bool:
    a, b = number(one.raw), number(two.raw)
    if a is None or b is None:
        return True
    seconds = max(two.ms - one.ms, 1) / 1000
    return abs(b - a) <= rate * max(seconds, 1.0)


def _spikes(rows: Iterable[Cleaned], usual: Usual) -> Iterator[Cleaned]:
    """Take out one sample that stands far from those on both of its sides."""
    window: deque[Cleaned] = deque(maxlen=2 * SIDE + 1)
    waiting = 0
    for row in rows:
        window.append(row)
        waiting += 1
        if waiting > SIDE:
            waiting -= 1
            yield _spike(window, len(window) - 1 - SIDE, usual)
    for left in range(waiting, 0, -1):
        yield _spike(window, len(window) - left, usual)


def _spike(window: deque[Cleaned], at: int, usual: Usual) -> Cleaned:
    from statistics import median  # late: it takes a megabyte where nobody asks

    row = window[at]
    own = number(row.raw)
    kept = (number(each.raw) for each in window if not each.filter)
    near = [value for value in kept if value is not None]
    if row.filter or own is None or usual.noise is None or len(near) <= 2 * SIDE:
        return row
    middle = median(near)
    spread = _MAD * median(abs(n - middle) for n in near)
    # A level that goes on is no spike: those on one side agree with it.
    agree = sum(abs(n - own) <= abs(own - middle) / 2 for n in near) > 1
    far = abs(own - middle) > max(_FAR * spread, _FAR * usual.noise, 1e-12)
    return row._replace(filter="spike") if far and not agree else row
