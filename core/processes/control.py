"""The control socket between keeper and child: JSON packets that carry sockets.

Standard library only. SOCK_SEQPACKET keeps each packet whole, with its sockets.
"""

import contextlib
import json
import os
import socket
import struct
from typing import Any

#: The descriptor under which a child finds its control socket.
CONTROL_FD = 3
PACKET = 128 << 10
_MAX_FDS = 4
_CREDENTIALS = struct.Struct("3i")

Packet = dict[str, Any]


class Channel:
    """One end of a control socket; non-blocking unless told otherwise."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock

    @classmethod
    def pair(cls) -> tuple["Channel", socket.socket]:
        """Return the keeper's end and the socket for the child."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return cls(ours), theirs

    def fileno(self) -> int:
        """Return the descriptor, -1 when closed."""
        return self.sock.fileno()

    def send(self, packet: Packet, *socks: socket.socket) -> bool:
        """Send one packet; False when the peer is gone or does not read."""
        data = json.dumps(packet, separators=(",", ":")).encode()
        if len(data) > PACKET:
            raise ValueError(f"control packet {packet.get('op')}: {len(data)} bytes")
        try:
            if socks:
                socket.send_fds(self.sock, [data], [s.fileno() for s in socks])
            else:
                self.sock.send(data)
        except OSError:
            return False
        return True

    def receive(self) -> tuple[Packet, list[socket.socket]] | None:
        """Return the next packet and its sockets, or None when there is none yet.

        Raises EOFError when the peer is gone, ValueError on a malformed packet.
        """
        try:
            data, fds, flags, _ = socket.recv_fds(self.sock, PACKET, _MAX_FDS)
        except (BlockingIOError, InterruptedError, TimeoutError):
            return None
        except OSError as error:
            raise EOFError(str(error)) from error
        for fd in fds:
            os.set_inheritable(fd, False)
        socks = [socket.socket(fileno=fd) for fd in fds]
        if not data:
            raise EOFError("control socket closed")
        try:
            if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
                raise ValueError("control packet cut")
            packet = json.loads(data)
            if not isinstance(packet, dict) or not isinstance(packet.get("op"), str):
                raise ValueError("control packet without op")
        except ValueError:
            close_all(socks)
            raise
        return packet, socks

    def close(self) -> None:
        """Close the socket; idempotent."""
        self.sock.close()


def close_all(socks: list[socket.socket]) -> None:
    """Close sockets that nobody takes."""
    for sock in socks:
        sock.close()


def peer_uid(sock: socket.socket) -> int:
    """Return the user id of the process that opened the other end."""
    size = _CREDENTIALS.size
    data = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    return int(_CREDENTIALS.unpack(data)[1])


def allowed(sock: socket.socket) -> bool:
    """Say whether the peer runs as the hub's own user, or as root."""
    return peer_uid(sock) in (os.geteuid(), 0)


def notify(message: str) -> None:
    """Tell systemd one state line (READY=1, WATCHDOG=1, …); silent without it."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address[0] == "@":
        address = "\0" + address[1:]
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock,
    ):
        sock.setblocking(False)
        sock.sendto(message.encode(), address)
