"""Find in the sources every sentence of an error, as far as the sources show them."""

import ast
import functools
from collections.abc import Iterator
from typing import NamedTuple

from tests.support.scan import ROOT, sources

#: Where a call holds its message: the name of the function → the argument's number.
MESSAGE = {
    "ConfigError": 0,
    "Invalid": 0,
    "Mistyped": 0,
    "TemplateError": 0,
    "NodeError": 0,
    "HistoryGone": 0,
    "fail": 0,
    "_fail": 0,
    "sentence": 0,
    "Said": 0,
    "error": 1,
    "_error": 1,
    "_bad": 1,
    "_wrong": 1,
    "_note": 1,
    "placed": 3,
}
#: Their ``error`` writes a log or ends a command; it says nothing of a file.
NOT_OURS = {"parser", "LOG", "log", "health"}
#: Drivers that speak of what a device sent, to a log: no person wrote it.
RUNNING = (
    "integrations/esphome/peer.py",
    "integrations/esphome/link.py",
    "integrations/esphome/probe.py",
    "integrations/opcua/peer.py",
    "core/link/",
    "integrations/shelly/session.py",
)
#: Tables whose values become a sentence where they are looked up.
TABLES = ("INSTEAD", "_INSTEAD", "_ABSENT", "_MENDS", "_WORDS")
TABLE_FILES = (
    "automations/schema_trigger.py",
    "automations/schema_rule.py",
    "automations/hazards.py",
    "core/logic/parse.py",
    "core/api/documents.py",
)


class Sentence(NamedTuple):
    """A sentence, where it stands, and how it was written."""

    where: str
    text: str
    filled: bool
    """True: an f-string or a sum, which nobody can say in another language."""
    said: bool
    """True: it is a ``Said``, so that its places are filled."""


@functools.cache
def constants() -> frozenset[str]:
    """Return every text that stands in the sources as a whole."""
    return frozenset(
        node.value
        for _, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


@functools.cache
def sentences() -> tuple[Sentence, ...]:
    """Return every sentence of an error that the sources show."""
    return tuple(_found())


def _found() -> Iterator[Sentence]:
    for path, tree in sources():
        file = path.relative_to(ROOT).as_posix()
        names = {k: v for node in tree.body for k, v in _assigned(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and not file.startswith(RUNNING):
                yield from _of_call(file, node, names)
            elif file in TABLE_FILES and isinstance(node, ast.Assign | ast.AnnAssign):
                yield from _of_table(file, node)
            elif file == "automations/packs/checks.py" and isinstance(node, ast.Yield):
                yield from _of_pair(file, node.value)


def _assigned(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        yield node.targets[0].id, node.value


def _of_call(
    file: str, call: ast.Call, names: dict[str, ast.expr]
) -> Iterator[Sentence]:
    func, owner = call.func, ""
    name = func.id if isinstance(func, ast.Name) else ""
    if isinstance(func, ast.Attribute):
        name, owner = func.attr, _last(func.value)
    at = MESSAGE.get(name)
    if at is None or owner in NOT_OURS or len(call.args) <= at:
        return
    yield from _of(
        file, call.args[at], names, said=name == "Said" and call.keywords != []
    )


def _last(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _of(
    file: str, node: ast.expr, names: dict[str, ast.expr], *, said: bool
) -> Iterator[Sentence]:
    where = f"{file}:{node.lineno}"
    match node:
        case ast.Constant(value=str(text)):
            yield Sentence(where, text, filled=False, said=said)
        case ast.JoinedStr() | ast.BinOp():
            yield Sentence(where, ast.unparse(node), filled=True, said=said)
        case ast.IfExp(body=body, orelse=orelse):
            yield from _of(file, body, names, said=said)
            yield from _of(file, orelse, names, said=said)
        case ast.BoolOp(values=values):
            for each in values:
                yield from _of(file, each, names, said=said)
        case ast.Name(id=name) if name in names:
            yield from _of(file, names[name], {}, said=said)


def _of_table(file: str, node: ast.Assign | ast.AnnAssign) -> Iterator[Sentence]:
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    named = isinstance(target, ast.Name) and target.id in TABLES
    if named and isinstance(node.value, ast.Dict):
        for value in node.value.values:
            yield from _of(file, value, {}, said=False)


def _of_pair(file: str, node: ast.expr | None) -> Iterator[Sentence]:
    if isinstance(node, ast.Tuple):
        yield from _of(file, node.elts[-1], {}, said=False)
