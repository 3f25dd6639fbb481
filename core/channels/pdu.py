"""SMS as a modem takes them in PDU mode (3GPP TS 23.040): sent as UCS-2, read as both.

Every message goes out as UCS-2, which carries Chinese; a long one in parts that the
phone joins. Replies and delivery reports are read.
"""

import re

import msgspec

#: UTF-16 bytes of a message that is one part, and of each part of a longer one.
SINGLE, PART = 140, 134
#: So many parts at most: beyond it a text is cut.
MOST_PARTS = 4
#: Relative validity of an hour (23.040 9.2.3.12.1): an old alarm helps nobody.
_HOUR = 11
_GSM = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)


class BadPdu(ValueError):
    """A line of the modem that is no message."""


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """Hold an SMS that came in."""

    number: str
    text: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Hold a delivery report: what became of the part with this reference."""

    reference: int
    number: str
    state: str
    """delivered, waiting or failed."""


def submit(number: str, text: str, reference: int) -> list[str]:
    """Return the parts of a message as hex, each asking for a delivery report.

    ``reference`` (0 to 255) joins the parts on the phone. Raises ValueError.
    """
    address = _address(number)
    data = _cut(text)
    parts = [data] if len(data) <= SINGLE else _split(data)
    made = []
    for index, part in enumerate(parts, 1):
        head = b""
        if len(parts) > 1:
            head = bytes([5, 0, 3, reference & 255, len(parts), index])
        # Submit, relative validity, report wanted; 0x40: a header joins parts.
        first = 0x01 | 0x10 | 0x20 | (0x40 if head else 0)
        body = head + part
        pdu = bytes([0, first, 0]) + address + bytes([0, 8, _HOUR, len(body)]) + body
        made.append(pdu.hex().upper())
    return made


def length(pdu: str) -> int:
    """Return what AT+CMGS is told: the bytes behind the service centre's."""
    data = bytes.fromhex(pdu)
    return len(data) - 1 - data[0]


def read(pdu: str) -> Received | Report:
    """Return what a line of hex from the modem says; raises BadPdu."""
    try:
        data = bytes.fromhex(pdu.strip())
        return _read(data[1 + data[0] :])
    except (ValueError, IndexError) as bad:
        raise BadPdu(f"no SMS: {type(bad).__name__}") from bad


def _read(data: bytes) -> Received | Report:
    kind = data[0] & 0x03
    if kind == 2:
        number, at = _number(data, 2)
        state = data[at + 14]
        return Report(reference=data[1], number=number, state=_state(state))
    if kind != 0:
        raise BadPdu(f"type {kind}")
    number, at = _number(data, 1)
    coding, size = data[at + 1], data[at + 9]
    rest = data[at + 10 :]
    has_head = bool(data[0] & 0x40)
    if coding & 0x0C == 0x08:
        body = rest[:size]
        text = body[1 + body[0] if has_head else 0 :].decode("utf-16-be", "replace")
    elif coding & 0x0C == 0x04:
        body = rest[:size]
        text = body[1 + body[0] if has_head else 0 :].decode("latin-1")
    else:
        text = _septets(rest, size, rest[0] + 1 if has_head else 0)
    return Received(number=number, text=text)


def _state(status: int) -> str:
    """Say what a status means (23.040 9.2.3.15)."""
    if status < 0x20:
        return "delivered"
    return "waiting" if status < 0x40 else "failed"


def _cut(text: str) -> bytes:
    """Return a text as UTF-16, cut to what may be sent."""
    data = text.encode("utf-16-be")
    most = MOST_PARTS * (PART - 2)
    if len(data) <= most:
        return data
    kept = data[: most - 2].decode("utf-16-be", "ignore")
    return (kept + "…").encode("utf-16-be")


def _split(data: bytes) -> list[bytes]:
    parts, at = [], 0
    while at < len(data):
        end = min(at + PART, len(data))
        # A part never ends within a pair that is one character.
        if end < len(data) and 0xD8 <= data[end - 2] <= 0xDB:
            end -= 2
        parts.append(data[at:end])
        at = end
    return parts


def _address(number: str) -> bytes:
    plain = number.removeprefix("sms:").replace(" ", "").replace("-", "")
    digits = plain.removeprefix("+")
    if not re.fullmatch(r"[0-9]{3,20}", digits):
        raise ValueError("no phone number")
    kind = 0x91 if plain.startswith("+") else 0x81
    padded = digits + ("F" if len(digits) % 2 else "")
    swapped = "".join(padded[i + 1] + padded[i] for i in range(0, len(padded), 2))
    return bytes([len(digits), kind]) + bytes.fromhex(swapped)


def _number(data: bytes, at: int) -> tuple[str, int]:
    """Return an address and where it ends."""
    digits, kind = data[at], data[at + 1]
    size = (digits + 1) // 2
    raw = data[at + 2 : at + 2 + size]
    end = at + 2 + size
    if kind & 0x70 == 0x50:
        return _septets(raw, digits * 4 // 7, 0), end
    swapped = "".join(f"{byte & 15:x}{byte >> 4:x}" for byte in raw)[:digits]
    return ("+" if kind & 0x70 == 0x10 else "") + swapped, end


def _septets(data: bytes, count: int, skip: int) -> str:
    """Return text of 7 bits a character, behind ``skip`` bytes of header."""
    number = int.from_bytes(data, "little")
    first = -(-skip * 8 // 7)
    codes = [(number >> 7 * i) & 0x7F for i in range(first, count)]
    return "".join(_GSM[code] for code in codes)
