"""One vocabulary for helmets, whichever door they come through.

The same uids and quantities as the topic map ``helmet`` of the MQTT integration: a
rule that is written for one helmet serves all.
"""

from typing import Final

from core.api import Entity, EntityKind, Output, OutputKind

#: Discrete events; the first two call for help.
EVENTS: Final = ("sos", "fall", "impact", "area", "unhooked", "removed", "low_battery")
CALLS: Final = ("sos", "fall")
#: What a voice can be told to say.
PHRASES: Final = ("leave", "no_rescue", "drill")

#: uid → kind, quantity, unit, name.
_STATES: Final[dict[str, tuple[EntityKind, str, str, str]]] = {
    "battery": (EntityKind.SENSOR, "battery", "%", "电量 Battery"),
    "wear": (EntityKind.BINARY, "wear", "", "佩戴 Worn"),
    "hook": (EntityKind.BINARY, "hook", "", "安全带挂钩 Harness hook"),
    "signal": (EntityKind.SENSOR, "signal", "", "信号 Signal"),
    "satellites": (EntityKind.SENSOR, "satellites", "", "卫星数 Satellites"),
    "temperature": (EntityKind.SENSOR, "air_temperature", "°C", "温度 Temperature"),
    "heart_rate": (EntityKind.SENSOR, "heart_rate", "bpm", "心率 Heart rate"),
}
_EVENT_NAMES: Final = {
    "sos": "求救 SOS",
    "fall": "跌倒 Fall",
    "impact": "撞击 Impact",
    "area": "进出区域 Area",
    "unhooked": "脱钩 Unhooked",
    "removed": "脱帽 Taken off",
    "low_battery": "低电量 Low battery",
}
_EVENT_AGE_S = 3_600.0


def state(uid: str, max_age_s: float) -> Entity | None:
    """Return the entity of a state of the vocabulary; None: it has no such word."""
    known = _STATES.get(uid)
    if known is None:
        return None
    kind, quantity, unit, name = known
    return Entity(
        uid=uid,
        name=name,
        kind=kind,
        quantity=quantity,
        unit=unit,
        max_age_s=max_age_s,
    )


def gas(uid: str, unit: str, max_age_s: float) -> Entity:
    """Return the entity of a gas that a helmet measures."""
    return Entity(
        uid=uid,
        name=uid.upper(),
        kind=EntityKind.GAS,
        quantity=uid,
        unit=unit,
        max_age_s=max_age_s,
    )


def event(kind: str) -> Entity:
    """Return the entity of a discrete event."""
    return Entity(
        uid=kind,
        name=_EVENT_NAMES.get(kind, kind),
        kind=EntityKind.EVENT,
        quantity=kind,
        max_age_s=_EVENT_AGE_S,
    )


def location(datum: str, max_age_s: float) -> Entity:
    """Return the entity of a place by satellite; ``datum`` is its unit."""
    return Entity(
        uid="location",
        name="位置 Location",
        kind=EntityKind.LOCATION,
        quantity="location",
        unit=datum,
        max_age_s=max_age_s,
    )


def voice(phrases: tuple[str, ...], max_age_s: float) -> Entity:
    """Return the output that speaks to the wearer."""
    return Entity(
        uid="voice",
        name="语音 Voice",
        kind=EntityKind.OUTPUT,
        quantity="voice",
        max_age_s=max_age_s,
        output=Output(kind=OutputKind.VOICE, phrases=phrases),
    )
