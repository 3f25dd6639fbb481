"""Frames of the link: a little-endian length of 4 bytes, then one message."""

import struct
from collections.abc import Callable

import msgspec

from core.link.messages import Message

#: A frame's message may be this long, its length field not counted.
MAX_FRAME = 1 << 20
_LENGTH = struct.Struct("<I")
_encode_into = msgspec.msgpack.Encoder().encode_into
_decode = msgspec.msgpack.Decoder(Message).decode


class FrameError(Exception):
    """Bytes that are no frame of ours; ``reason`` names what is wrong with them.

    Reasons: frame_empty, frame_too_large, frame_malformed, frame_unencodable.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def append(buffer: bytearray, message: Message) -> None:
    """Append one frame; raises FrameError, and then ``buffer`` is as before."""
    start = len(buffer)
    buffer += b"\0\0\0\0"
    try:
        _encode_into(message, buffer, -1)
    except (TypeError, ValueError, OverflowError, msgspec.MsgspecError) as error:
        del buffer[start:]
        raise FrameError(
            "frame_unencodable", f"{type(message).__name__}: {error}"
        ) from error
    length = len(buffer) - start - 4
    if length > MAX_FRAME:
        del buffer[start:]
        raise FrameError(
            "frame_too_large", f"{type(message).__name__} of {length} bytes"
        )
    _LENGTH.pack_into(buffer, start, length)


def encode(message: Message) -> bytes:
    """Return one frame, for a message that goes to many peers."""
    buffer = bytearray()
    append(buffer, message)
    return bytes(buffer)


class Decoder:
    """Cut a stream into messages; holds at most one unfinished frame."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes, take: Callable[[Message], None]) -> None:
        """Hand every whole message to ``take``; raises FrameError on the first bad.

        Messages before the bad one were handed on; after it the stream is lost.
        """
        if self._rest:
            data = self._rest + data
            self._rest = b""
        view, at, end = memoryview(data), 0, len(data)
        while end - at >= 4:
            length = _LENGTH.unpack_from(data, at)[0]
            if not 0 < length <= MAX_FRAME:
                raise _bad_length(length)
            if end - at - 4 < length:
                break
            at += 4 + length
            take(_message(view[at - length : at]))
        if at < end:
            self._rest = data[at:]

    @property
    def pending(self) -> int:
        """Return the bytes of the unfinished frame."""
        return len(self._rest)


def _message(data: memoryview) -> Message:
    try:
        message: Message = _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FrameError("frame_malformed", str(error)) from error
    return message


def _bad_length(length: int) -> FrameError:
    if length == 0:
        return FrameError("frame_empty", "a frame holds one message")
    return FrameError("frame_too_large", f"{length} bytes, at most {MAX_FRAME}")
