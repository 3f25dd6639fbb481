"""Discovery as a site has it: keeper, core, gateway and the discovery process."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import ClientError

from core import config
from core.registry.proposals_acts import IgnoreFinding, RecallFinding, StartScan
from frontend_api.claim import CLAIM_FILE
from tests.protocol.test_discovery_scan import READ_ONLY, tcp_server
from tests.support.client import Client, RefusedError
from tests.support.site import RunningHub, small_site
from tests.support.waiting import pause, until

ARGS = ("--without", "notifier", "--without", "archive")
SERVER = "127.0.72.9"


def site() -> config.Bundle:
    """Return a site with an owner."""
    people = (config.Person(id="eve", name="Eve", roles=("owner",)),)
    return msgspec.structs.replace(small_site(), people=people)


class Told:
    """Ask the gateway what discovery shows."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def view(self) -> dict[str, Any]:
        found: dict[str, Any] = await self._client.get("/api/v1/discovery")
        return found

    async def until(self, holds: Any) -> dict[str, Any]:
        """Ask until the view is so; the test's own limit ends a hopeless wait."""
        while not holds(view := await self.view()):
            await pause(0.1)
        return view


@asynccontextmanager
async def closed(client: Client) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await client.close()


@asynccontextmanager
async def running(data: Path, address: str) -> AsyncIterator[RunningHub]:
    host, _, port = address.rpartition(":")
    args = (*ARGS, "--host", host, "--port", port)
    bundle = None if (data / "bundles").exists() else site()
    async with RunningHub(data, bundle, args=args) as hub:
        yield hub


async def claim(client: Client, data: Path) -> None:
    """Make the client the hub's owner, with a key of its own."""
    code = data / CLAIM_FILE
    await until(lambda: code.is_file() and code.read_text(), "the claim's code")
    await _patiently(lambda: client.claim(code.read_text().strip()))
    await client.enrol()


async def _patiently(call: Any) -> None:
    """Call until the gateway serves; it starts after core."""
    while True:
        try:
            await call()
        except (OSError, ClientError, RefusedError):
            await pause(0.1)
        else:
            return


@pytest.mark.timeout(120)
async def test_a_scan_a_finding_ignored_and_a_restart(tmp_path: Path) -> None:
    """Issue: a finding is only a proposal; ignoring it is remembered."""
    pid = os.getpid() & 0xFFFF
    address = f"127.73.{pid >> 8}.{(pid & 0xFF) or 1}:8480"
    data = tmp_path / "data"
    client = Client(f"http://{address}", "eve")
    async with tcp_server(SERVER, 1) as server, closed(client):
        shown = Told(client)
        async with running(data, address):
            await claim(client, data)
            view = await shown.until(lambda v: v["running"] and v["listeners"])
            assert {each["id"]: each["state"] for each in view["listeners"]}["usb"]
            scan = StartScan(kind="modbus_tcp", target=SERVER, port=server.port)
            await client.act(scan)
            view = await shown.until(lambda v: v["items"])
            (item,) = view["items"]
            assert item["id"] == f"modbus:{SERVER}:{server.port}/1"
            assert (item["integration"], item["kind"]) == ("modbus", "modbus_tcp")
            assert item["why"][0]["zh"]
            view = await shown.until(lambda v: v["scan"]["state"] == "done")
            assert view["scan"]["found"] == 1
            await client.act(IgnoreFinding(key=item["id"], keys=tuple(item["keys"])))
            view = await shown.until(lambda v: not v["items"])
            assert [(i["id"], i["here"]) for i in view["ignored"]] == [
                (item["id"], True)
            ]
        async with running(data, address):
            await _patiently(shown.view)
            view = await shown.until(lambda v: v["running"] and v["listeners"])
            assert [each["id"] for each in view["ignored"]] == [item["id"]]
            await client.act(scan)
            view = await shown.until(lambda v: v["scan"] and v["scan"]["found"])
            assert view["items"] == []
            await client.act(RecallFinding(key=item["id"]))
            view = await shown.until(lambda v: v["items"])
            assert view["items"][0]["id"] == item["id"]
        assert server.asked <= READ_ONLY
