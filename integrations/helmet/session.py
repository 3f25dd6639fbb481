"""One connection of JT/T 808: bounded, and deaf to who proves nothing."""

import asyncio
from typing import TYPE_CHECKING, Final

from core.api import DeviceError
from core.api.clock import NS
from integrations.helmet import body
from integrations.helmet.frame import Frame, FrameError, Parts, Splitter, build, parse
from integrations.helmet.terminal import Terminal

if TYPE_CHECKING:
    from integrations.helmet.jt808 import Jt808

#: A stranger has so long, and so many bad frames and codes.
STRANGER_S: Final = 15.0
MAX_BAD: Final = 20
MAX_WRONG: Final = 3
#: Bytes that a terminal may leave unread before it is hung up on.
MAX_UNREAD: Final = 64 * 1024
#: Answers that wait for the core's disk; beyond it a report is not answered.
MAX_OWED: Final = 64
MAX_SAID: Final = 16
#: What a text gets for an answer whose connection is gone.
LOST: Final = -1
#: Intervals without a word after which a terminal is lost: told within three.
_SILENT: Final = 2.5
_READ = 4096


class Session:
    """Serve one terminal's connection until it ends."""

    def __init__(
        self,
        server: "Jt808",
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._server, self._host = server, server.host
        self._reader, self._writer = reader, writer
        self.terminal: Terminal | None = None
        self._splitter, self._parts = Splitter(), Parts()
        self._seq = 0
        self._bad = self._wrong = 0
        self._head: Frame | None = None
        self._owed: set[asyncio.Task[None]] = set()
        self._said: dict[int, asyncio.Future[int]] = {}

    async def run(self) -> str:
        """Serve until the peer leaves; return the code of why it ended."""
        try:
            return await self._serve()
        except (ConnectionError, OSError):
            return "helmet.connection_lost"
        finally:
            self.close()

    async def _serve(self) -> str:
        born = self._host.clock.mono_ns()
        while not self._writer.is_closing():
            lived_s = (self._host.clock.mono_ns() - born) / NS
            known = self.terminal
            limit = known.interval_s * _SILENT if known else STRANGER_S - lived_s
            try:
                async with asyncio.timeout(limit):
                    data = await self._reader.read(_READ)
            except TimeoutError:
                return "helmet.silent"
            if not data:
                return "helmet.connection_lost"
            for raw in self._splitter.feed(data):
                self._take(raw)
            if self._bad > MAX_BAD or self._wrong >= MAX_WRONG:
                return "helmet.nonsense"
        return "helmet.connection_lost"

    def close(self) -> None:
        """Hang up; who waits for an answer gets none."""
        for task in self._owed:
            task.cancel()
        for seq in list(self._said):
            self._told(seq, LOST)
        self._writer.close()

    # --- in -------------------------------------------------------------------

    def _take(self, raw: bytes) -> None:
        uid = self.terminal.worn.uid if self.terminal else ""
        try:
            whole = self._parts.take(parse(raw))
            if whole is not None:
                self._message(whole)
                self._bad = 0
        except FrameError as error:
            self._bad += 1
            self._host.count("helmet.bad_frame", f"{error}: {raw[:80].hex()}", uid)

    def _message(self, frame: Frame) -> None:
        self._head = frame
        if frame.id == body.REGISTER:
            self._register(frame)
        elif frame.id == body.AUTH:
            self._authenticate(frame)
        elif self.terminal is None:
            self._host.count("helmet.unproven", f"{frame.phone} {frame.id:04x}")
            self._answer(frame, body.FAILED)
        else:
            self._known(frame, self.terminal)

    def _register(self, frame: Frame) -> None:
        told = body.registration(frame.body, new=frame.version is not None)
        terminal = self._server.terminal(frame.phone)
        code = terminal.code(told) if terminal.listed else ""
        result = body.DONE if code else body.NO_TERMINAL
        if not code:
            self._host.count("helmet.unknown_terminal", f"{frame.phone} {told}"[:200])
        self._send(body.REGISTERED, body.registered(frame.seq, result, code))

    def _authenticate(self, frame: Frame) -> None:
        code = body.authentication(frame.body, new=frame.version is not None)
        terminal = self._server.terminal(frame.phone)
        if not terminal.admits(code):
            self._wrong += 1
            self._host.count("helmet.wrong_code", frame.phone)
            if terminal.listed and terminal.session is None:
                terminal.worn.lost("helmet.auth")
            self._answer(frame, body.FAILED)
            return
        self.terminal = terminal
        self._server.joined(terminal, self)
        terminal.beat()
        self._answer(frame, body.DONE)

    def _known(self, frame: Frame, terminal: Terminal) -> None:
        if frame.phone.lstrip("0") != terminal.phone.lstrip("0"):
            raise FrameError("another number than the one that proved itself")
        if frame.id == body.ANSWER:
            seq, _, result = body.answer(frame.body)
            self._told(seq, result)
            return
        if frame.id == body.LOCATION:
            self._located(frame, terminal, [(frame.body, False)])
        elif frame.id == body.BATCH:
            past, reports = body.batch(frame.body)
            self._located(frame, terminal, [(each, past) for each in reports])
        elif frame.id == body.HEARTBEAT:
            terminal.beat()
            self._answer(frame, body.DONE)
        elif frame.id == body.LOGOUT:
            self._answer(frame, body.DONE)
            terminal.worn.lost("helmet.logged_out")
        else:
            self._answer(frame, body.UNSUPPORTED)

    def _located(
        self, frame: Frame, terminal: Terminal, reports: list[tuple[bytes, bool]]
    ) -> None:
        calls = [
            call
            for data, past in reports
            for call in terminal.located(frame.seq, data, past=past)
        ]
        if not calls:
            self._answer(frame, body.DONE)
            return
        if len(self._owed) >= MAX_OWED:
            # Unanswered, the terminal keeps it and sends it again.
            self._host.count("helmet.not_answered", frame.phone, terminal.worn.uid)
            return

        async def settle() -> None:
            try:
                for call in calls:
                    await terminal.worn.durable(call.kind, call.ident, call.params)
            except DeviceError as error:
                self._host.count("helmet.not_answered", str(error), terminal.worn.uid)
                return
            self._answer(frame, body.DONE)

        task = asyncio.get_running_loop().create_task(settle(), name="helmet answer")
        self._owed.add(task)
        task.add_done_callback(self._owed.discard)

    # --- out ------------------------------------------------------------------

    def say(self, text: str) -> "asyncio.Future[int]":
        """Send a text to be spoken; the future gets the terminal's result."""
        while len(self._said) >= MAX_SAID:
            self._told(next(iter(self._said)), LOST)
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        new = self._head is not None and self._head.version is not None
        self._said[self._send(body.TEXT, body.spoken(text, new=new))] = future
        return future

    def _told(self, seq: int, result: int) -> None:
        waiting = self._said.pop(seq, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(result)

    def _answer(self, frame: Frame, result: int) -> None:
        self._send(body.GENERAL, body.general(frame.seq, frame.id, result))

    def _send(self, number: int, content: bytes) -> int:
        head = self._head
        seq = self._seq
        self._seq = (self._seq + 1) & 0xFFFF
        if head is None or self._writer.is_closing():
            return seq
        frame = Frame(number, head.phone, seq, content, head.version)
        self._writer.write(build(frame))
        transport = self._writer.transport
        if transport.get_write_buffer_size() > MAX_UNREAD:
            self._host.count("helmet.does_not_read", head.phone)
            transport.abort()
        return seq
