"""The alarm life cycle of ISA-18.2: one record per (source, condition).

Design §5 Alarms. A record is active × acknowledged, and may be latched, shelved
or out of service. It closes when it is returned, acknowledged, not latched,
not shelved and in service.
"""

from bisect import bisect_left
from collections.abc import Callable

import msgspec

from core.alarms.answering import Answering
from core.alarms.chatter import Chatter
from core.alarms.events import (
    AlarmClosed,
    AlarmRaised,
    AlarmRepeated,
    AlarmReturned,
)
from core.alarms.state import AlarmRecord, AlarmsState, key_of
from core.api.reading import Value
from core.hub import CORE, Hub
from core.journal.envelope import Cause
from core.people.access import Access

#: A chattering alarm must stay normal so long before it counts as returned.
CHATTER_HOLD_S = 60.0
#: TEST and DRILL alarms end by themselves after this.
MARK_MAX_S = 3600.0
#: What an alarm of a device becomes that is not in use: a fault to look into.
IDLE = "fault.idle"
_IDLE_PRIORITY = 3

Judge = Callable[[str, str], bool]
_Ranked = tuple[int, int, AlarmRecord]
"""Priority, the sequence number of its first event, the record."""


def _nothing(_: AlarmRaised) -> str:
    return ""


class Alarms:
    """Raise, clear and keep alarms; carry out the acts on them."""

    def __init__(self, hub: Hub, access: Access) -> None:
        self.hub = hub
        self.chatter = Chatter()
        self.idle: Callable[[AlarmRaised], str] = _nothing
        """Says why the device behind an alarm is not in use; '' while it is."""
        self.designed: Callable[[AlarmRaised], str] = _nothing
        """Says which declared design an alarm is suppressed by; '' for none."""
        self.judges: dict[str, Judge] = {}
        """Prefix of a source → says whether evidence can still end the alarm."""
        self._settling: set[str] = set()
        """Ids of chattering alarms that wait to stay normal."""
        self._marked: set[str] = set()
        """Ids of open TEST and DRILL alarms."""
        self._active: dict[str | None, list[_Ranked]] = {}
        """Zone → its active alarms by rank; under None are those of all zones."""
        self._active_of: AlarmsState | None = None
        """The state that `_active` follows; another one: it is made anew."""
        self.turn = 0
        """Grows whenever an alarm begins, comes again or returns."""
        hub.derive((AlarmRaised, AlarmRepeated, AlarmReturned), self._follow)
        self._answering = Answering(self, access)

    # --- room -----------------------------------------------------------------

    def arm(self) -> None:
        """Do nothing: alarms do not depend on the bundle."""

    def recover(self, clean: bool) -> None:
        """Take up shelving deadlines; end tests and drills; close what is done."""
        for record in list(self.hub.state.alarms.open.values()):
            if record.mark:
                self.end(record, CORE)
                continue
            self._answering.recover(record)
            self.close_if_done(record)

    def tick(self) -> None:
        """Forget what no longer chatters."""
        self.chatter.sweep(self.hub.clock.mono_ns())

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
        body = self._said(
            AlarmRaised(
                alarm_id="",
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
        )
        record = self._standing(body, cause)
        if record is None:
            return self._begin(body, cause)
        if not record.active and not (mark and not record.mark):
            self._repeat(record, params or {}, cause)
        return record.id

    def clear(self, source: str, condition: str, cause: Cause = CORE) -> None:
        """Say that a condition is proven gone; unknown ones are fine.

        A chattering alarm stays active until it has been normal for a minute.
        """
        record = self.find(source, condition)
        if record is None or not record.active or record.id in self._settling:
            return
        now = self.hub.clock.mono_ns()
        if not record.mark and self.chatter.chatters(key_of(source, condition), now):
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
        alarms = self.hub.state.alarms
        if self._active_of is not alarms:
            self._active_of, self._active = alarms, {}
            for record in alarms.open.values():
                self._rank(record)
        found = [record for _, _, record in self._active.get(zone_id, ())]
        if not kind_prefix:
            return found
        return [record for record in found if record.kind.startswith(kind_prefix)]

    def judged(self, record: AlarmRecord) -> bool:
        """Say whether evidence can still end an alarm; if not, a person may."""
        judge = self.judges.get(record.source.partition(":")[0])
        return judge is None or judge(record.source, record.condition)

    # --- life cycle -----------------------------------------------------------

    def _said(self, body: AlarmRaised) -> AlarmRaised:
        """Return what is raised: of a device not in use only a fault (design §5)."""
        if body.kind.startswith("fault.") or body.mark:
            return body
        why = self.idle(body)
        if not why:
            return body
        return msgspec.structs.replace(
            body,
            kind=IDLE,
            priority=_IDLE_PRIORITY,
            life_safety=False,
            latching=False,
            params={**body.params, "why": why, "would_be": body.kind},
        )

    def _standing(self, body: AlarmRaised, cause: Cause) -> AlarmRecord | None:
        """Return the record that an activation joins; ends what it overrules."""
        record = self.find(body.source, body.condition)
        real = not body.mark and not body.kind.startswith("fault.")
        if record is None and not (real and self._marked):
            return None
        if record is not None and not body.mark and _graver(body, record):
            self.end(record, cause)  # the graver one is never covered
        elif record is not None and record.active and not record.mark:
            self._settling.discard(record.id)
            return record
        if real:
            self._end_marked(cause)
        elif not body.mark and record is not None and record.mark:
            self.end(record, cause)
        return self.find(body.source, body.condition)

    def _begin(self, body: AlarmRaised, cause: Cause) -> str:
        quiet = not body.life_safety and not body.mark
        body = msgspec.structs.replace(
            body,
            alarm_id=self.hub.ids.new(),
            suppressed=self.designed(body) if quiet else "",
        )
        alarm_id = body.alarm_id
        if body.mark:
            self._marked.add(alarm_id)
        self.hub.emit(body, cause)
        self._count(body.source, body.condition)
        if body.mark:
            key = f"alarm.mark {alarm_id}"
            self.hub.after(MARK_MAX_S, key, lambda: self._expire(alarm_id))
        return alarm_id

    def _count(self, source: str, condition: str) -> None:
        self.chatter.raised(self.hub.clock.mono_ns(), key_of(source, condition))

    def _repeat(
        self, record: AlarmRecord, params: dict[str, Value], cause: Cause
    ) -> None:
        self._settling.discard(record.id)
        self.hub.emit(AlarmRepeated(alarm_id=record.id, params=params), cause)
        self._count(record.source, record.condition)

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
        unseen = not record.acknowledged and not record.suppressed
        put_by = record.shelf is not None or record.out_of_service
        if open_still and not (record.stands or unseen or put_by):
            self._close(record, CORE)

    def _close(self, record: AlarmRecord, cause: Cause) -> None:
        for what in ("shelf", "service", "mark"):
            self.hub.timers.cancel(f"alarm.{what} {record.id}")
        self._marked.discard(record.id)
        self.hub.emit(AlarmClosed(alarm_id=record.id), cause)

    def _end_marked(self, cause: Cause) -> None:
        for alarm_id in sorted(self._marked):
            record = self.hub.state.alarms.open.get(alarm_id)
            if record is not None:
                self.end(record, cause)

    def end(self, record: AlarmRecord, cause: Cause) -> None:
        """End a record whatever its state: a TEST, a DRILL, or what is overruled."""
        if record.active:
            self.hub.emit(AlarmReturned(alarm_id=record.id), cause)
        self._close(record, cause)

    def _expire(self, alarm_id: str) -> None:
        record = self.hub.state.alarms.open.get(alarm_id)
        if record is not None and record.mark:
            self.end(record, CORE)

    # --- the active ones by zone --------------------------------------------------

    def _follow(self, body: AlarmRaised | AlarmRepeated | AlarmReturned) -> None:
        self.turn += 1
        alarms = self.hub.state.alarms
        record = alarms.open.get(body.alarm_id)
        if record is not None and self._active_of is alarms:
            self._rank(record)

    def _rank(self, record: AlarmRecord) -> None:
        """Put a record into the lists of its zone and of all, or take it out."""
        # Sequence numbers differ, so that records are never compared.
        ranked = record.priority, record.raised_seq, record
        for zone in {None, record.zone_id}:
            listed = self._active.setdefault(zone, [])
            at = bisect_left(listed, ranked[:2])
            there = at < len(listed) and listed[at][2] is record
            if record.active and not there:
                listed.insert(at, ranked)
            elif there and not record.active:
                del listed[at]


def _graver(body: AlarmRaised, record: AlarmRecord) -> bool:
    """Say whether a record is too slight to stand for an activation."""
    real = record.kind == IDLE and body.kind != IDLE
    return real or (body.life_safety and not record.life_safety)
