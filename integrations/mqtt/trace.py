"""What a recorded payload comes to: the driver's own way from bytes to devices."""

from typing import Any

import msgspec

from integrations.mqtt import discovery, points
from integrations.mqtt.spec import SpecError


def announced(data: bytes) -> dict[str, Any]:
    """Return what an announcement makes known; raises SpecError.

    ``data``: the component of its topic, a space, and the payload.
    """
    component, _, payload = data.partition(b" ")
    name = component.decode("ascii", "replace")
    found = discovery.parse(discovery.Address(name, "object"), payload)
    device = found.device
    return {
        "uid": device.uid,
        "name": device.name,
        "refused": found.refused,
        "entities": {
            each.entity.uid: {
                "kind": str(each.entity.kind),
                "quantity": each.entity.quantity,
                "unit": each.entity.unit,
            }
            for each in device.entities.values()
        },
    }


def measured(payload: bytes) -> dict[str, Any]:
    """Return the reading that a payload of one number is; raises SpecError."""
    try:
        raw = msgspec.json.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise SpecError(f"payload: not JSON: {error}") from error
    value, quality, reason = points.number(raw)
    return {"value": value, "quality": int(quality), "reason": reason}
