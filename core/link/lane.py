"""A lane: one end of a stream of frames, on a socket and a loop."""

import contextlib
import socket
from collections.abc import Callable
from typing import Protocol

from core.link import frames
from core.link.frames import Decoder, FrameError
from core.link.messages import Execute, Message

#: What a peer may leave unread before it is closed and must start anew.
LIMIT = 8 << 20
#: Bytes taken in one turn: about 10 ms of readings, so that no lane waits longer.
CHUNK = 64 << 10

Receive = Callable[[Message], None]
Closed = Callable[[str], None]


class Loop(Protocol):
    """What links ask of their loop: asyncio's, or the safety process's own."""

    def call_soon(self, callback: Callable[..., object], /) -> object:
        """Call in the next turn."""

    def add_reader(self, fd: int, callback: Callable[..., object], /) -> None:
        """Call whenever there is something to read."""

    def remove_reader(self, fd: int, /) -> object:
        """Stop looking for something to read."""

    def add_writer(self, fd: int, callback: Callable[..., object], /) -> None:
        """Call whenever there is room to write."""

    def remove_writer(self, fd: int, /) -> object:
        """Stop looking for room to write."""

    def add_signal_handler(self, sig: int, callback: Callable[..., object], /) -> None:
        """Call in the loop when the signal comes."""


class Lane(Protocol):
    """What socket lanes and in-process lanes offer alike."""

    closed: str
    """Why it was closed; '' while it is open."""

    @property
    def pending(self) -> int:
        """Return the bytes that the peer has not taken yet."""

    def send(self, message: Message) -> None:
        """Queue one message; nothing happens on a closed lane."""

    def send_frame(self, frame: bytes) -> None:
        """Queue a frame that is already encoded."""

    def close(self, reason: str = "closed") -> None:
        """End the lane; idempotent. The peer sees its end."""


class SocketLane:
    """Drive one non-blocking socket by the loop's reader and writer hooks.

    What is sent within one turn of the loop leaves in one write. A peer that
    leaves more than ``limit`` bytes unread is closed: ``overflow``. ``ended``
    is called once, with the reason, unless the owner itself closed the lane.
    """

    def __init__(
        self,
        loop: Loop,
        sock: socket.socket,
        receive: Receive,
        ended: Closed,
        *,
        limit: int = LIMIT,
        readable: Callable[[], None] | None = None,
    ) -> None:
        sock.setblocking(False)
        self._loop = loop
        self._sock = sock
        self._receive, self._ended = receive, ended
        self._limit = limit
        self._decoder = Decoder()
        self._out = bytearray()
        self._flushing = self._writing = False
        self.closed = ""
        self._loop.add_reader(sock.fileno(), readable or self.pump)

    @property
    def pending(self) -> int:
        """Return the bytes that the peer has not taken yet."""
        return len(self._out)

    def fileno(self) -> int:
        """Return the descriptor, -1 when closed."""
        return self._sock.fileno()

    def send(self, message: Message) -> None:
        """Queue one message; nothing happens on a closed lane."""
        if not self.closed:
            frames.append(self._out, message)
            if type(message) is Execute:
                self._hurry()
            self._queued()

    def send_frame(self, frame: bytes) -> None:
        """Queue a frame that is already encoded."""
        if not self.closed:
            self._out += frame
            self._queued()

    def flush(self) -> None:
        """Write what waits, as far as the peer takes it."""
        self._flushing = False
        if self._out and not self.closed:
            self._write()

    def pump(self) -> None:
        """Read once and hand on what came; for the loop, or ahead of a lane."""
        if self.closed:
            return
        try:
            data = self._sock.recv(CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._fail(f"lost: {error.strerror}")
            return
        if not data:
            self._fail("lost")
            return
        try:
            self._decoder.feed(data, self._take)
        except FrameError as error:
            self._fail(str(error))

    def close(self, reason: str = "closed") -> None:
        """End the lane; what waits is offered to the peer once more."""
        if self.closed:
            return
        self.flush()
        self._shut(reason)

    def _take(self, message: Message) -> None:
        if not self.closed:
            self._receive(message)

    def _queued(self) -> None:
        if len(self._out) > self._limit:
            self._fail("overflow")
        elif not (self._flushing or self._writing):
            self._flushing = True
            self._loop.call_soon(self.flush)

    def _hurry(self) -> None:
        """Offer what waits now: a siren does not wait for the turn's other work.

        Whatever goes wrong here is met again by the flush that is already due.
        """
        if self._out and not self._writing:
            with contextlib.suppress(OSError):
                del self._out[: self._sock.send(self._out)]

    def _write(self) -> None:
        try:
            sent = self._sock.send(self._out)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self._fail(f"lost: {error.strerror}")
            return
        del self._out[:sent]
        if bool(self._out) is not self._writing:
            self._writing = not self._writing
            if self._writing:
                self._loop.add_writer(self._sock.fileno(), self._write)
            else:
                self._loop.remove_writer(self._sock.fileno())

    def _fail(self, reason: str) -> None:
        self._shut(reason)
        self._ended(reason)

    def _shut(self, reason: str) -> None:
        if self.closed:
            return
        self.closed = reason
        self._loop.remove_reader(self._sock.fileno())
        self._loop.remove_writer(self._sock.fileno())
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()
        self._out.clear()
