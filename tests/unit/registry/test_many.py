"""Many devices: what one declaration costs does not grow with those before it."""

import sys
from types import FrameType
from typing import Any

from core.link import messages as m
from tests.support.detectors import HOST, detector, site
from tests.support.kernel import Bench, make_kernel


def lines(work: Any, *args: Any) -> int:
    """Count the lines of Python that a call runs: time without a clock."""
    count = 0

    def trace(_frame: FrameType, event: str, _arg: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work(*args)
    finally:
        sys.settrace(before)
    return count


def declared(bench: Bench, first: int, last: int) -> None:
    for number in range(first, last):
        bench.declare(HOST, detector(f"g{number}", "h2s"))


def test_a_declaration_costs_the_same_beside_a_thousand() -> None:
    """Issue: 1,000 rules × 3,000 entities; arming may not be quadratic."""
    bench = make_kernel(site())
    declared(bench, 0, 50)
    few = lines(declared, bench, 50, 60)
    declared(bench, 60, 1000)
    many = lines(declared, bench, 1000, 1010)
    assert many < 1.5 * few


def test_places_are_right_after_many_declarations() -> None:
    """R16: a reading is found in its zone however late places were derived."""
    bench = make_kernel(site())
    declared(bench, 0, 3)
    zones = {d.zone_id for d in bench.hub.state.registry.devices.values()} - {None}
    for zone in zones:
        assert len(bench.kernel.readings.current(zone or "", "h2s")) == 3
    assert zones
    bench.kernel.readings.receive(HOST, m.Readings(0, []))
