"""The envelope around every event, as it is stored and hashed."""

import enum

import msgspec


class Effect(enum.StrEnum):
    """Say which way an event pulls; it decides what may wait for the disk."""

    PROTECTIVE = "protective"
    """Acts on accepted: never waits for a disk."""
    PERMISSIVE = "permissive"
    """Acts on durable only, and is refused when that cannot be had."""
    NEUTRAL = "neutral"


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """Hold what a device signed: ECDSA P-256 over SHA-256 of ``data``.

    ``data`` is the statement's canonical JSON, kept as it was signed; ``sig`` is
    r and s, 32 bytes each, as WebCrypto gives them.
    """

    key: str
    """Id of the device's key: see `core.journal.proofs.key_id`."""
    data: bytes
    sig: bytes


class Cause(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Say who or what made an event, and on which evidence."""

    actor: str
    """kind:id, such as person:p-li, rule:gas-response, device:…, hub:core."""
    rule: str = ""
    rule_version: str = ""
    parent: str = ""
    """Id of the event that led to this one."""
    evidence: tuple[str, ...] = ()
    """Entity or event ids that were looked at."""
    drill: bool = False
    proof: Proof | None = None
    """What the actor signed; read it with `core.people.signing.statement`."""
    second: Proof | None = None
    """What the second person signed, where an act takes two."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Wrap one event: order, times, cause, effect and the encoded body.

    Times are nanoseconds; ``sync`` says whether wall time was trusted;
    ``act_ns`` is the wall time of the act when it differs from the entry.
    """

    epoch: int
    seq: int
    id: str
    type: str
    version: int
    wall_ns: int
    sync: bool
    boot_id: str
    mono_ns: int
    cause: Cause
    effect: Effect
    act_ns: int | None = None
    body: msgspec.Raw = msgspec.Raw(b"\x80")


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Envelope)


def encode(envelope: Envelope) -> bytes:
    """Return the bytes that are stored and hashed."""
    return _encoder.encode(envelope)


def decode(data: bytes | memoryview) -> Envelope:
    """Return the envelope of stored bytes; raises msgspec.MsgspecError."""
    return _decoder.decode(data)
