"""Permits and their holds."""

from typing import TYPE_CHECKING

import msgspec

from core.deadlines import Deadline, moment
from core.journal.envelope import Envelope
from core.journal.fold import folds
from core.permits.attachments_state import AttachmentsState
from core.permits.entries_state import EntryState
from core.permits.events import (
    GasTest,
    Hold,
    PermitClosed,
    PermitExpired,
    PermitHeld,
    PermitIssued,
    PermitReleased,
    PermitRetested,
    PermitVerified,
    PermitVerifying,
)
from core.permits.gas_tests_state import GasSite, GasState
from core.permits.guardian_state import Asked
from core.permits.isolation_state import IsolationState
from core.permits.life_state import Life
from core.permits.lifecycle import BROKEN_OFF, FINAL, RUNNING, PermitStatus
from core.permits.packs_state import PacksState
from core.permits.surroundings_state import SurroundingsState

if TYPE_CHECKING:
    from core.state import SiteState


class HoldRecord(msgspec.Struct, kw_only=True):
    """Hold one hold with its times and the tests made since."""

    hold: Hold
    since_wall_ns: int
    since_mono_ns: int
    seq: int
    tests: list[GasTest] = []


class PermitRecord(msgspec.Struct, kw_only=True):
    """Hold one permit; ``version`` counts its events for expected_version."""

    id: str
    kind: str
    zone_id: str
    title: str
    issuer_id: str
    supervisor_id: str
    guardian_id: str
    workers: list[str]
    linked: list[str]
    valid: Deadline
    status: PermitStatus
    issued_wall_ns: int
    tests: list[GasTest] = []
    holds: dict[str, HoldRecord] = {}
    verify_until: Deadline | None = None
    closed_wall_ns: int = 0
    outcome: str = ""
    version: int = 1
    gas: GasState = msgspec.field(default_factory=GasState)
    entries: EntryState = msgspec.field(default_factory=EntryState)
    attachments: AttachmentsState = msgspec.field(default_factory=AttachmentsState)
    life: Life = msgspec.field(default_factory=Life)

    @property
    def ended(self) -> bool:
        """Say whether nobody can be at work under it and nobody may be counted."""
        if self.status in FINAL:
            return True
        legal = bool(self.life.pack)
        return legal and self.status in BROKEN_OFF and self.life.started is None

    def people(self) -> tuple[str, ...]:
        """Return everyone who works under it or watches over it, each once."""
        named = (*self.workers, self.guardian_id, *self.life.guardians)
        each = dict.fromkeys(named)
        each.pop("", None)
        return tuple(each)


class PermitsState(msgspec.Struct, kw_only=True):
    """Hold every permit that is not archived."""

    permits: dict[str, PermitRecord] = {}
    gas: GasSite = msgspec.field(default_factory=GasSite)
    isolation: IsolationState = msgspec.field(default_factory=IsolationState)
    packs: PacksState = msgspec.field(default_factory=PacksState)
    surroundings: SurroundingsState = msgspec.field(default_factory=SurroundingsState)
    asked: dict[str, Asked] = {}
    """Permit → the open question whether its guardian is there."""


def bump(state: "SiteState", permit_id: str) -> PermitRecord | None:
    """Count an event on a permit; returns it, None when there is none."""
    permit = state.permits.permits.get(permit_id)
    if permit is not None:
        permit.version += 1
    return permit


@folds(PermitIssued)
def _issued(state: "SiteState", body: PermitIssued, envelope: Envelope) -> None:
    state.permits.permits[body.permit_id] = PermitRecord(
        id=body.permit_id,
        kind=body.kind,
        zone_id=body.zone_id,
        title=body.title,
        issuer_id=body.issuer_id,
        supervisor_id=body.supervisor_id,
        guardian_id=body.guardian_id,
        workers=list(body.workers),
        linked=list(body.linked),
        valid=body.valid,
        status=PermitStatus.ACTIVE,
        issued_wall_ns=envelope.wall_ns,
        tests=list(body.tests),
    )


@folds(PermitHeld)
def _held(state: "SiteState", body: PermitHeld, envelope: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is None:
        return
    permit.holds[body.hold.id] = HoldRecord(
        hold=body.hold,
        since_wall_ns=envelope.wall_ns,
        since_mono_ns=envelope.mono_ns,
        seq=envelope.seq,
    )
    if permit.status in RUNNING:
        permit.status = PermitStatus.HELD
        permit.verify_until = None
        permit.life.paused = moment(envelope)


@folds(PermitRetested)
def _retested(state: "SiteState", body: PermitRetested, _: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is None:
        return
    for record in permit.holds.values():
        record.tests.extend(body.tests)


@folds(PermitReleased)
def _released(state: "SiteState", body: PermitReleased, _: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is None:
        return
    for hold_id in body.hold_ids:
        permit.holds.pop(hold_id, None)
    if not permit.holds and permit.status is PermitStatus.HELD:
        permit.status = PermitStatus.ACTIVE


@folds(PermitVerifying)
def _verifying(state: "SiteState", body: PermitVerifying, _: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is not None and permit.status is PermitStatus.ACTIVE:
        permit.status, permit.verify_until = PermitStatus.VERIFYING, body.until


@folds(PermitVerified)
def _verified(state: "SiteState", body: PermitVerified, _: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is not None and permit.status is PermitStatus.VERIFYING:
        permit.status, permit.verify_until = PermitStatus.ACTIVE, None


@folds(PermitExpired)
def _expired(state: "SiteState", body: PermitExpired, envelope: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is not None:
        if permit.status in RUNNING:
            permit.life.paused = moment(envelope)
        permit.status = PermitStatus.EXPIRED


@folds(PermitClosed)
def _closed(state: "SiteState", body: PermitClosed, envelope: Envelope) -> None:
    permit = bump(state, body.permit_id)
    if permit is not None:
        permit.status = PermitStatus.CLOSED
        permit.closed_wall_ns, permit.outcome = envelope.wall_ns, body.outcome
