"""What an erasure leaves of a permit's or a task's blobs: when, and by which event."""

from typing import TYPE_CHECKING

import msgspec

from core.journal.envelope import Envelope
from core.journal.fold import folds
from core.permits.attachments_events import (
    AllErased,
    AttachmentErased,
    AttachmentsKept,
)
from core.permits.attachments_state import AttachmentsState
from core.response.tasks_state import FiledTask, TaskRecord

if TYPE_CHECKING:
    from core.state import SiteState

Holder = AttachmentsState | TaskRecord | FiledTask


def holder_of(state: "SiteState", owner_id: str) -> Holder | None:
    """Return what holds the blobs of a permit or a task; None for a stranger."""
    permit = state.permits.permits.get(owner_id)
    if permit is not None:
        return permit.attachments
    return state.response.tasks.pictured(owner_id)


def _mark(holder: Holder, sha256: str | None, envelope: Envelope) -> None:
    """Note the erasure of one blob, or of all that still stand."""
    wall_ns, seq = envelope.wall_ns, envelope.seq
    if isinstance(holder, AttachmentsState):
        for item in holder.items.values():
            if sha256 in (None, item.sha256) and not item.erased_seq:
                item.erased_wall_ns, item.erased_seq = wall_ns, seq
        return
    holder.photos = [
        msgspec.structs.replace(photo, erased_wall_ns=wall_ns, erased_seq=seq)
        if sha256 in (None, photo.sha256) and not photo.erased_seq
        else photo
        for photo in holder.photos
    ]


@folds(AttachmentErased)
def _erased(state: "SiteState", body: AttachmentErased, envelope: Envelope) -> None:
    holder = holder_of(state, body.permit_id)
    if holder is not None:
        _mark(holder, body.sha256, envelope)


@folds(AllErased)
def _all_erased(state: "SiteState", body: AllErased, envelope: Envelope) -> None:
    holder = holder_of(state, body.permit_id)
    if holder is None:
        return
    _mark(holder, None, envelope)
    holder.gone_wall_ns, holder.gone_seq = envelope.wall_ns, envelope.seq
    if isinstance(holder, FiledTask):
        holder.photos = []  # the journal has their names; nothing is owed to them


@folds(AttachmentsKept)
def _kept(state: "SiteState", body: AttachmentsKept, _: Envelope) -> None:
    holder = holder_of(state, body.permit_id)
    if holder is not None:
        holder.keep = body.keep
