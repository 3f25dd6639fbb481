"""Core's end of all links: peers by name, the safety lanes ahead of telemetry."""

import select
import socket
from collections.abc import Callable

from core.link import frames
from core.link.lane import LIMIT, Closed, Lane, Loop, Receive, SocketLane
from core.link.messages import Credit, Message

#: Telemetry frames that a host may send before core has taken them.
CREDIT = 64
_CREDIT_STEP = 16

OnMessage = Callable[[str, Message], None]
OnLost = Callable[[str, str], None]


class Peer:
    """Hold one connected process; ``number`` tells its sessions apart."""

    __slots__ = ("name", "number", "safety", "taken", "telemetry")

    def __init__(self, name: str, number: int, safety: Lane) -> None:
        self.name, self.number, self.safety = name, number, safety
        self.telemetry: Lane | None = None
        self.taken = 0
        """Telemetry frames taken since it was last given credit."""

    @property
    def role(self) -> str:
        """Return the part of the name before its colon."""
        return self.name.partition(":")[0]


class Server:
    """Hold the peers; what they say goes to ``on_message`` with their name.

    A peer is who the keeper says it is: it never names itself. One that ends,
    overflows or sends bad bytes goes to ``on_lost`` with the reason.
    """

    def __init__(self, on_message: OnMessage, on_lost: OnLost) -> None:
        self._on_message, self._on_lost = on_message, on_lost
        self._peers: dict[str, Peer] = {}
        self._numbers = 0
        self._poll = select.poll()
        self._safety_fds: dict[int, SocketLane] = {}

    # --- the door that the kernel sees ---------------------------------------

    def send(self, peer: str, message: Message) -> None:
        """Queue a message on the safety lane of a peer; unknown peers are ignored."""
        found = self._peers.get(peer)
        if found is not None:
            found.safety.send(message)

    def peers(self, role: str) -> list[str]:
        """Return the connected peers of a role: host, gateway, archive, …"""
        return [peer.name for peer in self._peers.values() if peer.role == role]

    # --- peers ----------------------------------------------------------------

    def get(self, name: str) -> Peer | None:
        """Return a connected peer."""
        return self._peers.get(name)

    def attach(
        self, loop: Loop, name: str, lanes: list[str], socks: list[socket.socket]
    ) -> None:
        """Take a peer's sockets from the keeper, in place of its older ones."""
        by_lane = dict(zip(lanes, socks, strict=True))
        receive, ended = self._entry(name)
        safety = SocketLane(loop, by_lane["safety"], receive, ended)
        peer = self._enter(name, safety)
        self._safety_fds[safety.fileno()] = safety
        self._poll.register(safety.fileno(), select.POLLIN)
        if "telemetry" in by_lane:
            peer.telemetry = lane = SocketLane(
                loop,
                by_lane["telemetry"],
                self._telemetry(peer),
                ended,
                limit=LIMIT,
                readable=lambda: self._after_safety(lane),
            )

    def adopt(
        self, name: str, make: Callable[[Receive, Closed], Lane], *, both: bool = False
    ) -> Peer:
        """Take a peer whose lanes ``make`` builds, for in-process pairs."""
        receive, ended = self._entry(name)
        peer = self._enter(name, make(receive, ended))
        if both:
            peer.telemetry = make(self._telemetry(peer), ended)
        return peer

    def drop(self, name: str, reason: str) -> None:
        """Close a peer; it is lost."""
        if self._leave(name, reason):
            self._on_lost(name, reason)

    def close(self) -> None:
        """Close every peer."""
        for name in list(self._peers):
            self._leave(name, "closed")

    def drain_safety(self) -> None:
        """Take what stands on the safety lanes now, before any telemetry."""
        for fd, _ in self._poll.poll(0):
            lane = self._safety_fds.get(fd)
            if lane is not None:
                lane.pump()

    # --- inside ---------------------------------------------------------------

    def _entry(self, name: str) -> tuple[Receive, Closed]:
        number = self._numbers + 1

        def receive(message: Message) -> None:
            self._on_message(name, message)

        def ended(reason: str) -> None:
            peer = self._peers.get(name)
            if peer is not None and peer.number == number:
                self.drop(name, reason)

        return receive, ended

    def _enter(self, name: str, safety: Lane) -> Peer:
        self._numbers += 1
        self.drop(name, "replaced")
        self._peers[name] = peer = Peer(name, self._numbers, safety)
        return peer

    def _telemetry(self, peer: Peer) -> Receive:
        def receive(message: Message) -> None:
            peer.taken += 1
            if peer.taken >= _CREDIT_STEP:
                peer.safety.send(Credit(peer.taken))
                peer.taken = 0
            self._on_message(peer.name, message)

        return receive

    def _after_safety(self, lane: SocketLane) -> None:
        self.drain_safety()
        lane.pump()

    def _leave(self, name: str, reason: str) -> bool:
        peer = self._peers.pop(name, None)
        if peer is None:
            return False
        if isinstance(peer.safety, SocketLane):
            self._forget(peer.safety)
        for lane in (peer.safety, peer.telemetry):
            if lane is not None:
                lane.close(reason)
        return True

    def _forget(self, safety: SocketLane) -> None:
        for fd, lane in list(self._safety_fds.items()):
            if lane is safety:
                del self._safety_fds[fd]
                self._poll.unregister(fd)


def broadcast(peers: list[Peer], message: Message) -> None:
    """Send one message to many peers, encoded once."""
    if peers:
        frame = frames.encode(message)
        for peer in peers:
            peer.safety.send_frame(frame)
