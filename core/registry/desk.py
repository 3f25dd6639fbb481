"""The acts on devices: enrol, put into a zone, remove."""

from msgspec.structs import replace

from core.api.errors import Refused
from core.api.model import FAIL_SAFES, Device, wrong_fail_safe
from core.api.reading import Value
from core.config import DeviceRule
from core.journal.envelope import Cause
from core.people.access import Access
from core.permits.lifecycle import FINAL
from core.registry.acts import (
    AmendDevice,
    EnrolDevice,
    RemoveDevice,
    ReplaceDevice,
    ReplaceNeeded,
    ZoneDevice,
)
from core.registry.by_hand import check
from core.registry.declared import bare, patched
from core.registry.events import DeviceLoosened, DeviceZoned
from core.registry.facts import Facts, Place, Possession, Said
from core.registry.registry import Registry
from core.registry.state import DeviceRecord
from core.registry.waiting import Proposal


class DeviceDesk:
    """Let people say what belongs to the site, and where."""

    def __init__(self, registry: Registry, access: Access) -> None:
        self._registry, self._hub = registry, registry.hub
        access.bind(EnrolDevice, self._enrol)
        access.bind(ZoneDevice, self._zone)
        access.bind(RemoveDevice, self._remove)
        access.bind(AmendDevice, self._amend)
        access.bind(ReplaceDevice, self._replace)
        access.bind(ReplaceNeeded, self._replace)

    def _enrol(
        self, actor_id: str, act: EnrolDevice, _version: int | None, cause: Cause
    ) -> dict[str, Value]:
        key = (bare(act.integration), act.uid)
        proposal = self._registry.proposals.get(key)
        if proposal is None:
            raise Refused("device.not_proposed", uid=act.uid)
        self._zone_exists(act.zone_id)
        proof = self._proven(proposal, act.possession)
        facts = act.facts
        if act.critical:
            facts = replace(facts, critical=(*facts.critical, "*"))
        shaped = self._shaped(proposal.device, act.name, facts)
        at, said = Place(act.zone_id, act.person_id), Said(facts, proof)
        device_id = self._registry.put(key[0], shaped, None, at, cause, said)
        return {"device_id": device_id}

    def _amend(
        self, actor_id: str, act: AmendDevice, _version: int | None, cause: Cause
    ) -> dict[str, Value]:
        record = self._existing(act.device_id)
        if self._registry.configured(record.id) is not None:
            raise Refused("device.enrolled_by_configuration", name=record.name)
        device = self._registry.declaration(record)
        if device is None:
            raise Refused("device.not_heard", name=record.name)
        self._not_needed(record)
        shaped = self._shaped(device, act.name or record.name, act.facts)
        at = Place(record.zone_id, record.person_id)
        said = Said(act.facts, record.proof)
        self._registry.put(record.integration, shaped, record, at, cause, said)
        return {"device_id": record.id}

    def _shaped(self, device: Device, name: str, facts: Facts) -> Device:
        """Return a declaration as a person's facts make it; refuse unsafe ones."""
        self._contacts_exist(facts)
        self._entities_exist(facts, device)
        rule = DeviceRule(
            integration="",
            uid=device.uid,
            name=name or None,
            critical=facts.critical,
            max_age_s=facts.max_age_s,
            outputs=facts.outputs,
        )
        shaped = patched(device, rule)
        _fails_safely(shaped)
        return shaped

    def _replace(
        self, actor_id: str, act: ReplaceDevice, _version: int | None, cause: Cause
    ) -> dict[str, Value]:
        record = self._existing(act.device_id)
        proposal = self._registry.proposals.get((bare(act.integration), act.uid))
        if proposal is None:
            raise Refused("device.not_proposed", uid=act.uid)
        lacks = self._lacking(record, proposal.device)
        if lacks:
            raise Refused("device.replace_lacks", name=record.name, what=lacks)
        if not isinstance(act, ReplaceNeeded):
            self._not_needed(record)
        proof = self._proven(proposal, act.possession)
        self._hub.emit(
            DeviceLoosened(
                device_id=record.id,
                what=("replaced",),
                zone_id=record.zone_id,
                person_id=record.person_id,
            ),
            cause,
        )
        self._registry.replace(record, proposal, proof, cause)
        return {"device_id": record.id}

    def _lacking(self, record: DeviceRecord, device: Device) -> str:
        """Return what the old device has and the new one has not, or is not alike."""
        new = {each.uid: (each.kind, each.quantity) for each in device.entities}
        found = []
        for entity_id in record.entities:
            entity = self._registry.entity(entity_id)
            if entity is not None:
                old = entity.declared
                if new.get(old.uid) != (old.kind, old.quantity):
                    found.append(old.name)
        return ", ".join(found)

    def _proven(
        self, proposal: Proposal, given: Possession | None
    ) -> Possession | None:
        config = next(
            (e for e in self._hub.bundle.integrations if e.id == proposal.host), None
        )
        pressed = self._registry.proposals.pressed.get(
            (proposal.host, proposal.device.uid)
        )
        now = self._hub.clock.mono_ns()
        return check(given, proposal.device, config, pressed, now)

    def _contacts_exist(self, facts: Facts) -> None:
        for output in facts.outputs.values():
            self._zone_exists(output.contact_zone)

    def _entities_exist(self, facts: Facts, device: Device) -> None:
        known = {each.uid for each in device.entities}
        outputs = {each.uid for each in device.entities if each.output is not None}
        named = {*facts.critical, *facts.proof_every_h} - {"*"}
        unknown = sorted((named - known) | (facts.outputs.keys() - outputs))
        if unknown:
            raise Refused(
                "device.no_such_entity", name=device.name, what=", ".join(unknown)
            )

    def _zone(
        self, actor_id: str, act: ZoneDevice, _version: int | None, cause: Cause
    ) -> dict[str, Value]:
        record = self._existing(act.device_id)
        self._zone_exists(act.zone_id)
        rule = self._registry.configured(record.id)
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
        if self._registry.configured(record.id) is not None:
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


def _fails_safely(device: Device) -> None:
    """Refuse a device with an output that would fail unsafe without the hub."""
    for entity in device.entities:
        output = entity.output
        if output is not None and wrong_fail_safe(output.kind, output.fail_safe):
            raise Refused(
                "device.fail_safe",
                output=entity.name,
                kind=output.kind,
                fail_safe=output.fail_safe,
                allowed=", ".join(FAIL_SAFES[output.kind]),
            )
