"""Parse templates by Jinja's parser: small expressions to closures, the rest sandboxed.

Imported only when a template is more than a path, so most hosts never load Jinja.
"""

from collections.abc import Callable
from typing import Any

from jinja2 import StrictUndefined, nodes
from jinja2.exceptions import TemplateError as JinjaError
from jinja2.runtime import Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from core.api.said import Said
from integrations.mqtt.templates import (
    MAX_OUTPUT,
    Extract,
    MissingKeyError,
    SilentError,
    TemplateError,
    arithmetic,
    attribute,
    compare,
    rounded,
    text_of,
    to_float,
    to_int,
)

_Expr = Callable[[str, Any], Any]
MAX_DEPTH = 40
_FILTERS = (
    "abs",
    "capitalize",
    "d",
    "default",
    "first",
    "int",
    "last",
    "length",
    "lower",
    "max",
    "min",
    "string",
    "sum",
    "title",
    "trim",
    "upper",
)
_METHODS = frozenset(
    {"get", "split", "strip", "lower", "upper", "startswith", "endswith"}
)
_STATEMENTS = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.If,
    nodes.Assign,
    nodes.Expr,
    nodes.Operand,
    nodes.Keyword,
    nodes.Pair,
)
_GROWING = (nodes.List, nodes.Tuple, nodes.Dict, nodes.Concat)


class _Environment(ImmutableSandboxedEnvironment):
    """Let templates read, compare and reckon; nothing that grows or calls out."""

    intercepted_binops = frozenset({"+", "*", "**", "%", "//", "-", "/"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            if len(left) + len(right) > 2 * MAX_OUTPUT:
                raise TemplateError("text grows too long")
            return left + right
        if not isinstance(left, int | float) or not isinstance(right, int | float):
            raise TemplateError(
                Said("{operator} wants numbers: use | float", operator=operator)
            )
        if operator == "**" or abs(left) > 1e15 or abs(right) > 1e15:
            return super().call_binop(context, operator, float(left), float(right))
        return super().call_binop(context, operator, left, right)

    def wrap_str_format(self, value: Any) -> None:
        """Give no special way to ``str.format``: its widths grow without bound."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return attr in _METHODS and isinstance(obj, str | dict)


def _is_defined(value: Any) -> Any:
    if isinstance(value, Undefined):
        raise SilentError
    return value


def _no_default(value: Any, *_: Any) -> Any:
    if isinstance(value, Undefined):
        raise MissingKeyError("only a default would answer")
    return value


def _environment(strict: bool) -> _Environment:
    """Return a sandbox; a strict one knows no defaults."""
    env = _Environment(undefined=StrictUndefined, autoescape=False, cache_size=0)
    env.globals.clear()
    env.filters = {name: env.filters[name] for name in _FILTERS}
    env.filters |= {
        "float": (lambda value, *_: to_float(value)) if strict else to_float,
        "int": (lambda value, *_: to_int(value)) if strict else to_int,
        "round": rounded,
        "is_defined": _is_defined,
    }
    if strict:
        env.filters |= {"default": _no_default, "d": _no_default}
    return env


_STRICT = _environment(strict=True)
_LENIENT = _environment(strict=False)


def compile_any(source: str) -> Extract:
    """Return the extract of any allowed template; raises TemplateError."""
    try:
        tree = _STRICT.parse(source)
    except (JinjaError, RecursionError, ValueError) as error:
        raise TemplateError(Said("template: {error}", error=error)) from error
    _check(tree)
    names = {node.name for node in tree.find_all(nodes.Name)}
    make = _maker(source, _single_expression(tree))
    defaults = any(
        node.name in {"default", "d"} or (node.args and node.name in {"float", "int"})
        for node in tree.find_all(nodes.Filter)
    )
    return Extract(
        make(True),
        json="value_json" in names,
        text="value" in names,
        assumed=make(False) if defaults else None,
    )


def _maker(source: str, expression: nodes.Expr | None) -> Callable[[bool], _Expr]:
    """Return what makes the closure, or the sandboxed rendering, of a template."""
    if expression is not None:
        try:
            _Builder(True).build(expression, 0)
        except _NoClosureError:
            pass
        else:
            return lambda strict: _Builder(strict).build(expression, 0)
    return lambda strict: rendered(source, strict)


def _single_expression(tree: nodes.Template) -> nodes.Expr | None:
    """Return the expression of ``{{ … }}`` when it is all there is."""
    if len(tree.body) != 1 or not isinstance(tree.body[0], nodes.Output):
        return None
    parts = [
        part
        for part in tree.body[0].nodes
        if not (isinstance(part, nodes.TemplateData) and not part.data.strip())
    ]
    return parts[0] if len(parts) == 1 else None


class _NoClosureError(Exception):
    """This node needs the sandbox."""


class _Builder:
    """Turn expression nodes into closures; raises _NoClosureError for others."""

    def __init__(self, strict: bool) -> None:
        self.strict = strict

    def build(self, node: nodes.Node, depth: int) -> _Expr:
        """Return the closure of ``node``."""
        builder = getattr(self, f"_{type(node).__name__.lower()}", None)
        if builder is None or depth > MAX_DEPTH:
            raise _NoClosureError
        closure: _Expr = builder(node, depth + 1)
        return closure

    def _name(self, node: Any, _: int) -> _Expr:
        if node.name == "value_json":
            return lambda _, data: data
        if node.name == "value":
            return lambda text, _: text
        raise _NoClosureError

    def _const(self, node: Any, _: int) -> _Expr:
        value = node.value
        return lambda *_: value

    def _getitem(self, node: Any, depth: int) -> _Expr:
        key = node.arg
        if not isinstance(key, nodes.Const) or not isinstance(key.value, str | int):
            raise _NoClosureError
        return attribute(self.build(node.node, depth), key.value)

    def _getattr(self, node: Any, depth: int) -> _Expr:
        return attribute(self.build(node.node, depth), node.attr)

    def _condexpr(self, node: Any, depth: int) -> _Expr:
        if node.expr2 is None:
            raise _NoClosureError
        test = self.build(node.test, depth)
        yes, no = self.build(node.expr1, depth), self.build(node.expr2, depth)
        return lambda text, data: (
            yes(text, data) if test(text, data) else no(text, data)
        )

    def _compare(self, node: Any, depth: int) -> _Expr:
        if len(node.ops) != 1 or node.ops[0].op in {"in", "notin"}:
            raise _NoClosureError
        operand = node.ops[0]
        left = self.build(node.expr, depth)
        return compare(operand.op, left, self.build(operand.expr, depth))

    def _add(self, node: Any, depth: int) -> _Expr:
        left, right = self.build(node.left, depth), self.build(node.right, depth)
        return arithmetic(type(node).__name__, left, right)

    _sub = _mul = _div = _add

    def _not(self, node: Any, depth: int) -> _Expr:
        inner = self.build(node.node, depth)
        return lambda text, data: not inner(text, data)

    def _neg(self, node: Any, depth: int) -> _Expr:
        inner = self.build(node.node, depth)
        return arithmetic("Sub", lambda *_: 0, inner)

    def _filter(self, node: Any, depth: int) -> _Expr:
        if node.node is None or node.kwargs or node.dyn_args or node.dyn_kwargs:
            raise _NoClosureError
        if len(node.args) > 1 or not all(isinstance(a, nodes.Const) for a in node.args):
            raise _NoClosureError
        inner = self.build(node.node, depth)
        given = [arg.value for arg in node.args]
        if node.name in {"default", "d"} and given:
            return inner if self.strict else _or_else(inner, given[0])
        if node.name == "is_defined" and not given:
            return _or_silent(inner)
        apply = _FUNCTIONS.get(node.name)
        if apply is None or (given and node.name not in {"float", "int", "round"}):
            raise _NoClosureError
        if self.strict and node.name in {"float", "int"}:
            given = []
        return lambda text, data: apply(inner(text, data), *given)


def _or_else(inner: _Expr, default: Any) -> _Expr:
    def get(text: str, data: Any) -> Any:
        try:
            return inner(text, data)
        except MissingKeyError:
            return default

    return get


def _or_silent(inner: _Expr) -> _Expr:
    def get(text: str, data: Any) -> Any:
        try:
            return inner(text, data)
        except MissingKeyError as error:
            raise SilentError from error

    return get


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "float": to_float,
    "int": to_int,
    "round": rounded,
    "lower": lambda value: text_of(value).lower(),
    "upper": lambda value: text_of(value).upper(),
    "trim": lambda value: text_of(value).strip(),
    "string": text_of,
    "abs": lambda value: abs(to_float(value)),
}


def _check(tree: nodes.Template) -> None:
    """Refuse loops, macros, unknown names, and what could double a text."""
    stored = {n.name for n in tree.find_all(nodes.Name) if n.ctx == "store"}
    for name in tree.find_all(nodes.Name):
        if name.name not in stored | {"value", "value_json"}:
            raise TemplateError(Said("template: no {name!r} here", name=name.name))
    assigns = False
    for node in tree.find_all(nodes.Node):
        if isinstance(node, nodes.Stmt | nodes.Helper | nodes.Expr) and not isinstance(
            node, _STATEMENTS
        ):
            raise TemplateError(
                Said("template: {name} is not allowed", name=type(node).__name__)
            )
        assigns = assigns or isinstance(node, nodes.Assign)
        if isinstance(node, nodes.Filter) and node.name not in _STRICT.filters:
            raise TemplateError(Said("template: no filter {name!r}", name=node.name))
    if assigns:
        for node in tree.find_all(_GROWING):
            if isinstance(node, nodes.Concat) or any(
                name.ctx == "load" for name in node.find_all(nodes.Name)
            ):
                raise TemplateError("template: set beside ~ or lists is not allowed")


def rendered(source: str, strict: bool) -> _Expr:
    """Return what renders a checked template; raises TemplateError."""
    env = _STRICT if strict else _LENIENT
    try:
        template = env.from_string(source)
    except (JinjaError, RecursionError, ValueError, SyntaxError) as error:
        raise TemplateError(Said("template: {error}", error=error)) from error

    def render(text: str, data: Any) -> Any:
        try:
            out = template.render(value=text, value_json=data)
        except _RUNTIME as error:
            raise TemplateError(
                Said(
                    "{name}: {error}", name=type(error).__name__, error=str(error)[:200]
                )
            ) from error
        if len(out) > MAX_OUTPUT:
            raise TemplateError(
                Said("more than {max_output} characters", max_output=MAX_OUTPUT)
            )
        return out.strip()

    return render


#: What an expression over foreign data can raise in Python.
_RUNTIME = (
    JinjaError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    RecursionError,
)
