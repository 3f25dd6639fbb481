"""The options of a site's ``esphome`` section, checked when it is published."""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

import voluptuous as vol

from core.api import OutputKind, wrong_fail_safe
from core.api.checks import flag as _flag
from core.api.checks import port as _port
from core.api.checks import span as _span
from core.api.checks import text as _text
from core.api.checks import within as _within
from core.api.checks import without_secrets as _without_secrets
from core.api.said import Said

PORT = 6053
_MAC = re.compile(r"([0-9A-F]{2}:){5}[0-9A-F]{2}")
_UID = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,119}")


def _uid(value: object) -> str:
    if not isinstance(value, str) or not _UID.fullmatch(value):
        raise vol.Invalid(
            Said("expected an entity's name such as ch4, found {value!r}", value=value)
        )
    return value


def mac(value: object) -> str:
    """Return a hardware address as AA:BB:CC:DD:EE:FF; raises vol.Invalid."""
    plain = re.sub(r"[:\-.\s]", "", value).upper() if isinstance(value, str) else ""
    text = ":".join(plain[i : i + 2] for i in range(0, len(plain), 2))
    if not _MAC.fullmatch(text):
        raise vol.Invalid(
            Said("expected the node's MAC address, found {value!r}", value=value)
        )
    return text


def key(value: str) -> str:
    """Return an encryption key as it is; raises vol.Invalid for none."""
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 32:
        raise vol.Invalid("expected the node's api encryption key: 32 bytes in base64")
    return value


_OUTPUT = vol.Schema(
    {
        vol.Required("kind"): vol.In([str(kind) for kind in OutputKind]),
        vol.Optional("ex_rated"): _flag,
        vol.Optional("contact_zone"): _text,
        vol.Optional("outside_air"): _flag,
        vol.Optional("fail_safe"): vol.In(("on", "off", "hold_last")),
        # The entity that shows what the output really does.
        vol.Optional("state"): _uid,
    }
)
_ENTITY = vol.Schema(
    {
        vol.Optional("name"): _text,
        vol.Optional("kind"): vol.In(("gas", "sensor", "binary")),
        vol.Optional("quantity"): _text,
        vol.Optional("unit"): str,
        vol.Optional("range"): _span,
        vol.Optional("critical", default=False): _flag,
        # The node says it at least this often; three times that and it is stale.
        vol.Optional("every_s"): _within(0.05, 3600),
        vol.Optional("event"): _uid,
        vol.Optional("output"): _OUTPUT,
    }
)
_NODE = vol.Schema(
    {
        vol.Required("mac"): mac,
        vol.Required("host"): _text,
        vol.Optional("port", default=PORT): _port,
        vol.Optional(
            "key",
            description={
                "secret": True,
                "label": {"zh": "加密密钥", "en": "Encryption key"},
                "help": {
                    "zh": "节点 YAML 中 api: encryption: key: 的值",
                    "en": "what the node's YAML has under api: encryption: key:",
                },
            },
        ): _text,
        vol.Optional("name"): _text,
        vol.Optional("zone"): _text,
        vol.Optional("interval_s", default=2.0): _within(0.1, 60),
        vol.Optional("heartbeat"): vol.Schema(
            {
                vol.Required("entity"): _uid,
                vol.Optional("max_s", default=90.0): _within(0.2, 3600),
            }
        ),
        vol.Optional("entities", default={}): vol.Schema({_uid: _ENTITY}),
        vol.Optional("without", default=[]): vol.All([_uid], vol.Length(max=256)),
    }
)
_SHAPE = vol.Schema(
    {vol.Required("nodes"): vol.All([_NODE], vol.Length(min=1, max=500))}
)


def schema() -> vol.Schema:
    """Return the schema of the options; its errors carry the path to the fault."""
    return vol.Schema(vol.All(_without_secrets, _SHAPE, _cross_check))


def _cross_check(options: dict[str, Any]) -> dict[str, Any]:
    seen: set[str] = set()
    for number, node in enumerate(options["nodes"]):
        path: list[Any] = ["nodes", number]
        if node["mac"] in seen:
            raise vol.Invalid(
                Said("node {mac} is named twice", mac=node["mac"]), path=path
            )
        seen.add(node["mac"])
        for uid, said in node["entities"].items():
            _check_entity(said, [*path, "entities", uid])
    return options


def _check_entity(said: Mapping[str, Any], path: list[Any]) -> None:
    if said.get("kind") == "gas" and not (said.get("quantity") and said.get("unit")):
        raise vol.Invalid(
            "say what a gas is: add quantity: ch4 and unit: '%LEL'", path=path
        )
    measured = said.get("kind") in ("gas", "sensor")
    if measured and said["critical"] and "every_s" not in said:
        # Silence of a sensor looks like a value that does not change.
        raise vol.Invalid(
            "a critical sensor must declare how often the node tells it: every_s",
            path=path,
        )
    output = said.get("output", {"kind": OutputKind.LAMP})
    wrong = wrong_fail_safe(
        OutputKind(output["kind"]), output.get("fail_safe", "hold_last")
    )
    if wrong:
        raise vol.Invalid(wrong, path=[*path, "output"])
    if "output" in said and ("kind" in said or "event" in said):
        raise vol.Invalid("an output has no 'kind' and no 'event'", path=path)


def secrets_of(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the nodes' encryption keys."""
    found = [node["key"] for node in options["nodes"] if "key" in node]
    return tuple(dict.fromkeys(found))


async def probe(
    options: Mapping[str, Any], secrets: Mapping[str, str]
) -> dict[str, str]:
    """Ask each node who it is and what it has; raises AuthError, DeviceError."""
    # The library is not needed where a site is only published.
    from integrations.esphome.probe import answers

    return await answers(options, secrets)


def prefill(facts: Mapping[str, str]) -> dict[str, Any]:
    """Return options made of a finding (mDNS ``_esphomelib._tcp``)."""
    node: dict[str, Any] = {
        "host": facts.get("address", ""),
        "port": int(facts.get("port", "0") or 0) or PORT,
    }
    try:
        node["mac"] = mac(facts.get("mac", ""))
    except vol.Invalid:
        pass  # the person reads it from the label
    name = facts.get("friendly_name") or facts.get("name", "").partition(".")[0]
    if name:
        node["name"] = name[:200]
    return {"nodes": [node]}
