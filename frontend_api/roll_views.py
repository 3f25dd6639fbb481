"""What the gateway shows of roll calls, visitors and drills."""

from core.api.reading import Value
from frontend_api.views import Text, View


class WorkRef(View):
    """Name a permit on which a missing person is."""

    id: str
    title: str
    status: str


class GasView(View):
    """Show a gas where a missing person is or was last."""

    quantity: str
    value: Value
    unit: str
    quality: int


class RollView(View):
    """Show one person's line of a roll call, or some counted by number."""

    person_id: str
    names: Text
    zone_id: str | None
    certain: bool
    status: str
    method: str
    by: str
    at_ms: int
    late: bool
    count: int
    seen: int
    joined_ms: int
    """When they joined a roll call that ran already; 0: from its start."""
    seen_ms: int
    """When they were found where they are shown; 0: never."""
    permits: list[WorkRef]
    gas: list[GasView]
    frame: str
    """The last picture or clip of the place, as its device names it."""


class AttackView(View):
    """Show one injected attack of a drill that has come."""

    kind: str
    text: Text


class DrillView(View):
    """Show what makes a roll call a drill."""

    names: Text
    by: str
    until_ms: int
    why: str
    """Why it ended; '' while it runs."""
    target_s: float
    target_share: float
    attacks: list[AttackView]


class EvacuationView(View):
    """Show one evacuation, or one drill, and its roll call."""

    id: str
    zones: list[str]
    text: Text
    first: Text | None
    """What must be said before anything else."""
    muster_points: list[str]
    refused: dict[str, str]
    """Muster point → why it is not offered."""
    wind: str
    """Degrees it comes from, calm or unknown; '' is none said."""
    started_ms: int
    late_ms: int
    late_called: bool
    cleared_ms: int
    cleared_by: str
    mark: str
    retested: list[str]
    """Zones that a portable meter proved."""
    roll: list[RollView]
    drill: DrillView | None


class VisitorView(View):
    """Show people without a tag who are on site."""

    id: str
    count: int
    zone_id: str
    host_id: str
    since_ms: int


class DrillPlanView(View):
    """Show a drill that the site holds, and when it is due."""

    id: str
    names: Text
    zones: list[str]
    every_d: float | None
    attacks: int
    held_ms: int
    due_ms: int
    """0: not by a schedule; the past, or now when it was never held: overdue."""
