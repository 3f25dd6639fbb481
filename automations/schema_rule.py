"""The shape of blueprints and rules; Home Assistant's words where they exist."""

from typing import Any

import voluptuous as vol

from automations.schema_trigger import (
    OUTPUT_KINDS,
    clock_times,
    one_of,
    role_of,
    trigger,
    value_of,
)
from automations.schema_words import ident, names, number, roles, span, words
from core.api.documents import Input
from core.api.said import Said, known_words, sentence

ON_UNKNOWN = ("fire", "hold", "fault")
#: Rounds of a repeat, at most: what needs more is no reminder but a rule.
MAX_REPEAT = 100


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

#: A zone's id, ``subject`` (the place that the run is about) or ``all``.
_ZONE: dict[Any, Any] = {"zone": words, "neighbours": bool}
_LIFE_SAFETY = ("gas", "sos", "fall", "flame", "smoke", "evacuation")


def _shelvable(value: Any) -> tuple[str, ...]:
    found = words(value)
    for each in found:
        if each.partition(".")[0] in _LIFE_SAFETY:
            raise vol.Invalid(
                Said("{each!r} is life safety and is never shelved", each=each)
            )
    return found


FIELDS: dict[str, dict[Any, Any]] = {
    "command": {
        vol.Required("output"): one_of(*OUTPUT_KINDS),
        vol.Required("value"): vol.Any(bool, float, int, str),
        **_ZONE,
        "if_none": one_of("skip", "fail"),
    },
    "permit.hold": {
        vol.Required("code"): ident,
        **_ZONE,
        "kinds": words,
        "linked": bool,
        "retest": words,
    },
    "permit.request_release": {"roles": roles, "channels": words},
    "evacuation.start": {**_ZONE, "code": ident},
    "notify": {
        vol.Exclusive("chain", "whom"): str,
        vol.Exclusive("roles", "whom"): roles,
        vol.Exclusive("persons", "whom"): one_of("subject", "permit"),
        "channels": words,
        vol.Required("code"): str,
        "respond_within": span,
    },
    "broadcast": {
        vol.Required("code"): str,
        "roles": roles,
        "channels": words,
        "respond_within": span,
        **_ZONE,
    },
    "alarm.raise": {
        vol.Required("condition"): ident,
        vol.Required("kind"): str,
        "priority": vol.All(int, vol.Range(1, 4)),
        "life_safety": bool,
        "latching": bool,
        "ends_with_run": bool,
    },
    "set_shelving": {
        vol.Required("kinds"): _shelvable,
        vol.Required("for"): vol.All(span, vol.Range(min=1, max=12 * 3600)),
        vol.Required("reason"): str,
        **_ZONE,
    },
    "task.create": {
        vol.Required("kind"): ident,
        vol.Required("code"): str,
        vol.Required("due"): vol.All(span, vol.Range(min=1)),
        "roles": roles,
        "owner": str,
        **_ZONE,
    },
    "plan.start": {vol.Required("plan"): ident, **_ZONE},
    "record.clip": {"for": vol.All(span, vol.Range(min=1, max=3600)), **_ZONE},
    "webhook": {
        vol.Required("target"): ident,
        vol.Required("code"): str,
        "roles": roles,
        **_ZONE,
    },
    "wait": {"for": span, "until": str},
    "choose": {vol.Required("then"): steps, "else": steps},
    "repeat": {
        vol.Required("count"): vol.All(int, vol.Range(1, MAX_REPEAT)),
        "while": str,
        vol.Required("do"): steps,
    },
}

#: Actions of other systems, and of parts that this hub does not have.
_ABSENT = {
    "record_clip": "write 'record.clip'",
    "url": "write 'webhook' with target, the name of a channel of the site",
    "delay": "write 'wait' with for",
    "wait_for_trigger": "write 'wait' with until and a deadline",
    "service": "write 'command' with the kind of output",
    "permit.release": "only a person releases; write 'permit.request_release'",
    "evacuation.clear": "only a person gives the all-clear",
    "alarm.clear": "an alarm ends by GOOD evidence or a person",
}


def _step(value: Any, number: int) -> dict[str, Any]:
    if not isinstance(value, dict) or "action" not in value:
        raise vol.Invalid(
            Said(
                "an action starts with 'action:', one of {fields}", fields=list(FIELDS)
            ),
            path=[number],
        )
    fields = FIELDS.get(str(value["action"]))
    if fields is None:
        word = str(value["action"])
        advice = sentence(_ABSENT.get(word, "")) or known_words(FIELDS)
        raise vol.Invalid(
            Said("unknown action {word!r}; {advice}", word=word, advice=advice),
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
        [trigger], vol.Length(min=1, msg="a rule needs at least one trigger")
    ),
    "values": {ident: value_of},
    "conditions": str,
    vol.Required("actions"): vol.All(
        steps, vol.Length(min=1, msg="a rule needs at least one action")
    ),
    "closes": str,
}


SELECTORS: dict[str, Any] = {
    "zone": str,
    "notify_chain": str,
    "duration": span,
    "number": number,
    "boolean": bool,
    "text": str,
    "role": role_of,
    "quantity": ident,
    "permit_kind": ident,
    "time": clock_times,
}


def _selector(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) != 1:
        raise vol.Invalid(
            "a selector is one word, for example 'zone: {multiple: true}'"
        )
    kind, options = next(iter(value.items()))
    one_of(*SELECTORS)(str(kind))
    checked = vol.Schema({"multiple": bool, "min": number, "max": number, "unit": str})(
        options or {}
    )
    return {"kind": kind, **checked}


def version(value: Any) -> str:
    """Accept a version's text; YAML reads 1.0 as a number. The rest: `versions`."""
    if not isinstance(value, str):
        raise vol.Invalid(
            Said(
                "{value!r} is no semantic version; write for example 1.0.0", value=value
            )
        )
    return value


INPUT = {
    vol.Required("name"): names,
    "description": names,
    "section": names,
    vol.Required("selector"): _selector,
    "default": object,
}

#: A blueprint's rule is checked once its inputs are filled.
_ANYTHING: dict[Any, Any] = {str(key): object for key in RULE}

BLUEPRINT = vol.Schema(
    {
        vol.Required("blueprint"): {
            vol.Required("id"): ident,
            vol.Required("version"): version,
            vol.Required("name"): names,
            vol.Required("description"): names,
            "min_hub": version,
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
