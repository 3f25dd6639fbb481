"""The host's side of the link: batches, credit, events, sessions that come again."""

import asyncio
import math
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from core.api import (
    AuthError,
    Command,
    CommandState,
    Device,
    DeviceError,
    Entity,
    EntityKind,
    Host,
    Integration,
)
from core.clock import AsyncClock, RealClock
from core.link import messages as m
from core.link.lane import SocketLane
from integrations.runtime.host import HostLink
from integrations.runtime.supervise import DriverCrashed, Runner, gravest
from tests.support.waiting import until

DEVICE = Device(
    uid="d", name="D", entities=(Entity(uid="e", name="E", kind=EntityKind.GAS),)
)


class FakeCore:
    """The other end of both lanes: core's words by hand."""

    def __init__(self, host: HostLink) -> None:
        self.seen: list[m.Message] = []
        safety, telemetry = socket.socketpair(), socket.socketpair()
        self.safety = SocketLane(
            asyncio.get_running_loop(), safety[0], self.seen.append, lambda _: None
        )
        self.telemetry = SocketLane(
            asyncio.get_running_loop(), telemetry[0], self.seen.append, lambda _: None
        )
        host.client.attach(["safety", "telemetry"], [safety[1], telemetry[1]])

    def welcome(self, credit: int = 64, **options: object) -> None:
        self.safety.send(m.Welcome(1, options, {"p": "w"}, credit))

    def of(self, kind: type) -> list[Any]:
        return [message for message in self.seen if type(message) is kind]

    def close(self) -> None:
        self.safety.close()
        self.telemetry.close()


def make_host() -> HostLink:
    clock = RealClock()
    return HostLink(clock, AsyncClock(clock), "host:t")


async def test_a_turns_first_reading_leaves_at_once_and_the_others_together() -> None:
    host = make_host()
    core = FakeCore(host)
    core.welcome(color="red")
    await until(host.welcomed.is_set, "welcome")
    assert host.options == {"color": "red", "secrets": {"p": "w"}}
    host.declare(DEVICE)
    handle = host.handle("d", "e")
    for value in range(10):
        host.report(handle, float(value))
    await until(lambda: len(core.of(m.Readings)) == 2, "readings")
    first, others = core.of(m.Readings)
    assert [row.value for row in first.rows] == [0.0]
    assert [row.value for row in others.rows] == [float(n) for n in range(1, 10)]
    assert core.of(m.Declare) == [m.Declare(DEVICE, {"e": handle})]
    host.close()
    core.close()


async def test_without_credit_readings_are_coalesced_and_extremes_kept() -> None:
    """R21: a counted policy; limits judge the extremes."""
    host = make_host()
    core = FakeCore(host)
    core.welcome(credit=1)
    await until(host.welcomed.is_set, "welcome")
    host.report(1, 1.0)
    await until(lambda: core.of(m.Readings), "first frame")
    for value in (5.0, 99.0, 2.0):
        host.report(1, value)
        await asyncio.sleep(0)
    core.safety.send(m.Credit(1))
    await until(lambda: len(core.of(m.Readings)) == 2, "second frame")
    (row,) = core.of(m.Readings)[1].coalesced
    assert (row.last, row.low, row.high, row.count) == (2.0, 2.0, 99.0, 3)
    assert not math.isnan(row.low)
    host.close()
    core.close()


async def test_restarted_core_is_told_everything_again() -> None:
    """Design §3: hosts outlive core and re-offer what it must know."""
    host = make_host()
    core = FakeCore(host)
    core.welcome()
    await until(host.welcomed.is_set, "welcome")
    host.declare(DEVICE)
    host.link_state("d", False, "silent")
    host.result("c1", CommandState.CONFIRMED)
    waiting = asyncio.get_running_loop().create_task(host.event("d", "sos", {}, "e1"))
    await until(lambda: core.of(m.DeviceEvent), "event")
    core.close()
    await until(lambda: not host.welcomed.is_set(), "down")
    host.report(host.handle("d", "e"), 7.0)
    again = FakeCore(host)
    again.welcome()
    await until(lambda: again.of(m.Readings), "readings")
    assert again.of(m.Declare) == [m.Declare(DEVICE, {"e": 1})]
    assert again.of(m.LinkState) == [m.LinkState("d", False, "silent")]
    assert again.of(m.Result) == [m.Result("c1", "confirmed")]
    assert [e.event_id for e in again.of(m.DeviceEvent)] == ["e1"]
    assert not waiting.done()
    again.safety.send(m.EventDurable("e1"))
    await waiting
    host.close()
    again.close()


async def test_value_that_is_none_becomes_a_fault() -> None:
    """One bad value never takes the others of its frame along."""
    host = make_host()
    core = FakeCore(host)
    core.welcome()
    await until(host.welcomed.is_set, "welcome")
    for value in (1, True, "x", None, 2**80, [1], 1.5):
        host.report(1, value)  # type: ignore[arg-type]
    await until(lambda: len(core.of(m.Readings)) == 2, "readings")
    frames = core.of(m.Readings)
    rows = [(row.value, row.quality) for frame in frames for row in frame.rows]
    assert rows == [
        (1, 0),
        (True, 0),
        ("x", 0),
        (None, 0),
        (float(2**80), 0),
        (None, 5),
        (1.5, 0),
    ]
    host.close()
    core.close()


@pytest.mark.logs_errors
async def test_bad_input_is_counted_and_told_once_in_a_while() -> None:
    host = make_host()
    core = FakeCore(host)
    core.welcome()
    await until(host.welcomed.is_set, "welcome")
    for _ in range(5):
        host.count("bad_topic", "x")
    host.declare(DEVICE)
    host.count("bad_frame", "0bad", DEVICE.uid)
    host.count("bad_frame", "0cad", DEVICE.uid)
    host.count("bad_frame", "0bad", "nobody")
    assert host.totals == {"bad_topic": 5, "bad_frame": 3}
    host.close()
    await until(lambda: core.of(m.Counted), "counted")
    told = core.of(m.Counted)[0]
    assert told.counts == {"bad_topic": 5, "bad_frame": 3}
    assert told.devices == {DEVICE.uid: {"bad_frame": (2, "0cad")}}
    core.close()


class Driver(Integration):
    """Do what the test hands in."""

    script: Callable[[], Awaitable[None]]

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.commands: list[str] = []

    async def run(self) -> None:
        await type(self).script()

    async def command(self, command: Command) -> None:
        self.commands.append(command.id)
        if command.value == "hang":
            await asyncio.Event().wait()
        if command.value == "break":
            raise ValueError("broken")
        self.host.result(command.id, CommandState.CONFIRMED)


def order(number: int, value: str, clock: RealClock, seconds: float = 5.0) -> Command:
    return Command(
        id=f"c{number}",
        device_uid="d",
        entity_uid="e",
        value=value,
        deadline_ns=clock.mono_ns() + int(seconds * 1e9),
    )


async def test_commands_end_confirmed_failed_or_expired() -> None:
    """Design §5 Commands: always a terminal state; a repeat is not done twice."""
    host = make_host()
    core = FakeCore(host)
    core.welcome()
    await until(host.welcomed.is_set, "welcome")
    driver: list[Driver] = []

    class Steady(Driver):
        @staticmethod
        async def script() -> None:
            await asyncio.Event().wait()

    def make() -> Driver:
        driver.append(Steady(host))
        return driver[-1]

    runner = Runner(host, make)
    task = asyncio.get_running_loop().create_task(runner.run())
    await until(lambda: runner.integration, "driver")
    clock = RealClock()
    for command in (
        order(1, "on", clock),
        order(1, "on", clock),
        order(2, "break", clock),
        order(3, "hang", clock, 0.05),
    ):
        core.safety.send(m.Execute(command))
    await until(lambda: {r.command_id for r in core.of(m.Result)} >= {"c3"}, "results")
    core.safety.send(m.Execute(order(1, "on", clock)))
    await until(lambda: len(core.of(m.Result)) == 4, "repeat")
    states = {r.command_id: r.state for r in core.of(m.Result)}
    assert states == {"c1": "confirmed", "c2": "failed", "c3": "expired"}
    assert driver[0].commands.count("c1") == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    host.close()
    core.close()


@pytest.mark.logs_errors
async def test_auth_error_stops_until_the_configuration_changes() -> None:
    host = make_host()
    starts = []

    class Refused(Driver):
        @staticmethod
        async def script() -> None:
            starts.append(1)
            raise AuthError("no")

    runner = Runner(host, lambda: Refused(host))
    task = asyncio.get_running_loop().create_task(runner.run())
    await until(lambda: starts, "start")
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(starts) == 1
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    host.close()


@pytest.mark.logs_errors
async def test_driver_that_breaks_again_and_again_ends_the_process() -> None:
    """Reliability §5: the keeper's budget then decides."""
    host = make_host()

    class NoWait(AsyncClock):
        async def sleep(self, seconds: float) -> None:
            await asyncio.sleep(0)

    host.timer = NoWait(RealClock())

    class Broken(Driver):
        @staticmethod
        async def script() -> None:
            raise KeyError("x")

    with pytest.raises(DriverCrashed):
        await Runner(host, lambda: Broken(host)).run()
    host.close()


def test_gravest_error_of_a_group_decides() -> None:
    auth, device, bug = AuthError("a"), DeviceError("d"), KeyError("k")
    assert gravest(ExceptionGroup("g", [device, auth, bug])) is auth
    assert gravest(ExceptionGroup("g", [device, bug])) is bug
    assert gravest(ExceptionGroup("g", [OSError(), device])).__class__ is OSError
