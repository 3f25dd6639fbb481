"""What the broker link holds: where the broker is, one session, what is owed."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from integrations.mqtt.wire import Wire

CONNECT_S = 5.0


@dataclass(slots=True, kw_only=True)
class Broker:
    """Say where the broker is and who we are to it."""

    host: str = "127.0.0.1"
    port: int = 1883
    username: str | None = None
    password: str | None = None
    client_id: str = "safehold"
    tls: bool = False
    ca_file: str | None = None


@dataclass(slots=True)
class Outgoing:
    """One publish, kept until the broker took it or ``expires_ns`` passed."""

    topic: str
    payload: bytes
    retain: bool
    expires_ns: int
    done: Callable[[str], None]
    """Called once: '' when the broker took it, else the code of why not."""


@dataclass(slots=True)
class Counters:
    """Count what support asks about first."""

    sessions: int = 0
    lost: int = 0
    fallbacks: int = 0
    last_error: str = ""
    refused_topics: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Session:
    """What one connection knows: ``moved`` wakes whoever waits for a change."""

    wire: Wire
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    ready: bool = False
    ended: bool = False
    refused: str = ""
    taken: dict[int, Outgoing] = field(default_factory=dict)
    asked: dict[int, list[str]] = field(default_factory=dict)
    granted: set[str] = field(default_factory=set)


def open_socket(broker: Broker) -> socket.socket:
    """Connect and shake hands, blocking: run it in a thread. Raises OSError."""
    sock = socket.create_connection((broker.host, broker.port), CONNECT_S)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if broker.tls:
            context = ssl.create_default_context(cafile=broker.ca_file)
            return context.wrap_socket(sock, server_hostname=broker.host)
    except BaseException:
        sock.close()
        raise
    return sock
