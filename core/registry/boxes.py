"""Seal a process's own rows at rest: a key for each purpose, of the site's secret."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.registry.files import fresh
from core.registry.secrets import Secrets

_MAGIC = b"SHB1"
_NONCE = 12
_SECRET = "boxes.site"  # noqa: S105 (the name of a secret, not one)


class Unsealable(Exception):
    """What is stored was changed, or sealed by another site's secret."""


class Box:
    """Seal and open; ``purpose`` is bound, so that no row serves another end."""

    def __init__(self, secrets: Secrets, purpose: str) -> None:
        secret = secrets.get_or_create(_SECRET).encode()
        info = b"safehold box 1 " + purpose.encode()
        self._seal = AESGCM(HKDF(SHA256(), 32, salt=None, info=info).derive(secret))

    def __repr__(self) -> str:
        return "Box()"

    def seal(self, plain: bytes) -> bytes:
        """Return sealed bytes; nothing stays nothing."""
        if not plain:
            return b""
        nonce = fresh(_NONCE)
        return _MAGIC + nonce + self._seal.encrypt(nonce, plain, _MAGIC)

    def open(self, stored: bytes) -> bytes:
        """Return what was sealed, or what an older release stored in clear.

        Raises Unsealable.
        """
        if not stored.startswith(_MAGIC):
            return stored
        head = len(_MAGIC) + _NONCE
        try:
            return self._seal.decrypt(stored[len(_MAGIC) : head], stored[head:], _MAGIC)
        except (InvalidTag, ValueError):
            raise Unsealable from None
