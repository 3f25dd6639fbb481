"""What a person may do with emergency plans: start, settle steps, report, end."""

from typing import Annotated, Literal

import msgspec

from core.journal.envelope import Effect
from core.people.acts import Act, Blob, Id, act
from core.response.tasks_acts import ANYONE, Note

_Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
_Line = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


@act("plan.start", *ANYONE, effect=Effect.PROTECTIVE)
class StartPlan(Act, frozen=True, kw_only=True):
    """Begin an emergency plan by hand; a drill is marked everywhere."""

    plan: Id
    zone_id: str = ""
    drill: bool = False


@act("plan.done", *ANYONE)
class DoStep(Act, frozen=True, kw_only=True):
    """Say that a step is done."""

    plan_run: Id
    step: Id
    note: Note = ""


@act("plan.skip", *ANYONE)
class SkipStep(Act, frozen=True, kw_only=True):
    """Say why a step is not done."""

    plan_run: Id
    step: Id
    reason: _Reason


@act("plan.report", "safety_officer")
class SendReport(Act, frozen=True, kw_only=True):
    """Answer for the notice to the regulator that one has sent oneself."""

    plan_run: Id
    way: Literal["platform", "phone", "fax", "mail", "message", "in_person"]
    to: _Line
    sha256: Blob
    """Of the text as it was sent; the gateway keeps that text."""


@act("plan.deliver", "safety_officer")
class DeliverReport(Act, frozen=True, kw_only=True):
    """Send the notice that one has read to the site's authorities; answers for it."""

    plan_run: Id
    recipients: Annotated[tuple[Id, ...], msgspec.Meta(min_length=1, max_length=20)]
    sha256: Blob
    """Of the text as it is sent; the gateway keeps that text."""
    draft: Blob
    """Of the hub's own draft, which is kept beside it."""


@act("plan.end", "safety_officer", "supervisor", effect=Effect.PERMISSIVE)
class EndPlan(Act, frozen=True, kw_only=True):
    """End a plan; what is still open is skipped by name, for one reason."""

    plan_run: Id
    reason: Note = ""
