"""The options of a site's ``ble`` section, checked when it is published."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import voluptuous as vol

from core.api.checks import flag as _flag
from core.api.checks import port as _port
from core.api.checks import span as _span
from core.api.checks import text as _text
from core.api.checks import within as _within
from core.api.checks import without_secrets as _without_secrets
from core.api.said import Said, sentence
from integrations.ble import advert

PROXY_PORT, FEED_PORT = 6053, 8337
_UID = re.compile(r"[a-z][a-z0-9_]{0,63}")
_ADAPTER = re.compile(r"hci\d{1,2}")


def _matching(pattern: re.Pattern[str], what: str) -> Callable[[object], str]:
    def check(value: object) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise vol.Invalid(
                Said(
                    "expected {what}, found {value!r}", what=sentence(what), value=value
                )
            )
        return value

    return check


def _mac(value: object) -> str:
    try:
        return advert.mac(value if isinstance(value, str) else "")
    except advert.AdvertError:
        raise vol.Invalid(
            Said("expected an address AA:BB:…, found {value!r}", value=value)
        ) from None


def key(value: str) -> bytes:
    """Return a bind key's 16 bytes; raises vol.Invalid for none."""
    plain = re.sub(r"[\s:]", "", value)
    if not re.fullmatch(r"[0-9a-fA-F]{32}", plain):
        raise vol.Invalid("expected the device's bind key: 32 hexadecimal digits")
    return bytes.fromhex(plain)


_NAME = _matching(_UID, "an object's name such as temperature or count_2")
_ENTITY = vol.Schema(
    {
        vol.Optional("name"): _text,
        vol.Optional("kind"): vol.In(("gas", "sensor", "binary")),
        vol.Optional("quantity"): _text,
        vol.Optional("unit"): str,
        vol.Optional("scale"): _within(-1e9, 1e9),
        vol.Optional("range"): _span,
        vol.Optional("critical", default=False): _flag,
        vol.Optional("every_s"): _within(0.05, 86400),
    }
)
_DEVICE = vol.Schema(
    {
        vol.Required("address"): _mac,
        vol.Optional(
            "key",
            description={
                "secret": True,
                "label": {"zh": "绑定密钥", "en": "Bind key"},
                "help": {
                    "zh": "设备加密广播所用的 32 位十六进制密钥",
                    "en": "32 hexadecimal digits with which it encrypts",
                },
            },
        ): _text,
        vol.Optional("name"): _text,
        vol.Optional("model"): _text,
        vol.Optional("zone"): _text,
        # It advertises at least this often; three times that and it is lost.
        vol.Optional("every_s"): _within(0.05, 3600),
        vol.Optional("entities", default={}): vol.Schema({_NAME: _ENTITY}),
        vol.Optional("events", default={}): vol.Schema({_text: _NAME}),
        vol.Optional("without", default=[]): vol.All([_NAME], vol.Length(max=64)),
    }
)
_SOURCE = vol.Schema(
    {
        vol.Exclusive("adapter", "make"): _matching(_ADAPTER, "an adapter as hci0"),
        vol.Exclusive("proxy", "make"): _text,
        vol.Exclusive("feed", "make"): _text,
        vol.Optional("port"): _port,
        vol.Optional("mac"): _mac,
        vol.Optional("key", description={"secret": True}): _text,
    }
)
_SHAPE = vol.Schema(
    {
        vol.Required("sources"): vol.All([_SOURCE], vol.Length(min=1, max=30)),
        vol.Required("devices"): vol.All([_DEVICE], vol.Length(min=1, max=500)),
    }
)


def schema() -> vol.Schema:
    """Return the schema of the options; its errors carry the path to the fault."""
    return vol.Schema(vol.All(_without_secrets, _SHAPE, _cross_check))


def _cross_check(options: dict[str, Any]) -> dict[str, Any]:
    for number, source in enumerate(options["sources"]):
        _check_source(source, ["sources", number])
    seen: set[str] = set()
    for number, device in enumerate(options["devices"]):
        path: list[Any] = ["devices", number]
        if device["address"] in seen:
            raise vol.Invalid(
                Said("{address} is named twice", address=device["address"]), path=path
            )
        seen.add(device["address"])
        for uid, said in device["entities"].items():
            _check_entity(said, device, [*path, "entities", uid])
    return options


def _check_source(source: dict[str, Any], path: list[Any]) -> None:
    makes = [make for make in ("adapter", "proxy", "feed") if make in source]
    if not makes:
        raise vol.Invalid("expected 'adapter', 'proxy' or 'feed'", path=path)
    wrong = {"adapter": {"port", "mac", "key"}, "feed": {"mac", "key"}, "proxy": set()}
    for name in wrong[makes[0]] & source.keys():
        raise vol.Invalid(
            Said("'{makes}' has no {name!r}", makes=makes[0], name=name),
            path=[*path, name],
        )
    if makes[0] != "adapter":
        usual = PROXY_PORT if makes[0] == "proxy" else FEED_PORT
        source.setdefault("port", usual)


def _check_entity(
    said: Mapping[str, Any], device: Mapping[str, Any], path: list[Any]
) -> None:
    if said.get("kind") == "gas" and not (said.get("quantity") and said.get("unit")):
        raise vol.Invalid(
            "say what a gas is: add quantity: co and unit: ppm", path=path
        )
    if said["critical"] and "every_s" not in device:
        raise vol.Invalid(
            "a device with a critical entity must declare how often it"
            " advertises: every_s",
            path=path,
        )


def secrets_of(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the devices' bind keys and the proxies' keys."""
    both = (*options["devices"], *options["sources"])
    return tuple(dict.fromkeys(each["key"] for each in both if "key" in each))


def prefill(facts: Mapping[str, str]) -> dict[str, Any]:
    """Return options made of a finding: the device, heard by the first adapter."""
    device: dict[str, Any] = {}
    try:
        device["address"] = advert.mac(facts.get("ble_address", ""))
    except advert.AdvertError:
        pass  # the person reads it from the label
    if facts.get("name"):
        device["name"] = facts["name"][:200]
    return {"sources": [{"adapter": "hci0"}], "devices": [device]}
