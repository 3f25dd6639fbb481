"""Evacuation: begun at once, ended only by a named person (design §5)."""

from collections.abc import Callable

import pytest

from core.response.acts import (
    AccountPerson,
    ClearEvacuation,
    StartEvacuation,
)
from core.response.events import (
    EvacuationExtended,
    EvacuationLate,
    EvacuationReopened,
    EvacuationStarted,
    NoticeQueued,
)
from core.response.roll_state import EvacuationRecord
from tests.support.yard import HOST, Yard


@pytest.fixture
def yard() -> Yard:
    return Yard()


def start(yard: Yard, *zones: str) -> str:
    return yard.kernel.evacuations.start(zones or ("tank",), "evacuation.gas")


def record(yard: Yard, number: str) -> EvacuationRecord:
    return yard.hub.state.response.evacuations[number]


def account(
    yard: Yard, number: str, person: str, status: str = "accounted"
) -> tuple[bool, str]:
    act = AccountPerson(evacuation_id=number, person_id=person, status=status)
    reply = yard.act("max", act)
    return reply.ok, reply.code


class TestRoster:
    def test_who_is_inside_is_on_it(self, yard: Yard) -> None:
        number = start(yard)
        assert set(record(yard, number).roll) == {"ann", "bob"}
        assert all(line.certain for line in record(yard, number).roll.values())

    def test_who_was_last_known_inside_is_too(self, yard: Yard) -> None:
        yard.live(16)
        yard.dead.add("bob")
        yard.live(12)
        number = start(yard)
        assert not record(yard, number).roll["bob"].certain

    def test_who_has_work_there_is_too(self, yard: Yard) -> None:
        yard.issued()
        yard.place("bob", "hall")
        number = start(yard)
        assert record(yard, number).roll["bob"].zone_id == "hall"

    def test_who_walks_in_joins_it(self, yard: Yard) -> None:
        number = start(yard)
        yard.place("max", "tank")
        assert "max" in record(yard, number).roll
        assert yard.events(EvacuationExtended)

    def test_each_is_told_to_leave(self, yard: Yard) -> None:
        start(yard)
        told = {n.person_id: n.code for n in yard.events(NoticeQueued)}
        assert told == {p: "order.leave.confined" for p in ("ann", "bob")}


class TestStart:
    def test_a_muster_point_in_the_zone_or_in_alarm_is_left_out(
        self, yard: Yard
    ) -> None:
        assert record(yard, start(yard, "tank")).muster_points == ["m-gate", "m-yard"]
        yard.act("ann", StartEvacuation(zones=("yard",)))
        yard.kernel.alarms.raise_(
            "zone:gate", "x", kind="sos", priority=1, zone_id="gate", life_safety=True
        )
        assert record(yard, start(yard, "hall")).muster_points == ["m-yard"]

    def test_one_that_touches_a_running_one_extends_it(self, yard: Yard) -> None:
        first = start(yard, "tank")
        assert start(yard, "yard") == first
        assert record(yard, first).zones == ["tank", "yard"]
        assert start(yard, "hall") != first

    def test_the_same_again_adds_nothing(self, yard: Yard) -> None:
        start(yard)
        start(yard)
        assert len(yard.events(EvacuationStarted)) == 1
        assert not yard.events(EvacuationExtended)

    def test_it_sounds_the_zones_sirens_once(self, yard: Yard) -> None:
        start(yard)
        start(yard)
        assert [e.command.value for e in yard.executed()] == [True]

    def test_anyone_may_call_it(self, yard: Yard) -> None:
        reply = yard.act("ann", StartEvacuation(zones=("tank",), reason="smoke"))
        assert reply.ok
        assert record(yard, str(reply.result["evacuation_id"])).params == {
            "person": "ann",
            "reason": "smoke",
        }

    @pytest.mark.parametrize("zones", [(), ("moon",), ("tank", "moon")])
    def test_of_known_zones(self, yard: Yard, zones: tuple[str, ...]) -> None:
        assert yard.act("ann", StartEvacuation(zones=zones)).code == "site.zone_unknown"

    def test_a_broken_disk_does_not_stop_it(self, yard: Yard) -> None:
        yard.break_disk()
        assert yard.act("ann", StartEvacuation(zones=("tank",))).ok
        assert yard.executed()


class TestRollCall:
    def test_a_tag_at_the_muster_point_is_a_device_only(self, yard: Yard) -> None:
        number = start(yard)
        yard.place("ann", "gate")
        assert record(yard, number).roll["ann"].status == "device_seen"
        yard.advance(130)
        (late,) = yard.events(EvacuationLate)
        assert late.missing == ("ann", "bob")

    def test_a_marshal_ticks_people(self, yard: Yard) -> None:
        number = start(yard)
        assert account(yard, number, "ann") == (True, "")
        line = record(yard, number).roll["ann"]
        assert (line.status, line.method, line.by) == ("accounted", "tick", "max")

    def test_one_who_goes_back_in_is_missing_again(self, yard: Yard) -> None:
        number = start(yard)
        yard.place("ann", "gate")
        account(yard, number, "ann")
        yard.place("ann", "tank")
        assert record(yard, number).roll["ann"].status == "missing"

    @pytest.mark.parametrize(
        ("person", "status", "code"),
        [
            ("sue", "accounted", "evacuation.not_on_roll"),
            ("ann", "gone", "evacuation.status"),
        ],
    )
    def test_nonsense_is_refused(
        self, yard: Yard, person: str, status: str, code: str
    ) -> None:
        assert account(yard, start(yard), person, status) == (False, code)

    def test_of_a_running_evacuation(self, yard: Yard) -> None:
        assert account(yard, "nothing", "ann")[1] == "evacuation.unknown"


class TestLate:
    def test_the_missing_are_called_and_alarmed(self, yard: Yard) -> None:
        number = start(yard)
        account(yard, number, "ann")
        yard.advance(119)
        assert not yard.events(EvacuationLate)
        yard.advance(2)
        (late,) = yard.events(EvacuationLate)
        assert late.missing == ("bob",)
        alarm = yard.kernel.alarms.find("zone:tank", f"late.{number}")
        assert alarm is not None
        assert alarm.life_safety
        told = {
            n.person_id
            for n in yard.events(NoticeQueued)
            if n.code == "notice.evacuation_late"
        }
        assert told == {"max", "sue", "sam"}
        account(yard, number, "bob", "rescue")
        assert not alarm.active

    def test_nobody_late_is_no_alarm(self, yard: Yard) -> None:
        number = start(yard)
        for person in ("ann", "bob"):
            account(yard, number, person)
        yard.advance(200)
        assert not yard.events(EvacuationLate)

    def test_it_survives_a_restart(self, yard: Yard) -> None:
        start(yard)
        yard.advance(100)
        yard.restart()
        yard.advance(19)
        assert not yard.events(EvacuationLate)
        yard.advance(2)
        assert len(yard.events(EvacuationLate)) == 1
        yard.restart()
        yard.advance(10)
        assert len(yard.events(EvacuationLate)) == 1

    def test_when_nobody_knows_the_time_it_is_late_now(self, yard: Yard) -> None:
        start(yard)
        yard.clock.trusted = False
        yard.restart(reboot="boot-2")
        (late,) = yard.events(EvacuationLate)
        assert late.why == "late_unknown"


def _missing(yard: Yard) -> None:
    yard.place("max", "tank")


def _alarm(yard: Yard) -> None:
    yard.reading("h2s", 30.0)


def _homeless_alarm(yard: Yard) -> None:
    yard.kernel.alarms.raise_(
        "hub:x", "y", kind="gas.toxic", priority=1, life_safety=True
    )


def _bad_gas(yard: Yard) -> None:
    yard.reading("h2s", 7.0)


def _silence(yard: Yard) -> None:
    yard.dead.add("meter-tank")
    yard.live(12)


class TestClear:
    def ready(self, yard: Yard) -> str:
        number = start(yard)
        for person in ("ann", "bob"):
            yard.place(person, "gate")
            account(yard, number, person)
        return number

    def clear(self, yard: Yard, number: str, who: str = "sam") -> str:
        return yard.act(who, ClearEvacuation(evacuation_id=number)).code

    def test_by_the_named_authority_alone(self, yard: Yard) -> None:
        number = self.ready(yard)
        assert self.clear(yard, number, "max") == "act.role"
        assert self.clear(yard, number) == ""
        assert record(yard, number).cleared_by == "sam"
        assert self.clear(yard, number) == "evacuation.cleared"
        assert self.clear(yard, "nothing") == "evacuation.unknown"

    def test_a_rescue_by_name_counts(self, yard: Yard) -> None:
        number = start(yard)
        account(yard, number, "ann", "rescue")
        account(yard, number, "bob", "rescue")
        assert self.clear(yard, number) == ""

    @pytest.mark.parametrize(
        ("spoil", "code"),
        [
            (_missing, "evacuation.missing"),
            (_alarm, "evacuation.alarm_active"),
            (_homeless_alarm, "evacuation.alarm_active"),
            (_bad_gas, "evacuation.evidence"),
            (_silence, "evacuation.evidence"),
        ],
    )
    def test_not_while_it_may_be_unsafe(
        self, yard: Yard, spoil: Callable[[Yard], None], code: str
    ) -> None:
        number = self.ready(yard)
        spoil(yard)
        assert self.clear(yard, number) == code

    def test_it_releases_no_permit(self, yard: Yard) -> None:
        permit = yard.issued()
        self.clear(yard, self.ready(yard))
        assert yard.permit(permit).status == "held"

    def test_its_evidence_is_named(self, yard: Yard) -> None:
        self.clear(yard, self.ready(yard))
        (envelope,) = [e for e in yard.envelopes() if e.type == "evacuation.cleared"]
        assert yard.entity(HOST, "meter-tank", "h2s") in envelope.cause.evidence

    def test_it_never_ends_by_itself(self, yard: Yard) -> None:
        number = self.ready(yard)
        yard.advance(7_200)
        yard.restart(clean=True, reboot="boot-2")
        yard.advance(600)
        assert [r.id for r in yard.kernel.evacuations.running()] == [number]

    def test_an_all_clear_that_was_lost_is_none(self, yard: Yard) -> None:
        number = self.ready(yard)
        yard.journal.held = True
        yard.ask("sam", ClearEvacuation(evacuation_id=number))
        yard.journal.held = False
        yard.break_disk()
        assert yard.events(EvacuationReopened)
        assert yard.kernel.evacuations.running("tank")
        yard.mend_disk()
        assert yard.replayed().response == yard.hub.state.response
