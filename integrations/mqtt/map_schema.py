"""The shape of a topic map file, as voluptuous checks it."""

from typing import Any

import voluptuous as vol

from core.api import OutputKind, checks
from core.api.said import Said
from integrations.mqtt.templates import (
    Extract,
    TemplateError,
    by_path,
    compile_template,
    text_of,
)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value or len(value) > 512:
        raise vol.Invalid(
            Said("expected a text, found {value!r} (quote it: '…')", value=value)
        )
    return value


def _filter(value: object) -> str:
    topic = _text(value)
    for level in topic.split("/"):
        if level != "+" and ("+" in level or "#" in level):
            raise vol.Invalid("expected levels or a whole '+'; '#' is not allowed")
    return topic


def _topic(value: object) -> str:
    topic = _text(value)
    if "+" in topic or "#" in topic:
        raise vol.Invalid("expected a topic without wildcards; use {1} for a capture")
    return topic


def _positive(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise vol.Invalid(
            Said("expected seconds above 0, found {value!r}", value=value)
        )
    return float(value)


def _template(value: object) -> Extract:
    try:
        return compile_template(_text(value))
    except TemplateError as error:
        raise vol.Invalid(Said("{error}", error=error)) from error


def _path(value: object) -> Extract:
    steps = _text(value).split(".")
    return by_path(tuple(int(s) if s.isdecimal() else s for s in steps))


def _one_of(*allowed: str) -> Any:
    def check(value: object) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise vol.Invalid(
                Said(
                    "expected one of {allowed}, found {value!r}",
                    allowed=list(allowed),
                    value=value,
                )
            )
        return value

    return check


def _payload(value: object) -> str:
    if isinstance(value, dict | list) or value is None:
        raise vol.Invalid("expected the payload's text")
    return text_of(value)


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise vol.Invalid(
            Said("expected a whole number from 0, found {value!r}", value=value)
        )
    return value


def _place(value: object) -> int:
    # As a key of JSON a number is a text.
    return _whole(int(value) if isinstance(value, str) and value.isdecimal() else value)


def _globs(value: object) -> tuple[str, ...]:
    found = value if isinstance(value, list) else [value]
    for each in found:
        if "*" in _text(each)[:-1]:
            raise vol.Invalid(
                Said("expected a text, or one that ends in '*': {each!r}", each=each)
            )
    return tuple(found)


#: Number of a capture → what it may be: a text, or a beginning that ends in '*'.
ONLY: dict[Any, Any] = {_place: _globs}
_SOURCE: dict[Any, Any] = {
    vol.Exclusive("path", "source"): _path,
    vol.Exclusive("template", "source"): _template,
}
_PRESENCE = {
    vol.Required("topic"): _topic,
    vol.Optional("template"): _template,
    vol.Optional("here", default="online"): _payload,
    vol.Optional("gone", default="offline"): _payload,
}
_COMMAND = {
    vol.Required("topic"): _topic,
    vol.Optional("on", default="ON"): _payload,
    vol.Optional("off", default="OFF"): _payload,
    # Payloads for an output that trips by itself when nobody prolongs them.
    vol.Optional("trip_on"): _payload,
    vol.Optional("trip_off"): _payload,
    vol.Optional("repeat", default=True): checks.flag,
}
_ALSO = {vol.Required("topic"): _topic, vol.Required("path"): _path}
#: What a site says of an output beside its map.
MEANT: dict[Any, Any] = {
    vol.Optional("output"): _one_of(*(str(kind) for kind in OutputKind)),
    vol.Optional("ex_rated"): checks.flag,
    vol.Optional("contact_zone"): _text,
    vol.Optional("outside_air"): checks.flag,
    vol.Optional("fail_safe"): _one_of("on", "off", "hold_last"),
    vol.Optional("inverted"): checks.flag,
}
_ENTITY: dict[Any, Any] = {
    vol.Required("uid"): _text,
    vol.Optional("name"): _text,
    vol.Required("kind"): _one_of(
        "gas", "sensor", "text", "binary", "location", "output"
    ),
    **_SOURCE,
    vol.Optional("quantity", default=""): str,
    vol.Optional("unit", default=""): str,
    vol.Optional("max_age_s"): _positive,
    vol.Optional("critical", default=False): checks.flag,
    vol.Optional("full_scale"): _positive,
    vol.Optional("on", default="True"): _payload,
    vol.Optional("off", default="False"): _payload,
    vol.Optional("least_quality"): vol.Schema(
        {vol.Required("key"): _text, vol.Required("at_least"): vol.Any(int, float)}
    ),
    vol.Optional("optional", default=False): checks.flag,
    vol.Optional("also", default=[]): [_ALSO],
    **MEANT,
    vol.Optional("command"): _COMMAND,
}
_EVENT = {
    vol.Required("uid"): _text,
    vol.Required("kind"): _text,
    vol.Optional("when"): _template,
    vol.Optional("id"): _path,
    vol.Optional("params", default={}): {str: _path},
}
_SEQUENCE = {
    vol.Required("path"): _path,
    vol.Optional("time"): _path,
    # What it means when the counter is left out: some senders leave out a 0.
    vol.Optional("absent"): _whole,
    # Uid of an entity that tells the share of lost messages.
    vol.Optional("loss"): _text,
}
_POLL = {vol.Required("topic"): _topic, vol.Required("payload"): _payload}
_SPLIT = {
    vol.Required("topic"): _topic,
    vol.Required("id"): _path,
    vol.Required("keys"): vol.All([_path], vol.Length(min=1, max=8)),
    vol.Required("end"): _template,
}
_MAP_TOPIC = {
    vol.Required("topic"): _filter,
    vol.Optional("split"): _SPLIT,
    vol.Optional("only", default={}): ONLY,
    vol.Optional("when"): _template,
    vol.Optional("sequence"): _SEQUENCE,
    vol.Optional("interval_s"): _positive,
    vol.Optional("refresh"): _topic,
    vol.Optional("polls", default=[]): [_POLL],
    vol.Optional("poll_s", default=5.0): _positive,
    vol.Required("device"): {
        vol.Required("uid"): _text,
        vol.Optional("name"): _text,
        vol.Optional("manufacturer", default=""): str,
        vol.Optional("model", default=""): str,
    },
    vol.Optional("availability"): _PRESENCE,
    vol.Optional("entities", default=[]): [_ENTITY],
    vol.Optional("events", default=[]): [_EVENT],
}
_VECTOR = {
    vol.Required("topic"): _topic,
    vol.Required("payload"): object,
    vol.Required("device"): _text,
    vol.Optional("readings", default={}): {str: list},
    vol.Optional("events", default=[]): [dict],
}
_CHOSEN: dict[Any, Any] = {**MEANT, vol.Required("kind"): str}
_OUTPUTS: dict[Any, Any] = {_text: vol.Any(vol.Schema(_CHOSEN), str)}
#: A shipped map with what the site knows better.
USE = vol.Schema(
    {
        vol.Required("use"): _text,
        vol.Optional("only", default={}): ONLY,
        vol.Optional("interval_s"): _positive,
        vol.Optional("entities", default=[]): [dict],
        vol.Optional("outputs", default={}): _OUTPUTS,
    }
)
SCHEMA = vol.Schema(
    {
        vol.Required("map"): _text,
        vol.Required("version"): int,
        vol.Required("names"): {vol.Required("zh"): _text, vol.Required("en"): _text},
        vol.Optional("source", default=""): str,
        vol.Required("topics"): vol.All([_MAP_TOPIC], vol.Length(min=1)),
        vol.Optional("vectors", default=[]): [_VECTOR],
    }
)
