"""The alarm life cycle of ISA-18.2: one record per (source, condition).

Design §5 Alarms. A record is active × acknowledged, and may be latched, shelved
or out of service. It closes when it is returned, acknowledged, not latched,
not shelved and in service.
"""

from collections.abc import Callable, Iterable

from core.alarms.answering import Answering
from core.alarms.events import (
    AlarmClosed,
    AlarmRaised,
    AlarmRepeated,
    AlarmReturned,
)
from core.alarms.metrics import Figures, Metrics
from core.alarms.state import AlarmRecord, key_of
from core.api.reading import Value
from core.clock import NS
from core.hub import CORE, Hub
from core.journal.envelope import Cause
from core.people.access import Access

#: A chattering alarm must stay normal so long before it counts as returned.
CHATTER_HOLD_S = 60.0
#: TEST and DRILL alarms end by themselves after this.
MARK_MAX_S = 3600.0
DAY_NS = 86_400 * NS

Judge = Callable[[str, str], bool]


class Alarms:
    """Raise, clear and keep alarms; carry out the acts on them."""

    def __init__(self, hub: Hub, access: Access) -> None:
        self.hub = hub
        self.metrics = Metrics()
        self.judges: dict[str, Judge] = {}
        """Prefix of a source → says whether evidence can still end the alarm."""
        self._settling: set[str] = set()
        """Ids of chattering alarms that wait to stay normal."""
        self._marked: set[str] = set()
        """Ids of open TEST and DRILL alarms."""
        self._active: dict[str | None, list[AlarmRecord]] = {}
        self._active_of = (0, 0)
        """The state that `_active` was made of: nothing changes without an event."""
        self._answering = Answering(self, access)

    # --- room -----------------------------------------------------------------

    def arm(self) -> None:
        """Do nothing: alarms do not depend on the bundle."""

    def recover(self, clean: bool) -> None:
        """Take up shelving deadlines; end tests and drills; close what is done."""
        for record in list(self.hub.state.alarms.open.values()):
            if record.mark:
                self._end(record, CORE)
                continue
            if record.shelf is not None:
                self._answering.wait_shelf(record.id, record.shelf.until)
            self.close_if_done(record)

    def tick(self) -> None:
        """Keep the metrics' windows short."""
        self.metrics.sweep(self.hub.clock.mono_ns())

    # --- for rooms ------------------------------------------------------------

    def raise_(  # noqa: PLR0913  what an alarm says of itself
        self,
        source: str,
        condition: str,
        *,
        kind: str,
        priority: int,
        zone_id: str | None = None,
        life_safety: bool = False,
        latching: bool = False,
        params: dict[str, Value] | None = None,
        mark: str = "",
        cause: Cause = CORE,
    ) -> str:
        """Make a condition active and return the alarm's id; idempotent.

        Active already: nothing happens. Returned: it is repeated and wants a new
        acknowledgement. A TEST or DRILL never covers a real alarm; the first
        real one ends them all.
        """
        record = self._standing(source, condition, kind, mark, cause)
        if record is not None:
            if not record.active and not (mark and not record.mark):
                self._repeat(record, params or {}, cause)
            return record.id
        body = AlarmRaised(
            alarm_id=self.hub.ids.new(),
            source=source,
            condition=condition,
            kind=kind,
            priority=priority,
            zone_id=zone_id,
            life_safety=life_safety,
            latching=latching,
            params=params or {},
            mark=mark,
        )
        self._begin(body, cause)
        return body.alarm_id

    def clear(self, source: str, condition: str, cause: Cause = CORE) -> None:
        """Say that a condition is proven gone; unknown ones are fine.

        A chattering alarm stays active until it has been normal for a minute.
        """
        record = self.find(source, condition)
        if record is None or not record.active or record.id in self._settling:
            return
        now = self.hub.clock.mono_ns()
        if not record.mark and self.metrics.chatters(key_of(source, condition), now):
            alarm_id = record.id
            self._settling.add(alarm_id)
            self.hub.after(
                CHATTER_HOLD_S,
                f"alarm.settle {alarm_id}",
                lambda: self._settled(alarm_id, cause),
            )
            return
        self._return(record, cause)

    def shelve(
        self, alarm_id: str, *, by: str, reason: str, minutes: float, cause: Cause
    ) -> None:
        """Shelve an alarm for a rule; raises Refused for life safety."""
        self._answering.shelve(alarm_id, by, reason, minutes, cause)

    def find(self, source: str, condition: str) -> AlarmRecord | None:
        """Return the open record of a source's condition, active or not."""
        alarms = self.hub.state.alarms
        return alarms.open.get(alarms.by_key.get(key_of(source, condition), ""))

    def active(
        self, zone_id: str | None = None, kind_prefix: str = ""
    ) -> list[AlarmRecord]:
        """Return active alarms, most urgent first, then oldest."""
        state = self.hub.state
        if self._active_of != (id(state.alarms), state.seq):
            self._active_of = (id(state.alarms), state.seq)
            self._active = _by_zone(state.alarms.open.values())
        found = self._active.get(zone_id, ())
        return [record for record in found if record.kind.startswith(kind_prefix)]

    def figures(self) -> Figures:
        """Return the metrics of this moment."""
        records = list(self.hub.state.alarms.open.values())
        clock = self.hub.clock
        raised, flood, chattering, top = self.metrics.window(clock.mono_ns())
        old = clock.wall_ns() - DAY_NS
        return Figures(
            raised_10min=raised,
            standing=sum(r.active for r in records),
            unacknowledged=sum(not r.acknowledged for r in records),
            shelved=sum(r.shelf is not None for r in records),
            out_of_service=sum(bool(r.out_of_service) for r in records),
            stale=sum(r.active and r.raised_wall_ns < old for r in records),
            flood=flood,
            chattering=chattering,
            seconds_to_acknowledge=self.metrics.median_answer(),
            top_sources=tuple(top),
            by_priority=self.metrics.priorities(),
        )

    def judged(self, record: AlarmRecord) -> bool:
        """Say whether evidence can still end an alarm; if not, a person may."""
        judge = self.judges.get(record.source.partition(":")[0])
        return judge is None or judge(record.source, record.condition)

    # --- life cycle -----------------------------------------------------------

    def _count(self, source: str, condition: str, priority: int) -> None:
        key = key_of(source, condition)
        self.metrics.raised(self.hub.clock.mono_ns(), key, source, priority)

    def _standing(
        self, source: str, condition: str, kind: str, mark: str, cause: Cause
    ) -> AlarmRecord | None:
        """Return the record that an activation joins; ends what it overrules."""
        record = self.find(source, condition)
        if record is not None and record.active and not record.mark:
            self._settling.discard(record.id)
            return record
        if not mark and not kind.startswith("fault."):
            self._end_marked(cause)
        elif not mark and record is not None and record.mark:
            self._end(record, cause)
        return self.find(source, condition)

    def _begin(self, body: AlarmRaised, cause: Cause) -> None:
        if body.mark:
            self._marked.add(body.alarm_id)
        self.hub.emit(body, cause)
        self._count(body.source, body.condition, body.priority)
        if body.mark:
            alarm_id = body.alarm_id
            key = f"alarm.mark {alarm_id}"
            self.hub.after(MARK_MAX_S, key, lambda: self._expire(alarm_id))

    def _repeat(
        self, record: AlarmRecord, params: dict[str, Value], cause: Cause
    ) -> None:
        self._settling.discard(record.id)
        self.hub.emit(AlarmRepeated(alarm_id=record.id, params=params), cause)
        self._count(record.source, record.condition, record.priority)

    def _settled(self, alarm_id: str, cause: Cause) -> None:
        record = self.hub.state.alarms.open.get(alarm_id)
        if alarm_id in self._settling and record is not None and record.active:
            self._return(record, cause)
        self._settling.discard(alarm_id)

    def _return(self, record: AlarmRecord, cause: Cause) -> None:
        self.hub.emit(AlarmReturned(alarm_id=record.id), cause)
        self.close_if_done(record)

    def close_if_done(self, record: AlarmRecord) -> None:
        """Close a record that nothing keeps open any more."""
        open_still = self.hub.state.alarms.open.get(record.id) is record
        standing = record.active or record.latched or not record.acknowledged
        put_by = record.shelf is not None or record.out_of_service
        if open_still and not standing and not put_by:
            self._close(record, CORE)

    def _close(self, record: AlarmRecord, cause: Cause) -> None:
        self.hub.timers.cancel(f"alarm.shelf {record.id}")
        self.hub.timers.cancel(f"alarm.mark {record.id}")
        self._marked.discard(record.id)
        self.hub.emit(AlarmClosed(alarm_id=record.id), cause)

    def _end_marked(self, cause: Cause) -> None:
        for alarm_id in sorted(self._marked):
            record = self.hub.state.alarms.open.get(alarm_id)
            if record is not None:
                self._end(record, cause)

    def _end(self, record: AlarmRecord, cause: Cause) -> None:
        """End a TEST or DRILL whatever its state: it is no evidence of anything."""
        if record.active:
            self.hub.emit(AlarmReturned(alarm_id=record.id), cause)
        self._close(record, cause)

    def _expire(self, alarm_id: str) -> None:
        record = self.hub.state.alarms.open.get(alarm_id)
        if record is not None and record.mark:
            self._end(record, CORE)


def _by_zone(records: Iterable[AlarmRecord]) -> dict[str | None, list[AlarmRecord]]:
    """Sort the active ones by urgency and age; under None are those of all zones."""
    active = [record for record in records if record.active]
    active.sort(key=lambda r: (r.priority, r.raised_seq))
    zones: dict[str | None, list[AlarmRecord]] = {None: active}
    for record in active:
        if record.zone_id is not None:
            zones.setdefault(record.zone_id, []).append(record)
    return zones
