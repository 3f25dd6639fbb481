"""What a level trigger answers, and the interval by which doubt is carried along.

A reading that is not GOOD is an interval, not a number: what it proves it proves
for every value in it, and the rest is UNKNOWN (design §5 Truth).
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from automations.selecting import Catalogue, Lacking
from core.api.reading import Value
from core.logic.truth import Truth, all_of, any_of, vote

Params = dict[str, Value]
OPEN = (-math.inf, math.inf)
Interval = tuple[float, float]


class Judged(NamedTuple):
    """Say how a trigger stands for one subject, and by what."""

    truth: Truth
    params: Params
    why: str = ""
    """Why it does not fire although something was seen: quality, vote, …"""
    since_ns: int | None = None
    """Boot ns since when it holds, where the site's state knows."""


FALSE = Judged(Truth.FALSE, {})


class Watched(Protocol):
    """What every kind of level trigger offers."""

    def resolve(self, catalogue: Catalogue) -> list[Lacking]:
        """Derive its tables anew; return what cannot be armed."""

    def subjects(self) -> Iterable[str]:
        """Return the subjects that it has something to say of now."""

    def judge(self, subject: str, *, held: bool) -> Judged:
        """Say how it stands; ``held``: it fired, so only proof of the end counts."""


def beyond(interval: Interval, above: float | None, below: float | None) -> Truth:
    """Say whether a value is at or beyond a limit, for all values of an interval."""
    low, high = interval
    if above is not None:
        return _of(low >= above, high < above)
    if below is not None:
        return _of(high <= below, low > below)
    return Truth.UNKNOWN


def _of(sure: bool, never: bool) -> Truth:
    if sure:
        return Truth.TRUE
    return Truth.FALSE if never else Truth.UNKNOWN


def join(word: str, needed: int, truths: Sequence[Truth]) -> Truth:
    """Join the truths of several members by any, all or a vote."""
    if word == "all":
        return all_of(truths)
    return vote(needed, truths) if needed else any_of(truths)


def _median(items: Iterable[float]) -> float:
    ranked = sorted(items)
    middle = len(ranked) // 2
    if len(ranked) % 2:
        return ranked[middle]
    # Never inf - inf: the two middle ones may be open to different sides.
    low, high = ranked[middle - 1], ranked[middle]
    return (low + high) / 2 if math.isfinite(low) == math.isfinite(high) else low


def _mean(items: Iterable[float]) -> float:
    listed = list(items)
    return sum(listed) / len(listed)


_FOLDS: dict[str, Callable[[Iterable[float]], float]] = {
    "max": max,
    "min": min,
    "median": _median,
    "mean": _mean,
}


def fold(word: str, intervals: Sequence[Interval]) -> Interval:
    """Join intervals to one by max, min, median or mean."""
    chosen = _FOLDS[word]
    low = chosen([each[0] for each in intervals])
    high = chosen([each[1] for each in intervals])
    return (-math.inf, math.inf) if math.isnan(low) or math.isnan(high) else (low, high)


def folds(word: str) -> bool:
    """Say whether a fusion word joins values, not truths."""
    return word in _FOLDS
