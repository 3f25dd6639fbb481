"""Streams: snapshot, changes, resume; a slow screen never holds up anybody."""

import asyncio
import json
from typing import Any

import aiohttp

from frontend_api.accounts import Session
from frontend_api.stream import QUEUE, Screen
from tests.support.waiting import until
from tests.unit.gateway.conftest import Desk


async def _open(desk: Desk, path: str, **asked: Any) -> aiohttp.ClientWebSocketResponse:
    socket = await desk.session.ws_connect(
        desk.fixture.url + path, headers=desk.headers
    )
    await socket.send_str(json.dumps({"type": "subscribe", "id": 1, **asked}))
    return socket


async def _until(socket: aiohttp.ClientWebSocketResponse, kind: str) -> Any:
    async with asyncio.timeout(10):
        while True:
            message = json.loads(await socket.receive_str())
            if message["type"] == kind:
                return message


async def test_a_screen_gets_a_snapshot_then_changes(owner: Desk) -> None:
    socket = await _open(owner, "/api/websocket")
    first = await _until(socket, "snapshot")
    assert first["site"]["names"]["zh"] == "滨江污水泵站改造"
    assert set(first["sections"]["permits"]) == {"pt-1", "pt-2", "pt-3"}
    assert "alarms" not in first["sections"]
    owner.fixture.core.incident()
    seen: dict[str, Any] = {}
    while "permits" not in seen or seen["permits"]["pt-1"]["status"] != "held":
        change = await _until(socket, "change")
        for name, items in change.get("set", {}).items():
            seen.setdefault(name, {}).update(items)
    assert change["seq"] > first["seq"]
    await socket.close()


async def test_a_screen_resumes_where_it_was(owner: Desk) -> None:
    socket = await _open(owner, "/api/websocket")
    first = await _until(socket, "snapshot")
    await socket.close()
    core = owner.fixture.core
    core._hold("pt-1")
    await until(
        lambda: owner.fixture.gateway.replica.state.permits.permits["pt-1"].holds,
        "the hold",
    )
    socket = await _open(
        owner,
        "/api/websocket",
        **{key: first[key] for key in ("epoch", "seq", "stream", "step")},
    )
    change = await _until(socket, "change")
    assert change["set"]["permits"]["pt-1"]["status"] == "held"
    await _until(socket, "resumed")
    await socket.close()


async def test_a_cursor_of_another_life_gets_a_snapshot(owner: Desk) -> None:
    """Design §2: a consumer that is ahead of the journal gets a new snapshot."""
    socket = await _open(owner, "/api/websocket", epoch=9, seq=999_999)
    await _until(socket, "snapshot")
    await socket.close()


async def test_alarms_have_a_stream_of_their_own(owner: Desk) -> None:
    socket = await _open(owner, "/api/alarms")
    first = await _until(socket, "alarms")
    assert first["alarms"] == []
    core = owner.fixture.core
    for beat in range(50):
        core.live(beat=beat)
    core.incident()
    raised = await _until(socket, "alarm")
    assert raised["event"] == "raised"
    assert raised["alarm"]["title"]["en"] == "Toxic gas above limit · Wastewater pit"
    assert "硫化氢" in raised["alarm"]["detail"]["zh"]
    await socket.close()


async def test_who_watches_is_shown(owner: Desk) -> None:
    socket = await _open(owner, "/api/websocket")
    await _until(socket, "snapshot")
    _, hub = await owner.get("/api/v1/hub")
    assert [one["person_id"] for one in hub["watching"]] == ["p-chen"]
    await socket.close()
    screens = owner.fixture.gateway.screens
    await until(lambda: len(screens) == 0, "the screen to leave")


async def test_nonsense_on_a_stream_is_answered_not_fatal(owner: Desk) -> None:
    socket = await _open(owner, "/api/websocket")
    await _until(socket, "snapshot")
    for text in ("{", "[]", "7", '{"type":"fly","id":4}', '{"id":1}', "[" * 4000):
        await socket.send_str(text)
        assert (await _until(socket, "error"))["code"] == "gateway.bad_request"
    await socket.send_str('{"type":"ping","id":5}')
    assert (await _until(socket, "pong"))["id"] == 5
    await socket.close()


async def test_the_hub_s_end_and_return_are_told(owner: Desk) -> None:
    socket = await _open(owner, "/api/websocket")
    await _until(socket, "snapshot")
    owner.fixture.link_down()
    while True:
        change = await _until(socket, "change")
        hub = change.get("set", {}).get("hub", {}).get("hub")
        if hub is not None and not hub["reachable"]:
            break
    owner.fixture.link_up()
    await _until(socket, "snapshot")
    await socket.close()


def test_a_screen_that_takes_nothing_gets_a_snapshot_instead() -> None:
    """Every queue has a bound; the policy is: drop all, then a snapshot."""

    async def scenario() -> None:
        screen = Screen(Session(person_id="p", until_s=1), 0)
        for number in range(QUEUE * 3):
            screen.put(b"%d" % number)
        assert screen.stale
        assert screen.dropped == 1
        assert await screen.take() is None
        screen.put(b"after")
        assert await screen.take() == b"after"

    asyncio.run(scenario())


async def test_an_ended_session_ends_its_screens(owner: Desk) -> None:
    socket = await _open(owner, "/api/websocket")
    await _until(socket, "snapshot")
    assert (await owner.post("/api/v1/auth/logout"))[0] == 204
    owner.fixture.core._hold("pt-2")
    async with asyncio.timeout(10):
        while not socket.closed:
            await socket.receive()
    assert socket.close_code == 4401
