"""A gateway's own broker, as small as a simulator needs: MQTT 3.1.1, QoS 0.

It refuses version 5 as brokers of its age do, so that the hub's way back is used.
"""

import asyncio
from collections.abc import Iterator

_CONNECT, _SUBSCRIBE, _PING, _BYE = 1, 8, 12, 14
_MOST = 65_536


def matches(pattern: str, topic: str) -> bool:
    """Say whether a topic filter takes a topic."""
    wanted, given = pattern.split("/"), topic.split("/")
    for index, part in enumerate(wanted):
        if part == "#":
            return True
        if index >= len(given) or part not in ("+", given[index]):
            return False
    return len(wanted) == len(given)


def _packet(head: int, body: bytes) -> bytes:
    size, left = bytearray(), len(body)
    while left > 127:
        size.append(left & 127 | 128)
        left >>= 7
    size.append(left)
    return bytes([head]) + bytes(size) + body


def _publish(topic: str, payload: bytes, retain: bool) -> bytes:
    name = topic.encode()
    head = 0x31 if retain else 0x30
    return _packet(head, len(name).to_bytes(2, "big") + name + payload)


def _texts(data: bytes) -> Iterator[bytes]:
    while len(data) >= 2:
        size = int.from_bytes(data[:2], "big")
        yield data[2 : 2 + size]
        data = data[2 + size :]


class SimBroker:
    """Serve subscribers on a port of loopback."""

    def __init__(self, port: int, username: str = "", password: str = "") -> None:
        self.port = port
        self._login = (username.encode(), password.encode())
        self._server: asyncio.Server | None = None
        self._peers: dict[asyncio.StreamWriter, list[str]] = {}
        self._kept: dict[str, bytes] = {}

    async def start(self) -> None:
        """Listen; port 0 takes a free one and keeps it."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the listener and every connection."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self.drop()

    def drop(self) -> None:
        """Cut every connection."""
        for writer in self._peers:
            writer.transport.abort()

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """Send to whoever has subscribed; a slow reader is cut off."""
        if retain:
            self._kept[topic] = payload
        for writer, filters in self._peers.items():
            if any(matches(each, topic) for each in filters):
                if writer.transport.get_write_buffer_size() > _MOST:
                    writer.transport.abort()
                else:
                    writer.write(_publish(topic, payload, False))

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._peers[writer] = []
        try:
            while await self._take(reader, writer):
                await writer.drain()
        except (OSError, EOFError, ValueError, IndexError):
            writer.transport.abort()
        finally:
            self._peers.pop(writer, None)
            writer.close()

    async def _take(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Answer one packet; False ends the connection."""
        head = (await reader.readexactly(1))[0]
        size = shift = 0
        more = True
        while more:
            byte = (await reader.readexactly(1))[0]
            size |= (byte & 127) << shift
            shift, more = shift + 7, byte > 127
        if size > _MOST:
            raise ValueError("a packet beyond the bound")
        body = await reader.readexactly(size)
        kind = head >> 4
        if kind == _CONNECT:
            return self._connect(body, writer)
        if kind == _SUBSCRIBE:
            self._subscribe(body, writer)
        elif kind == _PING:
            writer.write(b"\xd0\x00")
        return kind != _BYE

    def _connect(self, body: bytes, writer: asyncio.StreamWriter) -> bool:
        level, flags = body[6], body[7]
        if level != 4:
            writer.write(b"\x20\x03\x00\x84\x00")  # unsupported protocol version
            return False
        fields = list(_texts(body[10:]))[1:]
        login = (
            fields[0] if flags & 0x80 else b"",
            fields[1] if flags & 0x40 else b"",
        )
        wrong = bool(self._login[0]) and login != self._login
        writer.write(b"\x20\x02\x00" + (b"\x05" if wrong else b"\x00"))
        return not wrong

    def _subscribe(self, body: bytes, writer: asyncio.StreamWriter) -> None:
        filters, rest = [], body[2:]
        while rest:
            size = int.from_bytes(rest[:2], "big")
            filters.append(rest[2 : 2 + size].decode())
            rest = rest[3 + size :]
        self._peers[writer] += filters
        writer.write(_packet(0x90, body[:2] + bytes(len(filters))))
        for topic, payload in self._kept.items():
            if any(matches(each, topic) for each in filters):
                writer.write(_publish(topic, payload, True))
