"""A silent detector is a fault of its own, never silence (R4, reliability.md §2)."""

import random

import pytest

from core.api.quality import Quality
from core.clock import NS
from core.logic.truth import Truth
from tests.support.detectors import HOST, conditions, detector, read, say, site
from tests.support.kernel import Bench, make_kernel


def bench_with(count: int = 1, **rule: object) -> Bench:
    bench = make_kernel(site(**rule))
    for number in range(1, count + 1):
        bench.declare(HOST, detector(f"g{number}", "h2s"))
    return bench


def kinds(bench: Bench) -> list[tuple[str, str | None]]:
    return [(r.kind, r.zone_id) for r in bench.kernel.alarms.active()]


def test_a_silent_critical_detector_is_a_fault_in_its_declared_time() -> None:
    bench = bench_with(lost_s=25.0)
    say(bench, "g1", "h2s", 1.0)
    bench.advance(24.9)
    assert kinds(bench) == []
    bench.advance(0.1)
    assert kinds(bench) == [("fault.lost", "pit")]
    assert bench.kernel.readings.unmonitored() == {"pit"}
    say(bench, "g1", "h2s", 1.0, Quality.INHIBITED)
    assert kinds(bench) == [("fault.lost", "pit")], "only GOOD ends it"
    say(bench, "g1", "h2s", 1.0)
    assert kinds(bench) == []
    assert bench.kernel.readings.unmonitored() == set()
    bench.advance(25)
    assert kinds(bench) == [("fault.lost", "pit")], "supervised again"


@pytest.mark.parametrize(
    ("max_age", "lost"), [(10.0, 30.0), (60.0, 180.0), (90.0, 200.0), (600.0, 600.0)]
)
def test_the_default_time_is_three_ages_and_200_s_at_most(
    max_age: float, lost: float
) -> None:
    bench = bench_with(max_age_s=max_age)
    say(bench, "g1", "h2s", 1.0)
    bench.advance(lost - 1)
    assert kinds(bench) == []
    bench.advance(1)
    assert kinds(bench) == [("fault.lost", "pit")]


def test_one_that_never_spoke_is_lost_too() -> None:
    """R1: what is missing at boot is seen at boot."""
    bench = bench_with()
    bench.advance(30)
    assert kinds(bench) == [("fault.lost", "pit")]
    bench.restart()
    assert kinds(bench) == [("fault.lost", "pit")]
    say(bench, "g1", "h2s", 1.0)
    assert kinds(bench) == []


def test_one_that_is_not_critical_falls_silent_without_alarm() -> None:
    bench = bench_with(critical=())
    say(bench, "g1", "h2s", 1.0)
    bench.advance(500)
    assert kinds(bench) == []
    assert read(bench, "g1", "h2s").quality is Quality.STALE
    assert bench.kernel.readings.unmonitored() == set()


def test_no_stop_is_missed_in_thousands() -> None:
    """reliability.md §2: 0 missed of 10,000 stops, none too early (virtual time)."""
    dice = random.Random(7)
    bench = bench_with(100, lost_s=30.0)
    readings = bench.kernel.readings
    entities = [bench.entity(HOST, f"g{n}", "h2s") for n in range(1, 101)]
    stops = 0
    speaking = set(range(100))
    last: dict[int, int] = dict.fromkeys(range(100), bench.clock.mono_ns())
    for _ in range(600):
        now = bench.clock.mono_ns()
        for number in sorted(speaking):
            if dice.random() < 0.05:
                speaking.discard(number)
                stops += 1
            else:
                say(bench, f"g{number + 1}", "h2s", 1.0)
                last[number] = now
        for number in set(range(100)) - speaking:
            if dice.random() < 0.08 and now - last[number] > 40 * NS:
                speaking.add(number)
        bench.advance(dice.choice((3.0, 7.0, 9.0)))
        now = bench.clock.mono_ns()
        silent = {n for n in range(100) if now - last[n] >= 30 * NS}
        alarmed = {
            n
            for n in range(100)
            if readings.points[entities[n]].lost
            and bench.kernel.alarms.find(f"entity:{entities[n]}", "lost")
        }
        assert alarmed == silent
    assert stops > 1000


def test_a_lost_host_makes_its_zones_unmonitored_at_once() -> None:
    """Design §3: a dead host process is an alarm, one per zone, no flood."""
    bench = bench_with(20)
    for number in range(1, 21):
        say(bench, f"g{number}", "h2s", 1.0)
    say(bench, "g1", "h2s", 9.0)
    bench.kernel.readings.host_lost(HOST)
    assert kinds(bench) == [("gas.toxic", "pit"), ("fault.host", "pit")]
    assert read(bench, "g1", "h2s").quality is Quality.STALE
    assert bench.kernel.readings.acceptable("pit", "h2s", 60) is Truth.FALSE
    bench.advance(600)
    assert len(kinds(bench)) == 2, "the host's alarm stands for its detectors'"
    bench.kernel.readings.host_back(HOST)
    assert ("fault.host", "pit") in kinds(bench), "its readings are still missing"
    for number in range(1, 21):
        say(bench, f"g{number}", "h2s", 1.0)
    assert kinds(bench) == []


def test_after_a_host_is_back_its_silent_detectors_are_lost() -> None:
    bench = bench_with(2)
    bench.kernel.readings.host_lost(HOST)
    bench.advance(100)
    bench.kernel.readings.host_back(HOST)
    say(bench, "g1", "h2s", 1.0)
    bench.advance(30)
    assert set(kinds(bench)) == {("fault.lost", "pit"), ("fault.host", "pit")}


def test_what_a_host_owes_outlives_a_restart() -> None:
    bench = bench_with(2)
    bench.kernel.readings.host_lost(HOST)
    bench.restart()
    assert kinds(bench) == [("fault.host", "pit")]
    bench.kernel.readings.host_back(HOST)
    say(bench, "g1", "h2s", 1.0)
    assert kinds(bench) == [("fault.host", "pit")]
    say(bench, "g2", "h2s", 1.0)
    assert kinds(bench) == []


@pytest.mark.parametrize("uid", ["g1", ""])
def test_a_device_whose_link_is_down_proves_nothing_at_once(uid: str) -> None:
    bench = bench_with(2)
    say(bench, "g1", "h2s", 1.0)
    bench.kernel.readings.device_link(HOST, uid, False, "timeout")
    reading = read(bench, "g1", "h2s")
    assert (reading.quality, reading.reason) == (Quality.STALE, "timeout")
    assert read(bench, "g2", "h2s").quality is Quality.NOT_PRESENT
    assert bench.kernel.readings.unmonitored() == {"pit"}
    bench.kernel.readings.device_link(HOST, uid, True)
    assert read(bench, "g1", "h2s").quality is Quality.STALE, "until it speaks"
    say(bench, "g1", "h2s", 1.0)
    assert read(bench, "g1", "h2s").quality is Quality.GOOD
    bench.advance(29)
    assert ("fault.lost", "pit") not in kinds(bench) or uid == ""


def test_a_withdrawn_device_stays_and_is_missed() -> None:
    """Design §5 Security: only a person removes what protects."""
    bench = bench_with()
    say(bench, "g1", "h2s", 1.0)
    bench.kernel.registry.withdraw(HOST, "g1")
    reading = read(bench, "g1", "h2s")
    assert (reading.quality, reading.reason) == (Quality.STALE, "withdrawn")
    bench.advance(30)
    assert kinds(bench) == [("fault.lost", "pit")]


def test_a_faulty_critical_detector_alarms_with_its_reason() -> None:
    bench = bench_with()
    say(bench, "g1", "h2s", None, Quality.FAULT, reason="cell_missing")
    (record,) = bench.kernel.alarms.active()
    assert (record.kind, record.params["reason"]) == ("fault.device", "cell_missing")
    say(bench, "g1", "h2s", None, Quality.FAULT, reason="cell_missing")
    bench.restart()
    assert conditions(bench) == ["fault"]
    say(bench, "g1", "h2s", 1.0)
    assert conditions(bench) == []


def test_a_value_that_never_moves_is_stuck_where_that_is_asked_for() -> None:
    bench = bench_with(stuck_s=60.0)
    for _ in range(13):
        say(bench, "g1", "h2s", 1.25)
        bench.advance(5)
    assert conditions(bench) == ["stuck"]
    say(bench, "g1", "h2s", 1.5)
    bench.advance(1)
    assert conditions(bench) == []
