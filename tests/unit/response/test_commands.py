"""Commands: every one ends CONFIRMED, FAILED or EXPIRED (design §5 Commands)."""

import pytest

from core.api.command import CommandState
from core.api.model import Output, OutputKind
from core.api.quality import Quality
from core.link.messages import Result
from core.response.events import CommandIssued, CommandMoved, CommandWithheld
from core.response.state import CommandRecord
from tests.support.yard import HOST, SIREN, Yard, box

FAN = Output(kind=OutputKind.FAN, ex_rated=True, contact_zone="hall")
BLIND = Output(kind=OutputKind.STROBE, contact_zone="hall", read_back=False)
POWER = Output(kind=OutputKind.POWER_CUT, contact_zone="hall")
LAMP = Output(kind=OutputKind.LAMP, contact_zone="hall")


@pytest.fixture
def yard() -> Yard:
    yard = Yard()
    yard.declare(HOST, box(siren=SIREN, fan=FAN, strobe=BLIND, power=POWER, lamp=LAMP))
    return yard


def order(yard: Yard, uid: str = "siren", value: bool = True) -> str:
    entity = yard.entity(HOST, "box-tank", uid)
    command = yard.kernel.commands.order(entity, value, why="alarm")
    assert command is not None
    return command


def fault(yard: Yard, uid: str, condition: str = "command") -> str:
    entity = yard.entity(HOST, "box-tank", uid)
    alarm = yard.kernel.alarms.find(f"entity:{entity}", condition)
    return alarm.kind if alarm is not None and alarm.active else ""


def moves(yard: Yard) -> list[tuple[str, str]]:
    return [(m.state, m.detail) for m in yard.events(CommandMoved)]


class TestTheWay:
    def test_an_order_goes_to_the_devices_own_host(self, yard: Yard) -> None:
        command = order(yard)
        peer, message = yard.links.sent[-1]
        assert peer == HOST
        assert message == yard.executed()[-1]
        sent = yard.executed()[-1].command
        assert (sent.id, sent.device_uid, sent.entity_uid, sent.value) == (
            command,
            "box-tank",
            "siren",
            True,
        )
        assert sent.deadline_ns == yard.clock.mono_ns() + 5_000_000_000

    def test_delivered_then_confirmed(self, yard: Yard) -> None:
        command = order(yard)
        yard.result(command, "delivered")
        yard.result(command, "confirmed")
        yard.advance(60)
        assert moves(yard) == [("delivered", ""), ("confirmed", "")]
        assert fault(yard, "siren") == ""
        assert not yard.hub.state.response.commands

    def test_a_failure_is_an_alarm(self, yard: Yard) -> None:
        yard.result(order(yard), "failed", "exception_2")
        assert fault(yard, "siren") == "fault.command"

    def test_a_later_success_clears_it(self, yard: Yard) -> None:
        yard.result(order(yard), "failed", "exception_2")
        yard.result(order(yard), "confirmed")
        assert fault(yard, "siren") == ""

    @pytest.mark.parametrize(
        ("delivered", "detail"), [(False, "unanswered"), (True, "unconfirmed")]
    )
    def test_silence_expires(self, yard: Yard, delivered: bool, detail: str) -> None:
        command = order(yard)
        if delivered:
            yard.result(command, "delivered")
        yard.advance(6)
        assert moves(yard)[-1] == ("expired", detail)
        assert fault(yard, "siren") == "fault.command"

    def test_one_without_read_back_expires_as_advice(self, yard: Yard) -> None:
        yard.result(order(yard, "strobe"), "delivered")
        yard.advance(6)
        assert moves(yard)[-1] == ("expired", "no_read_back")
        entity = yard.entity(HOST, "box-tank", "strobe")
        alarm = yard.kernel.alarms.find(f"entity:{entity}", "command")
        assert alarm is not None
        assert alarm.priority == 4

    def test_a_target_that_is_nothing_is_a_failed_command(self, yard: Yard) -> None:
        command = yard.kernel.commands.order("gone", True, why="alarm")
        assert command is not None
        assert moves(yard) == [("failed", "no_such_output")]
        assert yard.kernel.alarms.find("entity:gone", "command") is not None

    def test_a_meter_is_no_output(self, yard: Yard) -> None:
        meter = yard.entity(HOST, "meter-tank", "h2s")
        yard.kernel.commands.order(meter, True, why="alarm")
        assert moves(yard) == [("failed", "no_such_output")]


class TestStrayResults:
    def test_another_host_confirms_nothing(self, yard: Yard) -> None:
        command = order(yard)
        yard.kernel.commands.result("host:other", Result(command, "confirmed"))
        assert moves(yard) == []

    @pytest.mark.parametrize("state", ["issued", "nonsense", ""])
    def test_nonsense_moves_nothing(self, yard: Yard, state: str) -> None:
        yard.result(order(yard), state)
        assert moves(yard) == []

    def test_the_unknown_and_the_ended_stay_as_they_are(self, yard: Yard) -> None:
        command = order(yard)
        yard.result("unknown", "confirmed")
        yard.result(command, "confirmed")
        yard.result(command, "failed")
        yard.result(command, "delivered")
        assert moves(yard) == [("confirmed", "")]

    def test_delivered_twice_is_once(self, yard: Yard) -> None:
        command = order(yard)
        yard.result(command, "delivered")
        yard.result(command, "delivered")
        assert moves(yard) == [("delivered", "")]


class TestRepeats:
    def test_the_same_order_under_way_is_not_given_twice(self, yard: Yard) -> None:
        assert order(yard) == order(yard)
        assert len(yard.executed()) == 1

    def test_once_ended_it_is_given_again(self, yard: Yard) -> None:
        command = order(yard)
        yard.result(command, "confirmed")
        assert order(yard) != command

    def test_the_opposite_supersedes_without_alarm(self, yard: Yard) -> None:
        order(yard, "lamp")
        order(yard, "lamp", value=False)
        assert moves(yard) == [("expired", "superseded")]
        assert fault(yard, "lamp") == ""


class TestNeverByItself:
    @pytest.mark.parametrize("uid", ["siren", "fan", "strobe", "power"])
    def test_what_protects_is_not_switched_off(self, yard: Yard, uid: str) -> None:
        entity = yard.entity(HOST, "box-tank", uid)
        assert yard.kernel.commands.order(entity, False, why="rule") is None
        (withheld,) = yard.events(CommandWithheld)
        assert withheld.code == "output.only_by_person"

    @pytest.mark.parametrize("value", [30, 0.5, "on"])
    def test_a_siren_has_no_time_after_which_it_ends(
        self, yard: Yard, value: float | str
    ) -> None:
        entity = yard.entity(HOST, "box-tank", "siren")
        yard.kernel.commands.order(entity, value, why="rule")
        assert yard.executed()[-1].command.value is True


class TestAfterAStop:
    def test_what_is_in_time_is_sent_again(self, yard: Yard) -> None:
        command = order(yard)
        yard.advance(2)
        yard.restart()
        again = [e.command for e in yard.executed()]
        assert [c.id for c in again] == [command, command]
        assert again[0].deadline_ns == again[1].deadline_ns
        yard.result(command, "confirmed")
        assert fault(yard, "siren") == ""

    def test_what_is_late_expires(self, yard: Yard) -> None:
        order(yard)
        yard.clock.advance(60)
        yard.restart()
        assert moves(yard) == [("expired", "unanswered")]
        assert len(yard.executed()) == 1
        assert fault(yard, "siren") == "fault.command"

    def test_when_nobody_knows_it_expires(self, yard: Yard) -> None:
        order(yard)
        yard.clock.trusted = False
        yard.restart(reboot="boot-2")
        assert moves(yard) == [("expired", "late_unknown")]

    def test_a_host_that_comes_back_gets_what_is_owed(self, yard: Yard) -> None:
        command = order(yard)
        yard.kernel.commands.host_back(HOST)
        yard.kernel.commands.host_back("host:other")
        assert [e.command.id for e in yard.executed()] == [command, command]
        yard.advance(6)
        yard.kernel.commands.host_back(HOST)
        assert len(yard.executed()) == 2


class TestOutputsAsTheyAre:
    def say(self, yard: Yard, uid: str, on: bool, seconds: int = 5) -> None:
        for _ in range(seconds):
            yard.report(HOST, "box-tank", uid, on)
            yard.advance(1)

    def test_found_on_without_a_cause_stays_on_and_alarms(self, yard: Yard) -> None:
        self.say(yard, "siren", on=True)
        assert fault(yard, "siren", "found_on") == "fault.output"
        assert not yard.executed()

    def test_on_with_a_cause_is_fine_after_a_restart(self, yard: Yard) -> None:
        yard.result(order(yard), "confirmed")
        yard.restart()
        self.say(yard, "siren", on=True)
        assert fault(yard, "siren", "found_on") == ""

    def test_a_read_back_that_contradicts_alarms_and_returns(self, yard: Yard) -> None:
        yard.result(order(yard), "confirmed")
        self.say(yard, "siren", on=False)
        assert fault(yard, "siren", "contradicts") == "fault.output"
        self.say(yard, "siren", on=True)
        assert fault(yard, "siren", "contradicts") == ""

    def test_a_late_read_back_is_no_contradiction(self, yard: Yard) -> None:
        yard.result(order(yard), "confirmed")
        self.say(yard, "siren", on=False, seconds=1)
        self.say(yard, "siren", on=True)
        assert fault(yard, "siren", "contradicts") == ""

    def test_nothing_is_concluded_from_what_is_not_good(self, yard: Yard) -> None:
        for _ in range(5):
            yard.report(HOST, "box-tank", "siren", True, Quality.FAULT)
            yard.advance(1)
        assert fault(yard, "siren", "found_on") == ""

    def test_the_heartbeat_lamp_is_its_drivers(self, yard: Yard) -> None:
        self.say(yard, "lamp", on=True)
        assert fault(yard, "lamp", "found_on") == ""


class TestWatch:
    def test_each_move_is_told(self, yard: Yard) -> None:
        seen: list[CommandState] = []
        command = order(yard)
        yard.kernel.commands.watch(command, lambda record: seen.append(record.state))
        yard.result(command, "delivered")
        yard.result(command, "confirmed")
        assert seen == [CommandState.DELIVERED, CommandState.CONFIRMED]

    def test_a_late_watcher_hears_the_end_at_once(self, yard: Yard) -> None:
        seen: list[CommandRecord] = []
        command = yard.kernel.commands.order("gone", True, why="x")
        assert command is not None
        yard.kernel.commands.watch(command, seen.append)
        assert [record.state for record in seen] == [CommandState.FAILED]


def test_every_command_ends(yard: Yard) -> None:
    for uid in ("siren", "fan", "strobe", "power"):
        order(yard, uid)
    yard.advance(30)
    assert len(yard.events(CommandIssued)) == 4
    assert not yard.hub.state.response.commands
