"""Limits judge raw values and extremes (design §5 Truth, Levels; R1, R3, R7)."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import config
from core.api.model import EntityKind
from core.api.quality import NEVER_ACTS, Quality
from core.logic.truth import Truth
from tests.support.detectors import (
    HOST,
    coalesce,
    conditions,
    detector,
    limit,
    read,
    say,
    site,
)
from tests.support.kernel import Bench, make_kernel


def bench_with(*quantities: str) -> Bench:
    bench = make_kernel(site())
    bench.declare(HOST, detector("g1", *(quantities or ("h2s",))))
    return bench


@pytest.mark.parametrize("quality", list(Quality))
def test_a_value_beyond_acts_unless_its_quality_says_it_is_none(
    quality: Quality,
) -> None:
    """Design §5 Truth."""
    bench = bench_with()
    say(bench, "g1", "h2s", 50.0, quality)
    assert ("high" in conditions(bench)) == (quality not in NEVER_ACTS)


@pytest.mark.parametrize(
    ("value", "alarms"), [(6.99, []), (7.0, ["high"]), (19.0, ["high"])]
)
def test_at_the_limit_is_beyond(value: float, alarms: list[str]) -> None:
    bench = bench_with()
    say(bench, "g1", "h2s", value)
    assert conditions(bench) == alarms


def test_hysteresis_is_journalled_with_the_alarm() -> None:
    """C (core#133377): a restart does not flip the alarm off."""
    bench = bench_with()
    say(bench, "g1", "h2s", 8.0)
    say(bench, "g1", "h2s", 6.5)
    assert conditions(bench) == ["high"]
    bench.restart()
    say(bench, "g1", "h2s", 6.5)
    assert conditions(bench) == ["high"]
    say(bench, "g1", "h2s", 5.9)
    assert conditions(bench) == []


@pytest.mark.parametrize("quality", [q for q in Quality if q is not Quality.GOOD])
def test_only_good_evidence_ends_an_alarm(quality: Quality) -> None:
    bench = bench_with()
    say(bench, "g1", "h2s", 9.0)
    say(bench, "g1", "h2s", 0.0, quality)
    assert "high" in conditions(bench)
    bench.advance(300)
    assert "high" in conditions(bench), "lost in alarm keeps its alarm"
    say(bench, "g1", "h2s", 0.0)
    assert conditions(bench) == []


def test_both_sides_of_oxygen() -> None:
    bench = bench_with("o2")
    for value, alarms in ((20.9, []), (18.0, ["low"]), (24.0, ["high"]), (20.9, [])):
        say(bench, "g1", "o2", value)
        assert conditions(bench) == alarms


def test_sustain_waits_after_the_first_good_reading() -> None:
    bench = make_kernel(site())
    bench.declare(HOST, detector("g1", "level", kind=EntityKind.SENSOR))
    say(bench, "g1", "level", 1.0)
    say(bench, "g1", "level", 4.0)
    bench.advance(5)
    assert conditions(bench) == []
    say(bench, "g1", "level", 1.0)
    say(bench, "g1", "level", 4.0)
    bench.advance(9)
    assert conditions(bench) == [], "a GOOD return begins the window anew"
    bench.advance(2)
    assert conditions(bench) == ["high"], "silence does not stop the window"


def test_after_boot_the_first_good_match_satisfies_the_sustain() -> None:
    """Design §5 Deadlines: windows are not journalled; a hazard at boot is seen."""
    bench = make_kernel(site())
    bench.declare(HOST, detector("g1", "level", kind=EntityKind.SENSOR))
    say(bench, "g1", "level", 4.0, Quality.UNCERTAIN)
    assert conditions(bench) == [], "only GOOD may shorten it"
    say(bench, "g1", "level", 4.0)
    assert conditions(bench) == ["high"]
    bench.restart()
    assert conditions(bench) == ["high"]


def test_return_from_silence_into_alarm_range_is_an_alarm() -> None:
    """R3, the question of A2 answered."""
    bench = bench_with()
    say(bench, "g1", "h2s", 1.0)
    bench.kernel.readings.host_lost(HOST)
    bench.advance(60)
    bench.kernel.readings.host_back(HOST)
    say(bench, "g1", "h2s", 30.0)
    assert "high" in conditions(bench)


def test_extremes_are_judged_not_the_last_value() -> None:
    """Design §2: coalescing must not hide a peak."""
    bench = bench_with()
    say(bench, "g1", "h2s", 1.0)
    coalesce(bench, "g1", "h2s", 1.0, 0.5, 30.0)
    assert conditions(bench) == ["high"]
    coalesce(bench, "g1", "h2s", 1.0, 0.5, 30.0)
    assert conditions(bench) == ["high"]
    coalesce(bench, "g1", "h2s", 1.0, 0.5, 2.0, worst=Quality.STALE)
    assert conditions(bench) == ["high"], "not all of it was GOOD"
    coalesce(bench, "g1", "h2s", 1.0, 0.5, 2.0)
    assert conditions(bench) == []


@pytest.mark.parametrize("last", [Quality.FAULT, Quality.INHIBITED])
def test_a_peak_acts_although_a_fault_or_an_inhibit_came_after_it(
    last: Quality,
) -> None:
    """Design §5 Truth: extremes are those of rows that act; NaN without any."""
    bench = bench_with()
    coalesce(bench, "g1", "h2s", None, math.nan, math.nan, last, last)
    assert "high" not in conditions(bench)
    coalesce(bench, "g1", "h2s", None, 1.0, 30.0, last, last)
    assert "high" in conditions(bench)


@given(st.lists(st.floats(0, 40, width=32), min_size=1, max_size=8), st.data())
def test_coalescing_raises_whatever_single_rows_raise(
    values: list[float], data: st.DataObject
) -> None:
    """Design §2, for every grouping of the same GOOD rows."""
    single, grouped = bench_with(), bench_with()
    raised = False
    for value in values:
        say(single, "g1", "h2s", value)
        raised = raised or bool(conditions(single))
    cut = data.draw(st.integers(0, len(values) - 1))
    ever = False
    for group in (values[:cut], values[cut:]):
        if group:
            coalesce(grouped, "g1", "h2s", group[-1], min(group), max(group))
            ever = ever or bool(conditions(grouped))
    assert ever == raised
    assert not conditions(single) or conditions(grouped)


def test_a_new_limit_is_judged_on_the_present_value() -> None:
    """R1: after every reload the level counts, without a new reading."""
    bench = bench_with()
    say(bench, "g1", "h2s", 5.0)
    lower = limit("high", "gas.toxic", "ppm", above=4.0)
    bench.bundle = site(limits={"h2s": (lower,)})
    bench.hub.load(bench.bundle)
    assert read(bench, "g1", "h2s").value == 5.0, "a reload keeps live values"
    bench.advance(1)
    assert conditions(bench) == ["high"]


def test_a_reload_keeps_running_windows() -> None:
    """R7: reloading touches no pending sustain of the same limit."""
    bench = make_kernel(site())
    bench.declare(HOST, detector("g1", "level", kind=EntityKind.SENSOR))
    say(bench, "g1", "level", 1.0)
    say(bench, "g1", "level", 4.0)
    bench.advance(6)
    bench.hub.load(site(lost_s=50.0))
    bench.advance(5)
    assert conditions(bench) == ["high"]


def test_a_limit_in_another_unit_is_converted_with_its_hysteresis() -> None:
    bench = make_kernel(
        site(
            limits={
                "h2s": (
                    limit("high", "gas.toxic", "mg/m³", above=10.0, hysteresis=2.0),
                )
            }
        )
    )
    bench.declare(HOST, detector("g1", "h2s"))
    for value, alarms in ((7.1, []), (7.2, ["high"]), (5.8, ["high"]), (5.7, [])):
        say(bench, "g1", "h2s", value)
        assert conditions(bench) == alarms


def test_a_limit_that_cannot_be_converted_is_an_alarm() -> None:
    """R9, R10: never silently without its limit."""
    bench = make_kernel(
        site(limits={"h2s": (limit("high", "gas.toxic", "°C", above=1.0),)})
    )
    bench.declare(HOST, detector("g1", "h2s"))
    bench.advance(1)
    assert conditions(bench) == ["setup"]
    say(bench, "g1", "h2s", 1.0)
    assert read(bench, "g1", "h2s").quality is Quality.FAULT


# --- acceptable ---------------------------------------------------------------------


def test_acceptable_wants_every_meter_good_fresh_and_within() -> None:
    bench = make_kernel(site())
    bench.declare(HOST, detector("g1", "h2s"))
    bench.declare(HOST, detector("g2", "h2s"))
    readings = bench.kernel.readings
    say(bench, "g1", "h2s", 1.0)
    assert readings.acceptable("pit", "h2s", 60) is Truth.UNKNOWN
    say(bench, "g2", "h2s", 1.0)
    assert readings.acceptable("pit", "h2s", 60) is Truth.TRUE
    assert readings.acceptable("yard", "h2s", 60) is Truth.UNKNOWN
    assert readings.acceptable("pit", "co", 60) is Truth.UNKNOWN
    bench.advance(3)
    assert readings.acceptable("pit", "h2s", 2) is Truth.UNKNOWN
    say(bench, "g1", "h2s", 8.0)
    say(bench, "g2", "h2s", 1.0)
    assert readings.acceptable("pit", "h2s", 60) is Truth.FALSE
    say(bench, "g1", "h2s", 6.5)
    assert readings.acceptable("pit", "h2s", 60) is Truth.FALSE, "alarm still active"


_states = st.tuples(
    st.one_of(st.floats(0, 20), st.just(math.nan), st.none()),
    st.sampled_from(list(Quality)),
)


@given(st.lists(_states, min_size=1, max_size=3), st.data())
def test_a_bad_input_never_permits_and_never_ends_an_alarm(
    states: list[tuple[float | None, Quality]], data: st.DataObject
) -> None:
    """R5 over the live table: spoil any one meter in any way."""
    bench = make_kernel(site())
    for index, (value, quality) in enumerate(states):
        bench.declare(HOST, detector(f"g{index}", "h2s"))
        say(bench, f"g{index}", "h2s", value, quality)
    before = bench.kernel.readings.acceptable("pit", "h2s", 60)
    alarms = {(r.source, r.condition) for r in bench.kernel.alarms.active()}
    spoiled = f"g{data.draw(st.integers(0, len(states) - 1))}"
    way = data.draw(st.sampled_from(["quality", "nan", "host", "link", "silence"]))
    match way:
        case "quality":
            bad = [q for q in Quality if q is not Quality.GOOD]
            say(bench, spoiled, "h2s", 0.0, data.draw(st.sampled_from(bad)))
        case "nan":
            say(bench, spoiled, "h2s", math.nan)
        case "host":
            bench.kernel.readings.host_lost(HOST)
        case "link":
            bench.kernel.readings.device_link(HOST, spoiled, False, "timeout")
        case "silence":
            bench.advance(500)
    after = bench.kernel.readings.acceptable("pit", "h2s", 60)
    assert after is not Truth.TRUE or (before is Truth.TRUE and way == "none")
    kept = {(r.source, r.condition) for r in bench.kernel.alarms.active()}
    assert alarms <= kept


def test_quantities_without_acceptance_prove_nothing() -> None:
    bench = make_kernel(site())
    bench.declare(HOST, detector("g1", "level", kind=EntityKind.SENSOR))
    say(bench, "g1", "level", 1.0)
    assert bench.kernel.readings.acceptable("pit", "level", 60) is Truth.UNKNOWN
    assert isinstance(bench.bundle, config.Bundle)
