"""Where advertisements come from: BlueZ, ESPHome proxies, or a gateway's feed.

Each source serves until its way is lost and raises SourceError; its owner comes back.
"""

import abc
import asyncio
import functools
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from core.api import AuthError, DeviceError, Host
from integrations.ble import advert
from integrations.ble.advert import Advert, AdvertError

Hear = Callable[[Advert], None]
Up = Callable[[], None]
CONNECT_S, CLOSE_S, BEAT_S = 5.0, 1.0, 5.0
#: Where the kernel lists its Bluetooth adapters.
ADAPTERS = Path("/sys/class/bluetooth")


class SourceError(DeviceError):
    """A source cannot be heard now; ``reason`` is the code to report."""

    code = "ble.source_down"

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(message or reason, reason=reason)
        self.reason = reason


class Source(abc.ABC):
    """Tell every advertisement that it hears."""

    def __init__(self, host: Host, name: str) -> None:
        self.host, self.name = host, name
        self.heard = 0
        self.up = False
        self.reason = ""

    @abc.abstractmethod
    async def serve(self, hear: Hear, up: Up) -> None:
        """Call ``up`` once it hears; raise SourceError when it does no more."""

    def take(self, make: Callable[[], Advert], hear: Hear, frame: bytes) -> None:
        """Pass on one advertisement, or count what is none."""
        self.heard += 1
        try:
            found = make()
        except AdvertError as wrong:
            self.host.count(wrong.reason, frame[:100].hex())
            return
        hear(found)


class Feed(Source):
    """Read a gateway's lines of JSON over TCP (see docs/ble.md)."""

    def __init__(self, host: Host, place: str, port: int) -> None:
        super().__init__(host, f"feed:{place}:{port}")
        self._place, self._port = place, port

    async def serve(self, hear: Hear, up: Up) -> None:
        """Read lines until the gateway goes away."""
        try:
            async with asyncio.timeout(CONNECT_S):
                reader, writer = await asyncio.open_connection(
                    self._place, self._port, limit=advert.MAX_LINE
                )
        except (OSError, TimeoutError) as failure:
            raise SourceError("ble.source_down", repr(failure)) from failure
        try:
            up()
            while text := await reader.readline():
                if text.strip():
                    self.take(functools.partial(advert.line, text), hear, text)
        except ValueError:
            self.host.count("ble.bad_frame", "a line too long")
        except OSError as failure:
            raise SourceError("ble.source_down", repr(failure)) from failure
        finally:
            writer.transport.abort()
        raise SourceError("ble.source_down", "the feed ended")


class Proxy(Source):
    """Hear what an ESPHome Bluetooth proxy relays."""

    def __init__(self, host: Host, said: Mapping[str, Any], key: str | None) -> None:
        super().__init__(host, f"proxy:{said['proxy']}:{said['port']}")
        self._said, self._key = said, key

    async def serve(self, hear: Hear, up: Up) -> None:
        """Subscribe to raw advertisements and ask the node for life."""
        from aioesphomeapi.client import APIClient  # late: few sites have proxies
        from aioesphomeapi.core import (
            APIConnectionError,
            InvalidEncryptionKeyAPIError,
            RequiresEncryptionAPIError,
        )

        logging.getLogger("aioesphomeapi").setLevel(logging.CRITICAL + 1)
        broken = (APIConnectionError, OSError, TimeoutError, ValueError)
        client = APIClient(
            self._said["proxy"],
            self._said["port"],
            None,
            client_info="Safehold",
            noise_psk=self._key,
        )
        try:
            async with asyncio.timeout(CONNECT_S):
                await client.connect(log_errors=False)
            await self._follow(client, hear, up)
        except (InvalidEncryptionKeyAPIError, RequiresEncryptionAPIError) as refused:
            raise AuthError("the proxy's key is wrong", reason="ble.key") from refused
        except broken as failure:
            raise SourceError("ble.source_down", repr(failure)[:200]) from failure
        finally:
            try:
                async with asyncio.timeout(CLOSE_S):
                    await client.disconnect(force=True)
            except broken:
                client.force_disconnect()

    async def _follow(self, client: Any, hear: Hear, up: Up) -> None:
        async with asyncio.timeout(CONNECT_S):
            info = await client.device_info()
        wanted = self._said.get("mac")
        if wanted is not None and info.mac_address.upper() != wanted:
            raise SourceError("ble.other_device", info.mac_address[:40])

        def relayed(told: Any) -> None:
            for each in told.advertisements:
                data = bytes(each.data)
                found = functools.partial(
                    advert.of_proxy, each.address, data, each.rssi
                )
                self.take(found, hear, data)

        client.subscribe_bluetooth_le_raw_advertisements(relayed)
        up()
        while True:
            await self.host.timer.sleep(BEAT_S)
            async with asyncio.timeout(CONNECT_S):
                await client.device_info()


class Adapter(Source):
    """Scan by BlueZ: passively where it can, else actively."""

    def __init__(self, host: Host, adapter: str) -> None:
        super().__init__(host, f"adapter:{adapter}")
        self._adapter = adapter

    async def serve(self, hear: Hear, up: Up) -> None:
        """Scan until the adapter is gone."""
        if not (ADAPTERS / self._adapter).exists():
            raise SourceError("ble.no_adapter", self._adapter)
        from bleak.exc import BleakError  # late: most hubs have no adapter

        def found(device: Any, told: Any) -> None:
            data = dict(told.service_data)
            self.take(
                lambda: advert.of_bleak(
                    device.address, data, told.local_name or device.name, told.rssi
                ),
                hear,
                b"".join(data.values()),
            )

        try:
            scanner = await self._start(found)
        except (BleakError, EOFError, OSError, TimeoutError) as failure:
            raise SourceError("ble.source_down", repr(failure)[:200]) from failure
        try:
            up()
            while (ADAPTERS / self._adapter).exists():
                await self.host.timer.sleep(BEAT_S)
        finally:
            try:
                async with asyncio.timeout(CONNECT_S):
                    await scanner.stop()
            except (BleakError, EOFError, OSError, TimeoutError):
                self.host.count("ble.source_down", "the scan did not stop")
        raise SourceError("ble.no_adapter", self._adapter)

    async def _start(self, found: Callable[[Any, Any], None]) -> Any:
        """Start a scan; BlueZ scans passively only with its experimental features."""
        from bleak import BleakScanner
        from bleak.args.bluez import BlueZScannerArgs, OrPattern
        from bleak.assigned_numbers import AdvertisementDataType
        from bleak.exc import BleakError

        kind = AdvertisementDataType.SERVICE_DATA_UUID16
        passive = BlueZScannerArgs(
            adapter=self._adapter, or_patterns=[OrPattern(0, kind, b"\xd2\xfc")]
        )
        try:
            scanner = BleakScanner(found, scanning_mode="passive", bluez=passive)
            async with asyncio.timeout(CONNECT_S):
                await scanner.start()
            return scanner
        except (BleakError, TimeoutError) as refused:
            self.host.count("ble.active_scan", repr(refused)[:200])
        scanner = BleakScanner(found, bluez=BlueZScannerArgs(adapter=self._adapter))
        async with asyncio.timeout(4 * CONNECT_S):
            await scanner.start()
        return scanner


def make(host: Host, said: Mapping[str, Any], secrets: Mapping[str, str]) -> Source:
    """Return the source that checked options name."""
    if "feed" in said:
        return Feed(host, said["feed"], said["port"])
    if "proxy" in said:
        key = secrets.get(said["key"], "") if "key" in said else None
        return Proxy(host, said, key)
    return Adapter(host, said["adapter"])
