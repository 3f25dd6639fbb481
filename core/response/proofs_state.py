"""Proof tests of outputs: their events, and what the folds of these leave.

An output that is energised to alarm shows nothing while all is well: only a
periodic test tells whether it would answer (design §5 Commands).
"""

from typing import TYPE_CHECKING, Final

import msgspec

from core.deadlines import Deadline, moment
from core.journal.envelope import Effect, Envelope
from core.journal.events import Event, event
from core.journal.fold import folds

if TYPE_CHECKING:
    from core.state import SiteState

#: A person's word counts for a test that began not longer ago.
ANSWER_S: Final = 900.0


class _ProofEvent(Event, frozen=True, kw_only=True):
    """Tell something of the proof of one output."""

    entity_id: str

    def index_key(self) -> str:
        """Name the output: two are never coalesced."""
        return f"proof:{self.entity_id}"


@event("output.proof_begun")
class ProofBegun(_ProofEvent, frozen=True, kw_only=True):
    """A person switched an output on to prove it."""

    person_id: str
    command_id: str


@event("output.proof_read_back")
class ProofReadBack(_ProofEvent, frozen=True, kw_only=True):
    """The device told what became of it: the first half of the evidence."""

    command_id: str
    detail: str = ""
    """'' when it was read back; no_read_back: this one cannot tell."""


@event("output.proof_passed", effect=Effect.PERMISSIVE)
class ProofPassed(_ProofEvent, frozen=True, kw_only=True):
    """A person on site heard, saw or felt it: the second half."""

    person_id: str


@event("output.proof_doubted", effect=Effect.PROTECTIVE)
class ProofDoubted(_ProofEvent, frozen=True, kw_only=True):
    """A passed proof that never became durable counts no more."""


@event("output.proof_failed", effect=Effect.PROTECTIVE)
class ProofFailed(_ProofEvent, frozen=True, kw_only=True):
    """An output did not do what it was told."""

    person_id: str
    why: str = ""


class ProofRun(msgspec.Struct, kw_only=True):
    """Hold a test that waits for a person's word."""

    person_id: str
    command_id: str
    begun: Deadline
    read_back: bool = False
    detail: str = ""


class ProofRecord(msgspec.Struct, kw_only=True):
    """Hold what is on record of one output."""

    proven: Deadline | None = None
    """When it was proven last, as a deadline of no length."""
    by: str = ""
    failed_wall_ns: int = 0
    """Of a failure since then; 0 for none."""
    why: str = ""
    run: ProofRun | None = None


def _record(state: "SiteState", entity_id: str) -> ProofRecord:
    return state.response.proofs.setdefault(entity_id, ProofRecord())


@folds(ProofBegun)
def _begun(state: "SiteState", body: ProofBegun, envelope: Envelope) -> None:
    _record(state, body.entity_id).run = ProofRun(
        person_id=body.person_id, command_id=body.command_id, begun=moment(envelope)
    )


@folds(ProofReadBack)
def _read_back(state: "SiteState", body: ProofReadBack, _: Envelope) -> None:
    run = _record(state, body.entity_id).run
    if run is not None and run.command_id == body.command_id:
        run.read_back, run.detail = True, body.detail


@folds(ProofPassed)
def _passed(state: "SiteState", body: ProofPassed, envelope: Envelope) -> None:
    state.response.proofs[body.entity_id] = ProofRecord(
        proven=moment(envelope), by=body.person_id
    )


@folds(ProofDoubted)
def _doubted(state: "SiteState", body: ProofDoubted, _: Envelope) -> None:
    record = _record(state, body.entity_id)
    record.proven, record.by = None, ""


@folds(ProofFailed)
def _failed(state: "SiteState", body: ProofFailed, envelope: Envelope) -> None:
    record = _record(state, body.entity_id)
    record.run, record.failed_wall_ns = None, envelope.wall_ns
    record.why = body.why
