"""Speak to a running keeper through its control socket (for the CLI and tests)."""

import os
import socket
from pathlib import Path

from core.processes.control import Channel, Packet
from core.processes.door import NAME

_TIMEOUT_S = 5.0


class NotRunning(Exception):
    """No hub answers on this data folder; names the socket, why, and the mend."""


def ask(data: Path, packet: Packet) -> tuple[Packet, list[socket.socket]]:
    """Send one request to the keeper of ``data``; returns its answer.

    Raises NotRunning, or TimeoutError when the keeper does not answer in 5 s.
    """
    path = data / "run" / NAME
    folder = -1
    try:
        folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            sock.connect(f"/proc/self/fd/{folder}/{NAME}")
        except OSError:
            sock.close()
            raise
    except OSError as error:
        raise NotRunning(f"{path}: {_why(data, error)}") from error
    finally:
        if folder >= 0:
            os.close(folder)
    channel = Channel(sock)
    sock.settimeout(_TIMEOUT_S)
    try:
        if not channel.send(packet):
            raise NotRunning(f"{path}: closed")
        got = channel.receive()
    except EOFError as error:
        raise NotRunning(f"{path}: {error}") from error
    finally:
        channel.close()
    if got is None:
        raise TimeoutError(f"{path}: no answer in {_TIMEOUT_S:.0f} s")
    return got


def _why(data: Path, error: OSError) -> str:
    """Return what a person can do about a control socket that does not open."""
    if isinstance(error, PermissionError):
        return "no permission: only the hub's own system user may ask it"
    if isinstance(error, FileNotFoundError | ConnectionRefusedError):
        if not os.path.lexists(data):
            return "there is no such data folder"
        return f"no hub runs here; 'safehold run --data {data}' starts it"
    return str(error.strerror)
