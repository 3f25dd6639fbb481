"""What people do with emergency plans: start, settle steps, report, end."""

from typing import Final

from core.api.errors import Refused
from core.hub import Hub
from core.journal.envelope import Cause
from core.people.access import Access, Answer
from core.response import plans_acts as acts
from core.response.books import PlanStep
from core.response.plans import DRILL, Plans
from core.response.plans_state import PlanEnded, PlanReported, PlanRun
from core.response.tasks_acts import LEADS

_LEADS: Final = (*LEADS, "marshal")


class PlansDesk:
    """Take the acts on plans; a step is settled by who it belongs to, or a lead."""

    def __init__(self, hub: Hub, access: Access, plans: Plans) -> None:
        self._hub, self._access, self._plans = hub, access, plans
        access.bind(acts.StartPlan, self._start_act)
        access.bind(acts.DoStep, self._done_act)
        access.bind(acts.SkipStep, self._skip_act)
        access.bind(acts.SendReport, self._report_act)
        access.bind(acts.EndPlan, self._end_act)

    def _start_act(
        self, _actor: str, act: acts.StartPlan, _version: int | None, cause: Cause
    ) -> Answer:
        zones = {zone.id for zone in self._hub.bundle.site.zones}
        if act.zone_id and act.zone_id not in zones:
            raise Refused("site.zone_unknown", zone=act.zone_id)
        if act.drill and any(
            not run.mark for run in self._hub.state.response.plans.running()
        ):
            raise Refused("plan.real_running")
        mark = DRILL if act.drill else ""
        run_id = self._plans.start(
            act.plan, zone_id=act.zone_id or None, mark=mark, cause=cause
        )
        if run_id is None:
            known = ", ".join(plan.id for plan in self._hub.bundle.plans)
            raise Refused("plan.unknown", plan=act.plan, known=known or "-")
        return {"plan_run": run_id}

    def _turn(self, actor: str, run_id: str, step_id: str) -> tuple[PlanRun, PlanStep]:
        """Return a step that the actor may settle now."""
        run = self._plans.existing(run_id)
        plan = self._plans.plan_of(run)
        step = plan.step(step_id) if plan else None
        if step is None:
            raise Refused("plan.step_unknown", step=step_id)
        self._access.require(actor, *step.roles, *_LEADS)
        if run.steps[step_id].settled:
            raise Refused("plan.step_settled", by=run.steps[step_id].by)
        return run, step

    def _done_act(
        self, actor: str, act: acts.DoStep, _version: int | None, cause: Cause
    ) -> Answer:
        run, step = self._turn(actor, act.plan_run, act.step)
        if step.report:
            raise Refused("plan.report_by_person")
        if run.steps[step.id].state == "waiting":
            raise Refused("plan.step_waits", after=", ".join(step.after))
        self._plans.settle(run, step.id, "done", (actor, act.note), cause)
        self._plans.open_next(run, cause)
        return {"plan_run": run.id, "step": step.id}

    def _skip_act(
        self, actor: str, act: acts.SkipStep, _version: int | None, cause: Cause
    ) -> Answer:
        run, step = self._turn(actor, act.plan_run, act.step)
        self._plans.settle(run, step.id, "skipped", (actor, act.reason), cause)
        self._plans.open_next(run, cause)
        return {"plan_run": run.id, "step": step.id}

    def _report_act(
        self, actor: str, act: acts.SendReport, _version: int | None, cause: Cause
    ) -> Answer:
        run, step = self._plans.report_step(act.plan_run)
        body = PlanReported(
            plan_run=run.id,
            step=step,
            by=actor,
            way=act.way,
            to=act.to,
            sha256=act.sha256,
        )
        self._hub.emit(body, cause)
        self._plans.reported(run, actor, cause)
        return {"plan_run": run.id, "sha256": act.sha256}

    def _end_act(
        self, actor: str, act: acts.EndPlan, _version: int | None, cause: Cause
    ) -> Answer:
        run, reason = self._plans.existing(act.plan_run), act.reason.strip()
        alarm = None if run.mark else self._plans.standing(run)
        if alarm is not None:
            raise Refused("plan.alarm_stands", alarm=alarm.kind)
        left = [step_id for step_id, record in run.steps.items() if not record.settled]
        if left and not reason:
            raise Refused("plan.steps_open", steps=", ".join(left))
        for step_id in left:
            self._plans.settle(run, step_id, "skipped", (actor, reason), cause)
        self._hub.emit(PlanEnded(plan_run=run.id, by=actor, reason=reason), cause)
        return {"plan_run": run.id, "skipped": len(left)}
