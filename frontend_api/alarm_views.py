"""What the gateway shows of the alarm system as a whole: groups, floods, risk."""

from frontend_api.views import Text, View
from frontend_api.work_views import AlarmView


class AlarmGroupView(View):
    """Show alarms of one cause as one line; life safety is always shown by itself."""

    id: str
    cause: Text
    zone_id: str | None
    priority: int
    active: int
    unacknowledged: int
    raised_ms: int
    always: list[str]
    """Life-safety alarms: each is shown on its own, group or not."""
    members: list[str]
    """The others, most urgent first."""


class FloodView(View):
    """Show whether more alarms come than operators can answer (domain.md §2.3)."""

    on: bool
    since_ms: int
    called_10min: int
    operators: int
    limit: int
    """Above this many in ten minutes a flood begins."""


class AlarmStateView(View):
    """Show the alarm system now: flood, and the lists that want looking after."""

    flood: FloodView
    standing: int
    stale: list[str]
    """Alarms that have stood for more than a day."""
    chattering: list[str]
    """Alarms that came three times within a minute."""
    suppressed: list[str]
    put_by: list[str]
    """Shelved ones and those out of service."""
    unjudged: list[AlarmView]
    """The last closed ones on which nobody has given a verdict, newest first."""
    more: int
    """Open alarms beyond what this page can hold; the list at /alarms has all."""


class RiskInputView(View):
    """Show one named input of a zone's risk index: how much it adds, and why."""

    name: str
    text: Text
    points: int
    """Points of the index that it accounts for."""
    level: float
    """0 … 1: how bad it is; 1 also when nobody knows."""
    weight: float
    unknown: bool
    """True: it cannot be told, so it counts in full."""


class RiskView(View):
    """Show how risky a zone is now, 0 … 100, and what makes it so."""

    id: str
    index: int
    band: str
    """low, raised, high or severe."""
    unknown: bool
    """True: part of it is only not known."""
    inputs: list[RiskInputView]
    version: str
    """Of the weights by which it was judged."""


class ServiceView(View):
    """Show a device in maintenance."""

    id: str
    name: Text
    zone_id: str | None
    person_id: str
    reason: str
    until_ms: int
