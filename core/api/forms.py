"""The form of an integration's options: voluptuous into JSON Schema, secrets apart.

For whatever sets integrations up; the safety process never imports it. A field's
``description`` may hold ``secret: True``, ``label`` and ``help`` ({zh, en}) and
``form``, a piece of JSON Schema where a checking function cannot tell it. The words
beyond JSON Schema begin with ``x-``: x-label, x-help, x-secret, x-check, x-exclusive.
"""

import math
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import voluptuous as vol

from core.api.errors import SafeholdError

Form = dict[str, Any]
Path = tuple[str | int, ...]
#: Never a field of a form: the host hands them over.
HIDDEN = frozenset({"secrets"})
_DEEP = 16
_TYPES: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    dict: "object",
    list: "array",
    type(None): "null",
}
#: What a checking function is asked with, to learn of which type its field is.
_SAMPLES: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("boolean", (True,)),
    ("integer", (1, 0, 2, 10, 100, 5000)),
    ("number", (1.5, 0.5, 20.5)),
    ("string", ("x", "a1", "192.0.2.7:502", "192.0.2.7", "/dev/ttyUSB0", "h2s/#")),
)
#: What a checking function may raise on a sample.
_NO = (vol.Invalid, SafeholdError, TypeError, ValueError, LookupError, AttributeError)


def describe(schema: Any, depth: int = 0) -> Form:
    """Return the JSON Schema of a voluptuous schema; what nobody can tell is open."""
    if depth > _DEEP:
        return {}
    inner = depth + 1
    match schema:
        case vol.Schema():
            return describe(schema.schema, inner)
        case Mapping():
            return _object(schema, inner)
        case list() | tuple() | set():
            return _array(list(schema), inner)
        case type():
            return {"type": _TYPES[schema]} if schema in _TYPES else {}
        case str() | bool() | int() | float() | None:
            return {"const": schema}
    return _probed(schema) if _plain(schema) else _known(schema, inner)


def check(
    schema: Callable[[Any], Any], options: Any
) -> tuple[Any, list[tuple[Path, str]]]:
    """Return the checked options, or every error with its path."""
    try:
        return schema(options), []
    except vol.MultipleInvalid as wrong:
        return None, [_error(each) for each in wrong.errors]
    except vol.Invalid as wrong:
        return None, [_error(wrong)]
    except SafeholdError as wrong:
        return None, [((), wrong.message)]


def secrets(form: Form, value: Any, at: Path = ()) -> Iterator[Path]:
    """Yield where in a value of a form a secret stands."""
    if form.get("x-secret"):
        yield at
        return
    for each in form.get("anyOf", ()):
        yield from secrets(each, value, at)
    if isinstance(value, Mapping):
        known, more = form.get("properties", {}), form.get("additionalProperties")
        for key, part in value.items():
            inner = known.get(key, more)
            if isinstance(inner, dict):
                yield from secrets(inner, part, (*at, str(key)))
    elif isinstance(value, list) and isinstance(form.get("items"), dict):
        for number, part in enumerate(value):
            yield from secrets(form["items"], part, (*at, number))


def get(value: Any, path: Path) -> Any:
    """Return what stands at a path; None where nothing does."""
    for part in path:
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif (
            isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value)
        ):
            value = value[part]
        else:
            return None
    return value


def put(value: Any, path: Path, new: Any) -> None:
    """Set what stands at a path whose parents are there."""
    for part in path[:-1]:
        value = value[part]
    value[path[-1]] = new


# --- parts ------------------------------------------------------------------------


def _object(schema: Mapping[Any, Any], depth: int) -> Form:
    fields: Form = {}
    needed: list[str] = []
    groups: dict[str, list[str]] = {}
    made: Form = {"type": "object", "properties": fields, "additionalProperties": False}
    for key, value in schema.items():
        name = getattr(key, "schema", key)
        if not isinstance(name, str):
            made["additionalProperties"] = describe(value, depth)
            continue
        if name in HIDDEN or isinstance(key, vol.Remove):
            continue
        fields[name] = _field(key, describe(value, depth))
        if isinstance(key, vol.Required) and "default" not in fields[name]:
            needed.append(name)
        if isinstance(key, vol.Exclusive):
            groups.setdefault(str(key.group_of_exclusion), []).append(name)
    if needed:
        made["required"] = needed
    if groups:
        made["x-exclusive"] = list(groups.values())
    return made


def _field(key: Any, form: Form) -> Form:
    """Add to a field what its key says of it."""
    default = getattr(key, "default", vol.UNDEFINED)
    if callable(default) and not isinstance(default, vol.Undefined):
        found = default()
        if isinstance(found, str | bool | int | float | list | dict | None):
            form = {**form, "default": found}
    told = getattr(key, "description", None)
    if isinstance(told, str):
        return {**form, "x-help": {"zh": told, "en": told}}
    if not isinstance(told, Mapping):
        return form
    if "form" in told:
        # What the key says takes the place of what nobody could tell.
        kept = {word: form[word] for word in ("default",) if word in form}
        form = {**dict(told["form"]), **kept}
    for word in ("label", "help"):
        if word in told:
            form[f"x-{word}"] = told[word]
    if told.get("secret"):
        form = {**form, "type": "string", "writeOnly": True, "x-secret": True}
        form.pop("default", None)
        form.pop("anyOf", None)
    return form


def _array(items: list[Any], depth: int) -> Form:
    if not items:
        return {"type": "array"}
    return {"type": "array", "items": _any(items, depth)}


def _any(options: Any, depth: int) -> Form:
    options = list(options)
    if len(options) == 1:
        return describe(options[0], depth)
    if all(isinstance(each, str | bool | int | float) for each in options):
        return {"enum": options}
    return {"anyOf": [describe(each, depth) for each in options]}


def _all(steps: Any, depth: int) -> Form:
    """Join what several checks say; bare functions only where nothing else does."""
    made: Form = {}
    for step in sorted(steps, key=_plain):
        if _plain(step) and made:
            continue
        for word, value in describe(step, depth).items():
            made.setdefault(word, value)
    return made


def _plain(schema: Any) -> bool:
    """Say whether a check is a bare function."""
    known = type(schema).__module__ in ("builtins", "functools")
    return callable(schema) and not isinstance(schema, type) and known


def _known(schema: Any, depth: int) -> Form:
    """Describe voluptuous' own checks."""
    match schema:
        case vol.All():
            return _all(schema.validators, depth)
        case vol.Any() | vol.Union():
            return _any(schema.validators, depth)
        case vol.Msg():
            return describe(schema._schema, depth)
    return _small(schema)


def _small(schema: Any) -> Form:
    match schema:
        case vol.In():
            return {"enum": _items(schema.container)}
        case vol.Range() | vol.Clamp():
            return _span("minimum", "maximum", schema.min, schema.max)
        case vol.Length():
            return {"x-length": [schema.min, schema.max]}
        case vol.Coerce():
            return {"type": _TYPES[schema.type]} if schema.type in _TYPES else {}
        case vol.Match():
            return {"type": "string", "pattern": schema.pattern.pattern}
        case vol.ExactSequence():
            return {"type": "array", "x-length": [len(_items(schema.validators))] * 2}
    return _probed(schema)


def _items(container: Any) -> list[Any]:
    return list(container)


def _span(low: str, high: str, first: Any, last: Any) -> Form:
    found = {low: first, high: last}
    return {
        word: value
        for word, value in found.items()
        if isinstance(value, int | float) and math.isfinite(value)
    }


def _probed(function: Any) -> Form:
    """Learn by samples of which type a function's field is."""
    told = getattr(function, "form", None)
    if isinstance(told, dict):
        return dict(told)
    name = getattr(function, "__name__", type(function).__name__).strip("_")
    taken = [
        kind
        for kind, samples in _SAMPLES
        if any(_takes(function, each) for each in samples)
    ]
    held = list(_held(function))
    choice = [
        each
        for several in held
        if isinstance(several, tuple | list | set | frozenset | dict)
        for each in several
        if isinstance(each, str | int | float) and _takes(function, each)
    ]
    if choice and not _takes(function, "x"):
        return {"enum": sorted(set(choice), key=lambda e: (str(type(e)), e))}
    if "number" in taken:
        return {"type": "number", "x-check": name}
    if "integer" in taken:
        numbers = sorted(e for e in held if type(e) is int)
        return {"type": "integer", "x-check": name} | _bounds(function, numbers)
    if taken:
        return {"type": taken[0], "x-check": name}
    kind = _returned(function)
    return {"type": kind, "x-check": name} if kind else {"x-json": True}


def _returned(function: Any) -> str:
    """Return the type that a function says it returns; '' when that tells nothing."""
    told = getattr(function, "__annotations__", {}).get("return")
    told = typing.get_origin(told) or told
    if told in (tuple, set, frozenset):
        return "array"
    return _TYPES.get(told, "") if isinstance(told, type) else ""


def _bounds(function: Any, numbers: list[int]) -> Form:
    if len(numbers) != 2:
        return {}
    low, high = numbers
    ends = _takes(function, low) and _takes(function, high)
    beyond = _takes(function, low - 1) or _takes(function, high + 1)
    return {"minimum": low, "maximum": high} if ends and not beyond else {}


def _held(function: Any) -> Iterator[Any]:
    for cell in getattr(function, "__closure__", None) or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not filled yet
            continue


def _takes(function: Callable[[Any], Any], sample: Any) -> bool:
    try:
        function(sample)
    except _NO:
        return False
    return True


def _error(wrong: vol.Invalid) -> tuple[Path, str]:
    path = tuple(
        each if isinstance(each, int) else str(getattr(each, "schema", each))
        for each in wrong.path
    )
    return path, wrong.error_message
