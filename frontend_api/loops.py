"""Tasks, runs of plans, rounds and filled checklists as views."""

from collections.abc import Collection, Iterable

import msgspec

from core.response.books import Checklist, Item, Plan, PlanStep, Round, RoundPoint
from core.response.plans_missing import unanswered
from core.response.plans_state import PlanRun, ReportRecord, StepRecord
from core.response.rounds_state import RoundRun, ScanRecord, SheetRecord
from core.response.tasks import PICTURED
from core.response.tasks_acts import LEADS
from core.response.tasks_state import MAJOR, FiledTask, TaskRecord
from frontend_api import loop_views as v
from frontend_api.inventory import MS, due_ms, two
from frontend_api.names import join, known, text
from frontend_api.replica import Replica
from frontend_api.views import Text

#: Who sees every task's pictures: whoever may look again at it, too.
_LOOK = (*LEADS, "owner", "auditor", "marshal", "guardian")


class Loops:
    """Make the views; newest or most urgent first."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self._read: dict[str, Plan | None] = {}

    # --- tasks ----------------------------------------------------------------

    def tasks(self) -> dict[str, v.TaskView]:
        """Show the tasks: open ones by when they are due, then closed ones."""
        every = self.replica.state.response.tasks.tasks.values()
        order = sorted(
            every, key=lambda t: (not t.open, due_ms(t.due), -t.created_wall_ns)
        )
        return {task.id: self._task(task) for task in order}

    def _task(self, task: TaskRecord) -> v.TaskView:
        needed = 2 if task.grade == MAJOR else 1
        return v.TaskView(
            id=task.id,
            title=self._title(task),
            kind=task.kind,
            kind_name=text(known(f"task.{task.kind}", "task.other")),
            note=str(task.params.get("note") or ""),
            zone_id=task.zone_id,
            state=task.state,
            grade=task.grade,
            owner_id=task.owner,
            roles=list(task.roles),
            by_id=task.by,
            about=task.about,
            mark=task.mark,
            due_ms=due_ms(task.due),
            level=task.level,
            version=task.version,
            created_ms=task.created_wall_ns // MS,
            closed_ms=task.closed_wall_ns // MS,
            photos=[
                v.PhotoView(
                    stage=photo.stage,
                    sha256=photo.sha256,
                    by_id=photo.by,
                    taken_ms=photo.taken_ms,
                    erased=bool(photo.erased_seq),
                )
                for photo in task.photos
            ],
            pictured=task.kind in PICTURED,
            fixers=list(dict.fromkeys((*task.fixers, *filter(None, (task.owner,))))),
            checkers=list(task.checkers),
            rejections=task.rejections,
            wanted=max(0, needed - len(task.checkers)) if task.open else 0,
        )

    def _title(self, task: TaskRecord) -> Text:
        """Say what is to be done: a person's words, or names of the site's books."""
        params = {name: str(value) for name, value in task.params.items()}
        checklist = self.checklist(params.get("checklist", ""))
        item = checklist.item(params.get("item", "")) if checklist else None
        if checklist is not None and item is not None:
            of, what = checklist.names, item.names
            return Text(f"{of.zh}：{what.zh}", f"{of.en}: {what.en}")
        round_ = self.round(params.get("round", ""))
        if round_ is not None:
            missed = params.get("points", "").split(", ")
            points = [p for p in map(round_.point, missed) if p is not None]
            where = join([two(point.names) for point in points])
            return text("task.points_missed", {"points": where})
        title = params.get("title", "")
        return Text(title, title) if title else text(task.code, dict(task.params))

    # --- plans ----------------------------------------------------------------

    def plan_runs(self) -> dict[str, v.PlanRunView]:
        """Show the runs of plans: running ones first, the newest before older."""
        every = self.replica.state.response.plans.runs.values()
        order = sorted(every, key=lambda r: (not r.running, -r.started_wall_ns))
        return {run.id: self._run(run) for run in order}

    def plan_of(self, run: PlanRun) -> Plan | None:
        """Return the version that a run pins."""
        if run.digest not in self._read:
            data = self.replica.state.response.plans.kept.get(run.digest, b"")
            try:
                self._read[run.digest] = msgspec.msgpack.decode(data, type=Plan)
            except msgspec.MsgspecError:
                return None
        return self._read[run.digest]

    def _run(self, run: PlanRun) -> v.PlanRunView:
        plan = self.plan_of(run)
        alarms = self.replica.state.alarms.open
        return v.PlanRunView(
            id=run.id,
            plan=run.plan,
            names=two(plan.names) if plan else Text(run.plan, run.plan),
            plan_version=plan.version if plan else "",
            zone_id=run.zone_id,
            mark=run.mark,
            about=list(run.about),
            standing=not run.mark
            and any(each in alarms and alarms[each].stands for each in run.about),
            started_ms=run.started_wall_ns // MS,
            ended_ms=run.ended_wall_ns // MS,
            ended_by=run.ended_by,
            reason=run.reason,
            steps=[
                _step(step, run.steps.get(step.id))
                for step in (plan.steps if plan else ())
            ],
            report_to=two(plan.report_to) if plan and plan.report_to else None,
            report_due_ms=_owed_ms(run),
            report_late=run.report_late,
            reports=[self._reported(each) for each in run.reports],
        )

    def _reported(self, told: ReportRecord) -> v.ReportedView:
        policy = self.replica.bundle.notices
        named = {each.id: each.names for each in policy.channels}
        return v.ReportedView(
            by_id=told.by,
            way=told.way,
            to=told.to,
            sha256=told.sha256,
            at_ms=told.wall_ns // MS,
            draft=told.draft,
            recipient=told.recipient,
            recipient_names=next(
                (two(e.names) for e in policy.regulators if e.id == told.recipient),
                None,
            ),
            channels=[
                v.ReportChannelView(
                    id=channel,
                    names=two(named[channel])
                    if channel in named
                    else Text(channel, channel),
                    state=state,
                    detail=told.details.get(channel, "") if state == "failed" else "",
                )
                for channel, state in told.channels.items()
            ],
        )

    # --- rounds and checklists ------------------------------------------------

    def round(self, round_id: str) -> Round | None:
        """Return a round of the site."""
        rounds = self.replica.bundle.rounds
        return next((each for each in rounds if each.id == round_id), None)

    def checklist(self, checklist_id: str) -> Checklist | None:
        """Return a checklist of the site."""
        lists = self.replica.bundle.checklists
        return next((each for each in lists if each.id == checklist_id), None)

    def round_runs(self) -> dict[str, v.RoundRunView]:
        """Show the walks: open ones first, the newest before older."""
        every = self.replica.state.response.rounds.runs.values()
        order = sorted(every, key=lambda r: (not r.open, -r.opened_wall_ns))
        return {run.id: self._walk(run) for run in order}

    def _walk(self, run: RoundRun) -> v.RoundRunView:
        round_ = self.round(run.round)
        points = [round_.point(each) if round_ else None for each in run.points]
        return v.RoundRunView(
            id=run.id,
            round=run.round,
            names=two(round_.names) if round_ else Text(run.round, run.round),
            opened_ms=run.opened_wall_ns // MS,
            due_ms=due_ms(run.due),
            closed_ms=run.closed_wall_ns // MS,
            why=run.why,
            points=[_point(p, run.scans.get(p.id)) for p in points if p is not None],
            covered=len(run.points) - len(run.left()),
        )

    def sheets(self) -> dict[str, v.SheetView]:
        """Show the filled checklists: those to sign first, the newest before older."""
        every = self.replica.state.response.rounds.sheets.values()
        order = sorted(every, key=lambda s: (not s.owed, -s.filled_wall_ns))
        return {sheet.id: self._sheet(sheet) for sheet in order}

    def _sheet(self, sheet: SheetRecord) -> v.SheetView:
        checklist = self.checklist(sheet.checklist)
        items = {item.id: item for item in checklist.items} if checklist else {}
        name = Text(sheet.checklist, sheet.checklist)
        return v.SheetView(
            id=sheet.id,
            checklist=sheet.checklist,
            names=two(checklist.names) if checklist else name,
            kind=checklist.kind if checklist else "",
            by_id=sheet.by,
            filled_ms=sheet.filled_wall_ns // MS,
            zone_id=sheet.zone_id,
            people=list(sheet.people),
            answers=[
                v.AnswerView(
                    id=each,
                    names=two(items[each].names) if each in items else Text(each, each),
                    value=value,
                    bad=each in sheet.bad or value == "bad",
                )
                for each, value in sheet.answers.items()
            ],
            note=sheet.note,
            owed=list(sheet.owed),
            signed=dict(sheet.signed),
            due_ms=due_ms(sheet.due),
            late=sheet.late,
        )

    # --- the book -------------------------------------------------------------

    def book(self) -> v.BookView:
        """Show what the site has in force."""
        bundle = self.replica.bundle
        kinds = unanswered(bundle) if bundle.site.zones else []
        return v.BookView(
            plans=[_plan(each) for each in bundle.plans],
            checklists=[_checklist(each) for each in bundle.checklists],
            rounds=[_round(each) for each in bundle.rounds],
            unanswered=[
                text(
                    known(f"gateway.kind.{kind}", "gateway.kind.other"), {"kind": kind}
                )
                for kind in kinds
            ],
        )


def may_photograph(
    task: TaskRecord | FiledTask, person_id: str, roles: Collection[str]
) -> bool:
    """Say whether a person may bring or see the pictures of a task."""
    if isinstance(task, FiledTask):
        return not set(_LOOK).isdisjoint(roles)
    named = {task.by, task.owner, *task.fixers, *task.checkers} - {""}
    return person_id in named or not {*_LOOK, *task.roles}.isdisjoint(roles)


def _owed_ms(run: PlanRun) -> int:
    """Return until when the law wants the notice; 0: none is owed any more."""
    if run.report_due is None or run.reported or run.mark or not run.running:
        return 0
    return (run.report_due.start_wall_ns + run.report_due.duration_ns) // MS


def _step(step: PlanStep, record: StepRecord | None = None) -> v.PlanStepView:
    return v.PlanStepView(
        id=step.id,
        names=two(step.names),
        roles=list(step.roles),
        escalate=list(step.escalate),
        within_s=step.within_s,
        after=list(step.after),
        clause=step.clause,
        report=step.report,
        state=record.state if record else "",
        due_ms=due_ms(record.due) if record else 0,
        level=record.level if record else 0,
        by_id=record.by if record else "",
        reason=record.reason if record else "",
        settled_ms=record.settled_wall_ns // MS if record else 0,
    )


def _point(point: RoundPoint, scan: ScanRecord | None = None) -> v.RoundPointView:
    return v.RoundPointView(
        id=point.id,
        names=two(point.names),
        zone_id=point.zone,
        checklist=point.checklist,
        proven=scan.proven if scan else False,
        by_id=scan.by if scan else "",
        at_ms=scan.wall_ns // MS if scan else 0,
        method=scan.method if scan else "",
        why=text(f"place.why.{scan.why}") if scan and scan.why else None,
        in_order=scan.in_order if scan else True,
    )


def _plan(plan: Plan) -> v.PlanView:
    return v.PlanView(
        id=plan.id,
        names=two(plan.names),
        version=plan.version,
        alarms=list(plan.alarms),
        zones=list(plan.zones),
        steps=[_step(step) for step in plan.steps],
        clauses=list(plan.clauses),
    )


def _items(items: Iterable[Item]) -> list[v.ItemView]:
    return [
        v.ItemView(
            id=item.id,
            names=two(item.names),
            type=item.type,
            required=item.required,
            grade=item.grade,
            unit=item.unit,
            least=item.least,
            most=item.most,
            clause=item.clause,
        )
        for item in items
    ]


def _checklist(checklist: Checklist) -> v.ChecklistView:
    return v.ChecklistView(
        id=checklist.id,
        names=two(checklist.names),
        version=checklist.version,
        kind=checklist.kind,
        roles=list(checklist.roles),
        signers=list(checklist.signers),
        items=_items(checklist.items),
    )


def _round(round_: Round) -> v.RoundView:
    return v.RoundView(
        id=round_.id,
        names=two(round_.names),
        roles=list(round_.roles),
        ordered=round_.ordered,
        every_s=round_.every_s,
        points=[_point(point) for point in round_.points],
    )
