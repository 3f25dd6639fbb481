"""What every source says of a tag, in one form: positions, ranges, health."""

import math
from dataclasses import dataclass
from typing import NamedTuple

Point = tuple[float, float, float]
#: Reason codes of this integration begin so; core.texts has a sentence for each.
PREFIX = "positioning."
#: A coordinate or range beyond it is no place on a site.
FAR_M = 100_000.0
#: Most anchors that one message may tell of.
MAX_RANGES = 32
NS = 1_000_000_000


class UnreadableError(Exception):
    """A line or payload is not what its format promises; the text says where."""


class Range(NamedTuple):
    """One measured distance; ``at`` is where the device believes the anchor to be."""

    anchor: str
    metres: float
    at: Point | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class Sighting:
    """Hold what one message says of one node, in the source's own frame (metres).

    Node '' is the node at the other end of the wire, or a gateway as a whole.
    """

    node: str
    at: Point | None = None
    ranges: tuple[Range, ...] = ()
    quality: float | None = None
    """The source's own figure, 0 to 100."""
    radius_m: float | None = None
    """The source's own radius of error."""
    counter: int | None = None
    stamp_s: float | None = None
    """Seconds of the source's clock."""
    located: bool = True
    """False: the message tells no place, only health."""
    present: bool | None = None
    battery: float | None = None
    loss: float | None = None
    """Lost packets in percent, as the source counts them."""
    heard: tuple[str, ...] = ()
    """Anchors that heard the tag, where no range is told."""
    label: str = ""
    is_anchor: bool = False
    raw: bytes = b""
    """The line itself where nothing else shows that the source lives."""


@dataclass(slots=True, frozen=True)
class Identity:
    """The full address that a node at the wire tells of itself."""

    node: str


def number(value: object, what: str) -> float | None:
    """Return a finite length; None for the words of an unresolved one.

    Raises UnreadableError for what is no number, or no place on Earth.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise UnreadableError(f"{what}: {value!r} is no number")
    try:
        found = float(value)
    except (ValueError, OverflowError):
        raise UnreadableError(f"{what}: {value!r:.40} is no number") from None
    if math.isnan(found):
        return None
    if not abs(found) <= FAR_M:
        raise UnreadableError(f"{what}: {found} m is beyond any site")
    return found


def place(x: object, y: object, z: object) -> Point | None:
    """Return a place in metres; None when any part of it is unresolved."""
    found = number(x, "x"), number(y, "y"), number(z, "z")
    if found[0] is None or found[1] is None or found[2] is None:
        return None
    return found[0], found[1], found[2]
