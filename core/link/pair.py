"""Two lanes within one process, for tests and the simulation.

Every message goes through its bytes, so what passes here passes a socket.
"""

from collections.abc import Callable

from core.link import frames
from core.link.frames import Decoder, FrameError
from core.link.lane import LIMIT, Closed, Receive
from core.link.messages import Message

Later = Callable[[Callable[[], None]], object]


class PairLane:
    """One end; bind both with `connect` before the first message."""

    def __init__(self, later: Later, limit: int = LIMIT) -> None:
        self._later, self._limit = later, limit
        self._peer: PairLane
        self._receive: Receive
        self._ended: Closed
        self._decoder = Decoder()
        self._out = bytearray()
        self._scheduled = False
        self._halted = False
        self.closed = ""

    def bind(self, receive: Receive, ended: Closed) -> None:
        """Say who takes this end's messages and hears of its end."""
        self._receive, self._ended = receive, ended

    @property
    def pending(self) -> int:
        """Return the bytes that the peer has not taken yet."""
        return len(self._out)

    def send(self, message: Message) -> None:
        """Queue one message; nothing happens on a closed lane."""
        if not self.closed:
            frames.append(self._out, message)
            self._queued()

    def send_frame(self, frame: bytes) -> None:
        """Queue a frame that is already encoded."""
        if not self.closed:
            self._out += frame
            self._queued()

    def close(self, reason: str = "closed") -> None:
        """End the lane; the peer takes what waits and then sees the end."""
        if self.closed:
            return
        self.closed = reason
        self._later(self._peer_ends)

    def halt(self, halted: bool = True) -> None:
        """Stop taking bytes, as a hanging peer does; False: go on."""
        self._halted = halted
        if not halted:
            self._peer._queued()

    def _queued(self) -> None:
        if len(self._out) > self._limit:
            self.close("overflow")
            self._ended("overflow")
        elif not self._scheduled:
            self._scheduled = True
            self._later(self._deliver)

    def _deliver(self) -> None:
        self._scheduled = False
        if self._peer._halted or not self._out:
            return
        data = bytes(self._out)
        self._out.clear()
        self._peer._feed(data)

    def _feed(self, data: bytes) -> None:
        if self.closed:
            return
        try:
            self._decoder.feed(data, self._take)
        except FrameError as error:
            self.close(str(error))
            self._ended(str(error))

    def _take(self, message: Message) -> None:
        if not self.closed:
            self._receive(message)

    def _peer_ends(self) -> None:
        self._deliver()
        peer = self._peer
        if not peer.closed:
            peer.closed = "lost"
            peer._ended("lost")


def connect(later: Later, limit: int = LIMIT) -> tuple[PairLane, PairLane]:
    """Return both ends; ``later`` runs a callback soon, in order (call_soon)."""
    left, right = PairLane(later, limit), PairLane(later, limit)
    left._peer, right._peer = right, left
    return left, right
