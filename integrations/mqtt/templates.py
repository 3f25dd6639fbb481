"""Compile value templates to closures; Jinja runs only for what they cannot say.

Home Assistant's devices send templates with their discovery. Nearly all are a
path into the JSON and a filter: those become Python closures over the decoded
payload. The rest goes through a sandbox without loops, macros or growing
strings, so a template's time is bounded by its own length and the payload's.
An error is a `TemplateError`, never a value (design §5 Truth).
"""

import functools
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.api.said import Said

MAX_SOURCE = 4_096
MAX_OUTPUT = 1_024


class TemplateError(Exception):
    """A template cannot be used, or gave no value for a payload."""


class MissingKeyError(TemplateError):
    """The payload has no such key: the one error that ``default`` answers."""


class SilentError(Exception):
    """``is_defined`` met a missing key: the message says nothing of the entity."""


@dataclass(frozen=True, slots=True)
class Extract:
    """Take one value out of a payload.

    ``fn(text, data)`` gets the payload as text when ``text`` is set, and the
    decoded JSON when ``json`` is set (else None); raises TemplateError.
    ``path`` is set when it is nothing but keys: the quick way for telemetry.
    ``fn`` knows no defaults: where it fails, ``assumed`` gives the template's
    default, which was not measured and so is never GOOD.
    """

    fn: Callable[[str, Any], Any]
    json: bool
    text: bool
    path: tuple[str | int, ...] | None = None
    assumed: Callable[[str, Any], Any] | None = None


_Expr = Callable[[str, Any], Any]
_PLAIN = re.compile(
    r"\s*\{\{-?\s*value_json((?:\.[A-Za-z_]\w*|\[\s*(?:'[^'\\]*'|\"[^\"\\]*\"|\d+)\s*\])*)"
    r"\s*-?\}\}\s*"
)
_STEP = re.compile(r"\.([A-Za-z_]\w*)|\[\s*(?:'([^'\\]*)'|\"([^\"\\]*)\"|(\d+))\s*\]")
_VALUE = re.compile(r"\s*\{\{-?\s*value\s*-?\}\}\s*")


def walk(data: Any, path: tuple[str | int, ...]) -> Any:
    """Follow keys and indexes into decoded JSON; raises TemplateError."""
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError) as error:
            raise MissingKeyError(f"no {step!r} in the payload") from error
    return data


WHOLE_TEXT = Extract(lambda text, _: text, json=False, text=True)


def by_path(path: tuple[str | int, ...]) -> Extract:
    """Return the extract of one place in the JSON."""
    return Extract(lambda _, data: walk(data, path), json=True, text=False, path=path)


def silent(extract: Extract) -> Extract:
    """Return the extract that says nothing where the payload has no such key."""

    def take(text: str, data: Any) -> Any:
        try:
            return extract.fn(text, data)
        except MissingKeyError as error:
            raise SilentError from error

    return Extract(take, json=extract.json, text=extract.text)


@functools.lru_cache(maxsize=4_096)
def compile_template(source: str | None) -> Extract:
    """Return the extract of a template; raises TemplateError with the reason."""
    if not source:
        return WHOLE_TEXT
    if len(source) > MAX_SOURCE:
        raise TemplateError(
            Said(
                "template is longer than {max_source} characters", max_source=MAX_SOURCE
            )
        )
    if _VALUE.fullmatch(source):
        return WHOLE_TEXT
    plain = _PLAIN.fullmatch(source)
    if plain:
        steps = tuple(
            int(number) if number else name or single or double
            for name, single, double, number in _STEP.findall(plain[1])
        )
        return by_path(steps)
    from integrations.mqtt import sandbox

    return sandbox.compile_any(source)


# --- the closures that sandbox.py builds from a parsed expression -------------


def attribute(inner: _Expr, key: str | int) -> _Expr:
    """Return the closure of ``inner.key`` or ``inner[key]``."""

    def get(text: str, data: Any) -> Any:
        try:
            return inner(text, data)[key]
        except (KeyError, IndexError, TypeError) as error:
            raise MissingKeyError(f"no {key!r} in the payload") from error

    return get


def text_of(value: Any) -> str:
    """Return a value as a template prints it; never raises on huge numbers."""
    try:
        return str(value)
    except ValueError:
        return "a number of too many digits"


def to_float(value: Any, default: Any = None) -> Any:
    """Turn a value into a float as the filter of that name does."""
    try:
        return float(value)
    except (ValueError, TypeError, OverflowError) as error:
        if default is not None:
            return default
        raise TemplateError(
            Said("{text_of!r} is not a number", text_of=text_of(value)[:40])
        ) from error


def to_int(value: Any, default: Any = None) -> Any:
    """Turn a value into an int; a decimal string loses its fraction."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        number = to_float(value, default)
    try:
        return int(number)
    except (TypeError, ValueError, OverflowError) as error:
        raise TemplateError(
            Said("{text_of!r} is not a whole number", text_of=text_of(value)[:40])
        ) from error


def rounded(value: Any, digits: Any = 0) -> Any:
    """Round as Jinja does; the digits are bounded."""
    number = to_float(value)
    try:
        return round(number, max(-20, min(20, int(digits))))
    except (ValueError, OverflowError, TypeError) as error:
        raise TemplateError(
            Said("cannot round {text_of!r}", text_of=text_of(value)[:40])
        ) from error


_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
}
_NUMBERS: dict[str, Callable[[Any, Any], Any]] = {
    "Add": operator.add,
    "Sub": operator.sub,
    "Mul": operator.mul,
    "Div": operator.truediv,
}


def compare(op: str, left: _Expr, right: _Expr) -> _Expr:
    """Return the closure of a comparison; types that do not compare are an error."""
    operate = _COMPARE[op]

    def judge(text: str, data: Any) -> Any:
        try:
            return operate(left(text, data), right(text, data))
        except TypeError as error:
            raise TemplateError(Said("{error}", error=error)) from error

    return judge


def arithmetic(op: str, left: _Expr, right: _Expr) -> _Expr:
    """Return the closure of + - * / on numbers alone."""
    operate = _NUMBERS[op]

    def reckon(text: str, data: Any) -> Any:
        a, b = left(text, data), right(text, data)
        if not isinstance(a, int | float) or not isinstance(b, int | float):
            raise TemplateError(Said("{op} wants numbers: use | float", op=op))
        try:
            return operate(float(a), float(b)) if op == "Div" else operate(a, b)
        except (ZeroDivisionError, OverflowError) as error:
            raise TemplateError(Said("{error}", error=error)) from error

    return reckon
