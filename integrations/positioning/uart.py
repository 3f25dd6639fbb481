"""A DWM1001 at a serial port: its shell is entered, kept and entered again.

``lec`` and ``lep`` are switches: the same word that starts the stream stops it, and
an empty line repeats the last word. So the port is listened to before it is spoken
to, and each step waits for its answer.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import serial

from core.api import Host
from integrations.positioning import dwm
from integrations.positioning.model import Identity, Sighting, UnreadableError

#: Two CR within a second open the shell.
GAP_S = 0.2
LISTEN_S, PROMPT_S, ANSWER_S = 0.6, 2.0, 3.0
#: Without a line for so long, and three intervals, the shell is entered anew.
SILENT_S = 3.0
MAX_BACKOFF_S = 10.0
_OPEN_S = 5.0
_CHUNK = 4_096


class ShellError(Exception):
    """The port or the shell does not answer; the text is a reason code."""


class Shell:
    """Read one module's lines; ``take`` gets each sighting, ``bad`` each bad line."""

    def __init__(
        self,
        host: Host,
        options: dict[str, Any],
        take: Callable[[Sighting], None],
        bad: Callable[[UnreadableError, bytes], None],
        told: Callable[[bool, str], None],
    ) -> None:
        self._host, self._options = host, options
        self._take, self._bad, self._told = take, bad, told
        self.node: str = dwm.short(options.get("node", ""))
        self.entered = 0
        self.last_error = ""
        self._serial: serial.Serial | None = None
        self._inbox = bytearray()
        self._skipping = False
        self._news = asyncio.Event()
        self._prompts = self._lines = 0
        self._hung_up = False

    async def run(self) -> None:
        """Serve until cancelled; an unplugged module is waited for."""
        wait = 0.0
        while True:
            stood = False
            try:
                await self._open()
                await self._enter()
                self._told(True, "")
                stood = True
                await self._watch()
            except ShellError as error:
                self.last_error = str(error)
                if stood or wait == 0.0:
                    self._told(False, f"positioning.{error}")
            finally:
                self._close()
            wait = 0.2 if stood else min(max(wait * 2, 0.2), MAX_BACKOFF_S)
            await self._host.timer.sleep(wait)

    # --- the port ---------------------------------------------------------------

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        opening = loop.run_in_executor(None, self._port)
        try:
            async with asyncio.timeout(_OPEN_S):
                port = await asyncio.shield(opening)
        except (serial.SerialException, OSError, ValueError) as error:
            self._host.count("positioning.port_missing", str(error)[:200])
            raise ShellError("port_missing") from None
        except (TimeoutError, asyncio.CancelledError) as error:
            opening.add_done_callback(_close_late)
            if isinstance(error, asyncio.CancelledError):
                raise
            raise ShellError("port_missing") from None
        self._serial, self._hung_up = port, False
        self._inbox.clear()
        self._skipping = True  # the first line may have lost its beginning
        self._prompts = self._lines = 0
        loop.add_reader(port.fileno(), self._readable)

    def _port(self) -> serial.Serial:
        return serial.Serial(
            self._options["port"],
            self._options["baudrate"],
            timeout=0,
            write_timeout=1,
            exclusive=True,
        )

    def _close(self) -> None:
        port, self._serial = self._serial, None
        if port is not None:
            asyncio.get_running_loop().remove_reader(port.fileno())
            port.close()

    def _readable(self) -> None:
        port = self._serial
        if port is None:
            return
        try:
            data = port.read(_CHUNK)
        except (serial.SerialException, OSError):
            data = b""
        if not data:
            self._hung_up = True
            asyncio.get_running_loop().remove_reader(port.fileno())
        self._feed(data)
        self._news.set()

    def _feed(self, data: bytes) -> None:
        """Cut what came into lines; one that never ends is dropped."""
        self._inbox += data
        *lines, rest = self._inbox.replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            if self._skipping:
                self._skipping = False
            elif line:
                self._line(bytes(line))
        if rest.strip().startswith(b"dwm>"):
            self._prompts += 1
            rest = bytearray()
            self._skipping = False
        if len(rest) > dwm.MAX_LINE:
            self._bad(UnreadableError("a line without an end"), bytes(rest[:100]))
            rest, self._skipping = bytearray(), True
        self._inbox = bytearray(rest)

    def _line(self, line: bytes) -> None:
        if b"dwm>" in line:
            self._prompts += 1
        try:
            found = dwm.line(line)
        except UnreadableError as error:
            self._bad(error, line)
            return
        if isinstance(found, Identity):
            self.node = self.node or found.node
        elif found is not None:
            self._lines += 1
            if found.node or self.node:
                self._take(found)

    def _write(self, data: bytes) -> None:
        if self._serial is None:
            raise ShellError("port_lost")
        try:
            self._serial.write(data)
        except (serial.SerialException, OSError):
            raise ShellError("port_lost") from None

    # --- the shell --------------------------------------------------------------

    async def _until(self, holds: Callable[[], object], seconds: float) -> bool:
        """Wait for news that fulfil a condition; raises ShellError on a hang-up."""
        try:
            async with asyncio.timeout(seconds):
                while not holds():
                    if self._hung_up:
                        raise ShellError("port_lost")
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True

    async def _enter(self) -> None:
        """Bring the module to stream, from whatever state it is in."""
        streams = await self._until(lambda: self._lines, LISTEN_S)
        if streams and self._known():
            self.entered += 1
            return
        if streams:
            # The stream says nothing of who it is: stop it, ask, start it again.
            self._write(self._word())
            await self._until(lambda: self._prompts, PROMPT_S)
        else:
            self._write(b"\r")
            await self._host.timer.sleep(GAP_S)
            self._write(b"\r")
        if not await self._until(lambda: self._prompts, PROMPT_S):
            raise ShellError("no_shell")
        if not self._known():
            self._write(b"si\r")
            if not await self._until(self._known, ANSWER_S):
                raise ShellError("no_identity")
        await self._start()
        self.entered += 1

    async def _start(self) -> None:
        for _ in range(2):  # the first word may have stopped what was running
            self._lines = 0
            self._write(self._word())
            if await self._until(lambda: self._lines, self._patience()):
                return
        raise ShellError("no_stream")

    def _known(self) -> bool:
        return bool(self.node)

    def _word(self) -> bytes:
        return f"{self._options['mode']}\r".encode()

    def _patience(self) -> float:
        return max(SILENT_S, 3 * float(self._options["interval_s"]))

    async def _watch(self) -> None:
        while True:
            self._lines = 0
            if not await self._until(lambda: self._lines, self._patience()):
                raise ShellError("no_stream")


def _close_late(done: "asyncio.Future[serial.Serial]") -> None:
    if not done.cancelled() and done.exception() is None:
        done.result().close()
