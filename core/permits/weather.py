"""What the site's weather sensors say, the worst of those that count for a zone.

A zone's own sensors count, else those that stand for the whole site, else all. One
of them that is not GOOD leaves the fact open: a second meter never stands in for one
that fell silent (R5).
"""

import bisect
import math
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from core.api.quality import Quality
from core.api.reading import Reading, Value, is_on
from core.hub import Hub
from core.readings.readings import Readings
from core.registry.events import DeviceEnrolled, DeviceRemoved, DeviceZoned

Values = dict[str, Value]


class Measured(NamedTuple):
    """Say which quantities tell a number, in which unit, and which one is worse."""

    quantities: tuple[str, ...]
    unit: str
    worst: Callable[[Iterable[float]], float]
    own_zone: bool = False
    """True: only sensors of the zone itself tell it."""


_NUMBERS: Final = {
    "wind_ms": Measured(("wind", "gust"), "m/s", max),
    "temperature_c": Measured(("air_temperature",), "°C", max),
    # Dust in a space is no weather: another place's clear air says nothing of it.
    "visibility_m": Measured(("visibility",), "m", min, own_zone=True),
}
#: Each is told by the quantity of its own name; ON is bad news.
_SIGNS: Final = ("fog", "heavy_rain", "heavy_snow", "lightning")

#: Quantity → the fact that it tells.
_FACTS: Final = {q: fact for fact, each in _NUMBERS.items() for q in each.quantities}
_FACTS.update({sign: sign for sign in _SIGNS})
#: Every fact that a sensor may tell.
WEATHER: Final = frozenset((*_NUMBERS, *_SIGNS))


class Weather:
    """Keep which sensors tell which fact of which zone."""

    def __init__(self, hub: Hub, readings: Readings) -> None:
        self._hub, self._readings = hub, readings
        self.changed: Callable[[str, str | None], None] = lambda _fact, _zone: None
        """Called with a fact and the zone of its sensor (None: the site's)."""
        self._sensors: dict[str, dict[str | None, list[str]]] = {}
        """Fact → zone (None: the whole site) → entities."""
        self._fact_of: dict[str, tuple[str, str | None]] = {}
        self._tellers: set[str] = set()
        """Devices of which an entity tells weather."""
        self._units: dict[str, str] = {}
        self._steps: dict[str, list[float]] = {}
        """Fact → the values at which a pack's rule may change its mind."""
        self._step: dict[str, int] = {}
        self._watched: set[str] = set()
        hub.on(DeviceEnrolled, lambda body, _envelope: self._changed(body.device_id))
        hub.on(DeviceZoned, lambda body, _envelope: self._changed(body.device_id))
        hub.on(DeviceRemoved, lambda body, _envelope: self._changed(body.device_id))
        readings.on_change(self._flipped)

    def arm(self) -> None:
        """Derive sensors, units and the packs' thresholds from the bundle."""
        bundle = self._hub.bundle
        self._units = {each.id: each.unit for each in bundle.quantities}
        settings = [each for pack in bundle.packs for each in pack.settings]
        self._steps = {
            fact: sorted({s.value for s in settings if s.unit == number.unit})
            for fact, number in _NUMBERS.items()
        }
        self._derive()

    def facts(self, zone_id: str) -> tuple[Values, frozenset[str]]:
        """Return what sensors tell of a zone, and which facts have a sensor at all."""
        found: Values = {}
        sensed = set()
        for fact, places in self._sensors.items():
            sensors = _counting(fact, places, zone_id)
            if not sensors:
                continue
            sensed.add(fact)
            value = self._judge(fact, [self._readings.get(each) for each in sensors])
            if value is not None:
                found[fact] = value
        return found, frozenset(sensed)

    def own(self, fact: str, zone_id: str) -> bool:
        """Say whether a zone has a sensor of its own for a fact."""
        return bool(self._sensors.get(fact, {}).get(zone_id))

    # --- judging --------------------------------------------------------------

    def _judge(self, fact: str, readings: list[Reading]) -> Value:
        if any(each.quality is not Quality.GOOD for each in readings):
            return None
        if fact in _SIGNS:
            return any(is_on(each.value) for each in readings)
        values = [self._number(fact, each) for each in readings]
        known = [each for each in values if each is not None]
        if len(known) < len(values):
            return None
        return _NUMBERS[fact].worst(known)

    def _number(self, fact: str, reading: Reading) -> float | None:
        entity = self._hub.state.registry.entities.get(reading.entity_id)
        value = reading.value
        if entity is None or isinstance(value, bool):
            return None
        # A quantity that the site does not know was not converted on entry.
        if self._units.get(entity.declared.quantity) != _NUMBERS[fact].unit:
            return None
        if not isinstance(value, int | float) or not math.isfinite(value):
            return None
        return float(value)

    # --- sensors --------------------------------------------------------------

    def _changed(self, device_id: str) -> None:
        """Derive anew when the device tells weather, or told it: few do."""
        registry = self._hub.state.registry
        device = registry.devices.get(device_id)
        tells = device is not None and any(
            registry.entities[each].declared.quantity in _FACTS
            for each in device.entities
        )
        if tells or device_id in self._tellers:
            self._derive()

    def _derive(self) -> None:
        registry = self._hub.state.registry
        self._sensors, self._fact_of, self._tellers = {}, {}, set()
        for entity in registry.entities.values():
            fact = _FACTS.get(entity.declared.quantity)
            device = registry.devices.get(entity.device_id)
            if fact is None or device is None or device.person_id is not None:
                continue
            self._tellers.add(device.id)
            places = self._sensors.setdefault(fact, {})
            places.setdefault(device.zone_id or None, []).append(entity.id)
            self._fact_of[entity.id] = (fact, device.zone_id or None)
            if fact in _NUMBERS and entity.id not in self._watched:
                self._watched.add(entity.id)
                self._readings.watch(entity.id, self._read)

    def _flipped(self, entity_id: str, _reading: Reading) -> None:
        known = self._fact_of.get(entity_id)
        if known is not None:
            self.changed(*known)

    def _read(self, reading: Reading) -> None:
        """Hear of a number: only one that passes a rule's threshold matters."""
        known = self._fact_of.get(reading.entity_id)
        if known is None:
            return
        value = self._number(known[0], reading)
        step = (
            -1 if value is None else bisect.bisect_right(self._steps[known[0]], value)
        )
        if self._step.get(reading.entity_id) != step:
            self._step[reading.entity_id] = step
            self.changed(*known)


def _counting(
    fact: str, places: dict[str | None, list[str]], zone_id: str
) -> list[str]:
    """Return the sensors that count for a zone."""
    own = places.get(zone_id)
    if own or (fact in _NUMBERS and _NUMBERS[fact].own_zone):
        return own or []
    return places.get(None) or [each for some in places.values() for each in some]
