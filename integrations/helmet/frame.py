"""Frames of JT/T 808, both header versions: bytes to messages and back, nothing else.

Source: JT/T 808-2011, -2013 (six bytes of phone number) and -2019 (version byte, ten).
"""

import struct
from typing import Final, NamedTuple

from core.api import SafeholdError

FLAG: Final = 0x7E
_ESCAPE, _FLAG_AS, _ESCAPE_AS = 0x7D, 0x02, 0x01
#: Bits of a header's attributes.
_LENGTH, _ENCRYPTED, _PART, _NEW = 0x03FF, 0x1C00, 0x2000, 0x4000
#: A frame may be so long between its flags: header, body and check, all escaped.
MAX_RAW: Final = 2 * (21 + _LENGTH + 1)
#: A message in parts: so many of them, and so many bytes in all.
MAX_PARTS, MAX_MESSAGE = 64, 64 * 1024
#: Messages of one terminal that may be half here at once.
_MAX_OPEN = 4


class FrameError(SafeholdError):
    """Bytes are no frame or no message of the protocol; the text says why."""

    code = "helmet.bad_frame"


class Frame(NamedTuple):
    """Hold one frame; ``phone`` has its leading zeros, twelve or twenty digits."""

    id: int
    phone: str
    seq: int
    body: bytes = b""
    version: int | None = None
    """Of the 2019 header; None: the header of 2011 and 2013."""
    total: int = 1
    part: int = 1


def parse(raw: bytes) -> Frame:
    """Return what stands between two flags; raises FrameError."""
    if len(raw) > MAX_RAW:
        raise FrameError("too long")
    data = unescape(raw)
    if len(data) < 13:
        raise FrameError("too short for a header")
    if _xor(data[:-1]) != data[-1]:
        raise FrameError("wrong check byte")
    number, attributes = struct.unpack_from(">HH", data)
    if attributes & _ENCRYPTED:
        raise FrameError("encrypted, and no key is agreed")
    version, at = None, 4
    if attributes & _NEW:
        version, at = data[4], 5
    digits = 6 if version is None else 10
    length = at + digits + 2 + (4 if attributes & _PART else 0)
    if len(data) - 1 != length + (attributes & _LENGTH):
        raise FrameError("length and body differ")
    phone = bcd(data[at : at + digits])
    (seq,) = struct.unpack_from(">H", data, at + digits)
    total = part = 1
    if attributes & _PART:
        total, part = struct.unpack_from(">HH", data, at + digits + 2)
        if not 1 <= part <= total <= MAX_PARTS:
            raise FrameError(f"part {part} of {total}")
    return Frame(number, phone, seq, data[length:-1], version, total, part)


def build(frame: Frame) -> bytes:
    """Return a frame's bytes with both flags; raises FrameError."""
    if len(frame.body) > _LENGTH:
        raise FrameError("a body is longer than 1023 bytes")
    attributes = len(frame.body)
    head = b""
    digits = 12
    if frame.version is not None:
        attributes |= _NEW
        head, digits = bytes([frame.version]), 20
    if frame.total > 1:
        attributes |= _PART
    data = struct.pack(">HH", frame.id, attributes) + head
    data += unbcd(frame.phone.rjust(digits, "0")[-digits:])
    data += struct.pack(">H", frame.seq & 0xFFFF)
    if frame.total > 1:
        data += struct.pack(">HH", frame.total, frame.part)
    data += frame.body
    flag = bytes([FLAG])
    return flag + escape(data + bytes([_xor(data)])) + flag


def escape(data: bytes) -> bytes:
    """Return bytes in which no flag stands."""
    data = data.replace(b"\x7d", bytes([_ESCAPE, _ESCAPE_AS]))
    return data.replace(b"\x7e", bytes([_ESCAPE, _FLAG_AS]))


def unescape(raw: bytes) -> bytes:
    """Return the bytes that were escaped; raises FrameError."""
    if _ESCAPE not in raw:
        return raw
    found = bytearray()
    rest = iter(raw)
    for each in rest:
        if each != _ESCAPE:
            found.append(each)
            continue
        after = next(rest, None)
        if after not in (_FLAG_AS, _ESCAPE_AS):
            raise FrameError("an escape byte escapes nothing")
        found.append(FLAG if after == _FLAG_AS else _ESCAPE)
    return bytes(found)


def bcd(data: bytes) -> str:
    """Return the digits of packed bytes; raises FrameError."""
    text = data.hex()
    if not text.isdecimal():
        raise FrameError("a digit above nine")
    return text


def unbcd(digits: str) -> bytes:
    """Return packed bytes of an even number of digits; raises FrameError."""
    if not (digits.isascii() and digits.isdecimal()) or len(digits) % 2:
        raise FrameError("not an even number of digits")
    return bytes.fromhex(digits)


def _xor(data: bytes) -> int:
    check = 0
    for each in data:
        check ^= each
    return check


class Splitter:
    """Cut a stream at its flags; holds at most one frame's bytes."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._over = False
        """True while the bytes of a frame that is too long are thrown away."""

    def feed(self, data: bytes) -> list[bytes]:
        """Return what stood between flags; empty pieces are none.

        A piece that is too long comes cut, so that its parsing fails and is counted.
        """
        found = []
        pieces = data.split(bytes([FLAG]))
        for number, piece in enumerate(pieces):
            if not self._over:
                self._held += piece
            if len(self._held) > MAX_RAW:
                found.append(bytes(self._held[: MAX_RAW + 1]))
                self._held.clear()
                self._over = True
            if number < len(pieces) - 1:
                if self._held:
                    found.append(bytes(self._held))
                    self._held.clear()
                self._over = False
        return found


class Parts:
    """Put messages of several frames together; bounded in count and in bytes."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, int], dict[int, bytes]] = {}

    def take(self, frame: Frame) -> Frame | None:
        """Return the whole message, None while parts are missing; raises FrameError."""
        if frame.total == 1:
            return frame
        # Parts are numbered one after the other: so the first names the message.
        key = frame.id, (frame.seq - frame.part + 1) & 0xFFFF
        if key not in self._open and len(self._open) >= _MAX_OPEN:
            del self._open[next(iter(self._open))]
        parts = self._open.setdefault(key, {})
        parts[frame.part] = frame.body
        if sum(map(len, parts.values())) > MAX_MESSAGE:
            del self._open[key]
            raise FrameError("a message of more than 64 KiB")
        if len(parts) < frame.total:
            return None
        del self._open[key]
        if sorted(parts) != list(range(1, frame.total + 1)):
            raise FrameError("parts that do not fit together")
        body = b"".join(parts[each] for each in sorted(parts))
        return frame._replace(body=body, total=1, part=1)
