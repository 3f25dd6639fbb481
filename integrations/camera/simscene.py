"""The picture that a simulated camera takes: walls, a clock, something that moves."""

import hashlib
from collections import deque
from fractions import Fraction

import av
import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT = 640, 360
_MARGIN = 96
#: Pictures that were sent and may be sent again.
_KEPT = 60
STATES = ("normal", "black", "covered", "moved")

Array = npt.NDArray[np.uint8]


class Scene:
    """Draw pictures of one place; two of them are never the same."""

    def __init__(self, name: str, width: int = WIDTH, height: int = HEIGHT) -> None:
        self.width, self.height = width, height
        seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
        self._chance = np.random.default_rng(seed)
        self._place = self._walls()
        self._codec = _encoder(width, height)
        self._kept: deque[bytes] = deque(maxlen=_KEPT)
        self.brightness = 45.0
        self.state = "normal"
        self._number = 0
        self.last = b""

    def _walls(self) -> Array:
        """Return a place larger than the picture, so that the camera can turn."""
        wide, high = self.width + 2 * _MARGIN, self.height + 2 * _MARGIN
        place = np.full((high, wide), 128.0)
        for _ in range(60):
            x, y = self._chance.integers(0, wide), self._chance.integers(0, high)
            w, h = self._chance.integers(20, 160), self._chance.integers(20, 120)
            place[y : y + h, x : x + w] = self._chance.integers(60, 200)
        return place.astype(np.uint8)

    def pixels(self) -> Array:
        """Return the next picture, RGB."""
        self._number += 1
        if self.state == "black":
            grey = np.full((self.height, self.width), 4.0)
        elif self.state == "covered":
            grey = np.full((self.height, self.width), 90.0)
        else:
            grey = self._view()
        noise = self._chance.normal(0, 1.5, grey.shape)
        found = np.clip(grey + noise, 0, 255).astype(np.uint8)
        return np.repeat(found[:, :, None], 3, axis=2)

    def _view(self) -> npt.NDArray[np.float64]:
        turned = _MARGIN - 20 if self.state == "moved" else 0
        x, y = _MARGIN + turned, _MARGIN + turned // 2
        grey = self._place[y : y + self.height, x : x + self.width].astype(np.float64)
        at = self._number * 7 % (self.width - 24)
        grey[self.height // 2 : self.height // 2 + 40, at : at + 24] = 230
        self._clock(grey)
        # Its mean is what was set: the darkest and the brightest give way a little.
        for _ in range(4):
            grey = np.clip(
                grey * (self.brightness * 2.55 / max(grey.mean(), 1)), 0, 255
            )
        return grey

    def _clock(self, grey: npt.NDArray[np.float64]) -> None:
        """Paint stripes that count, where cameras paint the time."""
        for bit in range(8):
            shade = 255 if self._number >> bit & 1 else 0
            grey[4:12, 8 + bit * 8 : 14 + bit * 8] = shade

    def jpeg(
        self, *, frozen: bool = False, replay: bool = False, keep: bool = True
    ) -> bytes:
        """Return the next picture as JPEG; the last or old ones where asked.

        ``keep``: it will arrive, and may be sent again.
        """
        if frozen and self.last:
            return self.last
        if replay and self._kept:
            self._kept.rotate(-1)
            return self._kept[-1]
        frame = av.VideoFrame.from_ndarray(self.pixels(), format="rgb24")
        packets = self._codec.encode(frame.reformat(format="yuvj420p"))
        self.last = bytes(packets[0])
        if keep:
            self._kept.append(self.last)
        return self.last


def _encoder(width: int, height: int) -> av.VideoCodecContext:
    codec = av.CodecContext.create("mjpeg", "w")
    if not isinstance(codec, av.VideoCodecContext):
        raise TypeError("mjpeg is no video")
    codec.width, codec.height = width, height
    codec.pix_fmt = "yuvj420p"
    codec.framerate, codec.time_base = Fraction(25), Fraction(1, 25)
    codec.bit_rate = 8_000_000
    codec.open()
    return codec
