"""What a node lists becomes entities; what it says of them becomes readings."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aioesphomeapi import (
    BinarySensorInfo,
    BinarySensorState,
    ButtonInfo,
    EntityInfo,
    EntityState,
    Event,
    EventInfo,
    FanInfo,
    FanState,
    LightInfo,
    LightState,
    SensorInfo,
    SensorState,
    SirenInfo,
    SirenState,
    SwitchInfo,
    SwitchState,
    TextSensorInfo,
    TextSensorState,
)

from core.api import Entity, EntityKind, Output, OutputKind, Quality, Value

NS = 1_000_000_000
MAX_TEXT, MAX_NAME = 256, 120
#: Of one node; the rest is counted and left out.
MAX_ENTITIES = 256
#: Age of a value whose node declares no interval.
UNDECLARED_S = 300.0
_BIG = 1e300

#: Kind of listing → the state messages that belong to it.
STATES: Mapping[type[EntityInfo], type[EntityState]] = {
    SensorInfo: SensorState,
    BinarySensorInfo: BinarySensorState,
    TextSensorInfo: TextSensorState,
    SwitchInfo: SwitchState,
    SirenInfo: SirenState,
    FanInfo: FanState,
    LightInfo: LightState,
    EventInfo: Event,
}
_OUTPUTS: Mapping[type[EntityInfo], OutputKind | None] = {
    SwitchInfo: None,
    SirenInfo: OutputKind.SIREN,
    FanInfo: OutputKind.FAN,
    LightInfo: None,
    ButtonInfo: None,
}
#: Of these the node speaks only when they change; the link proves them.
_HELD = (EntityKind.BINARY, EntityKind.OUTPUT)

Key = tuple[type[EntityState], int, int]


@dataclass(slots=True, eq=False)
class Point:
    """One entity of a node and the last word of it."""

    entity: Entity
    info: EntityInfo
    handle: int
    every_ns: int = 0
    low: float | None = None
    high: float | None = None
    event: str = ""
    state_of: str = ""
    """Uid of the entity that shows what this output really does."""
    value: Value = None
    quality: Quality = Quality.NOT_PRESENT
    reason: str = "esphome.waiting"
    heard_ns: int = 0

    def take(self, state: EntityState, now_ns: int) -> None:
        """Take a state message."""
        self.value, self.quality, self.reason = judge(self, state)
        self.heard_ns = now_ns

    def forget(self, quality: Quality, reason: str) -> None:
        """Know nothing any more."""
        self.value, self.quality, self.reason = None, quality, reason
        self.heard_ns = 0

    @property
    def held(self) -> bool:
        """Say whether its last word holds as long as the link does."""
        return not self.every_ns and (
            self.entity.kind in _HELD or isinstance(self.info, TextSensorInfo)
        )

    def late(self, now_ns: int) -> bool:
        """Say whether a declared interval has passed three times without a word."""
        return bool(self.every_ns) and now_ns - self.heard_ns > 3 * self.every_ns


def judge(point: Point, state: EntityState) -> tuple[Value, Quality, str]:
    """Return value, quality and reason of a state; NaN and 'missing' are no value."""
    if getattr(state, "missing_state", False):
        return None, Quality.NOT_PRESENT, "esphome.missing"
    raw = getattr(state, "state", None)
    if isinstance(state, SensorState):
        return _number(point, raw)
    if isinstance(state, TextSensorState):
        if isinstance(raw, str):
            return raw[:MAX_TEXT], Quality.GOOD, ""
        return None, Quality.FAULT, "esphome.wrong_type"
    if isinstance(raw, bool):
        return raw, Quality.GOOD, ""
    return None, Quality.FAULT, "esphome.wrong_type"


def _number(point: Point, raw: object) -> tuple[Value, Quality, str]:
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return None, Quality.FAULT, "esphome.wrong_type"
    if math.isnan(raw):
        return None, Quality.NOT_PRESENT, "esphome.missing"
    if not -_BIG < raw < _BIG:
        return None, Quality.FAULT, "esphome.not_a_number"
    # Seven digits are what a node's 32-bit float holds: 20.9 reads 20.9.
    value = float(f"{raw:.7g}")
    if point.high is not None and value > point.high:
        return value, Quality.UNCERTAIN, "esphome.over_range"
    if point.low is not None and value < point.low:
        return value, Quality.UNCERTAIN, "esphome.under_range"
    return value, Quality.GOOD, ""


@dataclass(slots=True)
class Found:
    """Hold a node's points by uid and by the states that feed them."""

    points: dict[str, Point]
    by_key: dict[Key, Point]
    left_out: int = 0


def arrange(infos: Iterable[EntityInfo], said: Mapping[str, Any]) -> Found:
    """Return the points of a node's listing, as the site's options want them.

    A switch, light or button is an output only where the site says so.
    """
    found = Found({}, {})
    for info in infos:
        if type(info) not in STATES and type(info) not in _OUTPUTS:
            continue
        uid = _uid(info, found.points)
        if len(found.points) >= MAX_ENTITIES or not uid:
            found.left_out += 1
            continue
        if uid in said["without"]:
            continue
        point = _point(uid, info, said["entities"].get(uid, {}))
        if point is None:
            continue
        found.points[uid] = point
        state = STATES.get(type(info))
        if state is not None:
            found.by_key[state, info.device_id, info.key] = point
    return found


def _uid(info: EntityInfo, taken: Mapping[str, object]) -> str:
    """Return the entity's lasting name: the node's own, apart where two share it."""
    uid = info.object_id[:MAX_NAME]
    if info.device_id:
        uid = f"{info.device_id}.{uid}"
    if uid in taken:
        uid = f"{uid}.{type(info).__name__.removesuffix('Info').lower()}"
    return "" if uid in taken or not info.object_id else uid


def _point(uid: str, info: EntityInfo, said: Mapping[str, Any]) -> Point | None:
    output = said.get("output")
    if type(info) in _OUTPUTS:
        usual = _OUTPUTS[type(info)]
        if output is None and usual is None:
            return None
        return _output(uid, info, said, output or {"kind": usual})
    if isinstance(info, EventInfo):
        if "event" not in said:
            return None
        kind = EntityKind.EVENT
    elif isinstance(info, BinarySensorInfo):
        kind = EntityKind.BINARY
    else:
        kind = EntityKind(said.get("kind", "sensor"))
    every_s = said.get("every_s", 0.0)
    low, high = said.get("range", (None, None))
    return Point(
        entity=Entity(
            uid=uid,
            name=(said.get("name") or info.name or uid)[:MAX_NAME],
            kind=kind,
            quantity=said.get("quantity") or _class(info),
            unit=said.get("unit", _unit(info)),
            max_age_s=3 * every_s if every_s else UNDECLARED_S,
            critical=said.get("critical", False),
            full_scale=high,
        ),
        info=info,
        handle=0,
        every_ns=int(every_s * NS),
        low=low,
        high=high,
        event=said.get("event", ""),
    )


def _class(info: EntityInfo) -> str:
    return str(getattr(info, "device_class", "") or "")[:40]


def _unit(info: EntityInfo) -> str:
    return str(getattr(info, "unit_of_measurement", "") or "")[:20]


def _output(
    uid: str, info: EntityInfo, said: Mapping[str, Any], output: Mapping[str, Any]
) -> Point:
    # Whoever assumes its state, or has none, cannot confirm by it.
    shows = not isinstance(info, ButtonInfo) and not (
        isinstance(info, SwitchInfo) and info.assumed_state
    )
    declared = Output(
        kind=OutputKind(output["kind"]),
        ex_rated=output.get("ex_rated", False),
        contact_zone=output.get("contact_zone"),
        outside_air=output.get("outside_air", False),
        fail_safe=output.get("fail_safe", "hold_last"),
        read_back=shows or "state" in output,
    )
    return Point(
        entity=Entity(
            uid=uid,
            name=(said.get("name") or info.name or uid)[:MAX_NAME],
            kind=EntityKind.OUTPUT,
            quantity=said.get("quantity", ""),
            max_age_s=UNDECLARED_S,
            critical=said.get("critical", False),
            output=declared,
        ),
        info=info,
        handle=0,
        state_of=output.get("state", "" if not shows else uid),
    )
