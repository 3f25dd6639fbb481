"""Pictures for the crew's phones: small, of one colour, real PNG."""

import zlib

_WIDE, _HIGH = 48, 36


def picture(red: int, green: int, blue: int) -> bytes:
    """Return a picture of one colour, 48 by 36 pixels, as PNG."""
    row = b"\0" + bytes((red, green, blue)) * _WIDE
    head = _WIDE.to_bytes(4, "big") + _HIGH.to_bytes(4, "big") + b"\x08\x02\0\0\0"
    parts = (
        (b"IHDR", head),
        (b"IDAT", zlib.compress(row * _HIGH)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
