"""What support needs to see: sources, tags, anchors; no secret, no place of people."""

from collections.abc import Mapping
from typing import Any

from integrations.positioning.book import Book
from integrations.positioning.broker import Link
from integrations.positioning.studio import Studio
from integrations.positioning.uart import Shell

MAX_SHOWN = 200


def gather(
    book: Book, peers: Mapping[str, Link | Shell | Studio], refused: Mapping[str, str]
) -> dict[str, Any]:
    """Return counters and states; where people are is personal and left out."""
    return {
        "sources": {
            source.id: {
                "kind": source.kind,
                "up": source.up,
                "counters": dict(source.counters),
                "last_bad": source.last_bad,
                "refused": source.id in refused,
                **_peer(peers[source.id]),
            }
            for source in book.sources
        },
        "tags": {
            tag.uid: {
                "up": tag.up,
                "source": tag.source.id,
                "fixes": tag.fixes,
                "doubts": dict(tag.doubts),
            }
            for tag in list(book.tags.values())[:MAX_SHOWN]
        },
        "anchors": {
            name: {
                "bias_m": round(health.bias_m, 3),
                "samples": health.samples,
                "up": health.up,
                "why": health.why,
            }
            for name, health in list(book.anchors.health.items())[:MAX_SHOWN]
        },
    }


def _peer(peer: Link | Shell | Studio) -> dict[str, Any]:
    if isinstance(peer, Link):
        return {
            "version": peer.version.name,
            "sessions": peer.sessions,
            "last_error": peer.last_error,
        }
    if isinstance(peer, Shell):
        return {
            "node": peer.node,
            "entered": peer.entered,
            "last_error": peer.last_error,
        }
    return {"door": peer.door, "last_error": peer.last_error}
