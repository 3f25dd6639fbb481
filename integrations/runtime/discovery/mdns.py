"""Hear the services that devices announce over mDNS."""

import asyncio
import logging
import re
from collections.abc import Mapping, Sequence

from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from core.api.identity import keys_in
from integrations.runtime.discovery import reach
from integrations.runtime.discovery.board import Board
from integrations.runtime.discovery.match import Signs
from integrations.runtime.discovery.sighting import Sighting, clean, clean_facts

#: What a device has to answer within, and how often it is asked anew.
_ASK_MS, _TRIES, _AGAIN_S = 2_000, 4, 1.0
#: Names that are being asked about; more are heard again when they speak again.
_AT_ONCE = 64
_DOMAIN = ".local."
_TYPE = re.compile(r"_[A-Za-z0-9](?:-?[A-Za-z0-9]){0,14}\._(?:tcp|udp)")

# It logs each malformed packet of a stranger; the listener's state says the rest.
logging.getLogger("zeroconf").setLevel(logging.CRITICAL)


def txt_of(properties: Mapping[bytes, bytes | None]) -> dict[str, str]:
    """Return a text record as facts, bounded and printable whatever its bytes."""
    decoded = {
        key.decode(errors="replace"): (value or b"").decode(errors="replace")
        for key, value in list(properties.items())[:64]
    }
    return clean_facts(decoded)


def sighting_of(
    service: str,
    instance: str,
    server: str,
    txt: dict[str, str],
    *,
    signs: Signs,
    address: str = "",
    port: int = 0,
) -> Sighting:
    """Return what an announced service tells; ``service`` without its domain."""
    name = clean(instance)
    host = clean(server.removesuffix(".").removesuffix(".local"))
    return Sighting(
        source=f"mdns:{service}:{instance[:100]}",
        kind="mdns",
        slot=f"mdns:{service}",
        name=txt.get("friendly_name") or name,
        address=address,
        port=port,
        keys=keys_in(txt, name, host) or ((f"mdns:{host}",) if host else ()),
        facts=clean_facts({"service": service, "host": host, **txt}),
        matches=signs.mdns(service, name, txt),
    )


class MdnsListener:
    """Browse for the services that the manifests name; OSError where it cannot."""

    name = "mdns"

    def __init__(self, signs: Signs, board: Board) -> None:
        self._signs, self._board = signs, board
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._zeroconf: AsyncZeroconf

    async def run(self) -> None:
        """Listen until cancelled."""
        types = _types(self._signs.services())
        own: Sequence[str] = [net.address for net in reach.networks()]
        self._zeroconf = AsyncZeroconf(interfaces=own, ip_version=IPVersion.V4Only)
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                browser = AsyncServiceBrowser(
                    self._zeroconf.zeroconf, types, handlers=[self._changed]
                )
                try:
                    await asyncio.Event().wait()
                finally:
                    await browser.async_cancel()
        finally:
            await self._zeroconf.async_close()
            self._board.forget("mdns:")

    def _changed(
        self,
        zeroconf: Zeroconf,
        service_type: str,
        name: str,
        state_change: ServiceStateChange,
    ) -> None:
        service = service_type.removesuffix(_DOMAIN)
        instance = name.removesuffix(f".{service_type}")
        if state_change is ServiceStateChange.Removed:
            asking = self._busy.pop(name, None)
            if asking is not None:
                asking.cancel()
            self._board.gone(f"mdns:{service}:{instance[:100]}")
        elif name not in self._busy and len(self._busy) < _AT_ONCE:
            task = self._group.create_task(self._ask(service, instance, name))
            self._busy[name] = task
            task.add_done_callback(lambda done: self._asked(name, done))

    def _asked(self, name: str, task: "asyncio.Task[None]") -> None:
        if self._busy.get(name) is task:
            del self._busy[name]

    async def _ask(self, service: str, instance: str, name: str) -> None:
        """Learn where a service is; a lost answer is asked for again."""
        info = AsyncServiceInfo(f"{service}{_DOMAIN}", name)
        for _ in range(_TRIES):
            if await info.async_request(self._zeroconf.zeroconf, _ASK_MS):
                break
            await asyncio.sleep(_AGAIN_S)
        else:
            return
        port = info.port or 0
        knock = port if service.endswith("_tcp") else 0
        addresses = info.parsed_scoped_addresses(IPVersion.All)
        self._board.seen(
            sighting_of(
                service,
                instance,
                info.server or "",
                txt_of(info.properties),
                signs=self._signs,
                address=await reach.pick(addresses, knock),
                port=port,
            )
        )


def _types(services: Sequence[str]) -> list[str]:
    """Return the types to browse for; what is none was a manifest's mistake."""
    return [f"{each}{_DOMAIN}" for each in services if _TYPE.fullmatch(each)]
