"""Chance that can be had again: a seed is a day."""

from random import Random

#: Share by which a measured value, and a person's pace, may differ.
VALUE, PACE = 0.02, 0.15
#: Metres per second of a person who walks over a site.
WALK = 1.2


class Chance:
    """Draw small differences; the same seed draws the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - a day to play again, no secret

    def around(self, value: float, share: float = VALUE) -> float:
        """Return a number near ``value``, at most ``share`` of it away."""
        return round(value * self._random.uniform(1.0 - share, 1.0 + share), 3)
