"""The notifier's children: one that imports apprise, one that holds the modem.

Both start when they are needed. What hangs costs its own letter; a child that
cannot be trusted any more is put aside and another one started.
"""

import asyncio
import contextlib
import heapq
import itertools
import sys
from collections.abc import Callable

import msgspec

from core.channels.letters import Letter, Reply, Sms, Told
from core.config import Bundle

SEND_S = 20.0
IDLE_S = 60.0
#: A child that has left so many letters unanswered is put aside.
STUCK = 4
#: An SMS that waits longer than this for the modem is given back.
MODEM_S = 75.0
#: Between two starts of a modem's child.
MODEM_AGAIN_S = 10.0
MODEM_WAITING = 200


class _Child:
    """A process that takes and tells lines of JSON."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.stuck = 0

    @classmethod
    async def start(cls, *args: str) -> "_Child":
        """Start ``python -m ...``."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            *args,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        return cls(process)

    async def tell(self, message: msgspec.Struct) -> None:
        """Hand a line over; raises OSError."""
        if self.process.stdin is None:
            raise BrokenPipeError
        self.process.stdin.write(msgspec.json.encode(message) + b"\n")
        await self.process.stdin.drain()

    async def line(self) -> bytes:
        """Return its next line, b'' at its end."""
        return b"" if self.process.stdout is None else await _line(self.process.stdout)

    async def end(self) -> None:
        """Kill it and wait."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
        await self.process.wait()


async def _line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readline()
    except (ValueError, OSError):
        return b""


class Senders:
    """Send letters through a child, each with its own deadline, side by side."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._child: _Child | None = None
        self._lock = asyncio.Lock()
        self._waiting: dict[str, asyncio.Future[Reply]] = {}
        self._idle: asyncio.TimerHandle | None = None
        self._numbers = itertools.count(1)

    async def send(self, letter: Letter) -> str:
        """Send one letter; returns '' or why it failed, as a code. Never raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Reply] = loop.create_future()
        number = f"{letter.id}.{next(self._numbers)}"
        self._waiting[number] = future
        child = None
        try:
            async with asyncio.timeout(SEND_S):
                child = await self._ready()
                await child.tell(msgspec.structs.replace(letter, id=number))
                reply = await future
        except TimeoutError:
            await self._stuck(child)
            return "timeout"
        except OSError as bad:
            await self._aside(child)
            return f"sender.{type(bad).__name__}"
        finally:
            self._waiting.pop(number, None)
            self._rest()
        return "" if reply.ok else (reply.detail or "refused")

    async def close(self) -> None:
        """End the child; idempotent."""
        if self._idle is not None:
            self._idle.cancel()
        await self._aside(self._child)

    async def _ready(self) -> _Child:
        async with self._lock:
            if self._child is None:
                self._child = await _Child.start("core.processes.sender")
                self._group.create_task(self._hear(self._child))
            return self._child

    async def _hear(self, child: _Child) -> None:
        while line := await child.line():
            try:
                reply = msgspec.json.decode(line, type=Reply)
            except msgspec.MsgspecError:
                break
            future = self._waiting.get(reply.id)
            if future is not None and not future.done():
                future.set_result(reply)
        await self._aside(child)

    async def _stuck(self, child: _Child | None) -> None:
        if child is not None:
            child.stuck += 1
            if child.stuck >= STUCK:
                await self._aside(child)

    async def _aside(self, child: _Child | None) -> None:
        """Put a child aside: those who still wait for it try another later."""
        if child is None or child is not self._child:
            return
        self._child = None
        for number, future in list(self._waiting.items()):
            if not future.done():
                future.set_result(Reply(id=number, ok=False, detail="sender.ended"))
        await child.end()

    def _rest(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        loop = asyncio.get_running_loop()
        self._idle = loop.call_later(IDLE_S, self._dismiss)

    def _dismiss(self) -> None:
        child = self._child
        # Closing its input ends it in order.
        if child is not None and not self._waiting and child.process.stdin is not None:
            child.process.stdin.close()


class ModemLine:
    """Queue SMS for the site's modem, the most urgent first; hear what it tells."""

    def __init__(self, group: asyncio.TaskGroup, heard: Callable[[Told], None]) -> None:
        self._group, self._heard = group, heard
        self._port, self._baud = "", 0
        self._queue: list[tuple[int, int, Sms]] = []
        self._order = itertools.count()
        self._waiting: dict[str, asyncio.Future[str]] = {}
        self._wake = asyncio.Event()
        self._child: _Child | None = None
        self._detail = "no_modem"
        self._task: asyncio.Task[None] | None = None

    def arm(self, bundle: Bundle) -> None:
        """Take the modem's port from the bundle; it listens from now on."""
        modem = bundle.notices.modem
        port, baud = (modem.port, modem.baud) if modem is not None else ("", 0)
        if (port, baud) == (self._port, self._baud):
            return
        self._port, self._baud = port, baud
        self._detail = "modem.starting" if port else "no_modem"
        if self._task is not None:
            self._task.cancel()
        self._task = self._group.create_task(self._serve()) if port else None

    async def send(self, sms: Sms, rank: int) -> str:
        """Send one SMS; returns '' or why it failed, as a code. Never raises."""
        if not self._port or len(self._queue) >= MODEM_WAITING:
            return "modem.busy" if self._port else "no_modem"
        loop = asyncio.get_running_loop()
        future: asyncio.Future[str] = loop.create_future()
        self._waiting[sms.id] = future
        heapq.heappush(self._queue, (rank, next(self._order), sms))
        self._wake.set()
        try:
            async with asyncio.timeout(MODEM_S):
                return await future
        except TimeoutError:
            return self._detail or "timeout"
        finally:
            self._waiting.pop(sms.id, None)

    def close(self) -> None:
        """End the child; idempotent."""
        if self._task is not None:
            self._task.cancel()

    async def _serve(self) -> None:
        """Keep a child on the port; one that ends is followed by another."""
        while True:
            child = await _Child.start(
                "core.channels.modem", self._port, f"{self._baud}"
            )
            try:
                async with asyncio.TaskGroup() as group:
                    feeding = group.create_task(self._feed(child))
                    await self._hear(child)
                    feeding.cancel()
            finally:
                await child.end()
            for number in list(self._waiting):
                self._settle(number, self._detail)
            await asyncio.sleep(MODEM_AGAIN_S)

    async def _feed(self, child: _Child) -> None:
        """Hand over one SMS at a time, so that the most urgent is always next."""
        while True:
            while not self._queue:
                self._wake.clear()
                await self._wake.wait()
            _, _, sms = heapq.heappop(self._queue)
            future = self._waiting.get(sms.id)
            if future is None or future.done():
                continue
            try:
                await child.tell(sms)
            except OSError:
                return
            done, _ = await asyncio.wait([future], timeout=MODEM_S)
            if not done:
                await child.end()  # it hangs; another takes up the port
                return

    async def _hear(self, child: _Child) -> None:
        self._detail = "modem.starting"
        while line := await child.line():
            try:
                told = msgspec.json.decode(line, type=Told)
            except msgspec.MsgspecError:
                return
            if told.kind in ("sent", "failed"):
                self._settle(told.id, "" if told.kind == "sent" else told.detail)
            elif told.kind == "ready":
                self._detail = ""
            elif told.kind == "gone":
                self._detail = told.detail
            else:
                self._heard(told)
        self._detail = self._detail or "modem.gone"

    def _settle(self, number: str, detail: str) -> None:
        future = self._waiting.get(number)
        if future is not None and not future.done():
            future.set_result(detail)


class Slots:
    """Count letters on their way, so that one dead host takes not all of them."""

    def __init__(self, most: int, each: int) -> None:
        self._most, self._each = most, each
        self._used: dict[str, int] = {}

    def free(self, host: str) -> bool:
        """Say whether another letter may go to a host."""
        return (
            sum(self._used.values()) < self._most
            and self._used.get(host, 0) < self._each
        )

    def take(self, host: str) -> None:
        """Use a slot."""
        self._used[host] = self._used.get(host, 0) + 1

    def give(self, host: str) -> None:
        """Give a slot back."""
        self._used[host] -= 1
        if not self._used[host]:
            del self._used[host]
