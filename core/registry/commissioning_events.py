"""What was shown of a zone before it counts as protected."""

from core.api.reading import Value
from core.journal.envelope import Effect
from core.journal.events import Event, event


class ZoneEvent(Event, frozen=True, kw_only=True):
    """Base of what happens to one zone's sheet."""

    zone_id: str

    def merge_key(self) -> str:
        """Keep every one: a sheet is only as good as all of its lines."""
        return ""


@event("commission.begun")
class CommissionBegun(ZoneEvent, frozen=True, kw_only=True):
    """A person began to prove a zone."""

    person_id: str


@event("commission.gassed")
class GasApplied(ZoneEvent, frozen=True, kw_only=True):
    """Test gas was said to be at a detector."""

    entity_id: str
    gas: str
    person_id: str


@event("commission.ticked")
class LineTicked(ZoneEvent, frozen=True, kw_only=True):
    """A line of the sheet was shown: by the journal itself, or by a person's word."""

    entity_id: str
    step: str
    stamp: str
    """Fingerprint of the detector and of what it causes, as it was shown."""
    person_id: str = ""
    """'' where the journal shows it."""
    evidence: tuple[str, ...] = ()
    """Ids of the events that show it."""
    value: Value = None
    note: str = ""


@event("commission.unticked")
class LineUnticked(ZoneEvent, frozen=True, kw_only=True):
    """A person took a line back."""

    entity_id: str
    step: str
    person_id: str
    note: str = ""


@event("commission.signed", effect=Effect.PERMISSIVE)
class CommissionSigned(ZoneEvent, frozen=True, kw_only=True):
    """A person signed a zone's whole sheet: it is protected."""

    person_id: str
    sheet: str
    note: str = ""


@event("commission.lapsed", effect=Effect.PROTECTIVE)
class CommissionLapsed(ZoneEvent, frozen=True, kw_only=True):
    """Something of a zone is not what was proved: it is not protected any more."""

    code: str
    """changed, or not_durable: the signature never reached the disk."""
    what: tuple[str, ...] = ()
    """Ids of the detectors that changed; ``zone``: its outputs, rules or messages."""


@event("commission.ended")
class CommissionEnded(ZoneEvent, frozen=True, kw_only=True):
    """A zone's test ended without a signature."""

    code: str
    person_id: str = ""
