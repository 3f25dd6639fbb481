"""The people of the simulated site: what they ask for, rightly and wrongly."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from core.alarms import acts as alarm_acts
from core.api.model import EntityKind
from core.hub import encode_act
from core.journal.envelope import Effect, Proof
from core.link import messages as m
from core.people.acts import Act, ClaimHub, FoundSafe, MovePerson
from core.permits import acts as permit_acts
from core.permits.lifecycle import PermitStatus
from core.permits.state import PermitRecord
from core.processes.acts import ArmConfig
from core.response import acts as response_acts
from core.response import roll_acts
from core.state import SiteState
from tests.sim import site

if TYPE_CHECKING:
    from tests.sim.world import Simulation

OWNER = "own"
_PEOPLE = (*site.ROLES, OWNER, "nobody")


class Asked(NamedTuple):
    """Remember a request until it is answered."""

    person: str
    act: Act
    allowed: bool
    life: int
    healthy: bool
    """Whether the disk took permissive acts when it was asked."""


class Crew:
    """Ask for acts through the gateway, by what its replica shows."""

    def __init__(self, world: "Simulation") -> None:
        self._world = world
        self._random = world.random
        self.asked: dict[str, Asked] = {}
        self.owned = False
        self.good = site.shelf()[0]
        """Digests of the bundles that may be armed, the first at the beginning."""
        self._numbers = 0

    @property
    def seen(self) -> SiteState | None:
        """Return what the gateway shows, which may be late."""
        return self._world.gateway.state

    def ask(self, person: str, act: Act, version: int | None = None) -> None:
        """Send one request."""
        self._numbers += 1
        number = f"act-{self._numbers}"
        life = self._world.life
        if life is None:
            return
        roles = {*site.ROLES.get(person, ()), *(("owner",) if person == OWNER else ())}
        allowed = bool(roles & act.roles_) or isinstance(act, ClaimHub)
        healthy = not life.ledger.down
        self.asked[number] = Asked(person, act, allowed, self._world.lives, healthy)
        body = encode_act(act)
        proof = self.proof(person, act, version)
        request = m.ActRequest(number, person, act.verb_, body, version, proof=proof)
        self._world.note(f"{person} asks {act}")
        if not self._world.gateway.ask(request):
            del self.asked[number]
        self._world.settle()

    def proof(self, _person: str, _act: Act, _version: int | None) -> Proof | None:
        """Return a person's signature; nobody has a key at a plain site."""
        return None

    def begin(self) -> None:
        """Begin to work."""
        for _ in range(2):
            if self.seen is not None:
                self.issue(self.seen)
            self._world.go(1.0)

    def nonsense(self) -> None:
        """Send what no gateway should send."""
        if self._world.gateway.ends:
            verb = self._random.choice(("permit.release", "no.such", "", "config.arm"))
            body = self._random.choice((b"", b"\xc1", b"\x81\xa1x\x01", b"\x80"))
            person = self._random.choice(_PEOPLE)
            self._world.gateway.ask(m.ActRequest("nonsense", person, verb, body))
            self._world.settle()
            self._world.gateway.replies.pop("nonsense", None)

    # --- single acts ----------------------------------------------------------

    def somebody(self, act: type[Act]) -> str:
        """Return mostly somebody with the right role."""
        fit = [p for p, roles in site.ROLES.items() if set(roles) & act.roles_]
        if fit and self._random.random() < 0.8:
            return self._random.choice(fit)
        return self._random.choice(_PEOPLE)

    def any_act(self) -> None:
        """Ask for one thing by chance."""
        if self.seen is not None:
            choice = self._random.choice(_ACTS)
            choice(self, self.seen)

    def issue(self, _state: SiteState) -> None:
        """Ask for a permit."""
        confined = self._random.random() < 0.6
        linked = [p.id for p in self._permits() if p.status is PermitStatus.ACTIVE]
        self.ask(
            self.somebody(permit_acts.IssuePermit),
            permit_acts.IssuePermit(
                kind="confined" if confined else "hot",
                zone_id="tank" if confined else self._random.choice(("pit", "tank")),
                title="work",
                supervisor_id="sue",
                guardian_id=self._random.choice(("gil", "gus")) if confined else "",
                workers=("ann", "bob") if confined else ("cat",),
                linked=tuple(linked[:1]) if self._random.random() < 0.3 else (),
            ),
        )

    def _permits(self) -> list[PermitRecord]:
        state = self.seen
        if state is None:
            return []
        found = state.permits.permits.values()
        return [p for p in found if p.status is not PermitStatus.CLOSED]

    def permit_act(self, _state: SiteState) -> None:
        """Ask for something on a permit, sometimes by an old version."""
        permits = self._permits()
        if not permits:
            return
        permit = self._random.choice(permits)
        acts: list[Act] = [
            permit_acts.HoldPermit(permit_id=permit.id, reason="stop"),
            permit_acts.RetestPermit(permit_id=permit.id),
            permit_acts.ReleasePermit(permit_id=permit.id, reason="well"),
            permit_acts.ReleasePermit(permit_id=permit.id, reason="well"),
            permit_acts.ClosePermit(permit_id=permit.id),
            permit_acts.CancelPermit(permit_id=permit.id, reason="over"),
        ]
        act = self._random.choice(acts)
        stale = self._random.random() < 0.1
        version = permit.version - 1 if stale else permit.version
        self.ask(self.somebody(type(act)), act, version)

    def alarm_act(self, state: SiteState) -> None:
        """Ask for something on an alarm."""
        if not state.alarms.open:
            return
        alarm = self._random.choice(list(state.alarms.open.values()))
        acts: list[Act] = [
            alarm_acts.AcknowledgeAlarm(alarm_id=alarm.id),
            alarm_acts.AcknowledgeAlarm(alarm_id=alarm.id),
            alarm_acts.ResetAlarm(alarm_id=alarm.id, reason="gone"),
            alarm_acts.ShelveAlarm(
                alarm_id=alarm.id, reason="noise", minutes=self._random.choice((1, 60))
            ),
            alarm_acts.UnshelveAlarm(alarm_id=alarm.id),
            alarm_acts.TakeOutOfService(
                alarm_id=alarm.id, reason="repair", hours=self._random.choice((1, 8))
            ),
            alarm_acts.PutInService(alarm_id=alarm.id),
        ]
        act = self._random.choice(acts)
        version = self._random.choice((None, alarm.count, alarm.count - 1))
        self.ask(self.somebody(type(act)), act, version)

    def evacuation_act(self, state: SiteState) -> None:
        """Call people out, tick them, give the all-clear."""
        running = [
            e for e in state.response.evacuations.values() if not e.cleared_wall_ns
        ]
        if not running:
            if self._random.random() < 0.4:
                zone = self._random.choice(site.ZONES)
                act: Act = response_acts.StartEvacuation(zones=(zone,))
                if self._random.random() < 0.5:
                    act = roll_acts.StartDrill(zones=(zone,))
                self.ask(self.somebody(type(act)), act)
            return
        record = self._random.choice(running)
        if record.roll and self._random.random() < 0.6:
            person = self._random.choice(list(record.roll))
            tick = response_acts.AccountPerson(
                evacuation_id=record.id, person_id=person
            )
            self.ask(self.somebody(type(tick)), tick)
        else:
            clear = response_acts.ClearEvacuation(evacuation_id=record.id)
            self.ask(self.somebody(type(clear)), clear)

    def output_act(self, state: SiteState) -> None:
        """Silence sirens, or let an output go."""
        zone = self._random.choice(("tank", "pit"))
        silence = response_acts.SilenceSirens(zone_id=zone)
        outputs = [
            e.id
            for e in state.registry.entities.values()
            if e.declared.kind is EntityKind.OUTPUT
        ]
        if self._random.random() < 0.5 or not outputs:
            self.ask(self.somebody(type(silence)), silence)
        else:
            act = response_acts.ReleaseOutput(
                entity_id=self._random.choice(outputs), reason="over"
            )
            self.ask(self.somebody(type(act)), act)

    def notice_act(self, state: SiteState) -> None:
        """Answer a notice."""
        notices = list(state.response.notices.values())
        if notices:
            notice = self._random.choice(notices)
            kind = self._random.choice(
                (response_acts.AcknowledgeNotice, response_acts.SeeNotice)
            )
            person = self._random.choice((notice.person_id, notice.person_id, "ann"))
            self.ask(person, kind(notice_id=notice.id))

    def person_act(self, _state: SiteState) -> None:
        """Write down where somebody is, or that they were reached."""
        person = self._random.choice(list(site.ROLES))
        if self._random.random() < 0.5:
            self.ask(self.somebody(FoundSafe), FoundSafe(person_id=person))
        else:
            zone = self._random.choice((*site.ZONES, ""))
            act = MovePerson(person_id=person, zone_id=zone)
            self.ask(self.somebody(type(act)), act)

    def arm_act(self, _state: SiteState | None = None, *, good: bool = False) -> None:
        """Arm a bundle: one of the good ones, or a broken one."""
        _, broken, _ = site.shelf()
        digest = self._random.choice(
            self.good if good or self._random.random() < 0.6 else broken
        )
        self.ask("sam", ArmConfig(hash=digest))

    # --- putting things right -------------------------------------------------

    def tidy(self) -> None:
        """Do all that ends an incident, in the order in which people would."""
        for after, act in (
            (14.0, self._reached),
            (16.0, self._count),
            (18.0, self._clear),
            (20.0, self._answer),
            (22.0, self._retest),
            (24.0, self._release),
        ):
            self._world.later(after, self._if_seen(act))

    def _if_seen(self, act: Callable[[SiteState], None]) -> Callable[[], None]:
        return lambda: act(self.seen) if self.seen is not None else None

    def _reached(self, state: SiteState) -> None:
        for alarm in list(state.alarms.open.values()):
            kind, _, person = alarm.source.partition(":")
            if kind == "person" and alarm.active:
                self.ask("sue", FoundSafe(person_id=person))

    def _count(self, state: SiteState) -> None:
        for record in list(state.response.evacuations.values()):
            for person, line in list(record.roll.items()):
                if not record.cleared_wall_ns and line.status != "accounted":
                    act = response_acts.AccountPerson(
                        evacuation_id=record.id, person_id=person
                    )
                    self.ask("max", act)

    def _clear(self, state: SiteState) -> None:
        for record in list(state.response.evacuations.values()):
            if not record.cleared_wall_ns:
                self.ask("sam", response_acts.ClearEvacuation(evacuation_id=record.id))

    def _answer(self, state: SiteState) -> None:
        for alarm in list(state.alarms.open.values()):
            if not alarm.acknowledged:
                self.ask("sam", alarm_acts.AcknowledgeAlarm(alarm_id=alarm.id))
            if alarm.latched and not alarm.active:
                self.ask("sam", alarm_acts.ResetAlarm(alarm_id=alarm.id, reason="ok"))

    def _retest(self, _state: SiteState) -> None:
        for permit in self._permits():
            if permit.status is PermitStatus.HELD:
                self.ask("gil", permit_acts.RetestPermit(permit_id=permit.id))

    def _release(self, _state: SiteState) -> None:
        for permit in self._permits():
            if permit.status is PermitStatus.HELD:
                act = permit_acts.ReleasePermit(permit_id=permit.id, reason="ok")
                self.ask("ivy", act, permit.version)


def permissive(act: Act) -> bool:
    """Say whether an act waits for the disk."""
    return act.effect_ is Effect.PERMISSIVE


_ACTS: tuple[Callable[[Crew, SiteState], None], ...] = (
    Crew.issue,
    Crew.issue,
    Crew.permit_act,
    Crew.permit_act,
    Crew.permit_act,
    Crew.alarm_act,
    Crew.alarm_act,
    Crew.evacuation_act,
    Crew.output_act,
    Crew.notice_act,
    Crew.person_act,
    Crew.arm_act,
)
