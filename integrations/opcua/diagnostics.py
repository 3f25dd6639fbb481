"""What support needs to see: sessions, states, clocks; no secret and no place."""

from collections.abc import Sequence
from typing import Any

from integrations.opcua.peer import Peer


def gather(peers: Sequence[Peer]) -> dict[str, Any]:
    """Return the state of every server and of its devices' nodes."""
    return {
        "servers": [
            {
                "id": peer.said["id"],
                "place": f"…{peer.said['host'][-3:]}:{peer.said['port']}",
                "policy": peer.said["security"]["policy"],
                "password": "set" if "password" in peer.said else "none",
                "up": peer.up,
                "reason": peer.reason,
                **peer.counters,
                "devices": [
                    {
                        "uid": device.uid,
                        "nodes": {
                            uid: {"heard": point.heard, "node": str(point.map.node)}
                            for uid, point in device.points.items()
                        },
                    }
                    for device in peer.devices.values()
                ],
            }
            for peer in peers
        ]
    }
