"""Where a permit's facts come from: each from one source, or from a person's word."""

from collections.abc import Callable, Iterable
from typing import Protocol

from core.api.errors import Refused
from core.api.reading import Value
from core.permits.facts import AFTER_STOP, CONTENT, FACTS, possible
from core.permits.life_state import Statement
from core.permits.pack import Kind, Pack
from core.permits.state import PermitRecord

Changed = Callable[[Iterable[str]], None]


class Source(Protocol):
    """Supply some facts of a permit; what it cannot tell is left out: UNKNOWN."""

    changed: Changed
    """Called with the permits of which an answer may have changed."""

    @property
    def names(self) -> frozenset[str]:
        """Return the facts that it supplies."""

    def facts(self, permit: PermitRecord, kind: Kind, pack: Pack) -> dict[str, Value]:
        """Return what can be told now; never a fact from anything not GOOD."""


class Facts:
    """Join the sources; a fact that one of them supplies nobody can declare."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources = tuple(sources)
        #: Declarable where no sensor of the site tells it.
        self._fallback: frozenset[str] = frozenset().union(
            *(getattr(each, "fallback", frozenset()) for each in self._sources)
        )
        self.derived: frozenset[str] = frozenset()
        for source in self._sources:
            twice = self.derived & source.names
            if twice:
                raise ValueError(f"two sources supply {sorted(twice)}")
            self.derived |= source.names
        self._words: dict[frozenset[str], tuple[frozenset[str], frozenset[str]]] = {}
        """Asked facts → those of them that a person's word alone tells, and those
        of which it must have been given after a stop."""

    def listen(self, changed: Changed) -> None:
        """Call ``changed`` with the permits of which a fact may have changed."""
        for source in self._sources:
            source.changed = changed

    def reaction_s(self, name: str) -> float | None:
        """Return how long a fact may be UNKNOWN where its source says so."""
        for source in self._sources:
            own = getattr(source, "reaction_s", None)
            if own is not None and name in source.names:
                told: float | None = own(name)
                return told
        return None

    def of(
        self, permit: PermitRecord, kind: Kind, pack: Pack, asked: frozenset[str]
    ) -> dict[str, Value]:
        """Return the asked facts of a permit as far as anybody can tell them."""
        words = self._words.get(asked)
        if words is None:
            # Of its own facts a source takes a person's word itself, where it may:
            # else a word would stand in for a sensor that fell silent.
            known = (asked & FACTS.keys()) - self.derived
            words = self._words[asked] = known - AFTER_STOP, known & AFTER_STOP
        declared = permit.life.declared
        said = declared.keys()
        found: dict[str, Value] = {
            name: declared[name].value for name in words[0] & said
        }
        for name in words[1] & said:
            if _since_stop(permit, declared[name]):
                found[name] = declared[name].value
        for source in self._sources:
            if not source.names.isdisjoint(asked):
                found.update(source.facts(permit, kind, pack))
        return found

    def declarable(self, name: str) -> bool:
        """Say whether a person's word can tell a fact."""
        known = name in FACTS
        return known and (name not in self.derived or name in self._fallback)

    def check(self, facts: dict[str, Value], *, frozen: bool) -> None:
        """Refuse facts that are unknown, impossible, derived or already signed."""
        for name, value in facts.items():
            fact = FACTS.get(name)
            if fact is None:
                raise Refused("permit.fact_unknown", fact=name)
            if not self.declarable(name):
                raise Refused("permit.fact_derived", fact=name)
            if frozen and name in CONTENT:
                raise Refused("permit.frozen", fact=name)
            if not possible(fact, value):
                raise Refused(
                    "permit.fact_value",
                    fact=name,
                    type=fact.type,
                    unit=fact.unit,
                    choices=", ".join(fact.choices),
                )


def _since_stop(permit: PermitRecord, said: Statement) -> bool:
    """Say whether a person certainly spoke after the work had last stopped."""
    stop = permit.life.paused
    if stop is None:
        return permit.life.started is None
    if said.boot_id == stop.boot_id:
        return said.mono_ns >= stop.start_mono_ns
    return stop.synced and said.wall_ns > stop.start_wall_ns
