"""ISAPI's alerts and device facts: XML in, typed values out; pure functions.

Sources: Hikvision ISAPI developer guide, EventNotificationAlert (heartbeat: a
``videoloss`` that is ``inactive``, each 0.3 s before firmware 5.5.0, each 10 s since)
and its thermal part (TMA, TMPA, fireDetection).
"""

from typing import NamedTuple
from xml.etree.ElementTree import Element

from integrations.camera import soap
from integrations.camera.soap import SoapError, every, find, words

NAME = b"EventNotificationAlert"
MAX_ALERT = 64 << 10
_HEAT = ("currTemperature", "currentTemperature", "highestTemperature")
_UNITS = {
    "celsius": "°C",
    "degreecentigrade": "°C",
    "centigrade": "°C",
    "fahrenheit": "°F",
    "degreefahrenheit": "°F",
    "kelvin": "K",
    "degreekelvin": "K",
}


class Heat(NamedTuple):
    """Hold a measured temperature of one rule, in the unit that the camera told."""

    rule: str
    value: float
    unit: str


class Alert(NamedTuple):
    """Hold one alert: its kind in lower case, whether it is active, where."""

    kind: str
    active: bool
    channel: int
    input: int
    """Number of the alarm input; 0: none."""
    heat: tuple[Heat, ...]


class Camera(NamedTuple):
    """Say which device answers."""

    name: str
    model: str
    serial: str
    mac: str


def alert(data: bytes) -> Alert:
    """Return an alert; raises SoapError for what is none."""
    root = soap.document(data)
    kind, state = words(find(root, "eventType")), words(find(root, "eventState"))
    if not kind or state not in ("active", "inactive"):
        raise SoapError("no eventType or eventState")
    port = _number(root, "inputIOPortID") or _number(root, "dynInputIOPortID")
    return Alert(
        kind[:60].lower(),
        state == "active",
        _number(root, "channelID") or _number(root, "dynChannelID"),
        port,
        _heat(root),
    )


def device(data: bytes) -> Camera:
    """Return who answers ``/ISAPI/System/deviceInfo``; raises SoapError."""
    root = soap.document(data)
    serial = words(find(root, "serialNumber"))
    if not serial:
        raise SoapError("no serialNumber")
    return Camera(
        words(find(root, "deviceName")),
        words(find(root, "model")),
        serial,
        words(find(root, "macAddress")).lower(),
    )


def _number(root: Element, name: str) -> int:
    text = words(find(root, name))
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0


def _heat(root: Element) -> tuple[Heat, ...]:
    """Return the temperatures of an alert; without a known unit there are none."""
    told = words(find(root, "thermometryUnit")) or words(find(root, "temperatureUnit"))
    unit = _UNITS.get(told.lower(), "")
    if not unit:
        return ()
    found = []
    for entry in list(every(root, "DetectionRegionEntry"))[:16] or [root]:
        text = next((words(f) for n in _HEAT if (f := find(entry, n)) is not None), "")
        try:
            value = float(text)
        except ValueError:
            continue
        rule = words(find(entry, "ruleID")) or words(find(entry, "regionID")) or "1"
        if rule.isalnum() and -273.15 <= value <= 5_000:
            found.append(Heat(rule[:20], value, unit))
    return tuple(found)
