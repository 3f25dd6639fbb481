"""The live table: every reading judged on entry, its age judged when asked.

Design §5 Readings, Truth, Levels; R1–R5, R16, R21. The fast way of `receive`
does no more than a number in its calm range needs; everything else goes the
careful way, which is also the only one that raises and clears.
"""

from collections.abc import Callable

from core import config
from core.alarms.alarms import Alarms
from core.alarms.events import AlarmReturned
from core.api.reading import Reading
from core.clock import NS
from core.hub import Hub
from core.journal.envelope import Envelope
from core.link import messages as m
from core.logic.truth import Truth, all_of
from core.readings.drains import Drains
from core.readings.evidence import accepts, as_number, over_range
from core.readings.limits import Limits
from core.readings.point import (
    ACTS,
    GOOD,
    NOT_PRESENT,
    STALE,
    UNCERTAIN,
    Point,
    When,
)
from core.readings.sanitise import PRESSED, Judged, dated, let_go, sanitise
from core.readings.supervision import Supervision
from core.readings.table import Table
from core.registry.declared import bare
from core.registry.registry import Registry

Watcher = Callable[[Reading], None]
#: Sends the next row the careful way.
_ABSENT = -1


class Readings:
    """Keep the live readings; judge limits; demote what grows old.

    `watch` tells every reading of one entity; `on_change` tells changes of
    quality, and changes of value where the value is no measured number.
    """

    def __init__(self, hub: Hub, registry: Registry, alarms: Alarms) -> None:
        self.hub, self.registry, self.alarms = hub, registry, alarms
        self.table = Table(hub, registry)
        self.points = self.table.points
        self.limits = Limits(alarms)
        self.supervision = Supervision(hub, alarms, self.table)
        self.drains = Drains()
        self._watchers: dict[str, list[Watcher]] = {}
        self._on_change: list[Callable[[str, Reading], None]] = []
        self._unjudged: set[Point] = set()
        registry.listen(self)
        alarms.judges["entity"] = self.judges
        hub.on(AlarmReturned, self._returned)

    # --- room -----------------------------------------------------------------

    def arm(self) -> None:
        """Derive every point anew; live values and running windows stay (R7)."""
        quantities = {each.id: each for each in self.hub.bundle.quantities}
        known = self.hub.state.registry.entities
        for gone in [each for each in self.points if each not in known]:
            self._drop(gone)
        for entity_id in known:
            self._configure(entity_id, quantities)
        self.table.place()

    def recover(self, clean: bool) -> None:
        """Take up alarms and supervision where the journal left them."""
        self.arm()
        self.supervision.recover()

    def tick(self) -> None:
        """Judge levels: new limits, silent sustain windows, age, frozen values."""
        now = self.hub.clock.mono_ns()
        for point in list(self._unjudged):
            self._judge_again(point, now)
        for point in list(self.limits.pending):
            self.limits.overdue(point, self.table.zone_of(point), now)
        for point in list(self.points.values()):
            if point.told != point.quality_at(now):
                point.raw_quality = _ABSENT
                self._tell(point, now, True)
            if point.stuck_ns:
                self.supervision.stuck(point, now)

    # --- registry's listener --------------------------------------------------

    def device_changed(self, device_id: str) -> None:
        """Derive a device's points anew."""
        quantities = {each.id: each for each in self.hub.bundle.quantities}
        record = self.hub.state.registry.devices.get(device_id)
        mine = set(record.entities) if record else set()
        for point in self.table.of_device(device_id):
            if point.entity_id not in mine:
                self._drop(point.entity_id)
        for entity_id in sorted(mine):
            self._configure(entity_id, quantities)
        self.table.place()

    def device_gone(self, device_id: str) -> None:
        """Silence the points of a device that is no longer announced."""
        for point in self.table.of_device(device_id):
            self._silence(point, "withdrawn")

    def handles_changed(self, host: str) -> None:
        """Resolve a host's handles anew."""
        self.table.forget(host)

    def cap(self, device_id: str, quality: int) -> None:
        """Let no gas reading of a device be better than ``quality`` from now on."""
        if self.table.caps.get(device_id, GOOD) == quality:
            return
        self.table.caps[device_id] = quality
        self.device_changed(device_id)
        now = self.hub.clock.mono_ns()
        for point in self.table.of_device(device_id):
            if point.told != point.quality_at(now):
                self._tell(point, now, True)

    # --- input ----------------------------------------------------------------

    def receive(self, host: str, message: m.Readings) -> None:
        """Take a frame of rows; ``sent_ns`` is the host's boot time, 0 unknown."""
        clock = self.hub.clock
        now, wall_ms = clock.mono_ns(), clock.wall_ns() // 1_000_000
        when = When(now, min(message.sent_ns or now, now), wall_ms)
        name = bare(host)
        self._rows(name, message.rows, when)
        for row in message.coalesced:
            point = self.table.of_handle(name, row.handle)
            if point is not None:
                self._coalesced(point, row, when)
        self.drains.shed()

    def _rows(self, host: str, rows: list[m.Row], when: When) -> None:
        now, sent, wall_ms = when
        known = self.table.handles(host)
        changed, keep = self.drains.changed.append, self.drains.rows.append
        history_row = m.HistoryRow
        for row in rows:
            point = known.get(row.handle) or self.table.of_handle(host, row.handle)
            if point is None:
                continue
            value, measured, seq = row.value, row.measured_ns, row.seq
            if value.__class__ is float:
                value = value * point.factor + point.offset
                if (
                    point.low < value < point.high
                    and row.quality == point.raw_quality
                    and row.reason == point.raw_reason
                    and (not measured or point.measured_ns <= measured <= now)
                    and (not seq or seq > point.seq)
                ):
                    if value != point.value:
                        point.value, point.changed_ns = value, now
                    point.seq = seq or point.seq
                    point.measured_ns = measured or point.measured_ns
                    point.stamp_ns = measured if 0 < measured < sent else sent
                    point.received_ns = now
                    if not point.dirty:
                        point.dirty = True
                        changed(point)
                    keep(history_row(point.number, wall_ms, value, point.quality))
                    if point.watchers:
                        self._call(point, now)
                    continue
            self._careful(point, row, when)

    def host_lost(self, host: str) -> None:
        """Silence a dead host's points; its zones are unmonitored (design §3)."""
        name = bare(host)
        for point in self.table.of_host(name):
            self._silence(point, "host_lost")
        self.supervision.host_lost(name)

    def host_back(self, host: str) -> None:
        """Let a host's points be heard again."""
        self.supervision.host_back(bare(host))

    def device_link(self, host: str, uid: str, up: bool, detail: str = "") -> None:
        """Silence what a driver has lost; uid '' is all of the host's devices."""
        if up:
            return
        name = bare(host)
        device = self.registry.find_device(name, uid) if uid else None
        mine = self.table.of_device(device.id) if device is not None else []
        for point in mine if uid else self.table.of_host(name):
            self._silence(point, detail or "link_down")

    # --- answers --------------------------------------------------------------

    def get(self, entity_id: str) -> Reading:
        """Return the reading with its quality judged now; NOT_PRESENT if unknown."""
        point = self.points.get(entity_id)
        if point is None:
            return Reading(entity_id=entity_id, value=None, reason="not_enrolled")
        return point.reading(self.hub.clock.mono_ns())

    def current(self, zone_id: str, quantity: str) -> list[Reading]:
        """Return the readings of a quantity in a zone, worn meters included."""
        now = self.hub.clock.mono_ns()
        return [point.reading(now) for point in self.table.in_zone(zone_id, quantity)]

    def acceptable(self, zone_id: str, quantity: str, max_age_s: float) -> Truth:
        """Say whether every meter of a quantity in a zone proves it acceptable.

        One that is not GOOD leaves it UNKNOWN: a second meter never stands in
        for one that fell silent (R5).
        """
        now = self.hub.clock.mono_ns()
        points = self.table.in_zone(zone_id, quantity)
        if not points:
            return Truth.UNKNOWN
        return all_of([accepts(p, now, int(max_age_s * NS)) for p in points])

    def unmonitored(self) -> set[str]:
        """Return the zones with a critical point that cannot be believed."""
        return self.supervision.unmonitored(self.hub.clock.mono_ns())

    def judges(self, source: str, condition: str) -> bool:
        """Say whether GOOD evidence can still end an alarm of an entity."""
        point = self.points.get(source.partition(":")[2])
        if point is None or point.cap != GOOD:
            return False
        names = {state.limit.condition for state in point.limits}
        return condition in names | {"lost", "fault", "stuck", "setup"}

    def watch(self, entity_id: str, callback: Watcher) -> None:
        """Call back with every reading of an entity, and when its quality falls."""
        self._watchers.setdefault(entity_id, []).append(callback)
        point = self.points.get(entity_id)
        if point is not None:
            point.watchers = self._watchers[entity_id]

    def on_change(self, callback: Callable[[str, Reading], None]) -> None:
        """Call back when a quality, or a value that is no number, changes."""
        self._on_change.append(callback)

    def drain_live(self, full: bool = False) -> list[m.LiveRow]:
        """Return display rows of what changed since the last drain, or of all."""
        points = list(self.points.values()) if full else self.drains.changed
        clock = self.hub.clock
        rows = self.drains.live(points, clock.mono_ns(), clock.wall_ns())
        self.drains.changed = []
        return rows

    def drain_history(self) -> m.History:
        """Return the rows kept since the last drain."""
        return self.drains.history()

    # --- the careful way ------------------------------------------------------

    def _careful(self, point: Point, row: m.Row, when: When) -> None:
        judged = sanitise(point, row.value, row.quality, row.reason)
        judged = dated(point, judged, row.seq, row.measured_ns, when.now)
        number = as_number(judged.value)
        if judged.fresh:
            point.hear(when, row.measured_ns)
        as_sent = (row.quality, row.reason) == (judged.quality, judged.reason)
        self._enter(point, judged, when, as_sent=judged.fresh and as_sent)
        if number is not None:
            # A cap takes evidence away, never an alarm.
            acts = point.quality
            if acts not in ACTS:
                acts = max(judged.quality, UNCERTAIN)
            self._judge(point, number, number, acts, judged, when.now)
        self._entered(point, judged, when.now)

    def _coalesced(self, point: Point, row: m.Extremes, when: When) -> None:
        judged = sanitise(point, row.last, row.quality, row.reason)
        judged = dated(point, judged, row.seq, row.measured_ns, when.now)
        if row.worst != GOOD and judged.quality == GOOD:
            # The last one may be GOOD; the time between was not.
            judged = judged._replace(quality=UNCERTAIN)
        low = as_number(sanitise(point, row.low, GOOD, "").value)
        high = as_number(sanitise(point, row.high, GOOD, "").value)
        for value in (low, high):
            if value is not None and value != judged.value:
                self.drains.keep(point, when.wall_ms, value, judged.quality)
        if let_go(point, high, judged):
            self._enter(point, PRESSED, when, as_sent=False)
            self._entered(point, PRESSED, when.now)
        if judged.fresh:
            point.hear(when, row.measured_ns)
        self._enter(point, judged, when, as_sent=False)
        if low is not None and high is not None:
            # The host takes extremes from rows that act alone; a fault or an
            # inhibit after the peak does not hide it.
            acts = point.quality if point.quality in ACTS else UNCERTAIN
            self._judge(point, low, high, acts, judged, when.now)
        self._entered(point, judged, when.now)

    def _enter(
        self, point: Point, judged: Judged, when: When, *, as_sent: bool
    ) -> None:
        """Put a judged row into the table."""
        value, quality, reason, _ = judged
        if over_range(point, value):
            quality, reason = max(quality, UNCERTAIN), "over_range"
        elif quality < point.cap:
            quality, reason = point.cap, "no_evidence"
        moved = value != point.value and not point.numeric
        point.flipped = moved or quality != point.told
        if value != point.value:
            point.changed_ns = when.now
        point.value, point.quality, point.reason = value, quality, reason
        point.raw_quality = judged.quality if as_sent else _ABSENT
        point.raw_reason = judged.reason
        self.drains.keep(point, when.wall_ms, value, quality)

    def _judge(
        self,
        point: Point,
        low: float,
        high: float,
        quality: int,
        judged: Judged,
        now: int,
    ) -> None:
        if point.limits:
            zone_id = self.table.zone_of(point)
            proven = judged.quality == GOOD
            self.limits.judge(point, low, high, quality, zone_id, now, proven=proven)

    def _entered(self, point: Point, judged: Judged, now: int) -> None:
        """Tell supervision and watchers, after the alarms."""
        if judged.fresh:
            self.supervision.heard(point, judged.quality)
        self._tell(point, now, point.flipped)

    def _tell(self, point: Point, now: int, flipped: bool) -> None:
        point.told = point.quality_at(now)
        self.drains.touch(point)
        if point.watchers:
            self._call(point, now)
        if flipped and self._on_change:
            reading = point.reading(now)
            for callback in self._on_change:
                callback(point.entity_id, reading)

    def _call(self, point: Point, now: int) -> None:
        reading = point.reading(now)
        for callback in list(point.watchers):
            callback(reading)

    def _silence(self, point: Point, reason: str) -> None:
        """Take a point's quality away; its value stays for display, its alarms too."""
        now = self.hub.clock.mono_ns()
        point.quality = STALE if point.received_ns else NOT_PRESENT
        point.reason, point.raw_quality = reason, _ABSENT
        self._tell(point, now, True)

    # --- levels and setup ----------------------------------------------------

    def _configure(
        self, entity_id: str, quantities: dict[str, config.Quantity]
    ) -> None:
        point = self.table.configure(entity_id, quantities)
        point.watchers = self._watchers.setdefault(entity_id, [])
        self.drains.name(point)
        self.limits.adopt(point)
        self.supervision.adopt(point)
        self._unjudged.add(point)

    def _drop(self, entity_id: str) -> None:
        point = self.table.drop(entity_id)
        self.supervision.forget(point)
        self.limits.pending.discard(point)
        self._unjudged.discard(point)

    def _judge_again(self, point: Point, now: int) -> None:
        """Judge the level of a point whose limits are new (R1)."""
        self._unjudged.discard(point)
        zone_id = self.table.zone_of(point)
        self.supervision.setup(point)
        value = as_number(point.value)
        quality = point.quality_at(now)
        if value is not None and point.limits:
            self.limits.judge(point, value, value, quality, zone_id, now, proven=False)

    def _returned(self, body: AlarmReturned, _: Envelope) -> None:
        """Judge again what a person's reset ended while it could not be proven."""
        record = self.hub.state.alarms.open.get(body.alarm_id)
        source = record.source if record is not None else ""
        point = self.points.get(source.removeprefix("entity:"))
        if record is not None and point is not None:
            self.limits.adopt(point)
            if record.condition == "lost" and point.lost:
                self.supervision.adopt(point)
