"""What follows from a number's last minutes or days: mean, gust, rise; and its band.

A wind that a permit goes by is the mean of 10 min and the gust of 3 s; a machine is
judged by its vibration's band and by how it rises above its own habit. Few buckets
of equal length stand for a window, so a week costs no more than ten minutes. A
window that is not full yet proves nothing: UNCERTAIN.
"""

from collections import deque

from core.api import Quality
from integrations.modbus.decode import Decoded
from integrations.modbus.profile import Derive

NS = 1_000_000_000
#: Buckets of a window whose bucket is not said.
BUCKETS = 60
#: Share of a window's buckets that must hold something.
_FULL = 0.8
#: Newest share of a window that is compared with the whole of it.
_NEWEST = 6
LETTERS = "ABCDEFGH"
FILLING = "modbus.window_filling"


class Window:
    """Hold the buckets of one derived entity; time comes from the caller."""

    def __init__(self, derive: Derive, bands: tuple[float, ...] = ()) -> None:
        self._derive = derive
        self._bands = bands or derive.bands
        span_s = derive.of_s or derive.over_s / BUCKETS
        self._bucket_ns = max(int(span_s * NS), 1)
        self._wanted = max(round(derive.over_s / span_s), 1) if span_s else 1
        self._buckets: deque[tuple[int, float, int]] = deque(maxlen=self._wanted + 1)
        """(number, sum, count), oldest first."""

    def take(self, now_ns: int, found: Decoded) -> Decoded:
        """Return the derived value of a reading that has just come."""
        value = found.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            return Decoded(None, found.quality, found.reason)
        if self._derive.kind == "band":
            passed = sum(value >= edge for edge in self._bands)
            return Decoded(LETTERS[passed], found.quality, found.reason)
        self._add(now_ns // self._bucket_ns, float(value))
        derived = Decoded(self._of(), found.quality, found.reason)
        full = len(self._buckets) >= self._wanted * _FULL
        if not full and found.quality < Quality.UNCERTAIN:
            return Decoded(derived.value, Quality.UNCERTAIN, FILLING)
        return derived

    def _add(self, number: int, value: float) -> None:
        buckets = self._buckets
        if buckets and buckets[-1][0] == number:
            _, total, count = buckets[-1]
            buckets[-1] = (number, total + value, count + 1)
        else:
            buckets.append((number, value, 1))
        while buckets[0][0] <= number - self._wanted:
            buckets.popleft()

    def _of(self) -> float:
        means = [total / count for _, total, count in self._buckets]
        mean = sum(means) / len(means)
        if self._derive.kind == "mean":
            return round(mean, 4)
        if self._derive.kind == "peak":
            return round(max(means), 4)
        newest = means[-max(len(means) // _NEWEST, 1) :]
        rise = sum(newest) / len(newest) - mean
        return round(100.0 * rise / max(abs(mean), self._derive.floor), 2)
