"""How a person may prove that a device is the one in front of them."""

import hashlib
from typing import Literal

ProofKind = Literal["wired", "code", "button", "pairing", "key"]
#: wired: the port or bus that was named. code: what its label says. button: pressed
#: just now. pairing, key: its driver accepted the key that it was given.
PROOFS: tuple[ProofKind, ...] = ("wired", "code", "button", "pairing", "key")
#: Bits of a key whose fingerprint may stand in the journal: none that can be guessed.
LEAST_BITS = 128


def fingerprint(key: bytes) -> str:
    """Return what names a random key; raises ValueError for one that can be guessed.

    For `Device.key_id`, once the device has proved that it holds the key. Never of a
    password: whoever reads the journal could try words against it.
    """
    if len(key) * 8 < LEAST_BITS:
        raise ValueError("the fingerprint of so short a key gives it away")
    return hashlib.sha256(b"safehold key\0" + key).hexdigest()[:32]
