"""What a person may do with files, cards, trainings and companies."""

from datetime import date
from typing import TYPE_CHECKING, Generic, TypeVar

from core.api.errors import Refused
from core.hub import Hub
from core.journal.envelope import Cause
from core.people import acts
from core.people.access import Access, Answer
from core.people.cards_state import CardRecord
from core.people.events import (
    CardDoubted,
    CardRecorded,
    CardVerified,
    CardWithdrawn,
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
    from core.people.cards import Cards

FactsT = TypeVar("FactsT")


class Before(Generic[FactsT]):
    """Remember what stood before each change that is not durable yet."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._kept: dict[str, list[FactsT | None]] = {}

    def remember(self, key: str, facts: FactsT | None) -> None:
        """Keep what stands now; the next event changes it."""
        self._kept.setdefault(key, []).append(facts)

        def forget(durable: bool) -> None:
            if durable:
                del self._kept[key][0]

        self._hub.when_durable(self._hub.state.seq + 1, forget)

    def take(self, key: str) -> list[FactsT | None]:
        """Return what stood before the oldest change, if one is left, as a list."""
        return self._kept.pop(key, [])[:1]


class CardsDesk:
    """Carry out the acts, and take back what the disk failed."""

    def __init__(self, cards: "Cards", hub: Hub, access: Access) -> None:
        self._cards, self._hub, self._access = cards, hub, access
        self._companies: Before[CompanyFacts] = Before(hub)
        self._persons: Before[PersonFacts] = Before(hub)
        self._trainings: Before[TrainingFacts] = Before(hub)
        bind = access.bind
        bind(acts.RecordCompany, self._record_company)
        bind(acts.EndCompany, self._end_company)
        bind(acts.RecordPerson, self._record_person)
        bind(acts.ErasePerson, self._erase_person)
        bind(acts.RecordCard, self._record_card)
        bind(acts.WithdrawCard, self._withdraw_card)
        bind(acts.VerifyCard, self._verify_card)
        bind(acts.DoubtCard, self._doubt_card)
        bind(acts.RecordTraining, self._record_training)
        hub.undo(CompanyRecorded, self._company_back)
        hub.undo(PersonRecorded, self._person_back)
        hub.undo(CardRecorded, self._card_back)
        hub.undo(CardVerified, self._doubt_back)
        hub.undo(TrainingRecorded, self._training_back)

    # --- acts -----------------------------------------------------------------

    def _record_company(
        self, actor: str, act: acts.RecordCompany, _version: int | None, cause: Cause
    ) -> Answer:
        _check_day(act.valid_to)
        facts = CompanyFacts(contractor=act.contractor, valid_to=act.valid_to)
        known = self._cards.state.companies.get(act.company_id)
        self._companies.remember(act.company_id, known.facts if known else None)
        self._hub.emit(
            CompanyRecorded(company_id=act.company_id, facts=facts, by=actor), cause
        )
        self._cards.look_again()
        return {"company_id": act.company_id}

    def _end_company(
        self, actor: str, act: acts.EndCompany, _version: int | None, cause: Cause
    ) -> Answer:
        known = act.company_id in self._cards.state.companies
        if not known and not self._cards.people_of(act.company_id):
            raise Refused("company.unknown", company=act.company_id)
        self._cards.end(act.company_id, "by_hand", cause, by=actor)
        return {"company_id": act.company_id}

    def _record_person(
        self, actor: str, act: acts.RecordPerson, _version: int | None, cause: Cause
    ) -> Answer:
        if act.person_id in self._cards.state.erased:
            raise Refused("person.erased", person=act.person_id)
        company = self._cards.state.companies.get(act.company_id)
        if company is not None and company.facts.ended:
            raise Refused("company.ended", company=act.company_id)
        enrolled = not self._access.known(act.person_id)
        self._persons.remember(
            act.person_id, self._cards.state.persons.get(act.person_id)
        )
        facts = PersonFacts(
            company_id=act.company_id, fields=act.fields, photo=act.photo
        )
        self._hub.emit(
            PersonRecorded(
                person_id=act.person_id, facts=facts, enrolled=enrolled, by=actor
            ),
            cause,
        )
        self._cards.look_again()
        return {"person_id": act.person_id, "enrolled": enrolled}

    def _erase_person(
        self, actor: str, act: acts.ErasePerson, _version: int | None, cause: Cause
    ) -> Answer:
        self._known(act.person_id)
        if "owner" in self._access.roles(act.person_id):
            raise Refused("person.is_owner", person=act.person_id)
        permits, calls = self._cards.stands_in(act.person_id)
        if permits:
            named = ", ".join(permits)
            raise Refused("person.on_permit", person=act.person_id, permits=named)
        if calls:
            named = ", ".join(calls)
            raise Refused("person.on_roll", person=act.person_id, evacuation=named)
        self._hub.emit(PersonErased(person_id=act.person_id, by=actor), cause)
        return {"person_id": act.person_id}

    def _record_card(
        self, actor: str, act: acts.RecordCard, _version: int | None, cause: Cause
    ) -> Answer:
        self._known(act.person_id)
        for day in (act.valid_from, act.valid_to, act.review_by):
            _check_day(day)
        if act.valid_from > act.valid_to:
            raise Refused("card.days_crossed", start=act.valid_from, end=act.valid_to)
        card_id = self._hub.ids.new()
        self._hub.emit(
            CardRecorded(
                card_id=card_id,
                person_id=act.person_id,
                trade=act.trade,
                kind=act.kind,
                valid_from=act.valid_from,
                valid_to=act.valid_to,
                review_by=act.review_by,
                document=act.document,
                by=actor,
            ),
            cause,
        )
        self._cards.look_again()
        return {"card_id": card_id}

    def _withdraw_card(
        self, actor: str, act: acts.WithdrawCard, _version: int | None, cause: Cause
    ) -> Answer:
        card = self._card(act.card_id)
        self._hub.emit(
            CardWithdrawn(
                card_id=card.id, person_id=card.person_id, code=act.code, by=actor
            ),
            cause,
        )
        return {"card_id": card.id}

    def _verify_card(
        self, actor: str, act: acts.VerifyCard, _version: int | None, cause: Cause
    ) -> Answer:
        card = self._card(act.card_id)
        self._hub.emit(
            CardVerified(
                card_id=card.id,
                person_id=card.person_id,
                source=act.source,
                evidence=act.evidence,
                by=actor,
            ),
            cause,
        )
        return {"card_id": card.id}

    def _doubt_card(
        self, actor: str, act: acts.DoubtCard, _version: int | None, cause: Cause
    ) -> Answer:
        card = self._card(act.card_id)
        self._hub.emit(
            CardDoubted(
                card_id=card.id,
                person_id=card.person_id,
                verdict=act.verdict,
                source=act.source,
                evidence=act.evidence,
                by=actor,
            ),
            cause,
        )
        return {"card_id": card.id}

    def _record_training(
        self, actor: str, act: acts.RecordTraining, _version: int | None, cause: Cause
    ) -> Answer:
        self._known(act.person_id)
        _check_day(act.valid_to)
        topics = self._cards.state.trainings.get(act.person_id, {})
        key = f"{act.person_id}/{act.topic}"
        self._trainings.remember(key, topics.get(act.topic))
        facts = TrainingFacts(valid_to=act.valid_to, document=act.document)
        self._hub.emit(
            TrainingRecorded(
                person_id=act.person_id, topic=act.topic, facts=facts, by=actor
            ),
            cause,
        )
        return {"person_id": act.person_id, "topic": act.topic}

    def _known(self, person_id: str) -> None:
        """Refuse strangers, and those whose data were destroyed."""
        if person_id in self._cards.state.erased:
            raise Refused("person.erased", person=person_id)
        if not self._access.known(person_id):
            raise Refused("act.person_unknown", person=person_id)

    def _card(self, card_id: str) -> CardRecord:
        """Return a card that counts; refuses others."""
        card = self._cards.state.cards.get(card_id)
        if card is None:
            raise Refused("card.unknown", card=card_id)
        if card.withdrawn:
            raise Refused("card.withdrawn", card=card_id, reason=card.withdrawn)
        return card

    # --- what the disk failed -------------------------------------------------

    def _company_back(self, body: CompanyRecorded) -> None:
        for before in self._companies.take(body.company_id):
            self._hub.emit(CompanyWithdrawn(company_id=body.company_id, before=before))

    def _person_back(self, body: PersonRecorded) -> None:
        for before in self._persons.take(body.person_id):
            self._hub.emit(
                PersonRecordWithdrawn(
                    person_id=body.person_id, before=before, unenrolled=body.enrolled
                )
            )

    def _card_back(self, body: CardRecorded) -> None:
        self._hub.emit(
            CardWithdrawn(
                card_id=body.card_id, person_id=body.person_id, code="not_durable"
            )
        )

    def _doubt_back(self, body: CardVerified) -> None:
        self._hub.emit(
            CardDoubted(
                card_id=body.card_id,
                person_id=body.person_id,
                verdict="unknown",
                source=body.source,
            )
        )

    def _training_back(self, body: TrainingRecorded) -> None:
        for before in self._trainings.take(f"{body.person_id}/{body.topic}"):
            self._hub.emit(
                TrainingWithdrawn(
                    person_id=body.person_id, topic=body.topic, before=before
                )
            )


def _check_day(day: str) -> None:
    """Refuse a day that no calendar has; '' is no day."""
    try:
        if day:
            date.fromisoformat(day)
    except ValueError:
        raise Refused("card.no_such_day", day=day) from None
