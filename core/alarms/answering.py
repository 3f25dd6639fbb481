"""What people do with alarms: acknowledge, reset, shelve, take out of service.

Permissive acts are refused while nothing can be made durable, and taken back by
a compensating event when the disk fails them afterwards (design §2).
"""

from typing import TYPE_CHECKING

from core.alarms.acts import (
    AcknowledgeAlarm,
    ClassifyIncident,
    JudgeAlarm,
    PutInService,
    ResetAlarm,
    ShelveAlarm,
    TakeOutOfService,
    UnshelveAlarm,
)
from core.alarms.events import (
    AlarmAcknowledged,
    AlarmJudged,
    AlarmRepeated,
    AlarmReset,
    AlarmReturned,
    AlarmServed,
    AlarmServiceChanged,
    AlarmShelved,
    AlarmUnshelved,
    IncidentClassified,
)
from core.alarms.state import AlarmRecord
from core.api.errors import Refused
from core.api.reading import Value
from core.deadlines import Deadline, fire_after
from core.hub import CORE
from core.journal.envelope import Cause
from core.people.access import Access, check_version

if TYPE_CHECKING:
    from core.alarms.alarms import Alarms

#: Longest shelving: one shift (domain.md §2.3).
SHELVE_MAX_MIN = 12 * 60.0


class Answering:
    """Carry out the acts on alarms."""

    def __init__(self, alarms: "Alarms", access: Access) -> None:
        self._alarms, self._hub = alarms, alarms.hub
        access.bind(AcknowledgeAlarm, self._acknowledge)
        access.bind(ResetAlarm, self._reset)
        access.bind(ShelveAlarm, self._shelve)
        access.bind(UnshelveAlarm, self._unshelve_act)
        access.bind(TakeOutOfService, self._out_of_service)
        access.bind(PutInService, self._in_service)
        access.bind(JudgeAlarm, self._judge)
        access.bind(ClassifyIncident, self._classify)
        self._hub.undo(AlarmReset, self._latch_again)
        self._hub.undo(AlarmShelved, self._sound_again)
        self._hub.undo(AlarmServiceChanged, self._serve_again)

    def _existing(self, alarm_id: str, version: int | None) -> AlarmRecord:
        record = self._hub.state.alarms.open.get(alarm_id)
        if record is None:
            raise Refused("alarm.unknown", alarm=alarm_id)
        check_version(version, record.count)
        return record

    def _durable(self) -> None:
        if not self._hub.journal.healthy():
            raise Refused("journal.not_durable")

    def _acknowledge(
        self, actor: str, act: AcknowledgeAlarm, version: int | None, cause: Cause
    ) -> dict[str, Value]:
        record = self._existing(act.alarm_id, version)
        if not record.acknowledged:
            self._hub.emit(
                AlarmAcknowledged(alarm_id=record.id, person_id=actor), cause
            )
            self._alarms.close_if_done(record)
        return {"alarm_id": act.alarm_id}

    def _reset(
        self, actor: str, act: ResetAlarm, version: int | None, cause: Cause
    ) -> dict[str, Value]:
        record = self._existing(act.alarm_id, version)
        self._durable()
        _reasoned(act.reason)
        if record.active and self._alarms.judged(record):
            raise Refused("alarm.still_active", alarm=record.id)
        if not record.acknowledged:
            raise Refused("alarm.not_acknowledged", alarm=record.id)
        if not record.active and not record.latched:
            raise Refused("alarm.not_latched", alarm=record.id)
        done = self._hub.emit(
            AlarmReset(alarm_id=record.id, person_id=actor, reason=act.reason), cause
        )
        self._hub.when_durable(done.seq, lambda ok: self._reset_done(record, ok, cause))
        return {"alarm_id": act.alarm_id}

    def _reset_done(self, record: AlarmRecord, durable: bool, cause: Cause) -> None:
        if not durable or self._hub.state.alarms.open.get(record.id) is not record:
            return
        if record.active and not self._alarms.judged(record):
            self._hub.emit(AlarmReturned(alarm_id=record.id), cause)
        self._alarms.close_if_done(record)

    def _shelve(
        self, actor: str, act: ShelveAlarm, version: int | None, cause: Cause
    ) -> dict[str, Value]:
        record = self._existing(act.alarm_id, version)
        self._durable()
        _reasoned(act.reason)
        if record.life_safety:
            raise Refused("alarm.life_safety", alarm=record.id)
        if not 0 < act.minutes <= SHELVE_MAX_MIN:
            raise Refused("alarm.shelve_too_long", minutes=SHELVE_MAX_MIN)
        self._put_by(record, actor, act.reason, act.minutes, cause)
        return {"alarm_id": act.alarm_id}

    def shelve(
        self, alarm_id: str, by: str, reason: str, minutes: float, cause: Cause
    ) -> None:
        """Shelve for a rule; raises Refused as for a person."""
        record = self._existing(alarm_id, None)
        self._durable()
        if record.life_safety:
            raise Refused("alarm.life_safety", alarm=record.id)
        self._put_by(record, by, reason, min(minutes, SHELVE_MAX_MIN), cause)

    def _put_by(
        self, record: AlarmRecord, by: str, reason: str, minutes: float, cause: Cause
    ) -> None:
        until = Deadline.after(self._hub.clock, minutes * 60)
        self._hub.emit(
            AlarmShelved(alarm_id=record.id, person_id=by, reason=reason, until=until),
            cause,
        )
        self._wait_shelf(record.id, until)

    def recover(self, record: AlarmRecord) -> None:
        """Take up the deadlines of a record that was put by."""
        if record.shelf is not None:
            self._wait_shelf(record.id, record.shelf.until)
        if record.service is not None:
            self._wait_service(record.id, record.service.until)

    def _wait_shelf(self, alarm_id: str, until: Deadline) -> None:
        """End shelving at its deadline, or at once when time cannot be known."""

        def over(late_unknown: bool) -> None:
            self._unshelve(alarm_id, "late_unknown" if late_unknown else "expired")

        fire_after(self._hub, until, f"alarm.shelf {alarm_id}", over)

    def _unshelve(
        self, alarm_id: str, why: str, person_id: str = "", cause: Cause = CORE
    ) -> None:
        record = self._hub.state.alarms.open.get(alarm_id)
        if record is None or record.shelf is None:
            return
        self._hub.timers.cancel(f"alarm.shelf {alarm_id}")
        self._hub.emit(
            AlarmUnshelved(alarm_id=alarm_id, why=why, person_id=person_id), cause
        )
        self._alarms.close_if_done(record)

    def _unshelve_act(
        self, actor: str, act: UnshelveAlarm, version: int | None, cause: Cause
    ) -> dict[str, Value]:
        record = self._existing(act.alarm_id, version)
        self._unshelve(record.id, "person", actor, cause)
        return {"alarm_id": act.alarm_id}

    def _out_of_service(
        self, actor: str, act: TakeOutOfService, version: int | None, cause: Cause
    ) -> dict[str, Value]:
        record = self._existing(act.alarm_id, version)
        self._durable()
        _reasoned(act.reason)
        if record.life_safety:
            raise Refused("alarm.life_safety", alarm=record.id)
        until = Deadline.after(self._hub.clock, act.hours * 3600)
        self._hub.emit(
            AlarmServiceChanged(
                alarm_id=record.id,
                person_id=actor,
                reason=act.reason,
                out=True,
                until=until,
            ),
            cause,
        )
        self._wait_service(record.id, until)
        return {"alarm_id": act.alarm_id}

    def _in_service(
        self, actor: str, act: PutInService, version: int | None, cause: Cause
    ) -> dict[str, Value]:
        record = self._existing(act.alarm_id, version)
        if record.out_of_service:
            self._serve(record, "person", actor, cause)
        return {"alarm_id": act.alarm_id}

    def _serve(
        self, record: AlarmRecord, why: str, person_id: str, cause: Cause
    ) -> None:
        self._hub.timers.cancel(f"alarm.service {record.id}")
        self._hub.emit(
            AlarmServed(alarm_id=record.id, why=why, person_id=person_id), cause
        )
        self._alarms.close_if_done(record)

    def _wait_service(self, alarm_id: str, until: Deadline) -> None:
        def over(late_unknown: bool) -> None:
            record = self._hub.state.alarms.open.get(alarm_id)
            if record is not None and record.service is not None:
                why = "late_unknown" if late_unknown else "expired"
                self._serve(record, why, "", CORE)

        fire_after(self._hub, until, f"alarm.service {alarm_id}", over)

    # --- afterwards -----------------------------------------------------------

    def _judge(
        self, actor: str, act: JudgeAlarm, _version: int | None, cause: Cause
    ) -> dict[str, Value]:
        record = self._known(act.alarm_id)
        if record.mark:
            raise Refused("alarm.no_verdict", mark=record.mark)
        if (record.verdict, record.judged_by) != (act.verdict, actor) or act.note:
            self._hub.emit(
                AlarmJudged(
                    alarm_id=record.id,
                    person_id=actor,
                    verdict=act.verdict,
                    note=act.note,
                ),
                cause,
            )
        return {"alarm_id": act.alarm_id}

    def _classify(
        self, actor: str, act: ClassifyIncident, _version: int | None, cause: Cause
    ) -> dict[str, Value]:
        record = self._known(act.alarm_id)
        self._hub.emit(
            IncidentClassified(
                alarm_id=record.id,
                person_id=actor,
                outcome=act.outcome,
                root=act.root,
                note=act.note,
            ),
            cause,
        )
        return {"alarm_id": act.alarm_id}

    def _known(self, alarm_id: str) -> AlarmRecord:
        """Return an open alarm or one of the last closed; raises Refused."""
        alarms = self._hub.state.alarms
        record = alarms.open.get(alarm_id) or alarms.recent.get(alarm_id)
        if record is None:
            raise Refused("alarm.forgotten", alarm=alarm_id)
        return record

    # --- taken back when the disk fails ---------------------------------------

    def _latch_again(self, body: AlarmReset) -> None:
        record = self._hub.state.alarms.open.get(body.alarm_id)
        if record is None:
            return
        was_active = record.active
        params: dict[str, Value] = {"code": "not_durable"}
        self._hub.emit(AlarmRepeated(alarm_id=record.id, params=params))
        if not was_active:
            self._hub.emit(AlarmReturned(alarm_id=record.id))

    def _sound_again(self, body: AlarmShelved) -> None:
        self._unshelve(body.alarm_id, "not_durable")

    def _serve_again(self, body: AlarmServiceChanged) -> None:
        record = self._hub.state.alarms.open.get(body.alarm_id)
        if body.out and record is not None and record.out_of_service:
            self._serve(record, "not_durable", "", CORE)


def _reasoned(reason: str) -> None:
    if not reason.strip():
        raise Refused("act.reason_missing")
