"""Work whose detectors or outputs promise less than before is held (design §5)."""

from collections.abc import Callable

from core.hub import Hub
from core.journal.envelope import Envelope
from core.permits.lifecycle import RUNNING, PermitStatus
from core.permits.state import PermitRecord
from core.registry.events import DeviceLoosened

#: Fields that a hold names; the event has all.
_NAMED = 6


class Equipment:
    """Hold the permits of the zone, or of the wearer, of a device that loosened."""

    def __init__(self, hub: Hub, hold: Callable[..., object]) -> None:
        self._hub, self._hold = hub, hold
        hub.on(DeviceLoosened, self._loosened)

    def _loosened(self, body: DeviceLoosened, envelope: Envelope) -> None:
        device = self._hub.state.registry.devices.get(body.device_id)
        name = device.name if device is not None else body.device_id
        for permit in list(self._hub.state.permits.permits.values()):
            if _needs(permit, body):
                self._hold(
                    permit.id,
                    "device_loosened",
                    source=f"device:{body.device_id}",
                    params={"device": name, "what": ", ".join(body.what[:_NAMED])},
                    cause=envelope.cause,
                )


def _needs(permit: PermitRecord, body: DeviceLoosened) -> bool:
    if permit.status not in (*RUNNING, PermitStatus.HELD):
        return False
    here = body.zone_id is not None and permit.zone_id == body.zone_id
    return here or (body.person_id is not None and body.person_id in permit.people())
