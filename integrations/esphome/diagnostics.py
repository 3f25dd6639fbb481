"""What support needs to see: sessions, states, versions; no key and no place."""

from collections.abc import Sequence
from typing import Any

from integrations.esphome.peer import Peer


def gather(peers: Sequence[Peer]) -> dict[str, Any]:
    """Return the state of every node."""
    return {
        "nodes": [
            {
                "uid": peer.uid,
                "place": f"…{peer.said['host'][-3:]}:{peer.said['port']}",
                "key": "set" if "key" in peer.said else "none",
                "up": peer.up,
                "reason": peer.reason,
                "version": peer.version,
                **peer.counters,
                "entities": {
                    uid: {
                        "type": type(point.info).__name__,
                        "quality": point.quality.name,
                        "reason": point.reason,
                    }
                    for uid, point in peer.found.points.items()
                },
            }
            for peer in peers
        ]
    }
