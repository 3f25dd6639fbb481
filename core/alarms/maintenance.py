"""Devices that a named person took into maintenance, until when, and their return."""

from typing import Protocol

from core.alarms.acts import ReturnDevice, ServiceDevice
from core.alarms.alarms import Alarms
from core.alarms.events import DeviceServed, DeviceServiceChanged
from core.api.errors import Refused
from core.api.reading import Value
from core.deadlines import Deadline, fire_after
from core.hub import CORE, Hub
from core.journal.envelope import Cause
from core.people.access import Access
from core.permits.lifecycle import FINAL
from core.readings.readings import Readings
from core.registry.registry import Registry

#: What the alarm of a device in maintenance is called, and its urgency.
_SERVICE, _SERVICE_PRIORITY = "fault.maintenance", 3


class Use(Protocol):
    """Who judges what hangs on whether a device is in use."""

    def use_told(self, device_id: str) -> None:
        """Judge the device's alarms at once."""

    def device_changed(self, device_id: str) -> None:
        """Derive the device's use anew, and judge its alarms."""


class Maintenance:
    """Carry out the acts by which a device goes into maintenance and comes back."""

    def __init__(
        self,
        hub: Hub,
        access: Access,
        registry: Registry,
        readings: Readings,
        alarms: Alarms,
        use: Use,
    ) -> None:
        self._hub, self._registry, self._use = hub, registry, use
        self._readings, self._alarms = readings, alarms
        access.bind(ServiceDevice, self._service)
        access.bind(ReturnDevice, self._return)
        hub.undo(DeviceServiceChanged, self._not_serviced)

    def recover(self) -> None:
        """Take up the deadlines of devices in maintenance."""
        for device_id, shelf in self._hub.state.alarms.serviced.items():
            self._wait(device_id, shelf.until)

    def _service(
        self, actor: str, act: ServiceDevice, _version: int | None, cause: Cause
    ) -> dict[str, Value]:
        device = self._registry.device(act.device_id)
        if device is None:
            raise Refused("device.unknown", device=act.device_id)
        if not self._hub.journal.healthy():
            raise Refused("journal.not_durable")
        if not act.reason.strip():
            raise Refused("act.reason_missing")
        for permit in self._hub.state.permits.permits.values():
            here = device.zone_id is not None and permit.zone_id == device.zone_id
            worn = device.person_id is not None and device.person_id in permit.people()
            if (here or worn) and permit.status not in FINAL:
                raise Refused(
                    "device.needed_by_permit", name=device.name, permit=permit.title
                )
        until = Deadline.after(self._hub.clock, act.hours * 3600)
        self._hub.emit(
            DeviceServiceChanged(
                device_id=device.id, person_id=actor, reason=act.reason, until=until
            ),
            cause,
        )
        self._wait(device.id, until)
        self._readings.device_changed(device.id)
        self._use.use_told(device.id)
        self._alarms.raise_(
            f"device:{device.id}",
            "maintenance",
            kind=_SERVICE,
            priority=_SERVICE_PRIORITY,
            zone_id=device.zone_id,
            params={"name": device.name, "person": actor, "reason": act.reason},
            cause=cause,
        )
        return {"device_id": device.id}

    def _return(
        self, actor: str, act: ReturnDevice, _version: int | None, cause: Cause
    ) -> dict[str, Value]:
        if act.device_id not in self._hub.state.alarms.serviced:
            raise Refused("device.not_in_service", device=act.device_id)
        self._back(act.device_id, "person", actor, cause)
        return {"device_id": act.device_id}

    def _back(self, device_id: str, why: str, person_id: str, cause: Cause) -> None:
        self._hub.timers.cancel(f"alarm.device {device_id}")
        self._hub.emit(
            DeviceServed(device_id=device_id, why=why, person_id=person_id), cause
        )
        if self._registry.device(device_id) is not None:
            self._readings.device_changed(device_id)
        self._alarms.clear(f"device:{device_id}", "maintenance", cause)
        self._use.device_changed(device_id)

    def _wait(self, device_id: str, until: Deadline) -> None:
        def over(late_unknown: bool) -> None:
            if device_id in self._hub.state.alarms.serviced:
                why = "late_unknown" if late_unknown else "expired"
                self._back(device_id, why, "", CORE)

        fire_after(self._hub, until, f"alarm.device {device_id}", over)

    def _not_serviced(self, body: DeviceServiceChanged) -> None:
        if body.device_id in self._hub.state.alarms.serviced:
            self._back(body.device_id, "not_durable", "", CORE)
