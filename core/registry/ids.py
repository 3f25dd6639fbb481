"""ULIDs made through the clock's and the random generator's doors."""

import os
import random
from collections.abc import Callable

from core.clock import Clock

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def _encode(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, rest = divmod(number, 32)
        digits.append(_ALPHABET[rest])
    return "".join(reversed(digits))


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
        return _encode(stamp, 10) + _encode(int.from_bytes(self._random(10)), 16)
