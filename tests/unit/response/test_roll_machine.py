"""Evacuations and drills under any order of people, tags, ticks, gas and restarts.

Promises (design §5 Alarms, Truth; 2.21): nobody becomes accounted for by a tag; no
all-clear while somebody is missing, unless rescue took over by name; a drill touches
no permit; a real alarm ends the drill; a restart loses nobody.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)

from core.journal.events import decode_body
from core.people.acts import FoundSafe
from core.response.acts import AccountPerson, ClearEvacuation, StartEvacuation
from core.response.events import EvacuationCleared, RollChanged
from core.response.roll_acts import (
    AddToRoll,
    EndDrill,
    SignInVisitor,
    SignOutVisitor,
    StartDrill,
)
from core.response.roll_state import EvacuationRecord
from tests.support.evac import Evac

PEOPLE = ("ann", "bob", "gil", "ivy")
ZONES = ("tank", "yard", "gate", "hall")
_DONE = ("accounted", "rescue")
_BY_PERSON = ("tick", "pin", "face")


class RollMachine(RuleBasedStateMachine):
    """Let a site live through evacuations and drills."""

    def __init__(self) -> None:
        super().__init__()
        self.yard = Evac()
        self.permit = self.yard.issued()
        self.read = 0

    # --- what people do -------------------------------------------------------

    @rule(person=st.sampled_from(PEOPLE), zone=st.sampled_from(ZONES))
    def walk(self, person: str, zone: str) -> None:
        self.yard.dead.discard(person)
        self.yard.place(person, zone)

    @rule(person=st.sampled_from(PEOPLE))
    def lose_the_tag(self, person: str) -> None:
        self.yard.dead.add(person)

    @rule(badge=st.sampled_from(("V1", "V2")), zone=st.sampled_from(("", *ZONES)))
    def sign_in(self, badge: str, zone: str) -> None:
        self.yard.act("max", SignInVisitor(badge=badge, zone_id=zone, count=2))

    @rule(badge=st.sampled_from(("V1", "V2")))
    def sign_out(self, badge: str) -> None:
        self.yard.act("max", SignOutVisitor(badge=badge))

    @rule(seconds=st.sampled_from((1, 8, 40, 130)))
    def wait(self, seconds: int) -> None:
        self.yard.live(seconds)

    # --- evacuations and drills -----------------------------------------------

    @rule(zone=st.sampled_from(ZONES))
    def call_out(self, zone: str) -> None:
        assert self.yard.act("ann", StartEvacuation(zones=(zone,))).ok
        self.no_drill_runs()

    @rule(plan=st.sampled_from(("spring", "")), zone=st.sampled_from(ZONES))
    def hold_a_drill(self, plan: str, zone: str) -> None:
        before = self.permit_now()
        act = StartDrill(plan=plan, zones=() if plan else (zone,))
        self.yard.act("sam", act)
        assert self.permit_now() == before

    @precondition(lambda self: self.calls())
    @rule(data=st.data(), who=st.sampled_from(("max", "ann")))
    def tick(self, data: st.DataObject, who: str) -> None:
        record = data.draw(st.sampled_from(self.calls()))
        if not record.roll:
            return
        line = record.roll[data.draw(st.sampled_from(sorted(record.roll)))]
        status = data.draw(st.sampled_from(("accounted", "rescue", "missing")))
        act = AccountPerson(
            evacuation_id=record.id,
            person_id=line.person_id,
            status=status,
            count=data.draw(st.sampled_from((0, 1, 2))),
        )
        reply = self.yard.act(who, act)
        assert reply.ok is (who == "max") or reply.code == "evacuation.inside"

    @precondition(lambda self: self.calls())
    @rule(data=st.data())
    def tick_everybody(self, data: st.DataObject) -> None:
        record = data.draw(st.sampled_from(self.calls()))
        for person in list(record.roll):
            act = AccountPerson(evacuation_id=record.id, person_id=person)
            self.yard.act("max", act)

    @precondition(lambda self: self.calls())
    @rule(data=st.data(), person=st.sampled_from(("ivy", "sue")))
    def add(self, data: st.DataObject, person: str) -> None:
        record = data.draw(st.sampled_from(self.calls()))
        self.yard.act("max", AddToRoll(evacuation_id=record.id, person_id=person))

    @precondition(lambda self: self.calls())
    @rule(data=st.data())
    def clear(self, data: st.DataObject) -> None:
        record = data.draw(st.sampled_from(self.calls()))
        missing = [each for each in record.roll.values() if each.status not in _DONE]
        held = self.permit_now()
        reply = self.yard.act("sam", ClearEvacuation(evacuation_id=record.id))
        assert not (reply.ok and (missing or record.mark))
        assert self.permit_now() == held, "an all-clear releases nothing"

    @precondition(lambda self: self.drills())
    @rule(data=st.data())
    def end_the_drill(self, data: st.DataObject) -> None:
        record = data.draw(st.sampled_from(self.drills()))
        assert self.yard.act("sam", EndDrill(evacuation_id=record.id)).ok

    # --- what comes over them -------------------------------------------------

    @rule(gas=st.sampled_from((0.0, 6.0, 30.0)))
    def gas(self, gas: float) -> None:
        self.yard.reading("h2s", gas)
        if gas > 10.0:
            self.no_drill_runs()

    @rule(person=st.sampled_from(PEOPLE))
    def call_for_help(self, person: str) -> None:
        self.yard.signal(f"tag-{person}", "sos")
        self.no_drill_runs()

    @rule(person=st.sampled_from(PEOPLE))
    def reach(self, person: str) -> None:
        self.yard.act("max", FoundSafe(person_id=person))

    @rule(clean=st.booleans(), reboot=st.sampled_from(("", "b2", "b3")))
    def restart(self, clean: bool, reboot: str) -> None:
        before = {
            record.id: {p: line.status for p, line in record.roll.items()}
            for record in self.calls()
        }
        boot = "" if reboot == self.yard.clock.boot_id else reboot
        self.yard.restart(clean=clean, reboot=boot)
        for number, roll in before.items():
            after = self.yard.record(number)
            assert after.mark or not after.cleared_wall_ns
            assert {p: after.roll[p].status for p in roll} == roll
        self.yard.pulse()

    # --- what must hold -------------------------------------------------------

    def calls(self) -> list[EvacuationRecord]:
        return self.yard.kernel.evacuations.roll.running()

    def drills(self) -> list[EvacuationRecord]:
        return self.yard.kernel.evacuations.drills.running()

    def permit_now(self) -> tuple[str, int]:
        permit = self.yard.permit(self.permit)
        return str(permit.status), len(permit.holds)

    def no_drill_runs(self) -> None:
        assert not self.drills(), "what is real ends every drill"

    @invariant()
    def a_drill_never_runs_beside_what_is_real(self) -> None:
        if self.drills():
            assert not self.yard.kernel.evacuations.running()

    @invariant()
    def new_events_keep_the_promises(self) -> None:
        stored = self.yard.envelopes()
        for envelope in stored[self.read :]:
            body = decode_body(envelope)
            if isinstance(body, RollChanged) and body.status == "accounted":
                assert body.method in _BY_PERSON
                assert body.by
            if isinstance(body, EvacuationCleared):
                assert body.person_id == "sam"
            if envelope.cause.drill:
                assert not envelope.type.startswith(("permit.", "output."))
        self.read = len(stored)

    @invariant()
    def the_journal_tells_it_all(self) -> None:
        assert self.yard.replayed().response == self.yard.hub.state.response


RollMachine.TestCase.settings = settings(
    max_examples=12, stateful_step_count=25, deadline=None
)
TestRollMachine = RollMachine.TestCase
