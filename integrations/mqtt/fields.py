"""Read the fields of a discovered component; every fault names its field."""

import re
from typing import Any

from integrations.mqtt.spec import Presence, SpecError
from integrations.mqtt.templates import (
    WHOLE_TEXT,
    Extract,
    TemplateError,
    compile_template,
    text_of,
)

MAX_TOPIC = 512
_WORD = re.compile(r"[a-z0-9]+")


def topic_of(config: dict[str, Any], key: str, wanted: bool = False) -> str | None:
    """Return a topic without wildcards; None when absent and not wanted."""
    value = config.get(key)
    if value is None and not wanted:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TOPIC:
        raise SpecError(f"{key}: a topic is wanted")
    if "+" in value or "#" in value or "\0" in value:
        raise SpecError(f"{key}: wildcards are not allowed")
    return value


def text_field(config: dict[str, Any], key: str, default: str) -> str:
    """Return a field as the text that a device would send."""
    value = config.get(key, default)
    if isinstance(value, dict | list) or value is None:
        raise SpecError(f"{key}: a text is wanted")
    return text_of(value)[:256]


def template_of(config: dict[str, Any], *keys: str) -> Extract | None:
    """Return the compiled template of the first key that is set."""
    for key in keys:
        source = config.get(key)
        if source is None:
            continue
        if not isinstance(source, str):
            raise SpecError(f"{key}: a template is wanted")
        try:
            return compile_template(source)
        except TemplateError as error:
            raise SpecError(f"{key}: {error}") from error
    return None


def name_of(config: dict[str, Any], key: str) -> str:
    """Return the component's name, bounded."""
    value = config.get("name")
    return value[:128] if isinstance(value, str) and value else key[:128]


def tokens(*names: Any) -> list[str]:
    """Return the lower-case words of names."""
    found: list[str] = []
    for name in names:
        if isinstance(name, str):
            found += _WORD.findall(name.lower())
    return found


def presence_of(config: dict[str, Any]) -> tuple[tuple[Presence, ...], str]:
    """Return availability topics and how they combine."""
    mode = config.get("availability_mode", "latest")
    if mode not in ("all", "any", "latest"):
        raise SpecError("availability_mode: all, any or latest")
    listed = config.get("availability")
    if listed is not None and not isinstance(listed, list):
        raise SpecError("availability: a list is wanted")
    found = [_one_presence(item, "topic", "value_template") for item in listed or ()]
    if config.get("availability_topic") is not None:
        found.append(
            _one_presence(config, "availability_topic", "availability_template")
        )
    return tuple(found), mode


def _one_presence(item: dict[str, Any], topic: str, template: str) -> Presence:
    where = topic_of(item, topic, wanted=True)
    return Presence(
        topic=where or "",
        extract=template_of(item, template) or WHOLE_TEXT,
        here=text_field(item, "payload_available", "online"),
        gone=text_field(item, "payload_not_available", "offline"),
    )
