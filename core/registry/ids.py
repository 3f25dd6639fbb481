"""ULIDs made through the clock's and the random generator's doors."""

import os
from collections.abc import Callable

from core.clock import Clock

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


#: Two characters for each ten bits: every event of an alarm needs such an id.
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]
_STAMP = (40, 30, 20, 10, 0)
_TAIL = (70, 60, 50, 40, 30, 20, 10)
#: Ids that share one drawing: an alarm on its way finds them ready.
_STOCK = 64


class Ids:
    """Make ULIDs: 48 bits of wall milliseconds, 80 of a random number, both injected.

    The number is drawn anew every 64 ids and counts up between, as the standard
    allows: ids name things in their order and are no secret.
    """

    def __init__(
        self, clock: Clock, random_bytes: Callable[[int], bytes] = os.urandom
    ) -> None:
        self._clock = clock
        self._random = random_bytes
        self._stamp, self._head = -1, ""
        self._tails: list[str] = []

    @classmethod
    def seeded(cls, clock: Clock, seed: int) -> "Ids":
        """Return ids that a simulation can repeat."""
        import random  # late: a hub needs it not

        return cls(clock, random.Random(seed).randbytes)  # noqa: S311

    def new(self) -> str:
        """Return a fresh ULID of 26 characters."""
        stamp = max(self._clock.wall_ns(), 0) // 1_000_000 & ((1 << 48) - 1)
        if stamp != self._stamp:
            self._stamp = stamp
            self._head = "".join([_PAIRS[stamp >> by & 1023] for by in _STAMP])
        if not self._tails:
            self._tails = self._stock()
        return self._head + self._tails.pop()

    def _stock(self) -> list[str]:
        """Return the ends of the next ids, the last one first."""
        drawn = int.from_bytes(self._random(10))
        prefix = "".join([_PAIRS[drawn >> by & 1023] for by in _TAIL])
        first = drawn & 1023 & -_STOCK
        return [prefix + pair for pair in reversed(_PAIRS[first : first + _STOCK])]
