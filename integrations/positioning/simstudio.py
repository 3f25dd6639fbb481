"""A simulated Sewio server: WebSocket pushes and the REST interface."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web


class SimStudio:
    """Serve one port for both; ``feeds`` returns the answer of REST."""

    def __init__(self, key: str, feeds: Callable[[], list[dict[str, Any]]]) -> None:
        self.key = key
        self.port = 0
        self.pushing = True
        """False: the WebSocket is refused, so that REST stands in."""
        self._feeds = feeds
        self._runner: web.AppRunner | None = None
        self._peers: dict[web.WebSocketResponse, set[str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen; port 0 takes a free one and keeps it."""
        app = web.Application()
        app.router.add_get("/", self._socket)
        app.router.add_get("/sensmapserver/api/tags", self._tags)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = runner.addresses[0][1]
        self._runner = runner

    async def stop(self) -> None:
        """Close the listener and every connection."""
        runner, self._runner = self._runner, None
        self.drop()
        if runner is not None:
            await runner.cleanup()

    def drop(self) -> None:
        """Cut every connection."""
        for socket in list(self._peers):
            transport = socket._req.transport if socket._req else None
            if transport is not None:
                transport.abort()

    async def push(self, feed: str, data: bytes) -> None:
        """Send a change to whoever has subscribed."""
        text = data.decode("latin-1")
        for socket, feeds in list(self._peers.items()):
            if not socket.closed and (feed in feeds or "" in feeds):
                try:
                    await socket.send_str(text)
                except ConnectionError:
                    self._peers.pop(socket, None)

    async def _tags(self, request: web.Request) -> web.Response:
        if request.headers.get("X-ApiKey") != self.key:
            raise web.HTTPUnauthorized
        return web.json_response({"results": self._feeds()})

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if not self.pushing:
            raise web.HTTPNotFound
        socket = web.WebSocketResponse(heartbeat=10)
        await socket.prepare(request)
        self._peers[socket] = set()
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT and not await self._ask(
                    socket, message.data
                ):
                    break
        finally:
            self._peers.pop(socket, None)
        return socket

    async def _ask(self, socket: web.WebSocketResponse, text: str) -> bool:
        asked = json.loads(text)
        if asked.get("headers", {}).get("X-ApiKey") != self.key:
            await socket.close(code=4001)
            return False
        if asked.get("method") == "subscribe":
            feed = str(asked.get("resource", "")).removeprefix("/feeds/")
            self._peers[socket].add(feed)
        return True
