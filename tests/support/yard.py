"""A small site for the kernel's tests: a tank beside a yard, a hall, a gate."""

from core.api.model import Device, Entity, EntityKind, Output, OutputKind
from core.api.quality import Quality
from core.config import (
    Bundle,
    ChainStep,
    DeviceRule,
    Level,
    Limit,
    MusterPoint,
    Names,
    NotifyChain,
    PermitKind,
    Person,
    Quantity,
    Retest,
    Site,
    Zone,
)
from core.hub import encode_act
from core.link.messages import ActReply, ActRequest, DeviceEvent, Execute, Result
from core.people.acts import Act, ClaimHub, MovePerson
from core.permits.acts import IssuePermit, ReleasePermit, RetestPermit
from core.permits.state import PermitRecord
from core.registry.events import DeviceReported
from tests.support.kernel import Bench

HOST = "host:field"
GASES = ("h2s", "o2")
CALM: dict[str, float] = {"h2s": 0.0, "lel": 0.0, "o2": 20.9}
ROLES = {
    "ann": ("worker",),
    "bob": ("worker",),
    "gil": ("guardian",),
    "sue": ("supervisor",),
    "ivy": ("issuer",),
    "sam": ("safety_officer",),
    "max": ("marshal",),
}


def names(text: str) -> Names:
    return Names(zh=text, en=text)


def square(x: float, y: float, side: float) -> tuple[tuple[float, float], ...]:
    return ((x, y), (x + side, y), (x + side, y + side), (x, y + side))


def _limit(condition: str, kind: str, unit: str, above: float) -> Limit:
    return Limit(
        condition=condition,
        kind=kind,
        unit=unit,
        above=above,
        priority=1,
        life_safety=True,
    )


_QUANTITIES = (
    Quantity(
        id="h2s",
        names=names("H2S"),
        unit="ppm",
        gas_class="toxic",
        accept_below=5.0,
        limits=(_limit("high", "gas.toxic", "ppm", 10.0),),
    ),
    Quantity(
        id="lel",
        names=names("CH4"),
        unit="%LEL",
        gas_class="combustible",
        accept_below=5.0,
        limits=(_limit("high", "gas.combustible", "%LEL", 20.0),),
    ),
    Quantity(
        id="o2",
        names=names("O2"),
        unit="%vol",
        gas_class="oxygen",
        accept_above=19.5,
        accept_below=23.5,
        limits=(
            Limit(
                condition="low",
                kind="gas.oxygen",
                unit="%vol",
                below=19.5,
                priority=1,
                life_safety=True,
            ),
        ),
    ),
)
_KINDS = (
    PermitKind(
        id="confined",
        names=names("confined space"),
        safe_state="leave",
        gases=GASES,
        valid_h=8.0,
        reaction_s=30.0,
        retest=Retest(gases=GASES),
    ),
    PermitKind(
        id="lifting",
        names=names("lifting"),
        safe_state="land_load",
        guardian=False,
        valid_h=4.0,
        reaction_s=10.0,
    ),
)
_CHAIN = NotifyChain(
    id="gas",
    steps=(
        ChainStep(roles=("supervisor",), channels=("screen", "sms"), respond_s=60.0),
        ChainStep(roles=("auditor",), channels=("screen",), respond_s=60.0),
        ChainStep(
            roles=("safety_officer",), channels=("screen", "call"), respond_s=90.0
        ),
    ),
)


_ZONES = (
    Zone(
        id="tank",
        names=names("tank"),
        level="ground",
        polygon=square(2, 2, 4),
        hazard="confined",
        neighbours=("yard",),
    ),
    Zone(id="yard", names=names("yard"), level="ground", polygon=square(0, 0, 20)),
    Zone(id="gate", names=names("gate"), level="ground", polygon=square(40, 0, 5)),
    Zone(id="hall", names=names("hall"), level="upper", polygon=square(0, 0, 20)),
)
_SITE = Site(
    id="yard",
    names=names("Yard"),
    levels=(
        Level(id="ground", names=names("0")),
        Level(id="upper", names=names("1"), z_m=5.0),
    ),
    zones=_ZONES,
    muster_points=(
        MusterPoint(id="m-gate", names=names("gate"), level="ground", at=(42, 2)),
        MusterPoint(id="m-yard", names=names("yard"), level="ground", at=(15, 15)),
    ),
    evacuate_s=120.0,
)


def bundle() -> Bundle:
    """Return the site's bundle."""
    people = tuple(
        Person(
            id=person,
            name=person,
            roles=roles,
            tags=(f"tag-{person}",),
            contacts={"sms": f"sms://{person}"},
        )
        for person, roles in ROLES.items()
    )
    worn = (
        DeviceRule(integration="field", uid=f"tag-{person}", person=person)
        for person in ROLES
    )
    return Bundle(
        site=_SITE,
        people=people,
        quantities=_QUANTITIES,
        permit_kinds=_KINDS,
        devices=(
            *worn,
            DeviceRule(integration="field", uid="*"),
            DeviceRule(integration="field", uid="meter-tank", zone="tank", lost_s=60.0),
            DeviceRule(integration="field", uid="box-tank", zone="tank"),
            DeviceRule(integration="field", uid="gate-tank", zone="tank"),
        ),
        chains=(_CHAIN,),
    )


def tag(person: str) -> Device:
    """Return a person's location tag."""
    entity = Entity(uid="fix", name="fix", kind=EntityKind.LOCATION, max_age_s=10.0)
    return Device(uid=f"tag-{person}", name=person, entities=(entity,))


def meter(uid: str = "meter-tank") -> Device:
    """Return a gas meter of three gases."""
    units = {"h2s": "ppm", "lel": "%LEL", "o2": "%vol"}
    return Device(
        uid=uid,
        name=uid,
        entities=tuple(
            Entity(
                uid=gas,
                name=gas,
                kind=EntityKind.GAS,
                quantity=gas,
                unit=unit,
                max_age_s=10.0,
                critical=True,
            )
            for gas, unit in units.items()
        ),
    )


def box(**outputs: Output) -> Device:
    """Return a relay box in the tank's zone; outputs by entity uid."""
    return Device(
        uid="box-tank",
        name="relays",
        entities=tuple(
            Entity(
                uid=uid, name=uid, kind=EntityKind.OUTPUT, output=output, max_age_s=30.0
            )
            for uid, output in outputs.items()
        ),
    )


SIREN = Output(kind=OutputKind.SIREN, ex_rated=True, contact_zone="tank")
GATE = Device(uid="gate-tank", name="gate")


class Yard(Bench):
    """Drive the small site: everybody tagged, the tank metered and calm."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__(bundle(), seed)
        self.places: dict[str, str] = {}
        self.gas: dict[str, float] = dict(CALM)
        self.dead: set[str] = set()
        """What reports nothing: persons' tags and 'meter-tank'."""
        for person in ROLES:
            self.declare(HOST, tag(person))
        self.declare(HOST, meter())
        self.declare(HOST, box(siren=SIREN))
        self.declare(HOST, GATE)
        self.places = {person: "yard" for person in ROLES}
        self.places |= {"ann": "tank", "bob": "tank"}
        self.pulse()

    def pulse(self) -> None:
        """Let every living device report once."""
        for person, place in self.places.items():
            if person not in self.dead:
                self.report(HOST, f"tag-{person}", "fix", place)
        if "meter-tank" not in self.dead:
            for gas, value in self.gas.items():
                self.report(HOST, "meter-tank", gas, value)

    def live(self, seconds: float) -> None:
        """Let time pass with everything reporting each second."""
        for _ in range(round(seconds)):
            self.advance(1.0)
            self.pulse()

    def place(self, person: str, zone: str) -> None:
        """Let a person walk into a zone, long enough to be believed."""
        self.places[person] = zone
        self.live(4)

    def reading(self, gas: str, value: float, quality: Quality = Quality.GOOD) -> None:
        """Let the tank's meter say something."""
        self.gas[gas] = value
        self.report(HOST, "meter-tank", gas, value, quality)

    def signal(self, device_uid: str, kind: str, **params: str | bool) -> None:
        """Let a device report a discrete event, as the safety lane delivers it."""
        record = self.kernel.registry.find_device(HOST, device_uid)
        assert record is not None
        event = DeviceEvent(device_uid, kind, dict(params), "e")
        self.hub.emit(
            DeviceReported(device_id=record.id, kind=event.kind, params=event.params)
        )
        self.settle()

    def act_claim(self, person: str) -> None:
        """Make a person the hub's owner."""
        held, self.journal.held = self.journal.held, False
        assert self.act(person, ClaimHub()).ok
        self.journal.held = held

    def move(self, by: str, person: str, zone: str) -> ActReply:
        return self.act(by, MovePerson(person_id=person, zone_id=zone))

    def form(self, **changes: object) -> IssuePermit:
        """Return the form of a permit for the tank."""
        fields: dict[str, object] = {
            "kind": "confined",
            "zone_id": "tank",
            "title": "clean the tank",
            "supervisor_id": "sue",
            "guardian_id": "gil",
            "workers": ("ann", "bob"),
        }
        return IssuePermit(**(fields | changes))  # type: ignore[arg-type]

    def issue(self, **changes: object) -> ActReply:
        """Let the issuer issue a permit for the tank."""
        return self.act("ivy", self.form(**changes))

    def ask(self, person: str, act: Act, version: int | None = None) -> None:
        """Let a person ask for an act, without waiting for the answer."""
        request = ActRequest(
            id="asked",
            person_id=person,
            verb=act.verb_,
            body=encode_act(act),
            expected_version=version,
        )
        self.kernel.access.receive("gateway", request)

    def issued(self, **changes: object) -> str:
        """Issue a permit, which must succeed; return its id."""
        reply = self.issue(**changes)
        assert reply.ok, (reply.code, reply.params)
        return str(reply.result["permit_id"])

    def permit(self, permit_id: str) -> PermitRecord:
        return self.hub.state.permits.permits[permit_id]

    def retest(self, permit_id: str, by: str = "gil") -> ActReply:
        return self.act(by, RetestPermit(permit_id=permit_id))

    def release(self, permit_id: str, by: str = "ivy") -> ActReply:
        version = self.permit(permit_id).version
        return self.act(by, ReleasePermit(permit_id=permit_id, reason="ok"), version)

    # --- outputs --------------------------------------------------------------

    def executed(self) -> list[Execute]:
        """Return the commands sent to hosts."""
        return self.links.of(Execute)

    def result(self, command_id: str, state: str, detail: str = "") -> None:
        """Let the host tell what became of a command."""
        self.kernel.commands.result(HOST, Result(command_id, state, detail))
        self.settle()
