"""A registry for tests and training: true answers from a table, faults on demand."""

import asyncio
import contextlib
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from core.clock import Clock

#: How an answer can go wrong; '' is a true answer.
FAULTS = (
    *("timeout", "stale", "wrong_person", "error", "garbage", "unsigned"),
    *("replay", "redirect", "huge", "cut"),
)
_HELD_S = 30.0


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """Hold one card of the simulated registry."""

    id_number: str
    name: str
    trade: str
    valid_to: str
    """ISO date; the card is expired once ``today`` is later."""


class Simulator:
    """Serve ``POST /verify``; ``fault`` says how the next answers go wrong."""

    def __init__(
        self,
        cards: Mapping[str, Registered],
        clock: Clock,
        *,
        today: str,
        key: bytes = b"",
    ) -> None:
        self.cards, self.key, self.today = dict(cards), key, today
        self.fault = ""
        self.asked = 0
        self._clock = clock
        self._last: dict[str, Any] = {}
        self._released = asyncio.Event()

    def release(self) -> None:
        """Let the answers end that a time-out has held."""
        self._released.set()

    def application(self) -> web.Application:
        """Return the server's application."""
        app = web.Application()
        app.router.add_post("/verify", self._verify)
        return app

    async def _verify(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        question: dict[str, str] = msgspec.json.decode(await request.read())
        if self.fault in ("timeout", "cut"):
            return await self._leave(request)
        if self.fault == "error":
            return web.Response(status=500, text="out of order")
        if self.fault == "garbage":
            return web.Response(text="<html>maintenance</html>")
        if self.fault == "huge":
            return web.Response(body=b"[" * 200_000)
        if self.fault == "redirect":
            raise web.HTTPFound("/verify")
        return self._signed(self._answer(question))

    async def _leave(self, request: web.Request) -> web.StreamResponse:
        """Begin an answer and never end it, or break the connection."""
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"{")
        if self.fault == "cut" and request.transport is not None:
            request.transport.abort()
            return response
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_HELD_S):
                await self._released.wait()
        return response

    def _answer(self, question: dict[str, str]) -> dict[str, Any]:
        card = self.cards.get(question["card_no"])
        answer: dict[str, Any] = {
            **question,
            "status": "unknown",
            "issued_at": self._clock.wall_ns() // 1_000_000_000,
        }
        if card is not None:
            answer |= {
                "id_number": card.id_number,
                "name": card.name,
                "trade": card.trade,
                "valid_to": card.valid_to,
                "status": "valid" if card.valid_to >= self.today else "expired",
            }
        if self.fault == "stale":
            answer["issued_at"] -= 86_400
        if self.fault == "wrong_person":
            answer |= {"name": "某人", "status": "valid"}
        if self.fault == "replay" and self._last:
            return self._last
        self._last = answer
        return answer

    def _signed(self, answer: dict[str, Any]) -> web.Response:
        data = msgspec.json.encode(answer)
        headers = {"Content-Type": "application/json"}
        if self.key and self.fault != "unsigned":
            mark = hmac.new(self.key, data, hashlib.sha256).hexdigest()
            headers["X-Signature"] = mark
        return web.Response(body=data, headers=headers)
