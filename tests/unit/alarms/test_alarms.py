"""The alarm life cycle (design §5 Alarms; ISA-18.2; R4, R7, R15)."""

import pytest

from core.alarms.acts import (
    AcknowledgeAlarm,
    PutInService,
    ResetAlarm,
    ShelveAlarm,
    TakeOutOfService,
    UnshelveAlarm,
)
from core.alarms.events import AlarmClosed, AlarmRaised, AlarmRepeated, AlarmUnshelved
from core.alarms.state import AlarmRecord
from core.people.acts import Act
from tests.support.detectors import HOST, conditions, detector, say, site
from tests.support.kernel import Bench, make_kernel

SOURCE = "hub:test"


def raise_(bench: Bench, condition: str = "c", **fields: object) -> str:
    given: dict[str, object] = {"kind": "gas.toxic", "priority": 2, **fields}
    made = bench.kernel.alarms.raise_(SOURCE, condition, **given)  # type: ignore[arg-type]
    bench.settle()
    return made


def clear(bench: Bench, condition: str = "c") -> None:
    bench.kernel.alarms.clear(SOURCE, condition)
    bench.settle()


def record(bench: Bench, alarm_id: str) -> AlarmRecord | None:
    return bench.hub.state.alarms.open.get(alarm_id)


def do(bench: Bench, act: Act, who: str = "boss", version: int | None = None) -> str:
    answer = bench.act(who, act, version)
    return "" if answer.ok else answer.code


def test_one_record_per_source_and_condition() -> None:
    bench = make_kernel(site())
    first = raise_(bench)
    assert raise_(bench) == first
    assert raise_(bench, "other") != first
    assert len(bench.events(AlarmRaised)) == 2
    assert bench.events(AlarmRepeated) == []
    found = bench.kernel.alarms.find(SOURCE, "c")
    assert found is not None
    assert found.id == first
    assert bench.kernel.alarms.find(SOURCE, "never") is None


def test_it_closes_when_returned_and_acknowledged_in_either_order() -> None:
    bench = make_kernel(site())
    first = raise_(bench)
    clear(bench)
    assert record(bench, first) is not None, "nobody has seen it yet"
    assert do(bench, AcknowledgeAlarm(alarm_id=first)) == ""
    assert record(bench, first) is None
    second = raise_(bench)
    assert second != first
    assert do(bench, AcknowledgeAlarm(alarm_id=second)) == ""
    assert conditions(bench) == ["c"], "acknowledging never ends it"
    clear(bench)
    assert record(bench, second) is None
    clear(bench)


def test_a_second_activation_wants_a_second_acknowledgement() -> None:
    bench = make_kernel(site())
    first = raise_(bench, latching=True)
    assert do(bench, AcknowledgeAlarm(alarm_id=first)) == ""
    clear(bench)
    assert raise_(bench, params={"value": 9.0}) == first
    found = record(bench, first)
    assert found is not None
    assert (found.active, found.acknowledged, found.count) == (True, False, 2)
    assert found.params == {"value": 9.0}
    assert do(bench, AcknowledgeAlarm(alarm_id=first), version=1) == "act.stale"
    assert do(bench, AcknowledgeAlarm(alarm_id=first), version=2) == ""
    assert do(bench, AcknowledgeAlarm(alarm_id="none")) == "alarm.unknown"


def test_a_latched_alarm_wants_a_reset_by_a_person_with_a_reason() -> None:
    bench = make_kernel(site())
    first = raise_(bench, latching=True)
    reset = ResetAlarm(alarm_id=first, reason="checked with fresh air")
    assert do(bench, reset) == "alarm.still_active"
    clear(bench)
    assert do(bench, reset) == "alarm.not_acknowledged"
    assert do(bench, AcknowledgeAlarm(alarm_id=first)) == ""
    assert do(bench, ResetAlarm(alarm_id=first, reason=" ")) == "act.reason_missing"
    assert do(bench, reset, who="tech") == "act.role"
    bench.restart(reboot="boot-2")
    assert record(bench, first) is not None, "latched through a restart"
    assert do(bench, reset) == ""
    assert record(bench, first) is None
    plain = raise_(bench, "plain")
    clear(bench, "plain")
    assert do(bench, ResetAlarm(alarm_id=plain, reason="x")) == "alarm.not_acknowledged"


def test_an_alarm_that_evidence_can_no_longer_end_is_ended_by_a_person() -> None:
    bench = make_kernel(site())
    bench.declare(HOST, detector("g1", "h2s"))
    say(bench, "g1", "h2s", 50.0)
    (active,) = bench.kernel.alarms.active()
    assert do(bench, AcknowledgeAlarm(alarm_id=active.id)) == ""
    reset = ResetAlarm(alarm_id=active.id, reason="sensor replaced")
    assert do(bench, reset) == "alarm.still_active"
    bench.bundle = site(limits={"h2s": ()})
    bench.hub.load(bench.bundle)
    assert do(bench, reset) == ""
    assert conditions(bench) == []


def test_an_unproven_device_that_is_reset_while_beyond_alarms_again() -> None:
    bench = make_kernel(site(evidence=False))
    bench.declare(HOST, detector("g1", "h2s"))
    say(bench, "g1", "h2s", 50.0)
    (active,) = bench.kernel.alarms.active()
    assert do(bench, AcknowledgeAlarm(alarm_id=active.id)) == ""
    assert do(bench, ResetAlarm(alarm_id=active.id, reason="false")) == ""
    assert conditions(bench) == []
    say(bench, "g1", "h2s", 50.0)
    assert conditions(bench) == ["high"]


# --- shelving and service ---------------------------------------------------------


def shelve(alarm_id: str, minutes: float = 10.0, reason: str = "known") -> ShelveAlarm:
    return ShelveAlarm(alarm_id=alarm_id, minutes=minutes, reason=reason)


def test_shelving_has_a_person_a_reason_and_an_end() -> None:
    bench = make_kernel(site())
    first = raise_(bench)
    assert do(bench, shelve(first, minutes=13 * 60)) == "alarm.shelve_too_long"
    assert do(bench, shelve(first, minutes=float("nan"))) == "alarm.shelve_too_long"
    assert do(bench, shelve(first, reason="")) == "act.reason_missing"
    assert do(bench, shelve(first), who="tech") == "act.role"
    assert do(bench, shelve(first)) == ""
    assert do(bench, AcknowledgeAlarm(alarm_id=first)) == ""
    clear(bench)
    found = record(bench, first)
    assert found is not None, "a shelved one stays, to be shelved when it comes again"
    assert found.shelf is not None
    assert found.shelf.person_id == "boss"
    bench.advance(600)
    assert record(bench, first) is None
    assert bench.codes(AlarmUnshelved, "why") == ["expired"]


def test_a_life_safety_alarm_is_neither_shelved_nor_put_out_of_service() -> None:
    bench = make_kernel(site())
    first = raise_(bench, life_safety=True)
    assert do(bench, shelve(first)) == "alarm.life_safety"
    out = TakeOutOfService(alarm_id=first, reason="x", hours=8)
    assert do(bench, out) == "alarm.life_safety"


@pytest.mark.parametrize(
    ("away", "trusted", "why"),
    [
        (60.0, True, []),
        (3600.0, True, ["expired"]),
        (60.0, False, ["late_unknown"]),
    ],
)
def test_shelving_ends_in_time_also_over_a_reboot(
    away: float, trusted: bool, why: list[str]
) -> None:
    """Design §5 Deadlines: unknowable time ends what is permissive (R7)."""
    bench = make_kernel(site())
    first = raise_(bench)
    assert do(bench, shelve(first)) == ""
    bench.clock.trusted = trusted
    bench.clock.step_wall(away)
    bench.restart(reboot="boot-2")
    assert bench.codes(AlarmUnshelved, "why") == why
    bench.clock.trusted = True
    bench.advance(600)
    assert bench.codes(AlarmUnshelved, "why") == (why or ["expired"])


def test_a_wall_step_does_not_move_the_end_of_shelving() -> None:
    """R22."""
    bench = make_kernel(site())
    first = raise_(bench)
    assert do(bench, shelve(first)) == ""
    bench.clock.step_wall(86_400)
    bench.advance(599)
    assert bench.events(AlarmUnshelved) == []
    bench.clock.step_wall(-200_000)
    bench.advance(1)
    assert bench.codes(AlarmUnshelved, "why") == ["expired"]


def test_unshelving_and_service_by_hand() -> None:
    bench = make_kernel(site())
    first = raise_(bench)
    assert do(bench, shelve(first)) == ""
    assert do(bench, UnshelveAlarm(alarm_id=first)) == ""
    assert bench.codes(AlarmUnshelved, "why") == ["person"]
    assert do(bench, TakeOutOfService(alarm_id=first, reason="repair", hours=8)) == ""
    found = record(bench, first)
    assert found is not None
    assert found.out_of_service == "repair"
    clear(bench)
    assert do(bench, AcknowledgeAlarm(alarm_id=first)) == ""
    assert record(bench, first) is not None
    bench.restart()
    assert do(bench, PutInService(alarm_id=first)) == ""
    assert record(bench, first) is None


# --- disk -------------------------------------------------------------------------


def test_without_a_disk_only_what_protects_goes_on() -> None:
    """Design §2: nothing protective waits for anything permissive."""
    bench = make_kernel(site())
    first = raise_(bench, latching=True)
    out = raise_(bench, "out")
    assert do(bench, TakeOutOfService(alarm_id=out, reason="repair", hours=8)) == ""
    bench.break_disk()
    assert do(bench, shelve(first)) == "journal.not_durable"
    assert do(bench, TakeOutOfService(alarm_id=first, reason="x", hours=8)) == (
        "journal.not_durable"
    )
    assert do(bench, AcknowledgeAlarm(alarm_id=first)) == ""
    assert do(bench, PutInService(alarm_id=out)) == ""
    clear(bench)
    assert do(bench, ResetAlarm(alarm_id=first, reason="x")) == "journal.not_durable"
    assert record(bench, first) is not None
    assert raise_(bench, "new") != first


@pytest.mark.parametrize("what", ["reset", "shelve", "service"])
def test_what_the_disk_fails_afterwards_is_taken_back(what: str) -> None:
    """Design §2: compensated by a protective event, before and after a crash."""
    bench = make_kernel(site())
    first = raise_(bench, latching=what == "reset")
    if what == "reset":
        clear(bench)
        assert do(bench, AcknowledgeAlarm(alarm_id=first)) == ""
    bench.journal.held = True
    request = {
        "reset": ResetAlarm(alarm_id=first, reason="x"),
        "shelve": shelve(first),
        "service": TakeOutOfService(alarm_id=first, reason="x", hours=8),
    }[what]
    with pytest.raises(AssertionError, match="answered 0 times"):
        bench.act("boss", request)
    assert record(bench, first) is not None, "a reset closes only once durable"
    bench.break_disk()
    found = record(bench, first)
    assert found is not None
    assert (found.latched, found.shelf, found.out_of_service) == (
        what == "reset",
        None,
        "",
    )
    bench.restart()
    found = record(bench, first)
    assert found is not None
    assert (found.latched, found.shelf) == (what == "reset", None)


# --- tests and drills -------------------------------------------------------------


def test_the_first_real_alarm_ends_every_test_and_drill() -> None:
    bench = make_kernel(site())
    raise_(bench, "a", mark="DRILL")
    raise_(bench, "b", mark="TEST")
    raise_(bench, "disk", kind="fault.disk")
    assert len(bench.kernel.alarms.active()) == 3, "a fault is no alarm of the site"
    real = raise_(bench, "a")
    found = record(bench, real)
    assert found is not None
    assert found.mark == ""
    assert {r.condition for r in bench.kernel.alarms.active()} == {"a", "disk"}


def test_a_test_never_covers_a_real_alarm() -> None:
    bench = make_kernel(site())
    real = raise_(bench)
    assert raise_(bench, mark="TEST") == real
    clear(bench)
    assert raise_(bench, mark="TEST") == real
    found = record(bench, real)
    assert found is not None
    assert (found.mark, found.active) == ("", False)
    fault = raise_(bench, "f", kind="fault.x", mark="TEST")
    assert raise_(bench, "f", kind="fault.x") != fault


def test_tests_and_drills_end_by_themselves() -> None:
    bench = make_kernel(site())
    raise_(bench, mark="DRILL")
    bench.advance(3600)
    assert bench.hub.state.alarms.open == {}
    raise_(bench, mark="DRILL")
    bench.restart()
    assert bench.hub.state.alarms.open == {}


# --- floods, chattering --------------------------------------------------


def test_a_chattering_alarm_stays_active_until_it_is_calm() -> None:
    bench = make_kernel(site())
    for _ in range(50):
        raise_(bench)
        clear(bench)
        bench.advance(0.5)
    assert conditions(bench) == ["c"]
    assert len(bench.events(AlarmRepeated)) == 2, "the journal is not flooded"
    bench.advance(60)
    assert conditions(bench) == []


def test_a_flood_of_alarms_is_kept_whole() -> None:
    bench = make_kernel(site())
    for number in range(500):
        raise_(bench, f"c{number}")
    assert len(bench.kernel.alarms.active()) == len(bench.events(AlarmRaised)) == 500


def test_active_alarms_come_most_urgent_first() -> None:
    bench = make_kernel(site())
    raise_(bench, "late", priority=3, zone_id="pit")
    raise_(bench, "soon", priority=1, zone_id="yard", kind="gas.oxygen")
    raise_(bench, "then", priority=1, zone_id="pit")
    alarms = bench.kernel.alarms
    assert conditions(bench) == ["soon", "then", "late"]
    assert [r.condition for r in alarms.active("pit")] == ["then", "late"]
    assert [r.condition for r in alarms.active(kind_prefix="gas.oxygen")] == ["soon"]


def test_an_acknowledgement_that_closed_before_a_crash_is_finished_after_it() -> None:
    """R15: a record that nothing keeps open does not linger."""
    bench = make_kernel(site())
    first = raise_(bench)
    clear(bench)
    assert do(bench, AcknowledgeAlarm(alarm_id=first)) == ""
    assert len(bench.events(AlarmClosed)) == 1
    del bench.journal.stored[-1]
    bench.journal.durable_seq -= 1
    bench.restart()
    assert bench.hub.state.alarms.open == {}
