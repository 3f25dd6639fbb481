"""What the permit pages show of the law: kinds, forms, questions, chains."""

from core.api.reading import Value
from frontend_api.views import Text, View


class ChoiceView(View):
    """Offer one choice of a field or a question."""

    id: str
    names: Text


class FieldView(View):
    """Show one field of a form."""

    id: str
    type: str
    names: Text
    unit: str
    choices: list[ChoiceView]
    required: bool
    repeats: int
    low: float | None
    high: float | None
    own: bool
    """True: filled from the permit itself; nobody types it."""


class MeasureView(View):
    """Show one measure of a form."""

    id: str
    names: Text
    clause: str
    free_text: bool


class SlotView(View):
    """Show one signature of the chain, in its order."""

    id: str
    names: Text
    role: Text
    roles: list[str]
    """Roles of the hub whose holders may sign."""
    phase: str
    approves: bool
    on_site: bool
    delegable: bool
    lead: bool


class QuestionView(View):
    """Ask a person for one fact."""

    fact: str
    names: Text
    type: str
    """bool, number or text (one of ``choices``)."""
    unit: str
    low: float | None
    high: float | None
    choices: list[ChoiceView]
    content: bool
    """True: it says what the work is; signed, and never changed."""


class KindCard(View):
    """Show one kind of legal permit in a list."""

    id: str
    pack: str
    names: Text
    pack_names: Text
    family: str
    grade: str
    rank: int
    clause: str
    test_names: Text | None
    """What may be done under this grade; None: everything of its family."""
    hours: float | None
    book_ahead_h: float
    guardian: bool


class KindLaw(KindCard):
    """Show all that a kind asks for."""

    trades: list[str]
    gases: list[str]
    places: list[str]
    gas_age_min: float | None
    entry_log: bool
    duties: list[Text]
    fields: list[FieldView]
    measures: list[MeasureView]
    slots: list[SlotView]
    questions: list[QuestionView]
    """What the work is: asked once, with the application."""


class KindCards(View):
    """List the kinds of the packs in force."""

    items: list[KindCard]


class DueView(View):
    """Show one step that is due."""

    verb: str
    slot: str
    roles: list[str]
    people: list[str]
    """Who alone may take it; empty: anyone with one of the roles."""
    barred: list[str]
    """Who may not, whatever their roles: it is their own work."""
    mine: bool
    """True: whoever asks may take it."""


class FactView(View):
    """Show one fact that a rule reads."""

    fact: str
    names: Text
    value: Value
    """None: nobody can tell it."""
    unit: str


class OpenView(View):
    """Show one interlock that is not TRUE."""

    name: str
    names: Text
    clause: str
    why: str
    truth: str
    action: str
    aq: str
    facts: list[FactView]


class SaidView(View):
    """Show what a person stated."""

    fact: str
    names: Text
    value: Value
    unit: str
    person_id: str
    at_ms: int


class SignedView(View):
    """Show one signature that was given."""

    slot: str
    person_id: str
    for_id: str
    at_ms: int
    place: str
    method: str
    late: bool


class HazardView(View):
    """Show one hazard and its control."""

    text: str
    control: str
    risk: str


class MarkView(View):
    """Show how one measure was answered."""

    id: str
    involved: bool
    note: str


class SampleView(View):
    """Show one sample of a gas test."""

    gas: str
    place: str
    value: float
    unit: str
    verdict: str
    evidence: bool
    typed: bool
    instrument: str
    note: str


class GasTestView(View):
    """Show one gas test; nobody's: the hub's own record."""

    at_ms: int
    person_id: str
    samples: list[SampleView]


class InsideView(View):
    """Show one person who is counted in."""

    person_id: str
    since_ms: int
    rescue: bool
    seen: bool
    """True: found inside by the hub, logged by nobody."""


class LockView(View):
    """Show one lock, tag or plate that is on a point."""

    lock_no: str
    permit_id: str
    key_holder: str
    applied_by: str
    at_ms: int
    personal: bool
    box: str
    verified_by: str
    """Who saw as the second person that it isolates; empty: nobody yet."""


class PointView(View):
    """Show one point of the isolation register and all that is on it."""

    id: str
    kind: str
    equipment: str
    place: str
    zone_id: str
    drawing: str
    pipe: str
    locks: list[LockView]
    energy: bool
    """True: energy was found since its last lock."""


class PlannedView(View):
    """Show one point that a permit needs isolated."""

    point_id: str
    action: str
    """insert or remove: the plate is the work itself; else empty."""
    tried: bool
    """True: no energy was left since it was locked."""


class IsolationView(View):
    """Show a permit's part of the isolation register."""

    lines: list[PlannedView]
    points: list[PointView]
    """The permit's points, its boxes, and those that may still be planned."""
    keys_out: list[str]
    """Numbers of removed locks whose keys were not put back."""


class PermitFile(View):
    """Show one legal permit whole, as it stands at this moment."""

    id: str
    status: str
    version: int
    content: str
    phase: str
    valid_left_s: float | None
    law: KindLaw
    due: list[DueView]
    missing_measures: list[str]
    missing_briefing: list[str]
    questions: list[QuestionView]
    """Facts that somebody has to state before the next step."""
    open: list[OpenView]
    unit: str
    emergency: bool
    from_ms: int
    to_ms: int
    started_ms: int
    guardians: list[str]
    trades: dict[str, str]
    fields: dict[str, list[Value]]
    hazards: list[HazardView]
    measures: list[MarkView]
    analysed_by: str
    """Who answered the measures."""
    said: list[SaidView]
    signed: list[SignedView]
    told: list[str]
    briefed: list[str]
    offered_to: str
    shift_to: str
    shift_notes: str
    """What the last shift left for the next one to know."""
    asked_guardian: str
    """Of whom the hub asks 'are you there?'; empty: of nobody."""
    replaces: str
    replaced_by: str
    reason: str
    late: bool
    tests: list[GasTestView]
    gases_named: list[str]
    """Gases that the analysis expects."""
    isolation: IsolationView
    entry_open: bool
    inside: list[InsideView]
    tools: list[str]
