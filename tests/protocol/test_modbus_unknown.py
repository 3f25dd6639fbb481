"""A unit whose map nobody knows, and a trial before a set-up, against real servers."""

import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from core.api import DeviceError
from core.api.simulating import Desk
from core.api.unknown_map import MapAsk, Point
from integrations.modbus import load
from integrations.modbus.decodings import name
from integrations.modbus.flow import probe
from integrations.modbus.simulator import Simulator
from integrations.modbus.unknown import answer, live
from tests.protocol.modbus_site import RELAY, XNX


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    """Run two devices on one bus."""
    bus = {"id": "pit", "tcp": "127.0.0.1:0", "devices": [XNX, RELAY]}
    made = Simulator({"buses": [bus]})
    await made.start()
    yield made
    await made.stop()


async def set_gas(simulator: Simulator, value: float) -> None:
    order = {"device": "xnx-1", "set": {"gas": value}}
    assert await Desk(simulator).control(json.dumps(order)) == {"ok": True}


async def test_a_trial_says_who_answers(simulator: Simulator) -> None:
    assert await probe(simulator.options, {}) == {"pit": "2"}
    options: dict[str, Any] = json.loads(json.dumps(dict(simulator.options)))
    options["buses"][0]["devices"][0]["unit"] = 77
    options["buses"][0]["devices"][0]["timeout_s"] = 0.2
    with pytest.raises(DeviceError, match="xnx-1"):
        await probe(options, {})


async def test_nobody_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    bus = {"id": "pit", "tcp": f"127.0.0.1:{port}", "devices": [XNX]}
    with pytest.raises(DeviceError, match="pit"):
        await probe({"buses": [bus]}, {})


async def test_live_registers_lead_to_the_devices_own_map(
    simulator: Simulator, tmp_path: Path
) -> None:
    """Zero and span on the display find what the maker's own profile says."""
    register = next(
        r
        for r in load.load("honeywell-xnx").registers.values()
        if r.name == load.load("honeywell-xnx").entities["gas"].register
    )
    table = "input" if register.function == 4 else "holding"
    ask = MapAsk(
        op="read",
        data=str(tmp_path),
        place=str(simulator.options["buses"][0]["tcp"]),
        unit=1,
        table=table,
        first=register.address,
        count=register.words,
    )
    for at, shown in (("zero", 0.0), ("span", 25.0)):
        await set_gas(simulator, shown)
        ask.points[at] = Point(shown=shown, registers=await live(ask))
    ask.registers, ask.op = ask.points["span"].registers, "decode"
    found = answer(ask)
    best = [each for each in found.decodings if len(each.matches) == 2]
    order = "little" if register.little else "big"
    right = name(register.address, register.type, order, 1.0)
    assert right in {each.id for each in best}
    ask.op, ask.decoding, ask.profile = "profile", right, "like-an-xnx"
    ask.quantity, ask.unit_text, ask.full_scale = "h2s", "ppm", 100.0
    made = answer(ask)
    assert (made.problem, made.evidence) == (None, True)


async def test_registers_that_are_refused_are_shown_as_such(
    simulator: Simulator, tmp_path: Path
) -> None:
    """A block that reaches beyond the map is read one by one."""
    ask = MapAsk(
        op="read",
        data=str(tmp_path),
        place=str(simulator.options["buses"][0]["tcp"]),
        unit=1,
        first=60_000,
        count=4,
    )
    assert set(await live(ask)) <= {-1, 0}
