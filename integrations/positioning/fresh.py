"""Is a message new? Counters and stamps of the source against the hub's own clock."""

from integrations.positioning.model import Sighting

#: So often the same number may come: two gateways may hear one tag.
REPEATS = 3
#: A line of a wire without any number may come so often unchanged.
SAME_LINES = 20
#: Messages of a number gone back are no proof for so long: a clock was set.
EPOCH_S = 15.0
#: A clock that leapt ahead is believed again after so long.
LEAP_S = 5.0
#: A message this much later than the quickest ones is old.
LATE_S = 3.0
#: No source's clock runs faster or slower than by this share.
_DRIFT = 5e-4
#: A stamp may run ahead of the hub's clock by this much between two messages.
_AHEAD_S = 2.0


class Freshness:
    """Judge the messages of one node from one source; times are hub seconds."""

    __slots__ = ("_base", "_base_at", "_doubt", "_last", "_line", "_repeats", "_since")

    def __init__(self) -> None:
        self._last: float | None = None
        self._line = b""
        self._repeats = 0
        self._base: float | None = None
        """Least hub time less stamp: what the quickest message took."""
        self._base_at = 0.0
        self._since: float | None = None
        """When numbers began to run behind the highest seen."""
        self._doubt = 0.0
        """Until when a clock that leapt is not believed."""

    def judge(self, sighting: Sighting, now: float) -> str:
        """Return '' for a new message, 'repeated' for a twin, else what is wrong.

        Wrong is: frozen, replayed, late or clock_leapt.
        """
        if sighting.stamp_s is not None:
            return self._number(sighting.stamp_s, now) or self._stamp(
                sighting.stamp_s, now
            )
        if sighting.counter is not None:
            return self._number(float(sighting.counter), now, counter=True)
        return self._same(sighting.raw)

    def _same(self, line: bytes) -> str:
        if not line or line != self._line:
            self._line, self._repeats = line, 0
            return ""
        self._repeats += 1
        return "frozen" if self._repeats >= SAME_LINES else ""

    def _number(self, value: float, now: float, counter: bool = False) -> str:
        last = self._last
        if last is None or value > last:
            self._last, self._repeats, self._since = value, 0, None
            return ""
        if value == last:
            self._repeats += 1
            return "frozen" if self._repeats >= REPEATS else "repeated"
        # Superframes are counted to a bound and begin anew.
        around = counter and last > 100 and value < 0.1 * last
        if self._since is None:
            self._since = now
        if around or now - self._since >= EPOCH_S:
            self._last, self._repeats, self._since = value, 0, None
            self._base = None
            return ""
        return "replayed"

    def _stamp(self, stamp: float, now: float) -> str:
        delay = now - stamp
        if self._base is None:
            self._base, self._base_at = delay, now
            return ""
        if delay < self._base - _AHEAD_S:
            self._doubt = now + LEAP_S
        drifted = self._base + _DRIFT * (now - self._base_at)
        self._base, self._base_at = min(delay, drifted), now
        if now < self._doubt:
            return "clock_leapt"
        return "late" if delay - self._base > LATE_S else ""
