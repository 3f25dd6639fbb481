"""The HTTP adapter against the simulated registry with its faults (row 1.75)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from core.api.reading import Value
from core.clock import SimClock
from core.logic.truth import Truth
from core.people import acts
from core.people.acts import Act
from core.people.vault import Standing, Vault
from frontend_api.registry_adapter.adapter import CertificateRegistry, Claim, Verdict
from frontend_api.registry_adapter.check import check_card
from frontend_api.registry_adapter.http import HttpRegistry
from frontend_api.registry_adapter.simulator import FAULTS, Simulator
from tests.support.yard import Yard
from tests.unit.cards.contract import ANN, CARDS, Made, RegistryContract

KEY = b"a key of this test"


@asynccontextmanager
async def served(
    fault: str = "", *, clock: SimClock | None = None, asked_before: bool = False
) -> AsyncIterator[CertificateRegistry]:
    """Serve the simulator on loopback and yield the adapter to it."""
    clock = clock or SimClock()
    simulator = Simulator(CARDS, clock, today="2026-03-01", key=KEY)
    runner = web.AppRunner(simulator.application(), shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    url = f"http://127.0.0.1:{port}/verify"
    try:
        async with aiohttp.ClientSession() as session:
            deadline_s = 0.2 if fault == "timeout" else 20.0
            registry = HttpRegistry(session, url, clock, key=KEY, deadline_s=deadline_s)
            if asked_before:
                await registry.verify(ANN, "张安", "T1", "hot_work")
            simulator.fault = fault
            yield registry
    finally:
        simulator.release()
        await runner.cleanup()


@asynccontextmanager
async def nobody() -> AsyncIterator[CertificateRegistry]:
    async with aiohttp.ClientSession() as session:
        yield HttpRegistry(session, "http://127.0.0.1:9/verify", SimClock())


class TestHttpRegistry(RegistryContract):
    """The reference adapter keeps the contract."""

    def registry(self) -> Made:
        return served()

    def broken(self) -> list[Made]:
        faults = [served(fault, asked_before=True) for fault in FAULTS]
        return [*faults, nobody()]


@pytest.mark.parametrize(
    ("fault", "verdict", "why"),
    [
        ("timeout", Verdict.UNKNOWN, "timeout"),
        ("stale", Verdict.UNKNOWN, "stale"),
        ("wrong_person", Verdict.MISMATCH, "name"),
        ("error", Verdict.UNKNOWN, "refused"),
        ("garbage", Verdict.UNKNOWN, "forged"),
        ("unsigned", Verdict.UNKNOWN, "forged"),
        ("replay", Verdict.UNKNOWN, "replayed"),
        ("redirect", Verdict.UNKNOWN, "refused"),
        ("huge", Verdict.UNKNOWN, "malformed"),
        ("cut", Verdict.UNKNOWN, "unreachable"),
    ],
)
async def test_each_fault_is_told_apart(fault: str, verdict: Verdict, why: str) -> None:
    async with served(fault, asked_before=True) as registry:
        answer = await registry.verify(ANN, "张安", "T1", "hot_work")
    assert (answer.verdict, answer.why) == (verdict, why)


async def test_a_clock_that_cannot_be_trusted_proves_no_answer_fresh() -> None:
    clock = SimClock()
    clock.trusted = False
    async with served(clock=clock) as registry:
        answer = await registry.verify(ANN, "张安", "T1", "hot_work")
    assert (answer.verdict, answer.why) == (Verdict.UNKNOWN, "clock_untrusted")


@given(st.binary(max_size=300), st.integers(100, 599), st.text(max_size=70))
def test_no_bytes_but_a_signed_answer_make_a_card_valid(
    data: bytes, status: int, signature: str
) -> None:
    """Unknown is never valid, whatever a peer sends."""
    registry = HttpRegistry.__new__(HttpRegistry)
    registry._key, registry._clock = KEY, SimClock()
    claim = Claim(id_number=ANN, name="张安", card_no="T1", trade="hot_work")
    verdict, why = registry._judge(claim, "n", status, data, signature)
    assert verdict is Verdict.UNKNOWN
    assert why


async def test_the_verdict_is_recorded_with_its_evidence(tmp_path: Path) -> None:
    """1.75: valid/expired/unknown and evidence, kept outside the chain."""
    yard, vault = Yard(), Vault(tmp_path)
    today = yard.kernel.cards.today()
    assert today is not None

    async def ask(act: Act) -> dict[str, Value]:
        reply = yard.act("sam", act)
        assert reply.ok, reply.code
        return reply.result

    document = vault.put("ann", "document", b"T1")
    card = await ask(
        acts.RecordCard(
            person_id="ann",
            trade="hot_work",
            kind="special_operation",
            valid_to=today.replace(year=today.year + 1, day=1).isoformat(),
            document=document,
        )
    )
    claim = Claim(id_number=ANN, name="张安", card_no="T1", trade="hot_work")
    for fault, truth in (
        ("", Truth.TRUE),
        ("error", Truth.UNKNOWN),
        ("", Truth.TRUE),
        ("wrong_person", Truth.FALSE),
    ):
        async with served(fault) as registry:
            card_id = str(card["card_id"])
            await check_card(registry, claim, "ann", card_id, vault, ask)
        assert yard.kernel.cards.valid("ann", "hot_work") is truth
        record = yard.hub.state.people.cards.cards[card_id]
        assert vault.verify("ann", "evidence", record.evidence) is Standing.SOUND
    assert ANN.encode() not in b"".join(yard.journal.stored)
