"""Fold the six steps of a permit."""

import hashlib
from typing import TYPE_CHECKING

import msgspec

from core.api.reading import Value
from core.deadlines import moment
from core.journal.envelope import Envelope
from core.journal.fold import folds
from core.permits import life_events as e
from core.permits.facts import CONTENT
from core.permits.life_state import Life, SlotSigned, Statement
from core.permits.lifecycle import PREPARING, PermitStatus
from core.permits.state import PermitRecord, bump

if TYPE_CHECKING:
    from core.state import SiteState


def content_of(permit: PermitRecord) -> str:
    """Return the SHA-256 of all that a signature stands for (GB 30871 4.18)."""
    life = permit.life
    declared = {
        name: said.value for name, said in life.declared.items() if name in CONTENT
    }
    content = (
        *(permit.id, permit.kind, permit.zone_id, permit.title, permit.supervisor_id),
        *(life.pack, life.unit, life.company, life.job, life.coordinator),
        *(life.from_wall_ns, life.to_wall_ns, life.area, permit.workers),
        *(permit.linked, life.guardians, life.trades, life.fields),
        *(life.hazards, life.measures, declared),
    )
    data = msgspec.msgpack.encode(content, order="deterministic")
    return hashlib.sha256(data).hexdigest()


def _state_facts(
    permit: PermitRecord, by: str, facts: dict[str, Value], envelope: Envelope
) -> None:
    for name, value in facts.items():
        permit.life.declared[name] = Statement(
            value=value,
            by=by,
            wall_ns=envelope.wall_ns,
            mono_ns=envelope.mono_ns,
            boot_id=envelope.boot_id,
        )


def _advance(permit: PermitRecord) -> None:
    """Move on to *briefed* when the approved permit's people all took the briefing."""
    life = permit.life
    ready = set(permit.people()) <= set(life.briefed)
    if permit.status is PermitStatus.APPROVED and ready and life.briefed:
        permit.status = PermitStatus.BRIEFED


@folds(e.PermitBooked)
def _booked(state: "SiteState", body: e.PermitBooked, envelope: Envelope) -> None:
    permit = PermitRecord(
        id=body.permit_id,
        kind=body.kind,
        zone_id=body.zone_id,
        title=body.title,
        issuer_id="",
        supervisor_id=body.supervisor_id,
        guardian_id="",
        workers=[],
        linked=[],
        valid=body.valid,
        status=PermitStatus.BOOKED,
        issued_wall_ns=0,
        life=Life(
            pack=body.pack,
            unit=body.unit,
            company=body.company,
            job=body.job,
            emergency=body.emergency,
            booked_by=body.booked_by,
            replaces=body.replaces,
            from_wall_ns=body.from_wall_ns,
            to_wall_ns=body.to_wall_ns,
            late=envelope.act_ns is not None,
        ),
    )
    permit.life.content = content_of(permit)
    state.permits.permits[permit.id] = permit


@folds(e.PermitEnteredLate)
def _entered(state: "SiteState", body: e.PermitEnteredLate, _: Envelope) -> None:
    state.permits.permits[body.permit_id] = PermitRecord(
        id=body.permit_id,
        kind=body.kind,
        zone_id=body.zone_id,
        title=body.title,
        issuer_id=body.approver_id,
        supervisor_id=body.supervisor_id,
        guardian_id=body.guardians[0] if body.guardians else "",
        workers=list(body.workers),
        linked=[],
        valid=body.valid,
        status=PermitStatus.CLOSED,
        issued_wall_ns=body.from_wall_ns,
        closed_wall_ns=body.to_wall_ns,
        outcome="paper",
        life=Life(
            pack=body.pack,
            unit=body.unit,
            company=body.company,
            booked_by=body.entered_by,
            from_wall_ns=body.from_wall_ns,
            to_wall_ns=body.to_wall_ns,
            guardians=list(body.guardians),
            late=True,
            blank=body.blank,
            scan=body.scan,
            reason=body.reason,
        ),
    )


@folds(e.PermitApplied)
def _applied(state: "SiteState", body: e.PermitApplied, envelope: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is None:
        return
    life = permit.life
    permit.workers, permit.linked = list(body.workers), list(body.linked)
    permit.guardian_id = body.guardians[0] if body.guardians else ""
    life.guardians, life.trades = list(body.guardians), dict(body.trades)
    life.coordinator, life.area = body.coordinator, body.area
    life.fields = dict(body.fields)
    _state_facts(permit, body.by, body.facts, envelope)
    permit.status = PermitStatus.APPLIED
    life.content = content_of(permit)


@folds(e.PermitAnalysed)
def _analysed(state: "SiteState", body: e.PermitAnalysed, _: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is not None:
        permit.life.hazards, permit.life.measures = body.hazards, dict(body.measures)
        permit.life.analysed_by = body.by
        # Who was told of other hazards was not told of these.
        permit.life.told, permit.life.briefed = [], []
        permit.status = PermitStatus.ANALYSED
        permit.life.content = content_of(permit)


@folds(e.PermitDeclared)
def _declared(state: "SiteState", body: e.PermitDeclared, envelope: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is not None:
        _state_facts(permit, body.by, body.facts, envelope)
        if not CONTENT.isdisjoint(body.facts):
            permit.life.content = content_of(permit)


@folds(e.PermitSigned)
def _signed(state: "SiteState", body: e.PermitSigned, envelope: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is not None:
        permit.life.signed[body.slot] = SlotSigned(
            slot=body.slot,
            role=body.role,
            person_id=body.person_id,
            for_id=body.for_id,
            wall_ns=envelope.act_ns or envelope.wall_ns,
            content=body.content,
            place=body.place,
            method=body.method,
            accuracy_m=body.accuracy_m,
            event_id=envelope.id,
            late=envelope.act_ns is not None,
        )


@folds(e.PermitDelegated)
def _delegated(state: "SiteState", body: e.PermitDelegated, _: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is not None:
        permit.life.delegated.setdefault(body.slot, {})[body.to_id] = body.by


@folds(e.PermitApproved)
def _approved(state: "SiteState", body: e.PermitApproved, envelope: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is not None:
        permit.life.approved = True
        permit.issued_wall_ns = envelope.wall_ns
        permit.status = PermitStatus.APPROVED
        _advance(permit)


@folds(e.PermitRejected)
def _rejected(state: "SiteState", body: e.PermitRejected, envelope: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is not None:
        permit.status, permit.outcome = PermitStatus.REJECTED, "rejected"
        permit.closed_wall_ns, permit.life.reason = envelope.wall_ns, body.reason


@folds(e.PermitBriefed)
def _briefed(state: "SiteState", body: e.PermitBriefed, _: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is not None:
        life = permit.life
        life.briefer = body.person_id
        life.told = list(dict.fromkeys((*life.told, *body.people)))


@folds(e.BriefingTaken)
def _taken(state: "SiteState", body: e.BriefingTaken, _: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is not None and body.person_id not in permit.life.briefed:
        permit.life.briefed.append(body.person_id)
        _advance(permit)


@folds(e.PermitStarted)
def _started(state: "SiteState", body: e.PermitStarted, envelope: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is not None:
        permit.status, permit.valid = PermitStatus.ACTIVE, body.valid
        permit.issuer_id = body.person_id
        permit.life.started = permit.life.confirmed = moment(envelope)
        permit.life.paused = None


@folds(e.PermitUnapproved)
def _unapproved(state: "SiteState", body: e.PermitUnapproved, _: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is not None:
        permit.life.signed.pop(body.slot, None)
        permit.life.approved = False
        if permit.status in PREPARING:
            permit.status = PermitStatus.ANALYSED


@folds(e.PermitConfirmed)
def _confirmed(state: "SiteState", body: e.PermitConfirmed, envelope: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is not None:
        permit.life.confirmed = moment(envelope)


@folds(e.GuardianOffered)
def _offered(state: "SiteState", body: e.GuardianOffered, _: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is not None:
        permit.life.offered_to = body.to_id


@folds(e.GuardianTaken)
def _guards(state: "SiteState", body: e.GuardianTaken, _: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is not None:
        life = permit.life
        others = [each for each in life.guardians if each != body.from_id]
        life.guardians = list(dict.fromkeys([body.person_id, *others]))
        permit.guardian_id, life.offered_to = body.person_id, ""
        life.watches += 1


@folds(e.WorkerAdded)
def _worker(state: "SiteState", body: e.WorkerAdded, _: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is not None and body.person_id not in permit.workers:
        permit.workers.append(body.person_id)
        permit.life.added.append(body.person_id)
        if body.trade:
            permit.life.trades[body.person_id] = body.trade


@folds(e.WorkerRemoved)
def _gone(state: "SiteState", body: e.WorkerRemoved, _: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is not None and body.person_id in permit.workers:
        permit.workers.remove(body.person_id)
        permit.life.trades.pop(body.person_id, None)


@folds(e.ShiftOffered)
def _shift_offered(state: "SiteState", body: e.ShiftOffered, _: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is not None:
        permit.life.shift_to, permit.life.shift_guardian = body.to_id, body.guardian_id
        permit.life.shift_notes = body.notes


@folds(e.ShiftTaken)
def _shift_taken(state: "SiteState", body: e.ShiftTaken, envelope: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is not None:
        life = permit.life
        permit.supervisor_id, life.shift_to = body.person_id, ""
        life.confirmed = moment(envelope)
        if body.guardian_id and body.guardian_id != permit.guardian_id:
            others = [each for each in life.guardians if each != permit.guardian_id]
            life.guardians = list(dict.fromkeys([body.guardian_id, *others]))
            permit.guardian_id = body.guardian_id


@folds(e.PermitCompleted)
def _completed(state: "SiteState", body: e.PermitCompleted, envelope: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is not None:
        permit.status = PermitStatus.COMPLETED
        permit.life.completed_by = body.person_id
        permit.life.paused = moment(envelope)


@folds(e.PermitAccepted)
def _accepted(state: "SiteState", body: e.PermitAccepted, _: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is not None:
        permit.status = PermitStatus.ACCEPTED
        permit.life.accepted_by = body.person_id


@folds(e.PermitCancelled)
def _cancelled(state: "SiteState", body: e.PermitCancelled, _: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is not None:
        permit.status = PermitStatus(body.outcome)
        permit.outcome, permit.life.reason = body.outcome, body.reason
        permit.life.replaced_by = body.by_permit


@folds(e.PermitReminded)
def _reminded(state: "SiteState", body: e.PermitReminded, envelope: Envelope) -> None:
    permit = state.permits.permits.get(body.permit_id)
    if permit is not None:  # not counted: nobody's view of the permit is out of date
        permit.life.reminded[body.reminder] = moment(envelope)
