"""The notice to the regulator: reviewed by a person, sent by the site's channels.

The hub sends nothing by itself: a named person answers for the text, and both the
draft and what was sent are kept. The time that the law gives is counted from the
plan's start, not from when somebody gets to that step.
"""

from typing import Final

from core.alarms.alarms import Alarms
from core.api.errors import Refused
from core.deadlines import fire_after
from core.hub import CORE, Hub
from core.journal.envelope import Cause, Envelope
from core.people.access import Access, Answer
from core.response import plans_acts as acts
from core.response.events import NoticeClosed, NoticeMoved
from core.response.notices import Notices
from core.response.notices_config import REGULATOR, Recipient
from core.response.plans import Plans
from core.response.plans_state import (
    PlanEnded,
    PlanReported,
    PlanReportLate,
    PlanReportMoved,
    PlanRun,
    PlanStarted,
    ReportRecord,
)

#: Who hears that the notice is late, or went to nobody.
_WHO: Final = ("safety_officer", "supervisor")
_GONE: Final = frozenset({"sent", "delivered", "seen", "acknowledged"})


class Regulators:
    """Send the notice, follow each recipient's channels, count the law's time."""

    def __init__(
        self, hub: Hub, access: Access, plans: Plans, notices: Notices, alarms: Alarms
    ) -> None:
        self._hub, self._plans = hub, plans
        self._notices, self._alarms = notices, alarms
        access.bind(acts.DeliverReport, self._deliver)
        hub.on(PlanStarted, lambda body, _: self._count(body.plan_run))
        hub.on(NoticeMoved, self._moved)
        hub.on(PlanEnded, lambda body, _: self._over(body.plan_run))

    def arm(self) -> None:
        """Have no tables."""

    def recover(self, clean: bool) -> None:
        """Go on counting the time of every notice that is still owed."""
        for run in self._hub.state.response.plans.running():
            self._count(run.id)

    def tick(self) -> None:
        """Have no levels: it goes by deadlines and by what the notifier tells."""

    # --- the law's time -------------------------------------------------------------

    def _count(self, run_id: str) -> None:
        run = self._hub.state.response.plans.runs.get(run_id)
        if run is None or run.report_due is None or run.reported or run.mark:
            return
        key = f"plan.report.{run_id}"
        fire_after(
            self._hub,
            run.report_due,
            key,
            lambda unknown: self._late(run_id, unknown=unknown),
        )

    def _late(self, run_id: str, *, unknown: bool) -> None:
        run = self._hub.state.response.plans.runs.get(run_id)
        if run is None or not run.running or run.reported or run.report_late:
            return
        why = "late_unknown" if unknown else "late"
        told = self._hub.emit(PlanReportLate(plan_run=run_id, why=why))
        cause = Cause(actor="hub:plans", parent=told.id)
        self._tell(run, "notice.regulator_late", cause)

    def _tell(self, run: PlanRun, code: str, cause: Cause) -> None:
        self._notices.tell(
            roles=_WHO,
            channels=("all",),
            code=code,
            params={"plan": run.plan, "zone_id": run.zone_id},
            about=run.id,
            cause=cause,
        )

    # --- sending --------------------------------------------------------------------

    def _deliver(
        self, actor: str, act: acts.DeliverReport, _version: int | None, cause: Cause
    ) -> Answer:
        run, step = self._plans.report_step(act.plan_run)
        if run.mark:
            raise Refused("plan.report_mark", mark=run.mark)
        wanted = [self._recipient(each) for each in dict.fromkeys(act.recipients)]
        fresh = [each for each in wanted if not _lies(run, each.id, act.sha256)]
        if not fresh:
            raise Refused("plan.report_sent_already")
        for each in fresh:
            number = self._notices.tell_outside(
                f"{REGULATOR}:{each.id}",
                each.channels,
                code=f"notice.{REGULATOR}",
                params={"plan": run.plan, "zone_id": run.zone_id, "text": act.sha256},
                about=run.id,
                cause=cause,
            )
            self._hub.emit(
                PlanReported(
                    plan_run=run.id,
                    step=step,
                    by=actor,
                    way="hub",
                    to=each.names.zh,
                    sha256=act.sha256,
                    draft=act.draft,
                    recipient=each.id,
                    notice_id=number,
                    channels=each.channels,
                ),
                cause,
            )
        return {"plan_run": run.id, "sent": len(fresh)}

    def _recipient(self, recipient_id: str) -> Recipient:
        known = {each.id: each for each in self._hub.bundle.notices.regulators}
        if recipient_id not in known:
            names = ", ".join(sorted(known)) or "-"
            raise Refused("plan.regulator_unknown", regulator=recipient_id, known=names)
        return known[recipient_id]

    # --- what became of it ------------------------------------------------------------

    def _moved(self, body: NoticeMoved, envelope: Envelope) -> None:
        for run in self._hub.state.response.plans.runs.values():
            for report in run.reports:
                if report.notice_id == body.notice_id:
                    self._follow(run, report, body, envelope)
                    return

    def _follow(
        self, run: PlanRun, report: ReportRecord, body: NoticeMoved, envelope: Envelope
    ) -> None:
        cause = Cause(actor="hub:plans", parent=envelope.id)
        self._hub.emit(
            PlanReportMoved(
                plan_run=run.id,
                notice_id=body.notice_id,
                channel=body.channel,
                state=body.state,
                detail=body.detail,
            ),
            cause,
        )
        key = f"regulator.{run.id}.{report.recipient}"
        if body.state in _GONE:
            self._alarms.clear("hub:notices", key, cause)
            if run.running:
                self._plans.reported(run, report.by, cause)
        elif report.failed:
            self._alarms.raise_(
                "hub:notices",
                key,
                kind="fault.regulator",
                priority=2,
                zone_id=run.zone_id,
                params={"to": report.to, "plan": run.plan},
                cause=cause,
            )
            self._tell(run, "notice.regulator_failed", cause)
        if not run.running:
            self._over(run.id)

    def _over(self, run_id: str) -> None:
        """Close the notices of an ended run that no channel owes any more."""
        self._hub.timers.cancel(f"plan.report.{run_id}")
        for record in list(self._hub.state.response.notices.values()):
            outside = record.code == f"notice.{REGULATOR}"
            owed = outside and "queued" in record.channels.values()
            if record.about == run_id and not owed:
                self._hub.emit(NoticeClosed(notice_id=record.id), CORE)


def _lies(run: PlanRun, recipient: str, sha256: str) -> bool:
    """Say whether this very text went, or goes, there; a failed one may go again."""
    return any(
        (each.recipient, each.sha256) == (recipient, sha256) and not each.failed
        for each in run.reports
    )
