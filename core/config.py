"""The published bundle: typed, checked outside, content-addressed (design §5)."""

import hashlib

import msgspec

from core.alarms.policy import AlarmPolicy
from core.api.model import Output
from core.api.reading import Value
from core.geometry.shapes import Hazard
from core.logic.tree import Node
from core.names import Names as Names  # noqa: PLC0414 - re-exported
from core.permits.pack import Pack
from core.registry.contract import Code as Code  # noqa: PLC0414 - re-exported
from core.registry.contract import Contract as Contract  # noqa: PLC0414
from core.registry.contract import IntegrationConfig as IntegrationConfig  # noqa: PLC0414
from core.response.books import Checklist, Plan, Round
from core.response.notices_config import NoticePolicy, Shift
from core.response.retention_policy import RetentionPolicy
from core.site.leaving import DrillPlan, Scope

#: Raise it when the meaning of a bundle changes; core refuses newer ones.
BUNDLE_VERSION = 1

Point = tuple[float, float]


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """Describe one floor of the plan; ``z_m`` is its height."""

    id: str
    names: Names
    z_m: float = 0.0


class ZonePlaces(msgspec.Struct, frozen=True, kw_only=True):
    """Say by which methods a person may be found in a zone, and its codes.

    uwb (worn tags) and gate are what the hub sees; nfc, qr (the zone's screen), ble
    and gnss are what a device claims.
    """

    methods: tuple[str, ...] = ("uwb", "gate")
    nfc: tuple[str, ...] = ()
    """Ids of the tags that hang there."""
    ble: tuple[str, ...] = ()
    """Ids of the beacons that are heard there only."""


class Geo(msgspec.Struct, frozen=True, kw_only=True):
    """Tie the plan to the Earth: where (0, 0) lies, and where its y points."""

    lat: float
    lon: float
    bearing_deg: float = 0.0
    """Clockwise from north."""


class Zone(msgspec.Struct, frozen=True, kw_only=True):
    """Describe one zone: polygon in metres, level, what lies beside it."""

    id: str
    names: Names
    level: str
    polygon: tuple[Point, ...]
    hazard: str = "general"
    """general, confined, height, lifting, hot: chooses the first words of orders."""
    neighbours: tuple[str, ...] = ()
    places: ZonePlaces = ZonePlaces()
    upstream: tuple[str, ...] = ()
    """Zones from which pipes, drains or conveyors bring material here."""
    leave: Scope | None = None
    """What else is left with it; None: as the site says."""


class MusterPoint(msgspec.Struct, frozen=True, kw_only=True):
    """Describe where people gather; its zone's tags count as 'device seen'."""

    id: str
    names: Names
    level: str
    at: Point
    zone_id: str | None = None


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Describe a person of the site; roles: worker, guardian, supervisor,
    issuer, safety_officer, maintainer, auditor, owner.
    """

    id: str
    name: str
    roles: tuple[str, ...]
    company: str = ""
    tags: tuple[str, ...] = ()
    """Device uids that this person wears."""
    contacts: dict[str, str] = {}
    """Channel → kind of service, such as mailto; the address is a secret."""


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """Set one alarm limit of a quantity, in ``unit``.

    ``above``/``below``: exactly one is set. Priority 1 critical … 4 advice.
    """

    condition: str
    kind: str
    unit: str
    above: float | None = None
    below: float | None = None
    priority: int = 2
    hysteresis: float = 0.0
    sustain_s: float = 0.0
    life_safety: bool = False
    latching: bool = False
    source: str = ""
    """Clause or document behind the number."""


class Quantity(msgspec.Struct, frozen=True, kw_only=True):
    """Describe a measured quantity: class, unit, LEL, default limits."""

    id: str
    names: Names
    unit: str
    gas_class: str = ""
    """combustible, toxic, oxygen or ''."""
    lel_vol: float | None = None
    molar_mass: float | None = None
    accept_above: float | None = None
    accept_below: float | None = None
    """A gas test passes at or below accept_below and at or above accept_above."""
    limits: tuple[Limit, ...] = ()


class DeviceRule(msgspec.Struct, frozen=True, kw_only=True):
    """Enrol a device by uid (``*`` ends a prefix) and say what the site knows."""

    integration: str
    uid: str
    zone: str | None = None
    person: str | None = None
    name: str | None = None
    critical: tuple[str, ...] = ()
    """Entity uids whose loss is a fault alarm; ``*`` is all of them."""
    max_age_s: float | None = None
    lost_s: float | None = None
    """Silence after which a critical entity is a fault alarm."""
    stuck_s: float | None = None
    """Time without any change of value after which it counts as stuck."""
    limits: dict[str, tuple[Limit, ...]] = {}
    """Entity uid → limits that replace the quantity's."""
    outputs: dict[str, Output] = {}
    evidence: bool = True
    """False: unknown map or overdue bump test, so never GOOD."""
    bump_every_h: float | None = None
    """Hours for which a bump test of a gas counts; None: none is demanded (D1)."""
    calibrate_every_d: float | None = None
    """Days for which a calibration counts at most; None: to its own last day."""
    proof_every_h: dict[str, float] = {}
    """Entity uid of an output (``*``: each) → hours between its proof tests."""
    carried: bool | None = None
    """Carried by a person; None: when an entity of it tells whether it is worn."""
    rack: str = ""
    """Entity uid that is ON while the device hangs in its rack."""


class Retest(msgspec.Struct, frozen=True, kw_only=True):
    """Say what a release after a hold demands."""

    gases: tuple[str, ...] = ()
    roles: tuple[str, ...] = ("issuer", "safety_officer")


class PermitKind(msgspec.Struct, frozen=True, kw_only=True):
    """Describe a kind of permit: interlocks, safe state, re-test."""

    id: str
    names: Names
    safe_state: str
    gases: tuple[str, ...] = ()
    """Quantities that need fresh GOOD evidence below their limits."""
    guardian: bool = True
    valid_h: float = 8.0
    reaction_s: float = 30.0
    """How long an interlock may be UNKNOWN before it holds."""
    gas_age_s: float = 1800.0
    retest: Retest = Retest()
    issuer_roles: tuple[str, ...] = ("issuer", "safety_officer")
    clause: str = ""


class ChainStep(msgspec.Struct, frozen=True, kw_only=True):
    """Tell these roles; go on to the next step when nobody acknowledges."""

    roles: tuple[str, ...]
    channels: tuple[str, ...]
    respond_s: float = 60.0
    on_shift: bool = False
    """True: only those who are not known to be off, where anyone is on."""


class NotifyChain(msgspec.Struct, frozen=True, kw_only=True):
    """Describe an escalation chain; its end sounds locally (R14)."""

    id: str
    steps: tuple[ChainStep, ...]


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """Start a rule: ``platform`` and typed fields, positions kept for traces."""

    platform: str
    """alarm, supervision, permit, presence, command, device, manual, …"""
    fields: dict[str, Value | tuple[str, ...]]
    subject: str
    """zone, person, permit, device or site."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Do one thing: ``action`` with typed fields; branches hold more steps."""

    path: str
    action: str
    """command, permit.hold, evacuation.start, notify, wait, choose, parallel, …"""
    fields: dict[str, Value | tuple[str, ...]]
    when: Node | None = None
    branches: tuple[tuple["Step", ...], ...] = ()
    deadline_s: float = 30.0
    on_failure: tuple["Step", ...] = ()
    after: tuple[str, ...] = ()
    """Paths that must be done first; empty: runs side by side."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Hold one compiled rule instance with the blueprint it pins."""

    id: str
    names: Names
    version: str
    hash: str
    blueprint: str = ""
    blueprint_hash: str = ""
    life_safety: bool = False
    mode: str = "enforce"
    on_unknown: str = "hold"
    """fire, hold or fault: what UNKNOWN does; never nothing."""
    triggers: tuple[Trigger, ...] = ()
    condition: Node | None = None
    steps: tuple[Step, ...] = ()
    closes: Node | None = None
    """Condition under which an open run may finish; None: when its steps are done."""
    values: dict[str, Trigger] = {}
    """Names that its expressions may use: readings joined, or permits counted."""
    zone_modes: dict[str, str] = {}
    """Zone id → mode that replaces the rule's own there."""
    given: dict[str, object] = {}
    """Inputs of the instance as they were given: an upgrade fills them in again."""
    made: str = ""
    """'' by the site's files, hub: at the page, which files leave alone."""
    signer: str = ""
    """Publisher who signed its blueprint; '' is the site's own, unsigned."""


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """Name some days of the site; ISO days, both inclusive."""

    names: Names
    first: str
    last: str


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """Say which days are no common working days (GB 30871 5.1.1, AQ 3064.2 5.10.8)."""

    known_from: str
    known_to: str
    """Outside these ISO days nobody has said what is a holiday: UNKNOWN."""
    holidays: tuple[Period, ...] = ()
    rest_days: tuple[int, ...] = (6, 7)
    """ISO weekdays, Monday is 1."""
    work_days: tuple[str, ...] = ()
    """Rest days that are worked in exchange for a holiday."""
    special_periods: tuple[Period, ...] = ()


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """Describe the place."""

    id: str
    names: Names
    time_zone: str = "Asia/Shanghai"
    language: str = "zh"
    levels: tuple[Level, ...] = ()
    zones: tuple[Zone, ...] = ()
    muster_points: tuple[MusterPoint, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    """What some works must not come near: vents, drains, pipes, rails."""
    evacuate_s: float = 180.0
    """Time to leave; after it the missing are called late."""
    leave: Scope = Scope()
    """What else is left when a zone is, where the zone says nothing itself."""
    clear_s: float = 0.0
    """For so long GOOD readings must lie below the limits before an all-clear."""
    drills: tuple[DrillPlan, ...] = ()
    geo: Geo | None = None
    """None: satellites tell nothing of a zone."""
    calendar: Calendar | None = None
    """None: nobody has said which days are holidays."""


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """Hold everything a site has configured, compiled."""

    version: int = BUNDLE_VERSION
    site: Site
    people: tuple[Person, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    permit_kinds: tuple[PermitKind, ...] = ()
    """Every kind's standing interlocks; those of a pack's kinds too."""
    packs: tuple[Pack, ...] = ()
    """Legal packs with the site's overlays laid on; kind ids are the site's own."""
    devices: tuple[DeviceRule, ...] = ()
    integrations: tuple[IntegrationConfig, ...] = ()
    chains: tuple[NotifyChain, ...] = ()
    rules: tuple[Rule, ...] = ()
    publishers: dict[str, str] = {}
    """Whose signatures on blueprints count → Ed25519 public key in hex."""
    alarms: AlarmPolicy = AlarmPolicy()
    plans: tuple[Plan, ...] = ()
    checklists: tuple[Checklist, ...] = ()
    rounds: tuple[Round, ...] = ()
    notices: NoticePolicy = NoticePolicy()
    shifts: tuple[Shift, ...] = ()
    retention: RetentionPolicy = RetentionPolicy()


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(Bundle)

EMPTY = Bundle(site=Site(id="site", names=Names(zh="工地", en="Site")))


def dump(bundle: Bundle) -> bytes:
    """Return the bundle's canonical bytes."""
    return _encoder.encode(bundle)


def digest(data: bytes) -> str:
    """Return the content address of a bundle's bytes."""
    return hashlib.sha256(data).hexdigest()


def load(data: bytes) -> Bundle:
    """Return a bundle; raises msgspec.MsgspecError or ValueError when too new."""
    bundle = _decoder.decode(data)
    if bundle.version > BUNDLE_VERSION:
        raise ValueError(
            f"bundle version {bundle.version} needs a newer hub; "
            f"this one reads {BUNDLE_VERSION}"
        )
    return bundle
