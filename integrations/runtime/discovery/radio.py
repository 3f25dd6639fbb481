"""Hear Bluetooth advertisements, where the machine has an adapter."""

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from core.api.identity import key, mac_of
from integrations.runtime.discovery.board import Board
from integrations.runtime.discovery.match import Signs
from integrations.runtime.discovery.sighting import Sighting, clean, clean_facts

if TYPE_CHECKING:
    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData

#: Where the kernel lists its Bluetooth adapters.
ADAPTERS = Path("/sys/class/bluetooth")
TTL_S, START_S, LOOK_S = 300.0, 20.0, 5.0


class NotHere(OSError):
    """The machine has no adapter."""


def sighting_of(
    address: str,
    name: str,
    services: tuple[str, ...],
    makers: Mapping[int, bytes],
    signs: Signs,
) -> Sighting:
    """Return what an advertisement tells; ``services`` of its data and its list."""
    facts = {
        "ble_address": address,
        "services": " ".join(sorted(services)),
        "manufacturer": " ".join(f"{each:04x}" for each in sorted(makers)),
    }
    lasting = key("mac", mac_of(address)) or key("ble", clean(address))
    return Sighting(
        source=f"ble:{address}",
        kind="ble",
        slot="ble",
        name=clean(name),
        keys=(lasting,) if lasting else (),
        facts=clean_facts({k: v for k, v in facts.items() if v}),
        matches=signs.ble(services, makers),
    )


class RadioListener:
    """Scan passively until cancelled; NotHere without an adapter, else OSError."""

    name = "ble"

    def __init__(self, signs: Signs, board: Board, adapters: Path = ADAPTERS) -> None:
        self._signs, self._board, self._adapters = signs, board, adapters

    def _here(self) -> bool:
        try:
            return any(self._adapters.iterdir())
        except OSError:
            return False

    async def run(self) -> None:
        """Listen until cancelled."""
        if not self._here():
            raise NotHere("no Bluetooth adapter")
        from bleak import BleakScanner  # late: most hubs have no adapter
        from bleak.exc import BleakError

        scanner = BleakScanner(self._heard)
        try:
            async with asyncio.timeout(START_S):
                await scanner.start()
        except (BleakError, EOFError, TimeoutError) as error:
            raise OSError(f"no Bluetooth: {error}"[:200]) from error
        try:
            while True:
                await asyncio.sleep(LOOK_S)
                if not self._here():
                    raise NotHere("the Bluetooth adapter was pulled out")
        finally:
            self._board.forget("ble:")
            with contextlib.suppress(BleakError, EOFError, TimeoutError):
                async with asyncio.timeout(START_S):
                    await scanner.stop()

    def _heard(self, device: "BLEDevice", told: "AdvertisementData") -> None:
        services = tuple({*told.service_uuids, *told.service_data})
        name = told.local_name or device.name or ""
        makers = told.manufacturer_data
        found = sighting_of(device.address, name, services, makers, self._signs)
        self._board.seen(found, TTL_S)
