"""The options of a site's cranes, checked when the site is published."""

from collections.abc import Mapping
from typing import Any

import voluptuous as vol

from core.api import ConfigError
from core.api.said import Said
from integrations.crane import profile


def _text(told: object) -> str:
    if not isinstance(told, str) or not told.strip() or len(told) > 200:
        raise vol.Invalid("expected a text of at most 200 characters; put it in quotes")
    return told.strip()


def _number(told: object) -> str:
    text = _text(told)
    if len(text) > 64 or not text.isprintable():
        raise vol.Invalid("expected a machine's number of at most 64 characters")
    return text


def _port(told: object) -> int:
    if isinstance(told, bool) or not isinstance(told, int) or not 0 <= told <= 65_535:
        raise vol.Invalid("expected a port, 1 to 65535")
    return told


def _seconds(told: object) -> float:
    whole = isinstance(told, int | float) and not isinstance(told, bool)
    if not isinstance(told, int | float) or not whole or not 0.2 <= told <= 3600:
        raise vol.Invalid("expected seconds from 0.2 to 3600")
    return float(told)


def _profile(told: object) -> str:
    try:
        profile.load(_text(told))
    except ConfigError as error:
        raise vol.Invalid(Said("{error}", error=error)) from error
    return str(told)


def _secret(zh: str, en: str) -> Any:
    label = {"secret": True, "label": {"zh": zh, "en": en}}
    return vol.Optional("secret", default="", description=label)


_CRANE = {
    vol.Required("id"): _number,
    vol.Optional("name"): _text,
    vol.Optional("profile", default="safehold"): _profile,
    vol.Optional("interval_s"): _seconds,
    _secret("本机令牌", "This machine's token"): str,
    vol.Optional(
        "checked",
        default=False,
        description={
            "label": {"zh": "已与仪表逐项核对", "en": "Compared with its own screen"}
        },
    ): bool,
}


def _whole(told: dict[str, Any]) -> dict[str, Any]:
    cranes = told["cranes"]
    if not told["secret"] and (not cranes or not all(c["secret"] for c in cranes)):
        raise vol.Invalid("a secret is missing: for the site or for each", ["secret"])
    numbers = [each["id"] for each in cranes]
    if len(set(numbers)) < len(numbers):
        raise vol.Invalid("a number stands here twice", ["cranes"])
    used = dict.fromkeys((*told["profiles"], *(c["profile"] for c in cranes)))
    paths = [profile.load(name).path for name in used]
    if len(set(paths)) < len(paths):
        raise vol.Invalid("two profiles have one path", ["profiles"])
    return told


def schema() -> vol.Schema:
    """Return the schema of the options; its errors carry the path to the fault."""
    return vol.Schema(
        vol.All(
            {
                vol.Optional("host", default="0.0.0.0"): _text,  # noqa: S104 - posts
                vol.Optional("port", default=7809): _port,
                vol.Optional("interval_s", default=10.0): _seconds,
                _secret("全场令牌", "The site's token"): str,
                vol.Optional("profiles", default=["safehold"]): [_profile],
                vol.Optional("cranes", default=[]): [_CRANE],
                vol.Optional("secrets"): {str: str},
            },
            _whole,
        )
    )


def secrets_of(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the secrets that the host process is handed."""
    found = [options.get("secret", "")]
    found += [each.get("secret", "") for each in options.get("cranes", ())]
    return tuple(dict.fromkeys(filter(None, found)))


def prefill(facts: Mapping[str, str]) -> dict[str, Any]:
    """Return options for a machine whose number is known, such as from its plate."""
    number = facts.get("serial") or facts.get("id")
    if not number:
        return {}
    name = {"name": facts["name"]} if facts.get("name") else {}
    return {"cranes": [{"id": number, **name}]}
