"""What devices signed, held against the keys that the same journal tells.

Standard library, msgspec and cryptography: `verify` stands on it, and so does the
core, so that both judge a signature alike (design §5 Security).
"""

import hashlib
from collections.abc import Iterator
from functools import lru_cache

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from core.journal.envelope import Proof
from core.journal.statement import Said, said

PERSON, TERMINAL = "phone", "terminal"
_HALF = 32
#: What an event's bytes hold when it carries a proof, or tells of a key.
_PROOF, _SECOND, _KEY = b"\xa5proof", b"\xa6second", b"key."
#: Methods by which a terminal signs for a person.
_BY_TERMINAL = ("terminal", "face")


def key_id(public: bytes) -> str:
    """Return a key's id: the start of the SHA-256 of its raw point, 32 hex digits."""
    return hashlib.sha256(public).hexdigest()[:32]


@lru_cache(1024)
def _load(public: bytes) -> EllipticCurvePublicKey:
    return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), public)


def is_point(public: bytes) -> bool:
    """Say whether bytes are an uncompressed point of P-256 (65 bytes)."""
    try:
        _load(public)
    except ValueError:
        return False
    return len(public) == 1 + 2 * _HALF


def holds(public: bytes, proof: Proof) -> bool:
    """Say whether a key signed these very bytes."""
    if len(proof.sig) != 2 * _HALF:
        return False
    r, s = (int.from_bytes(part) for part in (proof.sig[:_HALF], proof.sig[_HALF:]))
    try:
        key = _load(public)
        key.verify(encode_dss_signature(r, s), proof.data, ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


class _Cause(msgspec.Struct):
    actor: str = ""
    proof: Proof | None = None
    second: Proof | None = None


class Signed(msgspec.Struct):
    """Read an event's cause and body, and nothing else of it."""

    id: str
    type: str
    cause: _Cause
    body: msgspec.Raw


class _Told(msgspec.Struct):
    """Read what any event about a key tells of it."""

    key_id: str
    person_id: str = ""
    public: str = ""
    device: str = PERSON
    pending: bool = False


class _Key(msgspec.Struct):
    public: bytes
    person: str
    device: str
    standing: str
    """pending, active or revoked."""
    last: int = 0


_signed = msgspec.msgpack.Decoder(Signed)
_told = msgspec.msgpack.Decoder(_Told)
#: Statements remembered, so that an act's later consequences are no replay.
_KEPT = 100_000


def key_told(payload: bytes) -> Iterator[str]:
    """Yield the key that a stored event tells of, if any."""
    if _KEY in payload:
        event = _signed.decode(payload)
        if event.type.startswith("key."):
            yield _told.decode(event.body).key_id


def keys_used(payload: bytes) -> set[str]:
    """Return the keys with which a stored event's cause was signed."""
    if _PROOF not in payload and _SECOND not in payload:
        return set()
    cause = _signed.decode(payload).cause
    return {proof.key for proof in (cause.proof, cause.second) if proof is not None}


class Proofs:
    """Follow keys through a journal; judge every statement at its place."""

    def __init__(self) -> None:
        self.hub = ""
        self.checked = 0
        """Statements that hold, each counted once."""
        self._keys: dict[str, _Key] = {}
        self._seen: dict[bytes, None] = {}

    def look(self, payload: bytes) -> Iterator[tuple[str, str]]:
        """Yield code and detail of what is wrong with one stored event."""
        if not any(mark in payload for mark in (_PROOF, _SECOND, _KEY, b"hub.started")):
            return
        event = _signed.decode(payload)
        if event.type == "hub.started":
            self.hub = self.hub or event.id
        told = _told.decode(event.body) if event.type.startswith("key.") else None
        if told is not None and event.type == "key.enrolled":
            self._enrol(told)
        yield from self._judge(event)
        if told is not None:
            self._tell(event.type, told)

    def _enrol(self, told: _Told) -> None:
        public = bytes.fromhex(told.public)
        if told.key_id not in self._keys and told.key_id == key_id(public):
            # Its own enrolment is what a key proves first, pending or not.
            self._keys[told.key_id] = _Key(
                public, told.person_id, told.device, "active"
            )

    def _tell(self, name: str, told: _Told) -> None:
        key = self._keys.get(told.key_id)
        if key is None or key.standing == "revoked":
            return
        if name == "key.revoked":
            key.standing = "revoked"
        elif name == "key.approved":
            key.standing = "active"
        elif told.pending:
            key.standing = "pending"

    def _judge(self, event: Signed) -> Iterator[tuple[str, str]]:
        first, second = event.cause.proof, event.cause.second
        for proof, actor in ((first, event.cause.actor), (second, "")):
            if proof is None:
                continue
            digest = hashlib.sha256(proof.data + proof.sig).digest()
            if digest in self._seen:
                continue
            self._seen[digest] = None
            if len(self._seen) > _KEPT:
                del self._seen[next(iter(self._seen))]
            wrong = self._wrong(event, proof, actor)
            if wrong:
                yield wrong, f"key {proof.key}, event {event.type}"
            else:
                self.checked += 1
        if first and second and _same_person(first, second):
            yield "second_same", f"event {event.type}"

    def _wrong(self, event: Signed, proof: Proof, actor: str) -> str:
        """Return why a statement proves nothing here, or ''."""
        key = self._keys.get(proof.key)
        if key is None:
            return "key_unknown"
        if key.standing != "active":
            return f"key_{key.standing}"
        if not holds(key.public, proof):
            return "signature_forged"
        try:
            told = said(proof.data)
        except (msgspec.MsgspecError, ValueError):
            return "signature_forged"
        self.hub = self.hub or told.hub
        if told.hub != self.hub or not _speaks_for(key, told, actor):
            return "signature_misused"
        if told.at <= key.last:
            return "signature_replayed"
        key.last = told.at
        return ""


def _speaks_for(key: _Key, told: Said, actor: str) -> bool:
    """Say whether a key may sign a statement of this person."""
    if actor and actor != f"person:{told.person}":
        return False
    if told.method in _BY_TERMINAL:
        return key.device == TERMINAL
    if told.method == "pin_witness":
        return key.person == told.witness != told.person
    if told.verb == "key.enrol" and key.device == TERMINAL:
        return True  # the owner enrols it; its own key proves that it has one
    return key.person == told.person


def _same_person(first: Proof, second: Proof) -> bool:
    try:
        one, two = said(first.data), said(second.data)
    except (msgspec.MsgspecError, ValueError):
        return False  # told as forged
    return two.person in (one.person, one.witness)
