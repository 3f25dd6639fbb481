"""Permits under everything at once: alarms, silence, people, clocks, restarts, disk.

The promises (design §5 Permits, After a stop; issue of the life cycle): no
ACTIVE permit with an interlock that is not TRUE beyond its reaction time; no
release without its re-test and a person; no hold taken away by a restart or a
sensor; no evacuation that ends by itself; replay gives the same state.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from core import state
from core.api.quality import Quality
from core.clock import NS
from core.journal import envelope as envelopes
from core.journal.events import decode_body
from core.logic.truth import Truth
from core.people.acts import MovePerson
from core.permits.acts import ClosePermit, HoldPermit, ReleasePermit, RetestPermit
from core.permits.events import (
    Hold,
    PermitHeld,
    PermitIssued,
    PermitReleased,
    PermitRetested,
    PermitVerified,
)
from core.permits.lifecycle import PermitStatus
from core.response.acts import AccountPerson, ClearEvacuation, StartEvacuation
from core.response.events import EvacuationCleared
from tests.support.yard import ROLES, Yard

PEOPLE = sorted(ROLES)
#: Levels are judged once a second; a changed reading within 20 ms.
TICK_NS = int(1.1 * NS)


class Permits(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.yard = Yard()
        self.bad_since: dict[tuple[str, str], int] = {}
        self.boots = 0
        self.judged = 0
        self.releasing = False
        self.clearing = False
        self.holds: dict[str, set[str]] = {}
        self.running: set[str] = set()
        self.hold_of: dict[str, Hold] = {}
        self.passed: dict[str, set[str]] = {}
        """Hold id → gases with a passing test of the last re-test since it began."""
        first = self.yard.issued()
        self.yard.issued(kind="lifting", linked=(first,))

    # --- what happens ---------------------------------------------------------

    def permits(self, *wanted: PermitStatus) -> list[str]:
        found = self.yard.hub.state.permits.permits.values()
        return [p.id for p in found if not wanted or p.status in wanted]

    @rule(
        guardian=st.sampled_from(["gil", "max"]),
        kind=st.sampled_from(["confined", "lifting"]),
        link=st.booleans(),
    )
    def issue(self, guardian: str, kind: str, link: bool) -> None:
        if len(self.permits()) >= 4:
            return
        linked = tuple(self.permits(PermitStatus.ACTIVE)[:1]) if link else ()
        reply = self.yard.issue(kind=kind, guardian_id=guardian, linked=linked)
        assert not (reply.ok and self.yard.journal.broken)

    @precondition(lambda self: self.permits())
    @rule(data=st.data(), who=st.sampled_from(PEOPLE))
    def retest(self, data: st.DataObject, who: str) -> None:
        permit = data.draw(st.sampled_from(self.permits()))
        self.yard.act(who, RetestPermit(permit_id=permit))

    @precondition(lambda self: self.permits(PermitStatus.HELD))
    @rule(
        data=st.data(),
        who=st.sampled_from(["ivy", "sam", "gil", "ann"]),
        stale=st.booleans(),
    )
    def release(self, data: st.DataObject, who: str, stale: bool) -> None:
        permit = data.draw(st.sampled_from(self.permits(PermitStatus.HELD)))
        version = self.yard.permit(permit).version - int(stale)
        self.releasing = True
        reply = self.yard.act(
            who, ReleasePermit(permit_id=permit, reason="ok"), version
        )
        assert not (reply.ok and (stale or self.yard.journal.broken))

    @precondition(lambda self: self.permits(PermitStatus.HELD))
    @rule(data=st.data(), test=st.sampled_from(["after", "before", "none"]))
    def put_right(self, data: st.DataObject, test: str) -> None:
        """Do everything that a release asks for, so that releases do happen."""
        permit = data.draw(st.sampled_from(self.permits(PermitStatus.HELD)))
        yard = self.yard
        yard.mend_disk()
        yard.clock.trusted = True
        yard.dead.clear()
        yard.gas.update(h2s=0.0, o2=20.9, lel=0.0)
        yard.places.update(gil="yard", max="yard")
        self.pass_time(4)
        if test == "after":
            yard.act("sam", RetestPermit(permit_id=permit))
        if test == "before":
            yard.act("sam", RetestPermit(permit_id=permit))
            yard.act("ann", HoldPermit(permit_id=permit, reason="again"))
        self.look()
        self.releasing = True
        yard.release(permit, "sam")

    @precondition(lambda self: self.permits())
    @rule(data=st.data())
    def stop_work(self, data: st.DataObject) -> None:
        permit = data.draw(st.sampled_from(self.permits()))
        self.yard.act("ann", HoldPermit(permit_id=permit, reason="smell"))

    @precondition(lambda self: self.permits())
    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        permit = data.draw(st.sampled_from(self.permits()))
        inside = self.yard.kernel.people.inside(["tank"])
        reply = self.yard.act("sue", ClosePermit(permit_id=permit))
        workers = set(self.yard.permit(permit).workers)
        assert not (reply.ok and workers & {line.person_id for line in inside})

    @rule(
        gas=st.sampled_from(["h2s", "o2", "lel"]),
        value=st.sampled_from([0.0, 7.0, 18.0, 20.9, 60.0]),
        quality=st.sampled_from([Quality.GOOD] * 3 + list(Quality)),
    )
    def gas(self, gas: str, value: float, quality: Quality) -> None:
        self.yard.reading(gas, value, quality)

    @rule(device=st.sampled_from(["meter-tank", "gil", "ann"]))
    def die(self, device: str) -> None:
        self.yard.dead.add(device)

    @rule(device=st.sampled_from(["meter-tank", "gil", "ann"]))
    def revive(self, device: str) -> None:
        self.yard.dead.discard(device)

    @rule(
        person=st.sampled_from(PEOPLE), zone=st.sampled_from(["tank", "yard", "90,9,0"])
    )
    def walk(self, person: str, zone: str) -> None:
        self.yard.places[person] = zone

    @rule(person=st.sampled_from(PEOPLE), zone=st.sampled_from(["tank", "hall", ""]))
    def write_down(self, person: str, zone: str) -> None:
        self.yard.act("gil", MovePerson(person_id=person, zone_id=zone))

    @rule(seconds=st.sampled_from([1, 3, 15, 45]))
    def pass_time(self, seconds: int) -> None:
        for _ in range(seconds):
            self.yard.advance(1.0)
            self.look()
            self.yard.pulse()
            self.look()

    @rule(seconds=st.sampled_from([1, 5, 40]))
    def silence(self, seconds: int) -> None:
        """Let time pass while nothing reports at all."""
        for _ in range(seconds):
            self.yard.advance(1.0)
            self.look()

    @rule()
    def hours(self) -> None:
        self.yard.advance(4000.0)

    @rule(seconds=st.sampled_from([3600.0, -3600.0, -50_000_000.0]))
    def step_wall(self, seconds: float) -> None:
        self.yard.clock.step_wall(seconds)

    @rule(trusted=st.booleans())
    def trust(self, trusted: bool) -> None:
        self.yard.clock.trusted = trusted

    @rule()
    def disk_breaks(self) -> None:
        self.yard.break_disk()

    @precondition(lambda self: not self.yard.journal.broken)
    @rule(release=st.booleans(), data=st.data())
    def disk_breaks_under_an_act(self, release: bool, data: st.DataObject) -> None:
        """A permissive act that never became durable leaves nothing permitted."""
        yard = self.yard
        held = self.permits(PermitStatus.HELD)
        before = set(self.permits(PermitStatus.ACTIVE))
        yard.journal.held = True
        if release and held:
            permit = data.draw(st.sampled_from(held))
            act = ReleasePermit(permit_id=permit, reason="ok")
            self.releasing = True
            yard.ask("sam", act, yard.permit(permit).version)
        else:
            yard.ask("ivy", yard.form())
        yard.journal.held = False
        yard.break_disk()
        assert set(self.permits(PermitStatus.ACTIVE)) <= before

    @rule()
    def disk_mends(self) -> None:
        self.yard.mend_disk()

    @rule(clean=st.booleans(), reboot=st.booleans())
    def restart(self, clean: bool, reboot: bool) -> None:
        self.yard.mend_disk()
        self.look()
        self.replay_is_equal()
        self.boots += int(reboot)
        self.yard.restart(clean, f"boot-{self.boots}" if reboot else "")
        self.bad_since.clear()

    @rule()
    def evacuate(self) -> None:
        self.yard.act("ann", StartEvacuation(zones=("tank",)))

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def all_clear(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.running)))
        record = self.yard.hub.state.response.evacuations[number]
        for person in list(record.roll):
            act = AccountPerson(evacuation_id=number, person_id=person)
            self.yard.act("max", act)
        self.clearing = True
        reply = self.yard.act("sam", ClearEvacuation(evacuation_id=number))
        assert not (reply.ok and self.yard.journal.broken)

    # --- what must hold -------------------------------------------------------

    @invariant()
    def look(self) -> None:
        if not hasattr(self, "yard"):
            return
        self.follow_events()
        self.no_active_permit_with_a_bad_interlock()
        self.no_hold_taken_away()
        self.no_evacuation_ended()
        self.releasing = self.clearing = False

    def no_active_permit_with_a_bad_interlock(self) -> None:
        now = self.yard.clock.mono_ns()
        bad: set[tuple[str, str]] = set()
        for permit_id in self.permits(PermitStatus.ACTIVE):
            found = self.yard.kernel.permits.interlocks(permit_id)
            kind = self.yard.permit(permit_id).kind
            reaction = {"confined": 30, "lifting": 10}[kind] * NS
            for name, truth in found.items():
                if truth is Truth.TRUE:
                    continue
                bad.add((permit_id, name))
                since = self.bad_since.setdefault((permit_id, name), now)
                allowed = TICK_NS + (reaction if truth is Truth.UNKNOWN else 0)
                assert now - since <= allowed, (name, truth, now - since)
            bad |= self.hazards_by_the_state_alone(permit_id, now)
        for key in set(self.bad_since) - bad:
            del self.bad_since[key]

    def hazards_by_the_state_alone(
        self, permit_id: str, now: int
    ) -> set[tuple[str, str]]:
        """Judge what any reader of the journal sees, not as the interlocks do."""
        state_, zone = self.yard.hub.state, self.yard.permit(permit_id).zone_id
        found = {
            f"seen {alarm.id}"
            for alarm in state_.alarms.open.values()
            if alarm.active and alarm.life_safety and alarm.zone_id == zone
        }
        for record in state_.response.evacuations.values():
            if not record.cleared_wall_ns and zone in record.zones:
                found.add(f"seen {record.id}")
        for name in found:
            since = self.bad_since.setdefault((permit_id, name), now)
            assert now - since <= TICK_NS, name
        return {(permit_id, name) for name in found}

    def no_hold_taken_away(self) -> None:
        now = {p.id: set(p.holds) for p in self.yard.hub.state.permits.permits.values()}
        for permit_id, holds in self.holds.items():
            if not self.releasing:
                assert holds <= now.get(permit_id, set()), permit_id
        self.holds = now

    def no_evacuation_ended(self) -> None:
        now = {r.id for r in self.yard.kernel.evacuations.running()}
        if not self.clearing:
            assert self.running <= now
        self.running = now

    def follow_events(self) -> None:
        """Judge each release by the journal alone."""
        journal = self.yard.journal
        data = journal.stored + [d for _, d in journal.backlog]
        for stored in data[self.judged :]:
            wrapped = envelopes.decode(stored)
            body = decode_body(wrapped)
            if isinstance(body, PermitHeld):
                self.hold_of[body.hold.id] = body.hold
                self.passed[body.hold.id] = set()
            elif isinstance(body, PermitRetested):
                self.tested(body)
            elif isinstance(body, PermitReleased | PermitIssued | EvacuationCleared):
                assert wrapped.cause.actor.startswith("person:")
            if isinstance(body, PermitReleased):
                for hold_id in body.hold_ids:
                    owed = set(self.hold_of[hold_id].retest)
                    assert owed <= self.passed[hold_id], (owed, hold_id)
            if isinstance(body, PermitReleased | PermitVerified):
                assert body.permit_id
        self.judged = len(data)

    def tested(self, body: PermitRetested) -> None:
        failed = {t.quantity for t in body.tests if not t.passed}
        good = {
            t.quantity for t in body.tests if t.passed and t.quality == Quality.GOOD
        }
        holds = self.yard.hub.state.permits.permits[body.permit_id].holds
        for hold_id in self.hold_of:
            if hold_id in holds or self.releasing:
                self.passed[hold_id] = (self.passed[hold_id] | good) - failed

    def teardown(self) -> None:
        if hasattr(self, "yard"):
            self.yard.mend_disk()
            self.replay_is_equal()

    def replay_is_equal(self) -> None:
        replayed = self.yard.replayed()
        replayed.epoch = self.yard.hub.state.epoch
        assert state.dump(replayed) == state.dump(self.yard.hub.state)

    @invariant()
    def nobody_is_taken_for_outside(self) -> None:
        """Who was last known inside and has no fix is on the list of those inside."""
        if not hasattr(self, "yard"):
            return
        inside = {r.person_id for r in self.yard.kernel.people.inside(["tank"])}
        for person, presence in self.yard.hub.state.people.presence.items():
            if presence.zone_id is None and presence.last_zone_id == "tank":
                assert person in inside


Permits.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestPermits = Permits.TestCase
