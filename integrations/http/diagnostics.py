"""What support needs to see: sources, devices, counts; no token and no address."""

from collections.abc import Iterable
from typing import Any

from integrations.http.source import Source


def gather(sources: Iterable[Source]) -> dict[str, Any]:
    """Return the state of every source and its devices."""
    return {
        "sources": [
            {
                "id": source.id,
                "way": "poll" if "poll" in source.said else "receive",
                "token": "set" if "token" in source.said else "none",
                "up": source.up,
                "reason": source.reason,
                "bodies": source.bodies,
                "records": source.records,
                "devices": [
                    {"uid": device.uid, "up": device.up, "reason": device.reason}
                    for device in source.devices.values()
                ],
            }
            for source in sources
        ]
    }
