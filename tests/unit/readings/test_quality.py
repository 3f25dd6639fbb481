"""Quality is an axis of its own, never a value (design §5 Readings; R16, R22)."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api.model import EntityKind
from core.api.quality import Quality
from core.api.reading import Reading, Value
from core.clock import NS
from core.link import messages as m
from core.logic.truth import Truth
from tests.support.detectors import (
    HOST,
    coalesce,
    conditions,
    detector,
    read,
    say,
    site,
)
from tests.support.kernel import Bench, make_kernel


def bench_with(*quantities: str, rule: dict[str, object] | None = None) -> Bench:
    bench = make_kernel(site(**(rule or {})))
    bench.declare(HOST, detector("g1", *(quantities or ("h2s",))))
    return bench


def test_nothing_heard_is_not_present_and_proves_nothing() -> None:
    """R2: start-up is solved by quality."""
    bench = bench_with()
    reading = read(bench, "g1", "h2s")
    assert (reading.value, reading.quality) == (None, Quality.NOT_PRESENT)
    assert bench.kernel.readings.acceptable("pit", "h2s", 60) is Truth.UNKNOWN
    assert bench.kernel.readings.get("nobody").quality is Quality.NOT_PRESENT


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, None, "9", True, 10**400]
)
def test_what_is_no_number_is_a_fault_never_a_value(value: Value) -> None:
    bench = bench_with()
    say(bench, "g1", "h2s", 1.0)
    say(bench, "g1", "h2s", value)
    reading = read(bench, "g1", "h2s")
    assert (reading.value, reading.quality) == (None, Quality.FAULT)
    assert reading.reason in ("not_finite", "no_value", "wrong_type")
    assert conditions(bench) == ["fault"], "a broken critical detector alarms"
    say(bench, "g1", "h2s", 1)
    assert read(bench, "g1", "h2s").quality is Quality.GOOD
    assert conditions(bench) == []


@pytest.mark.parametrize(
    "quality", [Quality.INHIBITED, Quality.FAULT, Quality.NOT_PRESENT]
)
def test_a_number_under_inhibit_is_no_measurement(quality: Quality) -> None:
    """D5: a Honeywell XNX sends 0 ppm while it is inhibited."""
    bench = bench_with()
    say(bench, "g1", "h2s", 0.0, quality)
    assert read(bench, "g1", "h2s").value is None
    assert bench.kernel.readings.unmonitored() == {"pit"}


def test_an_invalid_quality_is_a_fault() -> None:
    bench = bench_with()
    say(bench, "g1", "h2s", 1.0, 42)
    assert read(bench, "g1", "h2s").quality is Quality.FAULT


def test_the_core_demotes_what_grows_old() -> None:
    """R16: the driver cannot hide silence, and watchers are told."""
    bench = bench_with()
    told: list[Quality] = []
    entity_id = bench.entity(HOST, "g1", "h2s")
    bench.kernel.readings.watch(entity_id, lambda r: told.append(r.quality))
    changes: list[tuple[str, Quality]] = []
    bench.kernel.readings.on_change(lambda e, r: changes.append((e, r.quality)))
    say(bench, "g1", "h2s", 1.0)
    bench.advance(10.0)
    assert read(bench, "g1", "h2s").quality is Quality.GOOD
    bench.kernel.readings.drain_live()
    bench.advance(1.5)
    stale = read(bench, "g1", "h2s")
    assert (stale.quality, stale.reason) == (Quality.STALE, "silent")
    assert told == [Quality.GOOD, Quality.STALE]
    assert changes == [(entity_id, Quality.GOOD), (entity_id, Quality.STALE)]
    rows = bench.kernel.readings.drain_live()
    assert [(r.quality, r.reason) for r in rows] == [(Quality.STALE, "silent")]
    say(bench, "g1", "h2s", 1.0)
    assert told[-1] is Quality.GOOD


@given(st.lists(st.floats(-1e9, 1e9), max_size=5), st.floats(0.1, 30.0))
def test_age_does_not_know_wall_time(steps: list[float], silence: float) -> None:
    """R22: stepping the wall neither demotes nor refreshes."""
    bench = bench_with()
    say(bench, "g1", "h2s", 1.0)
    for step in steps:
        bench.clock.step_wall(step)
    bench.advance(silence)
    for step in steps:
        bench.clock.step_wall(-step)
    fresh = read(bench, "g1", "h2s").quality is Quality.GOOD
    assert fresh == (silence <= 10.0)
    assert ("lost" in conditions(bench)) == (silence >= 30.0)


def test_frames_that_waited_are_as_old_as_they_are() -> None:
    bench = bench_with()
    bench.advance(60)
    now = bench.clock.mono_ns()
    say(bench, "g1", "h2s", 1.0, sent_ns=now - 20 * NS)
    assert read(bench, "g1", "h2s").quality is Quality.STALE
    say(bench, "g1", "h2s", 1.0, measured_ns=now - 15 * NS)
    assert read(bench, "g1", "h2s").quality is Quality.STALE
    say(bench, "g1", "h2s", 1.0, measured_ns=now - 5 * NS)
    assert read(bench, "g1", "h2s").quality is Quality.GOOD


def test_replayed_and_late_rows_are_no_sign_of_life() -> None:
    bench = bench_with()
    say(bench, "g1", "h2s", 1.0, seq=7)
    bench.advance(8)
    for seq, reason in ((7, "replayed"), (5, "out_of_order")):
        say(bench, "g1", "h2s", 1.5, seq=seq)
        reading = read(bench, "g1", "h2s")
        assert (reading.quality, reading.reason) == (Quality.UNCERTAIN, reason)
    bench.advance(3)
    assert read(bench, "g1", "h2s").quality is Quality.STALE
    say(bench, "g1", "h2s", 1.0, seq=8)
    assert read(bench, "g1", "h2s").quality is Quality.GOOD


def test_a_restarted_counter_is_doubted_once() -> None:
    bench = bench_with()
    say(bench, "g1", "h2s", 1.0, seq=5000)
    say(bench, "g1", "h2s", 1.0, seq=1)
    assert read(bench, "g1", "h2s").reason == "counter_restarted"
    say(bench, "g1", "h2s", 1.0, seq=2)
    assert read(bench, "g1", "h2s").quality is Quality.GOOD


def test_a_future_measuring_time_is_doubted() -> None:
    bench = bench_with()
    later = bench.clock.mono_ns() + 60 * NS
    say(bench, "g1", "h2s", 1.0, measured_ns=later)
    assert read(bench, "g1", "h2s").reason == "measured_in_future"
    bench.advance(11)
    assert read(bench, "g1", "h2s").quality is Quality.STALE, "age counts from now"


def test_one_frame_may_hold_a_row_and_a_coalesced_one_of_the_same_point() -> None:
    """The coalesced one was dated when it was taken, before the frame was sent."""
    bench = bench_with()
    bench.advance(5)
    now = bench.clock.mono_ns()
    handle = bench._handles[HOST, "g1", "h2s"]
    frame = m.Readings(
        now,
        [m.Row(handle, 1.0)],
        [m.Extremes(handle, 2.0, 1.0, 2.0, 0, 0, 3, now - NS)],
    )
    bench.kernel.readings.receive(HOST, frame)
    reading = read(bench, "g1", "h2s")
    assert (reading.value, reading.quality) == (2.0, Quality.GOOD)
    say(bench, "g1", "h2s", 1.0, measured_ns=now - 2 * NS)
    assert read(bench, "g1", "h2s").reason == "out_of_order"


def test_a_late_value_beyond_a_limit_acts_all_the_same() -> None:
    """Design §5 Truth: acts whatever its quality."""
    bench = bench_with()
    say(bench, "g1", "h2s", 1.0, seq=7)
    say(bench, "g1", "h2s", 50.0, seq=6)
    assert conditions(bench) == ["high"]


def test_an_unchecked_device_is_never_good_evidence() -> None:
    bench = bench_with(rule={"evidence": False})
    say(bench, "g1", "h2s", 1.0)
    reading = read(bench, "g1", "h2s")
    assert (reading.quality, reading.reason) == (Quality.UNCERTAIN, "no_evidence")
    assert bench.kernel.readings.acceptable("pit", "h2s", 60) is Truth.UNKNOWN
    assert bench.kernel.readings.unmonitored() == set(), "it still raises alarms"
    say(bench, "g1", "h2s", 50.0)
    assert conditions(bench) == ["high"]
    say(bench, "g1", "h2s", 1.0)
    assert conditions(bench) == ["high"], "and proves no return to normal"


def test_units_are_converted_on_entry() -> None:
    bench = make_kernel(site())
    bench.declare(HOST, detector("g1", "ch4", unit="%vol"))
    say(bench, "g1", "ch4", 0.1)
    assert read(bench, "g1", "ch4").value == pytest.approx(2.0)
    assert read(bench, "g1", "ch4").unit == "%LEL"
    say(bench, "g1", "ch4", 1.3)
    assert conditions(bench) == ["high"]


@pytest.mark.parametrize("unit", ["", "parsec", "°C"])
def test_a_unit_that_cannot_be_judged_is_a_fault_and_an_alarm(unit: str) -> None:
    bench = make_kernel(site())
    bench.declare(HOST, detector("g1", "h2s", unit=unit))
    bench.advance(1)
    assert conditions(bench) == ["setup"]
    say(bench, "g1", "h2s", 1.0)
    reading = read(bench, "g1", "h2s")
    assert (reading.quality, reading.reason) == (Quality.FAULT, "unit_unknown")
    bench.declare(HOST, detector("g1", "h2s", unit="ppb"))
    say(bench, "g1", "h2s", 1000.0)
    bench.advance(1)
    assert conditions(bench) == []
    assert read(bench, "g1", "h2s").value == pytest.approx(1.0)


def test_over_range_is_an_alarm_not_a_fault() -> None:
    bench = make_kernel(site())
    bench.declare(HOST, detector("g1", "o2", full_scale=25.0))
    say(bench, "g1", "o2", 20.9)
    say(bench, "g1", "o2", 30.0)
    reading = read(bench, "g1", "o2")
    assert (reading.value, reading.quality) == (30.0, Quality.UNCERTAIN)
    assert reading.reason == "over_range"
    assert set(conditions(bench)) == {"high", "over_range"}
    say(bench, "g1", "o2", 20.9)
    assert conditions(bench) == []
    say(bench, "g1", "o2", -4.0)
    assert read(bench, "g1", "o2").reason == "under_range"
    assert conditions(bench) == ["low"]


def test_discrete_kinds_keep_their_types() -> None:
    bench = make_kernel(site())
    bench.declare(HOST, detector("g1", "door", kind=EntityKind.BINARY))
    bench.declare(HOST, detector("g2", "place", kind=EntityKind.LOCATION))
    seen: list[Reading] = []
    bench.kernel.readings.on_change(lambda _, reading: seen.append(reading))
    say(bench, "g1", "door", 1)
    assert read(bench, "g1", "door").value is True
    say(bench, "g1", "door", True)
    say(bench, "g1", "door", False)
    say(bench, "g1", "door", 0.5)
    assert read(bench, "g1", "door").quality is Quality.FAULT
    assert [each.value for each in seen] == [True, False, None]
    say(bench, "g2", "place", "1,2,3")
    assert read(bench, "g2", "place").value == "1,2,3"
    say(bench, "g2", "place", 5.0)
    assert read(bench, "g2", "place").quality is Quality.FAULT


def test_history_is_bounded_and_its_losses_counted() -> None:
    """R21: shed with a count, never in silence."""
    bench = bench_with()
    bench.kernel.readings.drains.max_history = 10
    for _ in range(14):
        say(bench, "g1", "h2s", 1.0)
    batch = bench.kernel.readings.drain_history()
    assert (len(batch.rows), batch.lost, len(batch.names)) == (10, 4, 1)
    coalesce(bench, "g1", "h2s", 1.0, 0.5, 2.0)
    batch = bench.kernel.readings.drain_history()
    assert [row.value for row in batch.rows] == [0.5, 2.0, 1.0]
    assert (batch.lost, batch.names) == (0, {})


def test_display_rows_come_once_and_in_full_when_asked() -> None:
    bench = bench_with("h2s", "o2")
    readings = bench.kernel.readings
    readings.drain_live()
    say(bench, "g1", "h2s", 1.0)
    say(bench, "g1", "h2s", 2.0)
    bench.advance(1)
    (row,) = readings.drain_live()
    assert (row.value, row.quality) == (2.0, Quality.GOOD)
    assert row.received_wall_ns == bench.clock.wall_ns() - NS
    assert readings.drain_live() == []
    assert len(readings.drain_live(full=True)) == 2


def test_rows_of_unknown_handles_are_counted() -> None:
    bench = bench_with()
    frame = m.Readings(0, [m.Row(99, 1.0)], [m.Extremes(98, 1.0, 1.0, 1.0, 0, 0, 2)])
    bench.kernel.readings.receive(HOST, frame)
    assert bench.kernel.readings.table.strays == 2
