"""A running gateway with the fixture core behind it, and people logged in."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.waiting import until
from tests.ui.fixture_server import Fixture, running

PASSWORD = "correct horse battery"


class Desk:
    """Speak to the gateway as a browser would: same origin, cookies kept."""

    def __init__(self, fixture: Fixture, session: aiohttp.ClientSession) -> None:
        self.fixture, self.session = fixture, session
        self.headers = {"Origin": fixture.url}

    async def get(self, path: str, **more: Any) -> tuple[int, Any]:
        async with self.session.get(self.fixture.url + path, **more) as answer:
            return answer.status, await _json(answer)

    async def post(
        self, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        sent = self.headers | (headers or {})
        async with self.session.post(
            self.fixture.url + path, json=body or {}, headers=sent
        ) as answer:
            return answer.status, await _json(answer)

    async def act(
        self, verb: str, body: Any, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        return await self.post(f"/api/v1/acts/{verb}", body, headers)

    async def claim(self, person_id: str = "p-chen") -> None:
        status, _ = await self.post(
            "/api/v1/auth/claim",
            {"code": self.fixture.code, "person_id": person_id, "password": PASSWORD},
        )
        assert status == 200


async def _json(answer: aiohttp.ClientResponse) -> Any:
    if "json" not in answer.headers.get("Content-Type", ""):
        return {}
    return await answer.json(content_type=None)


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[Fixture]:
    app = tmp_path / "app"
    (app / "assets").mkdir(parents=True)
    (app / "index.html").write_text("<title>app</title>")
    (app / "assets" / "main-1.js").write_text("1")
    (tmp_path / "secret.txt").write_text("not yours")
    (app / "link.txt").symlink_to(tmp_path / "secret.txt")
    async with running(tmp_path / "data", web_app=app, pulse=False) as running_one:
        replica = running_one.gateway.replica
        await until(lambda: replica.reachable, "the first snapshot")
        yield running_one


@pytest.fixture
async def anyone(fixture: Fixture) -> AsyncIterator[Desk]:
    # Cookies of an address without a name are refused by default.
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        yield Desk(fixture, session)


@pytest.fixture
async def owner(anyone: Desk) -> Desk:
    await anyone.claim()
    return anyone
