"""Running evacuations, open notices, unfinished commands."""

from typing import TYPE_CHECKING

import msgspec

import core.response.notices_events
import core.response.retention_state  # noqa: F401 (their folds register themselves)
from core.api.command import TERMINAL, CommandState
from core.api.reading import Value
from core.deadlines import Deadline
from core.journal.envelope import Envelope
from core.journal.fold import folds
from core.response.events import (
    CommandIssued,
    CommandMoved,
    NoticeClosed,
    NoticeEscalated,
    NoticeMoved,
    NoticeQueued,
    SirensResounded,
    SirensSilenced,
)
from core.response.notices_config import Span
from core.response.plans_state import PlansState
from core.response.proofs_state import ProofRecord
from core.response.roll_state import (
    DrilledRecord,
    EvacuationRecord,
    VisitorRecord,
)
from core.response.rounds_state import RoundsState
from core.response.tasks_state import TasksState

if TYPE_CHECKING:
    from core.state import SiteState


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
    drills: dict[str, EvacuationRecord] = {}
    """Drills likewise: nothing that asks for evacuations finds one."""
    drilled: dict[str, DrilledRecord] = {}
    """Plan → when its drill was held last."""
    visitors: dict[str, VisitorRecord] = {}
    notices: dict[str, NoticeRecord] = {}
    commands: dict[str, CommandRecord] = {}
    """Unfinished commands by id."""
    outputs: dict[str, CommandRecord] = {}
    """Last command by entity id: what the output should be, and why."""
    silenced: dict[str, Deadline] = {}
    """Zone id → when its sirens sound again if people are inside."""
    proofs: dict[str, ProofRecord] = {}
    """Output → its proof tests."""
    plans: PlansState = msgspec.field(default_factory=PlansState)
    rounds: RoundsState = msgspec.field(default_factory=RoundsState)
    tasks: TasksState = msgspec.field(default_factory=TasksState)
    contacts: dict[str, dict[str, str]] = {}
    """Person id → channel → kind of service, beside the bundle's."""
    quiet: dict[str, list[Span]] = {}
    """Person id → quiet hours that they chose."""

    def call(self, evacuation_id: str) -> EvacuationRecord | None:
        """Return the roll call of an evacuation or a drill."""
        found = self.evacuations.get(evacuation_id)
        return found if found is not None else self.drills.get(evacuation_id)


#: Beyond so many notices the oldest answered one is forgotten for each new one.
_KEEP_NOTICES = 1000
_ORDER = ("queued", "sent", "delivered", "seen", "acknowledged")


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
