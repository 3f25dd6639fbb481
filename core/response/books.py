"""What a site's plans, checklists and rounds are: data, compiled outside."""

import msgspec

from core.names import Names


class PlanStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Describe one step of an emergency plan: what, who, by when."""

    id: str
    names: Names
    """What its owner is told to do."""
    roles: tuple[str, ...]
    within_s: float
    """Counted from when it is opened, not from the plan's start."""
    after: tuple[str, ...] = ()
    """Steps that are settled before this one is opened; empty: at once."""
    channels: tuple[str, ...] = ("screen",)
    escalate: tuple[str, ...] = ("safety_officer",)
    """Who is told as well when it is late."""
    report: bool = False
    """It is the notice to the regulator: settled by a person who sends it."""
    clause: str = ""


class Plan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Describe one emergency plan, and the alarms that it answers."""

    id: str
    names: Names
    version: str
    steps: tuple[PlanStep, ...]
    alarms: tuple[str, ...] = ()
    """Alarm kinds, or what they begin with: ``gas.toxic``, ``fall``."""
    zones: tuple[str, ...] = ()
    """Empty: every zone that no other plan names."""
    priority: int = 2
    """Least urgent priority of an alarm that starts it."""
    report_to: Names | None = None
    clauses: tuple[str, ...] = ()

    def step(self, step_id: str) -> PlanStep | None:
        """Return a step by its id."""
        return next((step for step in self.steps if step.id == step_id), None)


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Ask one thing of a checklist."""

    id: str
    names: Names
    type: str = "tick"
    """tick (ok, bad, na), number or text."""
    required: bool = True
    grade: str = ""
    """Grade of the hazard that a ``bad`` answer is: general or major; '' is none."""
    least: float | None = None
    most: float | None = None
    """A number beyond them is a ``bad`` answer."""
    unit: str = ""
    clause: str = ""


class Checklist(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Describe a checklist: toolbox talk, shift hand-over, inspection."""

    id: str
    names: Names
    version: str
    kind: str
    """toolbox, handover or inspection."""
    items: tuple[Item, ...]
    roles: tuple[str, ...] = ()
    """Who may fill it in; empty: everybody but an auditor."""
    signers: tuple[str, ...] = ()
    """Roles of whom one other person each signs it too."""
    within_s: float = 1800.0
    """Time for those signatures; then it is overdue."""
    clauses: tuple[str, ...] = ()

    def item(self, item_id: str) -> Item | None:
        """Return an item by its id."""
        return next((item for item in self.items if item.id == item_id), None)


class RoundPoint(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Describe one point of an inspection round."""

    id: str
    names: Names
    zone: str
    label: str
    """What its printed code says; a photograph says it too, so it proves nothing."""
    checklist: str = ""


class Round(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Describe an inspection round: its points, order, and how often."""

    id: str
    names: Names
    points: tuple[RoundPoint, ...]
    roles: tuple[str, ...] = ("supervisor",)
    ordered: bool = False
    within_s: float = 7200.0
    every_s: float = 0.0
    """0: a person begins it."""

    def point(self, point_id: str) -> RoundPoint | None:
        """Return a point by its id."""
        return next((point for point in self.points if point.id == point_id), None)
