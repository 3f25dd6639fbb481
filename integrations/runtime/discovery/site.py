"""The part of the site's state that discovery looks at: its devices, what is ignored.

A replica of the whole would load every room of the core: ten megabytes for nothing.
"""

from typing import Final

import msgspec

from core.journal import fold
from core.journal.envelope import Envelope
from core.journal.events import Event, decode_body
from core.registry.events import DeviceEnrolled, DeviceRemoved, DeviceReplaced
from core.registry.proposals_events import (
    FindingIgnored,
    FindingRecalled,
    ScanAsked,
    ScanStopped,
)
from core.registry.state import RegistryState

_HEARD: Final = frozenset(
    kind.name_
    for kind in (
        *(DeviceEnrolled, DeviceReplaced, DeviceRemoved),
        *(FindingIgnored, FindingRecalled, ScanAsked, ScanStopped),
    )
)


class SitePart(msgspec.Struct, kw_only=True):
    """Hold what a snapshot and the events since say of devices."""

    epoch: int = 0
    seq: int = 0
    registry: RegistryState = msgspec.field(default_factory=RegistryState)

    def take(self, envelope: Envelope) -> Event | None:
        """Fold an event that matters here; None for others, and for what is old."""
        at = (self.epoch, self.seq)
        if (envelope.epoch, envelope.seq) <= at:
            return None
        self.epoch, self.seq = envelope.epoch, envelope.seq
        if envelope.type not in _HEARD:
            return None
        body = decode_body(envelope)
        fold.part(self, body, envelope)
        return body


_decoder = msgspec.msgpack.Decoder(SitePart)


def load(data: bytes) -> SitePart:
    """Return the part of a snapshot's state; raises msgspec.MsgspecError."""
    return _decoder.decode(data)
