"""How a person may prove that a device is the one in front of them."""

from typing import Literal

ProofKind = Literal["wired", "code", "button", "pairing", "key"]
#: wired: the port or bus that was named. code: what its label says. button: pressed
#: just now. pairing, key: its driver accepted the key that it was given.
PROOFS: tuple[ProofKind, ...] = ("wired", "code", "button", "pairing", "key")
