"""Which device is bound to whom for this shift: a fold of the journal."""

from typing import TYPE_CHECKING

import msgspec

from core.deadlines import Deadline
from core.journal.envelope import Envelope
from core.journal.fold import folds
from core.people.wear_events import WearEnded, WearTaken

if TYPE_CHECKING:
    from core.state import SiteState


class WornRecord(msgspec.Struct, kw_only=True):
    """Hold who took a device last, and until when the binding stands."""

    person_id: str
    until: Deadline
    ended: str = ""
    """Why it stands no more; '' while it does."""


@folds(WearTaken)
def _taken(state: "SiteState", body: WearTaken, _: Envelope) -> None:
    state.people.worn[body.device_id] = WornRecord(
        person_id=body.person_id, until=body.until
    )
    device = state.registry.devices.get(body.device_id)
    if device is not None:
        device.person_id = body.person_id


@folds(WearEnded)
def _ended(state: "SiteState", body: WearEnded, _: Envelope) -> None:
    record = state.people.worn.get(body.device_id)
    if record is not None:
        record.ended = body.code
    device = state.registry.devices.get(body.device_id)
    if device is not None and device.person_id == body.person_id:
        device.person_id = None
