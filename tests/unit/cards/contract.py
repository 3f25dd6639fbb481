"""What any registry adapter must pass: subclass, and say how to make one.

`RegistryContract` knows nothing of HTTP. A real adapter's tests give it a session
with a registry (or a recording of one) that holds the cards of `CARDS`.
"""

from contextlib import AbstractAsyncContextManager

import msgspec
import pytest

from frontend_api.registry_adapter.adapter import (
    Answer,
    CertificateRegistry,
    Evidence,
    Verdict,
)
from frontend_api.registry_adapter.simulator import Registered
from tests.unit.ledgers.people import number

ANN, BOB = number(order=11), number(order=23)


def _card(trade: str, valid_to: str) -> Registered:
    return Registered(id_number=ANN, name="张安", trade=trade, valid_to=valid_to)


CARDS = {
    "T1": _card("hot_work", "2027-01-01"),
    "T2": _card("electric", "2020-01-01"),
}
Made = AbstractAsyncContextManager[CertificateRegistry]


class RegistryContract:
    """Hold the promises of `CertificateRegistry`."""

    def registry(self) -> Made:
        """Return an adapter whose registry holds CARDS and works."""
        raise AssertionError("say how to make the adapter")

    def broken(self) -> list[Made]:
        """Return adapters whose registry fails, each in its own way."""
        raise AssertionError("say how the registry can fail")

    @pytest.mark.parametrize(
        ("person", "name", "card", "trade", "verdict"),
        [
            (ANN, "张安", "T1", "hot_work", Verdict.VALID),
            (ANN, "张安", "T2", "electric", Verdict.EXPIRED),
            (ANN, "张安", "T9", "hot_work", Verdict.UNKNOWN),
            (BOB, "张安", "T1", "hot_work", Verdict.MISMATCH),
            (ANN, "李安", "T1", "hot_work", Verdict.MISMATCH),
            (ANN, "张安", "T1", "electric", Verdict.MISMATCH),
        ],
    )
    async def test_each_verdict(
        self, person: str, name: str, card: str, trade: str, verdict: Verdict
    ) -> None:
        async with self.registry() as registry:
            answer = await registry.verify(person, name, card, trade)
        assert answer.verdict is verdict
        told = msgspec.json.decode(answer.evidence, type=Evidence)
        assert (told.claim.id_number, told.claim.card_no) == (person, card)
        assert (told.verdict, told.source) == (verdict, registry.source)
        assert told.answer

    async def test_no_failure_is_valid_and_none_raises(self) -> None:
        """1.75: unknown is never valid."""
        for each in self.broken():
            async with each as registry:
                answer = await registry.verify(ANN, "张安", "T1", "hot_work")
            assert isinstance(answer, Answer)
            assert answer.verdict in (Verdict.UNKNOWN, Verdict.MISMATCH)
            assert answer.why
            assert msgspec.json.decode(answer.evidence, type=Evidence).why == answer.why
