"""Which zones lie upstream of a zone: by what flows there, and by the wind.

Material comes by the site's own plan (``upstream:`` of a zone). Gas comes with the
wind: a neighbour counts while the wind blows from there. A direction that is not
GOOD, a calm, or a plan without north leaves every neighbour upstream.
"""

import math
from collections.abc import Iterable

from core.api.quality import Quality
from core.kernel import Kernel
from core.registry.state import EntityRecord

DIRECTION, SPEED = "wind_direction", "wind"
#: A neighbour is upwind within so many degrees of the direction the wind comes from.
SPREAD_DEG = 67.5
#: Below it (m/s) the wind has no direction that anybody could rely on.
CALM_MS = 0.5
_Centre = tuple[float, float]


class Upwind:
    """Answer which zones are upstream; say when the answer is another one."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._vanes: list[str] = []
        self._speeds: list[str] = []
        self._told: tuple[int, ...] | None = ()
        self._centres: dict[str, _Centre] = {}

    def resolve(self, entities: Iterable[EntityRecord]) -> None:
        """Find the site's vanes and anemometers, and where its zones lie."""
        self._vanes, self._speeds = [], []
        for entity in entities:
            if entity.declared.quantity == DIRECTION:
                self._vanes.append(entity.id)
            elif entity.declared.quantity == SPEED:
                self._speeds.append(entity.id)
        zones = self._kernel.site.zones()
        self._centres = {zone.id: _centre(zone.polygon) for zone in zones}
        self._told = self._from()

    @property
    def vanes(self) -> tuple[str, ...]:
        """Return the entities by which the answer may change."""
        return (*self._vanes, *self._speeds)

    def turned(self) -> bool:
        """Look at the wind again; say whether it blows from elsewhere now."""
        before, self._told = self._told, self._from()
        return self._told != before

    def of(self, zone_id: str) -> set[str]:
        """Return the zones upstream of a zone, now."""
        zone = self._kernel.site.zone(zone_id)
        near = set(self._kernel.site.neighbours(zone_id))
        found = set(zone.upstream) if zone is not None else set()
        if self._told is None:
            return found | near
        return found | {other for other in near if self._blows(other, zone_id)}

    def may_be(self, zone_id: str) -> set[str]:
        """Return every zone that any wind would make upstream."""
        zone = self._kernel.site.zone(zone_id)
        near = set(self._kernel.site.neighbours(zone_id))
        return near | (set(zone.upstream) if zone is not None else set())

    # --- the wind -------------------------------------------------------------------

    def _from(self) -> tuple[int, ...] | None:
        """Return where the wind comes from (degrees), each vane's word; None unknown.

        Eight sectors are enough: it must not change with every gust.
        """
        geo = self._kernel.hub.bundle.site.geo
        read = self._kernel.readings.get
        vanes = [read(each) for each in self._vanes]
        speeds = [read(each) for each in self._speeds]
        if geo is None or not vanes:
            return None
        if any(each.quality is not Quality.GOOD for each in (*vanes, *speeds)):
            return None
        blown = [_number(each.value) for each in speeds]
        if any(speed is None or speed < CALM_MS for speed in blown):
            return None
        told = [_number(each.value) for each in vanes]
        if any(each is None or not 0 <= each <= 360 for each in told):
            return None
        sectors = {round((each or 0.0) / 45) % 8 * 45 for each in told}
        return tuple(sorted(sectors))

    def _blows(self, other: str, zone_id: str) -> bool:
        """Say whether some vane's wind comes from a neighbour."""
        here, there = self._centres.get(zone_id), self._centres.get(other)
        geo = self._kernel.hub.bundle.site.geo
        if here is None or there is None or here == there or geo is None:
            return True
        dx, dy = there[0] - here[0], there[1] - here[1]
        bearing = math.degrees(math.atan2(dx, dy)) + geo.bearing_deg
        return any(_apart(bearing, each) <= SPREAD_DEG for each in self._told or ())


def _apart(one: float, other: float) -> float:
    return abs((one - other + 180) % 360 - 180)


def _number(value: object) -> float | None:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if plain and math.isfinite(value) else None  # type: ignore[arg-type]


def _centre(polygon: tuple[tuple[float, float], ...]) -> _Centre:
    count = max(len(polygon), 1)
    return sum(x for x, _ in polygon) / count, sum(y for _, y in polygon) / count
