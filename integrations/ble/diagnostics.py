"""What support needs to see: sources, devices, signal; no key and no place."""

from collections.abc import Mapping, Sequence
from typing import Any

from integrations.ble.device import BleDevice
from integrations.ble.sources import Source


def gather(
    sources: Sequence[Source], devices: Mapping[str, BleDevice], strangers: int
) -> dict[str, Any]:
    """Return the state of every source and device."""
    return {
        "sources": [
            {
                "make": source.name.partition(":")[0],
                "place": f"…{source.name[-8:]}",
                "up": source.up,
                "reason": source.reason,
                "heard": source.heard,
            }
            for source in sources
        ],
        "strangers": strangers,
        "devices": [
            {
                "uid": device.uid,
                "key": "set" if "key" in device.said else "none",
                "up": device.up,
                "reason": device.reason,
                "rssi": device.rssi,
                "entities": sorted(device.points),
                **device.counters,
            }
            for device in devices.values()
        ],
    }
