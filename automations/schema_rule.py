"""The shape of blueprints and rules; Home Assistant's words where they exist."""

from typing import Any

import voluptuous as vol

from automations.schema_site import ident, names, number, roles, span, words
from core.api.documents import Input

TRIGGERS = ("alarm", "supervision", "device", "permit", "command", "presence", "manual")
SUBJECTS = ("zone", "person", "permit", "device", "site")
OUTPUT_KINDS = ("siren", "strobe", "voice", "fan", "power_cut", "barrier", "lamp")
ON_UNKNOWN = ("fire", "hold", "fault")
SELECTORS = ("zone", "notify_chain", "duration", "number", "boolean", "text", "role")


def one_of(*known: str) -> Any:
    """Accept one of the words, and name them all when it is another."""
    return vol.In(known, msg=f"expected one of {', '.join(known)}")


def _trigger(value: Any) -> dict[str, Any]:
    checked: dict[str, Any] = vol.Schema(
        {
            vol.Required("trigger"): one_of(*TRIGGERS),
            "kind": words,
            "priority": vol.All(int, vol.Range(1, 4)),
            "zone": words,
            "event": words,
            "to": words,
            "subject": one_of(*SUBJECTS),
        }
    )(value)
    return checked


def steps(value: Any) -> list[dict[str, Any]]:
    """Accept a list of actions; branches are lists of actions again."""
    if not isinstance(value, list):
        raise vol.Invalid("expected a list of actions, each starting with '- '")
    return [_step(item, number) for number, item in enumerate(value)]


_COMMON: dict[Any, Any] = {
    "id": ident,
    "deadline": span,
    "on_failure": steps,
    "after": words,
    "if": str,
}

_FIELDS: dict[str, dict[Any, Any]] = {
    "command": {
        vol.Required("output"): one_of(*OUTPUT_KINDS),
        vol.Required("value"): vol.Any(bool, float, int, str),
        "zone": str,
        "neighbours": bool,
        "if_none": one_of("skip", "fail"),
    },
    "permit.hold": {
        vol.Required("code"): ident,
        "zone": str,
        "linked": bool,
        "retest": words,
    },
    "evacuation.start": {"zone": str, "neighbours": bool, "code": ident},
    "notify": {
        vol.Exclusive("chain", "whom"): str,
        vol.Exclusive("roles", "whom"): roles,
        "channels": words,
        vol.Required("code"): str,
        "respond_within": span,
    },
    "alarm.raise": {
        vol.Required("condition"): ident,
        vol.Required("kind"): str,
        "priority": vol.All(int, vol.Range(1, 4)),
        "life_safety": bool,
        "latching": bool,
    },
    "wait": {"for": span, "until": str},
    "choose": {vol.Required("then"): steps, "else": steps},
}


def _step(value: Any, number: int) -> dict[str, Any]:
    if not isinstance(value, dict) or "action" not in value:
        raise vol.Invalid(
            f"an action starts with 'action:', one of {', '.join(_FIELDS)}",
            path=[number],
        )
    fields = _FIELDS.get(str(value["action"]))
    if fields is None:
        raise vol.Invalid(
            f"unknown action {value['action']!r}; known: {', '.join(_FIELDS)}",
            path=[number, "action"],
        )
    schema = vol.Schema({vol.Required("action"): str, **_COMMON, **fields})
    try:
        checked: dict[str, Any] = schema(value)
    except vol.MultipleInvalid as bad:
        for error in bad.errors:
            error.prepend([number])
        raise
    return checked


RULE: dict[Any, Any] = {
    vol.Required("on_unknown"): one_of(*ON_UNKNOWN),
    vol.Required("triggers"): vol.All(
        [_trigger], vol.Length(min=1, msg="a rule needs at least one trigger")
    ),
    "conditions": str,
    vol.Required("actions"): vol.All(
        steps, vol.Length(min=1, msg="a rule needs at least one action")
    ),
    "closes": str,
}


def _selector(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) != 1:
        raise vol.Invalid(
            "a selector is one word, for example 'zone: {multiple: true}'"
        )
    kind, options = next(iter(value.items()))
    one_of(*SELECTORS)(kind)
    checked = vol.Schema({"multiple": bool, "min": number, "max": number})(
        options or {}
    )
    return {"kind": kind, **checked}


INPUT = {
    vol.Required("name"): names,
    "description": names,
    vol.Required("selector"): _selector,
    "default": object,
}

#: A blueprint's rule is checked once its inputs are filled.
_ANYTHING: dict[Any, Any] = {str(key): object for key in RULE}

BLUEPRINT = vol.Schema(
    {
        vol.Required("blueprint"): {
            vol.Required("id"): ident,
            vol.Required("version"): str,
            vol.Required("name"): names,
            vol.Required("description"): names,
            "min_hub": str,
            "life_safety": bool,
            "clauses": [str],
            "input": {str: INPUT},
        },
        **_ANYTHING,
        "tests": [dict],
    }
)


def rule(value: Any) -> dict[str, Any]:
    """Check a rule whose inputs have been filled in."""
    checked: dict[str, Any] = vol.Schema(RULE)(value)
    return checked


def inputs_left(value: Any) -> list[str]:
    """Return the names of inputs that nobody filled."""
    if isinstance(value, Input):
        return [value.name]
    if isinstance(value, dict):
        return [name for each in value.values() for name in inputs_left(each)]
    if isinstance(value, list):
        return [name for each in value for name in inputs_left(each)]
    return []
