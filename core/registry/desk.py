"""The acts on devices: enrol, put into a zone, remove."""

from core.api.errors import Refused
from core.api.reading import Value
from core.config import DeviceRule
from core.journal.envelope import Cause
from core.people.access import Access
from core.permits.lifecycle import FINAL
from core.registry.acts import EnrolDevice, RemoveDevice, ZoneDevice
from core.registry.declared import bare, patched
from core.registry.events import DeviceZoned
from core.registry.registry import Registry
from core.registry.state import DeviceRecord


class DeviceDesk:
    """Let people say what belongs to the site, and where."""

    def __init__(self, registry: Registry, access: Access) -> None:
        self._registry, self._hub = registry, registry.hub
        access.bind(EnrolDevice, self._enrol)
        access.bind(ZoneDevice, self._zone)
        access.bind(RemoveDevice, self._remove)

    def _enrol(
        self, actor_id: str, act: EnrolDevice, _version: int | None, cause: Cause
    ) -> dict[str, Value]:
        key = (bare(act.integration), act.uid)
        proposal = self._registry.proposals.get(key)
        if proposal is None:
            raise Refused("device.not_proposed", uid=act.uid)
        self._zone_exists(act.zone_id)
        rule = DeviceRule(
            integration=key[0],
            uid=act.uid,
            name=act.name or None,
            critical=("*",) if act.critical else (),
        )
        shaped = patched(proposal.device, rule)
        put = self._registry.put
        return {
            "device_id": put(key[0], shaped, None, act.zone_id, act.person_id, cause)
        }

    def _zone(
        self, actor_id: str, act: ZoneDevice, _version: int | None, cause: Cause
    ) -> dict[str, Value]:
        record = self._existing(act.device_id)
        self._zone_exists(act.zone_id)
        rule = self._registry.rule(record.id)
        if rule is not None and rule.zone is not None:
            raise Refused("device.zone_by_configuration", name=record.name)
        if record.zone_id != act.zone_id:
            self._not_needed(record)
            self._hub.emit(DeviceZoned(device_id=record.id, zone_id=act.zone_id), cause)
            self._registry.tell(record.id)
        return {"device_id": record.id}

    def _remove(
        self, actor_id: str, act: RemoveDevice, _version: int | None, cause: Cause
    ) -> dict[str, Value]:
        record = self._existing(act.device_id)
        if self._registry.rule(record.id) is not None:
            raise Refused("device.enrolled_by_configuration", name=record.name)
        self._not_needed(record)
        self._registry.remove(record, cause)
        return {"device_id": act.device_id}

    def _existing(self, device_id: str) -> DeviceRecord:
        record = self._registry.device(device_id)
        if record is None:
            raise Refused("device.unknown", device=device_id)
        return record

    def _zone_exists(self, zone_id: str | None) -> None:
        if zone_id is not None and all(
            zone.id != zone_id for zone in self._hub.bundle.site.zones
        ):
            raise Refused("site.zone_unknown", zone=zone_id)

    def _not_needed(self, record: DeviceRecord) -> None:
        """Refuse while a permit of its zone, or of its wearer, is open."""
        for permit in self._hub.state.permits.permits.values():
            here = record.zone_id is not None and permit.zone_id == record.zone_id
            worn = record.person_id is not None and record.person_id in permit.people()
            if (here or worn) and permit.status not in FINAL:
                raise Refused(
                    "device.needed_by_permit", name=record.name, permit=permit.title
                )
