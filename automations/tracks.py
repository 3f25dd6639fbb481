"""What a single reading cannot tell: its rate of change, and how long it stood still.

Windows are of boot time and are not journalled (design §5 Deadlines).
"""

from collections import deque

from core.api.quality import Quality
from core.api.reading import Reading, Value
from core.clock import NS

#: Samples that a window keeps, at most: a faster meter is thinned out evenly.
KEPT = 120
#: Share of a window that must have been seen before its rate means anything.
SEEN = 0.5


class Track:
    """Follow one entity."""

    __slots__ = ("_samples", "_window_ns", "changed_ns", "value")

    def __init__(self, window_s: float) -> None:
        self._window_ns = int(window_s * NS)
        self._samples: deque[tuple[int, float]] = deque()
        self.value: Value = None
        self.changed_ns: int | None = None
        """Boot ns of the last change of value; None: nothing was heard yet."""

    def hear(self, reading: Reading, now: int) -> None:
        """Take a reading; only GOOD ones say anything of the measured thing."""
        if reading.quality is not Quality.GOOD:
            return
        if self.changed_ns is None or reading.value != self.value:
            self.value, self.changed_ns = reading.value, now
        value = reading.value
        if not self._window_ns or isinstance(value, bool):
            return
        if isinstance(value, int | float):
            self._keep(now, float(value))

    def _keep(self, now: int, value: float) -> None:
        samples = self._samples
        if samples and now - samples[-1][0] < self._window_ns // KEPT:
            return
        samples.append((now, value))
        # The oldest that is kept lies at the window's edge or just beyond it.
        while len(samples) > 1 and samples[1][0] <= now - self._window_ns:
            samples.popleft()

    def rate(self, value: float, now: int) -> float | None:
        """Return the change per minute over the window; None: not enough seen."""
        if not self._samples:
            return None
        at, first = self._samples[0]
        passed = now - at
        if passed <= 0 or passed < SEEN * self._window_ns:
            return None
        return (value - first) / (passed / NS) * 60.0

    def still_ns(self, now: int) -> int:
        """Return for how long the value has not changed."""
        return 0 if self.changed_ns is None else now - self.changed_ns
