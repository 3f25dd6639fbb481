"""Scans against real servers: found, only read, and never beside another master."""

import asyncio
import contextlib
import os
import pty
import socket
import tty
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from pymodbus.pdu.device import ModbusDeviceIdentification
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from core.api.packages import packages
from core.clock import RealClock
from core.config import EMPTY, IntegrationConfig
from core.link.findings import ScanState
from core.registry.proposals_events import ScanAsked
from core.registry.state import RegistryState
from integrations.modbus import scan
from integrations.runtime.discovery.board import Board
from integrations.runtime.discovery.known import Known
from integrations.runtime.discovery.match import Signs
from integrations.runtime.discovery.scans import Scans
from tests.support.waiting import until

READ_ONLY = {3, 4, 0x11, 0x2B}
OTHERS = b"\x09\x03\x00\x00\x00\x01\x85\x42"  # what another master asks unit 9
_IDENTITY = ModbusDeviceIdentification(  # type: ignore[no-untyped-call]
    info_name={"VendorName": "Acme", "ProductCode": "GT-7", "ModelName": "Gas 7"}
)


class Scanning:
    """Scans with a board, as the discovery process has them."""

    def __init__(self) -> None:
        self.board, self.known = Board(RealClock()), Known()
        self.board.covered = self.known.covered
        self.told: list[ScanState] = []
        self.scans = Scans(self.board, self.known, self.told.append)
        self.scans.packages = packages()
        self.scans.signs = Signs(p.manifest for p in packages().values())
        self.scans.listen_s = 0.0

    async def run(self, kind: str, target: str, **more: Any) -> ScanState:
        asked = ScanAsked(scan_id="S", kind=kind, target=target, **more)
        async with asyncio.TaskGroup() as group:
            self.scans.start(asked, group)
        return self.told[-1]

    def site(self, options: dict[str, object]) -> None:
        """Let an integration of the site have these options."""
        self.known.covers["modbus"] = scan.covers
        mine = IntegrationConfig(id="line-1", integration="modbus", options=options)
        bundle = msgspec.structs.replace(EMPTY, integrations=(mine,))
        self.known.take(RegistryState(), bundle)

    def step(self) -> str:
        return self.told[-1].step if self.told else ""

    def facts(self) -> list[dict[str, str]]:
        return [each.facts for each in self.board.findings()]


@pytest.fixture
def scanning(monkeypatch: pytest.MonkeyPatch) -> Scanning:
    monkeypatch.setattr(scan, "_TCP_ANSWER_S", 0.3)
    return Scanning()


def devices(*units: int) -> list[SimDevice]:
    return [
        SimDevice(
            unit,
            simdata=(
                [SimData(0, count=16, values=False, datatype=DataType.BITS)],
                [SimData(0, count=16, values=False, datatype=DataType.BITS)],
                [SimData(0, count=8, values=7, datatype=DataType.REGISTERS)],
                [SimData(0, count=8, values=5, datatype=DataType.REGISTERS)],
            ),
        )
        for unit in units
    ]


def free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def tcp_server(host: str, *units: int) -> AsyncIterator[SimpleNamespace]:
    """A gateway with units behind it; ``asked`` are the functions it was asked for."""
    asked: set[int] = set()

    def trace(sending: bool, data: bytes) -> bytes:
        if not sending and len(data) > 7:
            asked.add(data[7])
        return data

    port = free_port(host)
    server = ModbusTcpServer(
        devices(*units),
        address=(host, port),
        identity=_IDENTITY,
        ignore_missing_devices=True,
        trace_packet=trace,
    )
    await server.serve_forever(background=True)
    try:
        yield SimpleNamespace(port=port, asked=asked)
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]


# --- TCP ---------------------------------------------------------------------------


async def test_a_device_in_a_range_is_found_and_only_read(scanning: Scanning) -> None:
    async with tcp_server("127.0.71.3", 1) as server:
        done = await scanning.run("modbus_tcp", "127.0.71.1-6", port=server.port)
    assert (done.state, done.done, done.total, done.found) == ("done", 6, 6, 1)
    (found,) = scanning.board.findings()
    assert (found.integration, found.address, found.port) == (
        "modbus",
        "127.0.71.3",
        server.port,
    )
    assert found.facts["manufacturer"] == "Acme"
    assert found.facts["unit"] == "1"
    assert found.key == f"modbus:127.0.71.3:{server.port}/1"
    assert found.why[0].code == "discovery.why.modbus"
    assert server.asked <= READ_ONLY


async def test_units_behind_a_gateway_are_devices_of_their_own(
    scanning: Scanning,
) -> None:
    async with tcp_server("127.0.71.4", 1, 3) as server:
        done = await scanning.run(
            "modbus_tcp", "127.0.71.4", port=server.port, units=(1, 4)
        )
    assert done.found == 2
    assert {facts["unit"] for facts in scanning.facts()} == {"1", "3"}
    assert server.asked <= READ_ONLY


async def test_what_the_site_has_is_left_alone(scanning: Scanning) -> None:
    """A gateway that takes one connection must not lose it to a scan."""
    async with tcp_server("127.0.71.5", 1) as server:
        place = f"127.0.71.5:{server.port}"
        scanning.site({"buses": [{"tcp": place, "devices": [{"unit": 1}]}]})
        done = await scanning.run("modbus_tcp", "127.0.71.5", port=server.port)
    assert done.notes[0].code == "discovery.skipped_held"
    assert done.notes[0].params == {"target": place, "integration": "line-1"}
    assert not server.asked


async def test_a_device_that_was_set_up_is_proposed_no_more(
    scanning: Scanning,
) -> None:
    async with tcp_server("127.0.71.6", 1, 2) as server:
        await scanning.run("modbus_tcp", "127.0.71.6", port=server.port, units=(1, 2))
        assert len(scanning.board.findings()) == 2
        place = f"127.0.71.6:{server.port}"
        scanning.site({"buses": [{"tcp": place, "devices": [{"unit": 1}]}]})
    assert [facts["unit"] for facts in scanning.facts()] == ["2"]


@contextlib.asynccontextmanager
async def stranger(host: str, answer: Any) -> AsyncIterator[int]:
    """A server that answers each request with whatever ``answer`` makes of it."""

    async def serve(r: asyncio.StreamReader, w: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await r.read(300):
                w.write(answer(data))
                await w.drain()
        w.close()

    server = await asyncio.start_server(serve, host, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize(
    "answer",
    [
        lambda data: b"HTTP/1.1 400 Bad Request\r\n\r\n",
        lambda data: b"",
        lambda data: data,
        lambda data: data[:5],
        lambda data: data[:2] + b"\0\0\0\x03" + data[6:7] + b"\x83\x0b",
        lambda data: b"\xff" * 900,
    ],
    ids=["http", "silent", "echo", "cut", "nobody-there", "noise"],
)
async def test_a_server_that_is_no_device_is_not_found(
    scanning: Scanning, answer: Any
) -> None:
    async with stranger("127.0.71.7", answer) as port:
        done = await scanning.run("modbus_tcp", "127.0.71.7", port=port)
    assert (done.state, done.found) == ("done", 0)


async def test_a_device_that_answers_as_anybody_is_one(scanning: Scanning) -> None:
    def anybody(data: bytes) -> bytes:
        if data[7] == 3:
            return data[:4] + b"\0\x05" + data[6:7] + b"\x03\x02\0\x07"
        return data[:4] + b"\0\x03" + data[6:7] + bytes([data[7] | 0x80, 1])

    async with stranger("127.0.71.8", anybody) as port:
        done = await scanning.run("modbus_tcp", "127.0.71.8", port=port, units=(1, 5))
    assert done.found == 1


# --- a serial line -----------------------------------------------------------------


class Line:
    """A line between a hub's port and a server's: what is on it can be altered."""

    def __init__(self) -> None:
        self._files: list[int] = []
        for _ in range(2):
            master, slave = pty.openpty()
            tty.setraw(master)
            tty.setraw(slave)
            os.set_blocking(master, False)
            self._files += [master, slave]
        self.hub, self.server = (os.ttyname(self._files[n]) for n in (1, 3))
        self.asked: list[bytes] = []
        self.answer: Any = lambda data: data

    def open(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(self._files[0], self._asks)
        loop.add_reader(self._files[2], self._answers)

    def _asks(self) -> None:
        with contextlib.suppress(OSError):
            data = os.read(self._files[0], 4096)
            self.asked.append(data)
            os.write(self._files[2], data)

    def _answers(self) -> None:
        with contextlib.suppress(OSError):
            self.say(self.answer(os.read(self._files[2], 4096)))

    def say(self, data: bytes) -> None:
        """Put bytes on the line, as whoever else is on it does."""
        with contextlib.suppress(OSError):  # the line is down
            os.write(self._files[0], data)

    def close(self) -> None:
        for file in self._files:
            os.close(file)


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    yield made
    made.close()


@contextlib.asynccontextmanager
async def served(line: Line, *units: int) -> AsyncIterator[None]:
    line.open()
    server = ModbusSerialServer(
        devices(*units), port=line.server, ignore_missing_devices=True
    )
    await server.serve_forever(background=True)
    try:
        yield
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]
        loop = asyncio.get_running_loop()
        for file in (line._files[0], line._files[2]):
            loop.remove_reader(file)


async def test_devices_of_a_line_are_found_and_only_read(
    scanning: Scanning, line: Line
) -> None:
    async with served(line, 2, 7):
        done = await scanning.run("modbus_serial", line.hub, units=(1, 8))
    assert (done.state, done.found) == ("done", 2)
    assert {facts["unit"] for facts in scanning.facts()} == {"2", "7"}
    assert {facts["device"] for facts in scanning.facts()} == {line.hub}
    assert {facts["baudrate"] for facts in scanning.facts()} == {"9600"}
    assert {frame[1] for frame in line.asked} <= READ_ONLY


async def test_a_line_with_another_master_is_refused_before_a_word_is_said(
    scanning: Scanning, line: Line
) -> None:
    """Issue: it listens first, and refuses a bus that has another master."""
    scanning.scans.listen_s = scan.LISTEN_S
    async with served(line, 1):
        async with asyncio.TaskGroup() as group:
            running = group.create_task(scanning.run("modbus_serial", line.hub))
            await until(
                lambda: scanning.told[-1:] and scanning.told[-1].step, "listens"
            )
            line.say(bytes.fromhex("010300000002c40b"))
        done = running.result()
    assert (done.state, done.code) == ("refused", "discovery.other_master")
    assert done.params["count"] == 8
    assert line.asked == []


@pytest.mark.parametrize("where", ["before", "after", "instead"])
async def test_a_master_that_comes_later_ends_the_scan(
    scanning: Scanning, line: Line, where: str
) -> None:
    def answer(data: bytes) -> bytes:
        if len(line.asked) < 4:
            return data
        both = {"before": OTHERS + data, "after": data + OTHERS, "instead": OTHERS}
        return both[where]

    line.answer = answer
    async with served(line, 1):
        done = await scanning.run("modbus_serial", line.hub, units=(1, 40))
    assert (done.state, done.code) == ("refused", "discovery.other_master")


async def test_devices_of_the_same_address_are_told_and_not_proposed(
    scanning: Scanning, line: Line
) -> None:
    """Issue: devices of the same address are added one by one."""
    line.answer = lambda data: data[:-1] + bytes([data[-1] ^ 0x55])
    async with served(line, 3):
        done = await scanning.run(
            "modbus_serial", line.hub, units=(3, 3), bauds=(9600,)
        )
    assert (done.state, done.found) == ("done", 0), done
    assert done.notes[0].code == "discovery.collision"
    assert done.notes[0].params == {"unit": "3"}


async def test_a_port_that_an_integration_holds_is_refused(
    scanning: Scanning, line: Line
) -> None:
    scanning.site({"buses": [{"serial": {"port": line.hub}, "devices": []}]})
    done = await scanning.run("modbus_serial", line.hub)
    assert (done.state, done.code) == ("refused", "discovery.port_held")
    assert done.params["integration"] == "line-1"


@pytest.mark.parametrize("target", ["/dev/no-such-port", "/etc/passwd", "COM3"])
async def test_what_is_no_port_is_refused(scanning: Scanning, target: str) -> None:
    done = await scanning.run("modbus_serial", target)
    assert done.state == "refused"
    assert done.code in ("discovery.port_missing", "discovery.bad_target")


async def test_a_scan_that_is_stopped_lets_go_of_its_port(
    scanning: Scanning, line: Line
) -> None:
    async with served(line, 1):
        async with asyncio.TaskGroup() as group:
            asked = ScanAsked(scan_id="S", kind="modbus_serial", target=line.hub)
            scanning.scans.start(asked, group)
            await until(lambda: line.asked, "it asks")
            scanning.scans.stop("S")
        assert scanning.told[-1].state == "stopped"
        done = await scanning.run("modbus_serial", line.hub, units=(1, 1))
        assert done.found == 1
