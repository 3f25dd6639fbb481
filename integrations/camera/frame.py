"""A picture on its way through this host: small, masked, newest wins, never stored.

`Frame` and `Latest` are what a detector takes pictures from; nothing else of this
package hands any out.
"""

import asyncio
import struct
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
#: Corners of a mask, each 0-1 of the picture's width and height.
Polygon = Sequence[Sequence[float]]

#: One record of the decoder's output: kind, width, height, bytes that follow.
HEAD = struct.Struct("!BHHI")
PICTURE, NOTE = 1, 2
#: No picture that leaves a decoder is wider or higher.
MAX_SIDE = 1920
MAX_NOTE = 1_000


class Frame(NamedTuple):
    """Hold one decoded picture: RGB, 8 bits, ``height`` × ``width`` × 3.

    ``at_ns``: boot-clock time at which the host had it; ``number`` counts up.
    """

    pixels: Pixels
    at_ns: int
    number: int


class BadRecord(Exception):
    """The decoder's output makes no sense: it is to be ended."""


def head(data: bytes) -> tuple[int, int, int, int]:
    """Return kind, width, height and length of a record; raises BadRecord."""
    try:
        kind, width, height, length = HEAD.unpack(data)
    except struct.error as error:
        raise BadRecord(str(error)) from error
    if kind == PICTURE:
        sides = 0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE
        if sides and length == width * height * 3:
            return kind, width, height, length
    elif kind == NOTE and 0 < length <= MAX_NOTE:
        return kind, width, height, length
    raise BadRecord(f"kind {kind}, {width}x{height}, {length} bytes")


def picture(body: bytes, width: int, height: int) -> Pixels:
    """Return the pixels of a record whose head has been checked."""
    return np.frombuffer(body, np.uint8).reshape(height, width, 3)


def covered(masks: Sequence[Polygon], width: int, height: int) -> npt.NDArray[np.bool_]:
    """Return which pixels lie in a mask, by the even-odd rule at their centres."""
    found = np.zeros((height, width), np.bool_)
    x = (np.arange(width) + 0.5)[None, :] / width
    y = (np.arange(height) + 0.5)[:, None] / height
    for polygon in masks:
        inside = np.zeros((height, width), np.bool_)
        for (ax, ay), (bx, by) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
            crosses = (ay > y) != (by > y)
            # Multiplied out: an edge that is all but level has no finite slope.
            right = (bx - ax) * (y - ay) - (x - ax) * (by - ay)
            inside ^= crosses & (right > 0 if by > ay else right < 0)
        found |= inside
    return found


class Latest:
    """Keep the newest picture for one consumer; an older one is skipped, counted."""

    def __init__(self) -> None:
        self._frame: Frame | None = None
        self._ready = asyncio.Event()
        self.skipped = 0

    def put(self, frame: Frame) -> None:
        """Take a picture; never waits."""
        if self._frame is not None:
            self.skipped += 1
        self._frame = frame
        self._ready.set()

    async def get(self) -> Frame:
        """Return the newest picture that was not taken yet."""
        while self._frame is None:
            self._ready.clear()
            await self._ready.wait()
        frame, self._frame = self._frame, None
        return frame


def as_json(masks: Sequence[Polygon]) -> list[list[list[float]]]:
    """Return masks as plain lists."""
    return [[[float(x), float(y)] for x, y in polygon] for polygon in masks]
