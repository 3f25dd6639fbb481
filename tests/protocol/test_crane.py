"""Recorders over real HTTP: a token opens, a record is dated, nonsense is counted."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from core.api import Command, CommandState, Quality
from core.clock import NS
from integrations.crane.integration import CraneIntegration
from integrations.crane.simulator import Cranes
from tests.support.host import FakeHost, Report, Running
from tests.support.waiting import pause, until

SECRETS = {"site": "token-of-the-site", "own": "token-of-crane-2"}
CRANES = [
    {"id": "TC-01", "name": "Crane 1"},
    {"id": "TC-02", "secret": "own"},
    {"id": "8801", "profile": "tower-upload"},
]


class Site:
    """Post to a driver, and look at what it told."""

    def __init__(self, host: FakeHost, port: int, http: aiohttp.ClientSession) -> None:
        self.host, self.port, self._http = host, port, http

    async def post(
        self,
        told: Any,
        token: str = SECRETS["site"],
        path: str = "/crane",
        headers: dict[str, str] | None = None,
    ) -> int:
        """Post a body; return the answer's status."""
        data = told if isinstance(told, bytes) else json.dumps(told).encode()
        if headers is None:
            headers = {"Authorization": f"Bearer {token}"}
        url = f"http://127.0.0.1:{self.port}{path}"
        while True:
            try:
                async with self._http.post(url, data=data, headers=headers) as answer:
                    await answer.read()
                    return answer.status
            except aiohttp.ClientConnectorError:
                await pause(0.01)  # the server is still on its way up

    def record(self, ago_s: float = 0.0, crane: str = "TC-01", **more: Any) -> Any:
        """Return a record of some seconds ago."""
        at = self.host.clock.wall_ns() / NS - ago_s
        return {"id": crane, "time_ms": int(at * 1000), **more}

    def load(self, crane: str = "TC-01") -> Report | None:
        """Return the newest load."""
        return self.host.last(f"crane-{crane}", "load")


@asynccontextmanager
async def serving(interval_s: float = 10.0) -> AsyncIterator[Site]:
    """Run the driver on a free port."""
    options = {
        "host": "127.0.0.1",
        "port": 0,
        "secret": "site",
        "interval_s": interval_s,
        "cranes": CRANES,
    }
    plant = Cranes({**options, "cranes": []})
    port = (await plant.start())["options"]["port"]
    host = FakeHost({**options, "port": port, "secrets": SECRETS})
    limit = aiohttp.ClientTimeout(total=10)
    async with (
        aiohttp.ClientSession(timeout=limit) as http,
        Running(CraneIntegration(host)),
    ):
        yield Site(host, port, http)


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer token-of-the-site"},
        {"token": "token-of-the-site"},
        {"X-Api-Key": "token-of-the-site"},
    ],
)
async def test_a_record_with_a_token(headers: dict[str, str]) -> None:
    async with serving() as site:
        assert await site.post(site.record(load_t=2.5), headers=headers) == 200
        told = site.load()
        assert told is not None
        assert (told.value, told.quality) == (2.5, Quality.GOOD)
        assert site.host.links["crane-TC-01"] == (True, "")


@pytest.mark.parametrize("headers", [{}, {"token": "guess"}, {"token": "tökén"}])
async def test_without_a_token_nothing_is_taken(headers: dict[str, str]) -> None:
    async with serving() as site:
        assert await site.post(site.record(load_t=9.0), headers=headers) == 401
        assert site.load() is None
        assert site.host.links["crane-TC-01"] == (False, "crane.auth")
        assert site.host.counts["crane.wrong_token"] == 1


async def test_a_token_of_any_bytes_is_a_wrong_one() -> None:
    async with serving() as site:
        await site.post(site.record(load_t=1.0))
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        head = b"POST /crane HTTP/1.1\r\nHost: x\r\ntoken: \xff\xfe\r\n"
        writer.write(head + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}")
        async with asyncio.timeout(5):
            assert b" 401 " in await reader.readline()
        writer.close()


async def test_a_machine_with_its_own_token_takes_no_other() -> None:
    async with serving() as site:
        mine = site.record(crane="TC-02", load_t=1.0)
        assert await site.post(mine) == 401
        assert await site.post(mine, SECRETS["own"]) == 200
        # And its token speaks for no other.
        assert await site.post(site.record(load_t=1.0), SECRETS["own"]) == 401
        assert site.load() is None


async def test_one_that_nobody_listed_is_proposed() -> None:
    async with serving() as site:
        assert await site.post(site.record(crane="NEW", load_t=1.0)) == 200
        assert "crane-NEW" in site.host.devices


async def test_units_that_nobody_compared_prove_nothing() -> None:
    async with serving() as site:
        at = int(site.host.clock.wall_ns() / NS * 1000)
        told = {"deviceCode": "8801", "time": at, "tdaMoment": "104"}
        path = "/api/towerCraneData/upload"
        assert await site.post(told, path=path) == 200
        moment = site.host.last("crane-8801", "moment")
        assert moment is not None
        assert (moment.value, moment.quality) == (104.0, Quality.UNCERTAIN)
        assert moment.reason == "crane.unchecked"


async def test_the_past_is_no_present_and_a_repeat_no_news() -> None:
    async with serving() as site:
        record = site.record(load_t=2.0)
        assert await site.post(record) == 200
        assert await site.post(record) == 200
        assert await site.post(site.record(ago_s=3600, load_t=9.0)) == 200
        assert len(site.host.reports["crane-TC-01", "load"]) == 1
        late = site.record(ago_s=3600, crane="TC-02", load_t=9.0)
        assert await site.post(late, SECRETS["own"]) == 200
        told = site.load("TC-02")
        assert told is not None
        assert (told.quality, told.reason) == (Quality.STALE, "crane.past")


async def test_without_a_time_nothing_is_proven() -> None:
    async with serving() as site:
        assert await site.post({"id": "TC-01", "load_t": 2.0}) == 200
        told = site.load()
        assert told is not None
        assert (told.quality, told.reason) == (Quality.UNCERTAIN, "crane.no_time")


@pytest.mark.parametrize("junk", [b"", b"{", b"\x00\xff", b"[1]", b'{"load_t": 3}'])
async def test_nonsense_is_counted_and_never_a_value(junk: bytes) -> None:
    async with serving() as site:
        assert await site.post(junk) == 400
        assert site.host.counts["crane.bad_record"] == 1
        assert not site.host.reports
        assert await site.post(b"x" * 100_000) == 413


async def test_silence_is_told_within_three_intervals() -> None:
    async with serving(interval_s=0.3) as site:
        assert await site.post(site.record(load_t=2.0)) == 200
        gone = (False, "crane.silent")
        await until(lambda: site.host.links["crane-TC-01"] == gone, "its loss")


async def test_a_crane_is_driven_by_its_driver_alone() -> None:
    async with serving() as site:
        driver = CraneIntegration(site.host)
        command = Command(
            id="c",
            device_uid="crane-TC-01",
            entity_uid="load",
            value=True,
            deadline_ns=1,
        )
        await driver.command(command)
        assert site.host.states("c") == [CommandState.FAILED]
        assert "token-of" not in str(driver.diagnostics())
