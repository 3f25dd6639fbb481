"""The witness's side: take a peer hub's heads, and keep the sound ones.

A head that contradicts the one before is refused with 409: the journal was cut or
rewritten, and somebody must look.
"""

import asyncio
import hmac
from pathlib import Path

from aiohttp import web

from frontend_api.exchange.heads import Head, parse
from frontend_api.exchange.witness import append

_MAX = 16 << 10


class Contradiction(Exception):
    """A head does not fit to one that was kept before."""


class PeerHeads:
    """Keep heads of peers in one file per journal; ``token`` is what they show."""

    def __init__(self, folder: Path, token: str) -> None:
        self._folder, self._token = folder, token
        self._lock = asyncio.Lock()

    def add_to(self, app: web.Application, path: str = "/heads") -> None:
        """Offer the route."""
        app.router.add_post(path, self.take)

    async def take(self, request: web.Request) -> web.Response:
        """Answer one head: 200 with its echo, or why it was not kept."""
        told = request.headers.get("Authorization", "")
        if not self._token or not hmac.compare_digest(
            told.encode(), f"Bearer {self._token}".encode()
        ):
            return web.json_response({"code": "heads.token"}, status=401)
        try:
            head = parse(await request.content.read(_MAX))
            async with self._lock:
                await asyncio.to_thread(self._keep, head)
        except ValueError as bad:
            return web.json_response(
                {"code": "heads.unsound", "detail": str(bad)}, status=400
            )
        except Contradiction as bad:
            return web.json_response(
                {"code": "heads.contradiction", "detail": str(bad)}, status=409
            )
        return web.Response(body=head.data(), content_type="application/json")

    def _keep(self, head: Head) -> None:
        file = self._folder / f"{head.journal}.jsonl"
        lines = file.read_bytes().splitlines() if file.exists() else []
        if lines:
            kept = parse(lines[-1])
            if kept == head:
                return
            if kept.key != head.key:
                raise Contradiction(f"seq {kept.seq} was signed with another key")
            shrunk = head.count < kept.count and head.seq > kept.seq
            if shrunk or (head.seq < kept.seq and head.wall_ns > kept.wall_ns):
                raise Contradiction(f"seq {head.seq} comes after seq {kept.seq}")
        append(file, head.data())
