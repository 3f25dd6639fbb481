"""The options of a site's ``opcua`` section, checked when it is published."""

import functools
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import voluptuous as vol

from core.api import ConfigError, EntityKind, OutputKind, documents, wrong_fail_safe
from core.api.checks import flag as _flag
from core.api.checks import port as _port
from core.api.checks import span as _span
from core.api.checks import within as _within
from core.api.checks import without_secrets as _without_secrets
from core.api.forms import describe
from core.api.said import Said, sentence
from integrations.opcua import nodes

PORT = 4840
PROFILES = Path(__file__).parent / "profiles"
POLICIES = (
    "none",
    "basic256sha256",
    "aes128_sha256_rsaoaep",
    "aes256_sha256_rsapss",
)
MODES = ("sign", "sign_and_encrypt")
_IDENT = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.:-]{0,63}")
_PRINT = re.compile(r"[0-9a-f]{64}")


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


def _text(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 500:
        raise vol.Invalid(
            Said("expected a text, found {value!r} (quote it: '…')", value=value)
        )
    return value


def _path(value: object) -> str:
    text = _text(value)
    if not text.startswith("/") or len(text) > 200 or urlsplit(text).path != text:
        raise vol.Invalid(
            Said("expected a path such as /plc, found {value!r}", value=value)
        )
    return text


def fingerprint_of(value: object) -> str:
    """Return 64 hexadecimal digits of a SHA-256; colons and blanks are left out."""
    text = re.sub(r"[\s:]", "", value).lower() if isinstance(value, str) else ""
    if not _PRINT.fullmatch(text):
        raise vol.Invalid(
            "expected the SHA-256 of the server's certificate, 64 hexadecimal digits:"
            " compare what 'browse' tells with what the server itself shows"
        )
    return text


def _word(value: object) -> bool | float | str:
    if isinstance(value, bool | int | float) or (
        isinstance(value, str) and 0 < len(value) <= 64
    ):
        return value
    raise vol.Invalid(
        Said(
            "expected true, false, a number or a short text, not {value!r}", value=value
        )
    )


_IDENTIFIER = _matching(_IDENT, "a short name of letters, digits, '_', '-', '.'")
_NAMES = vol.Schema({vol.In(("en", "zh")): _text})
_OUTPUT = vol.Schema(
    {
        vol.Required("kind"): vol.In([str(kind) for kind in OutputKind]),
        vol.Optional("ex_rated"): _flag,
        vol.Optional("contact_zone"): _text,
        vol.Optional("outside_air"): _flag,
        vol.Optional("fail_safe"): vol.In(("on", "off", "hold_last")),
    }
)
_WORDS = {"form": {"anyOf": [{"type": t} for t in ("boolean", "number", "string")]}}
ENTITY = vol.Schema(
    {
        vol.Required("node"): _text,
        vol.Required("kind"): vol.In(
            [str(kind) for kind in EntityKind if kind is not EntityKind.EVENT]
        ),
        vol.Optional("name"): _text,
        vol.Optional("names"): _NAMES,
        vol.Optional("quantity"): _text,
        vol.Optional("unit"): str,
        vol.Optional("range"): _span,
        vol.Optional("scale"): _within(-1e9, 1e9),
        vol.Optional("offset"): _within(-1e9, 1e9),
        vol.Optional("critical"): _flag,
        vol.Optional("max_age_s"): _within(1, 3600),
        vol.Optional("write"): _text,
        vol.Optional("on", description=_WORDS): _word,
        vol.Optional("off", description=_WORDS): _word,
        vol.Optional("output", description={"form": describe(_OUTPUT)}): _OUTPUT,
    }
)
#: What a site may say of an entity that a profile brings.
_CHANGES = vol.Schema(
    {
        vol.Optional(str(key), description=key.description): check
        for key, check in ENTITY.schema.items()
    }
)
_DEVICE = vol.Schema(
    {
        vol.Required("uid"): _IDENTIFIER,
        vol.Optional("name"): _text,
        vol.Optional("manufacturer"): _text,
        vol.Optional("model"): _text,
        vol.Optional("serial_number"): _text,
        vol.Optional("zone"): _text,
        vol.Optional("namespace"): _text,
        vol.Optional(
            "profile",
            description={
                "form": {"enum": sorted(each.stem for each in PROFILES.glob("*.yaml"))}
            },
        ): _IDENTIFIER,
        vol.Optional("base", default=""): str,
        vol.Optional("heartbeat"): vol.Schema(
            {
                vol.Required("node"): _text,
                vol.Optional("max_s", default=5.0): _within(0.2, 300),
            }
        ),
        vol.Optional("entities", default={}): vol.Schema({_IDENTIFIER: _CHANGES}),
    }
)
_SECURITY = vol.Schema(
    {
        vol.Optional("policy", default="none"): vol.In(POLICIES),
        vol.Optional("mode", default="sign_and_encrypt"): vol.In(MODES),
        vol.Optional(
            "fingerprint",
            description={
                "label": {"zh": "服务器证书指纹", "en": "Server fingerprint"},
                "help": {
                    "zh": "证书的 SHA-256，须与服务器上显示的一致",
                    "en": "SHA-256 of its certificate, as the server itself shows it",
                },
            },
        ): fingerprint_of,
        vol.Optional(
            "identity",
            description={
                "secret": True,
                "label": {"zh": "本机证书与私钥", "en": "The hub's certificate"},
            },
        ): _text,
    }
)
_SERVER = vol.Schema(
    {
        vol.Required("id"): _IDENTIFIER,
        vol.Required("host"): _text,
        vol.Optional("port", default=PORT): _port,
        vol.Optional("path", default="/"): _path,
        vol.Optional("security", default={}): _SECURITY,
        vol.Optional("application_uri"): _text,
        vol.Optional("username"): _text,
        vol.Optional("password", description={"secret": True}): _text,
        vol.Optional("interval_s", default=1.0): _within(0.1, 60),
        vol.Optional("clock_tolerance_s", default=5.0): _within(0.5, 3600),
        vol.Required("devices"): vol.All([_DEVICE], vol.Length(min=1, max=500)),
    }
)
_SHAPE = vol.Schema(
    {
        vol.Required("servers"): vol.All([_SERVER], vol.Length(min=1, max=50)),
        vol.Optional("language", default="en"): vol.In(("en", "zh")),
    }
)


def schema() -> vol.Schema:
    """Return the schema of the options; its errors carry the path to the fault."""
    return vol.Schema(vol.All(_without_secrets, _SHAPE, _cross_check))


def secrets_of(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the secrets that the servers need."""
    found: list[str] = []
    for server in options["servers"]:
        named = (server.get("password"), server["security"].get("identity"))
        found += [name for name in named if name]
    return tuple(dict.fromkeys(found))


async def probe(
    options: Mapping[str, Any], secrets: Mapping[str, str]
) -> dict[str, str]:
    """Ask each server for what its devices need; raises AuthError, DeviceError."""
    # The library is not needed where a site is only published.
    from integrations.opcua.probe import answers

    return await answers(options, secrets)


def prefill(facts: Mapping[str, str]) -> dict[str, Any]:
    """Return options made of a finding; the fingerprint is for people to compare."""
    server: dict[str, Any] = {
        "id": re.sub(r"[^a-z0-9_]+", "_", facts.get("name", "").lower())[:40] or "plc",
        "host": facts.get("address", ""),
        "port": int(facts.get("port", "0") or 0) or PORT,
    }
    if facts.get("path", "").startswith("/"):
        server["path"] = facts["path"]
    policy = facts.get("policy", "")
    if policy in POLICIES:
        server["security"] = {"policy": policy}
    if facts.get("application_uri"):
        server["application_uri"] = facts["application_uri"]
    return {"servers": [{**server, "devices": []}]}


@functools.lru_cache(maxsize=32)
def profile(name: str) -> dict[str, Any]:
    """Return a shipped profile's data; raises ConfigError."""
    file = PROFILES / f"{name}.yaml"
    if not file.is_file():
        known = sorted(each.stem for each in PROFILES.glob("*.yaml"))
        raise ConfigError(
            Said(
                "there is no OPC UA profile {name!r}; there are {known}",
                name=name,
                known=known,
            )
        )
    shape = vol.Schema(
        {
            vol.Required("id"): name,
            vol.Required("names"): _NAMES,
            vol.Optional("heartbeat"): _DEVICE.schema["heartbeat"],
            vol.Required("entities"): vol.Schema({_IDENTIFIER: ENTITY}),
        }
    )
    found: dict[str, Any] = documents.read(file).check(shape)
    return found


def entities(device: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return a device's entities: its profile's, and what the site says of them.

    ``{base}`` in a profile's nodes stands for the device's ``base``. Raises
    ConfigError for an unknown profile.
    """
    found: dict[str, dict[str, Any]] = {}
    if "profile" in device:
        for uid, said in profile(device["profile"])["entities"].items():
            places = {
                key: said[key].replace("{base}", device["base"])
                for key in ("node", "write")
                if key in said
            }
            found[uid] = {**said, **places}
    for uid, said in device["entities"].items():
        found[uid] = {**found.get(uid, {}), **said}
    return found


def heartbeat(device: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return which node of a device must keep moving, or None."""
    if "heartbeat" in device or "profile" not in device:
        said: Mapping[str, Any] | None = device.get("heartbeat")
        return said
    beat = profile(device["profile"]).get("heartbeat")
    if beat is None:
        return None
    return {**beat, "node": beat["node"].replace("{base}", device["base"])}


def _cross_check(options: dict[str, Any]) -> dict[str, Any]:
    """Check what one value cannot know of another; raises vol.Invalid."""
    ids: set[str] = set()
    uids: set[str] = set()
    for number, server in enumerate(options["servers"]):
        path: list[Any] = ["servers", number]
        if server["id"] in ids:
            raise vol.Invalid(
                Said("server {id!r} is named twice", id=server["id"]),
                path=[*path, "id"],
            )
        ids.add(server["id"])
        _check_security(server, path)
        for index, device in enumerate(server["devices"]):
            here = [*path, "devices", index]
            if device["uid"] in uids:
                raise vol.Invalid(
                    Said(
                        "uid {uid!r} belongs to another device too", uid=device["uid"]
                    ),
                    path=[*here, "uid"],
                )
            uids.add(device["uid"])
            _check_device(device, here)
    return options


def _check_security(server: Mapping[str, Any], path: list[Any]) -> None:
    security = server["security"]
    if security["policy"] != "none":
        for key in ("fingerprint", "identity"):
            if key not in security:
                raise vol.Invalid(
                    Said("a server with security needs {key!r}", key=key),
                    path=[*path, "security"],
                )
    elif "password" in server or "username" in server:
        # A password must not reach whoever answers at that address.
        raise vol.Invalid(
            "a password is only sent to a server that has proved itself:"
            " set 'security' with its fingerprint",
            path=[*path, "security"],
        )
    if ("password" in server) != ("username" in server):
        raise vol.Invalid("give 'username' and 'password' together", path=path)


def _check_device(device: Mapping[str, Any], path: list[Any]) -> None:
    try:
        found = entities(device)
        beat = heartbeat(device)
        if beat is not None:
            nodes.parse(beat["node"], device.get("namespace", ""))
    except (ConfigError, nodes.NodeError) as problem:
        raise vol.Invalid(Said("{problem}", problem=problem), path=path) from problem
    if not found:
        raise vol.Invalid("give a 'profile' or 'entities'", path=path)
    for uid, said in found.items():
        here = [*path, "entities", uid]
        try:
            whole = ENTITY(said)
            for key in ("node", "write"):
                if key in whole:
                    nodes.parse(whole[key], device.get("namespace", ""))
        except vol.MultipleInvalid as bad:
            first = bad.errors[0]
            raise vol.Invalid(first.msg, path=[*here, *first.path]) from None
        except nodes.NodeError as bad:
            raise vol.Invalid(Said("{bad}", bad=bad), path=here) from None
        _check_meaning(whole, here)


def _check_meaning(said: Mapping[str, Any], path: list[Any]) -> None:
    if (said["kind"] == "output") != ("output" in said):
        raise vol.Invalid("kind 'output' and the key 'output' go together", path=path)
    if "output" in said:
        output = said["output"]
        kind = OutputKind(output["kind"])
        wrong = wrong_fail_safe(kind, output.get("fail_safe", "hold_last"))
        if wrong:
            raise vol.Invalid(wrong, path=[*path, "output"])
    if said["kind"] == "gas" and not (said.get("quantity") and said.get("unit")):
        raise vol.Invalid(
            "say what a gas is: add quantity: ch4 and unit: '%LEL'", path=path
        )
    on, off = said.get("on", True), said.get("off", False)
    if type(on) is not type(off) or on == off:
        raise vol.Invalid("'on' and 'off' must differ and be of one type", path=path)
