"""A point: the live reading of one entity, and its limits made ready to judge."""

import math
from collections.abc import Callable
from typing import NamedTuple

from core.api.model import Entity, EntityKind
from core.api.quality import Quality
from core.api.reading import Reading, Value
from core.clock import NS
from core.config import DeviceRule, Geo, Limit, Quantity
from core.readings.units import SAME, Line, canonical, conversion
from core.site.earth import GCJ02, WGS84

GOOD = int(Quality.GOOD)
UNCERTAIN = int(Quality.UNCERTAIN)
TEST = int(Quality.TEST)
INHIBITED = int(Quality.INHIBITED)
STALE = int(Quality.STALE)
FAULT = int(Quality.FAULT)
NOT_PRESENT = int(Quality.NOT_PRESENT)
_QUALITIES = tuple(Quality)

#: Qualities whose value acts on a limit (the rest are core.api.NEVER_ACTS).
ACTS = frozenset({GOOD, UNCERTAIN, STALE})
#: Qualities under which a number is no measurement and is not kept.
VALUELESS = frozenset({INHIBITED, FAULT, NOT_PRESENT})
#: A gas reading below minus this share of full scale is out of order.
DRIFT = 0.1
#: A supervised detector is lost at the latest after this (reliability.md §2).
LOST_MAX_S = 200.0


class When(NamedTuple):
    """Hold the times of a frame: boot ns now and when sent, wall ms now."""

    now: int
    sent: int
    wall_ms: int


class LimitState:
    """Hold one limit of one point in the point's unit, and where it stands."""

    __slots__ = (
        "above",
        "active",
        "below",
        "boot",
        "clear_above",
        "clear_below",
        "limit",
        "since",
        "sustain_ns",
    )

    def __init__(self, limit: Limit, line: Line) -> None:
        margin = abs(limit.hysteresis * line.factor)
        self.limit = limit
        self.above = math.inf if limit.above is None else line(limit.above)
        self.below = -math.inf if limit.below is None else line(limit.below)
        self.clear_above = self.above - margin
        self.clear_below = self.below + margin
        self.sustain_ns = int(limit.sustain_s * NS)
        self.since: int | None = None
        """Boot time at which the value went beyond; None: it has not."""
        self.active = False
        """True while the alarm of this limit is active."""
        self.boot = self.sustain_ns > 0
        """True until a GOOD reading: then a match needs no sustain (§5)."""

    def beyond(self, low: float, high: float) -> bool:
        """Say whether either extreme is at or beyond the limit."""
        return high >= self.above or low <= self.below

    def normal(self, low: float, high: float) -> bool:
        """Say whether both extremes are back by more than the hysteresis."""
        return high < self.clear_above and low > self.clear_below

    def inherit(self, old: "LimitState") -> None:
        """Go on where the same limit stood before the bundle changed (R7)."""
        self.since, self.active, self.boot = old.since, old.active, old.boot


class Point:
    """Hold the live state of one entity; times are boot-clock nanoseconds."""

    __slots__ = (
        "broken",
        "cap",
        "changed_ns",
        "critical",
        "datum",
        "declared",
        "device_id",
        "dirty",
        "entity_id",
        "factor",
        "flipped",
        "floor",
        "geo",
        "grace_ns",
        "high",
        "host",
        "kind",
        "limits",
        "lost",
        "lost_ns",
        "low",
        "max_age_ns",
        "measured_ns",
        "number",
        "numeric",
        "offset",
        "person_id",
        "quality",
        "quantity",
        "raw_quality",
        "raw_reason",
        "reason",
        "received_ns",
        "seq",
        "stamp_ns",
        "stuck_ns",
        "told",
        "unit",
        "value",
        "watchers",
        "zone_id",
    )

    def __init__(self, entity_id: str, number: int, now: int) -> None:
        self.entity_id = entity_id
        self.number = number
        self.value: Value = None
        self.quality = NOT_PRESENT
        self.reason = "never_heard"
        self.raw_quality = -1
        """Last quality on the fast way; -1 sends the next row the careful way."""
        self.raw_reason = ""
        self.host, self.device_id = "", ""
        self.zone_id: str | None = None
        self.person_id: str | None = None
        self.stamp_ns = now
        """What the age counts from: the older of measured, sent and received."""
        self.received_ns = 0
        self.measured_ns = 0
        self.grace_ns = now
        """Silence counts from here at the earliest: start, or host back."""
        self.lost = False
        """True while its fault.lost alarm is active."""
        self.changed_ns = now
        self.seq = 0
        self.dirty = False
        self.flipped = False
        self.told = NOT_PRESENT
        """Quality that was last told to those who follow changes."""
        self.watchers: list[Callable[[Reading], None]] = []
        self.limits: list[LimitState] = []
        self.factor, self.offset = SAME
        self.low, self.high = math.inf, -math.inf
        self.broken = ""
        self.unit = ""
        self.cap = GOOD
        """The best quality that a reading can have here."""
        self.datum = ""
        """Of a place by satellite; '' is a place in the plan."""
        self.geo: Geo | None = None
        """Where the plan lies on the Earth."""

    def configure(
        self,
        declared: Entity,
        rule: DeviceRule | None,
        quantity: Quantity | None,
    ) -> None:
        """Take over what the declaration, the rule and the quantity say."""
        self.declared, self.quantity = declared, quantity
        self.kind = declared.kind
        self.numeric = declared.kind in (EntityKind.GAS, EntityKind.SENSOR)
        self.critical = declared.critical
        self.max_age_ns = int(declared.max_age_s * NS)
        lost_s = rule.lost_s if rule is not None else None
        if lost_s is None:
            lost_s = max(min(3 * declared.max_age_s, LOST_MAX_S), declared.max_age_s)
        self.lost_ns = int(lost_s * NS)
        self.cap = GOOD if rule is None or rule.evidence else UNCERTAIN
        self.stuck_ns = int(rule.stuck_s * NS) if rule and rule.stuck_s else 0
        self._configure_unit()
        self._configure_limits(rule)

    def capped(self) -> None:
        """Take a changed cap at once; the next row goes the careful way."""
        self.raw_quality = -1
        if self.quality < self.cap:
            self.quality, self.reason = self.cap, "no_evidence"

    def _configure_unit(self) -> None:
        quantity, given = self.quantity, self.declared.unit
        before = (self.factor, self.offset, self.unit)
        full = self.declared.full_scale if self.kind is EntityKind.GAS else None
        self.floor = -math.inf if full is None else -abs(full) * DRIFT
        line: Line | None = SAME
        self.unit, self.broken, self.datum = canonical(given), "", ""
        if self.kind is EntityKind.LOCATION and given in (WGS84, GCJ02):
            # Degrees come in, metres of the plan are told.
            self.unit, self.datum = "m", given
        if quantity is not None and self.numeric:
            line = self._line(given, quantity.unit)
            self.unit = canonical(quantity.unit)
            if line is None:
                self.broken, line = "unit_unknown", SAME
        self.factor, self.offset = line or SAME
        self.floor = self.floor * self.factor + self.offset
        if before != (self.factor, self.offset, self.unit) and self.received_ns:
            # A value in another unit is no value.
            self.value, self.quality = None, NOT_PRESENT
            self.reason, self.raw_quality = "unit_changed", -1

    def _line(self, source: str, target: str) -> Line | None:
        quantity = self.quantity
        return conversion(
            source,
            target,
            lel_vol=quantity.lel_vol if quantity else None,
            molar_mass=quantity.molar_mass if quantity else None,
        )

    def _configure_limits(self, rule: DeviceRule | None) -> None:
        uid = self.declared.uid
        if rule is not None and uid in rule.limits:
            wanted: tuple[Limit, ...] = rule.limits[uid]
        else:
            wanted = self.quantity.limits if self.quantity is not None else ()
        old = {state.limit.condition: state for state in self.limits}
        self.limits = []
        for limit in wanted + self._over_range():
            line = self._line(limit.unit, self.unit)
            if line is None:
                self.broken = self.broken or "limit_unit"
                continue
            state = LimitState(limit, line)
            if limit.condition in old:
                state.inherit(old[limit.condition])
            self.limits.append(state)
        self.settle()

    def _over_range(self) -> tuple[Limit, ...]:
        """Return the implied limit: over-range is an alarm, not a fault (§5)."""
        full, quantity = self.declared.full_scale, self.quantity
        if full is None or self.kind is not EntityKind.GAS:
            return ()
        gas = (quantity.gas_class if quantity is not None else "") or "toxic"
        return (
            Limit(
                condition="over_range",
                kind=f"gas.{gas}",
                unit=canonical(self.declared.unit) or self.unit,
                above=math.nextafter(full, math.inf),
                priority=1,
                life_safety=True,
                # A catalytic bead reads low again in rich gas: only a person
                # with fresh air ends it (domain.md D6).
                latching=gas == "combustible",
                source="over-range",
            ),
        )

    def settle(self) -> None:
        """Set the open interval in which a number needs no judging."""
        low, high = self.floor, math.inf
        for state in self.limits:
            if state.active or state.boot or state.since is not None:
                low, high = math.inf, -math.inf
                break
            low, high = max(low, state.below), min(high, state.above)
        if self.broken or not self.numeric:
            low, high = math.inf, -math.inf
        self.low, self.high = low, high

    def hear(self, when: When, measured_ns: int) -> None:
        """Take the times of a row that is a sign of life."""
        self.stamp_ns = measured_ns if 0 < measured_ns < when.sent else when.sent
        self.received_ns = when.now
        self.measured_ns = min(measured_ns, when.now) or self.measured_ns

    def quality_at(self, now: int) -> int:
        """Return the quality with the age judged at ``now`` (R16)."""
        if self.quality < STALE and now - self.stamp_ns > self.max_age_ns:
            return STALE
        return self.quality

    def reading(self, now: int) -> Reading:
        """Return the reading as it stands at ``now``."""
        quality = self.quality_at(now)
        aged = quality != self.quality
        return Reading(
            entity_id=self.entity_id,
            value=self.value,
            unit=self.unit,
            quality=_QUALITIES[quality],
            reason="silent" if aged else self.reason,
            measured_ns=self.stamp_ns if self.received_ns else 0,
            received_ns=self.received_ns,
            source_seq=self.seq,
        )
