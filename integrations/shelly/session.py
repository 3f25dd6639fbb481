"""One relay: its connection, what it says of itself, and what it is told.

Everything goes over one WebSocket. The relay is asked for its whole status again and
again; its own notifications only make the next question come sooner, so an old one
that comes again says nothing.
"""

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import msgspec

from integrations.shelly import wire

NS = 1_000_000_000
CONNECT_S = 5.0
#: An answer that takes longer is none: the relay, or the way to it, is lost.
ANSWER_S = 1.0
#: Notifications in a flood cause no more questions than this.
SOONEST_S = 0.1
_FIRST_ID = 1_000_000
Count = Callable[[str, str, str], None]
"""Counts bad input: name, detail, device."""


class PeerError(Exception):
    """The relay cannot be used; ``code`` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class RefusedError(Exception):
    """The relay refuses one request; ``code`` is its own."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Session:
    """Speak over one connection: questions by number, notifications as a nudge."""

    def __init__(
        self, count: Count, uid: str, socket: aiohttp.ClientWebSocketResponse, key: str
    ) -> None:
        self.uid = uid
        self.nudge = asyncio.Event()
        """Set by the relay's notifications."""
        self._bad, self._socket, self._password = count, socket, key
        self._known = False
        # Not from 1: an answer of an earlier connection must fit no question.
        self._ids = itertools.count(_FIRST_ID + secrets.randbelow(_FIRST_ID))
        self._open: dict[int, asyncio.Future[wire.Frame]] = {}
        self._challenge: wire.Challenge | None = None
        self._count = 0

    async def read(self) -> None:
        """Take frames until the connection ends; then raise PeerError."""
        async for message in self._socket:
            raw = message.data
            if isinstance(raw, str):
                raw = raw.encode("utf-8", "replace")
            if not isinstance(raw, bytes):
                break
            self._take(raw)
        raise PeerError("shelly.closed")

    def _take(self, raw: bytes) -> None:
        try:
            frame = wire.parse(raw)
        except wire.WireError as error:
            said = raw[:160].decode("utf-8", "replace")
            self._bad("shelly.bad_frame", f"{error}: {said}"[:200], self.uid)
            return
        if frame.method:
            self.nudge.set()
            return
        waiting = self._open.get(frame.id) if frame.id is not None else None
        if waiting is None or waiting.done():
            self._bad("shelly.unasked", f"id {frame.id}", self.uid)
        else:
            waiting.set_result(frame)

    async def identify(self) -> str:
        """Ask who it is, before anything else is said; return its model.

        Raises PeerError for another device and for one of the first generation.
        """
        try:
            said = await self.ask("Shelly.GetDeviceInfo")
            mac, model, generation = wire.identity(said)
        except (wire.WireError, RefusedError) as error:
            raise PeerError("shelly.bad_answer") from error
        if mac != self.uid:
            raise PeerError("shelly.wrong_device")
        if generation < 2:
            raise PeerError("shelly.generation")
        self._known = True
        return model

    async def ask(
        self, method: str, params: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the result of a request.

        Raises RefusedError, PeerError (no answer in time, wrong password).
        """
        frame = await self._once(method, params)
        # A stranger gets no proof either: words could be tried against it.
        proves = self._known and bool(self._password)
        if frame.code == wire.UNAUTHORISED and proves:
            # A nonce may have grown old: prove the password once more.
            self._challenge, self._count = self._challenged(frame), 0
            frame = await self._once(method, params)
        if frame.code == wire.UNAUTHORISED:
            raise PeerError("shelly.auth")
        if frame.code:
            raise RefusedError(frame.code, frame.message)
        return frame.result or {}

    def _challenged(self, frame: wire.Frame) -> wire.Challenge:
        try:
            return wire.challenge(frame.message)
        except wire.WireError as error:
            self._bad("shelly.bad_frame", str(error), self.uid)
            raise PeerError("shelly.auth") from error

    async def _once(self, method: str, params: Mapping[str, Any] | None) -> wire.Frame:
        number = next(self._ids)
        request: dict[str, Any] = {"id": number, "src": "safehold", "method": method}
        if params:
            request["params"] = params
        if self._challenge is not None:
            self._count += 1
            own = secrets.token_hex(8)
            request["auth"] = wire.proof(
                self._challenge, self._password, self._count, own
            )
        answer: asyncio.Future[wire.Frame] = asyncio.get_running_loop().create_future()
        self._open[number] = answer
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._socket.send_str(msgspec.json.encode(request).decode())
                return await answer
        except TimeoutError as error:
            raise PeerError("shelly.silent") from error
        except (aiohttp.ClientError, ConnectionError) as error:
            raise PeerError("shelly.closed") from error
        finally:
            del self._open[number]


@asynccontextmanager
async def opened(
    http: aiohttp.ClientSession, said: Mapping[str, Any], password: str, count: Count
) -> AsyncIterator[Session]:
    """Connect to one relay of the options, and close behind the caller.

    Raises PeerError when the connection ends, aiohttp.ClientError, OSError or
    TimeoutError when there is none.
    """
    url = f"ws://{said['host']}:{said['port']}/rpc"
    async with asyncio.timeout(CONNECT_S):
        socket = await http.ws_connect(url, max_msg_size=wire.MAX_FRAME)
    session = Session(count, said["mac"], socket, password)
    try:
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(session.read(), name="shelly frames")
            try:
                yield session
            finally:
                reading.cancel()
    except ExceptionGroup as problems:
        raise problems.exceptions[0] from None
    finally:
        with suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with asyncio.timeout(CONNECT_S):
                await socket.close()
