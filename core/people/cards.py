"""Cards, trainings and companies: who may do which work today (H2, H4, 1.68).

Days are the site's own; a card counts through its last day. What a date decides
is UNKNOWN while the wall clock is not to be trusted (design §5).
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import NamedTuple

from core.api.reading import Value
from core.clock import NS
from core.hub import Hub
from core.journal.envelope import Cause, Envelope
from core.logic.truth import Truth
from core.people.access import Access
from core.people.cards_desk import CardsDesk
from core.people.cards_state import CardRecord, CardsState, CompanyRecord
from core.people.events import CardExpiring, CompanyEnded

#: Days before its end at which a card is told of, and the day it has ended.
WARN_DAYS = (30, 7, 1, 0)
#: Where the zone's rules are missing, days end as early as anywhere on Earth.
_EARLIEST = timezone(timedelta(hours=14))
_RANK = {Truth.FALSE: 0, Truth.UNKNOWN: 1, Truth.TRUE: 2}
Told = Callable[..., list[str]]


class Finding(NamedTuple):
    """Say whether a card counts, why not as a short code, and which card."""

    truth: Truth
    why: str = ""
    card_id: str = ""


def _nowhere(_person_id: str) -> tuple[list[str], list[str]]:
    """Tell of nothing, until the response listens."""
    return [], []


class Cards:
    """Keep files, cards and companies; answer whether a person may do a trade."""

    def __init__(self, hub: Hub, access: Access, tell: Told | None = None) -> None:
        self._hub, self._access, self._tell = hub, access, tell
        self._zone: tzinfo = _EARLIEST
        self._looked: date | None = None
        self._today, self._day = date.min, ""
        self._from_ns = self._to_ns = 0
        self._by_person: dict[str, list[CardRecord]] = {}
        self._counted = -1
        self._companies: dict[str, str] = {}
        """Person id → company, of the bundle."""
        self.stands_in: Callable[[str], tuple[list[str], list[str]]] = _nowhere
        """Return a person's open permits, and the roll calls that look for them."""
        CardsDesk(self, hub, access)
        hub.on(CardExpiring, self._expiring)

    def arm(self) -> None:
        """Take the site's time zone; its people may belong to an ended company."""
        from zoneinfo import ZoneInfo  # late: it reads Python's own build facts

        try:
            self._zone = ZoneInfo(self._hub.bundle.site.time_zone)
        except (KeyError, OSError, ValueError):
            self._zone = _EARLIEST
        people = self._hub.bundle.people
        self._companies = {person.id: person.company for person in people}
        self._looked, self._to_ns, self._counted = None, 0, -1

    def recover(self, clean: bool) -> None:
        """Look again at what ended while the hub was off."""
        self._looked, self._counted = None, -1

    def tick(self) -> None:
        """End companies and tell of cards, once for each day of the site."""
        today = self.today()
        if today is None or today == self._looked:
            return
        self._looked = today
        for company_id, company in list(self.state.companies.items()):
            self._look_at_company(company_id, company, today)
        for card in list(self.state.cards.values()):
            self._look_at_card(card, today)

    # --- answers --------------------------------------------------------------

    def look_again(self) -> None:
        """Look at every company and card anew with the next tick."""
        self._looked = None

    def today(self) -> date | None:
        """Return the site's day; None while the wall clock is not to be trusted."""
        now = self._hub.clock.wall_ns()
        if not self._hub.clock.synced():
            return None
        if not self._from_ns <= now < self._to_ns:
            self._new_day(now)
        return self._today

    def _new_day(self, now_ns: int) -> None:
        """Keep the day of a moment, and from when to when it lasts."""
        wall = datetime.fromtimestamp(now_ns / NS, UTC).astimezone(self._zone)
        self._today = wall.date()
        self._day = self._today.isoformat()
        midnight = datetime.combine(self._today, datetime.min.time(), self._zone)
        self._from_ns = int(midnight.timestamp()) * NS
        tomorrow = midnight.replace(tzinfo=None) + timedelta(days=1)
        self._to_ns = int(tomorrow.replace(tzinfo=self._zone).timestamp()) * NS

    def _of(self, person_id: str) -> list[CardRecord]:
        """Return a person's cards; a card once recorded stays in the state."""
        cards = self.state.cards
        if len(cards) != self._counted:
            self._by_person = {}
            for card in cards.values():
                self._by_person.setdefault(card.person_id, []).append(card)
            self._counted = len(cards)
        return self._by_person.get(person_id, [])

    def valid(self, person_id: str, trade: str) -> Truth:
        """Say whether a person has a card of a trade that counts today (H4)."""
        return self.judge(person_id, trade).truth

    def judge(self, person_id: str, trade: str) -> Finding:
        """Return the best of a person's cards of a trade, and what is wrong.

        Codes: no_card, withdrawn, expired, review_overdue, not_yet, mismatch,
        company_ended, registry_unknown, clock_untrusted.
        """
        company = self._company(person_id)
        if company is Truth.FALSE:
            return Finding(Truth.FALSE, "company_ended")
        found = [
            self._judge_card(card)
            for card in self._of(person_id)
            if card.trade == trade
        ]
        if not found:
            return Finding(Truth.FALSE, "no_card")
        best = max(found, key=lambda finding: _RANK[finding.truth])
        if best.truth is Truth.TRUE and company is not Truth.TRUE:
            return best._replace(truth=Truth.UNKNOWN, why="clock_untrusted")
        return best

    def trained(self, person_id: str, topic: str) -> Truth:
        """Say whether a person's training in a topic counts today (H2)."""
        facts = self.state.trainings.get(person_id, {}).get(topic)
        if facts is None:
            return Truth.FALSE
        return self.counts(facts.valid_to)

    def company_valid(self, person_id: str) -> Truth:
        """Say whether a person's company is admitted today; UNKNOWN if not recorded."""
        if self.company_of(person_id) not in self.state.companies:
            return Truth.UNKNOWN
        return self._company(person_id)

    def standing(self, person_id: str) -> Truth:
        """Say whether nothing of a person's company speaks against them."""
        return self._company(person_id)

    def counts(self, day: str) -> Truth:
        """Say whether a day has not passed; without one it never does."""
        if not day:
            return Truth.TRUE
        if self.today() is None:
            return Truth.UNKNOWN
        return Truth.TRUE if self._day <= day else Truth.FALSE

    def contract(self, company_id: str) -> Truth:
        """Say whether a company's contract stands today; FALSE if not recorded."""
        company = self.state.companies.get(company_id)
        if company is None or company.facts.ended:
            return Truth.FALSE
        return self.counts(company.facts.valid_to)

    def firm(self, company_id: str) -> Truth:
        """Say whether nothing of a company speaks against its people today."""
        company = self.state.companies.get(company_id)
        if company is None:
            return Truth.TRUE
        if company.facts.ended:
            return Truth.FALSE
        return self.counts(company.facts.valid_to)

    def company_of(self, person_id: str) -> str:
        """Return a person's company: the file's word stands before the bundle's."""
        facts = self.state.persons.get(person_id)
        if facts is not None and facts.company_id:
            return facts.company_id
        return self._companies.get(person_id, "")

    @property
    def state(self) -> CardsState:
        """Return the fold's part."""
        return self._hub.state.people.cards

    def _company(self, person_id: str) -> Truth:
        """Say whether nothing of a person's company speaks against them."""
        return self.firm(self.company_of(person_id))

    def _judge_card(self, card: CardRecord) -> Finding:
        if card.withdrawn:
            return Finding(Truth.FALSE, "withdrawn", card.id)
        if card.verdict in ("mismatch", "expired"):
            return Finding(Truth.FALSE, card.verdict, card.id)
        if self.today() is None:
            return Finding(Truth.UNKNOWN, "clock_untrusted", card.id)
        if why := _out_of_date(card, self._day):
            return Finding(Truth.FALSE, why, card.id)
        if card.verdict == "unknown":
            return Finding(Truth.UNKNOWN, "registry_unknown", card.id)
        return Finding(Truth.TRUE, "", card.id)

    # --- days -----------------------------------------------------------------

    def _look_at_company(
        self, company_id: str, company: CompanyRecord, today: date
    ) -> None:
        facts = company.facts
        over = bool(facts.valid_to) and today.isoformat() > facts.valid_to
        if facts.ended:
            # People whom a new bundle brings to a company that has ended.
            late = set(self.people_of(company_id)) - set(company.ended_people)
            if late:
                self.end(company_id, facts.ended, Cause(actor="hub:core"))
        elif over:
            self.end(company_id, "contract_over", Cause(actor="hub:core"))

    def _look_at_card(self, card: CardRecord, today: date) -> None:
        if card.withdrawn:
            return
        ends = min(day for day in (card.valid_to, card.review_by) if day)
        left = (date.fromisoformat(ends) - today).days
        near = [0] if left < 0 else [days for days in WARN_DAYS if left <= days > 0]
        if not near:
            return
        days = min(near)
        if card.warned is None or days < card.warned:
            body = CardExpiring(
                card_id=card.id, person_id=card.person_id, trade=card.trade, days=days
            )
            self._hub.emit(body)

    def _expiring(self, body: CardExpiring, envelope: Envelope) -> None:
        if self._tell is None:
            return
        params: dict[str, Value] = {
            "person": body.person_id,
            "trade": body.trade,
            "days": body.days,
        }
        self._tell(
            roles=("safety_officer",),
            channels=("screen",),
            code="card.expiring" if body.days else "card.expired",
            params=params,
            about=f"card:{body.card_id}:{body.days}",
            cause=Cause(actor="hub:core", parent=envelope.id),
        )

    def people_of(self, company_id: str) -> list[str]:
        """Return the known people of a company."""
        ids = [*self._access.persons(), *self.state.persons]
        return [p for p in dict.fromkeys(ids) if self.company_of(p) == company_id]

    def end(self, company_id: str, code: str, cause: Cause, by: str = "") -> None:
        """End a company: one event takes its people's cards and roles."""
        people = self.people_of(company_id)
        owners = [p for p in people if "owner" in self._access.roles(p)]
        self._hub.emit(
            CompanyEnded(
                company_id=company_id,
                code=code,
                people=tuple(people),
                owners=tuple(owners),
                by=by,
            ),
            cause,
        )


def _out_of_date(card: CardRecord, day: str) -> str:
    """Return why a card does not count on a day, or ''."""
    if day > card.valid_to:
        return "expired"
    if day < card.valid_from:
        return "not_yet"
    if card.review_by and day > card.review_by:
        return "review_overdue"
    return ""
