"""The routes over the alarms' book: figures, incidents, and the weather they had."""

from typing import Any

import pytest

from core.journal import envelope as envelopes
from core.journal.backlog import Entry
from core.journal.envelope import Envelope
from core.journal.events import Event
from core.journal.segment import RealDisk
from core.journal.store import Options, Store
from core.link import messages as m
from tests.ui.fixture_core import FixtureCore
from tests.unit.gateway.conftest import Desk
from tests.unit.journal.journals import signer


class Keeping(FixtureCore):
    """Keep what is emitted; answer the archive's questions with wind."""

    def __init__(self, *given: Any, **more: Any) -> None:
        self.kept: list[bytes] = []
        super().__init__(*given, **more)

    def emit(self, body: Event, actor: str = "") -> Envelope:
        wrapped = super().emit(body, actor)
        self.kept.append(envelopes.encode(wrapped))
        return wrapped

    def _history(self, query: m.Query) -> m.QueryReply:
        row = (query.to_ms - 1, 9.0, 9.0, 9.0, 0)
        return m.QueryReply(
            id=query.id, series={each: [row] for each in query.entities}
        )

    def write(self, owner: Desk) -> None:
        """Put what was kept into the journal that the gateway reads."""
        folder = owner.fixture.gateway.past._folder
        disk = RealDisk(folder)
        store = Store.open(disk, signer(self.clock), self.clock, Options(1 << 20, 0))  # type: ignore[arg-type]
        for data in self.kept:
            store.append([Entry(envelopes.decode(data).seq, data)])
        store.close()
        disk.close()


@pytest.fixture(autouse=True)
def keeping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.ui.fixture_server.FixtureCore", Keeping)


async def test_figures_and_incidents_come_from_the_journal(owner: Desk) -> None:
    core = owner.fixture.core
    assert isinstance(core, Keeping)
    status, empty = await owner.get("/api/v1/alarm-report")
    assert (status, empty["report"]["alarms"]) == (200, 0)
    core.incident()
    core.write(owner)
    status, told = await owner.get("/api/v1/alarm-report?operators=2")
    assert status == 200
    assert (told["report"]["alarms"], told["report"]["operators"]) == (1, 2)
    assert told["names"]["entity:e-gd-pit-h2s"]["zh"]
    status, listed = await owner.get("/api/v1/alarm-cases")
    assert [each["id"] for each in listed["items"]] == ["al-1"]
    assert listed["items"][0]["proposed"] == "averted"
    status, one = await owner.get("/api/v1/alarm-cases/al-1")
    assert status == 200
    said = {each["family"]: each["text"]["en"] for each in one["case"]["relations"]}
    assert said["kind"] == "Alarm: Toxic gas above limit"
    assert said["zone"] == "Place: Wastewater pit"
    assert one["similar"] == []
    assert (await owner.get("/api/v1/alarm-cases/none"))[0] == 404
    assert (await owner.get("/api/v1/alarm-report?from=x"))[0] == 422


async def test_groups_risks_and_the_state_are_lists_of_their_own(owner: Desk) -> None:
    owner.fixture.core.incident()
    for path, key in (
        ("groups", "cause"),
        ("risks", "inputs"),
        ("alarm-state", "flood"),
    ):
        status, told = await owner.get(f"/api/v1/{path}")
        assert status == 200
        assert key in told["items"][0]
    assert (await owner.get("/api/v1/service"))[1]["items"] == []
