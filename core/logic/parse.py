"""Read an expression, a small subset of Python's syntax (design §6).

Used when configuration is published, never in the safety process. Every error
is a ConfigError that names file, line and column, and what to write instead.
"""

import ast
import difflib
import math
from collections.abc import Collection
from typing import Final, NoReturn

from core.api.errors import ConfigError
from core.api.said import Said, known_words, sentence
from core.logic import tree
from core.logic.evaluate import compile_truth

MAX_BYTES: Final = 2048
MAX_DEPTH: Final = 32

_COMPARE: Final[dict[type[ast.cmpop], str]] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.In: "in",
    ast.NotIn: "not_in",
}
_MATH: Final[dict[type[ast.operator], str]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
}
_CALLS: Final = (
    "all",
    "any",
    "votes",
    "known",
    "count",
    "min",
    "max",
    "sum",
    "abs",
    "median",
    "rate",
)
_INSTEAD: Final[dict[type[ast.AST], str]] = {
    ast.IfExp: "write the condition in the rule's `if`, not inside an expression",
    ast.Lambda: "functions cannot be defined here",
    ast.JoinedStr: "text is written in quotes without f",
    ast.ListComp: "list the members: any(a > 1, b > 1)",
    ast.GeneratorExp: "list the members: any(a > 1, b > 1)",
    ast.Dict: "lists in square brackets are the only collections",
    ast.Set: "lists in square brackets are the only collections",
    ast.Subscript: "names are written whole, without [ ]",
    ast.NamedExpr: "nothing can be assigned; compare with ==",
    ast.Starred: "write the members out",
}


def parse(
    text: str,
    names: Collection[str],
    *,
    file: str = "",
    line: int = 1,
    column: int = 1,
) -> tree.Node:
    """Return the tree of a condition that uses only declared ``names``.

    ``line`` and ``column`` (both from 1) say where ``text`` begins in ``file``.
    Raises ConfigError.
    """
    reader = _Reader(text, names, file, line, column)
    node = reader.read()
    try:
        compile_truth(node)
    except ConfigError as bad:
        reader.fail(bad.message)
    return node


class _Reader:
    """Translate one expression."""

    def __init__(
        self, text: str, names: Collection[str], file: str, line: int, column: int
    ) -> None:
        self._text = text
        self._names = names
        self._file, self._line, self._column = file, line, column
        self._flat, self._blank = text, 0

    def read(self) -> tree.Node:
        if not self._text.strip():
            self.fail("an expression is empty; write a condition such as h2s > 10")
        if len(self._text.encode(errors="replace")) > MAX_BYTES:
            self.fail(
                Said(
                    "an expression has at most {max_bytes} bytes; split the rule",
                    max_bytes=MAX_BYTES,
                )
            )
        if "\0" in self._text:
            self.fail("an expression has no NUL characters")
        if "#" in self._text:
            # Joined to one line, a comment would swallow what follows it.
            self.fail(
                "an expression has no comments; put them outside of it",
                self._text.index("#"),
            )
        self._flat = self._text.replace("\n", " ").replace("\r", " ")
        blank = len(self._flat) - len(self._flat.lstrip())
        self._blank = blank
        try:
            root = ast.parse(self._flat[blank:], mode="eval").body
        except SyntaxError as bad:
            # Python says 0 where the text ends too early.
            at = bad.offset - 1 if bad.offset else len(self._flat.rstrip()) - blank
            self.fail(
                Said(
                    "{msg}; conditions are joined by and, or, not",
                    msg=sentence(bad.msg),
                ),
                blank + at,
            )
        except (RecursionError, MemoryError):
            self.fail("an expression is nested too deeply; split the rule")
        except ValueError as bad:
            self.fail(Said("an expression is plain text: {bad}", bad=bad))
        return self._node(root, 0)

    def fail(self, problem: str, offset: int = 0) -> NoReturn:
        """Raise for a place inside the text; ``offset`` counts characters from 0."""
        before = self._text[:offset]
        rows = before.count("\n")
        line = self._line + rows
        column = offset - (before.rfind("\n") + 1) + (1 if rows else self._column)
        raise ConfigError(
            Said(
                "{file}:{line}:{column}: {problem}",
                file=self._file or Said("expression"),
                line=line,
                column=column,
                problem=sentence(problem),
            ),
            file=self._file,
            line=line,
            column=column,
            problem=problem,
        )

    def _bad(self, node: ast.expr, problem: str) -> NoReturn:
        # Python counts bytes.
        head = self._flat[self._blank :].encode()[: node.col_offset]
        self.fail(problem, self._blank + len(head.decode(errors="replace")))

    def _node(self, node: ast.expr, depth: int) -> tree.Node:
        if depth > MAX_DEPTH:
            self._bad(node, "an expression is nested too deeply; split the rule")
        deeper = depth + 1
        match node:
            case ast.BoolOp(op=op, values=values):
                items = tuple(self._node(each, deeper) for each in values)
                return tree.All(items) if isinstance(op, ast.And) else tree.Any(items)
            case ast.UnaryOp():
                return self._unary(node, deeper)
            case ast.Compare():
                return self._compare(node, deeper)
            case ast.BinOp(left=left, op=op, right=right):
                sign = _MATH.get(type(op))
                if sign is None:
                    self._bad(node, "only + - * / are allowed")
                return tree.Arithmetic(
                    sign, self._node(left, deeper), self._node(right, deeper)
                )
            case ast.Call():
                return self._call(node, deeper)
            case ast.List(elts=elts) | ast.Tuple(elts=elts):
                return tree.Sequence(tuple(self._node(each, deeper) for each in elts))
        return self._leaf(node)

    def _leaf(self, node: ast.expr) -> tree.Node:
        match node:
            case ast.Constant(value=value):
                return self._constant(node, value)
            case ast.Name() | ast.Attribute():
                return self._name(node)
        advice = sentence(
            _INSTEAD.get(type(node), "see the list of words in the handbook")
        )
        self._bad(
            node,
            Said(
                "{name} is not allowed here; {advice}",
                name=type(node).__name__,
                advice=advice,
            ),
        )

    def _constant(self, node: ast.expr, value: object) -> tree.Literal:
        if isinstance(value, bool | str):
            return tree.Literal(value)
        if isinstance(value, int) and abs(value) < 2**53:
            return tree.Literal(value)
        if isinstance(value, float) and math.isfinite(value):
            return tree.Literal(value)
        if value is None:
            self._bad(node, "None is no value; ask known(name)")
        self._bad(node, "write a number, true or false, or text in quotes")

    def _name(self, node: ast.Name | ast.Attribute) -> tree.Node:
        name = self._dotted(node)
        if name in self._names:
            return tree.Name(name)
        if name in ("true", "false"):
            return tree.Literal(name == "true")
        near = difflib.get_close_matches(name, self._names, 1)
        advice = (
            Said("did you mean {near}?", near=near[0])
            if near
            else known_words(sorted(self._names))
        )
        self._bad(
            node, Said("{name} is not declared; {advice}", name=name, advice=advice)
        )

    def _dotted(self, node: ast.Name | ast.Attribute) -> str:
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node.value, ast.Name | ast.Attribute):
            return f"{self._dotted(node.value)}.{node.attr}"
        self._bad(node, "a dot stands only between names")

    def _unary(self, node: ast.UnaryOp, depth: int) -> tree.Node:
        if isinstance(node.op, ast.Not):
            return tree.Not(self._node(node.operand, depth))
        if isinstance(node.op, ast.Invert):
            self._bad(node, "~ is not allowed; write not")
        inner = self._node(node.operand, depth)
        if isinstance(node.op, ast.UAdd):
            return inner
        if isinstance(inner, tree.Literal) and isinstance(inner.value, int | float):
            return tree.Literal(-inner.value)
        return tree.Arithmetic("-", tree.Literal(0), inner)

    def _compare(self, node: ast.Compare, depth: int) -> tree.Node:
        sides = [self._node(each, depth) for each in (node.left, *node.comparators)]
        pairs = []
        for op, left, right in zip(node.ops, sides, sides[1:], strict=False):
            sign = _COMPARE.get(type(op))
            if sign is None:
                self._bad(node, "`is` is not allowed; write == or known(name)")
            pairs.append(tree.Compare(sign, left, right))
        return pairs[0] if len(pairs) == 1 else tree.All(tuple(pairs))

    def _call(self, node: ast.Call, depth: int) -> tree.Node:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in _CALLS:
            self._bad(
                node, Said("no such function; allowed: {calls}", calls=list(_CALLS))
            )
        if node.keywords:
            self._bad(node, Said("{name} takes no named arguments", name=name))
        args = tuple(self._node(each, depth) for each in node.args)
        if len(args) == 1 and isinstance(args[0], tree.Sequence):
            args = args[0].items
        if not args:
            self._bad(node, Said("{name} needs arguments: {name}(…)", name=name))
        if name == "all":
            return tree.All(args)
        if name == "any":
            return tree.Any(args)
        return tree.Call(name, args)
