"""The keeper's control socket: status, stop, restart and attach, for the CLI."""

import contextlib
import json
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from core.processes.control import Channel, Packet, allowed

if TYPE_CHECKING:
    from core.processes.keeper import Keeper

NAME = "keeper.sock"
_MAX_GUESTS = 16


class Door:
    """Let the hub's own user in (SO_PEERCRED); one answer per request."""

    def __init__(self, keeper: "Keeper", folder: Path) -> None:
        self._keeper = keeper
        self._path = folder / NAME
        self._sock: socket.socket | None = None
        self._guests: list[Channel] = []

    def open(self) -> None:
        """Listen; raises OSError, such as on a disk that cannot be written."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        umask = os.umask(0o177)
        try:
            sock.bind(_address(self._path))
        finally:
            os.umask(umask)
        sock.setblocking(False)
        sock.listen(_MAX_GUESTS)
        self._sock = sock
        self._keeper.watch(sock, self._accept)

    def close(self) -> None:
        """Stop listening and take the socket's name away."""
        if self._sock is None:
            return
        self._keeper.unwatch(self._sock)
        self._sock.close()
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
        for guest in list(self._guests):
            self._leave(guest)

    def _accept(self) -> None:
        if self._sock is None:
            return
        try:
            sock, _ = self._sock.accept()
        except OSError:
            return
        if not allowed(sock) or len(self._guests) >= _MAX_GUESTS:
            sock.close()
            return
        guest = Channel(sock)
        self._guests.append(guest)
        self._keeper.watch(guest, lambda: self._serve(guest))

    def _leave(self, guest: Channel) -> None:
        self._keeper.unwatch(guest)
        self._guests.remove(guest)
        guest.close()

    def _serve(self, guest: Channel) -> None:
        try:
            got = guest.receive()
        except EOFError:
            self._leave(guest)
            return
        except ValueError as error:
            guest.send({"op": "refused", "detail": f"no control request: {error}"})
            self._leave(guest)
            return
        if got is None:
            return
        for sock in got[1]:
            sock.close()
        self._answer(guest, got[0])

    def _answer(self, guest: Channel, packet: Packet) -> None:
        op = packet["op"]
        if op == "status":
            guest.send(self._status())
        elif op == "stop":
            guest.send({"op": "done"})
            self._keeper.stop()
        elif op == "restart":
            known = self._keeper.restart(str(packet.get("name", "")), asked=True)
            guest.send({"op": "done"} if known else _refusal("no such process"))
        elif op == "attach":
            link = self._keeper.attach()
            if link is None:
                guest.send(_refusal("core is not running"))
            else:
                guest.send({"op": "done", "name": link[0]}, link[1])
                link[1].close()
        else:
            guest.send(_refusal(f"unknown request {json.dumps(op)}"))

    def _status(self) -> Packet:
        keeper = self._keeper
        return {
            "op": "status",
            "pid": os.getpid(),
            "ready": keeper.ready,
            "stopping": keeper.stopping,
            "processes": {
                name: {
                    "state": child.state,
                    "pid": child.pid,
                    "starts": child.starts,
                    "detail": child.detail,
                }
                for name, child in keeper.children.items()
            },
        }


def _refusal(detail: str) -> Packet:
    return {"op": "refused", "detail": detail}


def _address(path: Path) -> str:
    """Return a name short enough for a Unix socket: by the open folder if needed."""
    name = os.fspath(path)
    if len(os.fsencode(name)) < 100:  # sun_path holds 107 bytes
        return name
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    return f"/proc/self/fd/{folder}/{path.name}"
