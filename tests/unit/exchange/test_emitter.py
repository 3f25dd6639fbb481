"""Store and forward: against a real platform over loopback, with its faults."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from aiohttp.test_utils import TestServer

from core.clock import NS, AsyncClock, RealClock
from frontend_api.commands import aq as command
from frontend_api.exchange import aq, simulator
from frontend_api.exchange.emitter import Emitter, judge
from frontend_api.exchange.outbox import DEAD, QUEUED, SENT, Outbox
from frontend_api.exchange.settings import Platform
from frontend_api.exchange.simulator import Park
from tests.support.waiting import until
from tests.unit.exchange.conftest import Told


@asynccontextmanager
async def platform(park: Park) -> AsyncIterator[Platform]:
    server = TestServer(simulator.make(park))
    await server.start_server()
    try:
        yield Platform(
            tickets=str(server.make_url("/tickets")),
            alarms=str(server.make_url("/alarms")),
            timeout_s=0.3,
            first_retry_s=0.01,
            retry_cap_s=0.1,
        )
    finally:
        await server.close()


@asynccontextmanager
async def emitting(box: Outbox, to: Platform) -> AsyncIterator[Emitter]:
    emitter = Emitter(box, to, AsyncClock(RealClock()))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(emitter.run())
        try:
            yield emitter
        finally:
            task.cancel()


def owe_all(box: Outbox, told: Told) -> None:
    for number, owed in enumerate(told.owed, 1):
        box.owe([owed], (1, number), told.wall_ns)


def a_day(told: Told, permits: int = 6) -> None:
    for number in range(permits):
        permit = told.issue(f"P{number}")
        told.hold(permit, f"H{number}", "guardian")
        told.release(permit, f"H{number}")
        told.close(permit)


def done(box: Outbox) -> bool:
    return box.counts().get(QUEUED, 0) == 0


@pytest.mark.parametrize(
    "faults",
    [
        {},
        {"error": 0.4},
        {"lost_answer": 0.5},
        {"page": 0.4},
        {"timeout": 0.1, "error": 0.2, "lost_answer": 0.2, "page": 0.1},
    ],
    ids=["well", "500", "lost answer", "login page", "all"],
)
async def test_nothing_is_lost_and_nothing_doubled(
    faults: dict[str, float], tmp_path: Path, told: Told
) -> None:
    """Issue part 8: store-and-forward; idempotent by (ID, UPDATEDATE)."""
    a_day(told)
    box = Outbox(tmp_path)
    owe_all(box, told)
    park = Park(None, seed=7, slow_s=0.1)
    park.faults = faults
    async with platform(park) as to, emitting(box, to):
        await until(lambda: done(box), "delivered", 40)
    assert box.counts() == {SENT: len(told.owed)}
    box.close()
    last = {o.id: msgspec.json.decode(o.body) for o in told.owed}
    assert park.records == last
    assert park.counts["accepted"] == len(told.owed)
    assert park.counts["stale"] == 0


async def test_refused_record_is_kept_and_others_go_on(
    tmp_path: Path, told: Told, capsys: pytest.CaptureFixture[str]
) -> None:
    """Issue part 8: dead letters are kept and raised, never deleted."""
    a_day(told, 2)
    box = Outbox(tmp_path / "exchange")
    owe_all(box, told)
    park = Park(None, seed=7, slow_s=0.1)
    park.reject = {"TICKETSTATUS": "6"}
    async with platform(park) as to, emitting(box, to) as emitter:
        await until(lambda: done(box), "delivered", 20)
        assert box.counts()[DEAD] == 2
        first, second = box.listed(DEAD)
        assert "TICKETSTATUS" in first.detail
        park.reject = {}
        where = ["outbox", "--data", str(tmp_path)]
        assert command.main([*where, "--again", str(first.n)]) == 1
        assert command.main([*where, "--settle", str(second.n)]) == 2
        settled = [*where, "--settle", str(second.n), "--why", "told by phone"]
        assert command.main(settled) == 0
        emitter.poke()
        await until(lambda: done(box), "sent again", 20)
    assert box.counts() == {SENT: len(told.owed) - 1, "settled": 1}
    # What was delivered or dealt with keeps no names and phones (design §5).
    gone = [*box.listed(SENT), *box.listed("settled")]
    assert {letter.body for letter in gone} == {b""}
    box.close()
    assert park.counts["stale"] == 1
    assert all(r.get("TICKETSTATUS", "3") == "3" for r in park.records.values())
    assert "TICKETSTATUS refused by the park" in capsys.readouterr().out


async def test_platform_away_costs_one_try_at_a_time(
    tmp_path: Path, told: Told, closed_port: int
) -> None:
    a_day(told)
    box = Outbox(tmp_path)
    owe_all(box, told)
    url = f"http://127.0.0.1:{closed_port}/"
    away = Platform(tickets=url, alarms=url, first_retry_s=5.0, retry_cap_s=60.0)
    async with emitting(box, away):
        await until(lambda: box.listed(QUEUED)[0].tries == 1, "tried once")
        assert sum(letter.tries for letter in box.listed(QUEUED)) == 1
    assert box.counts() == {QUEUED: len(told.owed)}
    box.close()


def test_updates_of_one_record_stay_in_order(tmp_path: Path, told: Told) -> None:
    """A later update never overtakes the one before."""
    permit = told.issue()
    told.hold(permit, "H1", "gas")
    told.issue("P2")
    box = Outbox(tmp_path)
    owe_all(box, told)
    first = box.next(told.wall_ns, NS)
    assert first is not None
    box.again(first.n, told.wall_ns + NS, "500")
    other = box.next(told.wall_ns, 10 * NS)
    assert other is not None
    assert other.id == aq.uuid_of("ticket", "P2")
    set_back = box.next(told.wall_ns - 3600 * NS, 10 * NS)
    assert set_back is not None  # a clock that was set back strands nothing
    box.close()


def test_owing_twice_owes_once(tmp_path: Path, told: Told) -> None:
    """What is derived anew from the journal is the same letter."""
    a_day(told)
    for _ in range(2):
        box = Outbox(tmp_path)
        owe_all(box, told)
        assert box.counts() == {QUEUED: len(told.owed)}
        box.close()


@pytest.mark.parametrize(
    ("status", "data", "outcome"),
    [
        (200, b'{"ID": "x"}', "sent"),
        (409, b'{"ID": "x"}', "sent"),
        (200, b"<html>", "again"),
        (200, b'{"ID": "y"}', "again"),
        (422, b'{"field": "ID"}', "dead"),
        (400, b"<html>bad gateway", "again"),
        (401, b"{}", "again"),
        (302, b"", "again"),
        (503, b"{}", "again"),
    ],
)
def test_only_a_named_answer_counts(status: int, data: bytes, outcome: str) -> None:
    """Unknown is never safe: a login page between is no delivery."""
    assert judge("x", status, data).outcome == outcome
