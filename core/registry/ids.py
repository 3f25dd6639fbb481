"""ULIDs made through the clock's and the random generator's doors."""

import os
from collections.abc import Callable

from core.clock import Clock

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


#: Two characters for each ten bits: every event of an alarm needs such an id.
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]
_STAMP = (40, 30, 20, 10, 0)
#: Random halves that are made at once: an alarm on its way finds them ready.
_STOCK = 64
_TAIL_PAIRS = 8


class Ids:
    """Make ULIDs: 48 bits of wall milliseconds, 80 random bits, both injected."""

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
        """Return random halves; ten bits of each two bytes make two characters."""
        drawn = self._random(_STOCK * _TAIL_PAIRS * 2)
        words = memoryview(drawn).cast("H")
        pairs = [_PAIRS[each & 1023] for each in words]
        starts = range(0, len(pairs), _TAIL_PAIRS)
        return ["".join(pairs[at : at + _TAIL_PAIRS]) for at in starts]
