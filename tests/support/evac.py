"""A yard with a plan of leaving, a vane, voices, lamps and drills."""

import msgspec

from core import config
from core.api.model import Device, Entity, EntityKind, Output, OutputKind
from core.api.reading import Value
from core.config import Bundle, DeviceRule, Geo, MusterPoint, Names, Zone
from core.response.roll_state import EvacuationRecord
from core.site.leaving import Attack, DrillPlan, Scope
from tests.support.yard import HOST, Yard, names, square

VOICE = Output(
    kind=OutputKind.VOICE, ex_rated=True, phrases=("no_rescue", "leave", "drill")
)
PLAIN = Output(kind=OutputKind.VOICE, ex_rated=True)
NO_ENTRY = Output(
    kind=OutputKind.LAMP, ex_rated=True, fail_safe="on", contact_zone="tank"
)
PLAN = DrillPlan(
    id="spring",
    names=Names(zh="春季演练", en="Spring drill"),
    zones=("tank",),
    every_d=180.0,
    target_s=120.0,
    attacks=(
        Attack(kind="person_hidden", at_s=5.0, person="bob"),
        Attack(kind="muster_blocked", at_s=10.0, muster="m-gate"),
        Attack(kind="detector_silent", at_s=15.0, zone="tank"),
        Attack(kind="second_alarm", at_s=20.0, zone="hall"),
    ),
)
_CELLAR = Zone(
    id="cellar",
    names=names("cellar"),
    level="cellar",
    polygon=square(3, 3, 2),
    hazard="confined",
)


def site(bundle: Bundle, **changes: object) -> Bundle:
    """Return a bundle with another site."""
    changed = msgspec.structs.replace(bundle.site, **changes)
    return msgspec.structs.replace(bundle, site=changed)


def widened(bundle: Bundle, scope: Scope) -> Bundle:
    """Return the yard with a cellar under its tank, whose scope is given."""
    zones = [
        msgspec.structs.replace(z, leave=scope) if z.id == "tank" else z
        for z in bundle.site.zones
    ]
    levels = (
        config.Level(id="cellar", names=names("-1"), z_m=-4.0),
        *bundle.site.levels,
    )
    heavy = [
        msgspec.structs.replace(q, molar_mass={"h2s": 34.1, "lel": 16.0}.get(q.id))
        for q in bundle.quantities
    ]
    made = site(bundle, zones=(*zones, _CELLAR), levels=levels)
    return msgspec.structs.replace(made, quantities=tuple(heavy))


def speaker(**outputs: Output) -> Device:
    """Return a box of voices and lamps in the tank."""
    return Device(
        uid="speak-tank",
        name="speaker",
        entities=tuple(
            Entity(
                uid=uid, name=uid, kind=EntityKind.OUTPUT, output=output, max_age_s=30.0
            )
            for uid, output in outputs.items()
        ),
    )


MAST = Device(
    uid="mast",
    name="mast",
    entities=(
        Entity(
            uid="vane",
            name="vane",
            kind=EntityKind.SENSOR,
            quantity="wind_direction",
            unit="°",
            max_age_s=30.0,
        ),
        Entity(
            uid="cups",
            name="cups",
            kind=EntityKind.SENSOR,
            quantity="wind",
            unit="m/s",
            max_age_s=30.0,
        ),
    ),
)


class Evac(Yard):
    """Drive the yard with everything that an evacuation may use."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__(seed)
        rules = (
            DeviceRule(integration="field", uid="speak-tank", zone="tank"),
            *self.bundle.devices,
        )
        changed = msgspec.structs.replace(self.bundle, devices=rules)
        # A muster point of its own zone, upwind or downwind of the tank.
        points = (
            *changed.site.muster_points,
            MusterPoint(id="m-hall", names=names("hall"), level="upper", at=(5, 5)),
        )
        self.arm(
            site(
                changed,
                geo=Geo(lat=31.0, lon=121.0),
                muster_points=points,
                drills=(PLAN,),
            )
        )

    def arm(self, bundle: Bundle) -> None:
        """Put another bundle in force."""
        self.bundle = bundle
        self.hub.load(bundle)

    def bundle_of(self, person: str, role: str) -> None:
        """Let one more person be known, who wears no tag."""
        more = config.Person(id=person, name=person, roles=(role,))
        people = (*self.bundle.people, more)
        self.arm(msgspec.structs.replace(self.bundle, people=people))

    def call(self, *zones: str, **params: Value) -> EvacuationRecord:
        """Call people out of zones."""
        number = self.kernel.evacuations.start(
            zones or ("tank",), "gas.toxic", params=params
        )
        self.settle()
        return self.record(number)

    def record(self, number: str) -> EvacuationRecord:
        """Return a roll call."""
        found = self.hub.state.response.call(number)
        assert found is not None
        return found

    def wind(self, degrees: float, speed: float = 4.0) -> None:
        """Let the mast tell where the wind comes from."""
        self.declare(HOST, MAST)
        self.report(HOST, "mast", "vane", degrees)
        self.report(HOST, "mast", "cups", speed)

    def told(self, uid: str) -> list[Value]:
        """Return what an output was told."""
        return [e.command.value for e in self.executed() if e.command.entity_uid == uid]
