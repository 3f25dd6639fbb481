"""The flow of the tests' own integration: where it is, then what it is called."""

import asyncio
from typing import Any

import voluptuous as vol

from core.api import AuthError, DeviceError

_PLACE = {
    vol.Required("host", description={"label": {"zh": "地址", "en": "Address"}}): str,
    vol.Required("port"): vol.All(int, vol.Range(1, 65535)),
    vol.Optional("password", description={"secret": True}): str,
}
_NAME = {vol.Required("serial"): vol.All(str, vol.Length(3, 40))}


def steps() -> list[tuple[str, dict[str, str], vol.Schema]]:
    """Return the steps, each with its part of the form."""
    return [
        ("place", {"zh": "地址", "en": "Where it is"}, vol.Schema(_PLACE)),
        ("name", {"zh": "名称", "en": "What it is"}, vol.Schema(_NAME)),
    ]


def schema() -> vol.Schema:
    """Return the whole form."""
    whole: dict[Any, Any] = {**_PLACE, **_NAME}
    return vol.Schema(whole)


def prefill(facts: dict[str, str]) -> dict[str, Any]:
    """Return options made of a finding."""
    return {"host": facts["address"], "port": int(facts["port"])}


def secrets_of(options: dict[str, Any]) -> list[str]:
    """Return the names of the secrets."""
    return [options["password"]] if "password" in options else []


async def probe(options: dict[str, Any], secrets: dict[str, str]) -> dict[str, str]:
    """Say the password and hear who answers."""
    reader, writer = await asyncio.open_connection(options["host"], options["port"])
    try:
        writer.write(secrets.get(options.get("password", ""), "-").encode() + b"\n")
        await writer.drain()
        said = (await reader.readline()).decode().strip()
    finally:
        writer.close()
    if said == "no":
        raise AuthError("it refuses the password")
    if not said:
        raise DeviceError("it says nothing")
    return {"firmware": said}
