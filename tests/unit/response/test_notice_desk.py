"""Channels, tests, sounders and replies in the kernel (design §5 Notices; R13, R14)."""

import pytest

from core.api.model import Output, OutputKind
from core.api.reading import Value
from core.link.messages import NoticeResult, Result
from core.response.acts import AcknowledgeNotice
from core.response.events import (
    CommandIssued,
    NoticeClosed,
    NoticeEscalated,
    NoticeMoved,
)
from core.response.notices_acts import (
    DropContact,
    KeepContact,
    NoticeArrived,
    SendTest,
    SetQuiet,
)
from core.response.notices_events import ContactDropped, ContactKept
from core.response.state import _KEEP_NOTICES, NoticeRecord
from tests.support.yard import HOST, SIREN, Yard, box

FACTS: dict[str, Value] = {"zone": "tank"}
VOICE = Output(kind=OutputKind.VOICE, ex_rated=True, contact_zone="tank")


@pytest.fixture
def yard() -> Yard:
    return Yard()


def notices(yard: Yard) -> list[NoticeRecord]:
    return list(yard.hub.state.response.notices.values())


def result(yard: Yard, notice: str, channel: str, state: str, detail: str = "") -> None:
    message = NoticeResult(notice, channel, state, detail)
    yard.kernel.notices.result("notifier", message)
    yard.settle()


class TestContacts:
    def test_what_a_person_keeps_is_used_at_once(self, yard: Yard) -> None:
        assert yard.act("ann", KeepContact(channel="chat", service="ntfy")).ok
        yard.kernel.notices.tell_persons(("ann",), "order.leave", FACTS, "p-1")
        (record,) = notices(yard)
        assert set(record.channels) == {"screen", "sms", "chat"}
        yard.restart()
        assert yard.hub.state.response.contacts == {"ann": {"chat": "ntfy"}}
        assert yard.act("ann", DropContact(channel="chat")).ok
        assert yard.hub.state.response.contacts == {}

    def test_the_same_again_is_no_event(self, yard: Yard) -> None:
        for _ in range(3):
            assert yard.act("ann", KeepContact(channel="chat", service="ntfy")).ok
        assert len(yard.events(ContactKept)) == 1

    @pytest.mark.parametrize("channel", ["screen", "siren", "all"])
    def test_names_that_the_hub_uses_are_refused(
        self, yard: Yard, channel: str
    ) -> None:
        reply = yard.act("ann", KeepContact(channel=channel, service="ntfy"))
        assert reply.code == "contact.reserved"

    def test_others_keep_theirs_unless_one_is_responsible(self, yard: Yard) -> None:
        act = KeepContact(channel="chat", service="ntfy", person_id="bob")
        assert yard.act("ann", act).code == "act.role"
        assert yard.act("sam", act).ok
        assert yard.act("ann", DropContact(channel="chat")).code == "contact.unknown"
        assert not yard.events(ContactDropped)

    def test_there_is_a_bound(self, yard: Yard) -> None:
        for number in range(12):
            act = KeepContact(channel=f"c{number}", service="ntfy")
            assert yard.act("ann", act).ok
        act = KeepContact(channel="one-more", service="ntfy")
        assert yard.act("ann", act).code == "contact.many"

    @pytest.mark.parametrize("span", [(5, 5), (-1, 5), (0, 1441), (1440, 10)])
    def test_quiet_hours_must_make_sense(
        self, yard: Yard, span: tuple[int, int]
    ) -> None:
        reply = yard.act("ann", SetQuiet(spans=(span,)))
        assert reply.code == "notice.quiet_span"
        assert yard.act("ann", SetQuiet(spans=((1320, 360),))).ok
        assert yard.hub.state.response.quiet == {"ann": [(1320, 360)]}


class TestTests:
    def test_a_test_shows_states_and_closes_by_itself(self, yard: Yard) -> None:
        reply = yard.act("sue", SendTest(channel="sms"))
        (record,) = notices(yard)
        assert (reply.result["notice_id"], record.mark) == (record.id, "TEST")
        result(yard, record.id, "sms", "failed", "no_modem")
        assert notices(yard)[0].details == {"sms": "no_modem"}
        result(yard, record.id, "sms", "sent")
        assert notices(yard)[0].details == {}
        yard.advance(901)
        assert not notices(yard)
        assert yard.events(NoticeClosed)

    def test_a_failing_test_sounds_nothing(self, yard: Yard) -> None:
        yard.act("sue", SendTest(channel="sms"))
        result(yard, notices(yard)[0].id, "sms", "failed")
        yard.advance(1000)
        assert not yard.events(NoticeEscalated)
        assert not yard.kernel.alarms.active(kind_prefix="fault.notice")

    def test_a_second_test_takes_the_place_of_the_first(self, yard: Yard) -> None:
        for _ in range(3):
            yard.act("sue", SendTest(channel="sms"))
        assert len(notices(yard)) == 1


class TestAnswers:
    def test_a_device_says_that_it_came_and_nothing_else(self, yard: Yard) -> None:
        yard.kernel.notices.tell_persons(("ann",), "order.leave", FACTS, "p-1")
        (record,) = notices(yard)
        arrived = NoticeArrived(notice_id=record.id, channel="sms")
        assert yard.act("bob", arrived).code == "notice.not_yours"
        assert yard.act("ann", arrived).ok
        assert record.channels["sms"] == "delivered"
        other = NoticeArrived(notice_id=record.id, channel="pigeon")
        assert yard.act("ann", other).code == "notice.channel"

    def test_a_reply_by_sms_answers_as_an_act_does(self, yard: Yard) -> None:
        (notice,) = yard.kernel.notices.tell_chain("gas", "alarm.sos", FACTS, "a-1")
        result(yard, notice, "sms", "sent")
        result(yard, notice, "sms", "acknowledged", "reply")
        yard.advance(600)
        assert yard.hub.state.response.notices[notice].acknowledged
        assert not yard.events(NoticeEscalated)

    def test_only_the_notifier_may_bring_it(self, yard: Yard) -> None:
        (notice,) = yard.kernel.notices.tell_chain("gas", "alarm.sos", FACTS, "a-1")
        message = NoticeResult(notice, "sms", "acknowledged", "reply")
        for peer in ("gateway", "host:x", "cli:1"):
            yard.kernel.notices.result(peer, message)
        assert not yard.hub.state.response.notices[notice].acknowledged

    def test_what_came_cannot_fail_any_more(self, yard: Yard) -> None:
        yard.kernel.notices.tell_persons(("ann",), "order.leave", FACTS, "p-1")
        (record,) = notices(yard)
        result(yard, record.id, "sms", "delivered")
        result(yard, record.id, "sms", "failed", "late")
        assert record.channels["sms"] == "delivered"

    def test_answered_ones_are_forgotten_in_time(self, yard: Yard) -> None:
        """Bounded: a notice about nothing that ends would stay for ever."""
        for number in range(_KEEP_NOTICES + 20):
            yard.kernel.notices.tell_persons(
                ("ann",), "notice.gas_alarm", FACTS, f"x-{number}"
            )
            if number < 100:
                act = AcknowledgeNotice(notice_id=notices(yard)[-1].id)
                assert yard.act("ann", act).ok
        assert len(notices(yard)) == _KEEP_NOTICES


class TestSounders:
    """A siren or a voice is a channel: it tells people without any device."""

    def tell(self, yard: Yard, *channels: str, role: str = "worker") -> None:
        yard.kernel.notices.tell(
            roles=(role,),
            channels=channels,
            code="order.leave",
            params=FACTS,
            about="a-1",
        )
        yard.settle()

    def test_one_order_serves_all_who_are_told(self, yard: Yard) -> None:
        yard.declare(HOST, box(siren=SIREN, voice=VOICE))
        self.tell(yard, "siren", "voice")
        issued = yard.events(CommandIssued)
        assert sorted(str(each.value) for each in issued) == ["True", "order.leave"]
        for command in issued:
            yard.kernel.commands.result(HOST, Result(command.command_id, "delivered"))
            yard.kernel.commands.result(HOST, Result(command.command_id, "confirmed"))
        yard.settle()
        states = [record.channels for record in notices(yard)]
        assert states == [{"siren": "delivered", "voice": "delivered"}] * 2

    def test_one_that_fails_goes_on_to_the_next(self, yard: Yard) -> None:
        self.tell(yard, "voice", "siren", role="supervisor")
        (record,) = notices(yard)
        assert record.channels == {"voice": "failed", "siren": "queued"}
        assert record.details["voice"] == "no_output"
        (issued,) = yard.events(CommandIssued)
        yard.kernel.commands.result(HOST, Result(issued.command_id, "failed", "wire"))
        yard.settle()
        assert record.channels["siren"] == "failed"
        assert yard.events(NoticeEscalated)[-1].why == "unreachable"

    def test_a_siren_that_sounds_has_told(self, yard: Yard) -> None:
        self.tell(yard, "siren", role="supervisor")
        self.tell(yard, "siren", role="safety_officer")
        (issued,) = yard.events(CommandIssued)
        yard.kernel.commands.result(HOST, Result(issued.command_id, "confirmed"))
        yard.settle()
        self.tell(yard, "siren", role="guardian")
        states = [record.channels["siren"] for record in notices(yard)]
        assert states == ["delivered"] * 3
        assert len(yard.events(CommandIssued)) == 1
        assert len(yard.events(NoticeMoved)) == 3
