"""From the hub's permits and holds to AQ 3064.2 records: pure, one event at a time.

The same journal gives the same records, whoever derives them and how often.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from core.clock import NS
from core.config import EMPTY, Bundle
from core.journal.envelope import Envelope
from core.journal.events import Event
from core.permits.events import (
    GasTest,
    PermitClosed,
    PermitExpired,
    PermitIssued,
    PermitRetested,
)
from core.permits.life_events import PermitEnteredLate
from core.permits.state import PermitRecord
from core.state import SiteState
from frontend_api.exchange import aq, breaches, cards, legal
from frontend_api.exchange.breaches import OpenAlarm
from frontend_api.exchange.settings import Card, Place, Settings

#: Hub status → TICKETSTATUS. What is not proven allowed is paused, never working.
STATUSES = {
    **dict.fromkeys(("booked", "applied", "analysed"), aq.Status.UNSIGNED),
    **dict.fromkeys(("approved", "briefed"), aq.Status.ISSUED),
    **dict.fromkeys(("active", "completed"), aq.Status.WORKING),
    **dict.fromkeys(("held", "verifying"), aq.Status.PAUSED),
    **dict.fromkeys(("accepted", "closed"), aq.Status.ACCEPTED),
    **dict.fromkeys(("rejected", "expired", "superseded"), aq.Status.VOID),
    **dict.fromkeys(("cancelled", "withdrawn"), aq.Status.WITHDRAWN),
}
_US = "Safehold"


class Memo(msgspec.Struct):
    """Keep of one permit what the site's state does not."""

    created_ns: int = 0
    created_by: str = _US
    ended_ns: int = 0
    checked_ns: int = 0
    gas: dict[str, GasTest] = {}
    alarms: dict[str, OpenAlarm] = {}
    updated_s: dict[str, int] = {}
    told: dict[str, str] = {}
    """Record id → hash of its content but the stamp, to tell news from echo."""


class Book(msgspec.Struct):
    """Keep the memos of all permits that the site's state holds."""

    permits: dict[str, Memo] = {}


class Owed(NamedTuple):
    """One record that the platform must get; ``problem`` says why it cannot."""

    kind: str
    id: str
    updated: str
    body: bytes
    problem: str = ""
    params: dict[str, str] = {}


class MappingError(Exception):
    """The site's facts do not suffice; ``code`` and ``params`` name the mend."""

    def __init__(self, code: str, **params: str) -> None:
        super().__init__(code)
        self.code, self.params = code, params


class Mapper:
    """Turn journal events into owed records; ``book`` is all it remembers."""

    def __init__(
        self,
        settings: Settings,
        book: Book | None = None,
        number: cards.Number = cards.nobody,
    ) -> None:
        self.settings, self.book = settings, book or Book()
        self._number, self._cards = number, dict[str, Card]()
        self.bundle: Bundle = EMPTY
        self._legal = legal.Legal()

    def take(self, body: Event, envelope: Envelope, state: SiteState) -> Iterator[Owed]:
        """Yield what one event makes owed; ``state`` has folded it already."""
        permit_id = str(getattr(body, "permit_id", ""))
        permit = state.permits.permits.get(permit_id)
        if permit is None or not envelope.type.startswith(("permit.", "guardian.")):
            return
        self._legal.learn(state, permit)
        if not self._legal.owes(permit, self.settings.types):
            return
        if isinstance(body, PermitIssued) or permit_id not in self.book.permits:
            self.book.permits.setdefault(permit_id, self._memo(permit, envelope))
        memo = self.book.permits[permit_id]
        self._note(body, envelope, memo)
        self._learn(permit, state)
        alarms = list(self._alarms(body, envelope, permit, memo))
        yield from self._ticket(body, envelope, permit, memo)
        yield from alarms

    def _learn(self, permit: PermitRecord, state: SiteState) -> None:
        """Take the workers' cards: the hub's own before those that the site wrote."""
        self._cards = self.settings.cards | cards.of(permit, state, self._number)

    def _memo(self, permit: PermitRecord, envelope: Envelope) -> Memo:
        gas = {test.quantity: test for test in permit.tests}
        author = permit.life.booked_by or permit.issuer_id
        by = self._person(author) if author else _US
        return Memo(created_ns=_act_ns(envelope), created_by=by, gas=gas)

    def _note(self, body: Event, envelope: Envelope, memo: Memo) -> None:
        if isinstance(body, PermitRetested | PermitIssued):
            memo.gas.update({test.quantity: test for test in body.tests})
        elif isinstance(body, (PermitClosed, PermitExpired, *legal.ENDS)):
            memo.ended_ns = memo.ended_ns or _act_ns(envelope)
        elif isinstance(body, PermitEnteredLate):
            memo.ended_ns = memo.checked_ns = body.to_wall_ns
        elif isinstance(body, legal.CHECKS):
            memo.checked_ns = _act_ns(envelope)

    # --- tickets --------------------------------------------------------------

    def _ticket(
        self, body: Event, envelope: Envelope, permit: PermitRecord, memo: Memo
    ) -> Iterator[Owed]:
        record_id = aq.uuid_of("ticket", permit.id)
        try:
            record = self.ticket(permit, memo, body)
        except MappingError as bad:
            updated = self._time(self._update(record_id, envelope, memo))
            yield Owed("ticket", record_id, updated, b"{}", bad.code, bad.params)
            return
        yield from self._owe("ticket", record, envelope, memo)

    def ticket(
        self, permit: PermitRecord, memo: Memo, body: Event | None = None
    ) -> aq.Ticket:
        """Return a permit's ticket without the update's stamp; raises MappingError."""
        company = self.settings.company
        place = self._place(permit.zone_id)
        if company is None or place is None:
            raise MappingError("aq.settings_missing")
        status = _status(permit)
        return aq.Ticket(
            ID=aq.uuid_of("ticket", permit.id),
            COMPANYNAME=company.name,
            COMPANYCODE=company.code,
            TICKETTYPE=self._type(permit),
            **self._proved(permit, memo),
            ENDTIME=self._end(permit, memo.ended_ns),
            TICKETPOSITION=self._zone(permit.zone_id),
            TICKETCONTENT=permit.title,
            CHECKEDTIME=self._end(permit, self._checked(permit, memo, status)),
            LONGITUDE=place.longitude,
            LATITUDE=place.latitude,
            TICKETSTATUS=status,
            **self._people(permit, company.name),
            **self._causes(permit, status, body),
            DELETED=aq.flag(False),
            CREATEDATE=self._time(memo.created_ns),
            CREATEBY=memo.created_by,
            UPDATEDATE="",
            UPDATEBY="",
        )

    def _proved(self, permit: PermitRecord, memo: Memo) -> dict[str, Any]:
        """Return gas and times: of the six steps, or of the one."""
        if permit.life.pack:
            times = legal.Times(memo.created_ns, memo.ended_ns, memo.checked_ns)
            return {
                **legal.gas(permit, self.bundle, self._time),
                **legal.moments(permit, times, self._time),
            }
        names, times_, values = self._gas(memo)
        issued = self._time(permit.issued_wall_ns)
        told = {"GASNAME": names, "GASTIME": times_, "GASVALUE": values}
        return {**told, "ISSUETIME": issued, "STARTTIME": issued}

    def _checked(self, permit: PermitRecord, memo: Memo, status: aq.Status) -> int:
        if status is not aq.Status.ACCEPTED:
            return 0
        return memo.checked_ns or memo.ended_ns or permit.closed_wall_ns

    def _people(self, permit: PermitRecord, own: str) -> dict[str, Any]:
        mobiles = self.settings.mobiles
        held = [self._cards[w] for w in permit.workers if w in self._cards]
        leader = permit.supervisor_id
        # Where the law asks for no guardian, whoever leads the work answers for it.
        guards = permit.life.guardians or [permit.guardian_id or leader]
        return {
            "SUPERVISORNAME": _joined(map(self._person, guards)),
            "WORKERNAME": _joined(self._person(w) for w in permit.workers),
            "WORKERCERTINAME": _joined(card.name for card in held) or None,
            "WORKERCERTINUM": _joined(card.number for card in held) or None,
            "WORKDEPARTMENT": self._department(permit, own),
            "ISCONTRACTORWORK": aq.flag(self._contractors(permit, own)),
            "TICKETRESPONSNAME": self._person(leader),
            "MAJORPERSONMOBILE": mobiles.get(leader, self.settings.mobile),
            **legal.people(permit, own),
        }

    def _causes(
        self, permit: PermitRecord, status: aq.Status, body: Event | None
    ) -> dict[str, Any]:
        withdrawn = status is aq.Status.WITHDRAWN
        cause = permit.life.reason or str(getattr(body, "reason", ""))
        changed = legal.changes(permit)
        return {
            "ISCHANGED": aq.flag(bool(changed)),
            "CHANGEDCAUSE": changed or None,
            "ISCANCELLED": aq.flag(withdrawn),
            "CANCELLEDCAUSE": (cause or "撤销") if withdrawn else None,
        }

    def anew(self, record_id: str, state: SiteState, wall_ns: int) -> Owed | None:
        """Return a ticket as it stands, for one that the settings kept back.

        None while the permit is not there, or still cannot be told.
        """
        for permit_id, memo in self.book.permits.items():
            permit = state.permits.permits.get(permit_id)
            if permit is not None:
                self._legal.learn(state, permit)
            if permit is None or aq.uuid_of("ticket", permit_id) != record_id:
                continue
            self._learn(permit, state)
            try:
                record = self.ticket(permit, memo)
            except MappingError:
                return None
            second = max(wall_ns // NS, memo.updated_s.get(record_id, -1) + 1)
            memo.updated_s[record_id] = second
            memo.told[record_id] = _content(record)
            updated = self._time(second * NS)
            whole = msgspec.structs.replace(record, UPDATEDATE=updated, UPDATEBY=_US)
            return Owed("ticket", record_id, updated, msgspec.json.encode(whole))
        return None

    def _gas(self, memo: Memo) -> tuple[str | None, str | None, str | None]:
        """Return names, times and values side by side; a silent meter has none."""
        told = [t for t in memo.gas.values() if t.value is not None]
        if not told:
            return None, None, None
        named = {q.id: q.names.zh for q in self.bundle.quantities}
        return (
            _joined(named.get(t.quantity, t.quantity) for t in told),
            _joined(self._time(t.measured_wall_ns) for t in told),
            _joined(f"{t.value:g}{t.unit}" for t in told),
        )

    def _end(self, permit: PermitRecord, known_ns: int) -> str | None:
        if known_ns:
            return self._time(known_ns)
        if self.settings.unknown_time == "planned":
            return self._time(permit.valid.start_wall_ns + permit.valid.duration_ns)
        return None if self.settings.unknown_time == "null" else ""

    def _type(self, permit: PermitRecord) -> str:
        # A pack's kind brings the code of table A.2 with it.
        kind = self._legal.kind(permit)
        found = self.settings.types.get(permit.kind) or (kind.code if kind else "")
        if found not in aq.TICKET_TYPES:
            raise MappingError("aq.kind_unmapped", kind=permit.kind)
        return found

    def _place(self, zone_id: str) -> Place | None:
        return self.settings.zones.get(zone_id) or self.settings.position

    def _zone(self, zone_id: str) -> str:
        for zone in self.bundle.site.zones:
            if zone.id == zone_id:
                return zone.names.zh
        return zone_id

    def _person(self, person_id: str) -> str:
        names = {person.id: person.name for person in self.bundle.people}
        return names.get(person_id, person_id).replace(aq.COMMA, " ")

    def _firm(self, person_id: str) -> str:
        return {p.id: p.company for p in self.bundle.people}.get(person_id, "")

    def _department(self, permit: PermitRecord, own: str) -> str:
        firms = [self._firm(w) for w in (permit.supervisor_id, *permit.workers)]
        return next(filter(None, firms), own)

    def _contractors(self, permit: PermitRecord, own: str) -> bool:
        return any(self._firm(w) not in ("", own) for w in permit.workers)

    # --- alarms ---------------------------------------------------------------

    def _alarms(
        self, body: Event, envelope: Envelope, permit: PermitRecord, memo: Memo
    ) -> Iterator[Owed]:
        kinds = self.settings.alarms
        new = breaches.begun(body, envelope, memo.alarms, kinds, _US)
        memo.alarms.update(new)
        for key in new:
            yield from self._told(key, permit, envelope, memo)
        ended, result = breaches.over(body, memo.alarms)
        for key in ended:
            if key in memo.alarms:
                at_ns = _act_ns(envelope)
                yield from self._told(key, permit, envelope, memo, at_ns, result)
                del memo.alarms[key]

    def _told(
        self,
        key: str,
        permit: PermitRecord,
        envelope: Envelope,
        memo: Memo,
        end_ns: int = 0,
        result: str = "",
    ) -> Iterator[Owed]:
        alarm = memo.alarms[key]
        record = aq.AqAlarm(
            ID=aq.uuid_of("alarm", key),
            TICKETID=aq.uuid_of("ticket", permit.id),
            ALARMSTARTTIME=self._time(alarm.start_ns),
            ALARMTYPE=alarm.type,
            ALARMENDTIME=self._time(end_ns) if end_ns else None,
            ALARMRESULT=result or None,
            DELETED=aq.flag(False),
            CREATEDATE=self._time(alarm.start_ns),
            CREATEBY=alarm.by,
            UPDATEDATE="",
            UPDATEBY="",
        )
        yield from self._owe("alarm", record, envelope, memo)

    # --- stamps ---------------------------------------------------------------

    def _owe(
        self,
        kind: str,
        record: aq.Ticket | aq.AqAlarm,
        envelope: Envelope,
        memo: Memo,
    ) -> Iterator[Owed]:
        content = _content(record)
        if memo.told.get(record.ID) == content:
            return
        memo.told[record.ID] = content
        updated = self._time(self._update(record.ID, envelope, memo))
        by = self._actor(envelope)
        whole = msgspec.structs.replace(record, UPDATEDATE=updated, UPDATEBY=by)
        yield Owed(kind, record.ID, updated, msgspec.json.encode(whole))

    def _update(self, record_id: str, envelope: Envelope, memo: Memo) -> int:
        """Return the update's time; it rises, so (ID, UPDATEDATE) stands once."""
        second = max(envelope.wall_ns, memo.created_ns) // NS
        second = max(second, memo.updated_s.get(record_id, -1) + 1)
        memo.updated_s[record_id] = second
        return second * NS

    def _actor(self, envelope: Envelope) -> str:
        kind, _, name = envelope.cause.actor.partition(":")
        return self._person(name) if kind == "person" else _US

    def _time(self, wall_ns: int) -> str:
        return datetime.fromtimestamp(wall_ns // NS, aq.ZONE).strftime(aq.TIME_FORMAT)


def _content(record: aq.Ticket | aq.AqAlarm) -> str:
    return sha256(msgspec.json.encode(record)).hexdigest()[:16]


def _status(permit: PermitRecord) -> aq.Status:
    told = str(permit.status)
    if told == "closed":
        told = legal.OUTCOMES.get(permit.outcome, "withdrawn")
    found = STATUSES.get(told)
    if found is None:
        raise MappingError("aq.status_unmapped", status=told)
    return found


def _act_ns(envelope: Envelope) -> int:
    return envelope.act_ns or envelope.wall_ns


def _joined(parts: Iterable[str]) -> str:
    return aq.COMMA.join(part.replace(aq.COMMA, " ") for part in parts)
