"""A site under the law of cn-hazchem in the simulation: keys, six steps, statements.

Everybody signs with a phone of the own. Permits are brought to the start while all is
well; then the seed's misfortunes befall them as they befall any other.
"""

import functools
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from core import config
from core.config import Bundle, Calendar
from core.journal.envelope import Proof
from core.people.acts import Act, RecordCard, RecordTraining
from core.people.keys_acts import EnrolKey, VerifyPerson
from core.permits import life_acts as a
from core.permits.acts import CancelPermit, ClosePermit, HoldPermit, ReleasePermit
from core.permits.entries_acts import LogIn, LogOut, OpenEntryLog
from core.permits.gas_tests_acts import Sample, TestGas
from core.permits.life_events import Hazard, Mark
from core.permits.lifecycle import FINAL, PermitStatus
from core.permits.state import PermitRecord
from core.permits.view import Viewer
from core.registry.meters_acts import CalibrateMeter
from core.state import SiteState
from tests.sim import site
from tests.sim.crew import Crew
from tests.support.kernel import Bench
from tests.support.signer import Phone
from tests.support.works import CALM, STANDS, form_fields, pack

if TYPE_CHECKING:
    from tests.sim.world import Simulation

S = PermitStatus
#: From the simulated clock's beginning to a Tuesday, 09:00 in Shanghai.
NINE_S: Final = 38_800.0
#: What a pack's word for a gas means in the tank.
GASES: Final = {"combustible": ("lel",), "oxygen": ("o2",), "toxic": ("h2s",)}
#: Kind → supervisor, workers and guardian.
CREWS: Final = {
    "confined": ("sue", ("ann", "bob"), "gil"),
    "hot-2": ("sue", ("cat",), "gus"),
}
_HOUR_MS: Final = 3_600_000
_BLOB: Final = "0" * 64


@functools.cache
def bundle(changed: bool = False) -> Bundle:
    """Return the site's bundle with the legal pack in place of the plain kinds."""
    plain = site.bundle(changed)
    quantities = tuple(
        msgspec.structs.replace(each, lel_vol=5.0) if each.id == "lel" else each
        for each in plain.quantities
    )
    calendar = Calendar(known_from="2026-01-01", known_to="2026-12-31")
    return msgspec.structs.replace(
        plain,
        site=msgspec.structs.replace(plain.site, calendar=calendar),
        quantities=quantities,
        permit_kinds=(),
        packs=(pack(),),
    )


@functools.cache
def shelf() -> dict[str, bytes]:
    """Return the bundles under the law by their digests."""
    good = [config.dump(config.load(config.dump(bundle(b)))) for b in (False, True)]
    return {config.digest(data): data for data in good}


class LawCrew(Crew):
    """Ask for what the law knows, each person signing with the own phone."""

    def __init__(self, world: "Simulation") -> None:
        super().__init__(world)
        self.good = list(shelf())
        state = functools.partial(self._state)
        hub = SimpleNamespace(state=_Late(state))
        bench = cast(Bench, SimpleNamespace(clock=world.clock, hub=hub))
        self._phones = {person: Phone(bench, person) for person in site.ROLES}

    def _state(self) -> SiteState:
        assert self._world.life is not None
        return self._world.life.hub.state

    def proof(self, person: str, act: Act, version: int | None) -> Proof | None:
        """Sign an act with the person's phone, if they have one."""
        phone = self._phones.get(person)
        if phone is None or self._world.life is None:
            return None
        return phone.sign(act.verb_, act, expected_version=version)

    # --- the morning ----------------------------------------------------------

    def begin(self) -> None:
        """Enrol keys, put papers on file, take one work of each kind to its start."""
        self._papers()
        self._world.go(3.0)
        for kind in CREWS:
            self._book(kind)
            self._world.go(0.5)
        for _ in range(16):
            for permit in self._lawful():
                self._step(permit)
            self._world.go(0.7)
        self._gather()
        for permit in self._lawful():
            self._step(permit)
        self._world.go(1.0)
        world = self._world
        world.lawful += sum(p.status is S.ACTIVE for p in self._lawful())

    def _papers(self) -> None:
        state = self._state()
        for person, phone in self._phones.items():
            if phone.id not in state.people.keys.keys:
                act = EnrolKey(public=phone.public.hex(), label=phone.name)
                self.ask(person, act)
        self._world.go(1.0)
        for person in ("ann", "cat"):
            card = RecordCard(
                person_id=person,
                trade="hot_work",
                kind="special_operation",
                valid_to="2099-12-31",
                document=_BLOB,
            )
            self.ask("sam", card)
        for person in ("gil", "gus"):
            self.ask("sam", RecordTraining(person_id=person, topic="guardian"))
        for device in state.registry.devices.values():
            if device.uid.startswith("meter-"):
                self.ask(
                    "sam",
                    CalibrateMeter(
                        device_id=device.id,
                        valid_to="2099-12-31",
                        certificate="c-1",
                        by="lab",
                    ),
                )

    def _book(self, kind: str) -> None:
        now = self._world.clock.wall_ns() // 1_000_000
        act = a.BookPermit(
            kind=kind,
            zone_id="tank",
            title="work",
            unit="workshop",
            supervisor_id="sue",
            from_ms=now,
            to_ms=now + 4 * _HOUR_MS,
            emergency=True,
        )
        self.ask("sue", act)

    def _lawful(self) -> list[PermitRecord]:
        if self._world.life is None:
            return []
        permits = self._state().permits.permits.values()
        return [p for p in permits if p.life.pack and p.status not in FINAL]

    # --- steps ----------------------------------------------------------------

    def _step(self, permit: PermitRecord) -> None:
        """Let whoever's turn it is take the next step."""
        if self._world.life is None:
            return
        lead = permit.supervisor_id
        match permit.status:
            case S.BOOKED:
                self.ask(lead, self._application(permit))
            case S.APPLIED:
                self.ask(lead, self._analysis(permit))
                self.ask(lead, a.DeclareFacts(permit_id=permit.id, facts=STANDS))
            case S.ANALYSED | S.APPROVED:
                self._brief(permit)
                self._test(permit)
                self._sign(permit)
            case S.BRIEFED:
                self._sign(permit)
                self._test(permit)
                if permit.kind == "confined":
                    log = OpenEntryLog(permit_id=permit.id)
                    self.ask(permit.guardian_id, log)
                self.ask(lead, a.StartPermit(permit_id=permit.id), permit.version)
            case S.HELD:
                self._test(permit)
                self._let_go(permit)
            case S.COMPLETED:
                facts: dict[str, Any] = {"site_restored": True}
                facts["no_residual_fire"] = True
                self.ask(lead, a.DeclareFacts(permit_id=permit.id, facts=facts))
                self._sign(permit)
            case S.ACCEPTED | S.EXPIRED | S.CANCELLED | S.WITHDRAWN:
                self.ask(lead, ClosePermit(permit_id=permit.id))

    def _application(self, permit: PermitRecord) -> a.ApplyPermit:
        _, workers, guardian = CREWS[permit.kind]
        kind = pack().kind(permit.kind)
        assert kind is not None
        return a.ApplyPermit(
            permit_id=permit.id,
            workers=workers,
            guardians=(guardian,),
            trades={workers[0]: "hot_work"} if kind.trades else {},
            facts=CALM | {"fire_area": "other"},
            fields=form_fields(kind),
        )

    def _analysis(self, permit: PermitRecord) -> a.AnalysePermit:
        kind = pack().kind(permit.kind)
        form = pack().form(kind.form) if kind is not None else None
        assert form is not None
        return a.AnalysePermit(
            permit_id=permit.id,
            hazards=(Hazard(text="gas", control="a meter"),),
            measures={each.id: Mark(involved=True) for each in form.measures},
        )

    def _brief(self, permit: PermitRecord) -> None:
        people = permit.people()
        if any(each not in permit.life.told for each in people):
            self.ask("sue", a.BriefPeople(permit_id=permit.id, people=people))
        for person in people:
            if person not in permit.life.briefed:
                self.ask(person, a.TakeBriefing(permit_id=permit.id))

    def _test(self, permit: PermitRecord) -> None:
        kind = pack().kind(permit.kind)
        life = self._world.life
        if kind is None or kind.gas is None or life is None:
            return
        samples = tuple(
            Sample(gas=gas, place=place, entity_id=entity)
            for word in kind.gas.gases
            for gas in GASES[word]
            for place in kind.gas.places
            if (entity := life.kernel.registry.find(site.FIELD, "meter-tank-1", gas))
        )
        if samples:
            self.ask(permit.guardian_id, TestGas(permit_id=permit.id, samples=samples))

    def _sign(self, permit: PermitRecord) -> None:
        life = self._world.life
        if life is None:
            return
        shown = Viewer(life.kernel.permits.bench).view(permit)
        for due in shown.due:
            if due.verb == "permit.sign":
                person = due.people[0] if due.people else ""
                able = ("ivy", "sam", "sue", *permit.people())
                able = tuple(each for each in able if each not in due.barred)
                act = a.SignPermit(
                    permit_id=permit.id, slot=due.slot, content=shown.content
                )
                self.ask(person or able[0], act)

    def _let_go(self, permit: PermitRecord) -> None:
        act = ReleasePermit(permit_id=permit.id, reason="ok")
        able = ("ivy", "sam", permit.guardian_id)
        self.ask(self._random.choice(able), act, permit.version)

    def _gather(self) -> None:
        """Let everybody come to the place, say so, and go where they belong."""
        world = self._world
        crews = CREWS.values()
        crew = sorted({p for lead, some, who in crews for p in (lead, *some, who)})
        for person in crew:
            world.place(person, "tank")
        world.go(9.0)
        for person in crew:
            self.ask(person, VerifyPerson(zone_id="tank"))
        self.at_work()
        world.go(9.0)

    def at_work(self) -> None:
        """Put everybody where they belong."""
        for person in site.ROLES:
            self._world.place(person, "yard")
        for permit in self._lawful():
            if permit.status in (S.ACTIVE, S.HELD):
                for person in permit.workers:
                    self._world.place(person, "tank")

    # --- by chance ------------------------------------------------------------

    def any_act(self) -> None:
        """Ask for one thing by chance; of the law oftener than of the rest."""
        if self.seen is not None:
            self._random.choice((*_LAWFUL, *_LAWFUL, *_ACTS))(self, self.seen)

    def next_step(self, _state: SiteState) -> None:
        """Take the next step of a permit, whoever may be missing for it."""
        permits = self._lawful()
        if permits:
            self._step(self._random.choice(permits))

    def new_work(self, _state: SiteState) -> None:
        """Book another work, as long as there are few."""
        if len(self._lawful()) < len(CREWS):
            self._book(self._random.choice(list(CREWS)))

    def permit_act(self, _state: SiteState) -> None:
        """Ask for something on a permit, sometimes by an old version."""
        permits = self._lawful()
        if not permits:
            return
        permit = self._random.choice(permits)
        bad: dict[str, Any] = {self._random.choice(("ppe_ok", "ventilated")): False}
        one = permit.workers[0] if permit.workers else "ann"
        acts: tuple[Act, ...] = (
            HoldPermit(permit_id=permit.id, reason="stop"),
            ReleasePermit(permit_id=permit.id, reason="well"),
            ReleasePermit(permit_id=permit.id, reason="well"),
            a.DeclareFacts(permit_id=permit.id, facts=bad),
            a.DeclareFacts(permit_id=permit.id, facts=STANDS),
            a.StartPermit(permit_id=permit.id),
            a.CompletePermit(permit_id=permit.id),
            CancelPermit(permit_id=permit.id, reason="over"),
            LogIn(permit_id=permit.id, person_id=one),
            LogOut(permit_id=permit.id, person_id=one),
        )
        act = self._random.choice(acts)
        stale = self._random.random() < 0.1
        version = permit.version - 1 if stale else permit.version
        self.ask(self.somebody(type(act)), act, version)

    # --- putting things right -------------------------------------------------

    def tidy(self) -> None:
        """Do all that ends an incident; people are where they belong again."""
        self.at_work()
        super().tidy()

    def _retest(self, state: SiteState) -> None:
        if self._world.life is None:
            return
        for person, phone in self._phones.items():
            if phone.id not in state.people.keys.keys:
                act = EnrolKey(public=phone.public.hex(), label=phone.name)
                self.ask(person, act)
        for permit in self._lawful():
            if permit.status is S.HELD:
                self.ask("sue", a.DeclareFacts(permit_id=permit.id, facts=STANDS))
                self._test(permit)

    def _release(self, _state: SiteState) -> None:
        for permit in self._lawful():
            if permit.status is S.HELD:
                self._let_go(permit)


class _Late:
    """Read the state of whichever life there is now."""

    def __init__(self, state: Any) -> None:
        self._now = state

    def __getattr__(self, name: str) -> Any:
        return getattr(self._now(), name)


_LAWFUL = (LawCrew.next_step, LawCrew.permit_act, LawCrew.permit_act, LawCrew.new_work)
_ACTS = (
    Crew.alarm_act,
    Crew.alarm_act,
    Crew.evacuation_act,
    Crew.output_act,
    Crew.notice_act,
    Crew.person_act,
    Crew.arm_act,
)
