"""What the pages of tasks, emergency plans, rounds and checklists show."""

from core.api.reading import Value
from frontend_api.views import Text, View


class PhotoView(View):
    """Show one picture of a task; its content is under /api/v1/attachments."""

    stage: str
    sha256: str
    by_id: str
    taken_ms: int
    erased: bool = False
    """Its time is over: the picture is gone, its name is left."""


class TaskView(View):
    """Show one task."""

    id: str
    title: Text
    kind: str
    kind_name: Text
    note: str
    zone_id: str | None
    state: str
    """found, dispatched, fixing, fixed, rejected, closed."""
    grade: str
    owner_id: str
    roles: list[str]
    by_id: str
    about: str
    mark: str
    due_ms: int
    """0: nothing is due."""
    level: int
    """How often it was overdue."""
    version: int
    created_ms: int
    closed_ms: int
    photos: list[PhotoView]
    pictured: bool
    """It is closed on pictures of before and after."""
    fixers: list[str]
    """None of them may look again."""
    checkers: list[str]
    rejections: int
    wanted: int
    """Persons who must still find it right before it closes."""


class PlanStepView(View):
    """Show one step of a plan, and where it stands in a run."""

    id: str
    names: Text
    roles: list[str]
    escalate: list[str]
    within_s: float
    after: list[str]
    clause: str
    report: bool
    state: str
    """waiting, open, done, skipped; '' in the book."""
    due_ms: int
    level: int
    by_id: str
    reason: str
    settled_ms: int


class ReportedView(View):
    """Show one notice to the regulator that a person sent."""

    by_id: str
    way: str
    to: str
    sha256: str
    at_ms: int
    draft: str
    """Hash of the hub's own draft; '' where a person sent it elsewhere."""
    recipient: str
    recipient_names: Text | None
    """None where a person sent it elsewhere; ``to`` then says whither."""
    channels: list["ReportChannelView"]


class ReportChannelView(View):
    """Show what became of a notice on one channel."""

    id: str
    names: Text
    state: str
    """queued, sent, delivered or failed."""
    detail: str
    """Why it failed, as a code."""


class PlanRunView(View):
    """Show one run of an emergency plan."""

    id: str
    plan: str
    names: Text
    plan_version: str
    zone_id: str | None
    mark: str
    about: list[str]
    standing: bool
    """An alarm that it answers still stands: it cannot end."""
    started_ms: int
    ended_ms: int
    ended_by: str
    reason: str
    steps: list[PlanStepView]
    report_to: Text | None
    report_due_ms: int
    """Until when the law wants it; 0: none is owed, or it was sent."""
    report_late: bool
    reports: list[ReportedView]


class RoundPointView(View):
    """Show one point of a round, and who was there."""

    id: str
    names: Text
    zone_id: str
    checklist: str
    proven: bool
    by_id: str
    at_ms: int
    method: str
    why: Text | None
    in_order: bool


class RoundRunView(View):
    """Show one walk of a round."""

    id: str
    round: str
    names: Text
    opened_ms: int
    due_ms: int
    closed_ms: int
    why: str
    points: list[RoundPointView]
    covered: int
    """Points at which somebody is proven to have been."""


class AnswerView(View):
    """Show one answer of a filled checklist."""

    id: str
    names: Text
    value: Value
    bad: bool


class SheetView(View):
    """Show one filled checklist."""

    id: str
    checklist: str
    names: Text
    kind: str
    by_id: str
    filled_ms: int
    zone_id: str | None
    people: list[str]
    answers: list[AnswerView]
    note: str
    owed: list[str]
    """Roles whose signature is owed."""
    signed: dict[str, str]
    due_ms: int
    late: bool


class PlanView(View):
    """Show one plan of the site, and what it answers."""

    id: str
    names: Text
    version: str
    alarms: list[str]
    zones: list[str]
    steps: list[PlanStepView]
    clauses: list[str]


class ItemView(View):
    """Show one item of a checklist."""

    id: str
    names: Text
    type: str
    required: bool
    grade: str
    unit: str
    least: float | None
    most: float | None
    clause: str


class ChecklistView(View):
    """Show one checklist."""

    id: str
    names: Text
    version: str
    kind: str
    roles: list[str]
    signers: list[str]
    items: list[ItemView]


class RoundView(View):
    """Show one round of the site."""

    id: str
    names: Text
    roles: list[str]
    ordered: bool
    every_s: float
    points: list[RoundPointView]


class BookView(View):
    """Show the site's plans, checklists and rounds, and what has no plan."""

    plans: list[PlanView]
    checklists: list[ChecklistView]
    rounds: list[RoundView]
    unanswered: list[Text]
    """Grave alarms that no plan answers everywhere."""


class ReportView(View):
    """Draft of the notice to the regulator; a person reads, mends and sends it."""

    to: Text
    draft: Text
    recipients: list["RecipientView"]
    """Authorities to whom the hub can send it; none: copy or print it."""


class RecipientView(View):
    """Show an authority that the site's configuration names."""

    id: str
    names: Text
