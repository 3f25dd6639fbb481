"""What people are asked for a permit: the facts of its rules that nothing else tells.

Made from the pack, so that a phone shows what this kind needs and nothing more.
"""

from collections.abc import Container, Iterable
from typing import Final

import msgspec

from core.permits.facts import CONTENT, FACTS, FactType
from core.permits.pack import Phase
from core.permits.packs import Ruled

#: In the order of a permit's life; what the work is comes with the application.
_ORDER: Final = {name: number for number, name in enumerate(FACTS)}


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for one fact; its words are the text ``fact.<name>``."""

    fact: str
    type: FactType
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    """Their words are the texts ``fact.<name>.<choice>``."""
    content: bool = False
    """It says what the work is: answered at the application, signed, and never
    changed. All else is confirmed when its phase comes."""


def needed_facts(ruled: Ruled, phase: Phase, told: Container[str]) -> tuple[str, ...]:
    """Return the facts that a kind's rules read in a phase and only people can tell.

    ``told``: what the sources of facts supply by themselves.
    """
    return _sorted(name for name in ruled.rules.facts[phase] if name not in told)


def at_application(ruled: Ruled, told: Container[str]) -> tuple[str, ...]:
    """Return what says what the work is: asked once, before anybody signs."""
    read = frozenset().union(*ruled.rules.facts.values())
    return _sorted(name for name in read & CONTENT if name not in told)


def questions(names: Iterable[str]) -> tuple[Question, ...]:
    """Return how each fact is asked."""
    return tuple(
        Question(
            fact=fact.name,
            type=fact.type,
            unit=fact.unit,
            low=fact.low,
            high=fact.high,
            choices=fact.choices,
            content=fact.name in CONTENT,
        )
        for fact in (FACTS[name] for name in names)
    )


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names), key=_ORDER.__getitem__))
