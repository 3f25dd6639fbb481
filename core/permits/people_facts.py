"""The facts about a permit's people: cards, companies, guardian, who is inside.

Only what is certain is told; a lost fix, an untrusted clock or a company that nobody
recorded leaves a fact out, and that is UNKNOWN to every rule (design §5 Truth).
"""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, Final, NamedTuple

from core.api.reading import Value
from core.hub import Hub
from core.journal.events import EVENTS, Event, about
from core.logic.truth import Truth, all_of
from core.people.access import Access
from core.people.cards import Cards, Finding
from core.people.events import (
    CardEvent,
    CompanyEnded,
    CompanyRecorded,
    CompanyWithdrawn,
    HubClaimed,
    PersonErased,
    PersonMoved,
    PersonRecorded,
    PersonRecordWithdrawn,
    RolesChanged,
    RolesWithdrawn,
    TrainingEvent,
)
from core.people.people import People
from core.permits.card_facts import card_facts
from core.permits.guardian_events import GuardianAnswered, GuardianAsked
from core.permits.lifecycle import PermitStatus
from core.permits.pack import Kind, Pack
from core.permits.roster import Roster
from core.permits.state import PermitRecord
from core.site.site import Site

#: The topic in which a guardian is trained and examined (H2).
GUARDIAN_TOPIC: Final = "guardian"
#: How long a guardian's place may be lost before the work is held.
GUARDIAN_LOST_S: Final = 60.0
#: Facts that a lost fix of the guardian leaves open.
_PLACED: Final = ("guardian_present", "guardian_outside", "guardian_count")
#: People may be at work, or on their way out, under these.
_AT_WORK: Final = (PermitStatus.ACTIVE, PermitStatus.HELD, PermitStatus.VERIFYING)
#: Whose duty brings them into any zone; they are no strangers there, unless they
#: work as well or the zone may be entered by those on the permit alone.
_OFFICE: Final = frozenset({"owner", "safety_officer", "issuer", "marshal", "auditor"})
_ABOUT_ONE: Final = (
    *(CardEvent, TrainingEvent, PersonErased, PersonRecorded, PersonRecordWithdrawn),
    *(HubClaimed, RolesChanged, RolesWithdrawn),
)

_OF_FIRMS: Final = (CompanyEnded, CompanyRecorded, CompanyWithdrawn)

_YES, _NO, _OPEN = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN

Values = dict[str, Value]


class _Kept(NamedTuple):
    """Keep what the records say of a permit's people, until one of them changes."""

    kind: Kind
    facts: Values
    named: Truth
    """Whether everybody named may still be at work here."""
    trained: dict[str, Truth]


class _Person(NamedTuple):
    """Keep what the records say of one person, until one of them changes."""

    firm: str
    employed: bool
    trained: Truth
    cards: dict[str, Finding]
    """Trade → what their cards of it are worth."""


class PeopleFacts:
    """Tell what the hub knows of the people whom a permit names."""

    names = frozenset(
        """
card_required card_present card_trade_ok card_valid card_matches_person
guardian_trained guardian_present guardian_outside guardian_sole_duty guardian_count
workers_matched company_registered contract_valid training_valid
""".split()
    )

    def __init__(
        self, hub: Hub, access: Access, people: People, cards: Cards, site: Site
    ) -> None:
        self._hub, self._access, self._people = hub, access, people
        self._cards, self._site = cards, site
        self._day = cards.today()
        self._kept: dict[str, _Kept] = {}
        self._people_kept: dict[str, _Person] = {}
        self._kept_day: date | None = None
        """The site's day for which all of this is kept."""
        self.roster = Roster(hub)
        self.changed: Callable[[Iterable[str]], None] = lambda _permits: None
        self._listen()

    def _listen(self) -> None:
        hub = self._hub
        for kind in EVENTS.values():
            if issubclass(kind, _ABOUT_ONE):
                hub.derive((kind,), lambda body: self.forget(body.person_id))
        hub.derive(_OF_FIRMS, lambda _: self.forget())
        hub.derive(about("permit_id"), lambda body: self._kept.pop(body.permit_id, 0))
        hub.on(PersonMoved, lambda body, _: self._moved(body))
        hub.on(CompanyEnded, lambda body, _: self._company(body.company_id))
        hub.on(CompanyRecorded, lambda body, _: self._company(body.company_id))
        hub.on(CompanyWithdrawn, lambda body, _: self._company(body.company_id))
        for kind in EVENTS.values():
            if issubclass(kind, _ABOUT_ONE):
                hub.on(kind, lambda body, _: self._person(body))
            elif "permit_id" in kind.__struct_fields__:
                hub.on(kind, lambda body, _: self._permit(body))

    # --- room -----------------------------------------------------------------

    def arm(self) -> None:
        """Derive who is named where."""
        self.forget()
        self.roster.rebuild()

    def recover(self, clean: bool) -> None:
        """Derive who is named where, after a replay."""
        self.forget()
        self.roster.rebuild()

    def tick(self) -> None:
        """Judge dates again when the site's day changes."""
        day = self._cards.today()
        if day != self._day:
            self._day = day
            self.changed([permit.id for permit in self.roster.open()])

    # --- answers --------------------------------------------------------------

    def facts(self, permit: PermitRecord, kind: Kind, pack: Pack) -> Values:
        """Return what can be told of a permit's people now."""
        kept = self._records(permit, kind)
        found = dict(kept.facts)
        watching = self._watching(permit)
        first = watching[:1]
        for name, judge in (
            ("guardian_present", self._present),
            ("guardian_outside", self._outside),
            ("guardian_sole_duty", self._sole_duty),
        ):
            truths = [judge(each, permit) for each in first]
            _tell(found, name, all_of(truths) if truths else _NO)
        self._count(permit, kind, kept.trained, found)
        _tell(found, "workers_matched", self._matched(permit, kind, kept.named))
        return found

    def reaction_s(self, fact: str) -> float | None:
        """Return how long a fact may be UNKNOWN, None where its kind decides."""
        return GUARDIAN_LOST_S if fact in _PLACED else None

    def guardian_place(self, guardian: str, permit: PermitRecord) -> str | None:
        """Return a guardian's zone, '' for none of the plan, None when nobody knows.

        What the hub sees stands before what an answer proved a moment ago.
        """
        found = self._people.found(guardian)
        asked = self._hub.state.permits.asked.get(permit.id)
        if found is not None or asked is None or asked.person_id != guardian:
            return found
        left = asked.placed.remaining_ns(self._hub.clock) if asked.placed else None
        return asked.zone_id if left is not None and left > 0 else None

    def near(self, permit: PermitRecord) -> tuple[str, ...]:
        """Return the zones in which a guardian is on the spot."""
        zone_id = permit.zone_id
        return (zone_id, *sorted(self._site.neighbours(zone_id)))

    def alive(self, person_id: str) -> Truth:
        """Say whether a person may still be at work here: known, in a standing firm."""
        if not self._access.employed(person_id):
            return _NO
        return self._cards.standing(person_id)

    # --- records --------------------------------------------------------------

    def _records(self, permit: PermitRecord, kind: Kind) -> _Kept:
        """Return what cards, trainings and companies say today."""
        kept, day = self._kept.get(permit.id), self._cards.today()
        if day != self._kept_day:
            self.forget()
            self._kept_day = day
        elif kept is not None and kept.kind is kind:
            return kept
        known, firms = self._people_kept, dict[str, Truth]()
        alive, taught = [], []
        for person_id in permit.people():
            one = known.get(person_id) or self._person_of(person_id)
            alive.append(self._alive(one, firms))
            taught.append(one.trained)
        if permit.supervisor_id:
            alive.append(self._alive(self._person_of(permit.supervisor_id), firms))
        found = card_facts(self._cards, self._card, permit, kind)
        self._companies({*firms, permit.life.company} - {""}, found)
        _tell(found, "training_valid", all_of(taught) if taught else _OPEN)
        watching = self._watching(permit)
        trained = {each: self._trained(each) for each in watching}
        first = trained[watching[0]] if watching else _NO
        _tell(found, "guardian_trained", first)
        named = all_of(alive)
        kept = self._kept[permit.id] = _Kept(kind, found, named, trained)
        return kept

    def _person_of(self, person_id: str) -> _Person:
        """Return what the records say of one person today."""
        kept = self._people_kept.get(person_id)
        if kept is None:
            kept = self._people_kept[person_id] = _Person(
                self._cards.company_of(person_id),
                self._access.employed(person_id),
                self._training(person_id),
                {},
            )
        return kept

    def _alive(self, one: _Person, firms: dict[str, Truth]) -> Truth:
        """Say whether a person may be at work here; each firm is asked once."""
        standing = firms.get(one.firm)
        if standing is None:
            standing = firms[one.firm] = self._cards.firm(one.firm)
        return standing if one.employed else _NO

    def _card(self, person_id: str, trade: str) -> Finding:
        kept = self._person_of(person_id).cards
        found = kept.get(trade)
        if found is None:
            found = kept[trade] = self._cards.judge(person_id, trade)
        return found

    def forget(self, person_id: str = "") -> None:
        """Forget what was kept of a person and of their permits, or of all."""
        if person_id:
            self._people_kept.pop(person_id, None)
            for permit_id in self.roster.permits_of((person_id,)):
                self._kept.pop(permit_id, None)
        else:
            self._people_kept.clear()
            self._kept.clear()

    def _own(self, permit: PermitRecord) -> Iterable[str]:
        lead = (permit.supervisor_id,) if permit.supervisor_id else ()
        return dict.fromkeys((*permit.people(), *lead))

    # --- the guardian ---------------------------------------------------------

    def _watching(self, permit: PermitRecord) -> list[str]:
        """Return the guardians, the one who answers for the work first."""
        named = (permit.guardian_id, *permit.life.guardians)
        return list(dict.fromkeys(each for each in named if each))

    def _trained(self, guardian: str) -> Truth:
        trained = self._cards.trained(guardian, GUARDIAN_TOPIC)
        return all_of((trained, self.alive(guardian)))

    def _present(self, guardian: str, permit: PermitRecord) -> Truth:
        found = self.guardian_place(guardian, permit)
        if found is None:
            return _OPEN
        near = found == permit.zone_id or found in self._site.neighbours(permit.zone_id)
        return _YES if found and near else _NO

    def _outside(self, guardian: str, permit: PermitRecord) -> Truth:
        found = self.guardian_place(guardian, permit)
        if found is None:
            return _OPEN
        return _NO if found == permit.zone_id else _YES

    def _sole_duty(self, guardian: str, permit: PermitRecord) -> Truth:
        permits = self._hub.state.permits.permits
        for permit_id in self.roster.permits_of((guardian,)):
            other = permits[permit_id]
            if guardian in other.workers:
                return _NO
            if other.id == permit.id or other.status not in _AT_WORK:
                continue
            same_job = bool(permit.life.job) and other.life.job == permit.life.job
            if guardian in self._watching(other) and not same_job:
                return _NO
        return _YES

    def _count(
        self,
        permit: PermitRecord,
        kind: Kind,
        trained: dict[str, Truth],
        found: Values,
    ) -> None:
        """Count the guardians who certainly watch; tell nothing while one may."""
        truths = [
            all_of(
                (
                    self._present(each, permit),
                    able,
                    self._sole_duty(each, permit),
                    self._outside(each, permit) if kind.guardian.outside else _YES,
                )
            )
            for each, able in trained.items()
        ]
        if _OPEN not in truths:
            found["guardian_count"] = truths.count(_YES)

    # --- who is inside --------------------------------------------------------

    def _matched(self, permit: PermitRecord, kind: Kind, named: Truth) -> Truth:
        if named is _NO:
            return named
        allowed = self._allowed(permit)
        strangers = [
            self._people.in_zone(person_id, permit.zone_id)
            for person_id in self.roster.last_in(permit.zone_id)
            if person_id not in allowed and not self._in_office(person_id, kind)
        ]
        if _YES in strangers:
            return _NO
        return _OPEN if _OPEN in strangers else named

    def _allowed(self, permit: PermitRecord) -> set[str]:
        """Return who may be in a permit's zone: its people, and the other works'."""
        allowed = set(self._own(permit))
        for permit_id in self.roster.in_zone(permit.zone_id):
            other = self._hub.state.permits.permits[permit_id]
            if other.status in _AT_WORK:
                allowed.update((*other.people(), other.supervisor_id))
        return allowed

    def _in_office(self, person_id: str, kind: Kind) -> bool:
        if kind.guardian.outside:
            return False
        roles = self._access.roles(person_id)
        return "worker" not in roles and not roles.isdisjoint(_OFFICE)

    # --- companies and trainings ----------------------------------------------

    def _companies(self, ids: set[str], found: Values) -> None:
        if not ids:
            return
        found["company_registered"] = ids <= self._cards.state.companies.keys()
        contracts = all_of([self._cards.contract(each) for each in ids])
        _tell(found, "contract_valid", contracts)

    def _training(self, person_id: str) -> Truth:
        """Say whether a person is trained, and no training is out of date."""
        held = self._cards.state.trainings.get(person_id, {})
        days = [t.valid_to for topic, t in held.items() if topic != GUARDIAN_TOPIC]
        return all_of([self._cards.counts(day) for day in days] or [_NO])

    # --- changes --------------------------------------------------------------

    def _moved(self, body: PersonMoved) -> None:
        touched = self.roster.permits_of((body.person_id,))
        for zone_id in self.roster.passed(body.person_id):
            touched |= self.roster.in_zone(zone_id)
        self._tell_changed(touched)

    def _person(self, body: Any) -> None:
        self._tell_changed(self.roster.permits_of((body.person_id,)))

    def _company(self, company_id: str) -> None:
        theirs = [p for p in self.roster.named() if self._of(p, company_id)]
        touched = self.roster.permits_of(theirs)
        for permit in self.roster.open():
            if permit.life.company == company_id:
                touched.add(permit.id)
        self._tell_changed(touched)

    def _of(self, person_id: str, company_id: str) -> bool:
        return self._cards.company_of(person_id) == company_id

    def _permit(self, body: Event) -> None:
        """Hear of a permit's change: it may free or bind others of its people."""
        permit_id = getattr(body, "permit_id", "")
        touched = self.roster.touched(permit_id)
        if isinstance(body, GuardianAsked | GuardianAnswered):
            touched.add(permit_id)
        self._tell_changed(touched)

    def _tell_changed(self, permits: set[str]) -> None:
        if permits:
            self.changed(sorted(permits))


def _tell(found: Values, name: str, truth: Truth) -> None:
    if truth is not _OPEN:
        found[name] = truth is _YES
