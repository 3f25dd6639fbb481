"""Which guardians were asked whether they are there."""

from typing import TYPE_CHECKING

import msgspec

from core.deadlines import Deadline
from core.journal.envelope import Envelope
from core.journal.fold import folds
from core.permits.guardian_events import (
    GuardianAnswered,
    GuardianAsked,
    GuardianFound,
)

if TYPE_CHECKING:
    from core.state import SiteState


class Asked(msgspec.Struct, kw_only=True):
    """Hold one open question."""

    person_id: str
    until: Deadline
    answered_wall_ns: int = 0
    """When the guardian answered; 0: not yet."""
    zone_id: str = ""
    """Where the answer proved the guardian to be, until ``placed``."""
    placed: Deadline | None = None


@folds(GuardianAsked)
def _asked(state: "SiteState", body: GuardianAsked, _: Envelope) -> None:
    asked = Asked(person_id=body.person_id, until=body.until)
    state.permits.asked[body.permit_id] = asked


@folds(GuardianAnswered)
def _answered(state: "SiteState", body: GuardianAnswered, envelope: Envelope) -> None:
    asked = state.permits.asked.get(body.permit_id)
    if asked is not None and asked.person_id == body.person_id:
        asked.answered_wall_ns = envelope.wall_ns
        asked.zone_id, asked.placed = body.zone_id, body.until


@folds(GuardianFound)
def _found(state: "SiteState", body: GuardianFound, _: Envelope) -> None:
    asked = state.permits.asked.get(body.permit_id)
    if asked is not None and asked.person_id == body.person_id:
        del state.permits.asked[body.permit_id]
