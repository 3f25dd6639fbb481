"""Expressions over readings (design §5 Truth, §6; R3, R5)."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api.errors import ConfigError
from core.api.quality import Quality
from core.api.reading import Value
from core.logic import tree
from core.logic.evaluate import compile_truth, compile_value, names_of
from core.logic.parse import parse
from core.logic.truth import Truth

NAMES = ("a", "b", "c", "on", "word")
Scope = dict[str, tuple[Value, int]]
GOOD: Scope = {
    "a": (1.0, 0),
    "b": (2.0, 0),
    "c": (30.0, 0),
    "on": (True, 0),
    "word": ("hot", 0),
}
BAD = [(1.0, q) for q in Quality if q is not Quality.GOOD] + [
    (None, 0),
    (math.nan, 0),
    (math.inf, 0),
]


def judge(text: str, scope: Scope, *, protective: bool = True) -> Truth:
    node = parse(text, NAMES)
    return compile_truth(node, protective=protective)(scope.__getitem__)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a < b", Truth.TRUE),
        ("a < b < c", Truth.TRUE),
        ("a > b or on", Truth.TRUE),
        ("not on", Truth.FALSE),
        ("a + b == 3 and c / b >= 15", Truth.TRUE),
        ("word in ['hot', 'cold']", Truth.TRUE),
        ("word not in ('dry', 'cold')", Truth.TRUE),
        ("word != 'hot'", Truth.FALSE),
        ("max(a, b, c) == 30 and min([a, b]) == 1", Truth.TRUE),
        ("median(a, b, c) == 2 and median(a, b) == 1.5", Truth.TRUE),
        ("abs(a - c) == 29 and sum(a, b) == 3", Truth.TRUE),
        ("count(a > 0, b > 10, on) == 2", Truth.TRUE),
        ("votes(2, a > 10, b > 1, c > 10)", Truth.TRUE),
        ("known(a) and known(word)", Truth.TRUE),
        ("all(a > 0, on) and any(a > 10, on)", Truth.TRUE),
        ("true and not false", Truth.TRUE),
        ("-a < 0 and +a > 0 and -1 < 0", Truth.TRUE),
    ],
)
def test_good_inputs_are_judged(text: str, expected: Truth) -> None:
    assert judge(text, GOOD) is expected


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize(
    "text",
    [
        "a > 0",
        "not a > 0",
        "a == a",
        "a + 1 > 0",
        "max(a, b) > 0",
        "a in [1]",
        "a not in [1]",
        "count(a > 0) == 1",
        "abs(a) >= 0",
    ],
)
def test_a_bad_input_is_unknown_also_under_not(
    text: str, bad: tuple[Value, int]
) -> None:
    """A3, R3: a dead sensor makes neither a condition nor its opposite true."""
    assert judge(text, GOOD | {"a": bad}) is Truth.UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        "word > 1",
        "on > 0",
        "word == 1",
        "on == 1",
        "a == 'hot'",
        "a / (b - 2) > 0",
        "a",
    ],
)
def test_a_wrong_type_is_unknown_and_never_raises(text: str) -> None:
    assert judge(text, GOOD) is Truth.UNKNOWN


def test_huge_numbers_are_unknown_and_never_raise() -> None:
    scope = GOOD | {"a": (1e308, 0), "b": (10**400, 0)}
    assert judge("a * a > 1", scope) is Truth.UNKNOWN
    assert judge("a * 1e300 - a > 1", scope) is Truth.UNKNOWN
    assert judge("b / 3 > 1", scope) is Truth.UNKNOWN


def test_votes_degrade_only_where_true_protects() -> None:
    """Design §5: 2oo3 that loses one becomes 1oo2; it must never permit so."""
    scope = GOOD | {"b": (2.0, Quality.STALE)}
    text = "votes(2, a > 0, b > 0, c > 100)"
    assert judge(text, scope, protective=True) is Truth.TRUE
    assert judge(text, scope, protective=False) is Truth.UNKNOWN
    assert judge(f"not {text}", scope, protective=False) is Truth.FALSE
    assert judge(f"not {text}", scope, protective=True) is Truth.UNKNOWN


def test_known_never_hides_a_loss_and_never_permits_by_it() -> None:
    scope = GOOD | {"a": (None, Quality.FAULT)}
    assert judge("known(a)", scope, protective=True) is Truth.UNKNOWN
    assert judge("not known(a)", scope, protective=True) is Truth.TRUE
    assert judge("known(a)", scope, protective=False) is Truth.FALSE
    assert judge("not known(a)", scope, protective=False) is Truth.UNKNOWN
    assert judge("count(known(a)) == 0", scope, protective=False) is Truth.UNKNOWN


def test_rate_is_a_name_of_the_scope() -> None:
    node = parse("rate(a, 60) > 5", NAMES)
    assert list(names_of(node)) == ["rate a 60"]
    scope: Scope = {"rate a 60": (7.0, 0)}
    assert compile_truth(node)(scope.__getitem__) is Truth.TRUE


def test_names_of_finds_every_name() -> None:
    node = parse("any(a > 1, not b in [c]) and votes(1, on) and a + 1 > 0", NAMES)
    assert set(names_of(node)) == {"a", "b", "c", "on"}


@pytest.mark.parametrize(
    "node",
    [
        tree.Compare("~", tree.Literal(1), tree.Literal(1)),
        tree.Compare("in", tree.Literal(1), tree.Literal(1)),
        tree.Arithmetic("**", tree.Literal(1), tree.Literal(1)),
        tree.Call("votes", (tree.Literal(3), tree.Literal(True))),
        tree.Call("votes", (tree.Literal(True), tree.Literal(True))),
        tree.Call("votes", (tree.Name("a"), tree.Literal(True))),
        tree.Call("known", ()),
        tree.Call("count", ()),
        tree.Call("rate", (tree.Literal(1), tree.Literal(1))),
        tree.Call("rate", (tree.Name("a"), tree.Name("b"))),
        tree.Call("exec", (tree.Literal("x"),)),
        tree.Sequence(()),
    ],
)
def test_a_tree_that_cannot_run_is_refused_when_it_is_armed(node: tree.Node) -> None:
    """R9: found at arm time, not when the gas comes."""
    with pytest.raises(ConfigError):
        compile_truth(node)


def test_a_condition_is_no_value() -> None:
    with pytest.raises(ConfigError, match="condition where a value"):
        compile_value(parse("a > 1", NAMES))


# --- the property of R5 ------------------------------------------------------------

_leaves = st.one_of(
    st.sampled_from(NAMES).map(tree.Name),
    st.floats(-3, 40).map(tree.Literal),
    st.booleans().map(tree.Literal),
)
_values = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.builds(tree.Arithmetic, st.sampled_from("+-*/"), inner, inner),
        st.builds(
            lambda name, args: tree.Call(name, tuple(args)),
            st.sampled_from(("min", "max", "median", "sum")),
            st.lists(inner, min_size=1, max_size=3),
        ),
    ),
    max_leaves=4,
)
_compares = st.builds(
    tree.Compare,
    st.sampled_from(("<", "<=", ">", ">=", "==", "!=")),
    _values,
    _values,
)


def _joined(inner: st.SearchStrategy[tree.Node]) -> st.SearchStrategy[tree.Node]:
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        several.map(tree.All),
        several.map(tree.Any),
        inner.map(tree.Not),
        several.map(lambda items: tree.Call("votes", (tree.Literal(1), *items))),
        several.map(
            lambda items: tree.Call("votes", (tree.Literal(len(items)), *items))
        ),
        st.sampled_from(NAMES).map(lambda n: tree.Call("known", (tree.Name(n),))),
        several.map(
            lambda items: tree.Compare(">=", tree.Call("count", items), tree.Literal(2))
        ),
    )


_conditions = st.recursive(_compares, _joined, max_leaves=8)
_inputs = st.one_of(
    st.tuples(st.floats(-3, 40), st.just(0)),
    st.tuples(st.booleans(), st.just(0)),
    st.sampled_from(BAD),
)
_scopes = st.fixed_dictionaries(dict.fromkeys(NAMES, _inputs))


@given(_conditions, _scopes, st.sampled_from(NAMES), st.sampled_from(BAD))
def test_a_bad_input_never_permits_and_never_protects_less(
    node: tree.Node, scope: Scope, name: str, bad: tuple[Value, int]
) -> None:
    """R5: for every expression, whichever input is lost."""
    worse = scope | {name: bad}
    permits = compile_truth(node, protective=False)
    if permits(scope.__getitem__) is not Truth.TRUE:
        assert permits(worse.__getitem__) is not Truth.TRUE
    protects = compile_truth(node, protective=True)
    if protects(scope.__getitem__) is not Truth.FALSE:
        assert protects(worse.__getitem__) is not Truth.FALSE
