"""A process's link to core: a fresh pair of lanes after every restart of core."""

import asyncio
import socket
from collections.abc import Callable

import msgspec

from core.link.lane import LIMIT, SocketLane
from core.link.messages import Alive, Armed, Hello, Message, Ping, Snapshot

OnMessage = Callable[[Message], None]


class Client:
    """Keep the present lanes to core; what is sent while there are none is lost.

    ``on_up`` is called with each fresh session, before its first message;
    ``on_down`` when it ends. Pings are answered here, from the loop that they
    ask about; snapshots and bundles in several frames arrive whole.
    """

    def __init__(
        self,
        hello: Callable[[], Hello],
        on_message: OnMessage,
        on_up: Callable[[], None] | None = None,
        on_down: Callable[[str], None] | None = None,
    ) -> None:
        self._hello = hello
        self._on_message, self._on_up, self._on_down = on_message, on_up, on_down
        self.safety: SocketLane | None = None
        self.telemetry: SocketLane | None = None
        self._parts: list[Snapshot | Armed] = []
        self.connected = asyncio.Event()

    def attach(self, lanes: list[str], socks: list[socket.socket]) -> None:
        """Take a fresh pair from the keeper; the old one is closed."""
        self.detach("replaced")
        by_lane = dict(zip(lanes, socks, strict=True))
        self._parts.clear()
        loop = asyncio.get_running_loop()
        self.safety = SocketLane(loop, by_lane["safety"], self._take, self._ended)
        if "telemetry" in by_lane:
            self.telemetry = SocketLane(
                loop, by_lane["telemetry"], self._take, self._ended, limit=LIMIT
            )
        self.send(self._hello())
        self.connected.set()
        if self._on_up is not None:
            self._on_up()

    def detach(self, reason: str = "closed") -> None:
        """Close both lanes; idempotent."""
        was = self.safety is not None
        for lane in (self.safety, self.telemetry):
            if lane is not None:
                lane.close(reason)
        self.safety = self.telemetry = None
        self.connected.clear()
        if was and self._on_down is not None:
            self._on_down(reason)

    def send(self, message: Message) -> None:
        """Send on the safety lane, if core is there."""
        if self.safety is not None:
            self.safety.send(message)

    def _ended(self, reason: str) -> None:
        self.detach(reason)

    def _take(self, message: Message) -> None:
        if isinstance(message, Ping):
            self.send(Alive(message.number))
        elif isinstance(message, Snapshot | Armed):
            self._part(message)
        else:
            self._on_message(message)

    def _part(self, message: Snapshot | Armed) -> None:
        self._parts.append(message)
        if message.more:
            return
        parts, self._parts = self._parts, []
        if len(parts) > 1:
            bundle = b"".join(part.bundle for part in parts)
            message = msgspec.structs.replace(message, bundle=bundle)
            if isinstance(message, Snapshot):
                state = b"".join(p.state for p in parts if isinstance(p, Snapshot))
                message = msgspec.structs.replace(message, state=state)
        self._on_message(message)


class Side:
    """A link to a process other than core, such as the gateway's to the archive."""

    def __init__(self, on_message: OnMessage) -> None:
        self._on_message = on_message
        self._lane: SocketLane | None = None

    def attach(self, _name: str, _lanes: list[str], socks: list[socket.socket]) -> None:
        """Take a fresh lane from the keeper; the old one is closed."""
        self.close()
        loop = asyncio.get_running_loop()
        self._lane = SocketLane(loop, socks[0], self._on_message, self._ended)

    def send(self, message: Message) -> None:
        """Send, if the other process is there."""
        if self._lane is not None:
            self._lane.send(message)

    def close(self) -> None:
        """Close the lane; idempotent."""
        if self._lane is not None:
            self._lane.close()
            self._lane = None

    def _ended(self, _reason: str) -> None:
        self._lane = None
