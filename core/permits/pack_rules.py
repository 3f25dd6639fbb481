"""Run a pack's rules on the facts of one permit: pure, three-valued (design §5).

A rule permits where its ``when`` is FALSE or its ``require`` is TRUE. Whatever is
not TRUE is a breach: FALSE does what the rule says, UNKNOWN denies at a gate and
holds (or evacuates) while work runs. So a fact that is lost never permits.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from core.api.errors import ConfigError
from core.api.quality import Quality
from core.api.reading import Value
from core.api.said import Said
from core.logic import tree
from core.logic.evaluate import Condition as Check
from core.logic.evaluate import Lookup, compile_truth, names_of
from core.logic.truth import Truth
from core.names import Names
from core.permits.facts import FACTS, possible
from core.permits.pack import Action, Condition, Kind, Pack, Phase, Rule

GATES: Final = (Phase.SIGN, Phase.START, Phase.RESUME, Phase.CLOSE)
_WORK: Final = (Phase.SIGN, Phase.START, Phase.RESUME, Phase.RUN)

Facts = Mapping[str, Value]


class Breach(msgspec.Struct, frozen=True, kw_only=True):
    """Say which rule does not permit, why, and what follows."""

    rule: str
    clause: str
    truth: Truth
    """FALSE: broken. UNKNOWN: it cannot be told; while work runs the caller waits
    the kind's reaction time before it acts."""
    action: Action
    alarm: str = ""
    facts: frozenset[str] = frozenset()
    """What the rule reads."""
    missing: frozenset[str] = frozenset()
    """What of it nobody can tell, where the truth is UNKNOWN."""


class Rules(msgspec.Struct, frozen=True):
    """Hold the compiled rules of one kind: by phase, and what they read."""

    kind_id: str
    by_phase: Mapping[Phase, tuple[tuple[Rule, Check], ...]]
    facts: Mapping[Phase, frozenset[str]]
    reads: Mapping[str, frozenset[str]]
    """Rule id → the facts that it reads."""

    def all(self) -> tuple[Rule, ...]:
        """Return every rule once."""
        found = {r.id: r for rules in self.by_phase.values() for r, _ in rules}
        return tuple(found.values())


def compile_rules(pack: Pack, kind: Kind) -> Rules:
    """Return the rules that may ever apply to a kind; raises ConfigError."""
    params = parameters(pack, kind)
    made: dict[Phase, list[tuple[Rule, Check]]] = {phase: [] for phase in Phase}
    read: dict[Phase, set[str]] = {phase: set() for phase in Phase}
    reads: dict[str, frozenset[str]] = {}
    for rule in (*pack.rules, *own_rules(kind)):
        if not applies(rule, kind):
            continue
        node = permits(rule, params)
        if node == _TRUE:
            continue
        check = compile_truth(node, protective=False)
        names = reads[rule.id] = frozenset(names_of(node))
        for phase in rule.phases:
            made[phase].append((rule, check))
            read[phase].update(names)
    return Rules(
        kind.id,
        {phase: tuple(rules) for phase, rules in made.items()},
        {phase: frozenset(names) for phase, names in read.items()},
        reads,
    )


def evaluate(kind: Kind, rules: Rules, facts: Facts, phase: Phase) -> list[Breach]:
    """Return every breach of a permit's rules in a phase, in the pack's order.

    A fact that is missing is UNKNOWN. An empty list is the only permission.
    """
    if rules.kind_id != kind.id:
        raise ValueError(f"rules of {rules.kind_id} asked about {kind.id}")
    lookup = _scope(facts)
    found, kept = [], Truth.TRUE
    for rule, check in rules.by_phase[phase]:
        truth = check(lookup)
        if truth is not kept:
            found.append(_breach(rule, truth, phase, rules.reads[rule.id], lookup))
    return found


def worst(breaches: Iterable[Breach]) -> Action | None:
    """Return the strongest action of breaches; None for none."""
    actions = {breach.action for breach in breaches}
    for action in (Action.EVACUATE, Action.HOLD, Action.DENY):
        if action in actions:
            return action
    return None


def applies(rule: Rule, kind: Kind) -> bool:
    """Say whether a rule names a kind, its family or all."""
    return not {"*", kind.id, kind.family}.isdisjoint(rule.applies)


def own_rules(kind: Kind) -> tuple[Rule, ...]:
    """Return the rules that a kind's own table stands for: its grade, its raising."""
    made = []
    if kind.test is not None:
        made.append(
            Rule(
                id="grade",
                names=Names(
                    zh="作业不超出本级别作业票的范围",
                    en="The work lies within the grade of the permit",
                ),
                clause=kind.clause,
                applies=(kind.id,),
                phases=_WORK,
                require=kind.test,
                on_breach=Action.HOLD,
            )
        )
    for raised in kind.upgrades:
        made.append(
            Rule(
                id=f"raise.{raised.alarm or raised.raise_to}",
                names=Names(zh="作业已升级管理", en="The work was raised a grade"),
                clause=raised.clause or kind.clause,
                applies=(kind.id,),
                phases=_WORK,
                when=raised.when,
                require=Condition(text="grade_raised", node=tree.Name("grade_raised")),
                on_breach=Action.HOLD,
                alarm=raised.alarm,
                certainty=raised.certainty,
            )
        )
    return tuple(made)


def max_hours(pack: Pack, kind: Kind, facts: Facts) -> float | None:
    """Return the longest validity; a special case counts only where it is TRUE."""
    hours = pack.hours(kind)
    lookup = _scope(facts)
    for case in kind.validity.cases:
        node = _put(case.when.node, parameters(pack, kind))
        if compile_truth(node, protective=False)(lookup) is Truth.TRUE:
            hours = case.hours
    return hours


def grades(pack: Pack, family: str, facts: Facts) -> dict[str, Truth]:
    """Say for each kind of a family whether its grade covers the work.

    The lowest grade that is TRUE (greatest rank) is the work's own.
    """
    lookup = _scope(facts)
    kinds = sorted((k for k in pack.kinds if k.family == family), key=lambda k: k.rank)
    return {
        kind.id: Truth.TRUE
        if kind.test is None
        else compile_truth(
            _put(kind.test.node, parameters(pack, kind)), protective=False
        )(lookup)
        for kind in kinds
    }


# --- parameters -----------------------------------------------------------------

_TRUE: Final = tree.Literal(True)
_FALSE: Final = tree.Literal(False)

_GAS_NUMBERS: Final = (
    "age_sign_min",
    "age_start_min",
    "retest_gap_min",
    "record_every_min",
)

#: What an expression may ask of its kind, and the type of the answer.
PARAMETERS: Final[dict[str, str]] = {
    "kind.rank": "number",
    "kind.valid_h": "number",
    "kind.guardian": "bool",
    "kind.guardian_outside": "bool",
    "kind.full_video": "bool",
    "kind.gas_required": "bool",
    "kind.gas_continuous": "bool",
    "kind.gas_daily": "bool",
    **{f"kind.{name}": "number" for name in _GAS_NUMBERS},
}


def parameters(pack: Pack, kind: Kind) -> dict[str, tree.Node]:
    """Return what stands for ``kind.…`` and ``settings.…`` in a kind's rules."""
    gas = kind.gas
    plain: dict[str, Value] = {
        "kind.rank": kind.rank,
        "kind.valid_h": pack.hours(kind),
        "kind.guardian": kind.guardian.required,
        "kind.guardian_outside": kind.guardian.outside,
        "kind.full_video": kind.video == "full",
        "kind.gas_continuous": gas is not None and gas.continuous,
        "kind.gas_daily": gas is not None and gas.daily,
        **{f"settings.{each.id}": each.value for each in pack.settings},
    }
    for name in _GAS_NUMBERS:
        plain[f"kind.{name}"] = getattr(gas, name) if gas is not None else None
    found: dict[str, tree.Node] = {
        name: tree.Literal(value) for name, value in plain.items()
    }
    found["kind.gas_required"] = tree.Literal(gas is not None)
    if gas is not None and gas.when is not None:
        found["kind.gas_required"] = gas.when.node
    return found


def permits(rule: Rule, params: Mapping[str, tree.Node]) -> tree.Node:
    """Return the condition under which a rule permits, with parameters put in.

    Raises ConfigError where the kind lacks a parameter that the rule needs.
    """
    require = _put(rule.require.node, params)
    node = require
    if rule.when is not None:
        node = _any((_not(_put(rule.when.node, params)), require))
    if _lacks(node):
        raise ConfigError(
            Said(
                "rule {id} ({clause}) needs a number that this kind lacks; "
                "give it, or narrow the rule's when",
                id=rule.id,
                clause=rule.clause,
            )
        )
    return node


def _put(node: tree.Node, params: Mapping[str, tree.Node]) -> tree.Node:
    """Put parameters in and fold constants."""
    put = _put
    match node:
        case tree.Name(name=name):
            return params.get(name, node)
        case tree.Not(item=item):
            return _not(put(item, params))
        case tree.All(items=items):
            return _all(tuple(put(each, params) for each in items))
        case tree.Any(items=items):
            return _any(tuple(put(each, params) for each in items))
        case (
            tree.Compare(op=op, left=left, right=right)
            | tree.Arithmetic(op=op, left=left, right=right)
        ):
            return type(node)(op, put(left, params), put(right, params))
        case tree.Call(name=name, args=args):
            return tree.Call(name, tuple(put(each, params) for each in args))
        case tree.Sequence(items=items):
            return tree.Sequence(tuple(put(each, params) for each in items))
    return node


def _not(item: tree.Node) -> tree.Node:
    if item in (_TRUE, _FALSE):
        return _FALSE if item == _TRUE else _TRUE
    return tree.Not(item)


def _all(items: tuple[tree.Node, ...]) -> tree.Node:
    if _FALSE in items:
        return _FALSE
    left = tuple(each for each in items if each != _TRUE)
    return left[0] if len(left) == 1 else tree.All(left) if left else _TRUE


def _any(items: tuple[tree.Node, ...]) -> tree.Node:
    if _TRUE in items:
        return _TRUE
    left = tuple(each for each in items if each != _FALSE)
    return left[0] if len(left) == 1 else tree.Any(left) if left else _FALSE


def _lacks(node: object) -> bool:
    if isinstance(node, tree.Literal):
        return node.value is None
    if isinstance(node, tuple):
        return any(_lacks(each) for each in node)
    if isinstance(node, msgspec.Struct):
        return any(_lacks(getattr(node, each)) for each in node.__struct_fields__)
    return False


# --- evaluation -----------------------------------------------------------------

_GOOD: Final = int(Quality.GOOD)
_UNKNOWN: Final[tuple[Value, int]] = (None, _GOOD)
_YES: Final[tuple[Value, int]] = (True, _GOOD)
_NO: Final[tuple[Value, int]] = (False, _GOOD)
_BOOLS: Final = frozenset(f.name for f in FACTS.values() if f.type == "bool")


class _Scope(dict[str, tuple[Value, int]]):
    """Look facts up, each judged once; what cannot be true is UNKNOWN."""

    def __init__(self, facts: Facts) -> None:
        super().__init__()
        self._facts = facts

    def __missing__(self, name: str) -> tuple[Value, int]:
        value, found = self._facts.get(name), _UNKNOWN
        # Most facts are yes or no; the rest is looked at more closely.
        if value is True or value is False:
            if name in _BOOLS:
                found = _YES if value else _NO
        elif value is not None and name in FACTS and possible(FACTS[name], value):
            found = (value, _GOOD)
        self[name] = found
        return found


def _scope(facts: Facts) -> Lookup:
    """Return a scope over facts."""
    return _Scope(facts).__getitem__


def _breach(
    rule: Rule, truth: Truth, phase: Phase, facts: frozenset[str], lookup: Lookup
) -> Breach:
    missing: Iterable[str] = ()
    if truth is Truth.UNKNOWN:
        missing = (name for name in facts if lookup(name)[0] is None)
    action = Action.DENY
    if phase is Phase.RUN:
        action = rule.on_breach if truth is Truth.FALSE else rule.on_unknown
    return Breach(
        rule=rule.id,
        clause=rule.clause,
        truth=truth,
        action=action,
        alarm=rule.alarm,
        facts=facts,
        missing=frozenset(missing),
    )
