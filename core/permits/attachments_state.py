"""What a permit's attachments leave behind: names, sizes and times, no content.

Imported by ``core.permits.state``, so it knows nothing of the permit itself.
"""

from typing import TYPE_CHECKING

import msgspec

from core.journal.envelope import Envelope
from core.journal.fold import folds
from core.permits.attachments_events import AttachmentRecorded

if TYPE_CHECKING:
    from core.permits.state import PermitRecord
    from core.state import SiteState


class AttachmentRecord(msgspec.Struct, kw_only=True):
    """Hold one blob in one slot."""

    slot: str
    sha256: str
    size: int
    media: str
    person_id: str
    taken_ms: int
    recorded_wall_ns: int
    from_ms: int = 0
    to_ms: int = 0
    late: bool = False
    erased_wall_ns: int = 0
    """0: it is to be kept."""
    erased_seq: int = 0
    """The vault destroys its key once this event is durable."""


class AttachmentsState(msgspec.Struct, kw_only=True):
    """Hold a permit's attachments, in the order in which they came."""

    items: dict[str, AttachmentRecord] = {}
    """Slot and hash → record; the same blob may fill two slots."""
    keep: bool = False
    """True: nothing is erased, however old (an accident, a dispute)."""
    gone_wall_ns: int = 0
    """When its own key was to go; 0: it stands."""
    gone_seq: int = 0

    def in_slot(self, slot: str) -> list[AttachmentRecord]:
        """Return a slot's attachments, erased ones too."""
        return [item for item in self.items.values() if item.slot == slot]

    def of(self, sha256: str) -> list[AttachmentRecord]:
        """Return the slots that a blob fills."""
        return [item for item in self.items.values() if item.sha256 == sha256]


def key_of(slot: str, sha256: str) -> str:
    """Return an attachment's key among its permit's."""
    return f"{slot}/{sha256}"


def people_of(permit: "PermitRecord") -> frozenset[str]:
    """Return everybody who is named on a permit or has signed it."""
    life = permit.life
    named = {permit.issuer_id, permit.supervisor_id, life.booked_by, life.briefer}
    named |= {*permit.people(), *(each.person_id for each in life.signed.values())}
    return frozenset(named - {""})


@folds(AttachmentRecorded)
def _recorded(state: "SiteState", body: AttachmentRecorded, envelope: Envelope) -> None:
    permit = state.permits.permits.get(body.permit_id)
    if permit is None:
        return
    # The permit's version stays: a picture changes nothing that anybody signed.
    permit.attachments.items[key_of(body.slot, body.sha256)] = AttachmentRecord(
        slot=body.slot,
        sha256=body.sha256,
        size=body.size,
        media=body.media,
        person_id=body.person_id,
        taken_ms=body.taken_ms,
        recorded_wall_ns=envelope.wall_ns,
        from_ms=body.from_ms,
        to_ms=body.to_ms,
        late=body.late,
    )
