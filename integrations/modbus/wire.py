"""Find the one good answer among the bytes that a line really delivers.

The library's framers lose a good frame behind leading garbage, cannot tell a bad
checksum from silence, and raise inside the event loop on a malformed answer. So
they are only ever given a frame that answers the pending request.
"""

import enum

_EXCEPTION_PDU = 2
_WRITE_PDU = 5
#: No answer is longer: noise must not cost more the longer it is.
_LONGEST = 300


class Heard(enum.StrEnum):
    """Say what came back when no good answer did; the value is a reason code."""

    NOTHING = "modbus.silent"
    BROKEN = "modbus.bad_frame"
    OTHER_UNIT = "modbus.wrong_unit"


def crc16(data: bytes) -> bytes:
    """Return Modbus' checksum as it goes over the line (low byte first)."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc.to_bytes(2, "little")


class Sieve:
    """Remember a request and pick its answer out of what arrives."""

    def __init__(self, serial: bool) -> None:
        self.serial = serial
        self.heard = Heard.NOTHING
        self._request = b""

    def trace(self, sending: bool, data: bytes) -> bytes:
        """Serve as the library's packet hook: pass requests, sift answers."""
        if sending:
            self._request = data
            self.heard = Heard.NOTHING
            return data
        return self._sift(data)

    def _sift(self, data: bytes) -> bytes:
        """Return the answer to the pending request, or nothing so far."""
        if data and self.heard is Heard.NOTHING:
            self.heard = Heard.BROKEN
        pick = self._rtu if self.serial else self._tcp
        for start in range(len(data)):
            frame = pick(data[start : start + _LONGEST])
            if frame:
                return frame
        return b""

    def _answers(self, pdu: bytes, asked: bytes) -> int:
        """Return the length of the answer that ``pdu`` starts with, or 0."""
        if len(pdu) < _EXCEPTION_PDU:
            return 0
        if pdu[0] == asked[0] | 0x80:
            return _EXCEPTION_PDU
        if pdu[0] != asked[0]:
            return 0
        if asked[0] > 4:
            return _WRITE_PDU if pdu[:_WRITE_PDU] == asked else 0
        count = int.from_bytes(asked[3:5], "big")
        size = (count + 7) // 8 if asked[0] <= 2 else 2 * count
        return 2 + size if pdu[1] == size and len(pdu) >= 2 + size else 0

    def _rtu(self, data: bytes) -> bytes:
        unit, asked = self._request[0], self._request[1:-2]
        length = self._answers(data[1:], asked) if data else 0
        frame = data[: 1 + length + 2]
        if not length or len(frame) < length + 3 or crc16(frame[:-2]) != frame[-2:]:
            return b""
        if frame[0] != unit:
            self.heard = Heard.OTHER_UNIT
            return b""
        return frame

    def _tcp(self, data: bytes) -> bytes:
        asked = self._request
        if len(data) < 9 or data[:4] != asked[:4]:
            return b""
        length = self._answers(data[7:], asked[7:])
        if not length or int.from_bytes(data[4:6], "big") != length + 1:
            return b""
        if data[6] != asked[6]:
            self.heard = Heard.OTHER_UNIT
            return b""
        return data[: 7 + length]
