"""The points by entity, by host handle and by place."""

import itertools

from core import config
from core.api.model import EntityKind
from core.hub import Hub
from core.readings.point import GOOD, INHIBITED, Point
from core.registry.registry import Registry


class Table:
    """Derive the points from the registry; live values outlast every change."""

    def __init__(self, hub: Hub, registry: Registry) -> None:
        self._hub, self._registry = hub, registry
        self.points: dict[str, Point] = {}
        self.caps: dict[str, int] = {}
        """Device id → the best quality that its calibration allows."""
        self.strays = 0
        """Rows of handles that no enrolled entity has (proposals, late rows)."""
        self._numbers = itertools.count(1)
        self._handles: dict[str, dict[int, Point]] = {}
        self._by_device: dict[str, list[Point]] = {}
        self._unsorted = False
        """True: places are to be derived anew when somebody asks."""
        self._by_place: dict[tuple[str | None, str], list[Point]] = {}
        self._moving: dict[str, list[Point]] = {}
        self._critical: dict[str | None, list[Point]] = {}
        """Zone id → its critical points; None: those whose zone moves."""

    def configure(
        self, entity_id: str, quantities: dict[str, config.Quantity]
    ) -> Point:
        """Make or update the point of an enrolled entity."""
        state = self._hub.state.registry
        entity = state.entities[entity_id]
        device = state.devices[entity.device_id]
        point = self.points.get(entity_id)
        if point is None:
            now = self._hub.clock.mono_ns()
            point = Point(entity_id, next(self._numbers), now)
            self.points[entity_id] = point
            self._by_device.setdefault(device.id, []).append(point)
        point.host, point.device_id = device.integration, device.id
        point.zone_id, point.person_id = device.zone_id, device.person_id
        point.geo = self._hub.bundle.site.geo
        quantity = quantities.get(entity.declared.quantity)
        before = point.cap
        point.configure(entity.declared, self._registry.rule(device.id), quantity)
        if point.kind is EntityKind.GAS:
            point.cap = max(point.cap, self.caps.get(device.id, GOOD))
        if device.id in self._hub.state.alarms.serviced:
            point.cap = max(point.cap, INHIBITED)
        if point.cap != before:
            point.capped()
        return point

    def drop(self, entity_id: str) -> Point:
        """Take a point out."""
        point = self.points.pop(entity_id)
        self._by_device[point.device_id].remove(point)
        for handles in self._handles.values():
            for handle in [h for h, each in handles.items() if each is point]:
                del handles[handle]
        return point

    def of_device(self, device_id: str) -> list[Point]:
        """Return the points of a device."""
        return list(self._by_device.get(device_id, ()))

    def of_host(self, host: str) -> list[Point]:
        """Return the points that a host speaks for."""
        return [p for p in self.points.values() if p.host == host]

    def place(self) -> None:
        """Let the points be sorted by place anew: once for many devices."""
        self._unsorted = True

    def _sort(self) -> None:
        """Sort the points by zone and quantity; worn ones move with a person."""
        self._unsorted = False
        self._by_place, self._moving, self._critical = {}, {}, {}
        for point in self.points.values():
            if point.critical:
                self._critical.setdefault(point.zone_id, []).append(point)
            quantity = point.declared.quantity
            if point.zone_id is None and point.person_id is not None:
                self._moving.setdefault(quantity, []).append(point)
            else:
                key = (point.zone_id, quantity)
                self._by_place.setdefault(key, []).append(point)

    def in_zone(self, zone_id: str, quantity: str) -> list[Point]:
        """Return the points of a quantity in a zone, worn ones included."""
        if self._unsorted:
            self._sort()
        found = list(self._by_place.get((zone_id, quantity), ()))
        for point in self._moving.get(quantity, ()):
            if self.zone_of(point) == zone_id:
                found.append(point)
        return found

    def critical(self, zone_id: str) -> list[Point]:
        """Return the critical points of a zone, worn ones included."""
        if self._unsorted:
            self._sort()
        worn = [p for p in self._critical.get(None, ()) if self.zone_of(p) == zone_id]
        return [*self._critical.get(zone_id, ()), *worn]

    def zone_of(self, point: Point) -> str | None:
        """Return a point's zone: its device's, or where its wearer was last found."""
        if point.zone_id is not None or point.person_id is None:
            return point.zone_id
        presence = self._hub.state.people.presence.get(point.person_id)
        if presence is None:
            return None
        return presence.zone_id or presence.last_zone_id

    def handles(self, host: str) -> dict[int, Point]:
        """Return the points of a host by handle, as far as they were resolved."""
        return self._handles.setdefault(host, {})

    def of_handle(self, host: str, handle: int) -> Point | None:
        """Return the point of a handle; counts those that have none."""
        known = self.handles(host)
        if handle in known:
            return known[handle]
        entity_id = self._registry.point(host, handle)
        point = self.points.get(entity_id) if entity_id is not None else None
        if point is None:
            self.strays += 1
        else:
            known[handle] = point
        return point

    def forget(self, host: str) -> None:
        """Let a host's handles be resolved anew."""
        self._handles.pop(host, None)
