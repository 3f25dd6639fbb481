"""Relays over real Modbus: a command is believed only when the coil reads back."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from core.api import CommandState, OutputKind, Quality
from integrations.modbus.port import QUEUE
from tests.protocol.modbus_site import FAST, RELAY, XNX, running
from tests.support.waiting import until

DELIVERED, CONFIRMED = CommandState.DELIVERED, CommandState.CONFIRMED
FAILED, EXPIRED = CommandState.FAILED, CommandState.EXPIRED
QUICK = {**RELAY, "timeout_s": 0.1}


@pytest.fixture(params=["tcp", "rtu"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Mapping[str, Any]:
    """Return where the bus of this test is: each test runs on both kinds."""
    if request.param == "tcp":
        return {"tcp": "127.0.0.1:0"}
    return {"serial": {"port": str(tmp_path / "ttyRS485")}}


async def test_command_is_delivered_then_confirmed_by_read_back(
    place: Mapping[str, Any],
) -> None:
    """Requirement 1.15: DELIVERED on the echo, CONFIRMED on the read-back."""
    async with running(place, RELAY) as site:
        await site.shows("relay-1", "ch1", Quality.GOOD)
        order = site.order("ch1", True)
        await site.driver.command(order)
        assert site.host.states(order.id) == [DELIVERED, CONFIRMED]
        assert site.simulator.devices["relay-1"].on("ch1")
        last = site.host.last("relay-1", "ch1")
        assert last is not None and last.value is True
        changes = [s for s in site.said if s["event"] == "output"]
        assert changes == [
            {
                "event": "output",
                "device": "relay-1",
                "entity": "ch1",
                "value": True,
                "coil": 0,
            }
        ]


async def test_only_the_channels_that_the_site_uses_are_declared() -> None:
    """Design §5 Commands: each output says what it moves and how it fails."""
    async with running({"tcp": "127.0.0.1:0"}, RELAY) as site:
        await site.shows("relay-1", "ch1", Quality.GOOD)
        outputs = {e.uid: e.output for e in site.host.devices["relay-1"].entities}
        assert list(outputs) == ["ch1", "ch2", "ch3"]
        siren, fan, power = outputs["ch1"], outputs["ch2"], outputs["ch3"]
        assert siren is not None and siren.kind is OutputKind.SIREN
        assert fan is not None and fan.outside_air
        assert power is not None and power.fail_safe == "on"


async def test_inverted_channel_trips_by_letting_go() -> None:
    """An interlock is de-energise-to-trip, so ON is an open coil."""
    async with running({"tcp": "127.0.0.1:0"}, RELAY) as site:
        await site.shows("relay-1", "ch3", Quality.GOOD)
        relay = site.simulator.devices["relay-1"]
        last = site.host.last("relay-1", "ch3")
        assert last is not None and last.value is False and not relay.on("ch3")
        order = site.order("ch3", True)
        await site.driver.command(order)
        assert site.host.states(order.id) == [DELIVERED, CONFIRMED]
        assert relay.on("ch3") and relay.read(1, 2, 1) == [0]


async def test_relay_that_ignores_writes_fails_the_command(
    place: Mapping[str, Any],
) -> None:
    """Requirement 1.15: an echo is no proof."""
    async with running(place, RELAY) as site:
        await site.tell(device="relay-1", fault={"ignore_writes": True})
        order = site.order("ch1", True)
        await site.driver.command(order)
        assert site.host.results[order.id] == [
            (DELIVERED, ""),
            (FAILED, "modbus.read_back_differs"),
        ]


async def test_silent_relay_fails_after_its_attempts(place: Mapping[str, Any]) -> None:
    """Design §5 Commands: a failure is told, with its reason."""
    async with running(place, QUICK) as site:
        await site.tell(device="relay-1", fault={"silent": True})
        order = site.order("ch1", True)
        await site.driver.command(order)
        assert site.host.results[order.id] == [(FAILED, "modbus.silent")]


async def test_exception_answer_fails_the_command(place: Mapping[str, Any]) -> None:
    """Design §5 Commands: the exception's code is the reason."""
    async with running(place, RELAY) as site:
        await site.tell(device="relay-1", fault={"exception": 2})
        order = site.order("ch2", True)
        await site.driver.command(order)
        assert site.host.results[order.id] == [(FAILED, "modbus.exception_2")]


async def test_command_to_a_port_that_is_away_expires_or_makes_it() -> None:
    """Design §5 Commands: EXPIRED at the deadline; a port that returns is used."""
    async with running({"tcp": "127.0.0.1:0"}, QUICK) as site:
        await site.shows("relay-1", "ch1", Quality.GOOD)
        await site.tell(bus="b1", do="stop")
        await until(lambda: not site.host.links["relay-1"][0], "link down")
        late = site.order("ch1", True, left_s=0.2)
        await site.driver.command(late)
        assert site.host.results[late.id] == [(EXPIRED, "modbus.link_down")]
        await site.tell(bus="b1", do="start")
        order = site.order("ch2", True, left_s=30)
        await site.driver.command(order)
        assert site.host.states(order.id) == [DELIVERED, CONFIRMED]
        assert not site.simulator.devices["relay-1"].on("ch1"), "expired means never"


async def test_command_goes_before_polls_and_a_dead_neighbour() -> None:
    """Nothing protective waits: the siren sounds though its neighbours are dead."""
    dead = [{**XNX, "unit": 10 + n, "uid": f"dead-{n}"} for n in range(8)]
    async with running({"tcp": "127.0.0.1:0"}, RELAY, *dead) as site:
        for device in dead:
            await site.tell(device=device["uid"], fault={"silent": True})
        await site.shows("dead-7", "gas", Quality.NOT_PRESENT, "silent")
        order = site.order("ch1", True)
        asked = site.driver.ports[0].bus.requests
        await site.driver.command(order)
        assert site.host.states(order.id) == [DELIVERED, CONFIRMED]
        # Write, read-back, and at most the one request that was under way.
        assert site.driver.ports[0].bus.requests - asked <= 3


@pytest.mark.parametrize(
    ("device", "entity", "value", "reason"),
    [
        ("relay-9", "ch1", True, "no_such_output"),
        ("relay-1", "ch8", True, "no_such_output"),
        ("relay-1", "ch1", 0.5, "bad_value"),
        ("relay-1", "ch1", "open", "bad_value"),
    ],
)
async def test_command_that_makes_no_sense_fails_at_once(
    device: str, entity: str, value: float | str, reason: str
) -> None:
    """Design §5 Commands: a target that resolves to nothing is a failure."""
    async with running({"tcp": "127.0.0.1:0"}, RELAY) as site:
        order = site.order(entity, value, device=device)
        await site.driver.command(order)
        assert site.host.results[order.id] == [(FAILED, f"modbus.{reason}")]


async def test_full_queue_fails_the_command_at_once() -> None:
    """Design §8: every queue has a bound and a named policy."""
    import asyncio

    async with running({"tcp": "127.0.0.1:0"}, QUICK) as site:
        await site.shows("relay-1", "ch1", Quality.GOOD)
        await site.tell(bus="b1", do="stop")
        await until(lambda: not site.host.links["relay-1"][0], "link down")
        async with asyncio.TaskGroup() as group:
            for _ in range(QUEUE + 1):
                order = site.order("ch1", True, left_s=1.0)
                group.create_task(site.driver.command(order))
        results = site.host.results[order.id]
        assert results[0] == (FAILED, "modbus.queue_full")
        assert len(results) == QUEUE + 1


async def test_output_changed_by_hand_is_reported() -> None:
    """Outputs' state is a reading of its own, from periodic read-back."""
    async with running({"tcp": "127.0.0.1:0"}, RELAY, speed=FAST) as site:
        await site.shows("relay-1", "ch1", Quality.GOOD)
        site.simulator.devices["relay-1"].write(5, 0, True)

        def on() -> bool:
            last = site.host.last("relay-1", "ch1")
            return last is not None and last.value is True

        await until(on, "the switched channel")
