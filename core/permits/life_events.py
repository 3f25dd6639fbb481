"""Events of a permit's six steps, from the booking to the acceptance."""

import msgspec

from core.api.reading import Value
from core.deadlines import Deadline
from core.journal.envelope import Effect
from core.journal.events import Event, event

Given = Value | tuple[Value, ...]


class Hazard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Name one hazard of the work, its risk and how it is controlled."""

    text: str
    control: str
    risk: str = ""
    """As the site grades it: 1 … 5, low, high, …"""


class Mark(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Confirm one measure of the form, or say that it is not involved."""

    involved: bool
    note: str = ""
    """What was done; the text of the form's free line."""


class PermitEvent(Event, frozen=True, kw_only=True):
    """Base of a permit's events."""

    permit_id: str


@event("permit.booked")
class PermitBooked(PermitEvent, frozen=True, kw_only=True):
    """Work was announced: kind, place, time and who answers for it."""

    kind: str
    pack: str
    """Digest of the rule pack by which this permit is judged to its end."""
    zone_id: str
    title: str
    unit: str
    supervisor_id: str
    booked_by: str
    valid: Deadline
    """The planned end; nothing may be started after it."""
    from_wall_ns: int
    to_wall_ns: int
    company: str = ""
    job: str = ""
    """Works of one job carry the same word; their permits must be linked."""
    emergency: bool = False
    replaces: str = ""
    """Permit that this one stands for, because its content changed."""


@event("permit.entered_late")
class PermitEnteredLate(PermitEvent, frozen=True, kw_only=True):
    """Work that a numbered paper form permitted in an outage is put on record.

    It is over, and permits nothing any more.
    """

    blank: str
    kind: str
    pack: str
    zone_id: str
    title: str
    unit: str
    supervisor_id: str
    approver_id: str
    entered_by: str
    workers: tuple[str, ...]
    guardians: tuple[str, ...]
    valid: Deadline
    from_wall_ns: int
    to_wall_ns: int
    company: str = ""
    reason: str = ""
    """Why there was no other way."""
    scan: str = ""


@event("permit.applied")
class PermitApplied(PermitEvent, frozen=True, kw_only=True):
    """The form was filled in: people, place and facts; from now it is content."""

    by: str
    guardians: tuple[str, ...]
    workers: tuple[str, ...]
    trades: dict[str, str]
    linked: tuple[str, ...]
    coordinator: str
    area: bytes = b""
    """The place's own shape as JSON (core.permits.areas); empty: the zone's."""
    fields: dict[str, Given] = {}
    facts: dict[str, Value] = {}


@event("permit.analysed")
class PermitAnalysed(PermitEvent, frozen=True, kw_only=True):
    """Hazards were named and every measure of the form was answered."""

    by: str
    hazards: tuple[Hazard, ...]
    measures: dict[str, Mark]


@event("permit.declared")
class PermitDeclared(PermitEvent, frozen=True, kw_only=True):
    """A person states facts about the place or the work; the last word counts."""

    by: str
    facts: dict[str, Value]


@event("permit.signed")
class PermitSigned(PermitEvent, frozen=True, kw_only=True):
    """A person signed one slot of the form over the content as it stands."""

    slot: str
    role: str
    person_id: str
    content: str
    for_id: str = ""
    """Who delegated the right; empty when it is the signer's own."""
    place: str = "unknown"
    """true, false or unknown: was the signer on the spot?"""
    method: str = ""
    """How the place was found: uwb, nfc, qr, gnss, hand, …"""
    accuracy_m: float | None = None


@event("permit.delegated")
class PermitDelegated(PermitEvent, frozen=True, kw_only=True):
    """Who may sign a slot lets another authorised person sign it."""

    slot: str
    by: str
    to_id: str


@event("permit.approved", effect=Effect.PERMISSIVE)
class PermitApproved(PermitEvent, frozen=True, kw_only=True):
    """The last approver signed."""

    slot: str


@event("permit.rejected")
class PermitRejected(PermitEvent, frozen=True, kw_only=True):
    """A person of the chain refused; a new booking is needed."""

    person_id: str
    reason: str


@event("permit.briefed")
class PermitBriefed(PermitEvent, frozen=True, kw_only=True):
    """People were told hazards, measures and ways out."""

    person_id: str
    people: tuple[str, ...]
    topics: tuple[str, ...] = ()
    video: str = ""
    """Name of the recording, when there is one."""


@event("permit.briefing_taken")
class BriefingTaken(PermitEvent, frozen=True, kw_only=True):
    """A person who was briefed says so with the own signature."""

    person_id: str


@event("permit.started", effect=Effect.PERMISSIVE)
class PermitStarted(PermitEvent, frozen=True, kw_only=True):
    """Every rule held at the place: work may begin."""

    person_id: str
    valid: Deadline


@event("permit.unapproved", effect=Effect.PROTECTIVE)
class PermitUnapproved(PermitEvent, frozen=True, kw_only=True):
    """An approval that the disk did not keep is taken back with its signature."""

    slot: str


@event("permit.confirmed", effect=Effect.PERMISSIVE)
class PermitConfirmed(PermitEvent, frozen=True, kw_only=True):
    """Long work was looked at again and may go on."""

    person_id: str


@event("guardian.offered")
class GuardianOffered(PermitEvent, frozen=True, kw_only=True):
    """The guardian asks another person to take over: the first of two scans."""

    person_id: str
    to_id: str


@event("guardian.taken", effect=Effect.PERMISSIVE)
class GuardianTaken(PermitEvent, frozen=True, kw_only=True):
    """The other person took over: the second scan."""

    person_id: str
    from_id: str


@event("permit.worker_added", effect=Effect.PERMISSIVE)
class WorkerAdded(PermitEvent, frozen=True, kw_only=True):
    """One more person works under the permit, once briefed."""

    person_id: str
    trade: str
    by: str


@event("permit.worker_removed")
class WorkerRemoved(PermitEvent, frozen=True, kw_only=True):
    """A person works under the permit no more."""

    person_id: str
    by: str


@event("permit.shift_offered")
class ShiftOffered(PermitEvent, frozen=True, kw_only=True):
    """The supervisor hands the work over to the next shift's."""

    person_id: str
    to_id: str
    guardian_id: str
    notes: str


@event("permit.shift_taken", effect=Effect.PERMISSIVE)
class ShiftTaken(PermitEvent, frozen=True, kw_only=True):
    """The next shift's supervisor took over, after a gas test of the own."""

    person_id: str
    guardian_id: str


@event("permit.completed", effect=Effect.PROTECTIVE)
class PermitCompleted(PermitEvent, frozen=True, kw_only=True):
    """Work has ended; nobody works under the permit any more."""

    person_id: str


@event("permit.accepted")
class PermitAccepted(PermitEvent, frozen=True, kw_only=True):
    """The place was looked over after the work and taken back."""

    person_id: str


@event("permit.cancelled", effect=Effect.PROTECTIVE)
class PermitCancelled(PermitEvent, frozen=True, kw_only=True):
    """The permit ended before its work did; head count goes on while needed."""

    person_id: str
    reason: str
    outcome: str = "cancelled"
    """cancelled, withdrawn (taken back for a breach) or superseded."""
    by_permit: str = ""


@event("permit.denied")
class PermitDenied(PermitEvent, frozen=True, kw_only=True):
    """A step was refused by a rule of the law; the park hears of it by its code."""

    person_id: str
    step: str
    rules: tuple[str, ...]
    aq: tuple[str, ...] = ()


@event("permit.reminded")
class PermitReminded(PermitEvent, frozen=True, kw_only=True):
    """People were told of a time that comes near or has passed."""

    reminder: str
