"""What is asked of a guardian whose place is lost, and what comes back."""

from core.deadlines import Deadline
from core.journal.envelope import Effect
from core.journal.events import Event, event


@event("guardian.asked", effect=Effect.PROTECTIVE)
class GuardianAsked(Event, frozen=True, kw_only=True):
    """A guardian's place was lost while people work: 'are you there?'."""

    permit_id: str
    person_id: str
    until: Deadline
    """When the permit is held unless the place is known again."""


@event("guardian.answered")
class GuardianAnswered(Event, frozen=True, kw_only=True):
    """A guardian answered; without evidence of the place it resets no clock."""

    permit_id: str
    person_id: str
    zone_id: str = ""
    """Where the answer proves the guardian to be; '' is no proof."""
    until: Deadline | None = None
    """How long that proof counts."""
    method: str = ""


@event("guardian.found")
class GuardianFound(Event, frozen=True, kw_only=True):
    """A lost guardian was found again, or it is nobody's question any more."""

    permit_id: str
    person_id: str
