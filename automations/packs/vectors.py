"""Run a pack's own test vectors: facts → what each rule must say (R25).

``base`` holds facts under which every kind permits in every phase; a vector is
``[kind, phase, {facts that differ}, outcome]`` under the rule's id. Outcomes are
ok, deny, hold, evacuate; with ``?`` the rule must not know. null is UNKNOWN.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from automations.packs.compile import compile_pack
from automations.packs.source import Source
from core.api.errors import ConfigError
from core.api.said import Said
from core.logic.truth import Truth
from core.permits.facts import FACTS, possible
from core.permits.gas_limits import judge
from core.permits.pack import Kind, Pack, Phase
from core.permits.pack_rules import Facts, Rules, compile_rules, evaluate

_OUTCOMES = ("ok", "deny", "hold", "evacuate", "deny?", "hold?", "evacuate?")


class Vector(msgspec.Struct, frozen=True, kw_only=True):
    """One case: where it stands, what is given, what must come out."""

    rule: str
    """Rule id; ``<kind>:<rule>`` for what a kind's own table demands."""
    kind: str
    phase: Phase
    facts: dict[str, Any]
    expect: str
    number: int = 0

    def title(self) -> str:
        """Return a name for reports."""
        return f"{self.rule}[{self.number}] {self.kind}@{self.phase} → {self.expect}"


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Say which vector failed, where it stands and what came out instead."""

    title: str
    place: str
    got: str


class Counts(msgspec.Struct, kw_only=True):
    """Count what was run for a pack."""

    rules: int = 0
    vectors: int = 0
    permitting: int = 0
    breaching: int = 0
    unknown: int = 0
    gas: int = 0
    base: int = 0


class Suite:
    """Hold a pack, its compiled rules and its vectors; raises ConfigError."""

    def __init__(self, source: Source, pack: Pack | None = None) -> None:
        self.source = source
        self.pack = pack or compile_pack(source)
        self.base: dict[str, Any] = dict(source.data.get("base", {}))
        self._check_facts(self.base, ("base",))
        self.rules: dict[str, Rules] = {
            kind.id: compile_rules(self.pack, kind) for kind in self.pack.kinds
        }
        self.vectors = tuple(self._read())

    def _read(self) -> Iterator[Vector]:
        for rule, listed in self.source.data.get("vectors", {}).items():
            for number, raw in enumerate(listed):
                yield self._vector(str(rule), number, raw)

    def _vector(self, rule: str, number: int, raw: Any) -> Vector:
        at = ("vectors", rule, number)
        if not isinstance(raw, list) or len(raw) != 4 or not isinstance(raw[2], dict):
            raise self.source.error(at, "write [kind, phase, {fact: value}, outcome]")
        kind, phase, facts, expect = raw
        if kind not in self.rules:
            raise self.source.error(
                at, Said("no kind {kind!r} in this pack", kind=kind)
            )
        if phase not in list(Phase):
            raise self.source.error(
                at,
                Said("no phase {phase!r}; {phase2}", phase=phase, phase2=list(Phase)),
            )
        if expect not in _OUTCOMES:
            raise self.source.error(
                at, Said("outcome is one of {outcomes}", outcomes=list(_OUTCOMES))
            )
        rules = self.rules[kind].by_phase[Phase(phase)]
        if rule.rpartition(":")[2] not in {each.id for each, _ in rules}:
            raise self.source.error(
                at,
                Said(
                    "rule {rule!r} is not asked of {kind} at {phase}",
                    rule=rule,
                    kind=kind,
                    phase=phase,
                ),
            )
        self._check_facts(facts, (*at, 2))
        return Vector(
            rule=rule,
            kind=kind,
            phase=Phase(phase),
            facts=facts,
            expect=expect,
            number=number,
        )

    def _check_facts(self, facts: dict[str, Any], path: tuple[Any, ...]) -> None:
        for name, value in facts.items():
            if name not in FACTS:
                raise self.source.error(
                    (*path, name), Said("{name!r} is no fact", name=name)
                )
            if value is not None and not possible(FACTS[name], value):
                raise self.source.error(
                    (*path, name),
                    Said(
                        "{value!r} is no {type} it can have",
                        value=value,
                        type=FACTS[name].type,
                    ),
                )

    # --- running ----------------------------------------------------------------

    def outcome(self, vector: Vector) -> str:
        """Return what the vector's rule says."""
        kind = self._kind(vector.kind)
        facts = {**self.base, **vector.facts}
        wanted = vector.rule.rpartition(":")[2]
        for breach in evaluate(kind, self.rules[kind.id], facts, vector.phase):
            if breach.rule == wanted:
                doubt = "?" if breach.truth is Truth.UNKNOWN else ""
                return f"{breach.action}{doubt}"
        return "ok"

    def run(self, counts: Counts) -> Iterator[Failure]:
        """Run everything and yield what failed."""
        counts.rules = len(self.ids())
        yield from self._run_base(counts)
        for vector in self.vectors:
            counts.vectors += 1
            counts.permitting += vector.expect == "ok"
            counts.unknown += vector.expect.endswith("?")
            counts.breaching += vector.expect in _OUTCOMES[1:4]
            got = self.outcome(vector)
            if got != vector.expect:
                place = self._place(("vectors", vector.rule, vector.number))
                yield Failure(title=vector.title(), place=place, got=got)
        yield from self._run_gas(counts)
        yield from self._uncovered()

    def ids(self) -> dict[str, str]:
        """Return every rule's id as vectors write it, with its clause."""
        found = {rule.id: rule.clause for rule in self.pack.rules}
        for kind_id, rules in self.rules.items():
            for rule in rules.all():
                if rule.id not in found or rule.applies == (kind_id,):
                    own = rule.id not in {each.id for each in self.pack.rules}
                    found[f"{kind_id}:{rule.id}" if own else rule.id] = rule.clause
        return found

    def permitted(self, kind: Kind, facts: Facts, phase: Phase) -> list[str]:
        """Return the rules that do not permit."""
        return [b.rule for b in evaluate(kind, self.rules[kind.id], facts, phase)]

    def _run_base(self, counts: Counts) -> Iterator[Failure]:
        for kind in self.pack.kinds:
            for phase in Phase:
                counts.base += 1
                bad = self.permitted(kind, self.base, phase)
                if bad:
                    title = f"base {kind.id}@{phase} → ok"
                    place = self._place(("base",))
                    yield Failure(title=title, place=place, got=", ".join(bad))

    def _run_gas(self, counts: Counts) -> Iterator[Failure]:
        for gas, listed in self.source.data.get("gas_vectors", {}).items():
            for number, raw in enumerate(listed):
                at = ("gas_vectors", gas, number)
                if not isinstance(raw, list) or len(raw) not in (3, 4):
                    raise self.source.error(at, "write [value, unit, verdict]")
                value, unit, verdict, *switches = raw
                on = {name: True for name in (switches[0] if switches else ())}
                counts.gas += 1
                got = judge(self.pack.limit(gas), float(value), unit, **on)
                if got != verdict:
                    title = f"gas {gas} {value} {unit} → {verdict}"
                    yield Failure(title=title, place=self._place(at), got=str(got))

    def _uncovered(self) -> Iterator[Failure]:
        seen: dict[str, set[str]] = {}
        for each in self.vectors:
            kind = "ok" if each.expect == "ok" else "breach"
            kind = "unknown" if each.expect.endswith("?") else kind
            seen.setdefault(each.rule, set()).add(kind)
        for rule, clause in self.ids().items():
            lack = {"ok", "breach", "unknown"} - seen.get(rule, set())
            if lack:
                yield Failure(
                    title=f"{rule} ({clause})",
                    place=self._place(("rules", rule)),
                    got=Said("no vector for: {lack}", lack=sorted(lack)),
                )

    def _kind(self, kind_id: str) -> Kind:
        kind = self.pack.kind(kind_id)
        if kind is None:
            raise ConfigError(
                Said(
                    "no kind {kind_id!r} in pack {id}", kind_id=kind_id, id=self.pack.id
                )
            )
        return kind

    def _place(self, path: tuple[Any, ...]) -> str:
        file, line, column = self.source.where(path)
        return f"{file}:{line}:{column}"
