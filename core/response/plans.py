"""Emergency plans: the hub opens each step, calls its owners and escalates.

The hub settles no step: done or skipped is the word of a named person. A run pins
the version of its plan, so that a new one changes nothing that goes on.
"""

from itertools import chain
from typing import Final

import msgspec

from core import config
from core.alarms.events import AlarmRaised
from core.alarms.state import AlarmRecord
from core.api.errors import Refused
from core.api.reading import Value
from core.deadlines import Deadline, fire_after
from core.hub import CORE, Hub
from core.journal.envelope import Cause, Envelope
from core.response.books import Plan, PlanStep
from core.response.notices import Notices
from core.response.plans_state import (
    PlanEnded,
    PlanJoined,
    PlanKept,
    PlanLate,
    PlanOpened,
    PlanReopened,
    PlanRun,
    PlanSettled,
    PlanStarted,
    PlanStopped,
)
from core.response.roll_events import DrillEnded

DRILL: Final = "DRILL"
#: A step is told of again at most so often; it stays late on every screen.
_LEVELS: Final = 5
_AGAIN_LEAST_S: Final = 60.0
#: Alarms that a run names; more of one place are answered by it all the same.
MOST_ABOUT: Final = 50
_encoder = msgspec.msgpack.Encoder(order="deterministic")


def dump(plan: Plan) -> bytes:
    """Return a plan's canonical bytes."""
    return _encoder.encode(plan)


def answers(
    plans: tuple[Plan, ...], kind: str, zone_id: str | None, priority: int = 1
) -> Plan | None:
    """Return the plan that an alarm is bound to: by its zone, then by its kind."""
    best: tuple[bool, int] = (False, 0)
    found = None
    for plan in plans:
        if (plan.zones and zone_id not in plan.zones) or priority > plan.priority:
            continue
        for alarm in plan.alarms:
            rank = (bool(plan.zones), len(alarm))
            if (kind == alarm or kind.startswith(f"{alarm}.")) and rank > best:
                best, found = rank, plan
    return found


class Plans:
    """Start plans on alarms, drive their steps, end none by itself."""

    def __init__(self, hub: Hub, notices: Notices) -> None:
        self._hub, self._notices = hub, notices
        self._read: dict[str, Plan | None] = {}
        self._raised: list[str] = []
        """Alarms of this moment: sirens and holds go before their plans."""
        hub.on(AlarmRaised, self._alarm)
        hub.on(DrillEnded, lambda _body, _envelope: self._drill_over())
        hub.undo(PlanEnded, self._reopen)

    def arm(self) -> None:
        """Answer the alarms that stood before there was a plan for them (R1)."""
        self._hub.after(0.0, "plans.levels", self._levels)

    def recover(self, clean: bool) -> None:
        """Go on where the runs stood: no step is skipped, what is late is told."""
        for run in self._hub.state.response.plans.running():
            for step_id in list(run.steps):
                self._watch(run, step_id)
            self.open_next(run, CORE)

    def tick(self) -> None:
        """Have no levels of its own: plans go by alarms, deadlines and people."""

    # --- starting -------------------------------------------------------------

    def start(
        self,
        plan_id: str,
        *,
        zone_id: str | None,
        about: str = "",
        mark: str = "",
        cause: Cause = CORE,
    ) -> str | None:
        """Begin a plan of the site; returns the run, None where there is none.

        One that runs for the zone already is joined. A real one ends the drills.
        """
        plan = next((p for p in self._hub.bundle.plans if p.id == plan_id), None)
        running = self._hub.state.response.plans.running()
        # No drill beside what is real, and none goes on when that begins.
        if plan is None or (mark and any(not run.mark for run in running)):
            return None
        if not mark:
            self._end_drills(about)
        for run in running:
            if (run.plan, run.zone_id, run.mark) == (plan_id, zone_id, mark):
                if about and about not in run.about and len(run.about) < MOST_ABOUT:
                    self._hub.emit(PlanJoined(plan_run=run.id, about=about), cause)
                return run.id
        body = PlanStarted(
            plan_run=self._hub.ids.new(),
            plan=plan.id,
            digest=self._pinned(plan, cause),
            zone_id=zone_id,
            steps=tuple(step.id for step in plan.steps),
            about=about,
            mark=mark,
            report_due=self._report_due(plan),
        )
        self._hub.emit(body, cause)
        self.open_next(self._hub.state.response.plans.runs[body.plan_run], cause)
        return body.plan_run

    def _pinned(self, plan: Plan, cause: Cause) -> str:
        """Return a version's digest; its bytes are kept for every run of it."""
        digest = config.digest(dump(plan))
        if digest not in self._hub.state.response.plans.kept:
            self._hub.emit(PlanKept(digest=digest, data=dump(plan)), cause)
        return digest

    def _report_due(self, plan: Plan) -> Deadline | None:
        if not any(step.report for step in plan.steps):
            return None
        within_s = self._hub.bundle.notices.report_within_s
        return Deadline.after(self._hub.clock, within_s)

    def existing(self, run_id: str) -> PlanRun:
        """Return a run that goes on; raises Refused."""
        run = self._hub.state.response.plans.runs.get(run_id)
        if run is None:
            raise Refused("plan.run_unknown", run=run_id)
        if not run.running:
            raise Refused("plan.over")
        return run

    def report_step(self, run_id: str) -> tuple[PlanRun, str]:
        """Return a run and its step that is the notice; raises Refused."""
        run = self.existing(run_id)
        plan = self.plan_of(run)
        step = next((s for s in plan.steps if s.report), None) if plan else None
        if step is None:
            raise Refused("plan.no_report")
        return run, step.id

    def reported(self, run: PlanRun, by: str, cause: Cause) -> None:
        """Settle the notice's step: it left the site by a named person's word."""
        plan = self.plan_of(run)
        for step in plan.steps if plan else ():
            if step.report and not run.steps[step.id].settled:
                self.settle(run, step.id, "done", (by, ""), cause)
                self.open_next(run, cause)

    def plan_of(self, run: PlanRun) -> Plan | None:
        """Return the version that a run pins; None: nobody can read it."""
        if run.digest not in self._read:
            data = self._hub.state.response.plans.kept.get(run.digest, b"")
            try:
                self._read[run.digest] = msgspec.msgpack.decode(data, type=Plan)
            except msgspec.MsgspecError:
                self._read[run.digest] = None
        return self._read[run.digest]

    def _alarm(self, body: AlarmRaised, _: Envelope) -> None:
        self._raised.append(body.alarm_id)
        self._hub.after(0.0, "plans.answer", self._answer_raised)

    def _answer_raised(self) -> None:
        raised, self._raised = self._raised, []
        for alarm_id in raised:
            alarm = self._hub.state.alarms.open.get(alarm_id)
            if alarm is not None:
                self._answer(alarm)

    def _levels(self) -> None:
        runs = self._hub.state.response.plans.runs.values()
        about = {each for run in runs for each in run.about}
        for alarm in list(self._hub.state.alarms.open.values()):
            if alarm.active and alarm.id not in about:
                self._answer(alarm)

    def _answer(self, alarm: AlarmRecord) -> None:
        # A test rouses nobody; a drill is carried out as one.
        if alarm.mark not in ("", DRILL):
            return
        plan = self._bound(alarm)
        if plan is not None:
            self.start(
                plan.id,
                zone_id=alarm.zone_id,
                about=alarm.id,
                mark=alarm.mark,
                cause=Cause(actor="hub:plans", evidence=(alarm.id,)),
            )

    def _bound(self, alarm: AlarmRecord) -> Plan | None:
        plans = self._hub.bundle.plans
        return answers(plans, alarm.kind, alarm.zone_id, alarm.priority)

    def standing(self, run: PlanRun) -> AlarmRecord | None:
        """Return an alarm that stands and that a run answers, also unnamed by it."""
        alarms = self._hub.state.alarms
        named = [alarms.open[each] for each in run.about if each in alarms.open]
        for alarm in chain(named, alarms.places.at(run.zone_id)):
            if not alarm.stands or alarm.mark:
                continue
            plan = self._bound(alarm) if alarm.zone_id == run.zone_id else None
            if alarm.id in run.about or (plan is not None and plan.id == run.plan):
                return alarm
        return None

    def _end_drills(self, about: str) -> None:
        for run in self._hub.state.response.plans.running():
            if run.mark:
                self._stop(run, PlanStopped(plan_run=run.id, about=about))

    def _drill_over(self) -> None:
        """Stop what the drill's own alarms began; a run begun by hand goes on."""
        for run in self._hub.state.response.plans.running():
            if run.mark and run.about:
                body = PlanStopped(plan_run=run.id, about="", why="drill_over")
                self._stop(run, body)

    def _stop(self, run: PlanRun, body: PlanStopped) -> None:
        self._hush(run)
        self._hub.emit(body)

    # --- steps ----------------------------------------------------------------

    def open_next(self, run: PlanRun, cause: Cause) -> None:
        """Open the steps whose turn it is: all that they wait for is settled."""
        plan = self.plan_of(run)
        for step in plan.steps if plan else ():
            before = [run.steps[each] for each in step.after if each in run.steps]
            if run.steps[step.id].state == "waiting" and all(b.settled for b in before):
                due = Deadline.after(self._hub.clock, step.within_s)
                body = PlanOpened(plan_run=run.id, step=step.id, due=due)
                self._hub.emit(body, cause)
                self._tell(run, step, "notice.plan_step", step.roles, cause)
                self._watch(run, step.id)

    def _tell(
        self,
        run: PlanRun,
        step: PlanStep,
        code: str,
        roles: tuple[str, ...],
        cause: Cause,
    ) -> None:
        params: dict[str, Value] = {
            "plan": run.plan,
            "plan_step": f"{run.digest}/{step.id}",
            "zone": run.zone_id or "",
            "level": run.steps[step.id].level,
        }
        self._notices.tell(
            roles=roles,
            channels=step.channels,
            code=code,
            params=params,
            about=_about(run.id, step.id),
            mark=run.mark,
            cause=cause,
        )

    def _watch(self, run: PlanRun, step_id: str) -> None:
        record = run.steps[step_id]
        key = f"plan.{_about(run.id, step_id)}"
        if record.state != "open" or record.due is None:
            self._hub.timers.cancel(key)
            return
        run_id = run.id

        def late(unknown: bool) -> None:
            found = self._hub.state.response.plans.runs.get(run_id)
            if found is not None and found.running:
                self._late(found, step_id, "late_unknown" if unknown else "late")

        fire_after(self._hub, record.due, key, late)

    def _late(self, run: PlanRun, step_id: str, why: str) -> None:
        plan, record = self.plan_of(run), run.steps[step_id]
        step = plan.step(step_id) if plan else None
        if step is None or record.state != "open":
            return
        level = record.level + 1
        again_s = max(step.within_s, _AGAIN_LEAST_S)
        again = Deadline.after(self._hub.clock, again_s) if level < _LEVELS else None
        body = PlanLate(plan_run=run.id, step=step_id, level=level, why=why, next=again)
        wrapped = self._hub.emit(body)
        cause = Cause(actor="hub:plans", parent=wrapped.id)
        above = step.escalate if level == 1 else (*step.escalate, "owner")
        roles = tuple(dict.fromkeys((*step.roles, *above)))
        self._tell(run, step, "notice.plan_late", roles, cause)
        self._watch(run, step_id)

    def settle(
        self,
        run: PlanRun,
        step_id: str,
        outcome: str,
        by: tuple[str, str],
        cause: Cause,
    ) -> None:
        """Settle a step by a person and a reason; open what waited for it."""
        actor, reason = by
        body = PlanSettled(
            plan_run=run.id, step=step_id, outcome=outcome, by=actor, reason=reason
        )
        self._hub.emit(body, cause)
        self._watch(run, step_id)
        self._notices.close_about(_about(run.id, step_id))

    def _hush(self, run: PlanRun) -> None:
        for step_id in run.steps:
            self._hub.timers.cancel(f"plan.{_about(run.id, step_id)}")
            self._notices.close_about(_about(run.id, step_id))

    def _reopen(self, body: PlanEnded) -> None:
        self._hub.emit(PlanReopened(plan_run=body.plan_run))


def _about(run_id: str, step_id: str) -> str:
    return f"{run_id}/{step_id}"
