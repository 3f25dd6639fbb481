"""What a permit's sheet tells of the past: its pinned pack's form, and its holds.

The site's state forgets both, a released hold and the pack of a permit that is over;
the journal does not. Fed with its events, in order.
"""

from typing import NamedTuple

import msgspec

from core.api.reading import Value
from core.journal.envelope import Envelope
from core.journal.events import Event
from core.permits.events import PermitHeld, PermitReleased
from core.permits.pack import Form, Pack
from core.permits.packs_events import PackArmed
from core.permits.state import PermitRecord


class PastHold(NamedTuple):
    """Hold one hold of a permit, over or not."""

    id: str
    code: str
    params: dict[str, Value]
    since_ns: int
    until_ns: int = 0
    """When it was released; 0: never."""
    by: str = ""
    reason: str = ""


class Papers:
    """Remember packs by their digest, and holds by permit."""

    def __init__(self) -> None:
        self._packs: dict[str, bytes] = {}
        self._read: dict[str, Pack | None] = {}
        self._holds: dict[str, dict[str, PastHold]] = {}

    def take(self, body: Event, envelope: Envelope) -> None:
        """Take one event of the journal."""
        at_ns = envelope.act_ns or envelope.wall_ns
        match body:
            case PackArmed() if body.data:
                self._packs[body.digest] = body.data
            case PermitHeld(permit_id=permit_id, hold=hold):
                lain = self._holds.setdefault(permit_id, {})
                # Written again after a gap of the journal it is still the same.
                since = lain[hold.id].since_ns if hold.id in lain else at_ns
                lain[hold.id] = PastHold(hold.id, hold.code, dict(hold.params), since)
            case PermitReleased():
                lain = self._holds.setdefault(body.permit_id, {})
                for hold_id in body.hold_ids:
                    if hold_id in lain:
                        lain[hold_id] = lain[hold_id]._replace(
                            until_ns=at_ns, by=body.person_id, reason=body.reason
                        )

    def holds(self, permit_id: str) -> tuple[PastHold, ...]:
        """Return all holds that ever lay on a permit, the oldest first."""
        return tuple(self._holds.get(permit_id, {}).values())

    def form(self, permit: PermitRecord) -> Form | None:
        """Return the form of the pack that a permit pins; None: of no pack."""
        pack = self._pack(permit.life.pack)
        kind = pack.kind(permit.kind) if pack is not None else None
        return pack.form(kind.form) if pack is not None and kind is not None else None

    def _pack(self, digest: str) -> Pack | None:
        if digest not in self._read:
            data = self._packs.get(digest)
            self._read[digest] = None if data is None else _decoded(data)
        return self._read[digest]


def _decoded(data: bytes) -> Pack | None:
    try:
        return msgspec.msgpack.decode(data, type=Pack)
    except msgspec.MsgspecError:
        return None  # a pack of another release: the shipped form stands in
