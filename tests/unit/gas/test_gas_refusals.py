"""What the analyst's desk refuses, and how precisely it says so."""

import math

import pytest

from core.api.quality import Quality
from core.permits.gas_tests_acts import Sample, TestGas
from core.permits.gas_tests_events import GasTested
from core.permits.lifecycle import PermitStatus
from tests.support.measured import Measured
from tests.support.yard import HOST


@pytest.mark.parametrize(
    ("gas", "value", "unit", "code"),
    [
        ("ch4", 1.0, "", "gas_test.unit"),
        ("ch4", 1.0, "m", "gas_test.unit"),
        ("co", 20.9, "%LEL", "gas_test.unit"),
        ("ch4", -0.1, "%LEL", "gas_test.value_negative"),
        ("ch4", math.nan, "%LEL", "gas_test.value_not_finite"),
        ("ch4", math.inf, "%LEL", "gas_test.value_not_finite"),
        ("ch4", 100.1, "%vol", "gas_test.beyond_range"),
        ("co", 1_000_001.0, "ppm", "gas_test.beyond_range"),
        ("xenon", 1.0, "ppm", "gas_test.gas_unknown"),
        ("h2s", 1.0, "ppm", "gas_test.meter_there"),
    ],
)
def test_a_typed_value_that_cannot_be_is_refused(
    gas: str, value: float, unit: str, code: str
) -> None:
    """A gas value without unit, negative, NaN, beyond range."""
    bench = Measured()
    permit = bench.made()
    assert bench.no("gil", bench.typed(permit, gas, value, unit)) == code
    assert not bench.events(GasTested)


def test_a_typed_value_beyond_its_instrument_is_refused() -> None:
    """Beyond range; and an instrument out of date tests nothing."""
    bench = Measured()
    permit = bench.made()
    act = bench.typed(permit, "co", 501.0, "ppm", full_scale=500.0)
    assert bench.no("gil", act) == "gas_test.beyond_range"
    act = bench.typed(permit, "co", 1.0, "ppm", calibrated_to="2020-01-31")
    assert bench.no("gil", act) == "gas_test.calibration_over"
    ahead = bench.clock.wall_ns() // 1_000_000 + 60_000
    act = bench.typed(permit, "co", 1.0, "ppm", sampled_ms=ahead)
    assert bench.no("gil", act) == "gas_test.sampled_ahead"


def test_a_meter_elsewhere_or_of_another_gas_is_refused() -> None:
    """G6: a sample is taken at the work."""
    bench = Measured()
    permit = bench.made(zone_id="yard")
    here = bench.entity(HOST, "meter-tank", "h2s")

    def ask(gas: str, place: str, entity: str) -> str:
        sample = Sample(gas=gas, place=place, entity_id=entity)  # type: ignore[arg-type]
        return bench.no("gil", TestGas(permit_id=permit, samples=(sample,)))

    assert ask("h2s", "lower", here) == "gas_test.elsewhere"
    assert ask("co", "lower", here) == "gas_test.wrong_gas"
    assert ask("h2s", "lower", "nothing") == "gas_test.entity_unknown"
    assert ask("h2s", "lower", "") == "gas_test.one_source"
    tank = bench.made()
    bench.reading("h2s", 0.0, Quality.FAULT)
    act = bench.testing(tank, samples=bench.samples(("h2s",)))
    assert bench.no("gil", act) == "gas_test.no_reading"


def test_only_an_analyst_tests() -> None:
    """The pack says who the analyst may be."""
    bench = Measured()
    permit = bench.made()
    assert bench.no("ann", bench.testing(permit)) == "gas_test.role"
    assert bench.no("max", bench.testing(permit)) == "act.role"
    bench.put(permit, PermitStatus.CLOSED)
    assert bench.no("gil", bench.testing(permit)) == "permit.closed"
