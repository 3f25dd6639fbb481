"""Promises of the rules: UNKNOWN never permits, tightening never loosens.

no path from any non-GOOD evidence to active; design §5 Truth, R3.
"""

import copy
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from automations.packs.compile import (
    SECTIONS,
    compile_pack,
    find,
    load_source,
    shipped,
)
from automations.packs.vectors import Suite
from core.api.documents import parse
from core.logic import tree
from core.logic.evaluate import names_of
from core.logic.truth import Truth
from core.permits.facts import FACTS
from core.permits.pack import SEVERITY, Action, Kind, Pack, Phase
from core.permits.pack_diff import compare
from core.permits.pack_rules import (
    Breach,
    Rules,
    applies,
    compile_rules,
    evaluate,
    own_rules,
    parameters,
    permits,
)
from core.permits.ways import loosened

SUITES = {name: Suite(load_source(find(name))) for name in shipped()}
NUMBERS = (-1.0, 0.0, 0.5, 1.0, 2.0, 8.0, 10.8, 20.9, 30.0, 31.0, 61.0, 121.0, 500.0)


def value_of(name: str) -> st.SearchStrategy[Any]:
    fact = FACTS[name]
    if fact.type == "bool":
        return st.booleans()
    if fact.type == "text":
        return st.sampled_from((*fact.choices, "nonsense"))
    return st.sampled_from(NUMBERS)


@st.composite
def scenes(draw: st.DrawFn, name: str) -> tuple[Kind, Phase, dict[str, Any]]:
    """Draw a kind, a phase and facts: the base with some of them changed."""
    suite = SUITES[name]
    kind = draw(st.sampled_from(suite.pack.kinds))
    phase = draw(st.sampled_from(list(Phase)))
    read = sorted(suite.rules[kind.id].facts[phase])
    assume(read)
    facts = dict(suite.base)
    for fact in draw(st.lists(st.sampled_from(read), max_size=8, unique=True)):
        facts[fact] = draw(value_of(fact))
    return kind, phase, facts


def by_rule(found: list[Breach]) -> dict[str, Breach]:
    return {breach.rule: breach for breach in found}


@pytest.mark.parametrize("name", SUITES)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_unknown_never_permits_and_never_removes_a_hold(
    name: str, data: st.DataObject
) -> None:
    """R3: a fact that is lost leaves every breach a breach and every hold a hold."""
    kind, phase, facts = data.draw(scenes(name))
    rules = SUITES[name].rules[kind.id]
    lost = data.draw(
        st.lists(st.sampled_from(sorted(rules.facts[phase])), min_size=1, unique=True)
    )
    before = by_rule(evaluate(kind, rules, facts, phase))
    bad = data.draw(st.sampled_from([None, float("nan"), "nonsense", 10**400]))
    after = by_rule(evaluate(kind, rules, facts | dict.fromkeys(lost, bad), phase))
    assert set(before) <= set(after)
    for rule, breach in after.items():
        if phase is Phase.RUN:
            assert SEVERITY[breach.action] >= SEVERITY[Action.HOLD], rule
        else:
            assert breach.action is Action.DENY, rule


@pytest.mark.parametrize("name", SUITES)
def test_nothing_known_permits_nothing_that_has_rules(name: str) -> None:
    suite = SUITES[name]
    for kind in suite.pack.kinds:
        for phase in Phase:
            rules = suite.rules[kind.id]
            found = evaluate(kind, rules, {}, phase)
            assert len(found) == len(rules.by_phase[phase])
            assert all(breach.truth is Truth.UNKNOWN for breach in found)
            assert found, (kind.id, phase)


@pytest.mark.parametrize("name", SUITES)
def test_each_fact_alone_when_lost_stops_what_reads_it(name: str) -> None:
    """One by one: a lost fact breaches, or no rule of the moment turned on it."""
    suite = SUITES[name]
    for kind in suite.pack.kinds:
        rules = suite.rules[kind.id]
        for phase in Phase:
            for fact in rules.facts[phase]:
                facts = {**suite.base, fact: None}
                for breach in evaluate(kind, rules, facts, phase):
                    assert breach.truth is Truth.UNKNOWN


# --- overlays -------------------------------------------------------------------

BASE = SUITES["cn-hazchem"]
BARE = copy.deepcopy(BASE.source)
for _section in ("vectors", "gas_vectors", "base"):
    # Not what is tried here, and copied for each example.
    BARE.forget(_section)

_NUMBER = st.sampled_from([0.5, 1.0, 5.0, 8.0, 30.0, 60.0, 120.0, 500.0])
_EXTRA = st.sampled_from(["ppe_ok", "guardian_present", "wind_ms < 5", "true", "false"])


def _condition_edit(draw: st.DrawFn, text: str | None) -> str | None:
    extra = draw(_EXTRA)
    shapes = [extra, f"not ({extra})"]
    if text:
        shapes += [f"({text}) and {extra}", f"({text}) or {extra}", f"not ({text})"]
    return draw(st.sampled_from(shapes))


def _rule_edit(draw: st.DrawFn) -> dict[str, Any]:
    rule = draw(st.sampled_from(BASE.pack.rules))
    edits: dict[str, Any] = {
        "require": _condition_edit(draw, rule.require.text),
        "when": _condition_edit(draw, rule.when.text if rule.when else None),
        "applies": draw(st.sampled_from([["*"], ["hot"], ["hot-2"], [*rule.applies]])),
        "on_breach": draw(st.sampled_from(["deny", "hold", "evacuate"])),
        "on_unknown": draw(st.sampled_from(["hold", "evacuate"])),
        "phases": draw(
            st.sampled_from(
                [["run"], ["start"], [*map(str, rule.phases), "resume", "run"]]
            )
        ),
    }
    keys = draw(st.sets(st.sampled_from(sorted(edits)), min_size=1, max_size=2))
    return {"rules": {rule.id: {key: edits[key] for key in keys}}}


def _kind_edit(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(BASE.pack.kinds))
    edits: list[dict[str, Any]] = [
        {"validity": {"hours": draw(_NUMBER)}},
        {"rank": draw(st.integers(1, 4))},
        {"guardian": {"required": draw(st.booleans()), "outside": draw(st.booleans())}},
        {"video": draw(st.sampled_from(["none", "optional", "full"]))},
        {"test": _condition_edit(draw, kind.test.text if kind.test else None)},
        {"upgrades": []},
    ]
    if kind.gas is not None:
        edits += [
            {"gas": {"age_start_min": draw(_NUMBER), "age_sign_min": draw(_NUMBER)}},
            {"gas": {"retest_gap_min": draw(_NUMBER)}},
            {"gas": {"continuous": draw(st.booleans()), "daily": draw(st.booleans())}},
            {"gas": {"record_every_min": draw(_NUMBER)}},
            {"gas": {"when": draw(st.sampled_from(["in_ex_area", "outdoors"]))}},
        ]
    return {"kinds": {kind.id: draw(st.sampled_from(edits))}}


def _setting_edit(draw: st.DrawFn) -> dict[str, Any]:
    setting = draw(st.sampled_from(BASE.pack.settings))
    low, high = setting.low or 0.0, setting.high or 100.0
    value = draw(st.sampled_from([low, (low + high) / 2, high]))
    return {"settings": {setting.id: {"value": value}}}


def _added(draw: st.DrawFn) -> dict[str, Any]:
    body = {
        "zh": "x",
        "en": "x",
        "clause": "site",
        "applies": ["*"],
        "phases": ["start", "run"],
        "require": draw(_EXTRA),
        "on_breach": "hold",
    }
    return {"rules": {"SITE1": body}}


@st.composite
def overlays(draw: st.DrawFn) -> dict[str, Any]:
    edit = draw(st.sampled_from([_rule_edit, _kind_edit, _setting_edit, _added]))
    made: dict[str, Any] = edit(draw)
    return made


def laid(overlay: dict[str, Any]) -> Pack | None:
    """Return the pack under an overlay; None where it is refused as broken."""
    from core.api.errors import ConfigError

    source = copy.deepcopy(BARE)
    source.lay(parse(yaml.safe_dump(overlay), "overlay.yaml"), tuple(SECTIONS))
    try:
        return compile_pack(source)
    except ConfigError:
        return None


def compiled(pack: Pack, kind_id: str) -> tuple[Kind, Rules]:
    kind = pack.kind(kind_id)
    assert kind is not None
    return kind, compile_rules(pack, kind)


def conditions(pack: Pack, kind: Kind) -> dict[str, tuple[Any, ...]]:
    """Return what each rule of a kind comes down to."""
    params = parameters(pack, kind)
    return {
        rule.id: (permits(rule, params), rule.phases, rule.on_breach, rule.on_unknown)
        for rule in (*pack.rules, *own_rules(kind))
        if applies(rule, kind)
    }


def touched(pack: Pack) -> list[tuple[Kind, Phase, list[str]]]:
    """Return where a pack under an overlay differs, and the facts that decide."""
    found = []
    for kind in BASE.pack.kinds:
        new_kind = pack.kind(kind.id)
        assert new_kind is not None
        old, new = conditions(BASE.pack, kind), conditions(pack, new_kind)
        for rule, (node, phases, *_) in old.items():
            if old[rule] != new.get(rule):
                after = new[rule][0] if rule in new else node
                names = sorted({*names_of(node), *names_of(after)})
                found += [(kind, phase, names) for phase in phases]
    return found


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(overlay=overlays(), data=st.data())
def test_an_overlay_of_one_person_never_permits_what_the_pack_denies(
    overlay: dict[str, Any], data: st.DataObject
) -> None:
    """An overlay may tighten, loosening needs two persons."""
    pack = laid(overlay)
    assume(pack is not None)
    assert pack is not None
    assume(not loosened(compare(BASE.pack, pack)))
    places = touched(pack)
    assume(places)
    after: dict[str, tuple[Kind, Rules]] = {}
    for _ in range(12):
        kind, phase, names = data.draw(st.sampled_from(places))
        facts = dict(BASE.base)
        for name in names:
            facts[name] = data.draw(value_of(name) | st.none())
        old = evaluate(kind, BASE.rules[kind.id], facts, phase)
        if kind.id not in after:
            after[kind.id] = compiled(pack, kind.id)
        new = by_rule(evaluate(*after[kind.id], facts, phase))
        for breach in old:
            assert breach.rule in new, (overlay, breach)
            held = new[breach.rule]
            if breach.truth is held.truth:
                assert SEVERITY[held.action] >= SEVERITY[breach.action]


def test_the_property_bites() -> None:
    """A loosening that passed for tightening would be seen: the compare says so."""
    loose = laid({"rules": {"H5c": {"require": "gas_age_min <= 90"}}})
    assert loose is not None
    found = loosened(compare(BASE.pack, loose))
    assert [change.path for change in found] == ["rules.H5c.require"]
    kind, rules = compiled(loose, "confined")
    facts = {**BASE.base, "gas_age_min": 45}
    assert evaluate(BASE.pack.kinds[3], BASE.rules["confined"], facts, Phase.START)
    assert not evaluate(kind, rules, facts, Phase.START)


def test_constants_fold_the_same_way_for_one_and_true() -> None:
    """A number 1 in an expression must not be taken for TRUE."""
    assert tree.Literal(1) == tree.Literal(True)
    kind = BASE.pack.kind("blind-plate")
    assert kind is not None
    facts = {**BASE.base, "plates_on_permit": 2}
    found = evaluate(kind, BASE.rules["blind-plate"], facts, Phase.SIGN)
    assert [breach.rule for breach in found] == ["H11"]
