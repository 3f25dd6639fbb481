"""Compile expression trees to closures over a scope (design §5 Truth, §6).

A scope is a function ``lookup(name) -> (value, quality)``. What is not GOOD is
UNKNOWN, and so is a value of the wrong type, NaN or a division by zero: an
evaluation never raises on data.

Two words depend on where they stand, because degraded voting and ``known`` may
err to one side only. Where TRUE protects, votes lose members (2oo3 → 1oo2) and
``known`` of a bad input is UNKNOWN, not a FALSE that would hide it from
``on_unknown``. Where TRUE permits, votes are exact and ``known`` is FALSE. Each
``not`` changes the side; inside ``count``, which can go either way, both are
exact and UNKNOWN.
"""

import enum
import math
import operator
from collections.abc import Callable, Iterator
from typing import Final

from core.api.errors import ConfigError
from core.api.quality import Quality
from core.api.reading import Value
from core.api.said import Said
from core.logic import tree
from core.logic.truth import Truth, any_of, at_least, not_, of, vote

Lookup = Callable[[str], tuple[Value, int]]
Condition = Callable[[Lookup], Truth]
#: A computed value; None is UNKNOWN.
Compute = Callable[[Lookup], Value]


#: Asking an enumeration for a member costs much more.
_YES, _NO, _OPEN = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN
_HUGE: Final = 1e300
_GOOD: Final = int(Quality.GOOD)


class _Side(enum.Enum):
    """Say what TRUE does at a place of the tree."""

    PROTECTS = 1
    EITHER = 0
    PERMITS = -1

    def other(self) -> "_Side":
        return _Side(-self.value)


_ORDER: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_MATH: Final[dict[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def compile_truth(node: tree.Node, *, protective: bool = True) -> Condition:
    """Return the condition's closure; raises ConfigError for a tree it cannot run.

    ``protective``: TRUE makes something safer (hold, alarm); else TRUE permits
    (release, close).
    """
    return _condition(node, _Side.PROTECTS if protective else _Side.PERMITS)


def compile_value(node: tree.Node) -> Compute:
    """Return the value's closure; it gives None for UNKNOWN."""
    if isinstance(node, tree.Literal):
        constant = node.value
        return lambda _: constant
    if isinstance(node, tree.Name):
        return _name(node.name)
    if isinstance(node, tree.Arithmetic):
        return _arithmetic(node)
    if isinstance(node, tree.Call) and node.name in _VALUE_CALLS:
        return _VALUE_CALLS[node.name](node)
    raise ConfigError(
        Said("{word} is a condition where a value is expected", word=_word(node))
    )


def names_of(node: tree.Node) -> Iterator[str]:
    """Yield every scope name that a tree looks up, rates included."""
    if isinstance(node, tree.Name):
        yield node.name
    elif isinstance(node, tree.Call) and node.name == "rate":
        yield _rate_name(node)
    else:
        for child in _children(node):
            yield from names_of(child)


def rate_name(name: str, window_s: float) -> str:
    """Return the scope name of a rate of change per minute over ``window_s``."""
    return f"rate {name} {window_s:g}"


def _children(node: tree.Node) -> tuple[tree.Node, ...]:
    match node:
        case tree.Compare(left=left, right=right):
            return (left, right)
        case tree.Arithmetic(left=left, right=right):
            return (left, right)
        case tree.All(items=items) | tree.Any(items=items) | tree.Sequence(items=items):
            return items
        case tree.Not(item=item):
            return (item,)
        case tree.Call(args=args):
            return args
    return ()


def _word(node: tree.Node) -> str:
    return node.name if isinstance(node, tree.Call) else type(node).__name__.lower()


def _known(value: Value) -> Value:
    """Return the value, or None where it is no value at all."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _number(value: Value) -> float | int | None:
    if isinstance(value, bool) or not isinstance(value, float | int):
        return None
    # Compared, not converted: a whole number may be too large for a float.
    return value if -_HUGE < value < _HUGE else None


def _name(name: str) -> Compute:
    def look(lookup: Lookup) -> Value:
        value, quality = lookup(name)
        return _known(value) if quality == _GOOD else None

    return look


# --- conditions -----------------------------------------------------------------


def _condition(node: tree.Node, side: _Side) -> Condition:
    match node:
        case tree.All(items=items):
            return _until([_condition(item, side) for item in items], _NO)
        case tree.Any(items=items):
            return _until([_condition(item, side) for item in items], _YES)
        case tree.Not(item=item):
            inner = _condition(item, side.other())
            return lambda lookup: not_(inner(lookup))
        case tree.Compare():
            return _compare(node)
        case tree.Name(name=name):
            return _said(name)
        case tree.Call(name="votes"):
            return _votes(node, side)
        case tree.Call(name="known"):
            return _is_known(node, side)
    value = compile_value(node)
    return lambda lookup: _as_truth(value(lookup))


def _until(parts: list[Condition], end: Truth) -> Condition:
    """Return `all_of` or `any_of` of conditions; what decides ends it."""
    start = not_(end)

    def run(lookup: Lookup) -> Truth:
        found = start
        for part in parts:
            truth = part(lookup)
            if truth is end:
                return truth
            if truth is _OPEN:
                found = truth
        return found

    return run


def _said(name: str) -> Condition:
    """Return the truth of a name that is yes or no, the commonest condition."""

    def look(lookup: Lookup) -> Truth:
        value, quality = lookup(name)
        if quality == _GOOD:
            if value is True:
                return _YES
            if value is False:
                return _NO
        return _OPEN

    return look


def _as_truth(value: Value) -> Truth:
    return of(value) if isinstance(value, bool) else _OPEN


def _votes(node: tree.Call, side: _Side) -> Condition:
    if len(node.args) < 2 or not isinstance(node.args[0], tree.Literal):
        raise ConfigError("votes needs a number, then conditions: votes(2, a > 1, …)")
    needed = node.args[0].value
    count = len(node.args) - 1
    if isinstance(needed, bool) or not isinstance(needed, int):
        raise ConfigError("votes needs a whole number first: votes(2, a > 1, …)")
    if not 1 <= needed <= count:
        raise ConfigError(
            Said(
                "votes needs a number from 1 to {count}, not {needed}",
                count=count,
                needed=needed,
            )
        )
    parts = [_condition(item, side) for item in node.args[1:]]
    ballot = vote if side is _Side.PROTECTS else at_least
    return lambda lookup: ballot(needed, [part(lookup) for part in parts])


def _is_known(node: tree.Call, side: _Side) -> Condition:
    (value,) = _values(node, 1)
    bad = _NO if side is _Side.PERMITS else _OPEN
    return lambda lookup: bad if value(lookup) is None else _YES


def _compare(node: tree.Compare) -> Condition:
    left = compile_value(node.left)
    if node.op in ("in", "not_in"):
        return _membership(node, left)
    right = compile_value(node.right)
    if node.op in _ORDER:
        ordered = _ORDER[node.op]

        def in_order(lookup: Lookup) -> Truth:
            a, b = _number(left(lookup)), _number(right(lookup))
            return _OPEN if a is None or b is None else of(ordered(a, b))

        return in_order
    if node.op == "==":
        return lambda lookup: _equal(left(lookup), right(lookup))
    if node.op == "!=":
        return lambda lookup: not_(_equal(left(lookup), right(lookup)))
    raise ConfigError(Said("unknown comparison {op}", op=node.op))


def _equal(left: Value, right: Value) -> Truth:
    if left is None or right is None:
        return _OPEN
    if isinstance(left, bool) or isinstance(right, bool):
        same_kind = isinstance(left, bool) and isinstance(right, bool)
    else:
        same_kind = isinstance(left, str) == isinstance(right, str)
    return of(left == right) if same_kind else _OPEN


def _membership(node: tree.Compare, left: Compute) -> Condition:
    if not isinstance(node.right, tree.Sequence):
        raise ConfigError("`in` needs a list in brackets: x in ['a', 'b']")
    members = [compile_value(item) for item in node.right.items]

    def within(lookup: Lookup) -> Truth:
        value = left(lookup)
        return any_of([_equal(value, member(lookup)) for member in members])

    if node.op == "in":
        return within
    return lambda lookup: not_(within(lookup))


# --- values ---------------------------------------------------------------------


def _arithmetic(node: tree.Arithmetic) -> Compute:
    left, right = compile_value(node.left), compile_value(node.right)
    work = _MATH.get(node.op)
    if work is None:
        raise ConfigError(Said("unknown operator {op}", op=node.op))

    def compute(lookup: Lookup) -> Value:
        a, b = _number(left(lookup)), _number(right(lookup))
        if a is None or b is None:
            return None
        try:
            return _known(work(a, b))
        except (ZeroDivisionError, OverflowError):
            return None

    return compute


def _values(node: tree.Call, exactly: int | None = None) -> list[Compute]:
    args = node.args
    if len(args) == 1 and isinstance(args[0], tree.Sequence):
        args = args[0].items
    if not args or (exactly is not None and len(args) != exactly):
        wanted = "at least 1" if exactly is None else str(exactly)
        raise ConfigError(
            Said(
                "{name} takes {wanted} argument(s), not {args}",
                name=node.name,
                wanted=wanted,
                args=len(args),
            )
        )
    return [compile_value(item) for item in args]


def _numeric(
    fold: Callable[[list[float]], float], exactly: int | None = None
) -> Callable[[tree.Call], Compute]:
    def build(node: tree.Call) -> Compute:
        parts = _values(node, exactly)

        def compute(lookup: Lookup) -> Value:
            numbers = [_number(part(lookup)) for part in parts]
            sure = [number for number in numbers if number is not None]
            return _known(fold(sure)) if len(sure) == len(numbers) else None

        return compute

    return build


def _median(items: list[float]) -> float:
    ranked = sorted(items)
    middle = len(ranked) // 2
    if len(ranked) % 2:
        return ranked[middle]
    return (ranked[middle - 1] + ranked[middle]) / 2


def _count(node: tree.Call) -> Compute:
    if not node.args:
        raise ConfigError("count takes at least 1 condition")
    parts = [_condition(item, _Side.EITHER) for item in node.args]

    def compute(lookup: Lookup) -> Value:
        truths = [part(lookup) for part in parts]
        return None if _OPEN in truths else truths.count(_YES)

    return compute


def _rate_name(node: tree.Call) -> str:
    if len(node.args) != 2 or not isinstance(node.args[0], tree.Name):
        raise ConfigError("rate takes a name and seconds: rate(h2s, 60)")
    window = node.args[1]
    if not isinstance(window, tree.Literal) or _number(window.value) is None:
        raise ConfigError("rate takes a name and seconds: rate(h2s, 60)")
    return rate_name(node.args[0].name, float(window.value or 0))


_VALUE_CALLS: Final[dict[str, Callable[[tree.Call], Compute]]] = {
    "min": _numeric(min),
    "max": _numeric(max),
    "sum": _numeric(sum),
    "median": _numeric(_median),
    "abs": _numeric(lambda items: abs(items[0]), 1),
    "count": _count,
    "rate": lambda node: _name(_rate_name(node)),
}
