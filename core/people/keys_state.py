"""Which key signs for whom, and who was verified where: a fold of the journal."""

from typing import TYPE_CHECKING

import msgspec

from core.deadlines import Deadline
from core.journal import statement
from core.journal.envelope import Cause, Envelope
from core.journal.fold import folds
from core.people.keys_events import (
    FaceConsented,
    FaceWithdrawn,
    KeyApproved,
    KeyEnrolled,
    KeyRevoked,
    PersonUnverified,
    PersonVerified,
)

if TYPE_CHECKING:
    from core.state import SiteState


class KeyRecord(msgspec.Struct, kw_only=True):
    """Hold one device's key."""

    id: str
    person_id: str
    public: str
    label: str
    device: str
    zone_id: str
    enrolled_wall_ns: int
    by: str
    pending: bool
    revoked: str = ""
    """Why it signs no more; '' while it stands."""
    last_ms: int = 0
    """Time of the last statement that counted: the next one must be later."""

    def active(self) -> bool:
        """Say whether it may sign."""
        return not self.pending and not self.revoked


class VerifiedRecord(msgspec.Struct, kw_only=True):
    """Hold where a person was last verified, and how."""

    zone_id: str
    method: str
    place: str
    accuracy_m: float | None
    at: Deadline


class KeysState(msgspec.Struct, kw_only=True):
    """Hold keys by id, verifications and consents by person."""

    keys: dict[str, KeyRecord] = {}
    verified: dict[str, VerifiedRecord] = {}
    faces: dict[str, str] = {}
    faces_gone: dict[str, dict[str, int]] = {}
    """Person → template whose consent ended → seq of the word that destroys it."""
    """Person id → template's blob, while the consent stands."""

    def of(self, person_id: str) -> list[KeyRecord]:
        """Return a person's keys that ever became durable, revoked ones too."""
        return [
            key
            for key in self.keys.values()
            if key.person_id == person_id and key.revoked != "not_durable"
        ]

    def used(self, cause: Cause) -> None:
        """Keep the time of what was signed: it never counts again."""
        for proof in (cause.proof, cause.second):
            key = self.keys.get(proof.key) if proof is not None else None
            if proof is None or key is None:
                continue
            try:
                key.last_ms = max(key.last_ms, statement.said(proof.data).at)
            except (msgspec.MsgspecError, ValueError):
                continue  # accepted by no core: `verify` names it


@folds(KeyEnrolled)
def _enrolled(state: "SiteState", body: KeyEnrolled, envelope: Envelope) -> None:
    state.people.keys.keys[body.key_id] = KeyRecord(
        id=body.key_id,
        person_id=body.person_id,
        public=body.public,
        label=body.label,
        device=body.device,
        zone_id=body.zone_id,
        enrolled_wall_ns=envelope.wall_ns,
        by=body.by,
        pending=body.pending,
    )


@folds(KeyApproved)
def _approved(state: "SiteState", body: KeyApproved, _: Envelope) -> None:
    key = state.people.keys.keys.get(body.key_id)
    if key is not None:
        key.pending = False


@folds(KeyRevoked)
def _revoked(state: "SiteState", body: KeyRevoked, _: Envelope) -> None:
    key = state.people.keys.keys.get(body.key_id)
    if key is not None:
        key.revoked = key.revoked or body.code


@folds(PersonVerified)
def _verified(state: "SiteState", body: PersonVerified, envelope: Envelope) -> None:
    state.people.keys.verified[body.person_id] = VerifiedRecord(
        zone_id=body.zone_id,
        method=body.method,
        place=body.place,
        accuracy_m=body.accuracy_m,
        at=Deadline(
            duration_ns=0,
            start_mono_ns=envelope.mono_ns,
            start_wall_ns=envelope.wall_ns,
            boot_id=envelope.boot_id,
            synced=envelope.sync,
        ),
    )


@folds(PersonUnverified)
def _unverified(state: "SiteState", body: PersonUnverified, _: Envelope) -> None:
    state.people.keys.verified.pop(body.person_id, None)


@folds(FaceConsented)
def _consented(state: "SiteState", body: FaceConsented, envelope: Envelope) -> None:
    keys = state.people.keys
    before = keys.faces.get(body.person_id, body.template)
    if before != body.template:
        keys.faces_gone.setdefault(body.person_id, {})[before] = envelope.seq
    keys.faces[body.person_id] = body.template


@folds(FaceWithdrawn)
def _face_withdrawn(
    state: "SiteState", body: FaceWithdrawn, envelope: Envelope
) -> None:
    keys = state.people.keys
    template = keys.faces.pop(body.person_id, body.template)
    if template:
        keys.faces_gone.setdefault(body.person_id, {})[template] = envelope.seq
