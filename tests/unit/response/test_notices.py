"""Notices: who was told, who answered, who is next (design §5; R13, R14)."""

import pytest

from core.api.reading import Value
from core.hub import CORE
from core.link.messages import NoticeResult
from core.response.acts import AcknowledgeNotice, SeeNotice
from core.response.events import (
    CommandIssued,
    NoticeClosed,
    NoticeEscalated,
    NoticeQueued,
)
from core.response.orders import LOCAL
from core.response.state import NoticeRecord
from tests.support.yard import Yard

FACTS: dict[str, Value] = {"zone": "tank"}


@pytest.fixture
def yard() -> Yard:
    return Yard()


def tell(yard: Yard, *roles: str, respond_s: float | None = 60.0) -> list[str]:
    told = yard.kernel.notices.tell(
        roles=roles,
        channels=(LOCAL, "sms"),
        code="alarm.sos",
        params=FACTS,
        about="alarm-1",
        respond_s=respond_s,
        cause=CORE,
    )
    yard.settle()
    return told


def chain(yard: Yard) -> str:
    (notice,) = yard.kernel.notices.tell_chain("gas", "alarm.sos", FACTS, "alarm-1")
    yard.settle()
    return notice


def record(yard: Yard, notice: str) -> NoticeRecord:
    return yard.hub.state.response.notices[notice]


def result(yard: Yard, notice: str, channel: str, state: str) -> None:
    yard.kernel.notices.result("notifier", NoticeResult(notice, channel, state))
    yard.settle()


def sounded(yard: Yard) -> bool:
    alarm = yard.kernel.alarms.find("hub:notices", "alarm-1")
    if alarm is None:
        return False
    assert alarm.kind == "fault.notice"
    assert [c.value for c in yard.events(CommandIssued)] == [True]
    return alarm.active


class TestTelling:
    def test_everybody_of_the_roles_is_told_once(self, yard: Yard) -> None:
        told = tell(yard, "worker", "guardian", "worker")
        people = [record(yard, n).person_id for n in told]
        assert people == ["ann", "bob", "gil"]
        assert record(yard, told[0]).channels == {LOCAL: "queued", "sms": "queued"}

    def test_nobody_to_tell_sounds_locally(self, yard: Yard) -> None:
        assert tell(yard, "auditor") == []
        assert sounded(yard)

    def test_it_sounds_everywhere_when_no_zone_is_named(self, yard: Yard) -> None:
        yard.kernel.notices.tell_chain("none", "alarm.sos", {}, "alarm-1")
        assert sounded(yard)


class TestStates:
    """Per channel queued → sent → delivered → seen → acknowledged, never back."""

    def test_they_go_forward_only(self, yard: Yard) -> None:
        (notice,) = tell(yard, "supervisor")
        for state in ("delivered", "sent", "seen", "sent"):
            result(yard, notice, "sms", state)
        assert record(yard, notice).channels == {LOCAL: "queued", "sms": "seen"}

    @pytest.mark.parametrize(
        ("channel", "state"),
        [
            ("sms", "acknowledged"),
            ("sms", "lost"),
            ("pigeon", "sent"),
            ("sms", "queued"),
        ],
    )
    def test_the_notifier_cannot_say_everything(
        self, yard: Yard, channel: str, state: str
    ) -> None:
        (notice,) = tell(yard, "supervisor")
        result(yard, notice, channel, state)
        result(yard, "unknown", "sms", "sent")
        assert record(yard, notice).channels == {LOCAL: "queued", "sms": "queued"}
        assert not record(yard, notice).acknowledged

    def test_what_failed_may_succeed_later(self, yard: Yard) -> None:
        (notice,) = tell(yard, "supervisor")
        result(yard, notice, "sms", "failed")
        result(yard, notice, "sms", "delivered")
        assert record(yard, notice).channels["sms"] == "delivered"


class TestAnswers:
    def test_only_the_person_who_was_told_answers(self, yard: Yard) -> None:
        (notice,) = tell(yard, "supervisor")
        act = AcknowledgeNotice(notice_id=notice)
        reply = yard.act("sam", act)
        assert (reply.code, reply.params) == ("notice.not_yours", {"person": "sue"})
        assert yard.act("sue", act).ok
        assert record(yard, notice).acknowledged
        assert (
            yard.act("sue", AcknowledgeNotice(notice_id="x")).code == "notice.unknown"
        )

    def test_seen_is_no_answer(self, yard: Yard) -> None:
        (notice,) = tell(yard, "supervisor")
        assert yard.act("sue", SeeNotice(notice_id=notice)).ok
        assert record(yard, notice).channels[LOCAL] == "seen"
        yard.advance(61)
        assert sounded(yard)

    def test_an_answer_survives_a_restart(self, yard: Yard) -> None:
        notice = chain(yard)
        yard.act("sue", AcknowledgeNotice(notice_id=notice))
        yard.restart(reboot="boot-2")
        yard.advance(600)
        assert not yard.events(NoticeEscalated)


class TestEscalation:
    def test_one_unanswered_goes_to_the_next_step_that_has_people(
        self, yard: Yard
    ) -> None:
        notice = chain(yard)
        yard.advance(59)
        assert not yard.events(NoticeEscalated)
        yard.advance(2)
        (up,) = yard.events(NoticeEscalated)
        assert (up.notice_id, up.why) == (notice, "unanswered")
        told = yard.events(NoticeQueued)[-1]
        # Step 1 names auditors, and there are none.
        assert (told.person_id, told.level) == ("sam", 2)
        assert told.channels == (LOCAL, "call")

    def test_the_end_of_the_chain_sounds_locally(self, yard: Yard) -> None:
        chain(yard)
        yard.advance(61)
        assert not sounded(yard)
        yard.advance(91)
        assert sounded(yard)

    def test_an_answer_ends_it(self, yard: Yard) -> None:
        yard.act("sue", AcknowledgeNotice(notice_id=chain(yard)))
        yard.advance(600)
        assert not yard.events(NoticeEscalated)
        assert not yard.kernel.alarms.find("hub:notices", "alarm-1")

    def test_a_late_answer_ends_the_alarm(self, yard: Yard) -> None:
        notice = chain(yard)
        yard.advance(200)
        assert sounded(yard)
        yard.act("sue", AcknowledgeNotice(notice_id=notice))
        alarm = yard.kernel.alarms.find("hub:notices", "alarm-1")
        assert alarm is None or not alarm.active

    def test_when_every_channel_failed_it_goes_on_at_once(self, yard: Yard) -> None:
        notice = chain(yard)
        result(yard, notice, LOCAL, "failed")
        assert not yard.events(NoticeEscalated)
        result(yard, notice, "sms", "failed")
        (up,) = yard.events(NoticeEscalated)
        assert up.why == "unreachable"
        yard.advance(70)
        assert len(yard.events(NoticeEscalated)) == 1

    def test_one_of_a_step_who_is_reached_is_enough_to_wait(self, yard: Yard) -> None:
        first, _ = tell(yard, "supervisor", "safety_officer")
        for channel in (LOCAL, "sms"):
            result(yard, first, channel, "failed")
        assert not yard.events(NoticeEscalated)

    def test_one_answer_of_a_step_is_enough(self, yard: Yard) -> None:
        first, _ = tell(yard, "supervisor", "safety_officer")
        yard.act("sue", AcknowledgeNotice(notice_id=first))
        yard.advance(120)
        assert not yard.events(NoticeEscalated)
        assert not sounded(yard)

    def test_without_an_answer_asked_for_nothing_escalates(self, yard: Yard) -> None:
        tell(yard, "supervisor", respond_s=None)
        yard.advance(3600)
        assert not yard.events(NoticeEscalated)


class TestAfterAStop:
    def test_the_clock_goes_on(self, yard: Yard) -> None:
        chain(yard)
        yard.advance(40)
        yard.restart()
        yard.advance(19)
        assert not yard.events(NoticeEscalated)
        yard.advance(2)
        assert len(yard.events(NoticeEscalated)) == 1

    def test_what_fell_due_meanwhile_goes_at_once(self, yard: Yard) -> None:
        chain(yard)
        yard.clock.advance(3600)
        yard.restart()
        (up,) = yard.events(NoticeEscalated)
        assert up.why == "unanswered"

    def test_what_nobody_knows_goes_at_once(self, yard: Yard) -> None:
        chain(yard)
        yard.clock.trusted = False
        yard.restart(reboot="boot-2")
        (up,) = yard.events(NoticeEscalated)
        assert up.why == "late_unknown"

    def test_nothing_goes_twice(self, yard: Yard) -> None:
        chain(yard)
        yard.advance(61)
        for _ in range(3):
            yard.restart()
        assert len(yard.events(NoticeEscalated)) == 1


class TestTheEnd:
    def test_what_it_was_about_has_ended(self, yard: Yard) -> None:
        told = tell(yard, "supervisor", "safety_officer")
        yard.kernel.notices.close_about("alarm-1")
        yard.advance(120)
        assert [c.notice_id for c in yard.events(NoticeClosed)] == told
        assert not yard.events(NoticeEscalated)

    def test_a_release_closes_the_orders_of_its_holds(self, yard: Yard) -> None:
        permit = yard.issued()
        yard.kernel.permits.hold(permit, "gas", source="rule:x")
        yard.live(1)
        yard.retest(permit)
        assert yard.hub.state.response.notices
        assert yard.release(permit).ok
        assert not yard.hub.state.response.notices

    def test_an_order_that_lies_open_is_not_repeated(self, yard: Yard) -> None:
        permit = yard.issued()
        yard.kernel.permits.hold(permit, "gas", source="rule:x")
        before = len(yard.events(NoticeQueued))
        yard.kernel.permits.hold(permit, "manual", source="person:x")
        assert len(yard.events(NoticeQueued)) == before


def test_a_broken_disk_stops_no_notice(yard: Yard) -> None:
    yard.break_disk()
    assert tell(yard, "supervisor")
    yard.advance(61)
    assert yard.events(NoticeEscalated)
