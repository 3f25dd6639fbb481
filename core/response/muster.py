"""Which muster points are offered: none that is in danger, unseen or downwind."""

import math
from collections.abc import Collection
from typing import Final, NamedTuple

from core.api.quality import Quality
from core.api.reading import Reading
from core.clock import NS
from core.config import MusterPoint
from core.hub import Hub
from core.people.people import People
from core.response.roll_state import EvacuationRecord
from core.site.site import Site, middle

#: Half of the sector behind a source into which its gas may drift, degrees.
_SECTOR_DEG: Final = 60.0
#: Below this wind speed (m/s) a vane's direction means nothing.
_CALM_MS: Final = 0.5
#: A point that was refused is offered again only when it was fine for so long.
_AGAIN_S: Final = 300.0
#: Quantities that tell where the wind comes from (degrees), and how fast (m/s).
_VANE, _SPEED = "wind_direction", "wind"
_DRILL: Final = "DRILL"


class Offer(NamedTuple):
    """Say where to gather, where not and why, and what is known of the wind."""

    offered: tuple[str, ...]
    refused: dict[str, str]
    wind: str


class Wind(NamedTuple):
    """Hold what GOOD vanes say: every direction counts, one bad vane is unknown."""

    from_deg: tuple[float, ...]
    said: str


class Muster:
    """Judge muster points for a roll call; keeps who was refused for a while."""

    def __init__(self, hub: Hub, site: Site, people: People) -> None:
        self._hub, self._site, self._people = hub, site, people
        self._fine_ns: dict[tuple[str, str], int] = {}
        """(evacuation, point) → boot ns since when a refused point is fine."""

    def begin(self, zones: Collection[str], asked: Collection[str], mark: str) -> Offer:
        """Return what is offered when an evacuation begins."""
        wind, refused = self._wind(), {}
        for point in self._site.muster_points():
            why = self._why(point, zones, asked, wind, mark, blocked=())
            if why:
                refused[point.id] = why
        return self._offer(refused, wind)

    def again(self, record: EvacuationRecord) -> Offer:
        """Return what is offered now; who was refused waits until it is long fine."""
        wind, refused = self._wind(), {}
        blocked = record.drill.blocked() if record.drill is not None else ()
        zones, asked = record.zones, self._sources(record)
        for point in self._site.muster_points():
            why = self._why(point, zones, asked, wind, record.mark, blocked)
            key = (record.id, point.id)
            if why:
                self._fine_ns.pop(key, None)
                refused[point.id] = why
            elif point.id in record.refused and not self._long_fine(key):
                refused[point.id] = record.refused[point.id]
        return self._offer(refused, wind)

    def forget(self, record: EvacuationRecord) -> None:
        """Drop what was kept for a roll call that is over."""
        for point in self._site.muster_points():
            self._fine_ns.pop((record.id, point.id), None)

    def zones(self, record: EvacuationRecord) -> set[str]:
        """Return the zones of muster points in which somebody may be seen to be out."""
        found = {self._site.muster_zone(p) for p in self._site.muster_points()}
        return {zone for zone in found if zone and zone not in record.zones}

    def _offer(self, refused: dict[str, str], wind: Wind) -> Offer:
        points = self._site.muster_points()
        offered = tuple(p.id for p in points if p.id not in refused)
        return Offer(offered, refused, wind.said)

    def _long_fine(self, key: tuple[str, str]) -> bool:
        now = self._hub.clock.mono_ns()
        return now - self._fine_ns.setdefault(key, now) >= int(_AGAIN_S * NS)

    def _why(
        self,
        point: MusterPoint,
        zones: Collection[str],
        sources: Collection[str],
        wind: Wind,
        mark: str,
        blocked: Collection[str],
    ) -> str:
        """Return why a point is not offered, or ''."""
        zone_id = self._site.muster_zone(point)
        if zone_id in zones:
            return "left"
        if point.id in blocked:
            return "blocked"
        if self._in_alarm(zone_id, mark):
            return "alarm"
        if zone_id in self._people.readings.unmonitored():
            return "unmonitored"
        return "downwind" if self._downwind(point, sources, wind) else ""

    def _in_alarm(self, zone_id: str | None, mark: str) -> bool:
        """A drill's alarms count in a drill; real ones count always."""
        return zone_id is not None and any(
            alarm.stands and alarm.mark in ("", mark)
            for alarm in self._hub.state.alarms.places.vital(zone_id)
        )

    def _sources(self, record: EvacuationRecord) -> list[str]:
        """Return the zones from which gas may drift: those in alarm, else the asked."""
        found = [zone for zone in record.zones if self._in_alarm(zone, record.mark)]
        return found or record.asked

    # --- wind -----------------------------------------------------------------

    def _wind(self) -> Wind:
        """Read vanes and anemometers; only GOOD ones are believed."""
        registry, readings = self._people.registry, self._people.readings
        vanes = [readings.get(e.id) for e in registry.entities(quantity=_VANE)]
        speeds = [readings.get(e.id) for e in registry.entities(quantity=_SPEED)]
        good = tuple(d for each in vanes if (d := _good(each)) is not None)
        calm = [_good(each) for each in speeds]
        if calm and all(speed is not None and speed < _CALM_MS for speed in calm):
            return Wind((), "calm")
        if self._hub.bundle.site.geo is None:
            return Wind((), "unknown")  # nobody has said where north is
        known = bool(good) and len(good) == len(vanes)
        return Wind(good, f"{good[0] % 360:.0f}" if known else "unknown")

    def _downwind(
        self, point: MusterPoint, sources: Collection[str], wind: Wind
    ) -> bool:
        geo = self._hub.bundle.site.geo
        if geo is None or not wind.from_deg:
            return False
        for zone_id in sources:
            zone = self._site.zone(zone_id)
            if zone is None:
                continue
            x, y = middle(zone.polygon)
            to = geo.bearing_deg + math.degrees(
                math.atan2(point.at[0] - x, point.at[1] - y)
            )
            if any(_apart(to, blows + 180.0) <= _SECTOR_DEG for blows in wind.from_deg):
                return True
        return False


def _apart(a: float, b: float) -> float:
    """Return the angle between two bearings, 0 to 180 degrees."""
    return abs((a - b + 180.0) % 360.0 - 180.0)


def _good(reading: Reading) -> float | None:
    value = reading.value
    if reading.quality is not Quality.GOOD or isinstance(value, bool):
        return None
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
