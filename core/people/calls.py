"""Calls for help of worn devices: whoever wears them, and when nobody knows who."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.alarms.alarms import Alarms
from core.api.errors import Refused
from core.api.quality import NEVER_ACTS, Quality
from core.api.reading import Reading, Value, is_on
from core.hub import Hub
from core.journal.envelope import Cause, Envelope
from core.people.acts import FoundSafe
from core.registry.events import DeviceReported
from core.registry.state import DeviceRecord, EntityRecord

if TYPE_CHECKING:
    from core.people.people import People

#: Discrete reports of a worn device that call for help, and what ends them.
CALLS = ("sos", "fall")


class Calls:
    """Raise an alarm for each call, where its wearer is or its device says it is."""

    def __init__(self, hub: Hub, people: "People", alarms: Alarms) -> None:
        self._hub, self._people, self._alarms = hub, people, alarms
        alarms.judges["device"] = self._answers
        people.access.bind(FoundSafe, self._found_safe)

    def pressed(self, entity: EntityRecord, reading: Reading) -> None:
        """Take a call that is told as a state: ON calls, whatever its age says."""
        if reading.quality in NEVER_ACTS:
            return
        cause = Cause(actor=f"entity:{entity.id}")
        kind = entity.declared.quantity
        if is_on(reading.value):
            self._call(entity.device_id, kind, cause)
        elif reading.quality is Quality.GOOD:
            self._alarms.clear(self._caller(entity.device_id), kind, cause=cause)

    def reported(self, body: DeviceReported, envelope: Envelope) -> None:
        """Take a call that is told as an event."""
        if body.kind not in CALLS:
            return
        cause = Cause(actor=f"device:{body.device_id}", parent=envelope.id)
        # One that nobody enrolled calls under the uid that it gave.
        device_id = body.device_id or str(body.params.get("device_uid", ""))
        if body.params.get("active") is False:
            if not body.device_id:
                return  # a stranger may call for help, and calls off nobody's
            self._alarms.clear(self._caller(device_id), body.kind, cause=cause)
        else:
            self._call(device_id, body.kind, cause)

    def again(self, device_id: str, kind: str, params: Mapping[str, Value]) -> bool:
        """Say whether a repeated call finds no alarm: then it is a new one.

        Many devices count their events anew after each start.
        """
        if kind not in CALLS or params.get("active") is False:
            return False
        alarm = self._alarms.find(self._caller(device_id), kind)
        return alarm is None or not alarm.active

    def _answers(self, source: str, condition: str) -> bool:
        """Say whether a device can still end its call; a stranger's word does not."""
        device_id = source.partition(":")[2]
        known = device_id in self._hub.state.registry.devices
        return known or condition not in CALLS

    def _caller(self, device_id: str) -> str:
        person_id = self._people.wearer(device_id)
        return f"person:{person_id}" if person_id else f"device:{device_id}"

    def _call(self, device_id: str, kind: str, cause: Cause) -> None:
        device = self._hub.state.registry.devices.get(device_id)
        person_id = self._people.wearer(device_id)
        params: dict[str, Value] = {"person": person_id or "", "device": device_id}
        last = self._hub.state.people.worn.get(device_id)
        if person_id is None:
            # No name is better than a wrong one: the last wearer is a hint.
            params["then"] = "call.last_wearer" if last else "call.no_wearer"
            params["person"] = device.name if device else device_id
            if last:
                params["person_id"] = last.person_id
        self._alarms.raise_(
            self._caller(device_id),
            kind,
            kind=kind,
            priority=1,
            zone_id=self._place(device, person_id),
            life_safety=True,
            latching=True,
            params=params,
            cause=cause,
        )

    def _place(self, device: DeviceRecord | None, person_id: str | None) -> str | None:
        """Return where to look: a fix that stands, one that may be, the last known."""
        found = self._people.found(person_id) if person_id else None
        if not found and device is not None:
            found = self._people.points_to(device)
        presence = self._people.where(person_id) if person_id else None
        last = presence and (presence.zone_id or presence.last_zone_id)
        return found or last or (device.zone_id if device else None)

    def _found_safe(
        self, _actor: str, act: FoundSafe, _version: int | None, cause: Cause
    ) -> dict[str, Value]:
        if bool(act.person_id) == bool(act.device_id):
            raise Refused("person.or_device")
        source = f"person:{act.person_id}"
        if act.device_id:
            source = f"device:{act.device_id}"
        calls = [kind for kind in CALLS if self._alarms.find(source, kind)]
        if not calls:
            raise Refused("person.no_call", person=act.person_id or act.device_id)
        for kind in calls:
            self._alarms.clear(source, kind, cause=cause)
        return {"person_id": act.person_id}
