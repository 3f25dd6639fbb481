"""WebSockets: live screens and the alarm stream, each screen with its own queue."""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import msgspec
from aiohttp import WSMsgType, web

from frontend_api.accounts import Session
from frontend_api.changes import Place
from frontend_api.views import WatcherView

#: Messages that wait for a slow screen; more, and it gets a snapshot instead.
QUEUE = 64
SEND_S = 10.0
HEARTBEAT_S = 15.0
#: Screens at once; one more is refused with 503.
SCREENS = 100
MESSAGE_BYTES = 4096


class Source(Protocol):
    """What a hub of screens needs of a stream."""

    publish: Callable[[bytes], None]
    reset: Callable[[], None]

    def snapshot(self) -> bytes:
        """Return everything."""


class Screen:
    """Hold one connection's queue; overflow policy: drop all, send a snapshot."""

    def __init__(self, session: Session, since_ms: int) -> None:
        self.session, self.since_ms = session, since_ms
        self._queue: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self.stale = False
        self.ready = False
        self.dropped = 0

    def put(self, data: bytes) -> None:
        """Queue a message; never waits."""
        if self.stale:
            return
        if len(self._queue) >= QUEUE:
            self.dropped += 1
            self.renew()
            return
        self._queue.append(data)
        self._wake.set()

    def renew(self) -> None:
        """Throw away what waits: the screen gets a snapshot next."""
        self._queue.clear()
        self.stale = True
        self._wake.set()

    def forget(self) -> None:
        """Drop what waits."""
        self._queue.clear()

    async def take(self) -> bytes | None:
        """Wait for the next message; None asks for a snapshot."""
        while True:
            if self.stale:
                self.stale = False
                return None
            if self._queue:
                return self._queue.popleft()
            self._wake.clear()
            await self._wake.wait()


class Screens:
    """Serve one stream to every screen that asks for it."""

    def __init__(
        self,
        source: Source,
        now_ms: Callable[[], int],
        since: Callable[[Place], list[bytes] | None] = lambda _: None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.source, self._since, self._changed = source, since, changed
        self._now_ms = now_ms
        self._screens: set[Screen] = set()
        source.publish = self._publish
        source.reset = self._reset

    def __len__(self) -> int:
        return len(self._screens)

    def _publish(self, data: bytes) -> None:
        for screen in self._screens:
            if screen.ready:
                screen.put(data)

    def _reset(self) -> None:
        for screen in self._screens:
            screen.renew()

    def watching(self) -> list[WatcherView]:
        """Return who has a screen open."""
        found: dict[str, WatcherView] = {}
        for screen in self._screens:
            person = screen.session.person_id
            seen = found.get(person)
            if seen is None:
                found[person] = WatcherView(
                    person_id=person, since_ms=screen.since_ms, screens=1
                )
            else:
                seen.screens += 1
                seen.since_ms = min(seen.since_ms, screen.since_ms)
        return list(found.values())

    async def serve(
        self,
        request: web.Request,
        session: Session,
        valid: Callable[[], bool],
    ) -> web.WebSocketResponse:
        """Run one screen until it leaves, stalls or its session ends."""
        socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT_S, max_msg_size=MESSAGE_BYTES, timeout=SEND_S
        )
        await socket.prepare(request)
        screen = Screen(session, self._now_ms())
        self._screens.add(screen)
        self._changed()
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(self._write(socket, screen, valid))
                await self._read(socket, screen)
                writer.cancel()
        finally:
            self._screens.discard(screen)
            self._changed()
            with contextlib.suppress(ConnectionError):
                await socket.close()
        return socket

    async def _read(self, socket: web.WebSocketResponse, screen: Screen) -> None:
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                return
            answer = self._hear(screen, message.data)
            if answer:
                screen.put(json.dumps(answer).encode())

    def _hear(self, screen: Screen, data: str) -> dict[str, Any] | None:
        """Understand subscribe and ping; anything else is answered as an error."""
        try:
            asked = json.loads(data)
            kind, number = asked["type"], asked.get("id", 0)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return {"type": "error", "code": "gateway.bad_request"}
        if kind == "ping":
            return {"type": "pong", "id": number, "now_ms": self._now_ms()}
        if kind == "subscribe":
            self._subscribe(screen, asked)
            return None
        return {"type": "error", "id": number, "code": "gateway.bad_request"}

    def _subscribe(self, screen: Screen, asked: dict[str, Any]) -> None:
        missed = None
        # Who cannot say where it stands is told all.
        with contextlib.suppress(msgspec.ValidationError):
            missed = self._since(msgspec.convert(asked, Place))
        screen.ready = True
        if missed is None or len(missed) > QUEUE // 2:
            screen.renew()
            return
        for data in missed:
            screen.put(data)
        screen.put(b'{"type":"resumed"}')

    async def _write(
        self, socket: web.WebSocketResponse, screen: Screen, valid: Callable[[], bool]
    ) -> None:
        while not socket.closed:
            data = await screen.take()
            if not valid():
                await socket.close(code=4401, message=b"session ended")
                return
            if data is None:
                data = self.source.snapshot()
                # What waited is part of it.
                screen.forget()
            try:
                async with asyncio.timeout(SEND_S):
                    await socket.send_str(data.decode())
            except (TimeoutError, ConnectionError):
                # A screen that takes nothing for ten seconds connects again.
                await socket.close(code=1013, message=b"too slow")
                return
