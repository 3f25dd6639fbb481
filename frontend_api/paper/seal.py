"""The line in a paper's QR code: what it is for, and the site key's signature.

    SAFEHOLD|1|permit|<id>|<version>|<valid until>|<seq>|<head>|<printed>|<key>|<sig>

Times are Unix seconds; head, key and signature are base64url. Whoever has noted the
site's key verifies it with no hub and no network. A sound seal proves that this
site printed it, never that the permit still stands: that is the lamp's to say.
"""

import base64
import binascii
import hashlib
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from core.journal.checkpoint import KEY_NAME

_HEAD = ("SAFEHOLD", "1")
_DOMAIN = b"safehold paper 1\0"
_PARTS = 11


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """Say what a sheet is: kind permit or blank."""

    kind: str
    id: str
    version: int
    until_s: int
    seq: int
    head: bytes
    """Chain of the journal at the time of printing, 32 bytes."""
    printed_s: int


class SealError(Exception):
    """The line is no seal, or its signature is not the key's."""


class Sealer:
    """Seal with the site's key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = key.public_key().public_bytes_raw()

    @classmethod
    def of(cls, data: Path) -> "Sealer":
        """Return the sealer of a hub's folder; raises OSError."""
        raw = (data / "keys" / KEY_NAME).read_bytes()
        return cls(Ed25519PrivateKey.from_private_bytes(raw))

    def line(self, seal: Seal) -> str:
        """Return the line for the QR code; ids must not hold a bar."""
        if "|" in seal.id:
            raise ValueError(f"{seal.id!r} cannot be sealed: it holds a bar")
        numbers = (seal.version, seal.until_s, seal.seq)
        parts = (
            *_HEAD,
            seal.kind,
            seal.id,
            *map(str, numbers),
            _b64(seal.head),
            str(seal.printed_s),
            _b64(self.public),
        )
        text = "|".join(parts)
        return f"{text}|{_b64(self._key.sign(_DOMAIN + text.encode()))}"


def fingerprint(key: bytes) -> str:
    """Return a key's fingerprint as people compare it: 16 digits in groups."""
    digits = hashlib.sha256(key).hexdigest()[:16]
    return " ".join(digits[at : at + 4] for at in range(0, 16, 4))


def read(line: str) -> tuple[Seal, bytes]:
    """Return a line's seal and the key that signed it; raises SealError."""
    parts = line.strip().split("|")
    if tuple(parts[:2]) != _HEAD or len(parts) != _PARTS:
        raise SealError("this is no seal of a Safehold sheet")
    text, _, told = line.strip().rpartition("|")
    try:
        key, signature = _unb64(parts[9]), _unb64(told)
        public = Ed25519PublicKey.from_public_bytes(key)
        public.verify(signature, _DOMAIN + text.encode())
        seal = Seal(
            kind=parts[2],
            id=parts[3],
            version=int(parts[4]),
            until_s=int(parts[5]),
            seq=int(parts[6]),
            head=_unb64(parts[7]),
            printed_s=int(parts[8]),
        )
    except (ValueError, binascii.Error, InvalidSignature) as bad:
        raise SealError("the seal was changed: its signature does not fit") from bad
    return seal, key


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.b64decode(
        text + "=" * (-len(text) % 4), altchars=b"-_", validate=True
    )
