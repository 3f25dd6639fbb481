"""The options of a site's ``http`` section, checked when it is published."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import voluptuous as vol

from core.api import OutputKind, wrong_fail_safe
from core.api.checks import flag as _flag
from core.api.checks import port as _port
from core.api.checks import span as _span
from core.api.checks import text as _text
from core.api.checks import within as _within
from core.api.checks import without_secrets as _without_secrets
from core.api.said import Said

_UID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_KINDS = ("gas", "sensor", "binary", "location")


def _uid(value: object) -> str:
    if not isinstance(value, str) or not _UID.fullmatch(value):
        raise vol.Invalid(
            Said("expected a name of letters and digits, found {value!r}", value=value)
        )
    return value


def _url(value: object) -> str:
    text = _text(value)
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise vol.Invalid(
            Said("expected http://… or https://…, found {text!r}", text=text)
        )
    if parts.username or parts.password:
        raise vol.Invalid("no password in an address: name a secret: under 'token'")
    return text


def _path(value: object) -> str:
    text = _text(value)
    if not re.fullmatch(r"/[A-Za-z0-9/_.-]{0,100}", text):
        raise vol.Invalid(
            Said("expected a path such as /hooks/gate, found {text!r}", text=text)
        )
    return text


def _words(value: object) -> tuple[str, ...]:
    given = value if isinstance(value, list | tuple) else [value]
    return tuple(str(each).strip().lower()[:60] for each in given)


_ENTITY = vol.Schema(
    {
        vol.Required("uid"): _uid,
        vol.Required("path"): _text,
        vol.Optional("name"): _text,
        vol.Optional("kind", default="sensor"): vol.In(_KINDS),
        vol.Optional("quantity", default=""): str,
        vol.Optional("unit", default=""): str,
        vol.Optional("scale", default=1.0): _within(-1e9, 1e9),
        vol.Optional("range"): _span,
        vol.Optional("on", default=()): _words,
        vol.Optional("off", default=()): _words,
        vol.Optional("text", default=False): _flag,
        vol.Optional("critical", default=False): _flag,
    }
)
_EVENT = vol.Schema(
    {
        vol.Required("path"): _text,
        vol.Required("kinds"): vol.Schema({_text: _uid}),
        vol.Required("id"): _text,
    }
)
_SEND = vol.Schema(
    {
        vol.Required("url"): _url,
        vol.Optional("method", default="POST"): vol.In(("POST", "PUT", "GET")),
        vol.Optional("body", default=""): str,
    }
)
_OUTPUT = vol.Schema(
    {
        vol.Required("uid"): _uid,
        vol.Required("kind"): vol.In(tuple(str(kind) for kind in OutputKind)),
        vol.Optional("name"): _text,
        vol.Required("on"): _SEND,
        vol.Required("off"): _SEND,
        # Its own word of how it stands; without it no command is ever confirmed.
        vol.Optional("confirm"): vol.Schema(
            {
                vol.Required("url"): _url,
                vol.Required("path"): _text,
                vol.Optional("on", default=()): _words,
                vol.Optional("off", default=()): _words,
            }
        ),
        vol.Optional("ex_rated", default=False): _flag,
        vol.Optional("contact_zone"): _text,
        vol.Optional("outside_air", default=False): _flag,
        vol.Optional("fail_safe", default="hold_last"): vol.In(
            ("on", "off", "hold_last")
        ),
    }
)
_SOURCE = vol.Schema(
    {
        vol.Required("id"): _uid,
        vol.Exclusive(
            "poll",
            "way",
            description={"label": {"zh": "轮询的网址", "en": "Address to ask"}},
        ): _url,
        vol.Exclusive(
            "receive",
            "way",
            description={
                "label": {"zh": "接收 Webhook 的路径", "en": "Path of the webhook"}
            },
        ): _path,
        vol.Optional("every_s", default=60.0): _within(0.2, 86_400),
        vol.Optional("timeout_s", default=5.0): _within(0.1, 30),
        vol.Optional("format", default="json"): vol.In(("json", "csv")),
        vol.Optional(
            "token",
            description={
                "secret": True,
                "label": {"zh": "令牌", "en": "Token"},
                "help": {
                    "zh": "按 header 所写的请求头发送或核对",
                    "en": "sent, or asked for, in the header that 'header' names",
                },
            },
        ): _text,
        vol.Optional("header", default="Authorization"): _uid,
        vol.Optional("records", default=""): str,
        vol.Optional("uid"): _uid,
        vol.Optional("device"): _text,
        vol.Optional("name"): _text,
        vol.Optional("zone"): _text,
        vol.Optional("time"): vol.Schema(
            {
                vol.Required("path"): _text,
                vol.Optional("format", default="iso"): vol.In(("iso", "s", "ms")),
            }
        ),
        vol.Optional("entities", default=[]): vol.All([_ENTITY], vol.Length(max=64)),
        vol.Optional("events", default=[]): vol.All([_EVENT], vol.Length(max=16)),
        vol.Optional("outputs", default=[]): vol.All([_OUTPUT], vol.Length(max=32)),
    }
)
_SHAPE = vol.Schema(
    {
        vol.Required("sources"): vol.All([_SOURCE], vol.Length(min=1, max=64)),
        vol.Optional("listen"): vol.Schema(
            {
                vol.Required("port"): _port,
                vol.Optional("address", default="127.0.0.1"): _text,
            }
        ),
    }
)


def schema() -> vol.Schema:
    """Return the schema of the options; its errors carry the path to the fault."""
    return vol.Schema(vol.All(_without_secrets, _SHAPE, _cross_check))


def _cross_check(options: dict[str, Any]) -> dict[str, Any]:
    seen: set[str] = set()
    for number, source in enumerate(options["sources"]):
        here: list[Any] = ["sources", number]
        for name in {source["id"], source.get("receive", source["id"])}:
            if name in seen:
                raise vol.Invalid(Said("{name!r} is named twice", name=name), path=here)
            seen.add(name)
        _check_source(source, here)
        if "receive" in source and "listen" not in options:
            raise vol.Invalid("a webhook needs listen: {port: …}", path=here)
    return options


def _check_source(source: dict[str, Any], here: list[Any]) -> None:
    if "poll" not in source and "receive" not in source:
        raise vol.Invalid("expected 'poll' or 'receive'", path=here)
    if "receive" in source and "token" not in source:
        raise vol.Invalid(
            "anybody could tell a webhook without a token: add token", path=here
        )
    source.setdefault("uid", source["id"])
    for number, entity in enumerate(source["entities"]):
        _check_entity(entity, source, [*here, "entities", number])
    if source["outputs"] and "device" in source:
        raise vol.Invalid("outputs belong to a source of one device", path=here)
    for number, output in enumerate(source["outputs"]):
        wrong = wrong_fail_safe(OutputKind(output["kind"]), output["fail_safe"])
        if wrong:
            raise vol.Invalid(wrong, path=[*here, "outputs", number, "fail_safe"])


def _check_entity(
    entity: Mapping[str, Any], source: Mapping[str, Any], here: list[Any]
) -> None:
    if entity["kind"] == "gas" and not (entity["quantity"] and entity["unit"]):
        raise vol.Invalid("say what a gas is: add quantity: co, unit: ppm", path=here)
    if entity["critical"] and "time" not in source:
        raise vol.Invalid(
            "a critical entity needs the time of its measurement: add time", path=here
        )


def secrets_of(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the sources' tokens."""
    named = (each["token"] for each in options["sources"] if "token" in each)
    return tuple(dict.fromkeys(named))


async def probe(
    options: Mapping[str, Any], secrets: Mapping[str, str]
) -> dict[str, str]:
    """Ask every polled service once, and say what its mapping finds.

    Raises AuthError, DeviceError with the path that is missing.
    """
    from integrations.http.fetch import tried

    return await tried(options, secrets)
