"""Build the discrete events of discovered components: presses, SOS, gates."""

from typing import Any

import msgspec

from core.api import Entity, EntityKind, Value
from integrations.mqtt.fields import (
    name_of,
    presence_of,
    template_of,
    text_field,
    tokens,
    topic_of,
)
from integrations.mqtt.points import Event, number
from integrations.mqtt.spec import EntitySpec, SpecError, Take
from integrations.mqtt.templates import (
    WHOLE_TEXT,
    Extract,
    SilentError,
    TemplateError,
    text_of,
)

EVENT_AGE_S = 3_600.0
# --- events -------------------------------------------------------------------

_SOS = frozenset({"sos", "panic", "emergency"})


def event_kind(*names: str) -> str:
    """Return the hub's word for an event: sos, fall, gate, or its own last name."""
    found = set(tokens(*names))
    if found & _SOS:
        return "sos"
    for word in ("fall", "gate"):
        if word in found:
            return word
    return names[-1][:64]


def build_event(
    component: str, config: dict[str, Any], uid: str, key: str
) -> EntitySpec:
    """Return the spec of an event entity or device trigger; raises SpecError."""
    automation = component == "device_automation"
    topic = topic_of(config, "topic" if automation else "state_topic", wanted=True)
    name = name_of(config, key)
    take = _press(config, name) if automation else _typed(config, name)
    presence, mode = presence_of(config)
    return EntitySpec(
        Entity(
            uid=uid,
            name=name,
            kind=EntityKind.EVENT,
            quantity=event_kind(name, key, ""),
            max_age_s=EVENT_AGE_S,
        ),
        presence=presence,
        mode=mode,
        take=take,
        event_topic=topic,
    )


def _press(config: dict[str, Any], name: str) -> Take:
    """A device trigger: its payload, or any payload when it names none."""
    payload = text_field(config, "payload", "")
    subtype, kind = text_field(config, "subtype", ""), text_field(config, "type", "")
    said = event_kind(name, subtype, kind or "pressed")
    extract = template_of(config, "value_template") or WHOLE_TEXT

    def take(said_text: str, data: Any, _: bool) -> Event | None:
        try:
            heard = text_of(extract.fn(said_text, data))
        except (TemplateError, SilentError):
            return None
        if payload and heard != payload:
            return None
        return Event(said, {"type": kind, "subtype": subtype}, "")

    return take


def _typed(config: dict[str, Any], name: str) -> Take:
    """An event entity: an object with ``event_type`` and what else it tells."""
    types = config.get("event_types")
    if not isinstance(types, list) or not types:
        raise SpecError("event_types: a list is wanted")
    allowed = {text_of(item) for item in types[:64]}
    extract = template_of(config, "value_template")

    def take(said_text: str, data: Any, _: bool) -> Event | None:
        if extract is not None:
            data = _object(extract, said_text, data)
        if not isinstance(data, dict) or text_of(data.get("event_type")) not in allowed:
            return None
        kind = text_of(data["event_type"])
        return Event(event_kind(name, kind), plain_params(data), event_id(data))

    return take


def _object(extract: Extract, said: str, data: Any) -> Any:
    try:
        return msgspec.json.decode(text_of(extract.fn(said, data)).encode())
    except (TemplateError, SilentError, msgspec.MsgspecError, UnicodeError):
        return None


def plain_params(data: dict[str, Any]) -> dict[str, Value]:
    """Return the simple values of an event's payload, bounded in number and length."""
    found: dict[str, Value] = {}
    for key, value in list(data.items())[:16]:
        if isinstance(value, str):
            found[key[:64]] = value[:256]
        elif isinstance(value, bool):
            found[key[:64]] = value
        elif isinstance(value, int | float):
            judged, quality, _ = number(value)
            if not quality:
                found[key[:64]] = judged
    return found


def event_id(data: dict[str, Any]) -> str:
    """Return the id that the device gave its event, or ''."""
    for key in ("event_id", "id", "seq"):
        value = data.get(key)
        if isinstance(value, str | int) and not isinstance(value, bool):
            return text_of(value)[:64]
    return ""
