"""The life of legal permits as a machine: what is due is done, and what must hold.

`Life` takes permits on as people should; a test adds what goes wrong.
"""

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from core.api.quality import Quality
from core.clock import NS
from core.logic.truth import Truth
from core.people.acts import Act
from core.permits import life_acts as a
from core.permits.acts import (
    HoldPermit,
    ReleasePermit,
)
from core.permits.entries_acts import OpenEntryLog
from core.permits.life_events import Hazard, Mark
from core.permits.lifecycle import FINAL, PREPARING, PermitStatus
from tests.support.judge import Judge, Rough
from tests.support.works import CALM, STANDS, form_fields, pack

S = PermitStatus
PEOPLE = ("ann", "bob", "gil", "sue", "ivy", "sam", "max", "eve")
KINDS = ("hot-special", "confined")
#: How far the first permit has come when the machine begins.
STAGES = ("started", "signed", "analysed", "applied", "booked")
BEGIN = (*STAGES, "started", "signed", "started")
#: Levels are judged each second, a changed reading within 20 ms.
TICK_NS = int(1.2 * NS)
#: A reading, a place or a film proves nothing after so long without another.
SILENT_NS = 10 * NS
#: The longest that anything may be UNKNOWN while work goes on, by its own word.
REACTION_NS = 60 * NS
BAD = [each for each in Quality if each is not Quality.GOOD]
RUNS = (S.ACTIVE,)


class Life(RuleBasedStateMachine):
    """Live through a few days of a small plant."""

    @initialize(kind=st.sampled_from(KINDS), stage=st.sampled_from(BEGIN))
    def begin(self, kind: str, stage: str) -> None:
        self.site = Rough()
        self.judge = Judge(self.site)
        self.boots = 0
        self.astray_s = 0.0
        """How far the wall clock stands from the right time."""
        self.bad_since: dict[tuple[str, str], int] = {}
        self.good = {"meter": self.now(), "gil": self.now()}
        """Who last proved something, and when."""
        self.quality = Quality.GOOD
        """What the meter last said of itself, where it is not GOOD."""
        self.last_signed: tuple[str, Act] | None = None
        self.last_counted = False
        self.come_to(kind, stage)
        self.heard()

    def come_to(self, kind: str, stage: str) -> None:
        """Take a permit as far as that."""
        site = self.site
        if stage == "started":
            site.started(kind)
            return
        steps = (site.applied, site.analysed, site.signed)
        permit_id = site.booked(kind)
        for step in steps[: STAGES[::-1].index(stage)]:
            step(permit_id)

    # --- helpers --------------------------------------------------------------

    def now(self) -> int:
        return self.site.clock.mono_ns()

    def heard(self) -> None:
        """Note that all that lives has just spoken."""
        for who, device in (("meter", "meter-tank"), ("gil", "gil")):
            if device not in self.site.dead:
                self.good[who] = self.now()
        if "meter-tank" not in self.site.dead:
            self.quality = Quality.GOOD

    def pulse(self) -> None:
        self.site.pulse()
        self.heard()

    def permits(self, *wanted: PermitStatus) -> list[str]:
        found = self.site.hub.state.permits.permits.values()
        return [p.id for p in found if not wanted or p.status in wanted]

    def running(self) -> set[str]:
        return set(self.permits(S.ACTIVE))

    def version(self, permit_id: str) -> int:
        return self.site.version(permit_id)

    def unproven(self) -> list[str]:
        """Return why nobody may begin anything now, seen from outside the hub."""
        site, why = self.site, []
        if site.journal.broken:
            why.append("disk")
        if not site.clock.synced():
            why.append("clock")
        if self.now() - self.good["meter"] > SILENT_NS or self.quality is not (
            Quality.GOOD
        ):
            why.append("meter")
        if self.now() - self.good["gil"] > REACTION_NS:
            why.append("guardian")
        return why

    def ask(self, person: str, act: Act, version: int | None = None) -> bool:
        """Let a person act with the own phone; judge what comes of it at once."""
        before, why = self.running(), self.unproven()
        reply = self.site.prove(person, act, version)
        self.last_signed, self.last_counted = (person, act), reply.ok
        assert reply.ok or reply.code, act
        if why:
            assert not (reply.ok and isinstance(act, a.StartPermit | ReleasePermit))
            assert not self.running() - before, why
        return reply.ok

    def pick(self, data: st.DataObject, *wanted: PermitStatus) -> str:
        return str(data.draw(st.sampled_from(self.permits(*wanted))))

    # --- the way on -----------------------------------------------------------

    @rule(kind=st.sampled_from(KINDS), who=st.sampled_from(["sue", "ivy", "ann"]))
    def book(self, kind: str, who: str) -> None:
        if len(self.permits()) >= 3:
            return
        now = self.site.clock.wall_ns() // 1_000_000
        act = a.BookPermit(
            kind=kind,
            zone_id="tank",
            title="weld",
            unit="workshop",
            supervisor_id="sue",
            from_ms=now,
            to_ms=now + 2 * 3_600_000,
            emergency=True,
        )
        self.ask(who, act)

    @precondition(lambda self: self.permits(*PREPARING))
    @rule(data=st.data())
    def go_on(self, data: st.DataObject) -> None:
        """Do what is due next, by whom it is due."""
        permit_id = self.pick(data, *PREPARING)
        status = self.site.permit(permit_id).status
        if status is S.BOOKED:
            self.apply(permit_id, ("ann", "bob"), "gil")
        elif status is S.APPLIED:
            self.analyse(permit_id)
        elif status is S.ANALYSED:
            self.tested(permit_id, "gil")
            self.sign_due(permit_id)
        else:
            self.gate(permit_id)

    def apply(self, permit_id: str, workers: tuple[str, ...], guardian: str) -> None:
        kind = self.site.kind(self.site.permit(permit_id))
        act = a.ApplyPermit(
            permit_id=permit_id,
            workers=workers,
            guardians=(guardian,),
            trades={workers[0]: "hot_work"} if kind.trades else {},
            facts=CALM,
            fields=form_fields(kind),
        )
        self.ask("sue", act)

    def analyse(self, permit_id: str) -> None:
        form = pack().form(self.site.kind(self.site.permit(permit_id)).form)
        assert form is not None
        act = a.AnalysePermit(
            permit_id=permit_id,
            hazards=(Hazard(text="fire", control="blanket"),),
            measures={each.id: Mark(involved=True) for each in form.measures},
        )
        self.ask("sue", act)
        self.ask("sue", a.DeclareFacts(permit_id=permit_id, facts=STANDS))
        self.brief(permit_id)

    def brief(self, permit_id: str) -> None:
        people = self.site.permit(permit_id).people()
        if people:
            self.ask("sue", a.BriefPeople(permit_id=permit_id, people=people))
        for person in people:
            self.ask(person, a.TakeBriefing(permit_id=permit_id))

    def tested(self, permit_id: str, who: str) -> bool:
        self.pulse()
        act = self.site.gas_test(permit_id)
        return self.ask(who, act)

    def sign_due(self, permit_id: str) -> None:
        """Sign all that is due, each by the right person."""
        for _ in range(8):
            due = self.site.view(permit_id).get("due", [])
            slots = [each for each in due if each["verb"] == "permit.sign"]
            if not slots:
                return
            permit = self.site.permit(permit_id)
            who = self.site.signer(slots[0], permit)
            content = permit.life.content
            act = a.SignPermit(
                permit_id=permit_id, slot=slots[0]["slot"], content=content
            )
            if not self.ask(who, act):
                return

    def gate(self, permit_id: str) -> None:
        """Do all that a start asks for, and start."""
        site = self.site
        self.set_right()
        self.sign_due(permit_id)
        self.brief(permit_id)
        site.verify(permit_id)
        self.heard()
        self.tested(permit_id, "gil")
        if site.kind(site.permit(permit_id)).family == "confined":
            self.ask("gil", OpenEntryLog(permit_id=permit_id))
        self.look()
        self.ask("sue", a.StartPermit(permit_id=permit_id), self.version(permit_id))

    @precondition(lambda self: self.permits(S.HELD))
    @rule(data=st.data(), test=st.sampled_from(["after", "before", "none"]))
    def release(self, data: st.DataObject, test: str) -> None:
        """Do all that a release asks for; perhaps without the test."""
        permit_id = self.pick(data, S.HELD)
        self.set_right()
        if test != "none":
            self.tested(permit_id, "gil")
        if test == "before":
            self.ask("ann", HoldPermit(permit_id=permit_id, reason="again"))
        facts = {name: STANDS[name] for name in ("ppe_ok", "site_normal")}
        self.ask("sue", a.DeclareFacts(permit_id=permit_id, facts=facts))
        self.ask("sue", a.ConfirmPermit(permit_id=permit_id))
        self.look()
        act = ReleasePermit(permit_id=permit_id, reason="well again")
        self.ask("sam", act, self.version(permit_id))

    def set_right(self) -> None:
        """Mend what is broken, and let it prove itself."""
        site = self.site
        site.mend_disk()
        site.clock.trusted = True
        site.clock.step_wall(-self.astray_s)
        self.astray_s = 0.0
        site.dead.clear()
        site.gas.update(h2s=0.0, o2=20.9, lel=0.0)
        site.places.update(gil="yard", eve="yard", sue="yard")
        if site.surveyor is None:
            site.measure()
        self.pass_time(4)

    @rule(seconds=st.sampled_from([1, 4, 20]))
    def pass_time(self, seconds: int) -> None:
        for _ in range(seconds):
            self.site.advance(1.0)
            self.look()
            self.pulse()
        self.look()

    # --- what must hold -------------------------------------------------------

    def workers_inside(self, permit_id: str) -> set[str]:
        permit = self.site.permit(permit_id)
        if permit.life.started is None:
            return set()
        inside = {
            line.person_id for line in self.site.kernel.people.inside([permit.zone_id])
        }
        return (inside & set(permit.workers)) | set(permit.entries.people)

    @invariant()
    def look(self) -> None:
        if not hasattr(self, "site"):
            return
        self.judge.read()
        self.no_work_on_a_bad_interlock()
        self.no_work_on_the_undurable()
        self.nobody_forgotten()

    def no_work_on_a_bad_interlock(self) -> None:
        now = self.now()
        bad: set[tuple[str, str]] = set()
        for permit_id in self.permits(S.ACTIVE):
            permits = self.site.kernel.permits
            found = permits.judge.judge(self.site.permit(permit_id))
            told = {name: each.truth for name, each in found.items()}
            told |= self.seen(permit_id)
            for name, truth in told.items():
                if truth is Truth.TRUE:
                    continue
                key = (permit_id, f"{name} {truth.name}")
                bad.add(key)
                since = self.bad_since.setdefault(key, now)
                allowed = TICK_NS + (REACTION_NS if truth is Truth.UNKNOWN else 0)
                assert now - since <= allowed, (name, truth, (now - since) / NS)
        for key in set(self.bad_since) - bad:
            del self.bad_since[key]

    def seen(self, permit_id: str) -> dict[str, Truth]:
        """Return what anybody sees who does not ask the interlocks."""
        state, zone = self.site.hub.state, self.site.permit(permit_id).zone_id
        found = {
            f"seen {alarm.id}": Truth.FALSE
            for alarm in state.alarms.open.values()
            if alarm.active and alarm.life_safety and alarm.zone_id == zone
        }
        for record in state.response.evacuations.values():
            if not record.cleared_wall_ns and zone in record.zones:
                found[f"seen {record.id}"] = Truth.FALSE
        for who, when in self.good.items():
            guards = who == "meter" or self.site.permit(permit_id).guardian_id == who
            if guards and self.now() - when > SILENT_NS:
                found[f"silent {who}"] = Truth.UNKNOWN
        return found

    def no_work_on_the_undurable(self) -> None:
        journal = self.site.journal
        if not journal.held:
            for permit_id in self.permits(S.ACTIVE):
                assert self.judge.permitted[permit_id] <= journal.durable_seq

    def nobody_forgotten(self) -> None:
        """An ended permit with people inside is still counted."""
        for permit_id in self.permits():
            permit = self.site.permit(permit_id)
            if permit.status not in FINAL and self.workers_inside(permit_id):
                assert not permit.ended
                roster = self.site.kernel.people_facts.roster
                assert permit_id in roster.in_zone(permit.zone_id)

    def teardown(self) -> None:
        if hasattr(self, "site"):
            self.site.mend_disk()
            self.judge.read()
            self.judge.same_as_replayed()
