"""What a scan sends, and what the bytes that come back say; no I/O."""

from collections.abc import Mapping
from types import MappingProxyType

from integrations.modbus.wire import crc16

#: Read registers, read input registers, report server id, read device identification.
READS: Mapping[int, bytes] = MappingProxyType(
    {
        3: bytes([3, 0, 0, 0, 1]),
        4: bytes([4, 0, 0, 0, 1]),
        0x11: bytes([0x11]),
        0x2B: bytes([0x2B, 0x0E, 1, 0]),
    }
)
MAX_FRAME = 260
#: A device that says so is there; others mean that a gateway found nobody.
_PRESENT = (1, 2, 3, 5, 6)
_OBJECTS = {0: "manufacturer", 1: "product", 2: "revision", 4: "name", 5: "model"}


class BadAnswer(ValueError):
    """Bytes that answer no request of ours."""


def identification(pdu: bytes) -> dict[str, str]:
    """Return the facts of an answer to 0x2B/0x0E; raises BadAnswer."""
    if len(pdu) < 7 or pdu[:2] != b"\x2b\x0e":
        raise BadAnswer("no device identification")
    found: dict[str, str] = {}
    at = 7
    for _ in range(pdu[6]):
        if at + 2 > len(pdu) or at + 2 + pdu[at + 1] > len(pdu):
            raise BadAnswer("an object is cut off")
        text = _text(pdu[at + 2 : at + 2 + pdu[at + 1]])
        if pdu[at] in _OBJECTS and text:
            found[_OBJECTS[pdu[at]]] = text
        at += 2 + pdu[at + 1]
    return found


def server_id(pdu: bytes) -> dict[str, str]:
    """Return the facts of an answer to 0x11; raises BadAnswer."""
    if len(pdu) < 3 or pdu[0] != 0x11 or pdu[1] != len(pdu) - 2:
        raise BadAnswer("no server id")
    text = _text(pdu[2:])
    return {"server_id": text if len(text) > 2 else pdu[2:34].hex()}


def _text(data: bytes) -> str:
    text = data[:80].decode("latin-1")
    return "".join(c for c in text if c.isascii() and c.isprintable()).strip()


def present(pdu: bytes, function: int) -> bool:
    """Say whether an answer shows a device; raises BadAnswer."""
    if len(pdu) >= 2 and pdu[0] == function | 0x80:
        return pdu[1] in _PRESENT
    if len(pdu) >= 2 and pdu[0] == function:
        if function in (3, 4) and (pdu[1] != len(pdu) - 2 or pdu[1] != 2):
            raise BadAnswer("another number of registers")
        return True
    raise BadAnswer(f"no answer to function {function}")


def rtu_pdu(frame: bytes, unit: int) -> bytes:
    """Return the one good frame's inside; raises BadAnswer."""
    if not 5 <= len(frame) <= MAX_FRAME:
        raise BadAnswer("no frame")
    if crc16(frame[:-2]) != frame[-2:]:
        raise BadAnswer("a broken checksum")
    if frame[0] != unit:
        raise BadAnswer("another unit")
    return frame[1:-2]


def foreign(heard: bytes, unit: int) -> bool:
    """Say whether a whole frame that is not the asked unit's is among bytes.

    Nobody was asked that: it is another master's question or the answer to one. A
    question (8 bytes) is found in the midst of other bytes too.
    """
    windows = [heard[at : at + 8] for at in range(len(heard) - 7)]
    return any(
        len(frame) > 4 and frame[0] != unit and crc16(frame[:-2]) == frame[-2:]
        for frame in (heard, *(each for each in windows if 0 < each[1] <= 6))
    )
