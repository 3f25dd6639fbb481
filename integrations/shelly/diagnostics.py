"""What support needs to see of every relay: state, counters; no secret, no place."""

from collections.abc import Iterable
from typing import Any

from integrations.shelly.relay import Relay


def gather(relays: Iterable[Relay]) -> dict[str, Any]:
    """Return the state of every relay."""
    return {
        "relays": [
            {
                "uid": relay.uid,
                "model": relay.model,
                "place": f"…{relay.options['host'][-3:]}:{relay.options['port']}",
                "password": "set" if "password" in relay.options else "none",
                "up": relay.up,
                "reason": relay.reason,
                **relay.counters,
            }
            for relay in relays
        ]
    }
