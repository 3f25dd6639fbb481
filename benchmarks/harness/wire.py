"""The little of MQTT 3.1.1 that a load and a stopwatch need, at a known cost.

Not a library's client: the same few microseconds a message must be spent whatever
the measured systems use.
"""

import socket
from collections.abc import Iterator

CONNACK, PUBLISH, SUBACK = 2, 3, 9
PING = b"\xc0\x00"


def _sized(head: int, body: bytes) -> bytes:
    size, length = bytearray(), len(body)
    while True:
        length, low = divmod(length, 128)
        size.append(low | (128 if length else 0))
        if not length:
            return bytes([head]) + bytes(size) + body


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2, "big") + data


def connect(client_id: str, user: str = "", password: str = "") -> bytes:
    """Return a CONNECT of a clean session without keep-alive."""
    flags, login = 0x02, b""
    if user:
        flags, login = 0xC2, _text(user) + _text(password)
    fixed = _text("MQTT") + bytes([4, flags, 0, 0])
    return _sized(0x10, fixed + _text(client_id) + login)


def subscribe(*filters: str) -> bytes:
    """Return a SUBSCRIBE of QoS 0."""
    wanted = b"".join(_text(each) + b"\0" for each in filters)
    return _sized(0x82, b"\0\x01" + wanted)


def publish(topic: str, payload: bytes, retain: bool = False) -> bytes:
    """Return a PUBLISH of QoS 0."""
    return _sized(0x31 if retain else 0x30, _text(topic) + payload)


def dial(
    port: int, client_id: str, user: str = "", password: str = ""
) -> socket.socket:
    """Return a blocking connection, past its CONNACK; raises OSError."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=10)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(connect(client_id, user, password))
    answer = sock.recv(4)
    if len(answer) != 4 or answer[0] >> 4 != CONNACK or answer[3]:
        sock.close()
        raise ConnectionError(f"broker on {port}: no CONNACK but {answer!r}")
    return sock


def packets(inbox: bytearray) -> Iterator[tuple[int, int, bytes]]:
    """Yield and remove the whole packets at the front: kind, flags, body."""
    at, end = 0, len(inbox)
    while end - at >= 2:
        length, shift, cut = 0, 0, at + 1
        while cut < end:
            byte = inbox[cut]
            length |= (byte & 127) << shift
            shift, cut = shift + 7, cut + 1
            if byte < 128:
                break
        else:
            break
        if end - cut < length:
            break
        head = inbox[at]
        at = cut + length
        yield head >> 4, head & 15, bytes(inbox[cut:at])
    del inbox[:at]


def message(flags: int, body: bytes) -> tuple[str, bytes]:
    """Return topic and payload of a PUBLISH."""
    cut = 2 + int.from_bytes(body[:2], "big")
    return body[2:cut].decode(), body[cut + (2 if flags & 6 else 0) :]
