"""Hazards to tasks, tasks to a second person's word (发现—派单—整改—复查)."""

from typing import Final

from core.alarms.alarms import Alarms
from core.api.errors import Refused
from core.api.reading import Value
from core.clock import NS
from core.deadlines import Deadline, fire_after
from core.hub import CORE, Hub
from core.journal.envelope import Cause
from core.people.access import Answer, check_version
from core.people.people import People
from core.response import tasks_acts as acts
from core.response.notices import Notices
from core.response.tasks_state import (
    MAJOR,
    TaskAccepted,
    TaskCreated,
    TaskDispatched,
    TaskDoubted,
    TaskMoved,
    TaskOverdue,
    TaskPhoto,
    TaskRecord,
)

#: Kinds that are closed on pictures of before and after.
PICTURED: Final = ("hazard", "near_miss", "inspection")
#: Open tasks that the hub keeps; what would be more is an alarm (named overflow).
MOST_OPEN: Final = 1000
MOST_PHOTOS: Final = 20
#: How long a fix may wait to be looked at again, by grade.
_RECHECK_S: Final = {"general": 24 * 3600.0, MAJOR: 4 * 3600.0}
#: A found hazard is fixed by then unless somebody sets another time.
_FOUND_S: Final = {"general": 7 * 24 * 3600.0, MAJOR: 24 * 3600.0}
#: Who is told beside the owner, the longer it is overdue.
_ABOVE: Final = (("supervisor",), ("safety_officer",), ("owner",))
#: Who is told of what has no owner and no roles of its own.
_DESK: Final = ("safety_officer", "supervisor")
_AGAIN_LEAST_S: Final = 300.0
_AGAIN_MOST_S: Final = 86_400.0
_CHANNELS: Final = ("screen",)


class Tasks:
    """Open tasks, follow them, escalate what is late; close none by itself."""

    def __init__(
        self, hub: Hub, people: People, notices: Notices, alarms: Alarms
    ) -> None:
        self._hub, self._people = hub, people
        self._notices, self._alarms = notices, alarms
        bind = people.access.bind
        bind(acts.ReportTask, self._report)
        bind(acts.DispatchTask, self._dispatch)
        bind(acts.StartTask, self._start)
        bind(acts.PhotographTask, self._photo)
        bind(acts.FixTask, self._fix)
        bind(acts.AcceptTask, self._accept)
        bind(acts.RejectTask, self._reject)
        hub.undo(TaskAccepted, self._doubt)

    def arm(self) -> None:
        """Derive nothing from the bundle."""

    def recover(self, clean: bool) -> None:
        """Go on waiting; what is late by now, or cannot be told, is escalated."""
        for task in self._hub.state.response.tasks.open():
            self._watch(task)

    def tick(self) -> None:
        """Have no levels: tasks go by deadlines and people."""

    # --- opening --------------------------------------------------------------

    def create(  # noqa: PLR0913 (the names are the contract)
        self,
        kind: str,
        code: str,
        *,
        zone_id: str | None,
        due_s: float,
        roles: tuple[str, ...] = (),
        owner: str = "",
        params: dict[str, Value] | None = None,
        about: str = "",
        grade: str = "general",
        by: str = "",
        mark: str = "",
        cause: Cause = CORE,
    ) -> str:
        """Open a task, due in ``due_s`` seconds; returns its id, '' if none fits.

        One of the same (kind, code, zone, about) that is open is that id.
        """
        known = self._known((kind, code, zone_id, about))
        if known is not None:
            return known
        body = TaskCreated(
            task_id=self._hub.ids.new(),
            kind=kind,
            code=code,
            zone_id=zone_id,
            roles=roles,
            owner=owner,
            due=Deadline.after(self._hub.clock, due_s),
            params=params or {},
            about=about,
            grade=grade,
            by=by,
            mark=mark,
        )
        self._hub.emit(body, cause)
        self._begin(self._task(body.task_id), cause)
        return body.task_id

    def _begin(self, task: TaskRecord, cause: Cause) -> None:
        self._watch(task)
        self._tell(task, "notice.task", cause)

    def _known(self, key: tuple[str, str, str | None, str]) -> str | None:
        """Return the open task of the same thing, '' where no more fit, else None."""
        open_ = self._hub.state.response.tasks.open()
        for task in open_ if key[-1] else ():
            if (task.kind, task.code, task.zone_id, task.about) == key:
                return task.id
        if len(open_) < MOST_OPEN:
            return None
        self._alarms.raise_(
            "hub:tasks",
            "full",
            kind="fault.tasks",
            priority=2,
            params={"most": MOST_OPEN},
        )
        return ""

    def _task(self, task_id: str) -> TaskRecord:
        task = self._hub.state.response.tasks.tasks.get(task_id)
        if task is None:
            raise Refused("task.unknown", task=task_id)
        return task

    # --- telling --------------------------------------------------------------

    def _tell(
        self,
        task: TaskRecord,
        code: str,
        cause: Cause,
        above: tuple[str, ...] = (),
    ) -> None:
        """Tell a task's owner, or who may have it; an old word of it is over."""
        self._notices.close_about(task.id)
        params = _facts(task)
        if task.owner:
            told = (task.owner,)
            self._notices.tell_persons(told, code, params, task.id, task.mark, cause)
        roles = (*(() if task.owner else task.roles or _DESK), *above)
        held = tuple(role for role in roles if self._people.with_role(role))
        # A role that nobody has is no reason to sound: the task stays on the list.
        if held:
            self._notices.tell(
                roles=tuple(dict.fromkeys(held)),
                channels=_CHANNELS,
                code=code,
                params=params,
                about=task.id,
                mark=task.mark,
                cause=cause,
            )

    # --- deadlines ------------------------------------------------------------

    def _watch(self, task: TaskRecord) -> None:
        if task.due is None:
            self._hub.timers.cancel(_key(task.id))
            return
        task_id = task.id

        def late(unknown: bool) -> None:
            found = self._hub.state.response.tasks.tasks.get(task_id)
            if found is not None and found.open:
                self._overdue(found, "late_unknown" if unknown else "late")

        fire_after(self._hub, task.due, _key(task_id), late)

    def _overdue(self, task: TaskRecord, why: str) -> None:
        span_s = task.due.duration_ns / NS if task.due else _AGAIN_LEAST_S
        again_s = min(max(span_s / 4, _AGAIN_LEAST_S), _AGAIN_MOST_S)
        body = TaskOverdue(
            task_id=task.id,
            level=task.level + 1,
            why=why,
            next=Deadline.after(self._hub.clock, again_s),
        )
        wrapped = self._hub.emit(body)
        above = _ABOVE[: min(body.level, len(_ABOVE))]
        cause = Cause(actor="hub:tasks", parent=wrapped.id)
        self._tell(
            task, "notice.task_overdue", cause, tuple(r for s in above for r in s)
        )
        self._watch(task)

    # --- acts -----------------------------------------------------------------

    def _report(
        self, actor: str, act: acts.ReportTask, _version: int | None, cause: Cause
    ) -> Answer:
        zone_id = act.zone_id or None
        zones = {zone.id for zone in self._hub.bundle.site.zones}
        if zone_id is not None and zone_id not in zones:
            raise Refused("site.zone_unknown", zone=zone_id)
        params: dict[str, Value] = {"title": act.title.strip(), "note": act.note}
        task_id = self.create(
            act.kind,
            f"task.found.{act.kind}",
            zone_id=zone_id,
            due_s=_FOUND_S[act.grade],
            params=params,
            # Two people may tell of the same alarm: both reports count.
            about=f"{act.about}#{actor}" if act.about else "",
            grade=act.grade,
            by=actor,
            cause=cause,
        )
        if not task_id:
            raise Refused("task.many", most=MOST_OPEN)
        return {"task_id": task_id}

    def _open(self, task_id: str, version: int | None, *states: str) -> TaskRecord:
        task = self._task(task_id)
        check_version(version, task.version)
        if task.state not in states:
            raise Refused("task.state", state=task.state, needed=", ".join(states))
        return task

    def _dispatch(
        self, actor: str, act: acts.DispatchTask, version: int | None, cause: Cause
    ) -> Answer:
        states = ("found", "dispatched", "fixing", "rejected")
        task = self._open(act.task_id, version, *states)
        if not self._people.access.known(act.owner):
            raise Refused("act.person_unknown", person=act.owner)
        body = TaskDispatched(
            task_id=task.id,
            owner=act.owner,
            by=actor,
            due=Deadline.after(self._hub.clock, act.due_s),
            grade=MAJOR if MAJOR in (act.grade, task.grade) else "",
        )
        self._hub.emit(body, cause)
        self._begin(task, cause)
        return {"task_id": task.id}

    def _mine(self, actor: str, task: TaskRecord) -> None:
        """Refuse who has no part in a task: its owner, its roles, its leads."""
        if actor != task.owner:
            self._people.access.require(actor, *acts.LEADS, *task.roles)

    def _start(
        self, actor: str, act: acts.StartTask, version: int | None, cause: Cause
    ) -> Answer:
        task = self._open(act.task_id, version, "found", "dispatched", "rejected")
        self._mine(actor, task)
        self._hub.emit(TaskMoved(task_id=task.id, state="fixing", by=actor), cause)
        return {"task_id": task.id}

    def _photo(
        self, actor: str, act: acts.PhotographTask, _version: int | None, cause: Cause
    ) -> Answer:
        task = self._task(act.task_id)
        answer: Answer = {"task_id": task.id, "sha256": act.sha256}
        if any((p.stage, p.sha256) == (act.stage, act.sha256) for p in task.photos):
            return answer  # told twice: a phone that lost the answer
        if not task.open:
            raise Refused("task.state", state=task.state, needed="open")
        if actor != task.by:
            self._mine(actor, task)
        if len(task.photos) >= MOST_PHOTOS:
            raise Refused("task.photos", most=MOST_PHOTOS)
        if act.stage == "after" and any(p.sha256 == act.sha256 for p in task.photos):
            raise Refused("task.same_photo")
        body = TaskPhoto(
            task_id=task.id,
            stage=act.stage,
            sha256=act.sha256,
            size=act.size,
            media=act.media,
            by=actor,
            taken_ms=act.taken_ms,
        )
        self._hub.emit(body, cause)
        return answer

    def _fix(
        self, actor: str, act: acts.FixTask, version: int | None, cause: Cause
    ) -> Answer:
        task = self._open(act.task_id, version, "dispatched", "fixing", "rejected")
        self._mine(actor, task)
        if task.kind in PICTURED:
            for stage in ("before", "after"):
                if not task.shown(stage):
                    raise Refused(f"task.no_{stage}")
        due = Deadline.after(self._hub.clock, _RECHECK_S[task.grade])
        body = TaskMoved(
            task_id=task.id, state="fixed", by=actor, note=act.note, due=due
        )
        self._hub.emit(body, cause)
        self._watch(task)
        self._ask_again(task, cause)
        return {"task_id": task.id}

    def _ask_again(self, task: TaskRecord, cause: Cause) -> None:
        """Tell who may look again: none of those who fixed it."""
        self._notices.close_about(task.id)
        able = dict.fromkeys(
            person.id for role in _DESK for person in self._people.with_role(role)
        )
        self._notices.tell_persons(
            [person for person in able if not _had_a_hand(task, person)],
            "notice.task_recheck",
            _facts(task),
            task.id,
            task.mark,
            cause,
        )

    def _second(self, actor: str, task: TaskRecord) -> None:
        if _had_a_hand(task, actor):
            raise Refused("task.own_fix", person=actor)
        if actor in task.checkers:
            raise Refused("task.checked_already", person=actor)

    def _accept(
        self, actor: str, act: acts.AcceptTask, version: int | None, cause: Cause
    ) -> Answer:
        task = self._open(act.task_id, version, "fixed")
        self._second(actor, task)
        closes = len(task.checkers) + 1 >= (2 if task.grade == MAJOR else 1)
        body = TaskAccepted(task_id=task.id, by=actor, closes=closes, note=act.note)
        self._hub.emit(body, cause)
        self._watch(task)
        if closes:
            self._notices.close_about(task.id)
            self._alarms.clear("hub:tasks", "full")
        return {"task_id": task.id, "closed": closes}

    def _reject(
        self, actor: str, act: acts.RejectTask, version: int | None, cause: Cause
    ) -> Answer:
        task = self._open(act.task_id, version, "fixed")
        self._second(actor, task)
        body = TaskMoved(
            task_id=task.id,
            state="rejected",
            by=actor,
            note=act.reason,
            due=Deadline.after(self._hub.clock, act.due_s),
        )
        self._hub.emit(body, cause)
        self._watch(task)
        self._tell(task, "notice.task_rejected", cause)
        return {"task_id": task.id}

    def _doubt(self, body: TaskAccepted) -> None:
        """Open again what the disk never heard was accepted."""
        task = self._hub.state.response.tasks.tasks.get(body.task_id)
        if task is None:
            return
        due = Deadline.after(self._hub.clock, _RECHECK_S[task.grade])
        self._hub.emit(TaskDoubted(task_id=task.id, due=due))
        self._watch(task)
        self._ask_again(task, CORE)


def _had_a_hand(task: TaskRecord, person_id: str) -> bool:
    return person_id == task.owner or person_id in task.fixers


def _facts(task: TaskRecord) -> dict[str, Value]:
    """Return what a notice tells of a task; its code stands for a missing title."""
    return {
        **task.params,
        "title": task.params.get("title") or task.code,
        "zone": task.zone_id or "",
        "grade": task.grade,
        "level": task.level,
    }


def _key(task_id: str) -> str:
    return f"task.{task_id}"
