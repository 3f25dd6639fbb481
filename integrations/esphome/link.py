"""The way to one node: its key, the connection, and who answers there."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import voluptuous as vol
from aioesphomeapi import DeviceInfo, EntityInfo
from aioesphomeapi.client import APIClient
from aioesphomeapi.core import (
    APIConnectionError,
    BadMACAddressAPIError,
    InvalidAuthAPIError,
    InvalidEncryptionKeyAPIError,
    RequiresEncryptionAPIError,
)

from core.api import AuthError, DeviceError
from integrations.esphome import flow

CONNECT_S, CLOSE_S = 5.0, 1.0
#: What a broken node makes the library raise.
BROKEN = (APIConnectionError, OSError, TimeoutError, ValueError)


class NodeError(DeviceError):
    """The node cannot be used now; ``reason`` is the code to report."""

    code = "esphome.link_down"

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(message or reason, reason=reason)
        self.reason = reason


def secret_of(said: Mapping[str, Any], secrets: Mapping[str, str]) -> str | None:
    """Return the node's key; raises AuthError where what is stored is none.

    A missing secret is not 'no encryption': the node would be spoken to in clear.
    """
    if "key" not in said:
        return None
    try:
        return flow.key(secrets.get(said["key"], ""))
    except vol.Invalid as wrong:
        raise AuthError(f"{said['mac']}: {wrong}", reason="esphome.key") from wrong


def client_of(said: Mapping[str, Any], key: str | None) -> APIClient:
    """Return a client that is not connected yet."""
    return APIClient(
        said["host"],
        said["port"],
        None,
        client_info="Safehold",
        noise_psk=key,
        keepalive=max(4 * said["interval_s"], 5.0),
    )


async def opened(
    client: APIClient,
    said: Mapping[str, Any],
    key: str | None,
    ended: Callable[[bool], Coroutine[Any, Any, None]] | None = None,
) -> tuple[DeviceInfo, list[EntityInfo]]:
    """Connect, and return who answers and what it has.

    Raises AuthError, and NodeError when another node answers or none.
    """
    try:
        async with asyncio.timeout(CONNECT_S):
            await client.connect(on_stop=ended, log_errors=False)
            info, infos, *_ = await client.device_info_and_list_entities()
    except (InvalidEncryptionKeyAPIError, RequiresEncryptionAPIError) as refused:
        raise AuthError("the key is wrong", reason="esphome.key") from refused
    except InvalidAuthAPIError as refused:
        raise AuthError("it wants a password", reason="esphome.auth") from refused
    except BadMACAddressAPIError as other:
        raise NodeError("esphome.other_device", str(other)) from other
    except BROKEN as failure:
        raise NodeError("esphome.link_down", repr(failure)[:200]) from failure
    if info.mac_address.upper() != said["mac"]:
        raise NodeError("esphome.other_device", info.mac_address[:40])
    if key is None and info.api_encryption_supported:
        raise AuthError("the node has a key", reason="esphome.key")
    return info, infos


async def closed(client: APIClient, force: bool = False) -> None:
    """End a connection politely, or at once."""
    try:
        async with asyncio.timeout(CLOSE_S):
            await client.disconnect(force=force)
    except BROKEN:
        client.force_disconnect()
