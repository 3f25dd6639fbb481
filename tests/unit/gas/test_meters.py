"""Meters in date: bump tests and calibrations, and what an overdue one still does."""

import pytest
import voluptuous as vol
from hypothesis import given, settings
from hypothesis import strategies as st

from automations.compile_site import _device
from automations.schema_site import DEVICE
from core.api.documents import Document
from core.api.quality import Quality
from core.readings.calibration import Standing
from core.registry.events import DeviceRemoved
from core.registry.meters_acts import FailBump, PassBump
from core.registry.meters_events import (
    BumpPassed,
    CalibrationWithdrawn,
    MeterCalibrated,
)
from tests.support.measured import Measured
from tests.support.yard import GASES, HOST

DAY = 86_400


def quality(bench: Measured, gas: str = "h2s") -> Quality:
    """Return the quality of the tank meter's reading now."""
    entity = bench.entity(HOST, "meter-tank", gas)
    return bench.kernel.readings.get(entity).quality


def standing(bench: Measured) -> tuple[Standing, Standing]:
    """Return how the tank's meter stands: calibration, bump test."""
    state = bench.kernel.meters.state(bench.device_id())
    return state.calibration, state.bump


def conditions(bench: Measured) -> set[str]:
    """Return the active conditions of the tank's meter."""
    source = f"device:{bench.device_id()}"
    active = bench.kernel.alarms.active()
    return {alarm.condition for alarm in active if alarm.source == source}


def bumped(bench: Measured) -> None:
    """Record a passed bump test of every gas."""
    for gas in (*GASES, "lel"):
        bench.ok("gil", PassBump(device_id=bench.device_id(), gas=gas))


def test_nothing_demanded_and_nothing_recorded_changes_nothing() -> None:
    """A small contractor's meter works as it did; a pack's test wants the record."""
    bench = Measured(calibrated=False)
    assert quality(bench) is Quality.GOOD
    assert standing(bench) == (Standing.NONE, Standing.NONE)
    assert not bench.kernel.meters.state(bench.device_id()).proven


def test_a_bump_test_falls_due_and_overdue() -> None:
    """D1–D4: told before it falls due; overdue it alarms and proves nothing."""
    bench = Measured(bump_every_h=24.0)
    assert quality(bench) is Quality.UNCERTAIN
    bumped(bench)
    bench.pulse()
    assert quality(bench) is Quality.GOOD
    bench.leap(22 * 3600)
    assert conditions(bench) == {"bump_due"}
    bench.pulse()
    assert quality(bench) is Quality.GOOD
    bench.leap(2 * 3600)
    bench.pulse()
    assert conditions(bench) == {"bump_overdue"}
    assert quality(bench) is Quality.UNCERTAIN
    bench.reading("h2s", 50.0)
    assert bench.kernel.alarms.active(kind_prefix="gas.toxic")
    bumped(bench)
    assert not conditions(bench)


def test_a_calibration_ends_on_its_last_day_of_the_site() -> None:
    """D4: the day is the site's; its rule may end it earlier."""
    bench = Measured(calibrated=False, calibrate_every_d=10.0)
    assert standing(bench)[0] is Standing.OVERDUE
    assert conditions(bench) == {"calibration_overdue"}
    bench.ok("sam", bench.calibration())
    assert standing(bench)[0] is Standing.IN_DATE
    bench.leap(5 * DAY)
    assert conditions(bench) == {"calibration_due"}
    bench.leap(6 * DAY)
    assert standing(bench)[0] is Standing.OVERDUE
    bench.pulse()
    assert quality(bench) is Quality.UNCERTAIN


def test_an_untrusted_clock_leaves_the_day_unknown() -> None:
    """Design §5 Time: validity is UNKNOWN, and that is no evidence."""
    bench = Measured()
    assert quality(bench) is Quality.GOOD
    bench.clock.trusted = False
    bench.advance(1)
    bench.pulse()
    assert standing(bench)[0] is Standing.UNKNOWN
    assert quality(bench) is Quality.UNCERTAIN
    bench.clock.trusted = True
    bench.advance(1)
    bench.pulse()
    assert quality(bench) is Quality.GOOD


def test_a_failed_bump_puts_the_device_out_of_use_at_once() -> None:
    """D1: until it is calibrated and answers again; its zone is unmonitored."""
    bench = Measured(bump_every_h=24.0)
    bumped(bench)
    bench.pulse()
    device = bench.device_id()
    bench.ok("gil", FailBump(device_id=device, gas="h2s"))
    assert {quality(bench, gas) for gas in GASES} == {Quality.FAULT}
    assert conditions(bench) == {"bump_failed"}
    assert "tank" in bench.kernel.readings.unmonitored()
    bench.pulse()
    assert quality(bench) is Quality.FAULT
    assert bench.no("gil", PassBump(device_id=device, gas="h2s")) == (
        "meter.calibrate_first"
    )
    bench.ok("sam", bench.calibration())
    assert standing(bench)[1] is Standing.OVERDUE
    bench.ok("gil", PassBump(device_id=device, gas="h2s"))
    bench.pulse()
    assert quality(bench) is Quality.GOOD
    assert not conditions(bench)


def test_a_failed_meter_raises_alarms_and_ends_none() -> None:
    """Design §5: a cap takes evidence away, never an alarm."""
    bench = Measured()
    bench.reading("h2s", 50.0)
    bench.ok("gil", FailBump(device_id=bench.device_id(), gas="o2"))
    bench.reading("h2s", 0.0)
    assert bench.kernel.alarms.active(kind_prefix="gas.toxic")
    bench.reading("lel", 40.0)
    assert bench.kernel.alarms.active(kind_prefix="gas.combustible")


def test_a_failed_bump_needs_no_disk() -> None:
    """Design §2: protective acts on accepted; a passed one is refused."""
    bench = Measured()
    bench.break_disk()
    device = bench.device_id()
    assert bench.no("gil", PassBump(device_id=device, gas="h2s")) == (
        "journal.not_durable"
    )
    assert bench.no("sam", bench.calibration()) == "journal.not_durable"
    bench.ok("gil", FailBump(device_id=device, gas="h2s"))
    assert quality(bench) is Quality.FAULT


def test_what_never_became_durable_is_taken_back() -> None:
    """Design §2: the failed bump test stands again with the calibration's loss."""
    bench = Measured()
    bench.ok("gil", FailBump(device_id=bench.device_id(), gas="h2s"))
    bench.journal.held = True
    bench.ask("sam", bench.calibration("2098-12-31"))
    bench.settle()
    assert standing(bench)[1] is Standing.NONE
    bench.break_disk()
    assert len(bench.events(CalibrationWithdrawn)) == 1
    assert standing(bench) == (Standing.IN_DATE, Standing.FAILED)
    facts = bench.hub.state.registry.meters[bench.device_id()].calibration
    assert facts is not None and facts.valid_to == "2099-12-31"
    assert quality(bench) is Quality.FAULT


def test_a_bump_that_never_became_durable_counts_no_more() -> None:
    """Design §2."""
    bench = Measured(bump_every_h=24.0)
    bumped(bench)
    bench.leap(3600)
    bench.journal.held = True
    bench.ask("gil", PassBump(device_id=bench.device_id(), gas="h2s"))
    bench.break_disk()
    assert standing(bench)[1] is Standing.OVERDUE


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("device_id", "nothing", "device.unknown"),
        ("valid_to", "2020-02-29", "meter.expired"),
        ("valid_to", "2099-02-31", "card.no_such_day"),
        ("valid_to", "tomorrow", "act.malformed"),
    ],
)
def test_a_wrong_record_is_refused(field: str, value: str, code: str) -> None:
    """Errors name what is wrong."""
    bench = Measured()
    fields = {
        "device_id": bench.device_id(),
        "valid_to": "2099-12-31",
        "certificate": "c",
        "by": "b",
    }
    act = type(bench.calibration())(**(fields | {field: value}))
    assert bench.no("sam", act) == code
    bump = FailBump(device_id=bench.device_id(), gas="co")
    assert bench.no("gil", bump) == "meter.no_such_gas"
    assert bench.no("ann", bump) == "act.role"


def test_standings_survive_a_restart() -> None:
    """Design §2: state is a fold; a failed meter stays out of use."""
    bench = Measured(bump_every_h=24.0)
    bumped(bench)
    bench.ok("gil", FailBump(device_id=bench.device_id(), gas="h2s"))
    before = standing(bench)
    bench.restart()
    assert standing(bench) == before
    bench.pulse()
    assert quality(bench) is Quality.FAULT
    assert bench.replayed().registry.meters == bench.hub.state.registry.meters


def test_a_removed_device_takes_its_record_along() -> None:
    """A meter that comes back is a new one."""
    bench = Measured()
    assert bench.events(MeterCalibrated) and not bench.events(BumpPassed)
    bench.hub.emit(DeviceRemoved(device_id=bench.device_id()))
    assert not bench.hub.state.registry.meters


@settings(max_examples=25)
@given(
    st.lists(
        st.sampled_from(["pass", "fail", "calibrate", "hours", "day", "disk"]),
        max_size=8,
    )
)
def test_only_a_proven_meter_is_good(steps: list[str]) -> None:
    """D4: whatever happens, GOOD means calibrated, and answered in time."""
    bench = Measured(bump_every_h=24.0)
    device = bench.device_id()
    for step in steps:
        match step:
            case "pass":
                bench.act("gil", PassBump(device_id=device, gas="h2s"))
                bench.act("gil", PassBump(device_id=device, gas="o2"))
                bench.act("gil", PassBump(device_id=device, gas="lel"))
            case "fail":
                bench.act("gil", FailBump(device_id=device, gas="o2"))
            case "calibrate":
                bench.act("sam", bench.calibration())
            case "hours":
                bench.leap(13 * 3600)
            case "day":
                bench.leap(25 * 3600)
            case "disk":
                bench.break_disk()
                bench.mend_disk()
        bench.pulse()
        state = bench.kernel.meters.state(device)
        good = quality(bench) is Quality.GOOD
        assert good == (state.worst in (Standing.IN_DATE, Standing.DUE))
        if state.worst is Standing.FAILED:
            assert quality(bench) is Quality.FAULT


def test_the_configuration_tells_hours_and_days() -> None:
    """Durations of the site's file come as hours and days."""
    given = {
        "integration": "m",
        "uid": "x",
        "bump_every": "24h",
        "calibrate_every": "180d",
    }
    checked = Document("site.yaml", given, {}).check(vol.Schema(DEVICE))
    rule = _device(checked)
    assert (rule.bump_every_h, rule.calibrate_every_d) == (24.0, 180.0)
