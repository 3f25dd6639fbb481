"""How far a fix may be from the truth: the circle that its device tells beside it.

A device that has an entity of the quantity `accuracy` (metres) says how far off its
place may be. Nobody whose circle reaches into a zone is certainly outside of it.
"""

from core.api.quality import Quality
from core.api.reading import Value
from core.config import Point
from core.hub import Hub
from core.people.state import Presence
from core.readings.readings import Readings
from core.site.site import Site

ACCURACY = "accuracy"


class Circles:
    """Answer which zones a location entity's fix may lie in."""

    def __init__(self, hub: Hub, readings: Readings, site: Site) -> None:
        self._hub, self._readings, self._site = hub, readings, site
        self._beside: dict[str, str] = {}
        """Location entity id → the accuracy entity of its device."""
        self._known: dict[str, tuple[Value, Value, tuple[str, ...]]] = {}

    def forget(self) -> None:
        """Derive anew: devices or the plan have changed."""
        self._beside.clear()
        self._known.clear()

    def zones(self, presence: Presence | None, found: str) -> tuple[str, ...]:
        """Return the zones that a fix's circle reaches, ``found`` among them or not.

        Without a radius that can be believed it reaches what is beside ``found``.
        """
        if presence is None:
            return ()
        entity_id = presence.source
        beside = self._beside.get(entity_id) or self._find(entity_id)
        if not beside:
            return ()
        radius = self._readings.get(beside)
        if radius.quality is not Quality.GOOD or not isinstance(radius.value, float):
            return tuple(sorted(self._site.neighbours(found)))
        place = self._readings.get(entity_id).value
        known = self._known.get(entity_id)
        if known is None or known[:2] != (place, radius.value):
            zones = self._reached(place, radius.value)
            known = place, radius.value, zones
            self._known[entity_id] = known
        return known[2]

    def _find(self, entity_id: str) -> str:
        registry = self._hub.state.registry
        entity = registry.entities.get(entity_id)
        device = registry.devices.get(entity.device_id) if entity else None
        for each in device.entities if device else ():
            if registry.entities[each].declared.quantity == ACCURACY:
                self._beside[entity_id] = each
                return each
        return ""

    def _reached(self, place: Value, radius: float) -> tuple[str, ...]:
        at = _point(place)
        if at is None:
            return ()
        return self._site.touching(*at[0], at[1], max(radius, 0.0))


def _point(place: Value) -> tuple[Point, float] | None:
    try:
        x, y, z = (float(part) for part in str(place).split(","))
    except ValueError:
        return None
    return (x, y), z
