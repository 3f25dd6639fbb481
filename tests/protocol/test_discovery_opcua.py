"""An OPC UA server that a technician names says who it is; nobody logs in."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
from asyncua import Server, ua

from core.api.errors import Refused
from core.clock import RealClock
from core.link.findings import ScanState
from core.registry.proposals_events import ScanAsked
from integrations.runtime.discovery import opcua
from integrations.runtime.discovery.board import Board
from integrations.runtime.discovery.known import Known
from integrations.runtime.discovery.scans import Scans
from tests.unit.discovery.sightings import SIGNS

URI = "urn:example:crane-7"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def plc() -> AsyncIterator[int]:
    port = free_port()
    server = Server()
    await server.init()
    # It calls itself by a name that nobody here resolves, as many do.
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/crane")
    server.set_server_name("Crane 7")
    await server.set_application_uri(URI)
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    await server.start()
    try:
        yield port
    finally:
        await server.stop()


async def test_a_named_server_says_who_it_is() -> None:
    board = Board(RealClock())
    told: list[ScanState] = []
    scans = Scans(board, Known(), told.append)
    scans.signs = SIGNS
    async with plc() as port:
        asked = ScanAsked(scan_id="S", kind="opcua", target=f"127.0.0.1:{port}")
        async with asyncio.TaskGroup() as group:
            scans.start(asked, group)
    assert (told[-1].state, told[-1].found) == ("done", 1)
    (found,) = board.findings()
    assert (found.integration, found.key) == ("opcua", f"uri:{URI}")
    assert (found.address, found.port) == ("127.0.0.1", port)
    assert found.facts["application_uri"] == URI
    assert found.facts["policy"] == "none"
    assert found.why[0].code == "discovery.why.opcua"


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
async def test_a_server_of_another_kind_is_told(
    answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opcua, "ASK_S", 0.3)

    async def serve(r: asyncio.StreamReader, w: asyncio.StreamWriter) -> None:
        await r.read(300)
        w.write(answer)
        w.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(Refused, match=r"discovery\.unreachable"):
            await opcua.ask("127.0.0.1", port, SIGNS)


async def test_a_silent_place_is_told() -> None:
    with pytest.raises(Refused) as no:
        await opcua.ask("127.0.0.1", free_port(), SIGNS)
    assert str(no.value.params["target"]).startswith("opc.tcp://127.0.0.1:")
