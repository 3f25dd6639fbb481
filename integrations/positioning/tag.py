"""One tag: what was heard of it, and what the hub is told.

A doubtful fix is held back for two intervals: the last good one still stands, and a
person is not lost and found again with each reflection. Then the doubt is told.
"""

import math
from dataclasses import dataclass, field
from typing import Any

from core.api import Device, Entity, EntityKind, Host, Quality, Value
from integrations.positioning.anchors import Anchors
from integrations.positioning.frame import Frame
from integrations.positioning.fresh import Freshness
from integrations.positioning.model import NS, PREFIX, Point, Sighting
from integrations.positioning.solve import Limits, solve
from integrations.positioning.track import Track, Walked

#: In intervals: doubts are told after the first, silence after the second.
GRACE, SILENT = 2.0, 2.5
#: The circle is told in such steps, rounded up, and at the latest so often.
STEP_M, ACCURACY_S = 0.1, 1.0
RAW_S, SLOW_S = 0.5, 5.0
_STALE = frozenset({"frozen", "late", "replayed"})
_NAMES = {
    "location": ("位置", "Location"),
    "accuracy": ("定位精度", "Accuracy"),
    "raw_x": ("原始 X", "Raw x"),
    "raw_y": ("原始 Y", "Raw y"),
    "still": ("静止", "Still"),
    "battery": ("电量", "Battery"),
    "loss": ("丢包率", "Lost packets"),
}


@dataclass(slots=True, kw_only=True)
class Source:
    """Hold what the options say of one source, and how it stands."""

    id: str
    kind: str
    prefix: str
    interval_s: float
    accuracy_m: float
    least_quality: float
    frame: Frame
    options: dict[str, Any]
    up: bool | None = None
    counters: dict[str, int] = field(default_factory=dict)
    last_bad: str = ""

    def count(self, name: str) -> None:
        """Count what happened on this source."""
        self.counters[name] = self.counters.get(name, 0) + 1


@dataclass(slots=True, frozen=True, kw_only=True)
class Rules:
    """Hold what counts for every tag."""

    limits: Limits
    fastest: float
    zh: bool = False


@dataclass(slots=True, frozen=True)
class _Fix:
    at: Point | None
    accuracy: float
    why: str


class Tag:
    """Keep one tag's walk and its word to the hub."""

    def __init__(
        self, host: Host, uid: str, source: Source, rules: Rules, anchors: Anchors
    ) -> None:
        self.host, self.uid, self.source = host, uid, source
        self.up: bool | None = None
        self.label = ""
        self.doubts: dict[str, int] = {}
        self.fixes = 0
        self.last = ""
        """The last good place, as it was told."""
        self.good_s = -math.inf
        self.heard_s = -math.inf
        self._rules, self._anchors = rules, anchors
        self._track = Track()
        self._fresh: dict[str, Freshness] = {}
        self._told: dict[str, tuple[Value, float]] = {}
        self._handles: dict[str, int] = {}
        self._doubted = ""
        self._counts = True
        """False where the source itself counts what is lost."""

    def declare(self) -> None:
        """Announce the tag, or its new name."""
        language = 0 if self._rules.zh else 1
        age = max(5.0, 3 * self.source.interval_s)

        def entity(uid: str, kind: EntityKind, quantity: str, unit: str = "") -> Entity:
            slow = uid in ("still", "battery", "loss")
            return Entity(
                uid=uid,
                name=_NAMES[uid][language],
                kind=kind,
                quantity=quantity,
                unit=unit,
                max_age_s=max(age, 3 * SLOW_S) if slow else age,
            )

        sensor = EntityKind.SENSOR
        node = self.uid.partition("-")[2]
        name = self.label or f"{'标签' if self._rules.zh else 'Tag'} {node}"
        self.host.declare(
            Device(
                uid=self.uid,
                name=name,
                manufacturer=_MAKERS[self.source.kind],
                model=self.source.kind,
                serial=node,
                entities=(
                    entity("location", EntityKind.LOCATION, "location"),
                    entity("accuracy", sensor, "accuracy", "m"),
                    entity("raw_x", sensor, "raw_position", "m"),
                    entity("raw_y", sensor, "raw_position", "m"),
                    entity("still", EntityKind.BINARY, "still"),
                    entity("battery", sensor, "battery", "%"),
                    entity("loss", sensor, "packet_loss", "%"),
                ),
            )
        )
        self._handles = {uid: self.host.handle(self.uid, uid) for uid in _NAMES}

    # --- what is heard ------------------------------------------------------------

    def take(self, source: Source, told: Sighting) -> None:
        """Take a message of this tag."""
        now = self.host.clock.mono_ns() / NS
        if not told.located:
            self._health(told, now)
            return
        fresh = self._fresh.setdefault(source.id, Freshness())
        wrong = fresh.judge(told, now)
        if wrong == "repeated":
            source.count("repeated")
            return
        self.source = source
        if wrong not in _STALE:
            # What is old keeps no dead tag alive.
            self.heard_s = now
            self._track.heard(now)
        if wrong:
            self._doubt(wrong, None, now)
            return
        self._health(told, now)
        fix = self._fix(source, told)
        if fix.why or fix.at is None:
            self._doubt(fix.why, fix, now)
            return
        walked = self._track.take(fix.at, fix.accuracy, now, self._rules.fastest)
        if walked.why:
            self._doubt(walked.why, fix, now)
        else:
            self._good(walked, now)

    def _health(self, told: Sighting, now: float) -> None:
        if told.label and told.label != self.label:
            self.label = told.label
            self.declare()
        if told.battery is not None:
            self._tell("battery", told.battery, now, SLOW_S)
        if told.loss is not None:
            self._counts = False
            self._tell("loss", told.loss, now, SLOW_S)
        if told.present is False:
            self._link(False, "tag_absent")

    def _fix(self, source: Source, told: Sighting) -> _Fix:
        """Return the place that a message tells, in the site's frame."""
        engine = source.frame.site(told.at) if told.at is not None else None
        if told.ranges and self._anchors.survey:
            return self._ranged(source, told, engine)
        if engine is None:
            return _Fix(None, 0.0, "no_fix")
        radius = source.frame.metres(told.radius_m or 0.0)
        accuracy = max(source.accuracy_m, radius)
        why = ""
        if told.quality is not None and told.quality < source.least_quality:
            why = "low_quality"
        elif accuracy > self._rules.limits.accuracy_m:
            why = "inaccurate"
        return _Fix(engine, accuracy, why)

    def _ranged(self, source: Source, told: Sighting, engine: Point | None) -> _Fix:
        self._anchors.claimed(told.ranges, source.frame)
        ranges = {r.anchor: source.frame.metres(r.metres) for r in told.ranges}
        limits = self._rules.limits
        found = solve(ranges, self._anchors.usable(), limits)
        if found is None:
            return _Fix(engine, limits.accuracy_m, "few_anchors")
        if not found.why:
            self._anchors.measured(ranges, found.x, found.y, limits)
        return _Fix((found.x, found.y, found.z), found.accuracy_m, found.why)

    # --- what is told -------------------------------------------------------------

    def _good(self, walked: Walked, now: float) -> None:
        self.fixes += 1
        self.good_s, self._doubted = now, ""
        x, y, z = walked.at
        self.last = f"{x:.3f},{y:.3f},{z:.3f}"
        self._link(True, "")
        # The circle first: a place is never judged by a smaller one than its own.
        self._accuracy(walked.accuracy_m, now)
        self.host.report(self._handles["location"], self.last)
        known = self._told.get("raw_x")
        if known is None or now - known[1] >= RAW_S:
            self._put("raw_x", round(walked.raw[0], 3), now)
            self._put("raw_y", round(walked.raw[1], 3), now)
        if self._track.still is not None:
            self._tell("still", self._track.still, now, SLOW_S)

    def _accuracy(self, metres: float, now: float) -> None:
        value = round(math.ceil(metres / STEP_M - 1e-9) * STEP_M, 3)
        known, at = self._told.get("accuracy", (None, 0.0))
        if known != value or now - at >= ACCURACY_S:
            self._put("accuracy", value, now)

    def _doubt(self, why: str, fix: _Fix | None, now: float) -> None:
        self.doubts[why] = self.doubts.get(why, 0) + 1
        if now - self.good_s <= GRACE * self.source.interval_s:
            return
        reason = PREFIX + why
        quality = Quality.STALE if why in _STALE else Quality.UNCERTAIN
        value = self.last
        if fix is not None and fix.at is not None:
            x, y, z = fix.at
            value = f"{x:.3f},{y:.3f},{z:.3f}"
        if why == "no_fix" or not value:
            self._location(None, Quality.FAULT, reason)
        else:
            self._location(value, quality, reason)
        if why != self._doubted:
            self._doubted = why
            self.host.count(reason, self.uid, self.uid)

    def _location(self, value: Value, quality: Quality, reason: str) -> None:
        """Tell a place that proves nothing, and nothing beside it that would."""
        for entity, handle in self._handles.items():
            if entity == "location":
                self.host.report(handle, value, quality, reason)
            elif entity in self._told and quality is not Quality.UNCERTAIN:
                self.host.report(handle, None, Quality.FAULT, reason)
        self.host.report(self._handles["accuracy"], None, Quality.FAULT, reason)
        self._told.clear()

    def sweep(self, now: float) -> None:
        """Tell of silence, and now and then of losses."""
        silent = now - self.heard_s > SILENT * self.source.interval_s
        if silent and self.up is not False:
            self.lost("tag_silent")
        loss = self._track.loss(now, self.source.interval_s)
        if loss is not None and self._counts:
            self._tell("loss", loss, now, SLOW_S)

    def lost(self, why: str) -> None:
        """Tell that the tag, or the way to it, is lost."""
        self._link(False, why)
        self._location(None, Quality.FAULT, PREFIX + why)

    def _link(self, up: bool, why: str) -> None:
        if self.up is not up:
            self.up = up
            self.host.link_state(self.uid, up, PREFIX + why if why else "")

    def _tell(self, entity: str, value: Value, now: float, every: float) -> None:
        known = self._told.get(entity)
        if known is None or known[0] != value or now - known[1] >= every:
            self._put(entity, value, now)

    def _put(self, entity: str, value: Value, now: float) -> None:
        self._told[entity] = value, now
        self.host.report(self._handles[entity], value)


_MAKERS = {
    "dwm1001_uart": "Qorvo",
    "dwm1001_mqtt": "Qorvo",
    "pozyx": "Pozyx",
    "sewio": "Sewio",
}
