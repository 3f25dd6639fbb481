"""Frames of Shelly's RPC: what they say, and how a password is proved.

Source: Shelly Gen2 device API, RPC protocol, authentication (RFC 7616 with SHA-256
inside the frame) and the components Switch, Input and Sys.
"""

import hashlib
import math
from typing import Any

import msgspec

USER = "admin"
MAX_FRAME = 65_536
UNAUTHORISED = 401
MAX_CHANNELS = 8
#: Digest of the fixed method and path that stand for a frame.
_A2 = hashlib.sha256(b"dummy_method:dummy_uri").hexdigest()


class WireError(Exception):
    """A frame is none of that protocol; the text says what of it."""


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """Hold one frame of a device: an answer (``id`` set) or a notification."""

    id: int | None = None
    src: str = ""
    method: str = ""
    result: dict[str, Any] | None = None
    code: int = 0
    """Of an error; 0 for none."""
    message: str = ""


class Challenge(msgspec.Struct, frozen=True):
    """Hold what a device wants to see a password proved for."""

    realm: str
    nonce: str


class Switch(msgspec.Struct, frozen=True, kw_only=True):
    """Hold one channel as it is; figures that a device does not measure are None."""

    output: bool
    figures: dict[str, float]
    errors: tuple[str, ...] = ()


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Hold a whole device: switches and inputs by number, seconds since its start."""

    switches: dict[int, Switch]
    inputs: dict[int, bool]
    uptime_s: int


def parse(raw: bytes) -> Frame:
    """Return a frame; raises WireError."""
    data = _object(raw)
    found = data.get("id")
    number = found if isinstance(found, int) and not isinstance(found, bool) else None
    error = data.get("error")
    result = data.get("result")
    if isinstance(error, dict):
        code = error.get("code")
        whole = isinstance(code, int) and not isinstance(code, bool) and code != 0
        return Frame(
            id=number,
            src=_word(data.get("src")),
            code=code if whole else -1,  # type: ignore[arg-type]
            message=_word(error.get("message"), 1_000),
        )
    method = _word(data.get("method"))
    if number is None and not method:
        raise WireError("neither an answer nor a notification")
    if number is not None and not method and not isinstance(result, dict):
        raise WireError("an answer without its result")
    return Frame(
        id=number,
        src=_word(data.get("src")),
        method=method,
        result=result if isinstance(result, dict) else None,
    )


def _object(raw: bytes) -> dict[str, Any]:
    if len(raw) > MAX_FRAME:
        raise WireError(f"longer than {MAX_FRAME} bytes")
    try:
        data = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise WireError("no JSON") from error
    if not isinstance(data, dict):
        raise WireError("no object")
    return data


def _word(value: object, most: int = 200) -> str:
    return value[:most] if isinstance(value, str) else ""


def identity(result: dict[str, Any]) -> tuple[str, str, int]:
    """Return (MAC, model, generation) of Shelly.GetDeviceInfo; raises WireError."""
    mac = _word(result.get("mac")).upper()
    generation = result.get("gen")
    if len(mac) != 12 or any(each not in "0123456789ABCDEF" for each in mac):
        raise WireError("no hardware address")
    whole = isinstance(generation, int) and not isinstance(generation, bool)
    return mac, _word(result.get("model")), generation if whole else 0  # type: ignore[return-value]


def status(result: object) -> Status:
    """Return what Shelly.GetStatus says; raises WireError."""
    if not isinstance(result, dict):
        raise WireError("no object")
    system = result.get("sys")
    uptime = system.get("uptime") if isinstance(system, dict) else None
    if isinstance(uptime, bool) or not isinstance(uptime, int) or uptime < 0:
        raise WireError("no uptime")
    switches, inputs = {}, {}
    for number in range(MAX_CHANNELS):
        found = result.get(f"switch:{number}")
        if found is not None:
            switches[number] = switch(found)
        given = result.get(f"input:{number}")
        state = given.get("state") if isinstance(given, dict) else None
        if isinstance(state, bool):
            inputs[number] = state
    return Status(switches=switches, inputs=inputs, uptime_s=uptime)


#: Figure → where it stands in a switch's status.
_FIGURES = {
    "power": ("apower",),
    "voltage": ("voltage",),
    "current": ("current",),
    "energy": ("aenergy", "total"),
    "temperature": ("temperature", "tC"),
}


def switch(found: object) -> Switch:
    """Return what Switch.GetStatus says of a channel; raises WireError."""
    if not isinstance(found, dict) or not isinstance(found.get("output"), bool):
        raise WireError("a switch without its output")
    figures = {}
    for name, path in _FIGURES.items():
        value: object = found
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            number = float(value) if abs(value) < 1e12 else math.nan
            if math.isfinite(number):
                figures[name] = number
    errors = found.get("errors")
    listed = errors if isinstance(errors, list) else []
    return Switch(
        output=found["output"],
        figures=figures,
        errors=tuple(_word(each, 60) for each in listed[:8]),
    )


def challenge(message: str) -> Challenge:
    """Return the challenge in an unauthorised answer's text; raises WireError."""
    data = _object(message.encode())
    realm, nonce = data.get("realm"), data.get("nonce")
    if not isinstance(realm, str) or isinstance(nonce, bool):
        raise WireError("no challenge")
    if not isinstance(nonce, int | str) or data.get("algorithm") != "SHA-256":
        raise WireError("a challenge of another kind")
    return Challenge(realm[:200], str(nonce)[:100])


def proof(
    asked: Challenge, password: str, count: int, own_nonce: str
) -> dict[str, object]:
    """Return the ``auth`` of a frame: it proves the password and does not tell it."""
    first = _sha(f"{USER}:{asked.realm}:{password}")
    response = _sha(f"{first}:{asked.nonce}:{count}:{own_nonce}:auth:{_A2}")
    nonce = int(asked.nonce) if asked.nonce.isdecimal() else asked.nonce
    return {
        "realm": asked.realm,
        "username": USER,
        "nonce": nonce,
        "cnonce": own_nonce,
        "nc": count,
        "response": response,
        "algorithm": "SHA-256",
    }


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
