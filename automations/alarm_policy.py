"""The ``alarms:`` part of a site: suppression by design, weights of the risk index."""

from typing import Any

import voluptuous as vol

from automations.schema_words import ident, names, number
from core.alarms.policy import AlarmPolicy, Cause, Suppression
from core.api.documents import Document
from core.api.said import Said
from core.config import Names

#: Classes that are never suppressed (domain.md §2.3, §2.4).
_NEVER = ("gas", "sos", "fall", "flame", "evacuation")


def _kind(value: Any) -> str:
    kind = ident(value)
    if kind.partition(".")[0] in _NEVER:
        raise vol.Invalid(
            Said("{kind!r} is life safety and is never suppressed", kind=kind)
        )
    return kind


def _cause(value: Any) -> dict[str, Any]:
    checked: dict[str, Any] = vol.Schema(
        {
            "alarm": ident,
            "integration": ident,
            "uid": str,
            "entity": str,
            vol.Exclusive("on", "how"): bool,
            vol.Exclusive("above", "how"): number,
            vol.Exclusive("below", "how"): number,
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
            vol.Required("id"): ident,
            vol.Required("names"): names,
            vol.Required("while"): _cause,
            vol.Required("kinds"): vol.All(
                [_kind], vol.Length(min=1, msg="name at least one kind of alarm")
            ),
            "zones": [ident],
            "uids": [str],
        }
    ],
    "risk": {ident: vol.All(number, vol.Range(0, 1))},
}


def compile_alarms(document: Document, data: dict[str, Any]) -> AlarmPolicy:
    """Return what a site declares of its alarms; raises ConfigError."""
    given = data.get("alarms", {})
    zones = {zone["id"] for zone in data.get("zones", ())}
    made: list[Suppression] = []
    for number_, each in enumerate(given.get("suppress", ())):
        place = ("alarms", "suppress", number_)
        for zone in each.get("zones", ()):
            if zone not in zones:
                known = sorted(zones)
                raise document.error(
                    (*place, "zones"),
                    Said("{zone!r} is no zone; known: {known}", zone=zone, known=known),
                )
        if each["id"] in {"idle", *(one.id for one in made)}:
            raise document.error((*place, "id"), Said("{id!r} is taken", id=each["id"]))
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
