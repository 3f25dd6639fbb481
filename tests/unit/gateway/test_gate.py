"""Whose card it is, is told to an enrolled terminal alone (issue 3 §5)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.people.keys_state import KeyRecord
from tests.support.waiting import until
from tests.ui.works_server import WorksServer, running
from tests.unit.gateway.test_duties_api import Person, person

PATH = "/api/v1/gate/card"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[WorksServer]:
    async with running(WorksServer(tmp_path)) as found:
        await until(lambda: found.gateway.replica.reachable, "the first snapshot")
        yield found


def terminal(server: WorksServer, **more: object) -> str:
    """Let the gateway know a terminal's key."""
    fields: dict[str, object] = {"device": "terminal", "pending": False, **more}
    key = KeyRecord(
        id="t" * 32, person_id="", public="00", label="gate", zone_id="",
        enrolled_wall_ns=0, by="eve", **fields,  # type: ignore[arg-type]
    )  # fmt: skip
    server.gateway.replica.state.people.keys.keys[key.id] = key
    return key.id


async def read(who: Person, card: str, key: str) -> tuple[int, object]:
    status, told = await who.ask("POST", PATH, {"card": card, "terminal": key})
    return status, told.get("person_id") or told.get("code")


async def test_a_card_is_told_only_beside_a_terminals_key(server: WorksServer) -> None:
    async with person(server, "sam") as sam, person(server, "ann") as ann:
        assert (await read(sam, "tag-bob", "x" * 32))[0] == 403
        key = terminal(server)
        assert await read(sam, "tag-bob", key) == (200, "bob")
        assert (await read(ann, "tag-bob", key))[0] == 403, "a worker looks up nobody"
        assert await read(sam, "tag-nobody", key) == (404, "gate.card_unknown")
        for more in ({"pending": True}, {"revoked": "lost"}, {"device": "phone"}):
            terminal(server, **more)
            assert (await read(sam, "tag-bob", key))[0] == 403


async def test_who_tries_cards_must_wait(server: WorksServer) -> None:
    async with person(server, "sam") as sam:
        key = terminal(server)
        for number in range(10):
            assert (await read(sam, f"tag-{number}x", key))[0] == 404
        assert (await read(sam, "tag-bob", key))[0] == 429
