"""What a person may do on a permit's way through its six steps."""

from typing import Annotated

import msgspec

from core.api.reading import Value
from core.geometry.shapes import Area
from core.journal.envelope import Effect
from core.people.acts import Act, Line, Note, Word, Words, act
from core.permits.life_events import Given, Hazard, Mark

_ASK = ("worker", "guardian", "supervisor", "issuer", "safety_officer")
_LEAD = ("supervisor", "issuer", "safety_officer")


_MANY = msgspec.Meta(max_length=200)
_Trades = Annotated[dict[Word, Word], _MANY]
_Fields = Annotated[dict[Word, Given], _MANY]
_Facts = Annotated[dict[Word, Value], _MANY]
_Measures = Annotated[dict[Word, Mark], _MANY]
_Hazards = Annotated[tuple[Hazard, ...], msgspec.Meta(max_length=100)]


@act("permit.book", *_ASK)
class BookPermit(Act, frozen=True, kw_only=True):
    """Announce a work a day ahead, or as an emergency on the same day."""

    kind: Word
    zone_id: Word
    title: Line
    unit: Line
    supervisor_id: Word
    from_ms: int
    to_ms: int
    company: Word = ""
    job: Word = ""
    emergency: bool = False


@act("permit.book_late", *_LEAD, signed=True)
class BookLatePermit(Act, frozen=True, kw_only=True):
    """Put work on record that a numbered paper form permitted in an outage."""

    blank: Word
    """Number of the form: <site>-B-<six digits>."""
    kind: Word
    zone_id: Word
    title: Line
    unit: Line
    supervisor_id: Word
    approver_id: Word
    from_ms: int
    to_ms: int
    workers: Words
    guardians: Words = ()
    company: Word = ""
    reason: Note
    """Why there was no other way."""
    scan: Word = ""
    """Attachment that shows the filled form; empty: the paper alone."""


@act("permit.apply", *_LEAD, signed=True)
class ApplyPermit(Act, frozen=True, kw_only=True):
    """Fill in the form: people, place, fields and facts of the work."""

    permit_id: Word
    workers: Words
    guardians: Words = ()
    trades: _Trades = {}
    """Worker → trade, where a card is needed."""
    linked: Words = ()
    coordinator: Word = ""
    area: Area | None = None
    """The place's own shape, heights and what it brings along; None: the zone's."""
    fields: _Fields = {}
    facts: _Facts = {}


@act("permit.analyse", *_LEAD, signed=True)
class AnalysePermit(Act, frozen=True, kw_only=True):
    """Name the hazards and answer every measure of the form."""

    permit_id: Word
    hazards: _Hazards
    measures: _Measures


@act("permit.declare", *_ASK, signed=True)
class DeclareFacts(Act, frozen=True, kw_only=True):
    """State facts about the work or the place; the last word counts."""

    permit_id: Word
    facts: _Facts


@act("permit.sign", *_ASK, "marshal", signed=True)
class SignPermit(Act, frozen=True, kw_only=True):
    """Sign a slot of the form over the content that the signer saw."""

    permit_id: Word
    slot: Word
    content: Word
    for_id: Word = ""
    """The person whose right was delegated to the signer."""


@act("permit.delegate", *_LEAD, signed=True)
class DelegateSlot(Act, frozen=True, kw_only=True):
    """Let an authorised person sign a slot in one's own place."""

    permit_id: Word
    slot: Word
    to_id: Word


@act("permit.reject", *_LEAD, signed=True)
class RejectPermit(Act, frozen=True, kw_only=True):
    """Refuse a permit that is not yet started."""

    permit_id: Word
    reason: Note


@act("permit.brief", *_LEAD, signed=True)
class BriefPeople(Act, frozen=True, kw_only=True):
    """Record that people were told hazards, measures and ways out."""

    permit_id: Word
    people: Words
    topics: Words = ()
    video: Word = ""


@act("permit.take_briefing", *_ASK, signed=True)
class TakeBriefing(Act, frozen=True, kw_only=True):
    """Say with the own signature that one was briefed."""

    permit_id: Word


@act("permit.start", *_LEAD, effect=Effect.PERMISSIVE, signed=True)
class StartPermit(Act, frozen=True, kw_only=True):
    """Begin the work; every rule must be TRUE at this moment."""

    permit_id: Word


@act("permit.confirm", *_LEAD, "guardian", effect=Effect.PERMISSIVE, signed=True)
class ConfirmPermit(Act, frozen=True, kw_only=True):
    """Confirm long work again after having looked at it."""

    permit_id: Word


@act("guardian.hand_over", "guardian", *_LEAD, signed=True)
class HandOverGuard(Act, frozen=True, kw_only=True):
    """Ask another person to take over as guardian: the first scan."""

    permit_id: Word
    to_id: Word


@act("guardian.take_over", "guardian", effect=Effect.PERMISSIVE, signed=True)
class TakeOverGuard(Act, frozen=True, kw_only=True):
    """Take over as guardian: the second scan."""

    permit_id: Word


@act("permit.add_worker", *_LEAD, effect=Effect.PERMISSIVE, signed=True)
class AddWorker(Act, frozen=True, kw_only=True):
    """Let one more person work under the permit, once briefed."""

    permit_id: Word
    person_id: Word
    trade: Word = ""


@act("permit.remove_worker", *_LEAD, signed=True)
class RemoveWorker(Act, frozen=True, kw_only=True):
    """Let a person work under the permit no more."""

    permit_id: Word
    person_id: Word


@act("permit.offer_shift", *_LEAD, signed=True)
class OfferShift(Act, frozen=True, kw_only=True):
    """Hand the work over to the next shift's supervisor and guardian."""

    permit_id: Word
    to_id: Word
    guardian_id: Word = ""
    notes: Note = ""


@act("permit.take_shift", *_LEAD, effect=Effect.PERMISSIVE, signed=True)
class TakeShift(Act, frozen=True, kw_only=True):
    """Take the work over, after a gas test made since it was offered."""

    permit_id: Word


@act("permit.complete", *_LEAD, signed=True)
class CompletePermit(Act, frozen=True, kw_only=True):
    """Say that the work has ended."""

    permit_id: Word


@act("permit.withdraw", "guardian", *_LEAD, effect=Effect.PROTECTIVE)
class WithdrawPermit(Act, frozen=True, kw_only=True):
    """Take a permit back for a breach or an abnormal plant; the work stops."""

    permit_id: Word
    reason: str


@act("permit.supersede", *_LEAD, signed=True)
class SupersedePermit(Act, frozen=True, kw_only=True):
    """Book a new permit in place of one whose content has changed."""

    permit_id: Word
    reason: Note
    zone_id: Word = ""
    title: Line = ""
    from_ms: int = 0
    to_ms: int = 0


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Name one step that may be taken now, and by whom."""

    verb: str
    slot: str = ""
    roles: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
