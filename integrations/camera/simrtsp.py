"""An RTSP server of one simulated camera: H.264 over one TCP connection.

As much of RFC 2326 and RFC 6184 as a player needs: OPTIONS, DESCRIBE, SETUP, PLAY,
TEARDOWN, interleaved RTP, fragments; digest authentication where the camera has a
password.
"""

import asyncio
import contextlib
import hashlib
import os
import re
import secrets
import struct
from collections.abc import Iterator
from fractions import Fraction

import av

from core.api.clock import NS, loop_ns
from integrations.camera.simulated import SimulatedCamera

_FPS = 5
_PAYLOAD = 1_200
_FIELD = re.compile(r'(\w+)="([^"]*)"')
_METHOD = re.compile(r"([A-Z_]{4,16}) rtsp://")
_START = re.compile(b"\0\0\0?\x01")


class Rtsp:
    """Serve one camera's stream on one port."""

    fps = _FPS

    def __init__(self, camera: SimulatedCamera) -> None:
        self.camera = camera
        self.port: int = camera.options.get("rtsp_port", 0)
        self._nonce = secrets.token_hex(16)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._codec: av.VideoCodecContext | None = None

    async def start(self) -> None:
        """Listen; a free port is kept for the next time."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more; cut what is open."""
        self.drop()
        if self._server is not None:
            self._server.close()
            self._server = None

    def drop(self) -> None:
        """Cut every connection."""
        for writer in self._open:
            writer.transport.abort()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._open.add(writer)
        playing: asyncio.Task[None] | None = None
        try:
            while True:
                request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                await self.camera.speaks.wait()
                found = _METHOD.search(request)  # reports of the player may precede it
                method = found.group(1) if found else ""
                writer.write(self._answer(method, request))
                await writer.drain()
                if method == "PLAY" and playing is None and self._allowed(request):
                    play = self._play(writer)
                    playing = asyncio.get_running_loop().create_task(play)
                if method == "TEARDOWN":
                    break
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass  # the player has gone
        finally:
            self._open.discard(writer)
            if playing is not None:
                playing.cancel()
                await asyncio.gather(playing, return_exceptions=True)
            writer.close()

    def _answer(self, method: str, request: str) -> bytes:
        number = re.search(r"(?im)^CSeq:\s*(\d+)", request)
        lines = [f"CSeq: {number.group(1) if number else 0}"]
        body = ""
        if method != "OPTIONS" and not self._allowed(request):
            lines.append(f'WWW-Authenticate: Digest realm="sim", nonce="{self._nonce}"')
            return _letter("401 Unauthorized", lines, "")
        if method == "OPTIONS":
            lines.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
        elif method == "DESCRIBE":
            body = (
                "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=sim\r\nt=0 0\r\n"
                "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
                "a=fmtp:96 packetization-mode=1\r\na=control:track1\r\n"
            )
            lines.append("Content-Type: application/sdp")
        elif method == "SETUP":
            lines.append("Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
            lines.append("Session: 1;timeout=60")
        else:
            lines.append("Session: 1")
        return _letter("200 OK", lines, body)

    def _allowed(self, request: str) -> bool:
        camera = self.camera
        if not camera.user:
            return True
        head = re.search(r"(?im)^Authorization:\s*Digest\s+(.*)$", request)
        told = dict(_FIELD.findall(head.group(1))) if head else {}
        one = _md5(f"{camera.user}:sim:{camera.password}")
        found = _METHOD.search(request)
        two = _md5(f"{found.group(1) if found else ''}:{told.get('uri', '')}")
        right = _md5(f"{one}:{self._nonce}:{two}")
        return told.get("response") == right

    async def _play(self, writer: asyncio.StreamWriter) -> None:
        """Send pictures until the player leaves; every one of them a key picture."""
        source, sequence, number = int.from_bytes(os.urandom(4), "big"), 0, 0
        last: list[bytes] = []
        with contextlib.suppress(OSError):
            while True:
                faults = self.camera.faults
                await self.camera.speaks.wait()
                await asyncio.sleep(1 / (self.fps * faults.rate) + faults.slow)
                if not (faults.frozen and last):
                    last = self.units(number)
                    number += 1
                stamp = loop_ns() * 90_000 // NS & 0xFFFFFFFF
                for unit, end in _with_end(last):
                    for payload, marked in _fragments(unit, end):
                        sequence = sequence + 1 & 0xFFFF
                        head = struct.pack(
                            "!BBHII", 0x80, 96 | marked << 7, sequence, stamp, source
                        )
                        data = head + (
                            os.urandom(len(payload)) if faults.garbage else payload
                        )
                        writer.write(b"$\0" + struct.pack("!H", len(data)) + data)
                        if faults.half:
                            writer.transport.abort()
                            return
                await writer.drain()

    def units(self, number: int) -> list[bytes]:
        """Return the units of the next picture."""
        if self._codec is None:
            scene = self.camera.scene
            self._codec = encoder(scene.width, scene.height, self.fps, key_every=1)
        frame = av.VideoFrame.from_ndarray(self.camera.scene.pixels(), format="rgb24")
        frame = frame.reformat(format="yuv420p")
        frame.pts = number
        packets = self._codec.encode(frame)
        return units_of(b"".join(bytes(packet) for packet in packets))


def units_of(data: bytes) -> list[bytes]:
    """Return the units of H.264 in its byte stream form."""
    return [unit for unit in _START.split(data) if unit]


def encoder(
    width: int, height: int, fps: int, *, key_every: int
) -> av.VideoCodecContext:
    """Return an H.264 encoder; ``key_every``: pictures between two key pictures."""
    codec = av.CodecContext.create("libx264", "w")
    if not isinstance(codec, av.VideoCodecContext):
        raise TypeError("libx264 is no video")
    codec.width, codec.height = width, height
    codec.pix_fmt = "yuv420p"
    codec.framerate, codec.time_base = Fraction(fps), Fraction(1, fps)
    codec.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "x264-params": f"keyint={key_every}:scenecut=0:repeat-headers=1:annexb=1",
    }
    codec.open()
    return codec


def _with_end(units: list[bytes]) -> Iterator[tuple[bytes, bool]]:
    for index, unit in enumerate(units):
        yield unit, index == len(units) - 1


def _fragments(unit: bytes, end: bool) -> Iterator[tuple[bytes, bool]]:
    """Yield the RTP payloads of one unit, and whether each ends the picture."""
    if len(unit) <= _PAYLOAD:
        yield unit, end
        return
    indicator, kind = unit[0] & 0xE0 | 28, unit[0] & 0x1F
    for at in range(1, len(unit), _PAYLOAD):
        piece = unit[at : at + _PAYLOAD]
        last = at + _PAYLOAD >= len(unit)
        flags = kind | (0x80 if at == 1 else 0) | (0x40 if last else 0)
        yield bytes((indicator, flags)) + piece, end and last


def _letter(status: str, lines: list[str], body: str) -> bytes:
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join((f"RTSP/1.0 {status}", *lines, "", body)).encode()


def _md5(text: str) -> str:
    # RFC 2069, which is what cameras speak.
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
