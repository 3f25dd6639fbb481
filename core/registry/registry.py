"""Devices and entities: enrolment, lasting ids, the hosts' handles (R10, R27)."""

from collections.abc import Set

from core.api.model import Device, EntityKind, OutputKind
from core.config import DeviceRule
from core.hub import CORE, Hub
from core.journal.envelope import Cause
from core.journal.events import Event
from core.registry import by_hand
from core.registry.declared import (
    Rules,
    bare,
    differs,
    kind_of,
    loosened,
    merged,
    patched,
)
from core.registry.events import (
    DeviceEnrolled,
    DeviceLoosened,
    DeviceRemoved,
    DeviceReplaced,
    DeviceZoned,
    EntityIds,
)
from core.registry.facts import NOTHING, Place, Possession, Said
from core.registry.state import DeviceRecord, EntityRecord, RegistryState
from core.registry.waiting import Listener, Proposal, Waiting


class Registry:
    """Answer what the site consists of, and who speaks for it.

    A device is known by (its host's configuration id, its uid); ids are given
    once and never change. Discovery only proposes: a `DeviceRule` of the bundle
    or a person enrols.
    """

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.proposals = Waiting(hub.clock)
        self._listeners: list[Listener] = []
        self._keys: dict[tuple[str, str], str] = {}
        self._declared: dict[tuple[str, str], Device] = {}
        self._uids: dict[str, set[str]] = {}
        self._handles: dict[str, dict[int, tuple[str, str]]] = {}
        self._peers: dict[str, str] = {}
        self._outputs: dict[tuple[str | None, OutputKind], list[EntityRecord]] = {}
        self._outputs_of: RegistryState | None = None
        """The state that `_outputs` was made of; None: it must be made anew."""
        self._rules = Rules(hub.bundle)
        changes = (DeviceEnrolled, DeviceReplaced, DeviceZoned, DeviceRemoved)
        hub.derive(changes, self._changed)

    # --- room -----------------------------------------------------------------

    def arm(self) -> None:
        """Rebuild the keys, and apply the bundle's rules to what is declared."""
        devices = self.hub.state.registry.devices
        self._keys = {(d.integration, d.uid): d.id for d in devices.values()}
        for (host, _), device in list(self._declared.items()):
            self._consider(host, device)
        for record in list(devices.values()):
            if (record.integration, record.uid) not in self._declared:
                self._consider(record.integration, self._remembered(record))

    def recover(self, clean: bool) -> None:
        """Rebuild the keys from the replayed state."""
        devices = self.hub.state.registry.devices
        self._keys = {(d.integration, d.uid): d.id for d in devices.values()}

    def tick(self) -> None:
        """Do nothing: the registry has no levels."""

    def listen(self, listener: Listener) -> None:
        """Tell a room of every change."""
        self._listeners.append(listener)

    # --- hosts ----------------------------------------------------------------

    def declare(self, host: str, device: Device, handles: dict[str, int]) -> None:
        """Take a host's announcement of a device and its handles."""
        name = bare(host)
        self._peers[name] = host
        self._declared[name, device.uid] = device
        self._uids.setdefault(name, set()).add(device.uid)
        self._consider(name, device)
        table = self._handles.setdefault(name, {})
        for uid, handle in handles.items():
            table[handle] = (device.uid, uid)
        for listener in self._listeners:
            listener.handles_changed(name)

    def withdraw(self, host: str, uid: str) -> None:
        """Hear that a device is no longer announced; enrolled ones stay, silent."""
        name = bare(host)
        self.proposals.pop((name, uid), None)
        self._declared.pop((name, uid), None)
        self._uids.get(name, set()).discard(uid)
        table = self._handles.get(name, {})
        for handle in [h for h, pair in table.items() if pair[0] == uid]:
            del table[handle]
        device_id = self._keys.get((name, uid))
        for listener in self._listeners:
            listener.handles_changed(name)
            if device_id is not None:
                listener.device_gone(device_id)

    def lost(self, host: str) -> None:
        """Forget a dead host's handles and proposals; what is enrolled stays."""
        name = bare(host)
        self._handles.pop(name, None)
        for key in [k for k in self.proposals if k[0] == name]:
            del self.proposals[key]
        for listener in self._listeners:
            listener.handles_changed(name)

    # --- questions ------------------------------------------------------------

    def declared_by(self, host: str) -> Set[str]:
        """Return the uids of the devices that a host has announced."""
        return self._uids.get(bare(host), frozenset())

    def declaration(self, record: DeviceRecord) -> Device | None:
        """Return what a device says of itself; None while it is not announced."""
        return self._declared.get((record.integration, record.uid))

    def point(self, host: str, handle: int) -> str | None:
        """Return the entity behind a host's handle; None while not enrolled."""
        pair = self._handles.get(bare(host), {}).get(handle)
        return None if pair is None else self.find(f"host:{bare(host)}", *pair)

    def device(self, device_id: str) -> DeviceRecord | None:
        """Return an enrolled device."""
        return self.hub.state.registry.devices.get(device_id)

    def entity(self, entity_id: str) -> EntityRecord | None:
        """Return an enrolled entity."""
        return self.hub.state.registry.entities.get(entity_id)

    def device_of(self, entity_id: str) -> DeviceRecord | None:
        """Return the device of an entity."""
        entity = self.entity(entity_id)
        return None if entity is None else self.device(entity.device_id)

    def find_device(self, host_or_integration: str, uid: str) -> DeviceRecord | None:
        """Return a device by its host's id or integration, and its own uid."""
        name = bare(host_or_integration)
        found = self._keys.get((name, uid))
        if found is not None or name != host_or_integration:
            return self.device(found or "")  # a host speaks for its own devices only
        for record in self.hub.state.registry.devices.values():
            kind = kind_of(self.hub.bundle, record.integration)
            if record.uid == uid and kind == name:
                return record
        return None

    def find(
        self, host_or_integration: str, device_uid: str, entity_uid: str
    ) -> str | None:
        """Return an entity's id by the uids that its driver gave."""
        record = self.find_device(host_or_integration, device_uid)
        entities = self.hub.state.registry.entities
        for entity_id in record.entities if record else ():
            if entities[entity_id].declared.uid == entity_uid:
                return entity_id
        return None

    def entities(
        self,
        zone_id: str | None = None,
        kind: EntityKind | None = None,
        quantity: str | None = None,
    ) -> list[EntityRecord]:
        """Return entities by the zone of their device, kind and quantity."""
        state = self.hub.state.registry
        return [
            record
            for record in state.entities.values()
            if (zone_id is None or state.devices[record.device_id].zone_id == zone_id)
            and (kind is None or record.declared.kind is kind)
            and (quantity is None or record.declared.quantity == quantity)
        ]

    def outputs(self, zone_id: str, kind: OutputKind) -> list[EntityRecord]:
        """Return the outputs of a kind that serve a zone."""
        state = self.hub.state.registry
        if self._outputs_of is not state:
            self._outputs, self._outputs_of = {}, state
            for record in self.entities(kind=EntityKind.OUTPUT):
                output = record.declared.output
                if output is not None:
                    zone = state.devices[record.device_id].zone_id
                    self._outputs.setdefault((zone, output.kind), []).append(record)
        return list(self._outputs.get((zone_id, kind), ()))

    def _changed(self, _: Event) -> None:
        self._outputs_of = None

    def host_of(self, device_id: str) -> str:
        """Return the link peer that speaks for a device; '' when it is unknown."""
        record = self.device(device_id)
        if record is None:
            return ""
        return self._peers.get(record.integration, f"host:{record.integration}")

    def rule(self, device_id: str) -> DeviceRule | None:
        """Return the rule in force for a device: the files', else by hand."""
        record = self.device(device_id)
        if record is None:
            return None
        return by_hand.completed(self.configured(device_id), record)

    def configured(self, device_id: str) -> DeviceRule | None:
        """Return the bundle's own rule for an enrolled device."""
        record = self.device(device_id)
        if record is None:
            return None
        return self._rule(*(record.known_as or (record.integration, record.uid)))

    def _rule(self, integration: str, uid: str) -> DeviceRule | None:
        if self._rules.bundle is not self.hub.bundle:
            self._rules = Rules(self.hub.bundle)
        return self._rules.find(integration, uid)

    # --- enrolment ------------------------------------------------------------

    def _consider(self, host: str, device: Device) -> None:
        record = self.device(self._keys.get((host, device.uid), ""))
        rule = self._rule(host, device.uid)
        if record is not None:
            rule = self.configured(record.id)
        elif rule is None:
            self.proposals.propose(host, device)
            return
        said = by_hand.kept(host, record, self._entities_of(record))
        shaped = patched(device, rule or said)
        zone = self._zone_by(rule, device, record)
        person = rule.person if rule is not None else None
        if person is None and record is not None:
            person = record.person_id
        self.put(host, shaped, record, Place(zone, person), CORE)

    def _zone_by(
        self, rule: DeviceRule | None, device: Device, record: DeviceRecord | None
    ) -> str | None:
        if rule is not None and rule.zone is not None:
            return rule.zone
        if record is not None:
            return record.zone_id
        known = {zone.id for zone in self.hub.bundle.site.zones}
        return device.suggested_zone if device.suggested_zone in known else None

    def put(
        self,
        host: str,
        device: Device,
        record: DeviceRecord | None,
        at: Place,
        cause: Cause,
        said: Said = NOTHING,
    ) -> str:
        """Enrol a device, or what has changed of it; return its id."""
        known = self._entities_of(record)
        device = merged(device, known, record)
        if record is not None:
            if said is NOTHING and not differs(record, known, device, *at):
                return record.id
            self._loosened(record, known, device, cause)
        ids = {e.declared.uid: e.id for e in known}
        new = self.hub.ids.new
        device_id = record.id if record is not None else new()
        entities = tuple(
            EntityIds(each.uid, ids.get(each.uid) or new()) for each in device.entities
        )
        self.hub.emit(
            DeviceEnrolled(
                device_id=device_id,
                integration=host,
                device=device,
                entities=entities,
                zone_id=at.zone_id,
                person_id=at.person_id,
                facts=said.facts,
                proof=said.proof,
            ),
            cause,
        )
        self._keys[host, device.uid] = device_id
        self.proposals.pop((host, device.uid), None)
        self.tell(device_id)
        return device_id

    def _loosened(
        self,
        record: DeviceRecord,
        known: list[EntityRecord],
        device: Device,
        cause: Cause,
    ) -> None:
        """Say first what a device no longer promises: the work there is held."""
        what = loosened(known, device)
        if what:
            self.hub.emit(
                DeviceLoosened(
                    device_id=record.id,
                    what=what,
                    zone_id=record.zone_id,
                    person_id=record.person_id,
                ),
                cause,
            )

    def remove(self, record: DeviceRecord, cause: Cause) -> None:
        """Take a device out; while it is announced it is a proposal again."""
        key = (record.integration, record.uid)
        self.hub.emit(DeviceRemoved(device_id=record.id), cause)
        self._keys.pop(key, None)
        self.tell(record.id)
        declared = self._declared.get(key)
        if declared is not None:
            self.proposals.propose(key[0], declared)

    def replace(
        self,
        record: DeviceRecord,
        proposal: Proposal,
        proof: Possession | None,
        cause: Cause,
    ) -> None:
        """Let a proposed device take the place, the name and the history of another."""
        old, host, device = record.uid, proposal.host, proposal.device
        was, now = (record.integration, old), (host, device.uid)
        self.hub.emit(
            DeviceReplaced(
                device_id=record.id,
                integration=host,
                device=device,
                was_uid=old,
                proof=proof,
            ),
            cause,
        )
        self._keys.pop(was, None)
        self._keys[now] = record.id
        self.proposals.pop(now, None)
        for listener in self._listeners:
            listener.device_gone(record.id)
        self._consider(host, device)
        for name in {was[0], host}:
            for listener in self._listeners:
                listener.handles_changed(name)
        if was != now and (declared := self._declared.get(was)) is not None:
            self.proposals.propose(was[0], declared)
        self.tell(record.id)

    def _entities_of(self, record: DeviceRecord | None) -> list[EntityRecord]:
        entities = self.hub.state.registry.entities
        return [entities[each] for each in record.entities] if record else []

    def _remembered(self, record: DeviceRecord) -> Device:
        return Device(
            uid=record.uid,
            name=record.name,
            manufacturer=record.manufacturer,
            model=record.model,
            entities=tuple(e.declared for e in self._entities_of(record)),
        )

    def tell(self, device_id: str) -> None:
        """Tell every room that a device is not what it was."""
        for listener in self._listeners:
            listener.device_changed(device_id)
