"""Who is where: tags, gates and the hand; unknown never counts as outside."""

import math
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from core import config
from core.api.errors import Refused
from core.api.model import EntityKind
from core.api.quality import NEVER_ACTS, Quality
from core.api.reading import Reading, Value, is_on
from core.clock import NS
from core.hub import Hub
from core.journal.envelope import Cause, Envelope
from core.logic.truth import Truth
from core.people.access import Access
from core.people.acts import MovePerson
from core.people.calls import CALLS, Calls
from core.people.circles import Circles
from core.people.events import OUTSIDE, PersonMoved
from core.people.state import Presence
from core.people.wear_events import WearEnded, WearTaken
from core.readings.readings import Readings
from core.registry.events import DeviceEnrolled, DeviceRemoved, DeviceReported
from core.registry.registry import Registry
from core.registry.state import DeviceRecord
from core.response.events import RosterLine
from core.site.site import Site

#: A fix must stand this long in another zone: tags flicker on a border.
DWELL_S = 1.5
#: After a start hosts need a moment to tell again what their tags say.
SETTLE_S = 15.0


class _Candidate(msgspec.Struct):
    """Remember a zone that a tag has pointed to, and since when (boot ns)."""

    zone_id: str
    entity_id: str
    since_ns: int


class People:
    """Keep presence; answer who is inside, on site, of a role."""

    def __init__(
        self,
        hub: Hub,
        registry: Registry,
        readings: Readings,
        site: Site,
        access: Access,
    ) -> None:
        self._hub, self._site = hub, site
        self.registry, self.readings, self.access = registry, readings, access
        self.calls = Calls(hub, self, readings.alarms)
        self._circles = Circles(hub, readings, site)
        self._persons: dict[str, config.Person] = {}
        self._by_tag: dict[str, str] = {}
        self._wearers: dict[str, str] = {}
        """Location entity id → person id."""
        self._tags: dict[str, list[str]] = {}
        self._last: dict[str, list[str]] = {}
        """Person id → fixes of what they took last and are not bound to any more."""
        self._worn: set[str] = set()
        self._watched: set[str] = set()
        self._candidates: dict[str, _Candidate] = {}
        self._told_ns: dict[str, int] = {}
        """Person id → boot ns of a gate's or a hand's word: older fixes are void."""
        self._settled_ns = 0
        hub.on(DeviceEnrolled, lambda body, _envelope: self._changed(body.device_id))
        hub.on(DeviceRemoved, lambda body, _envelope: self._changed(body.device_id))
        hub.on(DeviceReported, self._reported)
        hub.on(WearTaken, lambda body, _envelope: self._changed(body.device_id))
        hub.on(WearEnded, lambda body, _envelope: self._changed(body.device_id))
        access.bind(MovePerson, self._move_by_hand)

    def arm(self) -> None:
        """Derive persons and the wearers of tags."""
        people = self._hub.bundle.people
        self._persons = {person.id: person for person in people}
        self._by_tag = {tag: person.id for person in people for tag in person.tags}
        self._derive()

    def recover(self, clean: bool) -> None:
        """Give tags a moment to speak before their silence is journalled."""
        self._derive()
        self._settled_ns = self._hub.clock.mono_ns() + int(SETTLE_S * NS)

    def tick(self) -> None:
        """Judge every tag's wearer again: fixes age without a message."""
        for person_id in self._tags:
            self._judge(person_id)

    # --- answers --------------------------------------------------------------

    def person(self, person_id: str) -> config.Person | None:
        """Return a person of the site; the journal alone may know the owner."""
        found = self._persons.get(person_id)
        if found is None and self.access.known(person_id):
            roles = tuple(sorted(self.access.roles(person_id)))
            return config.Person(id=person_id, name=person_id, roles=roles)
        return found

    def with_role(self, role: str) -> list[config.Person]:
        """Return the people who hold a role."""
        ids = [p for p in self.access.persons() if role in self.access.roles(p)]
        return [found for p in ids if (found := self.person(p)) is not None]

    def where(self, person_id: str) -> Presence | None:
        """Return where a person was last found, or None when never."""
        return self._hub.state.people.presence.get(person_id)

    def found(self, person_id: str) -> str | None:
        """Return the zone of a fix that still stands, '' outside, None unknown."""
        presence = self.where(person_id)
        if presence is None or presence.zone_id is None:
            return None
        if self._wearers.get(presence.source) == person_id:
            good = self.readings.get(presence.source).quality is Quality.GOOD
            return presence.zone_id if good else None
        return None if self._is_entity(presence.source) else presence.zone_id

    def on_site(self, person_id: str) -> Truth:
        """Say whether a person is in a zone of the plan."""
        zone_id = self.found(person_id)
        if zone_id is None:
            return Truth.UNKNOWN
        return Truth.FALSE if zone_id == OUTSIDE else Truth.TRUE

    def wearers(self) -> Mapping[str, str]:
        """Return whose fix each location entity is: entity id → person id."""
        return self._wearers

    def wearer(self, device_id: str) -> str | None:
        """Return who wears a device: enrolled or taken so, else whose tag it is."""
        device = self._hub.state.registry.devices.get(device_id)
        if device is not None and device.person_id is not None:
            return device.person_id
        return self._by_tag.get(device.uid if device else device_id)

    def points_to(self, device: DeviceRecord) -> str | None:
        """Return the zone that a device's own fix points to, proven or not."""
        entities = self._hub.state.registry.entities
        for entity_id in device.entities:
            if entities[entity_id].declared.kind is EntityKind.LOCATION:
                fix = self.readings.get(entity_id)
                if fix.quality not in NEVER_ACTS and (zone := self._zone_of(fix.value)):
                    return zone
        return None

    def unnamed(self, zone_ids: Iterable[str]) -> list[tuple[str, str]]:
        """Return devices that somebody wears in the zones and nobody took, by name.

        What its last wearer may still wear counts as that person.
        """
        zones, registry = set(zone_ids), self._hub.state.registry
        found = []
        for device in registry.devices.values():
            last = self._hub.state.people.worn.get(device.id)
            if self.wearer(device.id) or (last and self.found(last.person_id) is None):
                continue
            worn = [registry.entities[e] for e in device.entities]
            if any(
                e.declared.quantity == "wear" and is_on(self.readings.get(e.id).value)
                for e in worn
            ):
                zone_id = self.points_to(device)
                if zone_id in zones and zone_id is not None:
                    found.append((device.name, zone_id))
        return found

    def in_zone(self, person_id: str, zone_id: str) -> Truth:
        """Say whether a person is in a zone; unknown never counts as outside."""
        found = self.found(person_id)
        if found is None:
            return Truth.UNKNOWN
        if found == zone_id:
            return Truth.TRUE
        near = zone_id in self._circles.zones(self.where(person_id), found)
        return Truth.UNKNOWN if near else Truth.FALSE

    def inside(self, zone_ids: Iterable[str]) -> list[RosterLine]:
        """Return who is in the zones, and who was last known there."""
        zones, lines = set(zone_ids), []
        known = self._hub.state.people.presence
        for person_id in dict.fromkeys((*known, *self._tags, *self._last)):
            found = self.found(person_id)
            if found is not None and found in zones:
                lines.append(_line(person_id, found, certain=True))
                continue
            may: Iterable[str] = self.may_be_in(person_id)
            if found is not None:
                may = self._circles.zones(self.where(person_id), found)
            maybe = next((z for z in may if z in zones), None)
            if maybe is not None:
                lines.append(_line(person_id, maybe, certain=False))
        return lines

    def may_be_in(self, person_id: str) -> Iterator[str]:
        """Yield where one who is not found may be: nothing of it proves absence.

        The last known zone, and what fixes point to that prove nothing: by
        satellite, or of a helmet whose binding is over.
        """
        presence = self.where(person_id)
        if presence and (last := presence.zone_id or presence.last_zone_id):
            yield last
        told_ns = self._told_ns.get(person_id, -1)
        mine = (*self._tags.get(person_id, ()), *self._last.get(person_id, ()))
        for fix in map(self.readings.get, mine):
            if fix.quality not in NEVER_ACTS and fix.received_ns > told_ns:
                zone_id = self._zone_of(fix.value)
                if zone_id:
                    yield zone_id

    def may_be_inside(self, zone_id: str) -> bool:
        """Say whether anybody is in a zone, or has work there and cannot be found."""
        if self.inside([zone_id]):
            return True
        at_work = {
            worker
            for permit in self._hub.state.permits.permits.values()
            if permit.zone_id == zone_id and permit.status != "closed"
            for worker in permit.workers
        }
        return any(self.found(worker) is None for worker in at_work)

    # --- tags -----------------------------------------------------------------

    def _changed(self, device_id: str) -> None:
        registry = self._hub.state.registry
        device = registry.devices.get(device_id)
        mine = [registry.entities[each] for each in device.entities] if device else []
        calls = any(each.declared.quantity in CALLS for each in mine)
        if calls or device_id in self._worn or self.wearer(device_id) is not None:
            before = self._tags
            self._derive()
            for person_id in before.keys() - self._tags.keys():
                self._judge(person_id)  # whose only fix is no longer theirs

    def _derive(self) -> None:
        registry = self._hub.state.registry
        self._circles.forget()
        self._wearers, self._tags, self._last, self._worn = {}, {}, {}, set()
        for device in registry.devices.values():
            person_id = self.wearer(device.id)
            last = self._hub.state.people.worn.get(device.id)
            fixes = [
                entity_id
                for entity_id in device.entities
                if registry.entities[entity_id].declared.kind is EntityKind.LOCATION
            ]
            if person_id is not None:
                self._worn.add(device.id)
                self._wearers.update(dict.fromkeys(fixes, person_id))
                self._tags.setdefault(person_id, []).extend(fixes)
            elif last is not None:
                self._last.setdefault(last.person_id, []).extend(fixes)
        # A button may be told as a state (binary sensor) and not as an event.
        calls = {
            entity.id
            for entity in registry.entities.values()
            if entity.declared.kind is EntityKind.BINARY
            and entity.declared.quantity in CALLS
        }
        for entity_id in sorted((self._wearers.keys() | calls) - self._watched):
            self._watched.add(entity_id)
            self.readings.watch(entity_id, self._read)

    def _read(self, reading: Reading) -> None:
        entity = self._hub.state.registry.entities.get(reading.entity_id)
        if entity is not None and entity.declared.quantity in CALLS:
            self.calls.pressed(entity, reading)
            return
        person_id = self._wearers.get(reading.entity_id)
        if person_id is not None:
            self._judge(person_id)

    def _judge(self, person_id: str) -> None:
        fixes = [
            self.readings.get(entity_id) for entity_id in self._tags.get(person_id, ())
        ]
        told_ns = self._told_ns.get(person_id, -1)
        good = [
            fix
            for fix in fixes
            if fix.quality is Quality.GOOD
            and fix.received_ns > told_ns
            and self._zone_of(fix.value) is not None
        ]
        presence = self.where(person_id)
        if not good:
            self._candidates.pop(person_id, None)
            if presence is not None and self._lost(presence):
                self._moved(person_id, None, "lost")
            return
        fix = max(good, key=lambda fix: fix.received_ns)
        zone_id = self._zone_of(fix.value)
        if zone_id is None:
            return
        known = presence.zone_id if presence else None
        if zone_id == known:
            self._candidates.pop(person_id, None)
        elif known is None or self._dwelt(person_id, zone_id, fix.entity_id):
            self._candidates.pop(person_id, None)
            self._moved(person_id, zone_id, fix.entity_id)

    def _lost(self, presence: Presence) -> bool:
        if presence.zone_id is None or not self._is_entity(presence.source):
            return False
        return self._hub.clock.mono_ns() >= self._settled_ns

    def _dwelt(self, person_id: str, zone_id: str, entity_id: str) -> bool:
        now = self._hub.clock.mono_ns()
        seen = self._candidates.get(person_id)
        if seen is None or seen.zone_id != zone_id:
            self._candidates[person_id] = _Candidate(zone_id, entity_id, now)
            return False
        return now - seen.since_ns >= int(DWELL_S * NS)

    def _zone_of(self, value: Value) -> str | None:
        if not isinstance(value, str):
            return None
        if self._site.zone(value) is not None:
            return value
        try:
            x, y, z = (float(part) for part in value.split(","))
        except ValueError:
            return None
        if not all(map(math.isfinite, (x, y, z))):
            return None
        return self._site.locate(x, y, z) or OUTSIDE

    def _is_entity(self, source: str) -> bool:
        return source not in ("gate", "hand", "lost")

    def _moved(
        self,
        person_id: str,
        zone_id: str | None,
        source: str,
        cause: Cause | None = None,
    ) -> None:
        presence = self.where(person_id)
        if not self._is_entity(source) and source != "lost":
            self._told_ns[person_id] = self._hub.clock.mono_ns()
            self._candidates.pop(person_id, None)
        if presence and (presence.zone_id, presence.source) == (zone_id, source):
            return
        body = PersonMoved(person_id=person_id, zone_id=zone_id, source=source)
        self._hub.emit(body, cause or Cause(actor=f"entity:{source}"))

    # --- reports and acts -----------------------------------------------------

    def _reported(self, body: DeviceReported, envelope: Envelope) -> None:
        cause = Cause(actor=f"device:{body.device_id}", parent=envelope.id)
        if body.kind == "gate":
            self._through_gate(body, cause)
        else:
            self.calls.reported(body, envelope)

    def _through_gate(self, body: DeviceReported, cause: Cause) -> None:
        person_id = self._carded(body)
        device = self._hub.state.registry.devices.get(body.device_id)
        # What somebody wears is no gate, whatever it says.
        if person_id is None or device is None or device.person_id is not None:
            return
        zone_id = str(body.params.get("zone_id") or device.zone_id or "")
        if body.params.get("direction", "in") == "out":
            presence = self.where(person_id)
            elsewhere = zone_id and presence and presence.zone_id not in (None, zone_id)
            # Leaving a room by its gate says nothing of one who is elsewhere.
            if not elsewhere:
                self._moved(person_id, OUTSIDE, "gate", cause)
        elif self._site.zone(zone_id) is not None:
            self._moved(person_id, zone_id, "gate", cause)

    def _carded(self, body: DeviceReported) -> str | None:
        named = body.params.get("person_id")
        if isinstance(named, str) and self.access.known(named):
            return named
        return self._by_tag.get(str(body.params.get("tag", "")))

    def _move_by_hand(
        self, _actor: str, act: MovePerson, _version: int | None, cause: Cause
    ) -> dict[str, Value]:
        if not self.access.known(act.person_id):
            raise Refused("act.person_unknown", person=act.person_id)
        if act.zone_id != OUTSIDE and self._site.zone(act.zone_id) is None:
            raise Refused("site.zone_unknown", zone=act.zone_id)
        self._moved(act.person_id, act.zone_id, "hand", cause)
        return {"person_id": act.person_id}


def _line(person_id: str, zone_id: str | None, *, certain: bool) -> RosterLine:
    return RosterLine(person_id=person_id, zone_id=zone_id, certain=certain)
