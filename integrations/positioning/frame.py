"""From a source's own frame to the site's: scale, rotation, offset, levels."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from integrations.positioning.model import Point


class Frame:
    """Turn a source's metres into the site's.

    The source's axes are scaled, turned counter-clockwise and moved. ``levels`` are
    pairs (least source height, height in the site): engines that know no good
    height get the one at which tags of that level are worn.
    """

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        given = options or {}
        turn = math.radians(given.get("rotation_deg", 0.0))
        self._scale: float = given.get("scale", 1.0)
        self._cos, self._sin = math.cos(turn), math.sin(turn)
        x, y, z = given.get("offset", (0.0, 0.0, 0.0))
        self._offset: Point = (float(x), float(y), float(z))
        levels: Sequence[Mapping[str, float]] = given.get("levels", ())
        self._levels = sorted((level["from"], level["z"]) for level in levels)

    def site(self, at: Point) -> Point:
        """Return a place of the source in metres of the site."""
        x, y, z = (self._scale * each for each in at)
        ox, oy, oz = self._offset
        height = z + oz
        if self._levels:
            height = self._levels[0][1]
            for least, level in self._levels:
                if z >= least:
                    height = level
        return (
            ox + self._cos * x - self._sin * y,
            oy + self._sin * x + self._cos * y,
            height,
        )

    def metres(self, length: float) -> float:
        """Return a length of the source in metres."""
        return length * self._scale

    def source(self, at: Point) -> Point:
        """Return a place of the site in the source's frame; levels do not matter."""
        x, y = at[0] - self._offset[0], at[1] - self._offset[1]
        return (
            (self._cos * x + self._sin * y) / self._scale,
            (self._cos * y - self._sin * x) / self._scale,
            (at[2] - self._offset[2]) / self._scale,
        )
