"""ULIDs made through the clock's and the random generator's doors."""

import os
import random
from collections.abc import Callable

from core.clock import Clock

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


#: Two characters for each ten bits: every event of an alarm needs such an id.
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]
_SHIFTS = tuple(range(120, -1, -10))


def _encode(number: int) -> str:
    """Return the 26 characters of 130 bits, the highest first."""
    pairs = _PAIRS
    return "".join([pairs[number >> shift & 1023] for shift in _SHIFTS])


class Ids:
    """Make ULIDs: 48 bits of wall milliseconds, 80 random bits, both injected."""

    def __init__(
        self, clock: Clock, random_bytes: Callable[[int], bytes] = os.urandom
    ) -> None:
        self._clock = clock
        self._random = random_bytes

    @classmethod
    def seeded(cls, clock: Clock, seed: int) -> "Ids":
        """Return ids that a simulation can repeat."""
        return cls(clock, random.Random(seed).randbytes)  # noqa: S311

    def new(self) -> str:
        """Return a fresh ULID of 26 characters."""
        stamp = max(self._clock.wall_ns(), 0) // 1_000_000 & ((1 << 48) - 1)
        return _encode(stamp << 80 | int.from_bytes(self._random(10)))
