"""The simulator as its own process, and an independent peer that agrees with it."""

import asyncio
import contextlib
import json
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.api import CommandState, Quality
from integrations.modbus.integration import ModbusIntegration
from tests.protocol.modbus_site import RELAY, XNX, Site, running
from tests.support.host import FakeHost, Running

SPEED = 20.0


class Process:
    """A simulator process: events from its output, control over its socket."""

    def __init__(self, child: asyncio.subprocess.Process, socket: Path) -> None:
        self.child = child
        self.socket = socket

    async def event(self) -> dict[str, Any]:
        """Return the next line that it says."""
        assert self.child.stdout is not None
        line = await asyncio.wait_for(self.child.stdout.readline(), 20)
        told: dict[str, Any] = json.loads(line)
        return told

    async def control(self, *requests: dict[str, Any] | bytes) -> list[dict[str, Any]]:
        """Send control lines and return their answers."""
        reader, writer = await asyncio.open_unix_connection(self.socket)
        answers = []
        for request in requests:
            raw = (
                request if isinstance(request, bytes) else json.dumps(request).encode()
            )
            writer.write(raw + b"\n")
            answers.append(json.loads(await asyncio.wait_for(reader.readline(), 20)))
        writer.close()
        await writer.wait_closed()
        return answers


@contextlib.asynccontextmanager
async def process(options: dict[str, Any], tmp_path: Path) -> AsyncIterator[Process]:
    file, socket = tmp_path / "modbus.yaml", tmp_path / "control.sock"
    file.write_text(yaml.safe_dump(options), "utf-8")
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "integrations.modbus.simulator", "--options", str(file)),
        *("--scenario-socket", str(socket), "--speed", str(SPEED)),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Process(child, socket)
    finally:
        if child.returncode is None:
            child.terminate()
        assert await asyncio.wait_for(child.wait(), 20) == 0


async def test_process_serves_tcp_and_rtu_and_tells_what_relays_do(
    tmp_path: Path,
) -> None:
    """Demonstration site: simulators are processes, never calls."""
    line = tmp_path / "ttyRS485"
    options: dict[str, Any] = {
        "buses": [
            {"id": "net", "tcp": "127.0.0.1:0", "devices": [XNX]},
            {"id": "line", "serial": {"port": str(line)}, "devices": [RELAY]},
        ]
    }
    async with process(options, tmp_path) as simulator:
        ready = await simulator.event()
        assert ready["event"] == "ready"
        assert line.is_symlink()
        options["buses"][0]["tcp"] = ready["options"]["buses"][0]["tcp"]
        host = FakeHost(options, SPEED)
        driver = ModbusIntegration(host)
        answers = await simulator.control(
            {"device": "xnx-1", "set": {"gas": 8.0}},
            {"device": "xnx-1", "set": {"gasp": 8.0}},
            {"device": "xnx-1", "fault": {"silent": "perhaps"}},
            {"device": "xnx-1", "state": "asleep"},
            b"not json",
            b"[]",
        )
        assert answers[0] == {"ok": True}
        assert all("error" in answer for answer in answers[1:])
        async with Running(driver):
            site = Site(None, host, driver)  # type: ignore[arg-type]
            assert (await site.shows("xnx-1", "gas", Quality.GOOD)).value == 8.0
            order = site.order("ch1", True, left_s=100)
            await driver.command(order)
            assert host.states(order.id)[-1] is CommandState.CONFIRMED
        told = await simulator.event()
        assert (told["entity"], told["value"]) == ("ch1", True)
        assert await simulator.control({"do": "quit"}) == [{"ok": True}]
        assert await asyncio.wait_for(simulator.child.wait(), 20) == 0
    assert not line.is_symlink()


async def test_process_names_the_fault_in_its_options(tmp_path: Path) -> None:
    """Errors name file, line and the mend, also in a simulator."""
    file = tmp_path / "modbus.yaml"
    file.write_text("buses:\n  - id: b1\n    tcp: nowhere\n    devices: []\n", "utf-8")
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "integrations.modbus.simulator", "--options", str(file)),
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await asyncio.wait_for(child.communicate(), 30)
    assert child.returncode == 2
    assert said.decode().startswith(f"{file}:3:")


async def test_independent_master_reads_what_the_simulator_serves() -> None:
    """A peer of another make (libmodbus) agrees on registers and coils."""
    mbpoll = shutil.which("mbpoll")
    if mbpoll is None:
        pytest.skip("mbpoll is not installed: apt-get install mbpoll")
    async with running({"tcp": "127.0.0.1:0"}, XNX, RELAY) as site:
        await site.tell(device="xnx-1", set={"gas": 12.5})
        await site.shows("relay-1", "ch1", Quality.GOOD)
        order = site.order("ch1", True)
        await site.driver.command(order)
        port = site.simulator.options["buses"][0]["tcp"].rpartition(":")[2]
        for unit, kind, first, count, expected in (
            ("1", "4:hex", "3", "2", ["0x4148", "0x0000"]),
            ("2", "0", "1", "3", ["1", "0", "1"]),
        ):
            child = await asyncio.create_subprocess_exec(
                *(mbpoll, "-m", "tcp", "-p", port, "-a", unit, "-t", kind),
                *("-r", first, "-c", count, "-1", "-q", "127.0.0.1"),
                stdout=asyncio.subprocess.PIPE,
            )
            said, _ = await asyncio.wait_for(child.communicate(), 20)
            rows = [r for r in said.decode().splitlines() if r.startswith("[")]
            assert [r.split()[-1] for r in rows] == expected
