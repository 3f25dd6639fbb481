"""Who has which card, training and company, as the journal tells it."""

from typing import TYPE_CHECKING

import msgspec

from core.journal.envelope import Envelope
from core.journal.fold import folds
from core.people.events import (
    CardDoubted,
    CardExpiring,
    CardRecorded,
    CardVerified,
    CardWithdrawn,
    CompanyEnded,
    CompanyFacts,
    CompanyRecorded,
    CompanyWithdrawn,
    PersonErased,
    PersonFacts,
    PersonRecorded,
    PersonRecordWithdrawn,
    TrainingFacts,
    TrainingRecorded,
    TrainingWithdrawn,
)

if TYPE_CHECKING:
    from core.state import SiteState


class CardRecord(msgspec.Struct, kw_only=True):
    """Hold one card; days are ISO dates of the site, inclusive."""

    id: str
    person_id: str
    trade: str
    kind: str
    valid_from: str
    valid_to: str
    review_by: str
    document: str
    withdrawn: str = ""
    """Why it counts no more; '' while it counts."""
    verdict: str = ""
    """The registry's last word: valid, expired, mismatch, unknown; '' never asked."""
    evidence: str = ""
    warned: int | None = None
    """Fewest days left that were told."""


class CompanyRecord(msgspec.Struct, kw_only=True):
    """Hold one company and whom its end has already taken."""

    facts: CompanyFacts
    ended_people: list[str] = []


class CardsState(msgspec.Struct, kw_only=True):
    """Hold files, cards and trainings; blobs are named, never held."""

    persons: dict[str, PersonFacts] = {}
    erased: dict[str, int] = {}
    """Person id → wall ns of the erasure."""
    erased_seq: dict[str, int] = {}
    """Person id → seq of the word that destroys their key."""
    cards: dict[str, CardRecord] = {}
    trainings: dict[str, dict[str, TrainingFacts]] = {}
    """Person id → topic → training."""
    companies: dict[str, CompanyRecord] = {}
    named: dict[str, list[str]] = {}
    """Person id → every blob that an event ever named; the vault keeps no other."""

    def name(self, person_id: str, *names: str) -> None:
        """Note the blobs that an event names."""
        known = self.named.setdefault(person_id, [])
        known += [each for each in names if each and each not in known]

    def of(self, person_id: str) -> list[CardRecord]:
        """Return a person's cards, withdrawn ones too."""
        return [c for c in self.cards.values() if c.person_id == person_id]


@folds(CompanyRecorded)
def _company(state: "SiteState", body: CompanyRecorded, _: Envelope) -> None:
    state.people.cards.companies[body.company_id] = CompanyRecord(facts=body.facts)


@folds(CompanyWithdrawn)
def _company_back(state: "SiteState", body: CompanyWithdrawn, _: Envelope) -> None:
    companies = state.people.cards.companies
    if body.before is None:
        companies.pop(body.company_id, None)
    else:
        companies[body.company_id] = CompanyRecord(facts=body.before)


@folds(CompanyEnded)
def _company_ended(state: "SiteState", body: CompanyEnded, _: Envelope) -> None:
    cards = state.people.cards
    company = cards.companies.setdefault(
        body.company_id, CompanyRecord(facts=CompanyFacts())
    )
    company.facts = msgspec.structs.replace(company.facts, ended=body.code)
    people = {*company.ended_people, *body.people}
    company.ended_people = sorted(people)
    for card in cards.cards.values():
        if card.person_id in body.people:
            card.withdrawn = card.withdrawn or "company_ended"
    for person_id in body.people:
        if person_id not in body.owners:
            state.people.roles[person_id] = []


@folds(PersonRecorded)
def _person(state: "SiteState", body: PersonRecorded, _: Envelope) -> None:
    state.people.cards.persons[body.person_id] = body.facts
    state.people.cards.name(body.person_id, body.facts.fields, body.facts.photo)
    if body.enrolled:
        state.people.roles[body.person_id] = ["worker"]


@folds(PersonRecordWithdrawn)
def _person_back(state: "SiteState", body: PersonRecordWithdrawn, _: Envelope) -> None:
    persons = state.people.cards.persons
    if body.before is None:
        persons.pop(body.person_id, None)
    else:
        persons[body.person_id] = body.before
    if body.unenrolled:
        state.people.roles.pop(body.person_id, None)


@folds(PersonErased)
def _erased(state: "SiteState", body: PersonErased, envelope: Envelope) -> None:
    cards = state.people.cards
    cards.persons.pop(body.person_id, None)
    cards.trainings.pop(body.person_id, None)
    cards.named.pop(body.person_id, None)
    cards.erased[body.person_id] = envelope.wall_ns
    cards.erased_seq[body.person_id] = envelope.seq
    state.people.roles[body.person_id] = []
    for card in cards.of(body.person_id):
        card.withdrawn = card.withdrawn or "erased"


@folds(CardRecorded)
def _card(state: "SiteState", body: CardRecorded, _: Envelope) -> None:
    state.people.cards.name(body.person_id, body.document)
    state.people.cards.cards[body.card_id] = CardRecord(
        id=body.card_id,
        person_id=body.person_id,
        trade=body.trade,
        kind=body.kind,
        valid_from=body.valid_from,
        valid_to=body.valid_to,
        review_by=body.review_by,
        document=body.document,
    )


@folds(CardWithdrawn)
def _card_withdrawn(state: "SiteState", body: CardWithdrawn, _: Envelope) -> None:
    card = state.people.cards.cards.get(body.card_id)
    if card is not None:
        card.withdrawn = body.code


@folds(CardVerified)
def _verified(state: "SiteState", body: CardVerified, _: Envelope) -> None:
    card = state.people.cards.cards.get(body.card_id)
    if card is not None:
        card.verdict, card.evidence = "valid", body.evidence
        state.people.cards.name(card.person_id, body.evidence)


@folds(CardDoubted)
def _doubted(state: "SiteState", body: CardDoubted, _: Envelope) -> None:
    card = state.people.cards.cards.get(body.card_id)
    if card is not None:
        card.verdict, card.evidence = body.verdict, body.evidence
        state.people.cards.name(card.person_id, body.evidence)


@folds(CardExpiring)
def _expiring(state: "SiteState", body: CardExpiring, _: Envelope) -> None:
    card = state.people.cards.cards.get(body.card_id)
    if card is not None:
        card.warned = body.days


@folds(TrainingRecorded)
def _training(state: "SiteState", body: TrainingRecorded, _: Envelope) -> None:
    topics = state.people.cards.trainings.setdefault(body.person_id, {})
    topics[body.topic] = body.facts
    state.people.cards.name(body.person_id, body.facts.document)


@folds(TrainingWithdrawn)
def _training_back(state: "SiteState", body: TrainingWithdrawn, _: Envelope) -> None:
    topics = state.people.cards.trainings.get(body.person_id, {})
    if body.before is None:
        topics.pop(body.topic, None)
    else:
        topics[body.topic] = body.before
