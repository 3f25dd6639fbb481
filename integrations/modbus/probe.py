"""Try what was typed before it is set up: does every device of every bus answer."""

from collections.abc import Mapping
from typing import Any

from core.api import DeviceError
from integrations.modbus import load
from integrations.modbus.bus import Bus, BusError, ExceptionAnswer, place_of


async def answers(options: Mapping[str, Any]) -> dict[str, str]:
    """Return how many devices of each bus answer; raises DeviceError for none."""
    found: dict[str, str] = {}
    for each in options["buses"]:
        maker = load.load(each["devices"][0]["profile"]).serial
        bus = Bus(place_of(each, maker))
        try:
            await bus.connect()
            silent = [d["uid"] for d in each["devices"] if not await _one(bus, d)]
        except BusError as no:
            raise DeviceError(f"{each['id']}: {no}") from no
        finally:
            bus.close()
        if silent:
            raise DeviceError(f"{each['id']}: no answer from {', '.join(silent)}")
        found[each["id"]] = str(len(each["devices"]))
    return found


async def _one(bus: Bus, device: Mapping[str, Any]) -> bool:
    """Read a device's first block; a device that refuses it is there all the same."""
    profile = load.load(device["profile"])
    block = profile.blocks[0]
    timeout_s = device.get("timeout_s", profile.timeout_s)
    for _ in range(2):
        try:
            await bus.read(
                block.function, block.address, block.count, device["unit"], timeout_s
            )
        except ExceptionAnswer:
            return True
        except BusError:
            if not bus.connected:
                await bus.connect()
            continue
        return True
    return False
