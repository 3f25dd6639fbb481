"""Check the types of an expression: a mistake here would be UNKNOWN for ever."""

from collections.abc import Mapping

from core.api.said import Said
from core.logic import tree
from core.permits.facts import FACTS
from core.permits.pack_rules import PARAMETERS

_NUMBERS = ("min", "max", "sum", "abs", "median")


class Mistyped(Exception):
    """An expression compares what cannot be compared; the text says the mend."""


def check_condition(node: tree.Node) -> None:
    """Raise Mistyped unless the tree is a condition over declared facts."""
    found = _type(node)
    if found != "bool":
        raise Mistyped(
            Said("a condition is needed, this is a {found}; compare it", found=found)
        )


def _type(node: tree.Node) -> str:
    match node:
        case tree.Literal(value=value):
            return _of(value)
        case tree.Name(name=name):
            return _name(name)
        case tree.Not(item=item):
            check_condition(item)
        case tree.All(items=items) | tree.Any(items=items):
            for each in items:
                check_condition(each)
        case tree.Compare():
            _compare(node)
        case tree.Arithmetic(left=left, right=right):
            return _number(left, right)
        case tree.Call(name=name, args=args):
            return _call(name, args)
        case tree.Sequence():
            raise Mistyped("a list stands only after `in` and in functions")
    return "bool"


def _of(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    return "text" if isinstance(value, str) else "number"


def _name(name: str) -> str:
    if name in FACTS:
        return FACTS[name].type
    return PARAMETERS.get(name, "number")


def _number(*nodes: tree.Node) -> str:
    for node in nodes:
        if _type(node) != "number":
            raise Mistyped("arithmetic needs numbers")
    return "number"


def _call(name: str, args: tuple[tree.Node, ...]) -> str:
    if name in _NUMBERS:
        return _number(*args)
    if name == "rate":
        raise Mistyped("rate() has no history here; give the rate as a fact")
    if name == "known":
        _type(args[0])
        return "bool"
    for each in args[1:] if name == "votes" else args:
        check_condition(each)
    return "number" if name == "count" else "bool"


def _compare(node: tree.Compare) -> None:
    rights = (
        node.right.items if isinstance(node.right, tree.Sequence) else (node.right,)
    )
    left = _type(node.left)
    for right in rights:
        if _type(right) != left:
            raise Mistyped(
                Said("a {left} is compared with a {type}", left=left, type=_type(right))
            )
        _choice(node.left, right)
        _choice(right, node.left)
    if left != "number" and node.op not in ("==", "!=", "in", "not_in"):
        raise Mistyped(Said("a {left} has no order; use == or in", left=left))


def _choice(name: tree.Node, word: tree.Node) -> None:
    if not (isinstance(name, tree.Name) and isinstance(word, tree.Literal)):
        return
    choices: Mapping[str, tuple[str, ...]] = {
        fact.name: fact.choices for fact in FACTS.values() if fact.choices
    }
    if name.name in choices and word.value not in choices[name.name]:
        raise Mistyped(
            Said(
                "{value!r} is no value of {name}; known: {choices}",
                value=word.value,
                name=name.name,
                choices=list(choices[name.name]),
            )
        )
