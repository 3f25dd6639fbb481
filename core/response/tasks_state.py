"""Hazard tasks: their events, and what the folds of these leave (发现—派单—整改—复查).

A task ends only by a second person's word: `TaskAccepted` is the one event that
closes it, and it is permissive.
"""

from typing import TYPE_CHECKING, Final

import msgspec

from core.api.reading import Value
from core.deadlines import Deadline
from core.journal.envelope import Effect, Envelope
from core.journal.events import Event, event
from core.journal.fold import folds

if TYPE_CHECKING:
    from core.state import SiteState

#: Closed tasks that stay at hand; the journal has them all.
_KEEP_CLOSED: Final = 50
#: Two persons close a hazard of this grade.
MAJOR: Final = "major"


class _TaskEvent(Event, frozen=True, kw_only=True):
    """Tell something of a task; each of its events counts for itself."""

    task_id: str

    def index_key(self) -> str:
        """Name the task."""
        return f"task:{self.task_id}"


@event("task.created", effect=Effect.PROTECTIVE)
class TaskCreated(_TaskEvent, frozen=True, kw_only=True):
    """Something must be put right: found by a person, a rule, a round or an alarm."""

    kind: str
    """hazard, near_miss, inspection, or a rule's own."""
    code: str
    zone_id: str | None
    roles: tuple[str, ...] = ()
    owner: str = ""
    due: Deadline
    params: dict[str, Value] = {}
    about: str = ""
    """Alarm, round, run or permit that it came from."""
    grade: str = "general"
    """general (一般) or major (重大)."""
    by: str = ""
    """Who found it; '' is the hub."""
    mark: str = ""


@event("task.dispatched", effect=Effect.PROTECTIVE)
class TaskDispatched(_TaskEvent, frozen=True, kw_only=True):
    """A named person puts it right until a named time."""

    owner: str
    by: str
    due: Deadline
    grade: str = ""
    """Raised with it; '' leaves it."""


@event("task.moved", effect=Effect.PROTECTIVE)
class TaskMoved(_TaskEvent, frozen=True, kw_only=True):
    """Its state changed: fixing, fixed, rejected."""

    state: str
    by: str
    note: str = ""
    due: Deadline | None = None


@event("task.photo")
class TaskPhoto(_TaskEvent, frozen=True, kw_only=True):
    """A picture that lies in the vault shows the place before or after."""

    stage: str
    sha256: str
    size: int
    media: str
    by: str
    taken_ms: int

    def index_key(self) -> str:
        """Name the picture: none stands for another."""
        return f"task:{self.task_id}/{self.sha256}/{self.stage}"


@event("task.overdue", effect=Effect.PROTECTIVE)
class TaskOverdue(_TaskEvent, frozen=True, kw_only=True):
    """Its time is over, again when the next one is."""

    level: int
    why: str
    """late, or late_unknown when a stop left nobody to tell."""
    next: Deadline | None = None


@event("task.accepted", effect=Effect.PERMISSIVE)
class TaskAccepted(_TaskEvent, frozen=True, kw_only=True):
    """Another person than the fixer looked again and found it right."""

    by: str
    closes: bool
    note: str = ""


@event("task.doubted", effect=Effect.PROTECTIVE)
class TaskDoubted(_TaskEvent, frozen=True, kw_only=True):
    """An acceptance never became durable: it is to be looked at again."""

    due: Deadline


class PhotoRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Hold one picture of a task."""

    stage: str
    sha256: str
    size: int
    media: str
    by: str
    taken_ms: int
    try_: int = 0
    """Rejections before it: an old picture proves no new fix."""
    erased_wall_ns: int = 0
    """0: it is to be kept."""
    erased_seq: int = 0


class TaskRecord(msgspec.Struct, kw_only=True):
    """Hold one task."""

    id: str
    kind: str
    code: str
    zone_id: str | None
    roles: tuple[str, ...]
    owner: str
    due: Deadline | None
    params: dict[str, Value]
    about: str
    grade: str
    by: str
    mark: str
    created_wall_ns: int
    state: str = "found"
    """found, dispatched, fixing, fixed, rejected, closed."""
    fixers: list[str] = []
    """Everybody who had a hand in the fix: none of them looks again."""
    checkers: list[str] = []
    """Who accepted the present fix."""
    photos: list[PhotoRecord] = []
    rejections: int = 0
    level: int = 0
    """How often it was overdue since its last due time was set."""
    version: int = 1
    closed_wall_ns: int = 0
    keep: bool = False
    """True: its pictures stay, however old (an accident, a dispute)."""
    gone_wall_ns: int = 0
    """When its key in the vault was to go; 0: it stands."""
    gone_seq: int = 0

    @property
    def open(self) -> bool:
        """Say whether it still asks for something."""
        return self.state != "closed"

    def shown(self, stage: str) -> bool:
        """Say whether there is a picture; one of after must be of the last try."""
        return any(
            photo.stage == stage and (stage != "after" or photo.try_ == self.rejections)
            for photo in self.photos
        )


class FiledTask(msgspec.Struct, kw_only=True):
    """Hold what is still owed to a closed task's pictures: their time, their end."""

    id: str
    closed_wall_ns: int
    photos: list[PhotoRecord]
    keep: bool = False
    gone_wall_ns: int = 0
    gone_seq: int = 0


class TasksState(msgspec.Struct, kw_only=True):
    """Hold the open tasks, and the last few that were closed."""

    tasks: dict[str, TaskRecord] = {}
    filed: dict[str, FiledTask] = {}
    """Older closed ones that had pictures."""

    def pictured(self, task_id: str) -> TaskRecord | FiledTask | None:
        """Return what holds a task's pictures."""
        return self.tasks.get(task_id) or self.filed.get(task_id)

    def open(self) -> list[TaskRecord]:
        """Return the open ones, oldest first."""
        return [task for task in self.tasks.values() if task.open]


def _of(state: "SiteState", body: _TaskEvent) -> TaskRecord | None:
    task = state.response.tasks.tasks.get(body.task_id)
    if task is not None:
        task.version += 1
    return task


def _due(task: TaskRecord, due: Deadline | None) -> None:
    task.due, task.level = due, 0


@folds(TaskCreated)
def _created(state: "SiteState", body: TaskCreated, envelope: Envelope) -> None:
    state.response.tasks.tasks[body.task_id] = TaskRecord(
        id=body.task_id,
        kind=body.kind,
        code=body.code,
        zone_id=body.zone_id,
        roles=body.roles,
        owner=body.owner,
        due=body.due,
        params=dict(body.params),
        about=body.about,
        grade=body.grade,
        by=body.by,
        mark=body.mark,
        created_wall_ns=envelope.wall_ns,
        state="dispatched" if body.owner else "found",
    )


@folds(TaskDispatched)
def _dispatched(state: "SiteState", body: TaskDispatched, _: Envelope) -> None:
    task = _of(state, body)
    if task is None:
        return
    task.owner, task.grade = body.owner, body.grade or task.grade
    task.state = "dispatched"
    _due(task, body.due)


@folds(TaskMoved)
def _moved(state: "SiteState", body: TaskMoved, _: Envelope) -> None:
    task = _of(state, body)
    if task is None:
        return
    task.state = body.state
    if body.state == "rejected":
        task.rejections += 1
        task.checkers = []
    elif body.by not in task.fixers:
        task.fixers.append(body.by)
    if body.due is not None:
        _due(task, body.due)


@folds(TaskPhoto)
def _photo(state: "SiteState", body: TaskPhoto, _: Envelope) -> None:
    task = _of(state, body)
    if task is None:
        return
    task.photos.append(
        PhotoRecord(
            stage=body.stage,
            sha256=body.sha256,
            size=body.size,
            media=body.media,
            by=body.by,
            taken_ms=body.taken_ms,
            try_=task.rejections,
        )
    )
    if body.stage == "after" and body.by not in task.fixers:
        task.fixers.append(body.by)


@folds(TaskOverdue)
def _overdue(state: "SiteState", body: TaskOverdue, _: Envelope) -> None:
    task = _of(state, body)
    if task is not None:
        task.level, task.due = body.level, body.next


@folds(TaskAccepted)
def _accepted(state: "SiteState", body: TaskAccepted, envelope: Envelope) -> None:
    task = _of(state, body)
    if task is None:
        return
    task.checkers.append(body.by)
    if not body.closes:
        return
    task.state, task.due, task.closed_wall_ns = "closed", None, envelope.wall_ns
    tasks = state.response.tasks.tasks
    done = [each for each in tasks.values() if not each.open]
    for old in done[: max(0, len(done) - _KEEP_CLOSED)]:
        del tasks[old.id]
        if old.photos:
            state.response.tasks.filed[old.id] = FiledTask(
                id=old.id,
                closed_wall_ns=old.closed_wall_ns,
                photos=old.photos,
                keep=old.keep,
                gone_wall_ns=old.gone_wall_ns,
                gone_seq=old.gone_seq,
            )


@folds(TaskDoubted)
def _doubted(state: "SiteState", body: TaskDoubted, _: Envelope) -> None:
    task = _of(state, body)
    if task is not None:
        task.state, task.checkers, task.closed_wall_ns = "fixed", [], 0
        _due(task, body.due)
