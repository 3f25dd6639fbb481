"""Judge a camera by its own pictures: frozen, black, moved (issue: health alarms).

A sensor is never silent: two pictures of the quietest scene differ by its noise, so
one that does not change at all is no picture of now. A clock painted into it moves
few blocks and proves nothing. What is masked is not looked at.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from core.api.clock import NS
from integrations.camera import scene
from integrations.camera.frame import Pixels, Polygon, covered

_COLUMNS, _ROWS = 16, 9
_WORK_WIDTH = 320
#: Mean change of a block, in levels of 255, below which it stands still.
STILL: Final = 0.05
#: Share of blocks that must stand still; a painted clock moves the rest.
_MOST: Final = 0.94
_DARK, _FLAT = 16.0, 2.5
_BLACK, _SEES = 0.95, 0.90
BLACK_S, MOVED_S = 3.0, 10.0
#: Still or living pictures in a row that are needed to change the verdict.
_PAIRS: Final = 4
#: Pictures that are remembered by a hash: one that comes again is a loop.
_REMEMBERED: Final = 240
#: Pictures from which a view is learnt where the options hold none.
_LEARN: Final = 5


class Verdict(NamedTuple):
    """Say what one more picture proves; None is: not known (yet).

    ``brightness`` in %; ``shift`` in % of the width. ``old``: this very picture has
    been here before, to the last bit: it shows nothing of now.
    """

    frozen: bool | None
    black: bool | None
    moved: bool | None
    brightness: float
    shift: float | None
    old: bool = False


class Held:
    """Change a verdict only when it has stood for a while; unknown at first."""

    def __init__(self, seconds: float) -> None:
        self._span = int(seconds * NS)
        self._since: int | None = None
        self.state: bool | None = None

    def feed(self, seen: bool | None, now_ns: int) -> bool | None:
        """Return the verdict after one more look; None as a look tells nothing."""
        if seen is None or seen is self.state:
            self._since = None
        elif self.state is None and seen is False:
            self.state, self._since = False, None
        elif self._since is None:
            self._since = now_ns
        elif now_ns - self._since >= self._span:
            self.state, self._since = seen, None
        return self.state


class Judge:
    """Look at one camera's pictures, one after the other."""

    def __init__(
        self,
        frozen_s: float,
        masks: Sequence[Polygon] = (),
        references: Sequence[str] = (),
        still: float = STILL,
    ) -> None:
        self._frozen_ns = int(frozen_s * NS)
        self._masks, self._still = masks, still
        self._references = [scene.reference(each) for each in references]
        self.proven = bool(references)
        """False: the view was learnt at the start, by nobody's word."""
        self._learning: list[scene.Plane] = []
        self._seen: deque[int] = deque(maxlen=_REMEMBERED)
        self.forget()

    def forget(self) -> None:
        """Know nothing of now, after a gap; old pictures are remembered."""
        self._last: npt.NDArray[np.int16] | None = None
        self._alive_ns = 0
        self._count, self._was, self._old = 0, False, False
        self._frozen: bool | None = None
        self._black, self._moved = Held(BLACK_S), Held(MOVED_S)
        self._valid: npt.NDArray[np.bool_] | None = None
        self.view: scene.Plane | None = None
        """The newest grid of edges, for whoever takes a reference."""

    def look(self, pixels: Pixels, now_ns: int) -> Verdict:
        """Return the verdict after one more picture."""
        luma = luma_of(pixels)
        if self._last is not None and self._last.shape != luma.shape:
            self.forget()
        if self._valid is None:
            self._valid = _valid(self._masks, luma.shape)
        frozen = self._look_frozen(luma, now_ns)
        black = self._black.feed(self._look_black(luma), now_ns)
        moved, shift = self._look_moved(luma, now_ns, sees=black is False)
        share = float(_blocks(luma)[self._valid].mean()) / 255 if self.watches else 0.0
        bright = round(share * 100, 1)
        return Verdict(frozen, black, moved, bright, shift, self._old)

    @property
    def watches(self) -> bool:
        """Say whether the masks leave anything to be looked at."""
        return self._valid is not None and bool(self._valid.any())

    def _look_frozen(self, luma: npt.NDArray[np.uint8], now_ns: int) -> bool | None:
        last, self._last = self._last, luma.astype(np.int16)
        known = hash(luma.tobytes())
        self._old = known in self._seen
        if not self._old:
            self._seen.append(known)
        if last is None:
            self._alive_ns = now_ns
            return self._frozen
        change = _blocks(np.abs(self._last - last))
        quiet = change[self._valid] < self._still
        still = self._old or not quiet.size or float(quiet.mean()) >= _MOST
        return self._hold_frozen(still, now_ns)

    def _hold_frozen(self, still: bool, now_ns: int) -> bool | None:
        self._count = self._count + 1 if still is self._was else 1
        self._was = still
        if not still:
            self._alive_ns = now_ns
            if self._frozen is None or self._count >= _PAIRS:
                self._frozen = False
        elif self._count >= _PAIRS and now_ns - self._alive_ns >= self._frozen_ns:
            self._frozen = True
        return self._frozen

    def _look_black(self, luma: npt.NDArray[np.uint8]) -> bool | None:
        if not self.watches:
            return None
        mean = _blocks(luma)[self._valid]
        square = _blocks(luma.astype(np.float32) ** 2)[self._valid]
        flat = np.sqrt(np.maximum(square - mean**2, 0)) < _FLAT
        share = max(float((mean < _DARK).mean()), float(flat.mean()))
        return True if share >= _BLACK else False if share < _SEES else None

    def _look_moved(
        self, luma: npt.NDArray[np.uint8], now_ns: int, *, sees: bool
    ) -> tuple[bool | None, float | None]:
        if not sees:
            return self._moved.feed(None, now_ns), None
        self.view = scene.edges(luma)
        if not self._references:
            self._learn(self.view)
            return None, None
        found = [scene.compare(each, self.view) for each in self._references]
        telling = [each for each in found if each.share is not None]
        if not telling:
            self._moved.state = None
            return None, None
        best = max(telling, key=lambda each: each.share or 0.0)
        share = best.share or 0.0
        seen = False if share >= scene.STAYED else True if share < scene.GONE else None
        return self._moved.feed(seen, now_ns), best.shift

    def _learn(self, view: scene.Plane) -> None:
        self._learning.append(view)
        if len(self._learning) >= _LEARN:
            self._references = [np.mean(self._learning, axis=0, dtype=np.float32)]
            self._learning = []


def luma_of(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """Return brightness of every n-th pixel; nothing is averaged, noise stays."""
    step = max(1, pixels.shape[1] // _WORK_WIDTH)
    part = pixels[::step, ::step].astype(np.uint16)
    found = (part[..., 0] * 77 + part[..., 1] * 150 + part[..., 2] * 29) >> 8
    return found.astype(np.uint8)


def _blocks(plane: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
    """Return the mean of each of 16 × 9 blocks."""
    high, wide = max(plane.shape[0] // _ROWS, 1), max(plane.shape[1] // _COLUMNS, 1)
    rows, columns = min(plane.shape[0], _ROWS), min(plane.shape[1], _COLUMNS)
    cut = plane[: high * rows, : wide * columns].reshape(rows, high, columns, wide)
    found: npt.NDArray[np.float32] = cut.mean((1, 3), dtype=np.float32)
    return found


def _valid(masks: Sequence[Polygon], shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    hidden = covered(masks, shape[1], shape[0])
    return _blocks(hidden.astype(np.float32)) < 0.5
