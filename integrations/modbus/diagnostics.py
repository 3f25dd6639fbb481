"""What support needs to see: counters and states, places redacted."""

from collections.abc import Sequence
from typing import Any

from integrations.modbus.bus import Serial, Tcp
from integrations.modbus.port import Port


def _place(place: Tcp | Serial) -> str:
    """Return where the bus is, without telling the site's network."""
    if isinstance(place, Tcp):
        return f"tcp:…{place.host[-3:]}:{place.port}"
    return (
        f"{place.port} {place.baudrate} {place.bytesize}{place.parity}{place.stopbits}"
    )


def gather(ports: Sequence[Port]) -> dict[str, Any]:
    """Return the state of every bus and device; holds no secret and no person."""
    return {
        "buses": [
            {
                "id": port.id,
                "place": _place(port.bus.place),
                "connected": port.bus.connected,
                "reason": port.reason,
                "connects": port.connects,
                "requests": port.bus.requests,
                "rebuilt": port.bus.rebuilt,
                "devices": [
                    {
                        "uid": session.uid,
                        "unit": session.unit,
                        "profile": f"{session.profile.id} v{session.profile.version}",
                        "up": session.up,
                        "reason": session.last_reason,
                        **session.counters,
                    }
                    for session in port.sessions
                ],
            }
            for port in ports
        ]
    }
