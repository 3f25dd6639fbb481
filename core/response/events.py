"""Evacuation, notice and command events."""

import msgspec

from core.api.reading import Value
from core.deadlines import Deadline
from core.journal.envelope import Effect
from core.journal.events import Event, event


class RosterLine(msgspec.Struct, frozen=True, kw_only=True):
    """Put one person on a roll call, with the place they were last found."""

    person_id: str
    zone_id: str | None
    certain: bool
    """False when the place is only the last known one."""
    count: int = 1
    """More than one: a group counted by number."""


@event("evacuation.started", effect=Effect.PROTECTIVE)
class EvacuationStarted(Event, frozen=True, kw_only=True):
    """Zones must be left now; the roll call begins."""

    evacuation_id: str
    zones: tuple[str, ...]
    code: str
    roster: tuple[RosterLine, ...]
    params: dict[str, Value] = {}
    muster_points: tuple[str, ...] = ()
    late: Deadline | None = None
    mark: str = ""
    asked: tuple[str, ...] = ()
    """The zones asked for; the plan's scope added the others."""
    gases: dict[str, tuple[str, ...]] = {}
    """Zone → gases whose alarm calls people out."""
    refused: dict[str, str] = {}
    """Muster point → why it is not offered."""
    wind: str = ""


@event("evacuation.extended", effect=Effect.PROTECTIVE)
class EvacuationExtended(Event, frozen=True, kw_only=True):
    """More zones or people joined a running evacuation."""

    evacuation_id: str
    zones: tuple[str, ...]
    roster: tuple[RosterLine, ...] = ()
    late: Deadline | None = None
    """A new time to leave, where the first one is over."""
    gases: dict[str, tuple[str, ...]] = {}


@event("evacuation.roll")
class RollChanged(Event, frozen=True, kw_only=True):
    """A person's line changed: missing, device_seen, accounted, rescue."""

    evacuation_id: str
    person_id: str
    status: str
    method: str = ""
    """tag, tick, pin, face or undo."""
    by: str = ""
    seen: int = 0
    """How many of a group were counted."""
    rescuer: str = ""
    """Who took the rescue over, by name."""


@event("evacuation.late", effect=Effect.PROTECTIVE)
class EvacuationLate(Event, frozen=True, kw_only=True):
    """The time to leave has passed and these people are not accounted for."""

    evacuation_id: str
    missing: tuple[str, ...]
    why: str = ""
    """late_unknown: after a stop nobody could tell whether time had passed."""


@event("evacuation.cleared", effect=Effect.PERMISSIVE)
class EvacuationCleared(Event, frozen=True, kw_only=True):
    """A named authority on site gave the all-clear; it releases no permit."""

    evacuation_id: str
    person_id: str
    evidence: tuple[str, ...] = ()


@event("evacuation.reopened", effect=Effect.PROTECTIVE)
class EvacuationReopened(Event, frozen=True, kw_only=True):
    """An all-clear never became durable: the evacuation goes on."""

    evacuation_id: str


@event("sirens.silenced", effect=Effect.PERMISSIVE)
class SirensSilenced(Event, frozen=True, kw_only=True):
    """A person on site silenced the sirens of a zone; resets nothing."""

    zone_id: str
    person_id: str
    until: Deadline


@event("output.released", effect=Effect.PERMISSIVE)
class OutputReleased(Event, frozen=True, kw_only=True):
    """A named person let a protective output end; the command follows on durable."""

    entity_id: str
    person_id: str
    reason: str


@event("sirens.resounded", effect=Effect.PROTECTIVE)
class SirensResounded(Event, frozen=True, kw_only=True):
    """Sirens sound again: new source, or people still inside after 3 min."""

    zone_id: str
    why: str


@event("notice.queued", effect=Effect.PROTECTIVE)
class NoticeQueued(Event, frozen=True, kw_only=True):
    """A person must be told; one record per recipient."""

    notice_id: str
    person_id: str
    role: str
    code: str
    params: dict[str, Value] = {}
    about: str = ""
    """Alarm, evacuation or permit id."""
    channels: tuple[str, ...] = ()
    level: int = 0
    """Step of the escalation chain."""
    respond: Deadline | None = None
    """When unacknowledged by then, the next level is told."""
    chain: str = ""
    mark: str = ""
    may_wait: bool = False
    """True: quiet hours may hold it back."""


@event("notice.moved")
class NoticeMoved(Event, frozen=True, kw_only=True):
    """One channel's delivery state changed."""

    notice_id: str
    channel: str
    state: str
    """sent, delivered, seen, acknowledged or failed."""
    detail: str = ""


@event("notice.escalated", effect=Effect.PROTECTIVE)
class NoticeEscalated(Event, frozen=True, kw_only=True):
    """Nobody acknowledged in time: the next level, or the local sounder."""

    notice_id: str
    level: int
    why: str
    """unanswered, unreachable or late_unknown."""


@event("notice.closed")
class NoticeClosed(Event, frozen=True, kw_only=True):
    """What the notice is about has ended."""

    notice_id: str


@event("command.issued", effect=Effect.PROTECTIVE)
class CommandIssued(Event, frozen=True, kw_only=True):
    """An output is asked for a state."""

    command_id: str
    device_id: str
    entity_id: str
    value: bool | float | str
    deadline: Deadline
    priority: int = 0
    why: str = ""
    """Alarm, evacuation or run id that it serves."""


@event("command.moved")
class CommandMoved(Event, frozen=True, kw_only=True):
    """A command reached delivered, confirmed, failed or expired."""

    command_id: str
    state: str
    detail: str = ""


@event("command.withheld")
class CommandWithheld(Event, frozen=True, kw_only=True):
    """A command was not given, and why: an output's Ex declaration forbids it."""

    entity_id: str
    value: bool | float | str
    code: str
    why: str = ""
