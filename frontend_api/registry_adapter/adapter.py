"""What every registry adapter promises: four verdicts, and evidence with each.

No adapter raises for what a registry says or fails to say: whatever is not a
clear, fresh answer about this very person and card is UNKNOWN, and unknown is
never valid.
"""

import enum
from typing import Protocol

import msgspec


class Verdict(enum.StrEnum):
    """Say what a registry knows of a card."""

    VALID = "valid"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    MISMATCH = "mismatch"


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """Hold what is asked: this person, this card, this trade."""

    id_number: str
    name: str
    card_no: str
    trade: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Hold a verdict and what it rests on.

    ``evidence`` is what was asked and answered, as bytes for the vault: it holds
    personal data. ``why`` is a short code such as timeout, stale, forged.
    """

    verdict: Verdict
    source: str
    why: str = ""
    asked_ms: int
    evidence: bytes


class CertificateRegistry(Protocol):
    """Ask an issuer's registry about one card."""

    source: str
    """Code of the registry, as the journal tells it."""

    async def verify(
        self, id_number: str, name: str, card_no: str, trade: str
    ) -> Answer:
        """Return the verdict within the adapter's deadline; never raises."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Hold one question and its answer, as kept in the vault."""

    source: str
    claim: Claim
    asked_ms: int
    verdict: Verdict
    why: str = ""
    status: int = 0
    answer: bytes = b""
    """The registry's own bytes, cut at 64 KiB."""
    signature: str = ""


def keep(evidence: Evidence) -> Answer:
    """Return an answer that carries its evidence."""
    return Answer(
        verdict=evidence.verdict,
        source=evidence.source,
        why=evidence.why,
        asked_ms=evidence.asked_ms,
        evidence=msgspec.json.encode(evidence, order="deterministic"),
    )
