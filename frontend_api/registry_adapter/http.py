"""The reference adapter: one POST of JSON, answered within a deadline, signed.

The question is ``{nonce, id_number, name, card_no, trade}``; the answer repeats
the nonce, the person and the card, and adds ``status`` (valid, expired, unknown),
``valid_to`` and ``issued_at`` (Unix seconds). With a shared key the header
``X-Signature`` holds the HMAC-SHA256 of the answer's bytes, in hex.
"""

import asyncio
import hashlib
import hmac
import secrets
from typing import Annotated, Literal

import aiohttp
import msgspec

from core.clock import Clock
from frontend_api.registry_adapter.adapter import (
    Answer,
    Claim,
    Evidence,
    Verdict,
    keep,
)

DEADLINE_S = 8.0
#: An answer that was made longer ago, or lies further ahead, is stale.
MAX_AGE_S = 300
_MAX_BYTES = 64 << 10
_Day = Annotated[str, msgspec.Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$")]


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """Hold what a registry answers."""

    nonce: str
    id_number: str
    name: str
    card_no: str
    trade: str
    status: Literal["valid", "expired", "unknown"]
    issued_at: int
    valid_to: _Day = ""


_decoder = msgspec.json.Decoder(Reply)


class HttpRegistry:
    """Ask a registry over HTTP; ``key`` makes unsigned and forged answers unknown.

    The session is the caller's, and so are its TLS settings.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        clock: Clock,
        *,
        source: str = "http",
        key: bytes = b"",
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._session, self._url, self._clock = session, url, clock
        self.source, self._key, self._deadline_s = source, key, deadline_s

    def __repr__(self) -> str:
        return f"HttpRegistry({self._url})"

    async def verify(
        self, id_number: str, name: str, card_no: str, trade: str
    ) -> Answer:
        """Return the registry's verdict; what is not clear is UNKNOWN."""
        claim = Claim(id_number=id_number, name=name, card_no=card_no, trade=trade)
        evidence = Evidence(
            source=self.source,
            claim=claim,
            asked_ms=self._clock.wall_ns() // 1_000_000,
            verdict=Verdict.UNKNOWN,
        )
        nonce = secrets.token_hex(16)
        try:
            async with asyncio.timeout(self._deadline_s):
                status, data, signature = await self._ask(claim, nonce)
        except TimeoutError:
            return keep(msgspec.structs.replace(evidence, why="timeout"))
        except (aiohttp.ClientError, OSError, ValueError):
            return keep(msgspec.structs.replace(evidence, why="unreachable"))
        verdict, why = self._judge(claim, nonce, status, data, signature)
        return keep(
            msgspec.structs.replace(
                evidence,
                verdict=verdict,
                why=why,
                status=status,
                answer=data[:_MAX_BYTES],
                signature=signature[:128],
            )
        )

    async def _ask(self, claim: Claim, nonce: str) -> tuple[int, bytes, str]:
        question = {"nonce": nonce, **msgspec.structs.asdict(claim)}
        async with self._session.post(
            self._url,
            data=msgspec.json.encode(question),
            headers={"Content-Type": "application/json"},
            allow_redirects=False,
        ) as response:
            data = bytearray()
            async for chunk in response.content.iter_chunked(8192):
                data += chunk
                if len(data) > _MAX_BYTES:
                    break
            signature = response.headers.get("X-Signature", "")
            return response.status, bytes(data), signature

    def _judge(
        self, claim: Claim, nonce: str, status: int, data: bytes, signature: str
    ) -> tuple[Verdict, str]:
        if status != 200:
            return Verdict.UNKNOWN, "refused"
        if len(data) > _MAX_BYTES:
            return Verdict.UNKNOWN, "malformed"
        if self._key and not self._signed(data, signature):
            return Verdict.UNKNOWN, "forged"
        try:
            reply = _decoder.decode(data)
        except msgspec.MsgspecError:
            return Verdict.UNKNOWN, "malformed"
        if not hmac.compare_digest(reply.nonce.encode(), nonce.encode()):
            return Verdict.UNKNOWN, "replayed"
        if not self._clock.synced():
            return Verdict.UNKNOWN, "clock_untrusted"
        now_s = self._clock.wall_ns() // 1_000_000_000
        if abs(now_s - reply.issued_at) > MAX_AGE_S:
            return Verdict.UNKNOWN, "stale"
        return _compare(claim, reply)

    def _signed(self, data: bytes, signature: str) -> bool:
        wanted = hmac.new(self._key, data, hashlib.sha256).hexdigest()
        return hmac.compare_digest(wanted.encode(), signature.encode())


def _compare(claim: Claim, reply: Reply) -> tuple[Verdict, str]:
    for field in ("id_number", "name", "card_no", "trade"):
        if getattr(reply, field) != getattr(claim, field):
            # Also when it says unknown: it speaks of somebody else.
            return Verdict.MISMATCH, field
    return Verdict(reply.status), ""
