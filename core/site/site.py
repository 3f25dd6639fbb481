"""The plan of the site: levels, zones, muster points, and where a point lies."""

import math
from collections.abc import Iterable

from core import config
from core.config import MusterPoint, Names, Point, Zone
from core.hub import Hub

#: Mean molar mass of air, and how much another gas must differ to sink or rise.
_AIR_G_MOL, _ALIKE_G_MOL = 28.96, 1.0

#: A tag worn on a belt may read a little below its own floor.
_FLOOR_SLACK_M = 0.5


def contains(polygon: tuple[Point, ...], x: float, y: float) -> bool:
    """Say whether a point (metres) lies in a polygon; its edge belongs to it."""
    inside = False
    x1, y1 = polygon[-1] if polygon else (0.0, 0.0)
    for x2, y2 in polygon:
        if _on_edge((x1, y1), (x2, y2), (x, y)):
            return True
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            inside = not inside
        x1, y1 = x2, y2
    return inside


def _on_edge(a: Point, b: Point, p: Point) -> bool:
    if abs(_side(a, b, p)) > 1e-9:
        return False
    return min(a[0], b[0]) <= p[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= p[
        1
    ] <= max(a[1], b[1])


def to_edge(polygon: tuple[Point, ...], x: float, y: float) -> float:
    """Return the distance of a point from a polygon's edge in metres."""
    least = math.inf
    x1, y1 = polygon[-1] if polygon else (0.0, 0.0)
    for x2, y2 in polygon:
        dx, dy = x2 - x1, y2 - y1
        length = dx * dx + dy * dy
        along = ((x - x1) * dx + (y - y1) * dy) / length if length else 0.0
        along = min(1.0, max(0.0, along))
        least = min(least, math.hypot(x - x1 - along * dx, y - y1 - along * dy))
        x1, y1 = x2, y2
    return least


def area(polygon: tuple[Point, ...]) -> float:
    """Return a polygon's area in square metres."""
    total = 0.0
    x1, y1 = polygon[-1] if polygon else (0.0, 0.0)
    for x2, y2 in polygon:
        total += x1 * y2 - x2 * y1
        x1, y1 = x2, y2
    return abs(total) / 2


def middle(polygon: tuple[Point, ...]) -> Point:
    """Return the mean of a polygon's corners: somewhere in it, for most shapes."""
    count = max(len(polygon), 1)
    return sum(x for x, _ in polygon) / count, sum(y for _, y in polygon) / count


def overlap(a: tuple[Point, ...], b: tuple[Point, ...]) -> bool:
    """Say whether two polygons of a plan lie over each other, edges included."""
    inside = any(contains(b, x, y) for x, y in (*a, middle(a)))
    inside = inside or any(contains(a, x, y) for x, y in (*b, middle(b)))
    return inside or any(_cross(*p, *q) for p in _edges(a) for q in _edges(b))


def _edges(polygon: tuple[Point, ...]) -> list[tuple[Point, Point]]:
    return [(polygon[n - 1], polygon[n]) for n in range(len(polygon))]


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    return _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0


def _side(a: Point, b: Point, p: Point) -> float:
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


class Site:
    """Answer questions about the armed bundle's plan."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._zones: dict[str, Zone] = {}
        self._neighbours: dict[str, frozenset[str]] = {}
        self._by_level: dict[str, list[Zone]] = {}
        self._levels: list[config.Level] = []

    def arm(self) -> None:
        """Derive the tables from the bundle."""
        site = self._hub.bundle.site
        self._zones = {zone.id: zone for zone in site.zones}
        self._levels = sorted(site.levels, key=lambda level: level.z_m)
        beside: dict[str, set[str]] = {zone.id: set() for zone in site.zones}
        for zone in site.zones:
            for other in zone.neighbours:
                if other in beside:
                    beside[zone.id].add(other)
                    beside[other].add(zone.id)
        self._neighbours = {name: frozenset(found) for name, found in beside.items()}
        self._by_level = {}
        # The smallest zone first: a tank within a yard is the tank.
        for zone in sorted(site.zones, key=lambda zone: area(zone.polygon)):
            self._by_level.setdefault(zone.level, []).append(zone)

    def recover(self, clean: bool) -> None:
        """Owe nothing after a start."""

    def tick(self) -> None:
        """Have no levels to evaluate."""

    def zone(self, zone_id: str) -> Zone | None:
        """Return a zone, or None when the plan has no such id."""
        return self._zones.get(zone_id)

    def zones(self) -> tuple[Zone, ...]:
        """Return every zone of the plan."""
        return tuple(self._zones.values())

    def names(self, zone_id: str) -> Names:
        """Return a zone's names; an unknown id names itself."""
        zone = self._zones.get(zone_id)
        return zone.names if zone else Names(zh=zone_id, en=zone_id)

    def locate(self, x: float, y: float, z: float) -> str | None:
        """Return the zone at a point (metres), or None when it lies in none."""
        level = self._level_at(z)
        for zone in self._by_level.get(level, ()):
            if contains(zone.polygon, x, y):
                return zone.id
        return None

    def touching(self, x: float, y: float, z: float, radius: float) -> tuple[str, ...]:
        """Return the zones in which a circle (metres) on a level may lie."""
        found = []
        # The smallest first: what lies wholly in a tank is not in the yard round it.
        for zone in self._by_level.get(self._level_at(z), ()):
            within = contains(zone.polygon, x, y)
            clear = to_edge(zone.polygon, x, y) > radius
            if within or not clear:
                found.append(zone.id)
            if within and clear:
                break
        return tuple(found)

    def neighbours(self, zone_id: str) -> frozenset[str]:
        """Return the zones beside a zone, whichever of the two declared it."""
        return self._neighbours.get(zone_id, frozenset())

    def leaving(self, zones: Iterable[str], gas: str = "") -> tuple[str, ...]:
        """Return the zones to be left, those asked for first.

        What the plan declares is added: neighbours, named zones, levels over and
        under; where the gas decides, its weight against air does. One step only.
        """
        asked = tuple(dict.fromkeys(zones))
        found = list(asked)
        for zone_id in asked:
            zone = self._zones.get(zone_id)
            if zone is None:
                continue
            scope = zone.leave or self._hub.bundle.site.leave
            if scope.neighbours:
                found += sorted(self.neighbours(zone_id))
            found += [each for each in scope.zones if each in self._zones]
            found += self._stacked(zone, *self._sides(scope.levels, gas))
        return tuple(dict.fromkeys(found))

    def _sides(self, levels: str, gas: str) -> tuple[bool, bool]:
        """Return whether what lies below, and what lies above, is left too."""
        if levels != "gas":
            return levels in ("below", "both"), levels in ("above", "both")
        known = {each.id: each.molar_mass for each in self._hub.bundle.quantities}
        mass = known.get(gas)
        if not gas or mass is None:
            return True, True
        return mass > _AIR_G_MOL - _ALIKE_G_MOL, mass < _AIR_G_MOL + _ALIKE_G_MOL

    def _stacked(self, zone: Zone, below: bool, above: bool) -> list[str]:
        heights = {level.id: level.z_m for level in self._levels}
        here = heights.get(zone.level, 0.0)
        found = []
        for other in self._zones.values():
            height = heights.get(other.level, 0.0)
            wanted = (below and height < here) or (above and height > here)
            if wanted and overlap(zone.polygon, other.polygon):
                found.append(other.id)
        return found

    def muster_points(self) -> tuple[MusterPoint, ...]:
        """Return where people gather."""
        return self._hub.bundle.site.muster_points

    def muster_zone(self, point: MusterPoint) -> str | None:
        """Return the zone of a muster point, declared or found on the plan."""
        if point.zone_id:
            return point.zone_id
        for zone in self._by_level.get(point.level, ()):
            if contains(zone.polygon, *point.at):
                return zone.id
        return None

    def _level_at(self, z: float) -> str:
        found = self._levels[0].id if self._levels else ""
        for level in self._levels:
            if level.z_m <= z + _FLOOR_SLACK_M:
                found = level.id
        return found
