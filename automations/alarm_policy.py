"""The ``alarms:`` part of a site: suppression by design, weights of the risk index."""

import math
import re
from typing import Any

import voluptuous as vol

from core.alarms.policy import AlarmPolicy, Cause, Suppression
from core.api.documents import Document
from core.config import Names

#: Classes that are never suppressed (domain.md §2.3, §2.4).
_NEVER = ("gas", "sos", "fall", "flame", "evacuation")
_IDENT = re.compile(r"^[a-z0-9][a-z0-9_.-]{0,63}$")


def _ident(value: Any) -> str:
    if not _IDENT.match(str(value)):
        raise vol.Invalid(
            f"{value!r} is no id; use lower-case letters, digits, '-', '_' and '.'"
        )
    return str(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise vol.Invalid(f"{value!r} is no number")
    if not math.isfinite(value):
        raise vol.Invalid("a number must be finite")
    return float(value)


def _kind(value: Any) -> str:
    kind = _ident(value)
    if kind.partition(".")[0] in _NEVER:
        raise vol.Invalid(f"{kind!r} is life safety and is never suppressed")
    return kind


def _names(value: Any) -> dict[str, str]:
    if isinstance(value, str) and value:
        return {"zh": value, "en": value}
    both = vol.Schema({vol.Required("zh"): str, vol.Required("en"): str})
    checked: dict[str, str] = both(value)
    return checked


def _cause(value: Any) -> dict[str, Any]:
    checked: dict[str, Any] = vol.Schema(
        {
            "alarm": _ident,
            "integration": _ident,
            "uid": str,
            "entity": str,
            vol.Exclusive("on", "how"): bool,
            vol.Exclusive("above", "how"): _number,
            vol.Exclusive("below", "how"): _number,
        }
    )(value)
    reading = {"integration", "uid", "entity"} & checked.keys()
    how = {"on", "above", "below"} & checked.keys()
    if "alarm" in checked and not reading and not how:
        return checked
    if len(reading) == 3 and len(how) == 1 and "alarm" not in checked:
        return checked
    raise vol.Invalid(
        "say either 'alarm: <kind>', or integration, uid and entity with one of "
        "on, above and below"
    )


ALARMS = {
    "suppress": [
        {
            vol.Required("id"): _ident,
            vol.Required("names"): _names,
            vol.Required("while"): _cause,
            vol.Required("kinds"): vol.All(
                [_kind], vol.Length(min=1, msg="name at least one kind of alarm")
            ),
            "zones": [_ident],
            "uids": [str],
        }
    ],
    "risk": {_ident: vol.All(_number, vol.Range(0, 1))},
}


def compile_alarms(document: Document, data: dict[str, Any]) -> AlarmPolicy:
    """Return what a site declares of its alarms; raises ConfigError."""
    given = data.get("alarms", {})
    zones = {zone["id"] for zone in data.get("zones", ())}
    made: list[Suppression] = []
    for number, each in enumerate(given.get("suppress", ())):
        place = ("alarms", "suppress", number)
        for zone in each.get("zones", ()):
            if zone not in zones:
                known = ", ".join(sorted(zones)) or "none"
                raise document.error(
                    (*place, "zones"), f"{zone!r} is no zone; known: {known}"
                )
        if each["id"] in {"idle", *(one.id for one in made)}:
            raise document.error((*place, "id"), f"{each['id']!r} is taken")
        made.append(
            Suppression(
                id=each["id"],
                names=Names(**each["names"]),
                cause=Cause(**each["while"]),
                kinds=tuple(each["kinds"]),
                zones=tuple(each.get("zones", ())),
                uids=tuple(each.get("uids", ())),
            )
        )
    return AlarmPolicy(suppress=tuple(made), risk=dict(given.get("risk", {})))
