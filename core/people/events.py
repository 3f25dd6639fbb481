"""Presence, role and card events; names and keys live outside the chain."""

import msgspec

from core.journal.envelope import Effect
from core.journal.events import Event, event

#: Zone id of a person who was found and is in no zone; None is unknown.
OUTSIDE = ""


@event("hub.claimed", effect=Effect.PERMISSIVE)
class HubClaimed(Event, frozen=True, kw_only=True):
    """The first owner proved possession of the claim code."""

    person_id: str


@event("person.roles", effect=Effect.PERMISSIVE)
class RolesChanged(Event, frozen=True, kw_only=True):
    """A person's roles on this site were set by a named person."""

    person_id: str
    roles: tuple[str, ...]
    by: str


@event("person.roles_withdrawn", effect=Effect.PROTECTIVE)
class RolesWithdrawn(Event, frozen=True, kw_only=True):
    """Roles that never became durable were taken back; these stand again."""

    person_id: str
    roles: tuple[str, ...] | None
    """None: the journal had told none, the bundle's stand."""
    unclaimed: bool = False
    """True when the claim itself was lost: the hub may be claimed again."""


@event("person.moved")
class PersonMoved(Event, frozen=True, kw_only=True):
    """A person was found in another zone; None means unknown, never 'outside'.

    '' (`OUTSIDE`) means found, and in no zone of the plan.
    """

    person_id: str
    zone_id: str | None
    source: str
    """Entity id of the tag, 'gate', 'hand' or 'lost'."""


class CompanyFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Tell what is on record of a company; dates are ISO days of the site."""

    contractor: bool = True
    valid_to: str = ""
    """Last day of its contract; '' has no end."""
    ended: str = ""
    """Why it ended: by_hand, contract_over; '' while it stands."""


class PersonFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Name a person's company and the vault's blobs: never what is in them."""

    company_id: str = ""
    fields: str = ""
    """Salted hash of the personal fields, under which the vault keeps them."""
    photo: str = ""


class TrainingFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Tell until when a training counts; '' has no end."""

    valid_to: str = ""
    document: str = ""


@event("company.recorded", effect=Effect.PERMISSIVE)
class CompanyRecorded(Event, frozen=True, kw_only=True):
    """A company was admitted to the site, or its contract's end was changed."""

    company_id: str
    facts: CompanyFacts
    by: str

    def index_key(self) -> str:
        """Name the company."""
        return self.company_id


@event("company.withdrawn", effect=Effect.PROTECTIVE)
class CompanyWithdrawn(Event, frozen=True, kw_only=True):
    """A record that never became durable was taken back; ``before`` stands again."""

    company_id: str
    before: CompanyFacts | None

    def index_key(self) -> str:
        """Name the company."""
        return self.company_id


@event("company.ended", effect=Effect.PROTECTIVE)
class CompanyEnded(Event, frozen=True, kw_only=True):
    """A company's work here ended: its people's cards and roles end with it.

    One event, so that no stop can fall between the company and its people.
    """

    company_id: str
    code: str
    people: tuple[str, ...]
    """All whose cards end, and whose roles end unless they are in ``owners``."""
    owners: tuple[str, ...] = ()
    by: str = ""

    def index_key(self) -> str:
        """Name the company."""
        return self.company_id


@event("person.recorded", effect=Effect.PERMISSIVE)
class PersonRecorded(Event, frozen=True, kw_only=True):
    """A person's file was opened or renewed; ``enrolled`` makes them a worker."""

    person_id: str
    facts: PersonFacts
    enrolled: bool = False
    by: str


@event("person.record_withdrawn", effect=Effect.PROTECTIVE)
class PersonRecordWithdrawn(Event, frozen=True, kw_only=True):
    """A file that never became durable was taken back; ``before`` stands again."""

    person_id: str
    before: PersonFacts | None
    unenrolled: bool = False


@event("person.erased", effect=Effect.PROTECTIVE)
class PersonErased(Event, frozen=True, kw_only=True):
    """A person's data were destroyed: the key is gone, cards and roles ended."""

    person_id: str
    by: str


class CardEvent(Event, frozen=True, kw_only=True):
    """Base of what happens to one card."""

    card_id: str
    person_id: str

    def index_key(self) -> str:
        """Name the card: two cards of one person are never coalesced."""
        return self.card_id


@event("card.recorded", effect=Effect.PERMISSIVE)
class CardRecorded(CardEvent, frozen=True, kw_only=True):
    """A trade card was put on a person's file (H4); its number is in the vault."""

    trade: str
    kind: str
    valid_from: str = ""
    valid_to: str
    review_by: str = ""
    """Day by which the card must be reviewed; data, as the rules change."""
    document: str
    by: str


@event("card.withdrawn", effect=Effect.PROTECTIVE)
class CardWithdrawn(CardEvent, frozen=True, kw_only=True):
    """A card counts no more."""

    code: str
    """lost, replaced, revoked, wrong, left or not_durable."""
    by: str = ""


@event("card.verified", effect=Effect.PERMISSIVE)
class CardVerified(CardEvent, frozen=True, kw_only=True):
    """The issuer's registry called a card valid; the answer is in the vault."""

    source: str
    evidence: str
    by: str


@event("card.doubted", effect=Effect.PROTECTIVE)
class CardDoubted(CardEvent, frozen=True, kw_only=True):
    """The issuer's registry did not call a card valid."""

    verdict: str
    """expired, mismatch or unknown."""
    source: str
    evidence: str = ""
    by: str = ""


@event("card.expiring")
class CardExpiring(CardEvent, frozen=True, kw_only=True):
    """A card has this many days left, or none: told once for 30, 7, 1 and 0."""

    trade: str
    days: int


class TrainingEvent(Event, frozen=True, kw_only=True):
    """Base of what happens to one person's training in one topic."""

    person_id: str
    topic: str

    def index_key(self) -> str:
        """Name the person and the topic."""
        return f"{self.person_id}/{self.topic}"


@event("training.recorded", effect=Effect.PERMISSIVE)
class TrainingRecorded(TrainingEvent, frozen=True, kw_only=True):
    """A person was trained and examined in a topic (H2)."""

    facts: TrainingFacts
    by: str


@event("training.withdrawn", effect=Effect.PROTECTIVE)
class TrainingWithdrawn(TrainingEvent, frozen=True, kw_only=True):
    """A training that never became durable was taken back; ``before`` stands."""

    before: TrainingFacts | None
