"""The options of a site's ``modbus`` section, checked when it is published."""

from collections.abc import Callable, Mapping
from typing import Any

import voluptuous as vol

from core.api import ConfigError, EntityKind, OutputKind, checks, wrong_fail_safe
from core.api.said import Said
from integrations.modbus import load
from integrations.modbus.profile import Profile
from integrations.modbus.schema import (
    BANDS,
    SERIAL,
    identifier,
    one_of,
    positive,
    whole,
    word,
)

_OUTPUT_KIND = one_of(*(str(kind) for kind in OutputKind))
_OUTPUT = vol.Schema(
    {
        vol.Required("kind"): _OUTPUT_KIND,
        vol.Optional("ex_rated"): checks.flag,
        vol.Optional("contact_zone"): word,
        vol.Optional("outside_air"): checks.flag,
        vol.Optional("fail_safe"): one_of("on", "off", "hold_last"),
        vol.Optional("inverted"): checks.flag,
    }
)


def _channel(value: object) -> Any:
    named = isinstance(value, Mapping)
    found = _OUTPUT(value) if named else _OUTPUT_KIND(value)
    kind, fail_safe = found, "hold_last"
    if named:
        kind, fail_safe = found["kind"], found.get("fail_safe", fail_safe)
    wrong = wrong_fail_safe(OutputKind(kind), fail_safe)
    if wrong:
        raise vol.Invalid(wrong)
    return found


def _address(value: object) -> str:
    text = word(value)
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise vol.Invalid(
            Said("expected host:port as in 192.0.2.7:502, found {text!r}", text=text)
        )
    return text


_LINE: dict[Any, Any] = {
    vol.Optional(str(key)): check for key, check in SERIAL.schema.items()
}
_SERIAL = vol.Schema({vol.Required("port"): word, **_LINE})
_DEVICE = vol.Schema(
    {
        vol.Required("unit"): whole(0, 255),
        vol.Required("profile"): word,
        vol.Required("uid"): identifier,
        vol.Optional("name"): word,
        vol.Optional("zone"): word,
        vol.Optional("serial_number"): word,
        vol.Optional("poll_s"): positive,
        vol.Optional("timeout_s"): positive,
        vol.Optional("quantities"): vol.Schema({identifier: word}),
        vol.Optional("units"): vol.Schema({identifier: word}),
        vol.Optional("outputs"): vol.Schema({identifier: _channel}),
        vol.Optional("bands"): vol.Schema({identifier: BANDS}),
        vol.Optional("without"): [identifier],
    }
)
_BUS = vol.Schema(
    {
        vol.Required("id"): identifier,
        vol.Exclusive("tcp", "place"): _address,
        vol.Exclusive("serial", "place"): _SERIAL,
        vol.Required("devices"): vol.All([_DEVICE], vol.Length(min=1)),
    }
)
_SHAPE = vol.Schema(
    {
        vol.Required("buses"): vol.All([_BUS], vol.Length(min=1)),
        vol.Optional("language", default="en"): one_of("en", "zh"),
    }
)


def schema() -> vol.Schema:
    """Return the schema of the options; its errors carry the path to the fault."""
    return vol.Schema(vol.All(_SHAPE, _cross_check))


def _cross_check(options: dict[str, Any]) -> dict[str, Any]:
    """Check what one value cannot know of another; raises vol.Invalid."""
    uids: set[str] = set()
    bus_ids: set[str] = set()
    for index, bus in enumerate(options["buses"]):
        path: list[Any] = ["buses", index]
        if bus["id"] in bus_ids:
            raise vol.Invalid(
                Said("bus {id!r} is named twice", id=bus["id"]), path=[*path, "id"]
            )
        bus_ids.add(bus["id"])
        if "tcp" not in bus and "serial" not in bus:
            raise vol.Invalid("expected 'tcp: host:port' or 'serial:'", path=path)
        units: set[int] = set()
        for number, device in enumerate(bus["devices"]):
            here = [*path, "devices", number]
            if device["uid"] in uids:
                raise vol.Invalid(
                    Said(
                        "uid {uid!r} belongs to another device too", uid=device["uid"]
                    ),
                    path=[*here, "uid"],
                )
            if device["unit"] in units:
                raise vol.Invalid(
                    Said(
                        "two devices of one bus have unit {unit}", unit=device["unit"]
                    ),
                    path=[*here, "unit"],
                )
            if "serial" in bus and not 1 <= device["unit"] <= 247:
                raise vol.Invalid("expected 1-247 on a line", path=[*here, "unit"])
            uids.add(device["uid"])
            units.add(device["unit"])
            _check_device(device, here)
    return options


def _check_device(device: Mapping[str, Any], path: list[Any]) -> None:
    try:
        profile = load.load(device["profile"])
    except ConfigError as problem:
        raise vol.Invalid(
            Said("{problem}", problem=problem), path=[*path, "profile"]
        ) from problem
    for key in ("quantities", "units", "outputs", "bands", "without"):
        for uid in device.get(key, ()):
            entity = profile.entities.get(uid)
            if entity is None or (key == "outputs") > (entity.coil is not None):
                names = list(profile.entities)
                raise vol.Invalid(
                    Said(
                        "{id} has no such entity {uid!r}; it has {names}",
                        id=profile.id,
                        uid=uid,
                        names=names,
                    ),
                    path=[*path, key, uid] if key != "without" else [*path, key],
                )
    _check_meaning(device, profile, path)


def _check_meaning(
    device: Mapping[str, Any], profile: Profile, path: list[Any]
) -> None:
    """Ask the site for what neither the map nor the device tells."""
    missing: tuple[tuple[str, Callable[..., bool], str], ...] = (
        ("quantities", lambda e: e.kind is EntityKind.GAS and not e.quantity, "h2s"),
        ("units", lambda e: e.unit is None, "ppm"),
    )
    for uid, entity in profile.entities.items():
        if uid in device.get("without", ()):
            continue
        for key, lacks, example in missing:
            if lacks(entity) and uid not in device.get(key, {}):
                raise vol.Invalid(
                    Said(
                        "{id} cannot tell what '{uid}' is: add {key}: {{{uid}: "
                        "{example}}} or without: [{uid}]",
                        id=profile.id,
                        uid=uid,
                        key=key,
                        example=example,
                    ),
                    path=path,
                )


def prefill(facts: Mapping[str, str]) -> dict[str, Any]:
    """Return a bus with its device, made from a finding; a person names its profile."""
    line = facts.get("device") or facts.get("path", "")
    bus: dict[str, Any] = {"id": "bus1"}
    if line.startswith("/dev/"):
        bus["serial"] = {"port": line}
        if facts.get("baudrate", "").isdecimal():
            bus["serial"]["baudrate"] = int(facts["baudrate"])
    else:
        bus["tcp"] = f"{facts.get('address', '')}:{facts.get('port') or 502}"
    device: dict[str, Any] = {"unit": 1}
    if facts.get("unit", "").isdecimal():
        device["unit"] = int(facts["unit"])
    # From what stays with the device: never from its address (R27).
    lasting = "".join(c if c.isascii() and c.isalnum() else "-" for c in _serial(facts))
    if lasting.strip("-"):
        device |= {"uid": f"modbus-{lasting}"[:60], "serial_number": _serial(facts)}
    if facts.get("profile"):
        device["profile"] = facts["profile"]
    return {"buses": [{**bus, "devices": [device]}]}


def _serial(facts: Mapping[str, str]) -> str:
    return facts.get("serial", "") or facts.get("mac", "")


async def probe(
    options: Mapping[str, Any], _secrets: Mapping[str, str]
) -> dict[str, str]:
    """Ask each device for its first block; raises DeviceError with who is silent."""
    # The library is not needed where a site is only published.
    from integrations.modbus.probe import answers

    return await answers(options)
