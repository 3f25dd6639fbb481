"""Read Home Assistant's MQTT discovery: single components and whole devices.

A payload is foreign: everything wrong with it is a `SpecError` that names the
field; nothing here raises anything else. What the hub does not use is named in
`Found.ignored`.
"""

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Any

import msgspec

from integrations.mqtt import words
from integrations.mqtt.components import build
from integrations.mqtt.spec import DeviceSpec, EntitySpec, SpecError

MAX_CONFIG = 65_536
MAX_COMPONENTS = 256
MAX_NAME = 128


@dataclass(slots=True)
class Found:
    """What one discovery topic announced."""

    device: DeviceSpec
    aliases: tuple[str, ...] = ()
    """Further identifiers of the same device."""
    ignored: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Components that could not be used, and why."""


class Address(msgspec.Struct, frozen=True):
    """A discovery topic taken apart."""

    component: str
    object_id: str


def address(prefix: str, topic: str) -> Address | None:
    """Return component and object of ``prefix/component/[node/]object/config``."""
    parts = topic.removeprefix(f"{prefix}/").split("/")
    if parts[-1] != "config" or not 3 <= len(parts) <= 4 or not all(parts):
        return None
    return Address(parts[0], "_".join(parts[1:-1]))


def parse(where: Address, payload: bytes) -> Found:
    """Return the device that a discovery payload announces; raises SpecError."""
    if len(payload) > MAX_CONFIG:
        raise SpecError(f"payload: more than {MAX_CONFIG} bytes")
    try:
        data = msgspec.json.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise SpecError(f"payload: not JSON: {error}") from error
    if not isinstance(data, dict):
        raise SpecError("payload: an object is wanted")
    if where.component == "device":
        return _whole_device(where, _expand(data))
    if where.component not in words.COMPONENTS:
        raise SpecError(f"component {where.component!r} is not supported")
    config = _expand(data)
    found = _device(config, _identity(config, where))
    _add(found, where.component, config, where.object_id)
    if not found.device.entities:
        raise SpecError(found.refused[0])
    return found


def _whole_device(where: Address, config: dict[str, Any]) -> Found:
    components = config.get("components")
    if not isinstance(components, dict) or len(components) > MAX_COMPONENTS:
        raise SpecError("components: an object is wanted")
    if not isinstance(config.get("origin"), dict):
        raise SpecError("origin: the device form must name its origin")
    found = _device(config, _identity(config, where))
    shared = {
        key: value
        for key, value in config.items()
        if key not in {"components", "device", "origin"}
    }
    for key, raw in components.items():
        if not isinstance(raw, dict):
            found.refused.append(f"components.{key}: an object is wanted")
            continue
        base = raw.get("~", shared.get("~"))
        own = _expand(raw if base is None else {**raw, "~": base})
        platform = own.get("platform")
        if len(own) - ("~" in own) <= 1:
            continue  # A platform alone: this component was removed.
        if not isinstance(platform, str) or platform not in words.COMPONENTS:
            found.refused.append(f"components.{key}: platform {platform!r}"[:120])
            continue
        _add(found, platform, {**shared, **own}, str(key))
    if not found.device.entities and found.refused:
        raise SpecError(found.refused[0])
    return found


def _add(found: Found, component: str, config: dict[str, Any], key: str) -> None:
    """Build one component into the device, or say why not."""
    uid = config.get("unique_id", key)
    if not isinstance(uid, str) or not 0 < len(uid) <= MAX_NAME:
        found.refused.append(f"{key}: unique_id: a short text is wanted")
        return
    try:
        spec: EntitySpec = build(component, config, uid, key)
    except SpecError as error:
        found.refused.append(f"{key}: {error}"[:300])
        return
    found.device.entities[uid] = spec
    for name in config:
        if name in words.OVERRULED or (
            name not in words.OBEYED and name not in words.DECORATION and name != "~"
        ):
            found.ignored.append(f"{component}.{name}"[:80])


# --- who it is ----------------------------------------------------------------


def _identity(config: dict[str, Any], where: Address) -> list[str]:
    """Return the device's identifiers, the first is its uid; never an address."""
    device = config.get("device")
    found: list[str] = []
    if isinstance(device, dict):
        found += _texts(device.get("identifiers"))
        connections = device.get("connections")
        for pair in connections if isinstance(connections, list) else []:
            if isinstance(pair, list) and len(pair) == 2:
                found += _texts(pair[1])
    if not found:
        found = _texts(config.get("unique_id")) or [where.object_id]
    proper = [name for name in found if not _is_ip(name)]
    if not proper:
        raise SpecError("device.identifiers: an IP address is no identity (R27)")
    return [name[:MAX_NAME] for name in proper]


def _texts(value: Any) -> list[str]:
    """Return the non-empty texts of a text or a list of them."""
    found = value if isinstance(value, list) else [value]
    return [
        str(item)
        for item in found[:16]
        if isinstance(item, str | int) and not isinstance(item, bool) and str(item)
    ]


def _is_ip(name: str) -> bool:
    bare = re.sub(r":\d+$", "", name) if name.count(":") == 1 else name
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        return False
    return True


def _device(config: dict[str, Any], identity: list[str]) -> Found:
    device = config.get("device")
    about: dict[str, Any] = device if isinstance(device, dict) else {}
    ours = config.get("safehold")
    zone = ours.get("zone") if isinstance(ours, dict) else None

    def said(key: str) -> str:
        value = about.get(key)
        return str(value)[:MAX_NAME] if isinstance(value, str | int) else ""

    return Found(
        DeviceSpec(
            uid=identity[0],
            name=said("name") or identity[0],
            manufacturer=said("manufacturer"),
            model=said("model"),
            serial=said("serial_number"),
            zone=str(zone)[:MAX_NAME] if isinstance(zone, str) else None,
        ),
        aliases=tuple(identity[1:]),
    )


# --- abbreviations and the base topic -----------------------------------------


def _expand(data: dict[str, Any]) -> dict[str, Any]:
    """Write out abbreviations, and put the base topic for ``~``."""
    base = data.get("~")
    full = _renamed(words.ABBREVIATIONS, data)
    device: Any = full.get("device")
    if isinstance(device, dict):
        full["device"] = _renamed(words.DEVICE_ABBREVIATIONS, device)
    listed: Any = full.get("availability")
    if isinstance(listed, dict):
        listed = [listed]
    if isinstance(listed, list):
        full["availability"] = [
            _based(_renamed(words.ABBREVIATIONS, item), base)
            for item in listed[:16]
            if isinstance(item, dict)
        ]
    return _based(full, base)


def _renamed(table: dict[str, str], data: dict[str, Any]) -> dict[str, Any]:
    return {table.get(key, key): value for key, value in data.items()}


def _based(full: dict[str, Any], base: Any) -> dict[str, Any]:
    """Replace a leading or trailing ``~`` in every topic."""
    if not isinstance(base, str):
        return full
    for key, value in full.items():
        if isinstance(value, str) and value and key.endswith("topic"):
            if value[0] == "~":
                full[key] = base + value[1:]
            elif value[-1] == "~":
                full[key] = value[:-1] + base
    return full
