"""Runs of emergency plans: their events, and what the folds of these leave.

A step changes only by the word of a named person; a stop changes none.
"""

from typing import TYPE_CHECKING, Final

import msgspec

from core.deadlines import Deadline
from core.journal.envelope import Effect, Envelope
from core.journal.events import Event, event
from core.journal.fold import folds

if TYPE_CHECKING:
    from core.state import SiteState

#: Ended runs that stay at hand; the journal has them all.
_KEEP_ENDED: Final = 20


class _RunEvent(Event, frozen=True, kw_only=True):
    """Tell something of a run; each of its events counts for itself."""

    plan_run: str

    def index_key(self) -> str:
        """Name the run, and the step where it is of one."""
        return f"plan:{self.plan_run}/{getattr(self, 'step', '')}"


@event("plan.kept", effect=Effect.PROTECTIVE)
class PlanKept(Event, frozen=True, kw_only=True):
    """A version of a plan that a run pins: its bytes, once for all its runs."""

    digest: str
    data: bytes

    def index_key(self) -> str:
        """Name the version."""
        return f"plan:{self.digest}"


@event("plan.started", effect=Effect.PROTECTIVE)
class PlanStarted(_RunEvent, frozen=True, kw_only=True):
    """A plan is carried out; its version is pinned for the whole run."""

    plan: str
    digest: str
    zone_id: str | None
    steps: tuple[str, ...]
    about: str = ""
    """The alarm that it answers."""
    mark: str = ""
    report_due: Deadline | None = None
    """Until when the law wants the notice to the regulator; None: none is owed."""


@event("plan.joined", effect=Effect.PROTECTIVE)
class PlanJoined(_RunEvent, frozen=True, kw_only=True):
    """Another alarm is answered by a run that goes on already."""

    about: str


@event("plan.opened", effect=Effect.PROTECTIVE)
class PlanOpened(_RunEvent, frozen=True, kw_only=True):
    """A step is its owners' turn, until its deadline."""

    step: str
    due: Deadline


@event("plan.late", effect=Effect.PROTECTIVE)
class PlanLate(_RunEvent, frozen=True, kw_only=True):
    """A step was not done in time, again when the next time is over."""

    step: str
    level: int
    why: str
    """late, or late_unknown when a stop left nobody to tell."""
    next: Deadline | None = None


@event("plan.settled")
class PlanSettled(_RunEvent, frozen=True, kw_only=True):
    """A named person did a step, or says why it is not done."""

    step: str
    outcome: str
    """done or skipped."""
    by: str
    reason: str = ""


@event("plan.reported")
class PlanReported(_RunEvent, frozen=True, kw_only=True):
    """A person sent the notice to the regulator; the text lies with the gateway."""

    step: str
    by: str
    way: str
    to: str
    sha256: str
    """Of the text as it was sent."""
    draft: str = ""
    """Of the hub's own draft beside it; '' where a person sent it elsewhere."""
    recipient: str = ""
    """Id of the authority that the hub sends it to; '' where a person sent it."""
    notice_id: str = ""
    channels: tuple[str, ...] = ()


@event("plan.report_moved")
class PlanReportMoved(_RunEvent, frozen=True, kw_only=True):
    """One channel of a notice to the regulator went on: sent, delivered, failed."""

    notice_id: str
    channel: str
    state: str
    detail: str = ""


@event("plan.report_late", effect=Effect.PROTECTIVE)
class PlanReportLate(_RunEvent, frozen=True, kw_only=True):
    """The law's time for the notice to the regulator is over, and none was sent."""

    why: str
    """late, or late_unknown when a stop left nobody to know."""


@event("plan.ended", effect=Effect.PERMISSIVE)
class PlanEnded(_RunEvent, frozen=True, kw_only=True):
    """A named person ended a run whose steps are settled."""

    by: str
    reason: str = ""


@event("plan.reopened", effect=Effect.PROTECTIVE)
class PlanReopened(_RunEvent, frozen=True, kw_only=True):
    """The end of a run never became durable: it goes on."""


@event("plan.stopped", effect=Effect.PROTECTIVE)
class PlanStopped(_RunEvent, frozen=True, kw_only=True):
    """A drill gave way to a real alarm, or is over."""

    about: str
    why: str = "real_alarm"
    """real_alarm or drill_over."""


class StepRecord(msgspec.Struct, kw_only=True):
    """Hold one step of a run: waiting, open, done or skipped."""

    state: str = "waiting"
    due: Deadline | None = None
    level: int = 0
    opened_wall_ns: int = 0
    settled_wall_ns: int = 0
    by: str = ""
    reason: str = ""

    @property
    def settled(self) -> bool:
        """Say whether a person has settled it."""
        return self.state in ("done", "skipped")


class ReportRecord(msgspec.Struct, kw_only=True):
    """Hold who sent which notice to the regulator, and what became of it."""

    by: str
    way: str
    to: str
    sha256: str
    wall_ns: int
    draft: str = ""
    recipient: str = ""
    notice_id: str = ""
    channels: dict[str, str] = {}
    """Channel → queued, sent, delivered or failed; none where a person sent it."""
    details: dict[str, str] = {}
    """Channel → why it failed, as a code."""

    @property
    def gone(self) -> bool:
        """Say whether it left the site: a person's word, or one channel's."""
        states = self.channels.values()
        return not self.notice_id or any(s not in ("queued", "failed") for s in states)

    @property
    def failed(self) -> bool:
        """Say whether no channel could send it."""
        states = self.channels.values()
        return bool(states) and all(state == "failed" for state in states)


class PlanRun(msgspec.Struct, kw_only=True):
    """Hold one run of a plan."""

    id: str
    plan: str
    digest: str
    zone_id: str | None
    steps: dict[str, StepRecord]
    about: list[str]
    mark: str
    started_wall_ns: int
    reports: list[ReportRecord] = []
    ended_wall_ns: int = 0
    ended_by: str = ""
    reason: str = ""
    report_due: Deadline | None = None
    report_late: bool = False

    @property
    def reported(self) -> bool:
        """Say whether a notice to the regulator has left the site."""
        return any(each.gone for each in self.reports)

    @property
    def running(self) -> bool:
        """Say whether it still asks for something."""
        return not self.ended_wall_ns


class PlansState(msgspec.Struct, kw_only=True):
    """Hold running plans, the last few that ended, and the versions they pin."""

    runs: dict[str, PlanRun] = {}
    kept: dict[str, bytes] = {}
    """Digest → the plan's bytes."""

    def running(self) -> list[PlanRun]:
        """Return the running ones, oldest first."""
        return [run for run in self.runs.values() if run.running]


def _step(state: "SiteState", run_id: str, step_id: str) -> StepRecord | None:
    run = state.response.plans.runs.get(run_id)
    return run.steps.get(step_id) if run is not None else None


@folds(PlanKept)
def _kept(state: "SiteState", body: PlanKept, _: Envelope) -> None:
    state.response.plans.kept[body.digest] = body.data


@folds(PlanStarted)
def _started(state: "SiteState", body: PlanStarted, envelope: Envelope) -> None:
    state.response.plans.runs[body.plan_run] = PlanRun(
        id=body.plan_run,
        plan=body.plan,
        digest=body.digest,
        zone_id=body.zone_id,
        steps={step: StepRecord() for step in body.steps},
        about=[body.about] if body.about else [],
        mark=body.mark,
        started_wall_ns=envelope.wall_ns,
        report_due=body.report_due,
    )


@folds(PlanJoined)
def _joined(state: "SiteState", body: PlanJoined, _: Envelope) -> None:
    run = state.response.plans.runs.get(body.plan_run)
    if run is not None and body.about not in run.about:
        run.about.append(body.about)


@folds(PlanOpened)
def _opened(state: "SiteState", body: PlanOpened, envelope: Envelope) -> None:
    step = _step(state, body.plan_run, body.step)
    if step is not None:
        step.state, step.due = "open", body.due
        step.opened_wall_ns = envelope.wall_ns


@folds(PlanLate)
def _late(state: "SiteState", body: PlanLate, _: Envelope) -> None:
    step = _step(state, body.plan_run, body.step)
    if step is not None:
        step.level, step.due = body.level, body.next


@folds(PlanSettled)
def _settled(state: "SiteState", body: PlanSettled, envelope: Envelope) -> None:
    step = _step(state, body.plan_run, body.step)
    if step is not None:
        step.state, step.by, step.reason = body.outcome, body.by, body.reason
        step.due, step.settled_wall_ns = None, envelope.wall_ns


@folds(PlanReported)
def _reported(state: "SiteState", body: PlanReported, envelope: Envelope) -> None:
    run = state.response.plans.runs.get(body.plan_run)
    if run is not None:
        run.reports.append(
            ReportRecord(
                by=body.by,
                way=body.way,
                to=body.to,
                sha256=body.sha256,
                wall_ns=envelope.wall_ns,
                draft=body.draft,
                recipient=body.recipient,
                notice_id=body.notice_id,
                channels=dict.fromkeys(body.channels, "queued"),
            )
        )


@folds(PlanReportMoved)
def _report_moved(state: "SiteState", body: PlanReportMoved, _: Envelope) -> None:
    run = state.response.plans.runs.get(body.plan_run)
    for report in run.reports if run is not None else ():
        if report.notice_id == body.notice_id and body.channel in report.channels:
            report.channels[body.channel] = body.state
            if body.detail:
                report.details[body.channel] = body.detail


@folds(PlanReportLate)
def _report_late(state: "SiteState", body: PlanReportLate, _: Envelope) -> None:
    run = state.response.plans.runs.get(body.plan_run)
    if run is not None:
        run.report_late = True


@folds(PlanEnded)
def _ended(state: "SiteState", body: PlanEnded, envelope: Envelope) -> None:
    _end(state, body.plan_run, envelope.wall_ns, body.by, body.reason)


@folds(PlanStopped)
def _stopped(state: "SiteState", body: PlanStopped, envelope: Envelope) -> None:
    _end(state, body.plan_run, envelope.wall_ns, "", f"plan.{body.why}")


@folds(PlanReopened)
def _reopened(state: "SiteState", body: PlanReopened, _: Envelope) -> None:
    run = state.response.plans.runs.get(body.plan_run)
    if run is not None:
        run.ended_wall_ns, run.ended_by, run.reason = 0, "", ""


def _end(state: "SiteState", run_id: str, wall_ns: int, by: str, reason: str) -> None:
    """End a run; forget the oldest ended ones, and versions that nobody pins."""
    plans = state.response.plans
    run = plans.runs.get(run_id)
    if run is None:
        return
    run.ended_wall_ns, run.ended_by, run.reason = wall_ns, by, reason
    ended = [each for each in plans.runs.values() if not each.running]
    for old in ended[: max(0, len(ended) - _KEEP_ENDED)]:
        del plans.runs[old.id]
    for digest in plans.kept.keys() - {each.digest for each in plans.runs.values()}:
        del plans.kept[digest]
