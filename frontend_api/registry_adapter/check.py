"""Ask a registry about a card on file and write its word down as evidence."""

from typing import Literal

from core.people import acts
from core.people.vault import Vault
from frontend_api.ledgers.apply import Ask
from frontend_api.registry_adapter.adapter import (
    Answer,
    CertificateRegistry,
    Claim,
    Verdict,
)

_DOUBTS: dict[Verdict, Literal["expired", "mismatch", "unknown"]] = {
    Verdict.EXPIRED: "expired",
    Verdict.MISMATCH: "mismatch",
}


async def check_card(
    registry: CertificateRegistry,
    claim: Claim,
    person_id: str,
    card_id: str,
    vault: Vault,
    ask: Ask,
) -> Answer:
    """Verify one card, keep the evidence, record the verdict; returns the answer.

    What is not valid goes out as a protective act: it waits for no disk.
    """
    answer = await registry.verify(
        claim.id_number, claim.name, claim.card_no, claim.trade
    )
    evidence = vault.put(person_id, "evidence", answer.evidence)
    await ask(verdict_act(card_id, answer, evidence))
    return answer


def verdict_act(card_id: str, answer: Answer, evidence: str) -> acts.Act:
    """Return the act that records an answer."""
    if answer.verdict is Verdict.VALID:
        return acts.VerifyCard(card_id=card_id, source=answer.source, evidence=evidence)
    return acts.DoubtCard(
        card_id=card_id,
        verdict=_DOUBTS.get(answer.verdict, "unknown"),
        source=answer.source,
        evidence=evidence,
    )
