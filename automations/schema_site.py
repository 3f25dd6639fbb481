"""The shape of a site's configuration (voluptuous, at the edge)."""

import math
import re
from typing import Any

import voluptuous as vol

from automations.alarm_policy import ALARMS
from automations.calendar import CALENDAR, day
from automations.leaving import NEEDS
from core.api.model import OutputKind, wrong_fail_safe
from core.people.acts import ROLES

_SPAN = re.compile(r"^(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)?$")
_SCALE = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_IDENT = re.compile(r"^[a-z0-9][a-z0-9_.-]{0,63}$")


def ident(value: Any) -> str:
    """Accept an id: lower-case letters, digits, ``-``, ``_`` and ``.``."""
    text = str(value)
    if not _IDENT.match(text):
        raise vol.Invalid(
            f"{text!r} is no id; use lower-case letters, digits, '-', '_' and '.'"
        )
    return text


def span(value: Any) -> float:
    """Accept a duration such as ``90``, ``90s``, ``5 min`` or ``8h``; seconds."""
    match = _SPAN.match(str(value).strip())
    if isinstance(value, bool) or not match:
        raise vol.Invalid(f"{value!r} is no duration; write for example 30s, 5min, 8h")
    return float(match[1]) * _SCALE[match[2] or "s"]


def number(value: Any) -> float:
    """Accept a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise vol.Invalid(f"{value!r} is no number")
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
        raise vol.Invalid(f"{value!r} is no role; known: {', '.join(ROLES)}")
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
        raise vol.Invalid(f'{value!r} is no time of day; write for example "22:30"')
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
                raise vol.Invalid(f"{item[key]!r} stands twice", path=[number_, key])
            seen.add(item[key])
        return items

    return check


def _fails_safely(output: dict[str, Any]) -> dict[str, Any]:
    """Refuse what would fail unsafe without the hub (design §5 Commands)."""
    fail_safe = output.get("fail_safe", "hold_last")
    wrong = wrong_fail_safe(OutputKind(output["kind"]), fail_safe)
    if wrong:
        raise vol.Invalid(wrong, path=["fail_safe"])
    return output


OUTPUT = vol.All(
    {
        vol.Required("kind"): vol.In([str(kind) for kind in OutputKind]),
        "ex_rated": bool,
        "contact_zone": ident,
        "outside_air": bool,
        "fail_safe": vol.In(("on", "off", "hold_last")),
        "read_back": bool,
        "phrases": [vol.In(("no_rescue", "leave", "drill"))],
    },
    _fails_safely,
)

LIMIT = {
    vol.Required("condition"): ident,
    vol.Required("kind"): str,
    vol.Required("unit"): str,
    vol.Exclusive("above", "side"): number,
    vol.Exclusive("below", "side"): number,
    "priority": vol.All(int, vol.Range(1, 4)),
    "hysteresis": number,
    "sustain": span,
    "life_safety": bool,
    "latching": bool,
    "source": str,
}

QUANTITY = {
    vol.Required("id"): ident,
    vol.Required("names"): names,
    vol.Required("unit"): str,
    "gas_class": vol.In(("combustible", "toxic", "oxygen", "")),
    "lel_vol": number,
    "molar_mass": number,
    "accept_above": number,
    "accept_below": number,
    "limits": [LIMIT],
}

PERMIT_KIND = {
    vol.Required("id"): ident,
    vol.Required("names"): names,
    vol.Required("safe_state"): ident,
    "gases": [ident],
    "guardian": bool,
    "valid": span,
    "reaction": span,
    "gas_age": span,
    "retest": {"gases": [ident], "roles": roles},
    "issuer_roles": roles,
    "clause": str,
}

DEVICE = {
    vol.Required("integration"): ident,
    vol.Required("uid"): str,
    "zone": ident,
    "person": ident,
    "name": str,
    "critical": words,
    "max_age": span,
    "lost": span,
    "limits": {str: [LIMIT]},
    "outputs": {str: OUTPUT},
    "evidence": bool,
    "bump_every": span,
    "proof_every": {str: span},
    "calibrate_every": span,
    "carried": bool,
    "rack": str,
}

PLACES = {
    "methods": [vol.In(("uwb", "gate", "nfc", "qr", "ble", "gnss"))],
    "nfc": [str],
    "ble": [str],
}

GEO = {
    vol.Required("lat"): vol.All(number, vol.Range(-90, 90)),
    vol.Required("lon"): vol.All(number, vol.Range(-180, 180)),
    "bearing": vol.All(number, vol.Range(0, 360)),
}

HAZARD = {
    vol.Required("id"): ident,
    vol.Required("kind"): ident,
    vol.Required("level"): ident,
    "polygon": polygon,
    "at": point,
    "radius": number,
    "line": path,
    "width": number,
    "low": number,
    "high": number,
}

SCOPE = {
    "neighbours": bool,
    "zones": [ident],
    "levels": vol.In(("none", "below", "above", "both", "gas")),
}

DRILL = {
    vol.Required("id"): ident,
    vol.Required("names"): names,
    vol.Required("zones"): vol.All([ident], vol.Length(min=1, msg="name a zone")),
    "every": span,
    "target_within": span,
    "target_share": vol.All(number, vol.Range(1, 100)),
    "attacks": [
        {
            vol.Required("kind"): vol.In(tuple(NEEDS)),
            "at": span,
            "person": ident,
            "muster": ident,
            "zone": ident,
            "alarm": str,
        }
    ],
}

_HOURS: dict[Any, Any] = {vol.Required("from"): minute, vol.Required("to"): minute}

SHIFT = {
    **_HOURS,
    vol.Required("id"): ident,
    vol.Required("names"): names,
    vol.Required("people"): [ident],
    "days": [vol.In(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))],
    "rota": {
        vol.Required("from"): day,
        vol.Required("days"): vol.All(int, vol.Range(1, 60)),
        vol.Required("on"): [vol.All(int, vol.Range(0, 59))],
    },
}

NOTICES = {
    "link": vol.Match(r"^https?://[^\s/]+$", msg="write for example https://hub:8443"),
    "quiet": [_HOURS],
    "may_wait": [str],
    "channels": listed(
        {
            vol.Required("id"): ident,
            vol.Required("names"): names,
            "rate": vol.All(int, vol.Range(1, 10_000)),
            "per": span,
        }
    ),
    "modem": {vol.Required("port"): str, "baud": vol.All(int, vol.Range(1200))},
}

_MODES = ("off", "shadow", "advise", "enforce")

SITE = vol.Schema(
    {
        vol.Required("site"): {
            vol.Required("id"): ident,
            vol.Required("names"): names,
            "time_zone": str,
            "language": vol.In(("zh", "en")),
            "evacuate_within": span,
            "geo": GEO,
            "leave": SCOPE,
            "clear_after": span,
        },
        "alarms": ALARMS,
        "calendar": CALENDAR,
        "levels": listed(
            {vol.Required("id"): ident, vol.Required("names"): names, "z": number}
        ),
        "zones": listed(
            {
                vol.Required("id"): ident,
                vol.Required("names"): names,
                vol.Required("level"): ident,
                vol.Required("polygon"): polygon,
                "hazard": vol.In(("general", "confined", "height", "lifting", "hot")),
                "neighbours": [ident],
                "upstream": [ident],
                "places": PLACES,
                "leave": SCOPE,
            }
        ),
        "muster_points": listed(
            {
                vol.Required("id"): ident,
                vol.Required("names"): names,
                vol.Required("level"): ident,
                vol.Required("at"): point,
                "zone": ident,
            }
        ),
        "hazards": listed(HAZARD),
        "drills": listed(DRILL),
        "people": listed(
            {
                vol.Required("id"): ident,
                vol.Required("name"): str,
                vol.Required("roles"): roles,
                "company": str,
                "tags": [str],
                "contacts": channels,
            }
        ),
        "quantities": listed(QUANTITY),
        "permit_packs": [ident],
        "pack_overlays": [str],
        "permit_kinds": listed(PERMIT_KIND),
        "devices": [DEVICE],
        "integrations": listed(
            {
                vol.Required("id"): ident,
                vol.Required("integration"): ident,
                "options": dict,
                "secrets": [str],
            }
        ),
        "notify": listed(
            {
                vol.Required("id"): ident,
                vol.Required("steps"): vol.All(
                    [
                        {
                            vol.Required("roles"): roles,
                            "channels": words,
                            "respond_within": span,
                            "on_shift": bool,
                        }
                    ],
                    vol.Length(min=1, msg="a chain needs at least one step"),
                ),
            }
        ),
        "shifts": listed(SHIFT),
        "notices": NOTICES,
        "publishers": listed(
            {
                vol.Required("id"): vol.All(ident, vol.NotIn(("safehold",))),
                vol.Required("key"): vol.Match(
                    r"^[0-9a-f]{64}$", msg="expected an Ed25519 public key in hex"
                ),
            }
        ),
        "automations": listed(
            {
                vol.Required("id"): ident,
                "blueprint": ident,
                "input": dict,
                "mode": vol.In(_MODES),
                "modes": {ident: vol.In(_MODES)},
                "rule": dict,
            }
        ),
    },
)
