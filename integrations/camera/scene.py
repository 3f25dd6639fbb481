"""Tell whether a camera still looks where it did, by the edges of its picture.

A `Reference` is a grid of 64 × 36 edge strengths of four bits: enough to know a view
again by its walls and pipes, in light and shade, and too little to know a face. It is
kept in the site's options as text; the driver itself keeps nothing.
"""

import base64
import binascii
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]
COLUMNS, ROWS = 64, 36
_TILES = (4, 9, 8, 8)  # rows of tiles, cells each; columns of tiles, cells each
_PREFIX = "v1:"
_LEVELS = 15
#: A tile says something only where its edges vary by more than this.
_TEXTURE = 1.0
_FEW = 4
#: Correlation of a tile that is still the same, and how many such tiles mean what.
_SAME = 0.5
STAYED, GONE = 0.5, 0.3


class BadReference(ValueError):
    """A text is no reference."""


class Likeness(NamedTuple):
    """Compare a picture with a reference.

    ``share``: of the reference's tiles that are still there, 0-1; None where it has
    too few edges to tell. ``shift``: how far the view moved, in % of its width; None
    where that cannot be seen.
    """

    share: float | None
    shift: float | None


def edges(luma: npt.NDArray[np.uint8]) -> Plane:
    """Return a picture's grid of edge strengths, 0-15."""
    high, wide = luma.shape[0] // ROWS, luma.shape[1] // COLUMNS
    if not high or not wide:
        return np.zeros((ROWS, COLUMNS), np.float32)
    cut = luma[: high * ROWS, : wide * COLUMNS]
    cells = cut.reshape(ROWS, high, COLUMNS, wide).mean((1, 3), dtype=np.float32)
    down, across = np.gradient(cells)
    strength = np.hypot(down, across)
    top = max(float(np.percentile(strength, 95)), 4.0)
    found: Plane = np.clip(strength / top * _LEVELS, 0, _LEVELS).astype(np.float32)
    return found


def text_of(plane: Plane) -> str:
    """Return a grid as the text of a reference."""
    cells = np.rint(plane).astype(np.uint8).reshape(-1, 2)
    packed = (cells[:, 0] << 4 | cells[:, 1]).astype(np.uint8).tobytes()
    return _PREFIX + base64.b64encode(packed).decode()


def reference(text: str) -> Plane:
    """Return the grid of a text; raises BadReference."""
    try:
        if not text.startswith(_PREFIX):
            raise ValueError("an unknown version")
        data = base64.b64decode(text[len(_PREFIX) :], validate=True)
    except (ValueError, binascii.Error) as error:
        raise BadReference(f"no reference: {error}") from error
    if len(data) != COLUMNS * ROWS // 2:
        raise BadReference(f"no reference: {len(data)} bytes")
    packed = np.frombuffer(data, np.uint8)
    cells = np.stack([packed >> 4, packed & 15], axis=1).astype(np.float32)
    return cells.reshape(ROWS, COLUMNS)


def compare(kept: Plane, seen: Plane) -> Likeness:
    """Say how much of a reference is still there; a cell's shake is forgiven."""
    tiles = _tiles(kept)
    telling = tiles.std(1) > _TEXTURE
    if int(telling.sum()) < _FEW:
        return Likeness(None, None)
    best = np.full(len(tiles), -1.0, np.float32)
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            moved = _tiles(np.roll(seen, (down, across), (0, 1)))
            best = np.maximum(best, _correlation(tiles, moved))
    share = float((best[telling] >= _SAME).mean())
    return Likeness(share, 0.0 if share >= STAYED else _shift(kept, seen))


def _tiles(plane: Plane) -> Plane:
    cut = plane.reshape(_TILES).transpose(0, 2, 1, 3)
    return cut.reshape(_TILES[0] * _TILES[2], -1)


def _correlation(one: Plane, two: Plane) -> Plane:
    a = one - one.mean(1, keepdims=True)
    b = two - two.mean(1, keepdims=True)
    size = np.sqrt((a * a).sum(1) * (b * b).sum(1))
    found: Plane = (a * b).sum(1) / np.maximum(size, 1e-3)
    return found


def _shift(kept: Plane, seen: Plane) -> float | None:
    """Return how far the view moved, by phase correlation; None for no clear peak."""
    cross = np.fft.rfft2(kept - kept.mean()) * np.conj(np.fft.rfft2(seen - seen.mean()))
    surface = np.fft.irfft2(cross / np.maximum(np.abs(cross), 1e-6), kept.shape)
    peak = int(surface.argmax())
    if surface.flat[peak] < 8 * float(surface.std()):
        return None
    down, across = divmod(peak, COLUMNS)
    down = down - ROWS if down > ROWS // 2 else down
    across = across - COLUMNS if across > COLUMNS // 2 else across
    return float(np.hypot(down, across) / COLUMNS * 100)
