"""A zone's risk index from named inputs; what is unknown counts in full.

Index = 100 × (1 − Π(1 − weight × level)): each input can only raise it, and one that
cannot be told has level 1. Requirement S2 2.10; the weights are data.
"""

import json
import math
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from core.alarms.state import AlarmRecord
from core.api.model import EntityKind
from core.config import Limit, Quantity, Zone
from core.permits.lifecycle import PermitStatus
from core.registry.state import DeviceRecord, EntityRecord
from frontend_api.alarm_views import RiskInputView, RiskView
from frontend_api.inventory import Inventory, limit_view
from frontend_api.names import text

_FILE = Path(__file__).parent.parent / "blueprints" / "risk" / "zone.json"
#: Fresh air, from which oxygen is measured both ways.
_AIR = 20.9
_WORKING = (PermitStatus.ACTIVE, PermitStatus.VERIFYING)


class Input(NamedTuple):
    """Say how bad one named input is: 0 … 1, and 1 when it cannot be told."""

    name: str
    level: float
    unknown: bool = False
    params: Mapping[str, Any] = {}


@cache
def shipped() -> dict[str, Any]:
    """Return the shipped weights and bands."""
    read: dict[str, Any] = json.loads(_FILE.read_text("utf-8"))
    return read


def index(inputs: list[Input], weights: Mapping[str, float]) -> float:
    """Return the index of some inputs, 0 … 100."""
    left = math.prod(1 - weights.get(i.name, 0.0) * _within(i.level) for i in inputs)
    return 100 * (1 - left)


def shares(inputs: list[Input], weights: Mapping[str, float]) -> list[float]:
    """Return the points of the index that each input accounts for; they add up."""
    total = index(inputs, weights)
    parts = [
        -math.log1p(-min(weights.get(i.name, 0.0) * _within(i.level), 0.9999))
        for i in inputs
    ]
    whole = sum(parts) or 1.0
    return [total * part / whole for part in parts]


def _within(level: float) -> float:
    return min(max(level, 0.0), 1.0) if math.isfinite(level) else 1.0


class Risk:
    """Judge every zone from the gateway's replica."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory, self._replica = inventory, inventory.replica

    def views(self) -> dict[str, RiskView]:
        """Show every zone's index, worst first."""
        made = [self.view(zone) for zone in self._replica.bundle.site.zones]
        made.sort(key=lambda one: (-one.index, one.id))
        return {one.id: one for one in made}

    def view(self, zone: Zone) -> RiskView:
        """Show one zone's index with what makes it so."""
        data = shipped()
        weights = data["weights"] | self._replica.bundle.alarms.risk
        inputs = list(self.inputs(zone))
        value = round(index(inputs, weights))
        parts = zip(inputs, shares(inputs, weights), strict=True)
        bands: dict[str, int] = data["bands"]
        band = max(
            (name for name, at in bands.items() if value >= at),
            key=bands.__getitem__,
            default="low",
        )
        return RiskView(
            id=zone.id,
            index=value,
            band=band,
            unknown=any(i.unknown for i in inputs),
            inputs=[
                RiskInputView(
                    name=i.name,
                    text=text(
                        f"risk.{i.name}.unknown" if i.unknown else f"risk.{i.name}",
                        dict(i.params),
                    ),
                    points=round(points),
                    level=round(_within(i.level), 3),
                    weight=weights.get(i.name, 0.0),
                    unknown=i.unknown,
                )
                for i, points in sorted(parts, key=lambda pair: -pair[1])
                if points > 0
            ],
            version=data["version"],
        )

    # --- the inputs -----------------------------------------------------------

    def inputs(self, zone: Zone) -> Iterator[Input]:
        """Return the inputs of a zone; what does not apply there is left out."""
        alarms = self._replica.state.alarms.open.values()
        yield from _alarm_inputs([a for a in alarms if a.zone_id == zone.id])
        yield from self._readings(zone)
        yield from self._works(zone)
        yield from self._people(zone)
        data = shipped()
        yield Input("hazard", data["hazards"].get(zone.hazard, 0.0))
        if zone.id in self._replica.hosts.unmonitored:
            yield Input("unmonitored", 1.0, True)
        if not self._replica.reachable:
            yield Input("hub", 1.0, True)
        recent = self._replica.state.alarms.recent.values()
        true = sum(a.zone_id == zone.id and a.verdict == "true" for a in recent)
        if true:
            level = true / data["many_true_alarms"]
            yield Input("history", level, params={"count": true})

    def _readings(self, zone: Zone) -> Iterator[Input]:
        """Return gas of the zone, and the weather where it matters there."""
        state, data = self._replica.state, shipped()
        windy = zone.hazard in data["weather_for"]
        for entity in state.registry.entities.values():
            device = state.registry.devices.get(entity.device_id)
            if device is None:
                continue
            if entity.declared.kind is EntityKind.GAS:
                if self._place(device) == zone.id:
                    yield self._reading("gas", device, entity)
            elif windy and entity.declared.quantity in data["weather"]:
                yield self._reading("weather", device, entity)

    def _place(self, device: DeviceRecord) -> str | None:
        if device.zone_id is not None or device.person_id is None:
            return device.zone_id
        presence = self._replica.state.people.presence.get(device.person_id)
        if presence is None:
            return None
        return presence.zone_id or presence.last_zone_id

    def _reading(self, name: str, device: DeviceRecord, entity: EntityRecord) -> Input:
        row = self._replica.live.get(entity.id)
        quantity = entity.declared.quantity
        params = {
            "name": self._inventory.names.entity(entity.id),
            "quantity": self._inventory.names.quantity(quantity),
        }
        value = row.value if row is not None and row.quality == 0 else None
        if not isinstance(value, int | float) or isinstance(value, bool):
            return Input(name, 1.0, True, params)
        known = next(
            (q for q in self._replica.bundle.quantities if q.id == quantity), None
        )
        limits = self._inventory.limits(device, entity)
        level = max((_near(value, each, known) for each in limits), default=0.0)
        unit = known.unit if known else ""
        return Input(name, level, params=params | {"value": f"{value:.4g} {unit}"})

    def _works(self, zone: Zone) -> Iterator[Input]:
        permits = [
            p
            for p in self._replica.state.permits.permits.values()
            if p.zone_id == zone.id
        ]
        running = sum(p.status in (*_WORKING, PermitStatus.HELD) for p in permits)
        held = sum(bool(p.holds) for p in permits)
        if running:
            yield Input("work", 1 - 0.5**running, params={"count": running})
        if held:
            yield Input("held", 1.0, params={"count": held})

    def _people(self, zone: Zone) -> Iterator[Input]:
        state = self._replica.state
        there = lost = 0
        for at in state.people.presence.values():
            there += (at.zone_id or at.last_zone_id) == zone.id
            lost += at.zone_id is None and at.last_zone_id == zone.id
        if there:
            level = there / shipped()["many_people"]
            params = {"count": there}
            yield Input("people", 1.0 if lost else level, bool(lost), params)
        missing = sum(
            line.status != "accounted"
            and not evacuation.cleared_wall_ns
            and zone.id in evacuation.zones
            for evacuation in state.response.evacuations.values()
            for line in evacuation.roll.values()
        )
        if missing:
            yield Input("missing", 1.0, params={"count": missing})


def _alarm_inputs(alarms: list[AlarmRecord]) -> Iterator[Input]:
    """Return a zone's alarms by gravity; putting one by never lowers the index."""
    real = [a for a in alarms if not a.mark]
    grave = [a for a in real if a.life_safety]
    if any(a.stands for a in grave):
        yield Input("life_safety", 1.0, params={"count": len(grave)})
    elif grave:
        yield Input("life_safety", 0.5, params={"count": len(grave)})
    others = [a for a in real if not a.life_safety and a.stands]
    for name, wanted in (("major", (1, 2)), ("minor", (3, 4))):
        count = sum(a.priority in wanted for a in others)
        if count:
            yield Input(name, 1 - 0.5**count, params={"count": count})
    put = sum(a.put_by for a in real)
    if put:
        yield Input("put_by", 1 - 0.5**put, params={"count": put})


def _near(value: float, limit: Limit, quantity: Quantity | None) -> float:
    """Return how near a value is to a limit: 0 far, 1 at it or beyond."""
    shown = limit_view(limit, quantity)
    rest = _AIR if quantity is not None and quantity.gas_class == "oxygen" else 0.0
    if shown.above is not None:
        room = shown.above - rest
        return _within((value - rest) / room) if room > 0 else float(value >= rest)
    if shown.below is None:
        return 0.0
    if rest:
        return _within((rest - value) / ((rest - shown.below) or 1.0))
    return _within(shown.below / value) if value > 0 else 1.0
