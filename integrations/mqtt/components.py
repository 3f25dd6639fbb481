"""Build one discovered component: entity, state, availability, command, event."""

import math
from typing import Any

from core.api import (
    Entity,
    EntityKind,
    Output,
    OutputKind,
    Value,
    wrong_fail_safe,
)
from integrations.mqtt import words
from integrations.mqtt.events import build_event
from integrations.mqtt.fields import (
    name_of,
    presence_of,
    template_of,
    text_field,
    tokens,
    topic_of,
)
from integrations.mqtt.points import Convert, number, switched, text
from integrations.mqtt.spec import CommandSpec, EntitySpec, SpecError
from integrations.mqtt.templates import (
    WHOLE_TEXT,
    Extract,
    SilentError,
    TemplateError,
    by_path,
    text_of,
)

#: Age at which a reading is stale when the device declares none. What speaks only
#: on change lives longer when an availability topic answers for the link.
MEASURED_S = 60.0
SWITCHED_S = 600.0
WATCHED_S = 3_600.0


def build(component: str, config: dict[str, Any], uid: str, key: str) -> EntitySpec:
    """Return the spec of one component; raises SpecError naming the field."""
    kind = words.COMPONENTS[component]
    if kind is EntityKind.EVENT:
        return build_event(component, config, uid, key)
    command = None
    entity_output = None
    if kind is EntityKind.OUTPUT:
        command = _command(component, config)
        entity_output = _output(component, config, key)
        kind = EntityKind.OUTPUT if entity_output else EntityKind.BINARY
    topic = topic_of(config, "state_topic", wanted=command is None and kind is not None)
    if component == "device_tracker":
        topic = topic_of(config, "json_attributes_topic") or topic
    quantity = _quantity(config, key, kind)
    if kind is EntityKind.SENSOR and quantity in words.GASES:
        kind = EntityKind.GAS
    kind = _declared_kind(config, kind)
    unit = _unit(config, quantity)
    presence, mode = presence_of(config)
    return EntitySpec(
        Entity(
            uid=uid,
            name=name_of(config, key),
            kind=kind,
            quantity=quantity,
            unit=unit,
            max_age_s=_max_age(config, kind, bool(presence)),
            critical=_ours(config).get("critical") is True,
            full_scale=_full_scale(config),
            output=entity_output,
        ),
        topic=topic,
        extract=_extract(component, config),
        convert=_convert(component, config, kind),
        presence=presence,
        mode=mode,
        command=command,
    )


# --- fields -------------------------------------------------------------------


def _ours(config: dict[str, Any]) -> dict[str, Any]:
    block = config.get("safehold")
    return block if isinstance(block, dict) else {}


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) and found > 0 else None


def _max_age(config: dict[str, Any], kind: EntityKind, watched: bool) -> float:
    for key in ("expire_after", "off_delay"):
        if config.get(key):
            age = _number(config[key])
            if age is None:
                raise SpecError(f"{key}: seconds are wanted")
            return age
    if kind in {EntityKind.GAS, EntityKind.SENSOR, EntityKind.LOCATION}:
        return MEASURED_S
    return WATCHED_S if watched else SWITCHED_S


def _full_scale(config: dict[str, Any]) -> float | None:
    return _number(_ours(config).get("full_scale"))


def _quantity(config: dict[str, Any], key: str, kind: EntityKind) -> str:
    """Return what is measured: said outright, by class, or by a word in the name."""
    said = _ours(config).get("quantity")
    if isinstance(said, str) and said:
        return said[:64]
    device_class = config.get("device_class")
    if isinstance(device_class, str) and device_class in words.GAS_CLASSES:
        return words.GAS_CLASSES[device_class]
    names = tokens(config.get("name"), key, config.get("object_id"))
    if kind is EntityKind.SENSOR and device_class in (None, "gas"):
        for token in [*names, *tokens(config.get("value_template"))]:
            if token in words.GASES or token in words.GAS_WORDS:
                return words.GAS_WORDS.get(token, token)
    if kind is EntityKind.BINARY and "sos" in names:
        return "sos"
    if isinstance(device_class, str):
        return words.QUANTITY_CLASSES.get(device_class, device_class)[:64]
    return ""


def _unit(config: dict[str, Any], quantity: str) -> str:
    unit = config.get("unit_of_measurement")
    if unit is None:
        return ""
    if not isinstance(unit, str) or len(unit) > 32:
        raise SpecError("unit_of_measurement: a short text is wanted")
    if unit == "%" and quantity == "lel":
        return "%LEL"
    if unit == "%" and quantity in words.GASES:
        return "%vol"
    # The core knows the spellings of all other units.
    return unit


def _declared_kind(config: dict[str, Any], kind: EntityKind) -> EntityKind:
    said = _ours(config).get("kind")
    if said is None or kind is EntityKind.OUTPUT:
        return kind
    if said not in ("gas", "sensor", "binary", "location"):
        raise SpecError("safehold.kind: gas, sensor, binary or location")
    return EntityKind(said)


# --- state --------------------------------------------------------------------


def _extract(component: str, config: dict[str, Any]) -> Extract:
    found = template_of(config, "value_template", "state_value_template")
    if component == "device_tracker":
        return found or (
            by_path(()) if config.get("json_attributes_topic") else WHOLE_TEXT
        )
    if found is None and _is_json(component, config):
        return by_path(("state",))
    return found or WHOLE_TEXT


def _is_json(component: str, config: dict[str, Any]) -> bool:
    return component == "light" and config.get("schema") == "json"


def _convert(component: str, config: dict[str, Any], kind: EntityKind) -> Convert:
    if kind in {EntityKind.BINARY, EntityKind.OUTPUT}:
        on, off = (
            text_field(config, "payload_on", "ON"),
            text_field(config, "payload_off", "OFF"),
        )
        if component != "binary_sensor":
            on = text_field(config, "state_on", on)
            off = text_field(config, "state_off", off)
        return switched(on, off)
    if kind is EntityKind.LOCATION:
        return located
    measured = (
        kind is EntityKind.GAS
        or config.get("unit_of_measurement") is not None
        or config.get("state_class") is not None
    )
    return number if measured else text


def located(raw: Any) -> tuple[Value, int, str]:
    """Judge a position: x, y and perhaps z in metres of the site, or a zone's name."""
    if not isinstance(raw, dict):
        return text(raw)
    parts = []
    for axis in ("x", "y", "z"):
        value, quality, reason = number(raw.get(axis, 0.0 if axis == "z" else None))
        if quality:
            return None, quality, reason
        parts.append(f"{value:.3f}")
    return ",".join(parts), 0, ""


# --- outputs ------------------------------------------------------------------


def _command(component: str, config: dict[str, Any]) -> CommandSpec:
    topic = topic_of(config, "command_topic", wanted=True)
    on, off = (
        text_field(config, "payload_on", "ON"),
        text_field(config, "payload_off", "OFF"),
    )
    if _is_json(component, config):
        on, off = f'{{"state":"{on}"}}', f'{{"state":"{off}"}}'
    source = config.get("command_template")
    if source is not None:
        # Only two things are ever sent: they are rendered once, here.
        template = template_of(config, "command_template") or WHOLE_TEXT
        try:
            on, off = (text_of(template.fn(said, None)) for said in (on, off))
        except (TemplateError, SilentError) as error:
            raise SpecError(f"command_template: {error}") from error
    return CommandSpec(topic or "", on.encode(), off.encode())


def _output(component: str, config: dict[str, Any], key: str) -> Output | None:
    """Return what the output moves, or None: a switch of unknown use moves nothing."""
    ours = _ours(config)
    said = ours.get("output")
    kind: OutputKind | None = words.FIXED_OUTPUTS.get(component)
    if said is not None:
        if said not in tuple(OutputKind):
            raise SpecError(f"safehold.output: one of {', '.join(OutputKind)}")
        kind = OutputKind(said)
    elif kind is None:
        names = tokens(config.get("name"), key, config.get("device_class"))
        names += ["power_cut"] if "power" in names and "cut" in names else []
        kind = next(
            (words.OUTPUT_WORDS[n] for n in names if n in words.OUTPUT_WORDS), None
        )
    if kind is None:
        return None
    contact = ours.get("contact_zone")
    fail_safe = ours.get("fail_safe", "hold_last")
    if fail_safe not in ("on", "off", "hold_last"):
        raise SpecError("safehold.fail_safe: on, off or hold_last")
    wrong = wrong_fail_safe(kind, fail_safe)
    if wrong:
        raise SpecError(f"safehold.fail_safe: {wrong}")
    return Output(
        kind=kind,
        ex_rated=ours.get("ex_rated") is True,
        contact_zone=contact if isinstance(contact, str) else None,
        outside_air=ours.get("outside_air") is True,
        fail_safe=fail_safe,
        read_back=isinstance(config.get("state_topic"), str)
        and config.get("optimistic") is not True,
    )
