"""What a check found, and the grade and the safety step that follow from all."""

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

Outcome = Literal["ok", "failed", "not_applicable"]
GRADES: Final = ("bronze", "silver", "gold", "platinum")
STEPS: Final = ("S1", "S2", "S3", "S4", "S5")


class Broken(Exception):
    """A check cannot go on: the text says what happened."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Hold one check's outcome; ``why`` is measured figures, or what failed."""

    check: str
    grade: str = ""
    """The grade that needs it; '' none."""
    step: str = ""
    """The step of the safety scale that needs it."""
    outcome: Outcome
    why: str = ""
    seconds: float = 0.0


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Hold what the kit found of one integration."""

    name: str
    stated_grade: str
    stated_step: str
    results: tuple[Result, ...]
    seconds: float = 0.0

    @property
    def grade(self) -> str:
        """Return the grade that was reached; '' none."""
        return _reached(GRADES, ((r.grade, r.outcome) for r in self.results))

    @property
    def step(self) -> str:
        """Return the step of the safety scale that was reached; '' none."""
        return _reached(STEPS, ((r.step, r.outcome) for r in self.results))

    @property
    def holds(self) -> bool:
        """Say whether the manifest states no more than was reached."""
        return rank(GRADES, self.grade) >= rank(GRADES, self.stated_grade) and (
            rank(STEPS, self.step) >= rank(STEPS, self.stated_step)
        )


def rank(names: tuple[str, ...], name: str) -> int:
    """Return a name's place, from 1; 0 for none."""
    return names.index(name) + 1 if name in names else 0


def _reached(names: tuple[str, ...], found: Iterable[tuple[str, Outcome]]) -> str:
    """Return the highest name up to which nothing failed and something was tried."""
    tried: dict[str, list[Outcome]] = {name: [] for name in names}
    for name, outcome in found:
        if name in tried:
            tried[name].append(outcome)
    best = ""
    for name in names:
        if not tried[name] or "failed" in tried[name]:
            break
        best = name
    return best
