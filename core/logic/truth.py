"""Three-valued truth: only GOOD proves anything (design §5 Truth; R3, R5)."""

import enum
from collections.abc import Iterable


class Truth(enum.Enum):
    """Say whether something holds; UNKNOWN is never safe.

    A Truth has no truth value of its own: ``if truth:`` would read UNKNOWN as
    yes. Compare with ``is Truth.TRUE``.
    """

    FALSE = 0
    UNKNOWN = 1
    TRUE = 2

    def __bool__(self) -> bool:
        raise TypeError("compare a Truth with `is Truth.TRUE`: UNKNOWN is neither")


#: Names of this module: asking an enumeration for a member costs much more.
_YES, _NO, _OPEN = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN
_FROM_BOOL = {False: _NO, True: _YES}


def of(fact: bool) -> Truth:
    """Return the Truth of a known fact."""
    return _FROM_BOOL[fact]


def not_(item: Truth) -> Truth:
    """Return Kleene's not: not UNKNOWN is UNKNOWN."""
    if item is _YES:
        return _NO
    return _YES if item is _NO else _OPEN


def all_of(items: Iterable[Truth]) -> Truth:
    """Return Kleene's and; of nothing it is TRUE."""
    found = _YES
    for item in items:
        if item is _NO:
            return _NO
        if item is _OPEN:
            found = _OPEN
    return found


def any_of(items: Iterable[Truth]) -> Truth:
    """Return Kleene's or: TRUE as soon as one is TRUE; of nothing it is FALSE."""
    found = _NO
    for item in items:
        if item is _YES:
            return _YES
        if item is _OPEN:
            found = _OPEN
    return found


def at_least(needed: int, items: Iterable[Truth]) -> Truth:
    """Return whether ``needed`` of the items hold, UNKNOWN while it is open."""
    known = list(items)
    sure = known.count(_YES)
    if sure >= needed:
        return _YES
    return _NO if sure + known.count(_OPEN) < needed else _OPEN


def vote(needed: int, items: Iterable[Truth]) -> Truth:
    """Return a detector's vote: 2oo3 that loses one becomes 1oo2, never 2oo2.

    Each lost member lowers the number needed, down to one. It only ever says
    TRUE more readily than `at_least`, so it belongs where TRUE protects.
    """
    known = list(items)
    lost = known.count(_OPEN)
    if known.count(_YES) >= max(1, needed - lost):
        return _YES
    return at_least(needed, known)
