"""What readings become while core gives no credit: one row per handle (R21)."""

from core.api.quality import NEVER_ACTS
from core.link.messages import Extremes, Row

_NAN = float("nan")


class Coalescer:
    """Keep last, low, high, worst quality and count of each handle.

    Bounded by the number of handles. ``low`` and ``high`` span only readings
    that may act: the value of a faulty sensor must not widen them, nor may a
    later fault hide them. They are NaN when there was none.
    """

    def __init__(self) -> None:
        self._rows: dict[int, Extremes] = {}
        self.count = 0
        """Readings that were folded into others since the start."""

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: Row, now_ns: int) -> None:
        """Take one reading; ``now_ns`` dates it when its device did not."""
        old = self._rows.get(row.handle)
        low = high = _number(row)
        worst, count = row.quality, 1
        if old is not None:
            low, high = _lower(old.low, low), _higher(old.high, high)
            worst, count = max(worst, old.worst), count + old.count
            self.count += 1
        self._rows[row.handle] = Extremes(
            row.handle,
            row.value,
            low,
            high,
            row.quality,
            worst,
            count,
            row.measured_ns or now_ns,
            row.seq,
            row.reason,
        )

    def take(self) -> list[Extremes]:
        """Return and forget what was kept, oldest handle first."""
        rows = list(self._rows.values())
        self._rows.clear()
        return rows


def _number(row: Row) -> float:
    if row.quality in NEVER_ACTS or row.value is None or isinstance(row.value, str):
        return _NAN
    return float(row.value)


def _lower(one: float, two: float) -> float:
    # A NaN compares False: whichever is a number stays.
    return two if not one <= two and two == two else one  # noqa: PLR0124


def _higher(one: float, two: float) -> float:
    return two if not one >= two and two == two else one  # noqa: PLR0124
