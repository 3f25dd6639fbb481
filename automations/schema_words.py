"""Words that every schema of a site, a rule and a book shares (voluptuous)."""

import math
import re
from typing import Any

import voluptuous as vol

from core.api.said import Said
from core.people.acts import ROLES

_SPAN = re.compile(r"^(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)?$")
_SCALE = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_IDENT = re.compile(r"^[a-z0-9][a-z0-9_.-]{0,63}$")


def ident(value: Any) -> str:
    """Accept an id: lower-case letters, digits, ``-``, ``_`` and ``.``."""
    text = str(value)
    if not _IDENT.match(text):
        raise vol.Invalid(
            Said(
                "{text!r} is no id; use lower-case letters, digits, '-', '_' and '.'",
                text=text,
            )
        )
    return text


def span(value: Any) -> float:
    """Accept a duration such as ``90``, ``90s``, ``5 min`` or ``8h``; seconds."""
    match = _SPAN.match(str(value).strip())
    if isinstance(value, bool) or not match:
        raise vol.Invalid(
            Said(
                "{value!r} is no duration; write for example 30s, 5min, 8h", value=value
            )
        )
    return float(match[1]) * _SCALE[match[2] or "s"]


def number(value: Any) -> float:
    """Accept a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise vol.Invalid(Said("{value!r} is no number", value=value))
    if not math.isfinite(value):
        raise vol.Invalid("a number must be finite")
    return float(value)


def names(value: Any) -> dict[str, str]:
    """Accept ``{zh, en}``, or one string for both languages."""
    if isinstance(value, str) and value:
        return {"zh": value, "en": value}
    checked: dict[str, str] = vol.Schema(
        {vol.Required("zh"): str, vol.Required("en"): str}
    )(value)
    return checked


def words(value: Any) -> tuple[str, ...]:
    """Accept a word or a list of words."""
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(w, str) for w in listed):
        raise vol.Invalid("expected a word or a list of words")
    return tuple(listed)


def role(value: Any) -> str:
    """Accept one of the hub's roles."""
    if value not in ROLES:
        raise vol.Invalid(
            Said("{value!r} is no role; known: {roles}", value=value, roles=list(ROLES))
        )
    return str(value)


def roles(value: Any) -> tuple[str, ...]:
    """Accept a role or a list of roles."""
    return tuple(role(each) for each in words(value))


def channels(value: Any) -> tuple[str, ...]:
    """Accept names of channels; their addresses are secrets and stand nowhere."""
    listed_ = list(value) if isinstance(value, dict) else value
    for each in value.values() if isinstance(value, dict) else ():
        if each:
            raise vol.Invalid(
                "an address is a secret: name the channels alone, such as [mail, sms], "
                "and give it with 'safehold notice set PERSON CHANNEL'"
            )
    return tuple(ident(each) for each in words(listed_))


def minute(value: Any) -> int:
    """Accept a time of day such as "22:30"; minutes from midnight."""
    match = re.fullmatch(r"([01]?\d|2[0-4]):([0-5]\d)", str(value))
    found = int(match[1]) * 60 + int(match[2]) if match else 1441
    if found > 1440:
        raise vol.Invalid(
            Said('{value!r} is no time of day; write for example "22:30"', value=value)
        )
    return found


def point(value: Any) -> tuple[float, float]:
    """Accept ``[x, y]`` in metres."""
    if not isinstance(value, list) or len(value) != 2:
        raise vol.Invalid("expected [x, y] in metres")
    return number(value[0]), number(value[1])


def polygon(value: Any) -> tuple[tuple[float, float], ...]:
    """Accept at least three points."""
    if not isinstance(value, list) or len(value) < 3:
        raise vol.Invalid("a polygon needs at least three points [x, y]")
    return tuple(point(each) for each in value)


def path(value: Any) -> tuple[tuple[float, float], ...]:
    """Accept at least two points."""
    if not isinstance(value, list) or len(value) < 2:
        raise vol.Invalid("a line needs at least two points [x, y]")
    return tuple(point(each) for each in value)


def listed(schema: dict[Any, Any], key: str = "id") -> Any:
    """Accept a list of mappings whose ``key`` is unique."""
    inner = vol.Schema([schema])

    def check(value: Any) -> Any:
        items = inner(value)
        seen: set[str] = set()
        for number_, item in enumerate(items):
            if item[key] in seen:
                raise vol.Invalid(
                    Said("{item!r} stands twice", item=item[key]), path=[number_, key]
                )
            seen.add(item[key])
        return items

    return check
