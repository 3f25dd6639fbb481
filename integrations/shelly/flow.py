"""The options of a site's ``shelly`` section, checked when it is published."""

import re
from collections.abc import Mapping
from typing import Any

import voluptuous as vol

from core.api import OutputKind, checks, wrong_fail_safe
from core.api.said import Said

PORT = 80
_MAC = re.compile(r"[0-9A-F]{12}")
_KINDS = [str(kind) for kind in OutputKind]


def _text(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 200:
        raise vol.Invalid(
            Said("expected a text, found {value!r} (quote it: '…')", value=value)
        )
    return value


def _seconds(value: object) -> float:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    if not plain or not 0.2 <= value <= 60:  # type: ignore[operator]
        raise vol.Invalid(
            Said("expected 0.2 to 60 seconds, found {value!r}", value=value)
        )
    return float(value)  # type: ignore[arg-type]


def mac(value: object) -> str:
    """Return a hardware address as twelve digits; raises vol.Invalid."""
    text = re.sub(r"[:\-.\s]", "", value).upper() if isinstance(value, str) else ""
    if not _MAC.fullmatch(text):
        raise vol.Invalid(
            Said("expected the relay's MAC address, found {value!r}", value=value)
        )
    return text


def _channel(value: object) -> str:
    text = str(value) if not isinstance(value, bool) else ""
    if text not in tuple("01234567"):
        raise vol.Invalid(Said("expected a channel 0-7, found {value!r}", value=value))
    return text


_OUTPUT = vol.Schema(
    {
        vol.Required("kind"): vol.In(_KINDS),
        vol.Optional("ex_rated"): checks.flag,
        vol.Optional("contact_zone"): _text,
        vol.Optional("outside_air"): checks.flag,
        vol.Optional("fail_safe"): vol.In(("on", "off", "hold_last")),
        vol.Optional("inverted"): checks.flag,
    }
)


def _output(value: object) -> dict[str, Any]:
    found: dict[str, Any] = _OUTPUT(
        {"kind": value} if isinstance(value, str) else value
    )
    kind = OutputKind(found["kind"])
    wrong = wrong_fail_safe(kind, found.get("fail_safe", "hold_last"))
    if wrong:
        raise vol.Invalid(wrong, path=["fail_safe"])
    return found


_LABELS = {
    "host": {
        "label": {"en": "Address", "zh": "地址"},
        "help": {"en": "Name or address in the site's network", "zh": "现场网络地址"},
    },
    "mac": {
        "label": {"en": "Hardware address (MAC)", "zh": "硬件地址（MAC）"},
        "help": {
            "en": "Twelve digits on the label: it is what the relay is known by",
            "zh": "标签上的十二位地址：继电器以此识别",
        },
    },
    "password": {"secret": True, "label": {"en": "Password", "zh": "密码"}},
    "outputs": {
        "label": {"en": "What each channel moves", "zh": "各通道的用途"},
        "help": {
            "en": "Channel 0-7 and siren, fan, power_cut, …; a channel without a "
            "meaning is shown and never moved",
            "zh": "通道 0-7 及其用途；未说明用途的通道只显示、不操作",
        },
    },
}
_DEVICE = vol.Schema(
    {
        vol.Required("host", description=_LABELS["host"]): _text,
        vol.Optional("port", default=PORT): checks.port,
        vol.Required("mac", description=_LABELS["mac"]): mac,
        vol.Optional("name"): _text,
        vol.Optional("zone"): _text,
        vol.Optional("password", description=_LABELS["password"]): _text,
        vol.Optional("poll_s", default=1.0): _seconds,
        vol.Optional("outputs", default=dict, description=_LABELS["outputs"]): {
            _channel: _output
        },
    }
)


def _distinct(options: dict[str, Any]) -> dict[str, Any]:
    seen: set[str] = set()
    for index, device in enumerate(options["devices"]):
        if device["mac"] in seen:
            raise vol.Invalid(
                Said("{mac} stands twice", mac=device["mac"]),
                path=["devices", index, "mac"],
            )
        seen.add(device["mac"])
    return options


def schema() -> vol.Schema:
    """Return the schema of the options; its errors carry the path to the fault."""
    shape = {
        vol.Required("devices"): vol.All([_DEVICE], vol.Length(min=1, max=200)),
        vol.Optional("secrets", default=dict): {str: str},
    }
    return vol.Schema(vol.All(vol.Schema(shape), _distinct))


def secrets_of(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the secrets that the host process is handed."""
    names = [each["password"] for each in options["devices"] if "password" in each]
    return tuple(dict.fromkeys(names))


async def probe(
    options: Mapping[str, Any], secrets: Mapping[str, str]
) -> dict[str, str]:
    """Ask each relay who it is, and prove the password; moves nothing.

    Raises AuthError, DeviceError.
    """
    # The libraries are not needed where a site is only published.
    from integrations.shelly.probe import answers

    return await answers(options, secrets)


def prefill(facts: Mapping[str, str]) -> dict[str, Any]:
    """Return options made from a finding: an announcement names model and MAC."""
    device: dict[str, Any] = {"host": facts["address"], "outputs": {}}
    if facts.get("port", "").isdecimal():
        device["port"] = int(facts["port"])
    said = facts.get("mac") or facts.get("id") or facts.get("name", "")
    found = re.search(r"([0-9A-Fa-f]{12})(?=\.|$)", re.sub("[:-](?=..)", "-", said))
    plain = re.sub(r"[^0-9A-Fa-f]", "", said)[-12:]
    device["mac"] = (found[1] if found else plain).upper()
    if facts.get("name"):
        device["name"] = facts["name"].partition(".")[0]
    return {"devices": [device]}
