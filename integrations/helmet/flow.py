"""The options of a site's helmets, checked when the site is published."""

from collections.abc import Mapping
from typing import Any

import voluptuous as vol

from core.api import ConfigError
from core.api.said import Said
from integrations.helmet import profile, words

_PHONE = "expected the number of the SIM or terminal, 5 to 20 digits, in quotes"
_ID = "expected the number of 20 digits, in quotes"


def _digits(low: int, high: int, said: str) -> Any:
    def check(told: object) -> str:
        good = isinstance(told, str) and told.isascii() and told.isdecimal()
        if not isinstance(told, str) or not good or not low <= len(told) <= high:
            raise vol.Invalid(said)
        return told

    return check


def _text(told: object) -> str:
    if not isinstance(told, str) or not told.strip() or len(told) > 200:
        raise vol.Invalid("expected a text of at most 200 characters")
    return told


def _port(told: object) -> int:
    if isinstance(told, bool) or not isinstance(told, int) or not 0 <= told <= 65_535:
        raise vol.Invalid("expected a port, 1 to 65535")
    return told


def _seconds(low: float, high: float) -> Any:
    def check(told: object) -> float:
        number = isinstance(told, int | float) and not isinstance(told, bool)
        if not isinstance(told, int | float) or not number or not low <= told <= high:
            raise vol.Invalid(
                Said("expected seconds from {low:g} to {high:g}", low=low, high=high)
            )
        return float(told)

    return check


def _profile(told: object) -> str:
    try:
        profile.load(_text(told))
    except ConfigError as error:
        raise vol.Invalid(Said("{error}", error=error)) from error
    return str(told)


def _secret(key: str, zh: str, en: str, *, required: bool = False) -> Any:
    label = {"secret": True, "label": {"zh": zh, "en": en}}
    if required:
        return vol.Required(key, description=label)
    return vol.Optional(key, default="", description=label)


_DATUM = vol.In(("WGS-84", "GCJ-02"))
_TERMINAL = {
    vol.Required("phone"): _digits(5, 20, _PHONE),
    vol.Optional("name"): _text,
    vol.Optional("serial"): _text,
    _secret("secret", "本终端的鉴权码", "This terminal's code"): str,
    vol.Optional("profile"): _profile,
}
_JT808 = {
    vol.Optional("host", default="0.0.0.0"): _text,  # noqa: S104 - helmets dial in
    vol.Optional("port", default=7808): _port,
    vol.Optional("heartbeat_s", default=60.0): _seconds(0.2, 3600),
    _secret("secret", "全场鉴权码", "The site's code"): str,
    vol.Optional("profile", default="standard"): _profile,
    vol.Optional("datum", default="WGS-84"): _DATUM,
    vol.Optional("phrases", default={}): {vol.In(words.PHRASES): _text},
    vol.Optional("terminals", default=[]): [_TERMINAL],
}
_DEVICE = {
    vol.Required("id"): _digits(18, 20, _ID),
    vol.Optional("name"): _text,
    _secret("secret", "本设备的密码", "This device's password"): str,
    vol.Optional("platform", default=False): bool,
    vol.Optional("via"): _digits(18, 20, _ID),
}
_GB28181 = {
    vol.Optional("host", default="0.0.0.0"): _text,  # noqa: S104 - helmets dial in
    vol.Optional("port", default=5060): _port,
    vol.Required("id"): _digits(18, 20, _ID),
    vol.Optional("realm", default=""): str,
    _secret("secret", "全场注册密码", "The site's password"): str,
    vol.Optional("heartbeat_s", default=60.0): _seconds(0.2, 3600),
    vol.Optional("position_s", default=10.0): _seconds(1, 3600),
    vol.Optional("datum", default="WGS-84"): _DATUM,
    vol.Optional("alarms", default={}): {str: vol.In(("", *words.EVENTS))},
    vol.Optional("devices", default=[]): [_DEVICE],
}


def _whole(told: dict[str, Any]) -> dict[str, Any]:
    if "jt808" not in told and "gb28181" not in told:
        raise vol.Invalid("expected 'jt808', 'gb28181' or both")
    for door, many in (("jt808", "terminals"), ("gb28181", "devices")):
        part = told.get(door)
        if part is None:
            continue
        if not part["secret"] and not all(each["secret"] for each in part[many]):
            raise vol.Invalid("a secret is missing: for the site or for each", [door])
        if not part["secret"] and not part[many]:
            raise vol.Invalid("without a secret nobody can prove who it is", [door])
        key = "phone" if door == "jt808" else "id"
        keys = [each[key].lstrip("0") for each in part[many]]
        if len(set(keys)) < len(keys):
            raise vol.Invalid("a number stands here twice", [door, many])
    return told


def schema() -> vol.Schema:
    """Return the schema of the options; its errors carry the path to the fault."""
    return vol.Schema(
        vol.All(
            {
                vol.Optional("jt808"): _JT808,
                vol.Optional("gb28181"): _GB28181,
                vol.Optional("secrets"): {str: str},
            },
            _whole,
        )
    )


def secrets_of(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the secrets that the host process is handed."""
    found = []
    for door, many in (("jt808", "terminals"), ("gb28181", "devices")):
        part = options.get(door, {})
        found.append(part.get("secret", ""))
        found += [each.get("secret", "") for each in part.get(many, ())]
    return tuple(dict.fromkeys(filter(None, found)))


def prefill(facts: Mapping[str, str]) -> dict[str, Any]:
    """Return options for a helmet whose number is known, such as from its label."""
    phone, number = facts.get("phone", ""), facts.get("device_id", "")
    name = {"name": facts["name"]} if facts.get("name") else {}
    if phone:
        return {"jt808": {"terminals": [{"phone": phone, **name}]}}
    if number:
        return {"gb28181": {"devices": [{"id": number, **name}]}}
    return {}
