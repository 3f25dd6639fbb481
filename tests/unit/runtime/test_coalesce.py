"""Coalescing loses no extreme, whatever the partition (R21, design §2)."""

import math

from hypothesis import given
from hypothesis import strategies as st

from core.api.quality import NEVER_ACTS
from core.link.messages import Row
from integrations.runtime.coalesce import Coalescer

rows = st.builds(
    Row,
    st.integers(1, 3),
    st.one_of(st.floats(-1e6, 1e6), st.booleans(), st.none(), st.text(max_size=3)),
    st.integers(0, 6),
    st.integers(0, 10),
    st.integers(0, 10),
)


def acting(some: list[Row]) -> list[float]:
    return [
        float(row.value)
        for row in some
        if row.quality not in NEVER_ACTS
        and row.value is not None
        and not isinstance(row.value, str)
    ]


@given(st.lists(st.lists(rows, max_size=8), max_size=8))
def test_no_extreme_is_lost_over_any_partition(parts: list[list[Row]]) -> None:
    """Every reading that may act lies within some row's span; counts add up."""
    coalescer, out = Coalescer(), []
    for part in parts:
        for row in part:
            coalescer.add(row, now_ns=99)
        out += coalescer.take()
    everything = [row for part in parts for row in part]
    for handle in {row.handle for row in everything}:
        mine = [row for row in everything if row.handle == handle]
        spans = [row for row in out if row.handle == handle]
        values = acting(mine)
        lows = [s.low for s in spans if not math.isnan(s.low)]
        highs = [s.high for s in spans if not math.isnan(s.high)]
        assert min(lows, default=None) == min(values, default=None)
        assert max(highs, default=None) == max(values, default=None)
        assert max(s.worst for s in spans) == max(r.quality for r in mine)
        assert sum(s.count for s in spans) == len(mine)
        last = spans[-1]
        assert (last.last, last.quality) == (mine[-1].value, mine[-1].quality)
        assert last.measured_ns == (mine[-1].measured_ns or 99)


def test_fault_neither_hides_nor_makes_an_extreme() -> None:
    """A value of a faulty sensor never acts; one before the fault does."""
    coalescer = Coalescer()
    for value, quality in ((50.0, 0), (999.0, 5), (float("nan"), 0), (1.0, 0)):
        coalescer.add(Row(1, value, quality), 1)
    (row,) = coalescer.take()
    assert (row.low, row.high, row.worst, row.count) == (1.0, 50.0, 5, 4)
    coalescer.add(Row(1, 999.0, 5), 1)
    (row,) = coalescer.take()
    assert math.isnan(row.low)
    assert math.isnan(row.high)
