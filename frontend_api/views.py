"""What the gateway shows: one typed struct per thing, for REST and streams alike.

Times are wall milliseconds since 1970. OpenAPI and the web app's types are
generated from these structs, so a field is named once.
"""

import msgspec

from core.api.reading import Value
from core.registry.facts import Facts


class Text(msgspec.Struct, frozen=True):
    """Hold a sentence in both languages, rendered here at the edge."""

    zh: str
    en: str


class View(msgspec.Struct, kw_only=True):
    """Base of all views."""


class LevelView(View):
    """Show one floor of the plan."""

    id: str
    names: Text
    z_m: float


class ZoneShape(View):
    """Show where a zone lies; its polygon is in metres of the site's frame."""

    id: str
    names: Text
    level: str
    hazard: str
    polygon: list[tuple[float, float]]


class MusterView(View):
    """Show where people gather."""

    id: str
    names: Text
    level: str
    at: tuple[float, float]
    zone_id: str | None


class LimitView(View):
    """Show one alarm limit; exactly one of above and below is set."""

    condition: str
    priority: int
    unit: str
    above: float | None
    below: float | None


class QuantityView(View):
    """Show a measured quantity with its limits."""

    id: str
    names: Text
    unit: str
    gas_class: str
    limits: list[LimitView]
    accept_above: float | None
    accept_below: float | None


class KindView(View):
    """Show a kind of permit: what issuing and releasing it demand."""

    id: str
    names: Text
    gases: list[str]
    guardian: bool
    valid_h: float
    retest_gases: list[str]
    issuer_roles: list[str]


class SiteView(View):
    """Show what the armed bundle says of the place."""

    id: str
    names: Text
    time_zone: str
    language: str
    evacuate_s: float
    levels: list[LevelView]
    zones: list[ZoneShape]
    muster_points: list[MusterView]
    quantities: list[QuantityView]
    permit_kinds: list[KindView]


class ZoneView(View):
    """Show how a zone stands; the worst of its states is ``state``.

    normal, held, unmonitored, alarm or evacuating.
    """

    id: str
    state: str
    states: list[str]
    priority: int
    """Most urgent active alarm: 1 critical … 4 advice, 0 none."""
    people: int
    permits: int
    held: int
    silenced: bool
    protection: str = "none"
    """none, testing, protected, or changed since its sheet was signed."""


class PersonView(View):
    """Show a person and where they were last found; None is unknown, never 'out'."""

    id: str
    name: str
    company: str
    roles: list[str]
    zone_id: str | None
    last_zone_id: str | None
    source: str
    since_ms: int


class ProofView(View):
    """Show how an output stands with its proof tests."""

    every_h: float | None
    """Hours between two tests; None: the site demands none."""
    proven_ms: int
    """When it was proven last; 0 is never."""
    by_id: str
    due_ms: int
    """When the next test is due; 0 where one is demanded: nobody can say, so now."""
    failed_ms: int
    """When it failed since; 0 is not."""
    why: str
    answer_until_ms: int
    """Until when a person may say what a running test did; 0: none runs."""
    answered: bool
    """True: the device has told what became of the running test."""


class WornView(View):
    """Show who took a device of the rack last."""

    person_id: str
    until_ms: int
    ended: str
    """returned, expired, replaced or not_durable; '' while it is worn."""


class EntityView(View):
    """Show one entity of a device."""

    id: str
    name: str
    kind: str
    quantity: str
    unit: str
    max_age_s: float
    critical: bool
    output: str
    output_text: Text | None
    """What it moves."""
    limits: list[LimitView]
    proof: ProofView | None = None
    """Of an output."""


class DeviceView(View):
    """Show one enrolled device."""

    id: str
    uid: str
    name: str
    integration: str
    manufacturer: str
    model: str
    zone_id: str | None
    person_id: str | None
    entities: list[EntityView]
    serial: str = ""
    configured: bool = True
    """False: enrolled by hand, so it may be amended and removed at the page."""
    proof: str = ""
    """How it was shown to be the site's: wired, code, button, pairing or key."""
    facts: Facts | None = None
    """What a person stated of it; None: nobody did."""
    wearable: bool = False
    """True: a device of the rack, that one may take for a shift."""
    worn: WornView | None = None
    """None: nobody ever took it."""


class StepView(View):
    """Show where one step of a run stands."""

    path: str
    state: str
    detail: str
    refs: list[str]
    at_ms: int


class RunView(View):
    """Show an open run of a rule: its trace so far."""

    id: str
    rule: str
    names: Text
    subject: str
    trigger: str
    mode: str
    mark: str
    params: dict[str, Value]
    started_ms: int
    joined: int
    steps: list[StepView]


class RuleView(View):
    """Show one armed rule."""

    id: str
    names: Text
    version: str
    mode: str
    life_safety: bool
    blueprint: str
    open_runs: int


class EventView(View):
    """Show one event of the journal as a sentence."""

    epoch: int
    seq: int
    id: str
    type: str
    level: str
    """critical, major, minor, info or ok."""
    text: Text
    actor: str
    wall_ms: int
    synced: bool
    zone_id: str | None
    subject: str
    drill: bool


class WatcherView(View):
    """Show who has the live page open."""

    person_id: str
    since_ms: int
    screens: int


class HubView(View):
    """Show the hub's own health."""

    version: str
    reachable: bool
    since_ms: int
    """Since when the hub is (un)reachable from the gateway."""
    started_ms: int
    config_hash: str
    refused_config_hash: str
    journal: str
    """ok, behind or failing: whether accepted events are on disk."""
    durable: int
    processes: dict[str, str]
    unmonitored: list[str]
    counters: dict[str, int]
    watching: list[WatcherView]
    oxygen_check: bool
    """True: oxygen above its clause passes with a written cause (GB 30871, G3)."""
    oxygen_reason: str


class ReadingView(View):
    """Show one entity's current reading; its age is judged by the core."""

    entity_id: str
    zone_id: str | None
    quantity: str
    unit: str
    value: Value
    quality: int
    reason: str
    received_ms: int


class SeriesView(View):
    """Show one entity's history: rows of wall_ms, min, max, last, worst quality."""

    entity_id: str
    rows: list[tuple[int, float | None, float | None, Value, int]]
