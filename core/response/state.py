"""Running evacuations, open notices, unfinished commands."""

from typing import TYPE_CHECKING

import msgspec

import core.response.notices_events  # noqa: F401 (its folds register themselves)
from core.api.command import TERMINAL, CommandState
from core.api.reading import Value
from core.deadlines import Deadline
from core.journal.envelope import Envelope
from core.journal.fold import folds
from core.response.events import (
    CommandIssued,
    CommandMoved,
    EvacuationCleared,
    EvacuationExtended,
    EvacuationLate,
    EvacuationReopened,
    EvacuationStarted,
    NoticeClosed,
    NoticeEscalated,
    NoticeMoved,
    NoticeQueued,
    RollChanged,
    RosterLine,
    SirensResounded,
    SirensSilenced,
)
from core.response.notices_config import Span
from core.response.plans_state import PlansState
from core.response.rounds_state import RoundsState
from core.response.tasks_state import TasksState

if TYPE_CHECKING:
    from core.state import SiteState


class RollLine(msgspec.Struct, kw_only=True):
    """Hold one person of a roll call."""

    person_id: str
    zone_id: str | None
    certain: bool
    status: str = "missing"
    method: str = ""
    by: str = ""
    at_wall_ns: int = 0
    late: bool = False


class EvacuationRecord(msgspec.Struct, kw_only=True):
    """Hold one evacuation until it is cleared."""

    id: str
    zones: list[str]
    code: str
    params: dict[str, Value]
    muster_points: list[str]
    late: Deadline | None
    mark: str
    started_wall_ns: int
    started_mono_ns: int
    roll: dict[str, RollLine]
    late_called: bool = False
    cleared_wall_ns: int = 0
    cleared_by: str = ""


class NoticeRecord(msgspec.Struct, kw_only=True):
    """Hold one notice: per channel queued → sent → delivered → seen → acknowledged."""

    id: str
    person_id: str
    role: str
    code: str
    params: dict[str, Value]
    about: str
    level: int
    chain: str
    mark: str
    queued_wall_ns: int
    channels: dict[str, str]
    respond: Deadline | None
    acknowledged: bool = False
    escalated: bool = False
    may_wait: bool = False
    details: dict[str, str] = {}
    """Channel → why it failed, as a code."""


class CommandRecord(msgspec.Struct, kw_only=True):
    """Hold one command that is not terminal, or an output's last one."""

    id: str
    device_id: str
    entity_id: str
    value: bool | float | str
    deadline: Deadline
    priority: int
    why: str
    state: CommandState = CommandState.ISSUED
    detail: str = ""


class ResponseState(msgspec.Struct, kw_only=True):
    """Hold what the response owes."""

    evacuations: dict[str, EvacuationRecord] = {}
    """Running ones, and the last few that were cleared."""
    notices: dict[str, NoticeRecord] = {}
    commands: dict[str, CommandRecord] = {}
    """Unfinished commands by id."""
    outputs: dict[str, CommandRecord] = {}
    """Last command by entity id: what the output should be, and why."""
    silenced: dict[str, Deadline] = {}
    """Zone id → when its sirens sound again if people are inside."""
    plans: PlansState = msgspec.field(default_factory=PlansState)
    rounds: RoundsState = msgspec.field(default_factory=RoundsState)
    tasks: TasksState = msgspec.field(default_factory=TasksState)
    contacts: dict[str, dict[str, str]] = {}
    """Person id → channel → kind of service, beside the bundle's."""
    quiet: dict[str, list[Span]] = {}
    """Person id → quiet hours that they chose."""


_KEEP_CLEARED = 20
#: Beyond so many notices the oldest answered one is forgotten for each new one.
_KEEP_NOTICES = 1000
_ORDER = ("queued", "sent", "delivered", "seen", "acknowledged")


def _lines(roster: tuple[RosterLine, ...]) -> dict[str, RollLine]:
    return {
        line.person_id: RollLine(
            person_id=line.person_id, zone_id=line.zone_id, certain=line.certain
        )
        for line in roster
    }


@folds(EvacuationStarted)
def _started(state: "SiteState", body: EvacuationStarted, envelope: Envelope) -> None:
    state.response.evacuations[body.evacuation_id] = EvacuationRecord(
        id=body.evacuation_id,
        zones=list(body.zones),
        code=body.code,
        params=dict(body.params),
        muster_points=list(body.muster_points),
        late=body.late,
        mark=body.mark,
        started_wall_ns=envelope.wall_ns,
        started_mono_ns=envelope.mono_ns,
        roll=_lines(body.roster),
    )


@folds(EvacuationExtended)
def _extended(state: "SiteState", body: EvacuationExtended, _: Envelope) -> None:
    record = state.response.evacuations.get(body.evacuation_id)
    if record is not None:
        record.zones += [zone for zone in body.zones if zone not in record.zones]
        for person_id, line in _lines(body.roster).items():
            record.roll.setdefault(person_id, line)
        if body.late is not None:
            record.late, record.late_called = body.late, False


@folds(RollChanged)
def _roll(state: "SiteState", body: RollChanged, envelope: Envelope) -> None:
    record = state.response.evacuations.get(body.evacuation_id)
    line = record.roll.get(body.person_id) if record else None
    if line is not None:
        line.status, line.method, line.by = body.status, body.method, body.by
        line.at_wall_ns = envelope.wall_ns


@folds(EvacuationLate)
def _late(state: "SiteState", body: EvacuationLate, _: Envelope) -> None:
    record = state.response.evacuations.get(body.evacuation_id)
    if record is not None:
        record.late_called = True
        for person_id in body.missing:
            if person_id in record.roll:
                record.roll[person_id].late = True


@folds(EvacuationCleared)
def _cleared(state: "SiteState", body: EvacuationCleared, envelope: Envelope) -> None:
    evacuations = state.response.evacuations
    record = evacuations.get(body.evacuation_id)
    if record is None:
        return
    record.cleared_wall_ns, record.cleared_by = envelope.wall_ns, body.person_id
    done = [e for e in evacuations.values() if e.cleared_wall_ns]
    for old in done[: max(0, len(done) - _KEEP_CLEARED)]:
        del evacuations[old.id]


@folds(EvacuationReopened)
def _reopened(state: "SiteState", body: EvacuationReopened, _: Envelope) -> None:
    record = state.response.evacuations.get(body.evacuation_id)
    if record is not None:
        record.cleared_wall_ns, record.cleared_by = 0, ""


@folds(SirensSilenced)
def _silenced(state: "SiteState", body: SirensSilenced, _: Envelope) -> None:
    state.response.silenced[body.zone_id] = body.until


@folds(SirensResounded)
def _resounded(state: "SiteState", body: SirensResounded, _: Envelope) -> None:
    state.response.silenced.pop(body.zone_id, None)


@folds(NoticeQueued)
def _queued(state: "SiteState", body: NoticeQueued, envelope: Envelope) -> None:
    state.response.notices[body.notice_id] = NoticeRecord(
        id=body.notice_id,
        person_id=body.person_id,
        role=body.role,
        code=body.code,
        params=dict(body.params),
        about=body.about,
        level=body.level,
        chain=body.chain,
        mark=body.mark,
        queued_wall_ns=envelope.wall_ns,
        channels=dict.fromkeys(body.channels, "queued"),
        respond=body.respond,
        may_wait=body.may_wait,
    )
    _forget_answered(state.response.notices)


def _forget_answered(notices: dict[str, NoticeRecord]) -> None:
    """Keep what is owed, and not every notice that was ever answered."""
    if len(notices) > _KEEP_NOTICES:
        answered = next((n for n in notices.values() if n.acknowledged), None)
        if answered is not None:
            del notices[answered.id]


@folds(NoticeMoved)
def _notice_moved(state: "SiteState", body: NoticeMoved, _: Envelope) -> None:
    record = state.response.notices.get(body.notice_id)
    if record is None:
        return
    now = record.channels.get(body.channel, "queued")
    # What has arrived cannot fail any more: a late second try may.
    if now == "failed" or (body.state == "failed" and now in ("queued", "sent")):
        record.channels[body.channel] = body.state
    elif body.state == "failed":
        return
    elif _ORDER.index(body.state) > _ORDER.index(now):
        record.channels[body.channel] = body.state
    if body.detail:
        record.details[body.channel] = body.detail
    else:
        record.details.pop(body.channel, None)
    record.acknowledged = record.acknowledged or body.state == "acknowledged"


@folds(NoticeEscalated)
def _escalated(state: "SiteState", body: NoticeEscalated, _: Envelope) -> None:
    record = state.response.notices.get(body.notice_id)
    if record is not None:
        record.escalated = True


@folds(NoticeClosed)
def _notice_closed(state: "SiteState", body: NoticeClosed, _: Envelope) -> None:
    state.response.notices.pop(body.notice_id, None)


@folds(CommandIssued)
def _issued(state: "SiteState", body: CommandIssued, _: Envelope) -> None:
    record = CommandRecord(
        id=body.command_id,
        device_id=body.device_id,
        entity_id=body.entity_id,
        value=body.value,
        deadline=body.deadline,
        priority=body.priority,
        why=body.why,
    )
    state.response.commands[record.id] = record
    state.response.outputs[record.entity_id] = record


@folds(CommandMoved)
def _command_moved(state: "SiteState", body: CommandMoved, _: Envelope) -> None:
    record = state.response.commands.get(body.command_id)
    if record is None:
        return
    record.state, record.detail = CommandState(body.state), body.detail
    last = state.response.outputs.get(record.entity_id)
    if last is not None and last.id == record.id:
        last.state, last.detail = record.state, record.detail
    if record.state in TERMINAL:
        del state.response.commands[body.command_id]
