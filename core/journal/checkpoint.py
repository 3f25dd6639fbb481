"""The site's signing key and the checkpoints made with it."""

import errno

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.clock import Clock
from core.journal.frame import Checkpoint, signed_bytes
from core.journal.segment import Disk

KEY_NAME = "journal.key"
_KEY_BYTES = 32


class Signer:
    """Sign checkpoints with the site's Ed25519 key."""

    def __init__(self, key: Ed25519PrivateKey, clock: Clock) -> None:
        self._key = key
        self._clock = clock
        self.public = key.public_key().public_bytes_raw()
        """Public key, 32 bytes: what an inspector notes on paper."""

    def sign(
        self, journal: bytes, seq: int, count: int, head: bytes, *, clean: bool
    ) -> bytes:
        """Return the encoded checkpoint of the chain up to ``head``."""
        mark = Checkpoint(
            seq=seq,
            count=count,
            wall_ns=self._clock.wall_ns(),
            sync=self._clock.synced(),
            sig=b"",
            clean=clean,
        )
        sig = self._key.sign(signed_bytes(journal, mark, head))
        return msgspec.msgpack.encode(msgspec.structs.replace(mark, sig=sig))


def load_signer(disk: Disk, clock: Clock) -> Signer:
    """Return the site's signer; its key is made on the first boot.

    ``disk`` is the folder of secrets, not the journal's: a copied journal
    must not carry its key. The folder's files are 0600. Raises OSError, also
    for a damaged key: a new one would break the proof of all that it signed.
    """
    if KEY_NAME in disk.list():
        raw = disk.read(KEY_NAME)
        if len(raw) != _KEY_BYTES:
            raise OSError(
                errno.EIO, f"{KEY_NAME} is damaged: restore keys/ from a backup"
            )
        return Signer(Ed25519PrivateKey.from_private_bytes(raw), clock)
    key = Ed25519PrivateKey.generate()
    disk.put(KEY_NAME, key.private_bytes_raw())
    return Signer(key, clock)


def sim_signer(seed: int, clock: Clock) -> Signer:
    """Return the same signer for the same seed, for simulations."""
    raw = seed.to_bytes(32, "big")
    return Signer(Ed25519PrivateKey.from_private_bytes(raw), clock)
