"""What support needs to see: sessions, routes, bad payloads; no secret."""

from collections.abc import Iterable
from typing import Any

from integrations.mqtt.client import MqttClient
from integrations.mqtt.points import Route

MAX_BAD = 50


def gather(
    client: MqttClient, devices: int, routes: Iterable[Route], pending: int, doubt: str
) -> dict[str, Any]:
    """Return the state of the link and what the topics brought."""
    known = list(routes)
    counters = client.counters
    return {
        "broker": {
            # Enough to tell two brokers apart, not the site's network.
            "host": f"…{client.broker.host[-3:]}",
            "port": client.broker.port,
            "tls": client.broker.tls,
            "password": "set" if client.broker.password else "none",
            "version": client.version.name,
            "connected": client.connected,
            "doubt": doubt,
            "sessions": counters.sessions,
            "lost": counters.lost,
            "fallbacks": counters.fallbacks,
            "last_error": counters.last_error,
            "refused_topics": sorted(counters.refused_topics),
        },
        "devices": devices,
        "topics": len(known),
        "messages": sum(route.count for route in known),
        "commands_pending": pending,
        "bad_payloads": {
            route.topic: route.bad.decode("utf-8", "replace")
            for route in [r for r in known if r.bad][:MAX_BAD]
        },
    }
