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
    """A guardian answered; without a place the answer resets no clock."""

    permit_id: str
    person_id: str
    placed: bool
    """True where the guardian's place was known again at the answer."""


@event("guardian.found")
class GuardianFound(Event, frozen=True, kw_only=True):
    """A lost guardian was found again, or it is nobody's question any more."""

    permit_id: str
    person_id: str
