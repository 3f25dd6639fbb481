"""Bodies of JT/T 808 messages: typed, or one named error."""

import struct
from datetime import datetime, timedelta, timezone
from typing import Final, NamedTuple

from integrations.helmet.frame import FrameError

ANSWER, HEARTBEAT, LOGOUT, REGISTER, AUTH = 0x0001, 0x0002, 0x0003, 0x0100, 0x0102
LOCATION, BATCH = 0x0200, 0x0704
GENERAL, REGISTERED, TEXT = 0x8001, 0x8100, 0x8300
#: Results of a general answer, and of a registration.
DONE, FAILED, WRONG, UNSUPPORTED = 0, 1, 2, 3
NO_TERMINAL: Final = 4
#: The protocol's clocks all tell Chinese time.
_CHINA = timezone(timedelta(hours=8))
_MAX_ITEMS, _MAX_BATCH = 200, 200
_LOCATED, _SOUTH, _WEST = 0x2, 0x4, 0x8


class Location(NamedTuple):
    """Hold one position report; ``at`` is POSIX seconds, None when it has no time."""

    alarm: int
    status: int
    lat: float
    lon: float
    altitude_m: int
    speed_kmh: float
    course: int
    at: float | None
    items: tuple[tuple[int, bytes], ...]

    @property
    def located(self) -> bool:
        """Say whether the receiver has a fix."""
        return bool(self.status & _LOCATED)


class Registration(NamedTuple):
    """Hold what a terminal says of itself before it is known."""

    maker: str
    model: str
    id: str
    plate: str


def location(body: bytes) -> Location:
    """Return a 0x0200 body; raises FrameError."""
    if len(body) < 28:
        raise FrameError("a position of fewer than 28 bytes")
    alarm, status, lat, lon = struct.unpack_from(">IIII", body)
    altitude, speed, course = struct.unpack_from(">hHH", body, 16)
    if lat > 90_000_000 or lon > 180_000_000:
        raise FrameError("a position that is not on the Earth")
    return Location(
        alarm,
        status,
        lat / 1e6 * (-1 if status & _SOUTH else 1),
        lon / 1e6 * (-1 if status & _WEST else 1),
        altitude,
        speed / 10,
        course,
        _time(body[22:28]),
        _items(body[28:]),
    )


def _time(data: bytes) -> float | None:
    """Return POSIX seconds; None for what a terminal without a clock sends."""
    digits = data.hex()
    try:
        told = datetime.strptime(digits, "%y%m%d%H%M%S")  # noqa: DTZ007 - set below
    except ValueError:
        return None
    return told.replace(tzinfo=_CHINA).timestamp()


def _items(data: bytes) -> tuple[tuple[int, bytes], ...]:
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data):
        if at + 2 > len(data) or at + 2 + data[at + 1] > len(data):
            raise FrameError("an additional item that ends before its length")
        if len(found) >= _MAX_ITEMS:
            raise FrameError("too many additional items")
        end = at + 2 + data[at + 1]
        found.append((data[at], data[at + 2 : end]))
        at = end
    return tuple(found)


def batch(body: bytes) -> tuple[bool, tuple[bytes, ...]]:
    """Return whether a 0x0704 body is of the past, and its reports; FrameError."""
    if len(body) < 3:
        raise FrameError("a batch without a head")
    count, kind = struct.unpack_from(">HB", body)
    if count > _MAX_BATCH:
        raise FrameError(f"a batch of {count}")
    found: list[bytes] = []
    at = 3
    for _ in range(count):
        if at + 2 > len(body):
            raise FrameError("a batch that ends too early")
        (length,) = struct.unpack_from(">H", body, at)
        report = body[at + 2 : at + 2 + length]
        if len(report) != length:
            raise FrameError("a batch that ends too early")
        found.append(report)
        at += 2 + length
    return kind == 1, tuple(found)


def authentication(body: bytes, *, new: bool) -> str:
    """Return the code of a 0x0102 body; raises FrameError."""
    if new:
        if not body or len(body) < 1 + body[0]:
            raise FrameError("a code that ends too early")
        body = body[1 : 1 + body[0]]
    return _text(body)


def registration(body: bytes, *, new: bool) -> Registration:
    """Return a 0x0100 body; raises FrameError.

    Without a version the widths of 2013 are taken, and those of 2011 for a body
    that is too short for them.
    """
    widths = (11, 30, 30) if new else (5, 20, 7) if len(body) >= 37 else (5, 8, 7)
    if len(body) < 4 + sum(widths) + 1:
        raise FrameError("a registration that ends too early")
    at, found = 4, []
    for width in widths:
        found.append(_text(body[at : at + width]))
        at += width
    return Registration(found[0], found[1], found[2], _text(body[at + 1 :]))


def answer(body: bytes) -> tuple[int, int, int]:
    """Return number, message and result that a 0x0001 body answers; FrameError."""
    if len(body) != 5:
        raise FrameError("an answer is five bytes")
    seq, number, result = struct.unpack(">HHB", body)
    return seq, number, result


def general(seq: int, number: int, result: int) -> bytes:
    """Return the body of an 0x8001 answer."""
    return struct.pack(">HHB", seq, number, result)


def registered(seq: int, result: int, code: str = "") -> bytes:
    """Return the body of an 0x8100 answer."""
    return struct.pack(">HB", seq, result) + code.encode("gbk", "replace")


def spoken(text: str, *, new: bool) -> bytes:
    """Return the body of an 0x8300: urgent, shown and spoken.

    Cut at 1,000 bytes: a longer text would not fit into a frame.
    """
    said = text.encode("gbk", "replace")[:1000]
    # 2013: bit 0 emergency. 2019: bits 0-1 = 2, urgent; then a byte for 'notification'.
    return (bytes([0x0E, 1]) if new else bytes([0x0D])) + said


def _text(data: bytes) -> str:
    """Return a padded text; what is no text of the protocol becomes a mark."""
    return data.strip(b"\0 ").decode("gbk", "replace")
