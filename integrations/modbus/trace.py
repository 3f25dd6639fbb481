"""What a recorded exchange comes to: the driver's own way from bytes to readings."""

from typing import Any

from integrations.modbus import decode, load
from integrations.modbus.wire import Sieve

#: Bytes of a read request over TCP; what follows in a trace is what came back.
REQUEST = 12
_FIRST = 40001


class TraceError(Exception):
    """The line holds no exchange."""


def exchange(data: bytes) -> dict[str, str]:
    """Return the answer that was found behind a request, or what was heard instead.

    ``data``: a request over TCP (12 bytes) and all bytes that came after it.
    Raises TraceError for less than a request.
    """
    if len(data) < REQUEST:
        raise TraceError("shorter than a request")
    sieve = Sieve(serial=False)
    sieve.trace(True, data[:REQUEST])
    frame = sieve.trace(False, data[REQUEST:])
    return {"answer": frame.hex()} if frame else {"heard": str(sieve.heard)}


def xnx(data: bytes) -> dict[str, Any]:
    """Return what an XNX transmitter says by its registers from 40001 on."""
    words = [int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)]
    image = {(3, number): word for number, word in enumerate(words[:64])}
    found = decode.decode(load.load("honeywell-xnx"), image)
    return {
        uid: {"value": one.value, "quality": one.quality.name, "reason": one.reason}
        for uid, one in found.items()
    }
