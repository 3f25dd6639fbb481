"""What a restart must leave as it was, and what it must do (design §5, R7, R15)."""

from collections.abc import Iterator

from core.alarms.events import AlarmReturned
from core.alarms.state import AlarmRecord
from core.journal.envelope import Effect
from core.journal.events import Event
from core.permits.lifecycle import RUNNING, PermitStatus
from core.state import SiteState
from tests.sim.machine import Life

Finding = tuple[str, object]
#: Events that end what protects; no restart may make one.
_NEVER = {
    "permit.released",
    "permit.closed",
    "permit.issued",
    "permit.verified",
    "evacuation.cleared",
    "alarm.acknowledged",
    "alarm.reset",
    "alarm.shelved",
    "sirens.silenced",
    "output.released",
    "config.armed",
    "notice.closed",
}
#: Faults of the hub itself, which a start looks at anew.
_OWN = ("fault.disk", "fault.clock", "fault.config")
_AT_WORK = (PermitStatus.ACTIVE, PermitStatus.VERIFYING)


def compare(before: SiteState, life: Life, fresh: list[Event]) -> Iterator[Finding]:
    """Yield every broken promise of a start that began with ``before``."""
    yield from _alarms(before, life)
    # Whatever else is on the disk: only hub.stopped as its last word is a clean end.
    yield from _permits(before, life, clean=before.seq == 0 or not before.hub.running)
    yield from _response(before, life, fresh)
    for body in fresh:
        ended = body.name_ in _NEVER and not _of_mark(before, body, life)
        if ended or body.effect_ is Effect.PERMISSIVE:
            yield "a restart releases nothing (§5 After a stop)", body
        if isinstance(body, AlarmReturned):
            record = before.alarms.open.get(body.alarm_id)
            if record and not _over(record, before, life):
                yield "a restart ends no alarm (§5 Alarms)", record


def _of_mark(before: SiteState, body: Event, life: Life) -> bool:
    """Say whether a closed notice was about what a start may end."""
    notice = before.response.notices.get(str(getattr(body, "notice_id", "")))
    if notice is None:
        return False
    alarm = before.alarms.open.get(notice.about)
    fleeting = alarm is not None and _fleeting(alarm, life)
    return fleeting or _guards_nothing(before, notice.about)


def _over(record: AlarmRecord, before: SiteState, life: Life) -> bool:
    """Say whether a start may end an alarm: its matter itself is closed."""
    about = before.alarms.open.get(record.condition)
    if record.kind == "fault.notice" and about is not None:
        return _fleeting(about, life)
    return _fleeting(record, life)


def _fleeting(alarm: AlarmRecord, life: Life) -> bool:
    own = alarm.kind.startswith(_OWN)
    return bool(alarm.mark) or own or _done(alarm, life)


def _alarms(before: SiteState, life: Life) -> Iterator[Finding]:
    after = life.hub.state.alarms.open
    for record in before.alarms.open.values():
        if _fleeting(record, life):
            continue
        if record.kind == "fault.notice" and record.condition not in after:
            continue  # what it was about has been closed
        now = after.get(record.id)
        if now is None:
            yield "open alarms survive a restart (§5 Alarms)", record
        elif record.acknowledged and not now.acknowledged and now.count == record.count:
            yield "acknowledgements survive a restart (§5 Alarms)", record
        elif record.latched and not now.latched:
            yield "latches survive a restart (R15)", record
        elif record.shelf is not None and now.shelf is None:
            left = record.shelf.until.remaining_ns(life.clock)
            if left is not None and left > 0:
                yield "shelving survives a restart (R15)", record


def _done(record: AlarmRecord, life: Life) -> bool:
    """Say whether nothing but a shelf that is over keeps an alarm open."""
    standing = record.active or record.latched or not record.acknowledged
    left = record.shelf.until.remaining_ns(life.clock) if record.shelf else None
    shelved = left is not None and left > 0
    service = record.service
    back = service.until.remaining_ns(life.clock) if service else None
    out = record.out_of_service and (service is None or (back or 0) > 0)
    return not standing and not shelved and not out


def _permits(before: SiteState, life: Life, *, clean: bool) -> Iterator[Finding]:
    after = life.hub.state.permits.permits
    for permit in before.permits.permits.values():
        now = after.get(permit.id)
        if now is None:
            yield "permits survive a restart (R7)", permit
            continue
        if set(permit.holds) - set(now.holds):
            yield "holds survive a restart (R15)", permit
        if permit.status not in _AT_WORK:
            if now.status in _AT_WORK:
                yield "nothing is released by a restart (R15)", now
            continue
        if now.status is PermitStatus.ACTIVE:
            yield "no permit is ACTIVE just after a start (§5 After a stop)", now
        codes = {hold.hold.code for hold in now.holds.values()}
        if not clean and "restart_unverified" not in codes:
            yield "an unclean stop holds active permits (§5 After a stop)", now


def _response(before: SiteState, life: Life, fresh: list[Event]) -> Iterator[Finding]:
    after, ended = life.hub.state, {getattr(b, "command_id", "") for b in fresh}
    for record in before.response.evacuations.values():
        now = after.response.evacuations.get(record.id)
        if not record.cleared_wall_ns and (now is None or now.cleared_wall_ns):
            yield "evacuations survive a restart (R7)", record
    for notice in before.response.notices.values():
        alarm = before.alarms.open.get(notice.about)
        fleeting = alarm and (
            alarm.mark or alarm.kind.startswith(_OWN) or _done(alarm, life)
        )
        fleeting = fleeting or _guards_nothing(before, notice.about)
        if notice.id not in after.response.notices and not fleeting:
            yield "notices survive a restart (R13)", notice
    for command in before.response.commands.values():
        if command.id not in after.response.commands and command.id not in ended:
            yield "commands survive a restart (R7)", command
    yield from _runs(before, life, fresh)


def _guards_nothing(before: SiteState, about: str) -> bool:
    """Say whether a guardian was asked about work that had ended already."""
    permit = before.permits.permits.get(about.removeprefix("guardian:"))
    working = (*RUNNING, PermitStatus.HELD)
    return permit is not None and permit.status not in working


def _runs(before: SiteState, life: Life, fresh: list[Event]) -> Iterator[Finding]:
    finished = {getattr(b, "run_id", "") for b in fresh if b.name_ == "run.finished"}
    for run in before.runs.open.values():
        if run.id not in life.hub.state.runs.open and run.id not in finished:
            yield "open runs survive a restart (R7)", run
