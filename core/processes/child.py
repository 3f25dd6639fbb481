"""A child's side of its control socket: who it is, its links, when to stop."""

import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.clock import AsyncClock, RealClock
from core.link.lane import Loop
from core.processes import heap, parent
from core.processes.control import CONTROL_FD, Channel, Packet, close_all

if TYPE_CHECKING:
    import asyncio

_GREETING_S = 10.0
#: By then a process has started, and most of what that took is garbage.
_SETTLED_S = 8.0

OnPeer = Callable[[str, list[str], list[socket.socket]], None]
OnPacket = Callable[[Packet], None]


class Control:
    """What the keeper told this process at its start, and the way back to it."""

    def __init__(self, channel: Channel, greeting: Packet) -> None:
        self._channel = channel
        self.name = str(greeting["name"])
        self.data = Path(str(greeting["data"]))
        speed, origin, wall = greeting.get("clock", (1.0, 0, 0))
        self.clock = RealClock(float(speed), int(origin), int(wall))
        self.timer = AsyncClock(self.clock)
        self.stopping: asyncio.Event
        self._loop: Loop
        self._stop: Callable[[], object]

    @classmethod
    def greet(cls) -> "Control":
        """Take the keeper's greeting from descriptor 3 and tie our life to it.

        Exits with a sentence when the process was not started by a keeper.
        """
        try:
            sock = socket.socket(fileno=CONTROL_FD)
            sock.set_inheritable(False)
            sock.settimeout(_GREETING_S)
            got = _blocking(sock)
        except OSError as error:
            raise SystemExit(
                f"no control socket on descriptor {CONTROL_FD} ({error}): "
                "this process is started by 'safehold run'"
            ) from error
        parent.die_with(int(got["keeper"]))
        return cls(Channel(sock), got)

    def listen(
        self,
        on_core: OnPeer,
        on_packet: OnPacket | None = None,
        on_side: OnPeer | None = None,
    ) -> None:
        """Serve the control socket from asyncio's running loop; sets ``stopping``."""
        import asyncio  # late: core has a loop of its own

        self.stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.call_later(_SETTLED_S, heap.give_back)
        self.serve(loop, self.stopping.set, on_core, on_packet, on_side)

    def serve(
        self,
        loop: Loop,
        stop: Callable[[], object],
        on_core: OnPeer,
        on_packet: OnPacket | None = None,
        on_side: OnPeer | None = None,
    ) -> None:
        """Serve the control socket from a loop; ``stop`` is called at the end.

        ``on_core`` gets each fresh link to core (in core: to any peer),
        ``on_side`` those to other processes, ``on_packet`` what else is said.
        """
        self._loop, self._stop = loop, stop
        loop.add_signal_handler(signal.SIGTERM, stop)
        # A terminal's Ctrl-C reaches the keeper too, which ends us in order.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._on_core, self._on_side = on_core, on_side
        self._on_packet = on_packet
        loop.add_reader(self._channel.fileno(), self._readable)

    def send(self, packet: Packet) -> bool:
        """Tell the keeper something; False when it is gone."""
        return self._channel.send(packet)

    def close(self) -> None:
        """Stop serving the control socket; idempotent."""
        if self._channel.fileno() >= 0:
            self._loop.remove_reader(self._channel.fileno())
            self._channel.close()

    def _readable(self) -> None:
        try:
            got = self._channel.receive()
        except EOFError:
            self.close()
            self._stop()
            return
        except ValueError as error:
            sys.stderr.write(f"{self.name}: control packet refused: {error}\n")
            return
        if got is None:
            return
        packet, socks = got
        if packet["op"] == "peer":
            self._peer(packet, socks)
            return
        close_all(socks)
        if packet["op"] == "stop":
            self._stop()
        elif self._on_packet is not None:
            self._on_packet(packet)

    def _peer(self, packet: Packet, socks: list[socket.socket]) -> None:
        name = str(packet["name"])
        take = self._on_core if "core" in (name, self.name) else self._on_side
        lanes = [str(lane) for lane in packet["lanes"]]
        if take is None or len(lanes) != len(socks):
            close_all(socks)
        else:
            take(name, lanes, socks)


def _blocking(sock: socket.socket) -> Packet:
    # Not a Channel yet: that would make the socket non-blocking.
    import json

    data = sock.recv(1 << 16)
    if not data:
        raise OSError("closed")
    greeting: Packet = json.loads(data)
    return greeting


def option(name: str, default: str = "") -> str:
    """Return the value behind ``--name`` on the command line (argparse is slow)."""
    args = sys.argv[1:]
    if name in args[:-1]:
        return args[args.index(name) + 1]
    return default


def rename(name: str) -> None:
    """Show the process's name where the kernel lists it (15 bytes)."""
    try:
        Path(f"/proc/{os.getpid()}/comm").write_text(name[:15])
    except OSError:
        return
