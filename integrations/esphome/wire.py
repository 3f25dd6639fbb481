"""Frames of the native API, as a node reads and writes them (the simulator's side).

Source: the protocol's own description in aioesphomeapi; plain frames begin with 0,
encrypted ones with 1 (Noise_NNpsk0_25519_ChaChaPoly_SHA256).
"""

import base64
from typing import Any

from cryptography.exceptions import InvalidTag
from noise.connection import NoiseConnection

MAX_FRAME = 65_535
_PROTOCOL = b"Noise_NNpsk0_25519_ChaChaPoly_SHA256"
_PROLOGUE = b"NoiseAPIInit\x00\x00"

Message = tuple[int, bytes]


class WireError(ValueError):
    """The bytes are no frame of this protocol."""


class WrongKey(WireError):
    """The client's key is not the node's; ``answer`` is what it is told."""

    def __init__(self, answer: bytes) -> None:
        super().__init__("another key, or none")
        self.answer = answer


def varint(value: int) -> bytes:
    """Return an unsigned number in seven bits a byte, the lowest first."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def read_varint(data: bytes, at: int) -> tuple[int, int] | None:
    """Return a number and the place behind it, None when more is to come."""
    value = 0
    for count in range(4):
        if at + count >= len(data):
            return None
        byte = data[at + count]
        value |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            return value, at + count + 1
    raise WireError("a number of more than four bytes")


class Plain:
    """Read and write frames in clear."""

    ready = True

    def __init__(self) -> None:
        self._held = b""

    def receive(self, data: bytes) -> tuple[list[Message], bytes]:
        """Return the messages that are whole, and what to send at once."""
        self._held += data
        found: list[Message] = []
        while self._held:
            if self._held[0] != 0:
                raise WireError("a frame in clear begins with 0")
            size = read_varint(self._held, 1)
            kind = None if size is None else read_varint(self._held, size[1])
            if size is None or kind is None or len(self._held) < kind[1] + size[0]:
                if len(self._held) > MAX_FRAME:
                    raise WireError("a frame too long")
                break
            found.append((kind[0], self._held[kind[1] : kind[1] + size[0]]))
            self._held = self._held[kind[1] + size[0] :]
        return found, b""

    def frame(self, kind: int, body: bytes) -> bytes:
        """Return a message as it is sent."""
        return b"\0" + varint(len(body)) + varint(kind) + body


class Noise:
    """Answer the handshake of a client that has the key, then encrypt."""

    def __init__(self, key: str, name: str, mac: str) -> None:
        self._hello = f"\x01{name}\0{mac}\0".encode()
        self._proto: Any = NoiseConnection.from_name(_PROTOCOL)
        self._proto.set_as_responder()
        self._proto.set_psks(base64.b64decode(key))
        self._proto.set_prologue(_PROLOGUE)
        self._proto.start_handshake()
        self._held = b""
        self._greeted = False
        self.ready = False

    def receive(self, data: bytes) -> tuple[list[Message], bytes]:
        """Return the messages that are whole, and what to send at once."""
        self._held += data
        found: list[Message] = []
        answer = b""
        while len(self._held) >= 3:
            if self._held[0] != 1:
                if self._greeted:
                    raise WireError("an encrypted frame begins with 1")
                raise WrongKey(_sized(b"\x01Bad indicator byte"))
            size = int.from_bytes(self._held[1:3], "big")
            if len(self._held) < 3 + size:
                break
            frame, self._held = self._held[3 : 3 + size], self._held[3 + size :]
            if self.ready:
                found.append(self._opened(frame))
            else:
                answer = self._shake(frame, answer)
        return found, answer

    def _shake(self, frame: bytes, answer: bytes) -> bytes:
        if not self._greeted:
            self._greeted = True
            return answer + _sized(self._hello)
        try:
            self._proto.read_message(frame[1:])
            found = self._proto.write_message()
        except (InvalidTag, ValueError, IndexError) as wrong:
            refusal = _sized(b"\x01Handshake MAC failure")
            raise WrongKey(answer + refusal) from wrong
        self.ready = True
        return answer + _sized(b"\0" + bytes(found))

    def _opened(self, frame: bytes) -> Message:
        try:
            text = bytes(self._proto.decrypt(frame))
        except InvalidTag as wrong:
            raise WireError("a frame that was not encrypted for us") from wrong
        size = int.from_bytes(text[2:4], "big")
        if len(text) < 4 + size:
            raise WireError("a message shorter than it says")
        return int.from_bytes(text[:2], "big"), text[4 : 4 + size]

    def frame(self, kind: int, body: bytes) -> bytes:
        """Return a message as it is sent."""
        head = kind.to_bytes(2, "big") + len(body).to_bytes(2, "big")
        return _sized(bytes(self._proto.encrypt(head + body)))


def _sized(data: bytes) -> bytes:
    return b"\x01" + len(data).to_bytes(2, "big") + data
