"""What the gateway shows of alarms, permits and the response to them."""

from core.api.reading import Value
from frontend_api.views import Text, View


class AlarmView(View):
    """Show one open alarm."""

    id: str
    title: Text
    detail: Text
    first: Text | None
    """What must be said before anything else."""
    source: str
    source_name: Text
    condition: str
    kind: str
    priority: int
    zone_id: str | None
    params: dict[str, Value]
    life_safety: bool
    active: bool
    acknowledged: bool
    acknowledged_by: str
    latched: bool
    shelved: bool
    out_of_service: bool
    suppressed: str
    """Declared design under which it calls nobody; '' while it does."""
    put_by_id: str
    """Who shelved it or took it out of service."""
    put_reason: str
    put_until_ms: int
    verdict: str
    judged_by: str
    mark: str
    raised_ms: int
    returned_ms: int
    count: int


class DoneView(View):
    """Show one thing that the hub did about an alarm, and whether it is proven."""

    what: str
    """siren, strobe, voice, fan, power_cut, …, evacuation, permits or notices."""
    state: str
    """confirmed, pending, failed or withheld."""
    text: Text


class ResponseView(View):
    """Show all that the hub did about one alarm."""

    alarm_id: str
    done: list[DoneView]


class TestView(View):
    """Show one gas of a gas test."""

    quantity: str
    value: float | None
    unit: str
    quality: int
    measured_ms: int
    passed: bool
    typed: bool


class HoldView(View):
    """Show why a permit is held and what its release demands."""

    id: str
    code: str
    text: Text
    source: str
    source_name: Text
    retest: list[str]
    since_ms: int
    tests: list[TestView]
    demands: list[Text]


class PermitView(View):
    """Show one permit."""

    id: str
    kind: str
    kind_names: Text
    title: str
    zone_id: str
    status: str
    issuer_id: str
    supervisor_id: str
    guardian_id: str
    workers: list[str]
    linked: list[str]
    issued_ms: int
    valid_until_ms: int
    holds: list[HoldView]
    tests: list[TestView]
    version: int
    outcome: str
    closed_ms: int
    legal: bool
    """True: of a legal pack; it has a file with its six steps."""
    guardians: list[str]
    unit: str


class NoticeView(View):
    """Show one notice and what became of it on each channel."""

    id: str
    person_id: str
    role: str
    text: Text
    about: str
    level: int
    channels: dict[str, str]
    details: dict[str, str]
    """Channel → why it failed, as a code."""
    may_wait: bool
    acknowledged: bool
    escalated: bool
    queued_ms: int
    mark: str


class OutputView(View):
    """Show an output's last command: what it should be, and whether it is proven."""

    entity_id: str
    command_id: str
    name: str
    kind: str
    zone_id: str | None
    value: bool | float | str
    state: str
    detail: str
    why: str
