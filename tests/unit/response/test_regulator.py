"""The notice to the regulator: sent by a person, followed, counted (issue 4 §7)."""

from typing import Any

import msgspec
import pytest

from core.config import Bundle, Names
from core.link.messages import ActReply, NoticeResult
from core.response import plans_acts as a
from core.response.events import NoticeEscalated
from core.response.notices_config import NoticeChannel, NoticePolicy, Recipient
from core.response.plans_state import (
    PlanReported,
    PlanReportLate,
    PlanReportMoved,
    PlanRun,
)
from core.response.state import NoticeRecord
from tests.support.yard import Yard, bundle
from tests.unit.response.test_plans import plan

TEXT, DRAFT = "a" * 64, "b" * 64


def words(text: str) -> Names:
    return Names(zh=text, en=text)


POLICY = NoticePolicy(
    channels=(
        NoticeChannel(id="mail-1", names=words("mail")),
        NoticeChannel(id="hook-1", names=words("hook")),
    ),
    regulators=(
        Recipient(id="bureau", names=words("bureau"), channels=("mail-1", "hook-1")),
        Recipient(id="fire", names=words("fire"), channels=("hook-1",)),
    ),
)


class Works(Yard):
    """The yard with a plan that owes a notice, and authorities to send it to."""

    def begin(self, policy: NoticePolicy = POLICY, *, drill: bool = False) -> PlanRun:
        made: Bundle = msgspec.structs.replace(
            bundle(), plans=(plan(),), notices=policy
        )
        self.bundle = made
        self.hub.load(made)
        self.settle()
        begin = a.StartPlan(plan="toxic", zone_id="tank", drill=drill)
        reply = self.act("sam", begin)
        assert reply.ok, reply
        return self.run_of(str(reply.result["plan_run"]))

    def run_of(self, run_id: str) -> PlanRun:
        return self.hub.state.response.plans.runs[run_id]

    def send(self, run: PlanRun, *to: str, by: str = "sam") -> ActReply:
        wanted = to or ("bureau",)
        return self.act(
            by,
            a.DeliverReport(
                plan_run=run.id, recipients=wanted, sha256=TEXT, draft=DRAFT
            ),
        )

    def outside(self) -> list[NoticeRecord]:
        found = self.hub.state.response.notices.values()
        return [each for each in found if each.code == "notice.regulator"]

    def told(
        self, notice: NoticeRecord, channel: str, state: str, why: str = ""
    ) -> None:
        result = NoticeResult(notice.id, channel, state, why)
        self.kernel.notices.result("notifier", result)
        self.settle()


def test_a_person_sends_it_and_each_recipient_is_followed() -> None:
    works = Works()
    run = works.begin()
    assert works.send(run, "bureau", "fire").ok
    bureau, fire = works.outside()
    assert (bureau.person_id, fire.person_id) == ("regulator:bureau", "regulator:fire")
    assert bureau.params["text"] == TEXT and bureau.about == run.id
    first, second = run.reports
    assert (first.by, first.sha256, first.draft) == ("sam", TEXT, DRAFT)
    assert first.channels == {"mail-1": "queued", "hook-1": "queued"}
    assert not run.reported and run.steps["tell"].state != "done"
    works.told(bureau, "mail-1", "sent")
    works.told(fire, "hook-1", "failed", "timeout")
    assert first.channels["mail-1"] == "sent"
    assert (second.channels, second.details) == (
        {"hook-1": "failed"},
        {"hook-1": "timeout"},
    )
    assert run.reported and run.steps["tell"].state == "done"
    assert run.steps["tell"].by == "sam", "by a person's word, not the hub's"
    states = works.codes(PlanReportMoved, "state")
    assert states == ["sent", "failed"], "journalled"


def test_a_recipient_whom_no_channel_reaches_is_an_alarm_and_is_tried_again() -> None:
    works = Works()
    run = works.begin()
    assert works.send(run, "fire").ok
    (notice,) = works.outside()
    works.told(notice, "hook-1", "failed", "unreachable")
    alarm = works.kernel.alarms.find("hub:notices", f"regulator.{run.id}.fire")
    assert alarm is not None and alarm.kind == "fault.regulator"
    assert not works.events(NoticeEscalated), "an authority is no escalation chain"
    told = works.hub.state.response.notices.values()
    assert "notice.regulator_failed" in {each.code for each in told}
    assert works.send(run, "fire").ok
    (_, again) = works.outside()
    works.told(again, "hook-1", "sent")
    alarm = works.kernel.alarms.find("hub:notices", f"regulator.{run.id}.fire")
    assert alarm is None or not alarm.active
    assert len(run.reports) == 2


def test_the_same_text_goes_to_nobody_twice() -> None:
    works = Works()
    run = works.begin()
    assert works.send(run).ok
    assert works.send(run).code == "plan.report_sent_already"
    assert works.send(run, "bureau", "fire").result["sent"] == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"to": ("moon",)}, "plan.regulator_unknown"),
        ({"by": "sue"}, "act.role"),
        ({"drill": True}, "plan.report_mark"),
        ({"policy": NoticePolicy()}, "plan.regulator_unknown"),
    ],
)
def test_it_is_refused_to_others_in_drills_and_without_configuration(
    change: dict[str, Any], code: str
) -> None:
    works = Works()
    run = works.begin(
        change.get("policy", POLICY), drill=bool(change.get("drill", False))
    )
    reply = works.send(run, *change.get("to", ()), by=change.get("by", "sam"))
    assert reply.code == code
    assert not works.outside()


def test_the_laws_hour_counts_from_the_plans_start_over_a_restart() -> None:
    """R7: persisted; told once, and not when a notice has gone."""
    works = Works()
    run = works.begin()
    assert run.report_due is not None
    works.live(1800)
    works.restart(clean=True)
    works.live(1700)
    assert not works.events(PlanReportLate)
    works.live(200)
    assert works.codes(PlanReportLate, "plan_run") == [run.id]
    assert works.run_of(run.id).report_late
    codes = [each.code for each in works.hub.state.response.notices.values()]
    assert "notice.regulator_late" in codes
    works.live(60)
    assert len(works.events(PlanReportLate)) == 1


def test_a_notice_that_went_in_time_is_not_late() -> None:
    works = Works()
    run = works.begin()
    assert works.send(run).ok
    works.told(works.outside()[0], "mail-1", "sent")
    works.live(4000)
    assert not works.events(PlanReportLate)


def test_a_queued_one_is_not_forgotten_when_the_plan_ends() -> None:
    """R30: what is owed stays owed; what has gone is closed with the plan."""
    works = Works()
    run = works.begin()
    assert works.send(run, "fire").ok
    for step in run.steps:
        works.act("sam", a.SkipStep(plan_run=run.id, step=step, reason="over"))
    assert works.act("sam", a.EndPlan(plan_run=run.id, reason="over")).ok
    (notice,) = works.outside()
    works.told(notice, "hook-1", "sent")
    assert not works.outside()
    assert run.reports[0].channels == {"hook-1": "sent"}


def test_what_was_sent_survives_a_restart() -> None:
    works = Works()
    run = works.begin()
    assert works.send(run).ok
    works.told(works.outside()[0], "mail-1", "sent")
    works.restart()
    kept = works.run_of(run.id).reports[0]
    assert (kept.channels["mail-1"], kept.recipient) == ("sent", "bureau")
    assert works.codes(PlanReported, "draft") == [DRAFT]
