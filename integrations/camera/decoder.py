"""Turn a camera's bytes into small pictures, in a process of its own.

    python -m integrations.camera.decoder

A decoder reads what strangers send and may hang inside a C library: nothing there can
be cancelled but by ending the process, which its host does (`pictures`). The first
line of the standard input is the job; JPEG pictures follow, each after its length in
four bytes, where the job names no address. The output is records (`frame`). It writes
no file, logs nothing, and dumps no core: a picture stays in memory.
"""

import ctypes
import json
import os
import resource
import select
import signal
import struct
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError, HTTPUnauthorizedError, InvalidDataError
from av.video.frame import VideoFrame

from core.api.clock import NS, loop_ns
from integrations.camera.frame import HEAD, MAX_SIDE, NOTE, PICTURE, covered

_PR_SET_PDEATHSIG = 1
_MEMORY = 768 << 20
_LENGTH = struct.Struct("!I")
MAX_JPEG = 8 << 20
#: FFmpeg's own time-outs, in its microseconds; the host's deadline stands behind.
_OPTIONS = {
    "rtsp_transport": "tcp",
    "timeout": "8000000",
    "fflags": "nobuffer",
    "flags": "low_delay",
    "analyzeduration": "200000",
    "probesize": "200000",
}
_OPEN_S = 10.0
#: No camera's picture has more; a wrong head may promise any number.
_LIMITS = {"max_pixels": str(8192 * 8192), "err_detect": "explode"}


class Output:
    """Write records; a picture that the host has no room for is left out."""

    def __init__(self, job: dict[str, Any], pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._width = min(int(job["width"]), MAX_SIDE)
        self._masks = job["masks"]
        self._covered: tuple[tuple[int, int], Any] = ((0, 0), None)
        self.gap_ns = int(NS / job["fps"])
        self._next_ns = 0

    def due(self) -> bool:
        """Say whether it is time for the next picture."""
        return loop_ns() >= self._next_ns

    def note(self, **facts: str | int) -> None:
        """Tell the host a fact; never an address, never a credential."""
        body = json.dumps(facts).encode()
        self._pipe.write(HEAD.pack(NOTE, 0, 0, len(body)) + body)
        self._pipe.flush()

    def picture(self, frame: VideoFrame, *, wait: bool = False) -> None:
        """Send a picture, scaled and masked; ``wait``: the host asked for it."""
        writable = select.select([], [self._pipe], [], 0)[1]
        if not wait and not writable:
            return
        self._next_ns = max(self._next_ns + self.gap_ns, loop_ns())
        width = min(self._width, frame.width) & ~1 or 2
        height = max(2, round(frame.height * width / frame.width) & ~1)
        if height > MAX_SIDE:
            width, height = max(2, width * MAX_SIDE // height & ~1), MAX_SIDE
        pixels = frame.to_ndarray(format="rgb24", width=width, height=height)
        if self._masks:
            if self._covered[0] != (width, height):
                hidden = covered(self._masks, width, height)
                self._covered = (width, height), hidden
            pixels[self._covered[1]] = 0
        data = np.ascontiguousarray(pixels)
        self._pipe.write(HEAD.pack(PICTURE, width, height, data.nbytes))
        self._pipe.write(data.data)
        self._pipe.flush()


class Keys:
    """Choose what must be decoded: key pictures alone where they come often enough.

    All are decoded until that is known; and a stream whose key pictures grow rare, or
    that broke, is decoded from its next one on: without it the others are torn.
    """

    def __init__(self, gap_ns: int) -> None:
        self._limit = gap_ns * 3 // 2
        self._last: int | None = None
        self._whole = False
        self.every = True

    def take(self, is_key: bool, now: int) -> bool:
        """Say whether this packet is to be decoded at all."""
        if is_key:
            # A key picture may come in several packets; they are one.
            if self._last is None or now - self._last > self._limit // 10:
                if self._last is not None:
                    self.every = now - self._last > self._limit
                self._last = now
            self._whole = True
        elif not self.every:
            self._whole = False
        return is_key or (self.every and self._whole)

    def broke(self) -> None:
        """Hear that a picture could not be decoded."""
        self._whole = False


def stream(job: dict[str, Any], out: Output) -> str:
    """Decode a stream until it ends; returns why it ended, as a code."""
    try:
        container = av.open(job["url"], options=_OPTIONS, timeout=(_OPEN_S, _OPEN_S))
    except HTTPUnauthorizedError:
        return "auth"
    except FFmpegError:
        return "unreachable"
    with container:
        if not container.streams.video:
            return "no_video"
        out.note(opened=1)
        return _pull(container, out)


def _pull(container: InputContainer, out: Output) -> str:
    track = container.streams.video[0]
    track.thread_type = "NONE"
    track.codec_context.options = _LIMITS
    keys = Keys(out.gap_ns)
    try:
        for packet in container.demux(track):
            wanted = keys.take(packet.is_keyframe, loop_ns())
            if not wanted or not (keys.every or out.due()):
                continue
            for frame in _decoded(packet, out, keys):
                if out.due():
                    out.picture(frame)
    except FFmpegError:
        return "broken"
    return "ended"


def _decoded(packet: Any, out: Output, keys: Keys) -> Iterator[VideoFrame]:
    """Yield whole pictures; what was guessed in place of lost parts is none."""
    try:
        for frame in packet.decode():
            if frame.is_corrupt:
                raise InvalidDataError(0, "a corrupt picture")
            yield frame
    except FFmpegError:
        keys.broke()
        out.note(bad=1)


def stills(source: BinaryIO, out: Output) -> str:
    """Decode the pictures that the host sends, one answer for each."""
    while length := source.read(_LENGTH.size):
        size = _LENGTH.unpack(length)[0] if len(length) == _LENGTH.size else 0
        if not 0 < size <= MAX_JPEG:
            return "broken"
        frame = still(source.read(size))
        if frame is None:
            out.note(bad=1)
        else:
            out.picture(frame, wait=True)
    return "ended"


def still(data: bytes) -> VideoFrame | None:
    """Return a JPEG's picture; None when it is none, or is cut short."""
    if not (data.startswith(b"\xff\xd8") and data.rstrip(b"\0\r\n").endswith(END)):
        return None
    try:
        codec = av.CodecContext.create("mjpeg", "r")
        codec.options = _LIMITS
        codec.thread_count = 1
        frames = [*codec.decode(av.Packet(data)), *codec.decode(None)]
    except (FFmpegError, ValueError):
        return None
    found = frames[0] if frames else None
    return found if isinstance(found, VideoFrame) else None


END = b"\xff\xd9"


def _settle() -> None:
    """End with the host, stay small, stay behind; leave no core."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
    os.nice(5)
    av.logging.set_level(av.logging.PANIC)


def main() -> int:
    """Do the job of the first line; exit status 0 when it could be told why."""
    _settle()
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no record
    job = json.loads(sys.stdin.buffer.readline())
    out = Output(job, pipe)
    try:
        why = stream(job, out) if job["url"] else stills(sys.stdin.buffer, out)
        out.note(failed=why)
    except (BrokenPipeError, MemoryError):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
