"""Keys of devices, verified presence, consent to faces: what the journal tells."""

from core.journal.envelope import Effect
from core.journal.events import Event, event


class KeyEvent(Event, frozen=True, kw_only=True):
    """Base of what happens to one device's key."""

    key_id: str
    person_id: str
    """Whose it is; '' for a terminal."""

    def index_key(self) -> str:
        """Name the key."""
        return self.key_id


@event("key.enrolled", effect=Effect.PERMISSIVE)
class KeyEnrolled(KeyEvent, frozen=True, kw_only=True):
    """A device proved that it holds a key; its cause's proof is signed with it."""

    public: str
    """Raw point of P-256, 130 hex digits."""
    label: str
    device: str
    """phone or terminal."""
    zone_id: str = ""
    """Where a terminal stands."""
    pending: bool = False
    """True: it signs nothing until another person approves it."""
    by: str


@event("key.approved", effect=Effect.PERMISSIVE)
class KeyApproved(KeyEvent, frozen=True, kw_only=True):
    """A second person agreed to a key."""

    by: str


@event("key.revoked", effect=Effect.PROTECTIVE)
class KeyRevoked(KeyEvent, frozen=True, kw_only=True):
    """A key signs no more; what it signed before stays valid."""

    code: str
    """lost, replaced, left, by_hand, company_ended, erased or not_durable."""
    by: str = ""


@event("person.verified", effect=Effect.PERMISSIVE)
class PersonVerified(Event, frozen=True, kw_only=True):
    """A person proved to be this person, in this zone, by a signed act."""

    person_id: str
    zone_id: str
    method: str
    """key, terminal, pin_witness or face."""
    place: str
    """How the place was found: uwb, gate, nfc, qr, ble or gnss."""
    accuracy_m: float | None = None
    age_s: float = 0.0


@event("person.unverified", effect=Effect.PROTECTIVE)
class PersonUnverified(Event, frozen=True, kw_only=True):
    """A verification that never became durable was taken back."""

    person_id: str


@event("face.consented", effect=Effect.PERMISSIVE)
class FaceConsented(Event, frozen=True, kw_only=True):
    """A person agreed that a template in the vault may be compared with them."""

    person_id: str
    template: str
    """Salted hash under which the vault keeps it."""


@event("face.withdrawn", effect=Effect.PROTECTIVE)
class FaceWithdrawn(Event, frozen=True, kw_only=True):
    """The consent ended: the template is compared no more, and its key destroyed."""

    person_id: str
    template: str = ""
