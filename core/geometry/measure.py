"""How near two bodies are, in plan and in height, by each shape of a distance."""

import math
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import shapely
from shapely.geometry.base import BaseGeometry

from core.geometry.shapes import (
    Area,
    Disc,
    Line,
    Point,
    Polygon,
    Rule,
    Sector,
    Shape,
    arc,
)

#: Two places nearer to a limit than this are at it: a limit belongs to its inside.
SLACK_M: Final = 1e-6
#: No place of a site is farther from its zero than this; beyond it sums are wrong.
FAR_M: Final = 1e6
#: Points that a shape may have here; what people draw has fewer (`MAX_POINTS`).
MOST_POINTS: Final = 2_000
#: What a person takes up above their feet where no height is told.
STANDING_M: Final = 2.0
#: Work counts as work at height from here (GB/T 3608).
FALL_FROM_M: Final = 2.0
#: How far from its edge a thing may fall: (fall up to, radius) (GB/T 3608).
FALL_RADII: Final = ((5.0, 3.0), (15.0, 4.0), (30.0, 5.0))
FALL_RADIUS_MAX: Final = 6.0


class Region(NamedTuple):
    """A place in the plan: a geometry, and how far it reaches around itself.

    Kept apart, so that a disc or a pipe is measured exactly.
    """

    base: BaseGeometry
    grow: float

    def away(self, other: "Region") -> float:
        """Return the clear distance in metres; 0 where they touch or overlap."""
        # Python's own float: the link knows no other.
        between = float(shapely.distance(self.base, other.base))
        return max(between - self.grow - other.grow, 0.0)

    def bounds(self) -> "Box":
        """Return the box around it."""
        west, south, east, north = map(float, self.base.bounds)
        grow = self.grow
        return west - grow, south - grow, east + grow, north + grow


Box = tuple[float, float, float, float]
"""West, south, east and north of what it holds, metres."""


class Body(NamedTuple):
    """A work or a hazard as it is measured; heights are above the site's zero."""

    id: str
    foot: Region
    swept: Region
    level: str
    low: float
    """-inf where the level is unknown: it may be anywhere."""
    high: float
    """+inf where nobody knows how high the work goes."""
    fall: float
    """How far a thing may fall at least, as declared."""
    line: str = ""
    groups: frozenset[str] = frozenset()
    """Zones, dykes and spaces that it lies in."""

    def box(self, reach: float = 0.0) -> Box:
        """Return the box of all that it covers and ``reach`` metres around it."""
        one, two = self.foot.bounds(), self.swept.bounds()
        return (
            min(one[0], two[0]) - reach,
            min(one[1], two[1]) - reach,
            max(one[2], two[2]) + reach,
            max(one[3], two[3]) + reach,
        )


def region(shape: Shape) -> Region:
    """Return the region of a shape; one that crosses itself is taken whole."""
    _placed((shape.at,) if isinstance(shape, Disc) else shape.points)
    if isinstance(shape, Disc):
        return _region(shapely.Point(shape.at), shape.radius_m)
    if isinstance(shape, Line):
        return _region(shapely.LineString(shape.points), shape.width_m / 2)
    return _outline(shape)


def sector(swept: Sector) -> Region:
    """Return the region that a jib passes over; a whole turn is a disc."""
    _placed((swept.at, (swept.from_deg, swept.to_deg)))
    if not 0.0 <= swept.radius_m <= FAR_M:
        raise ValueError("a sector without a place")
    if swept.to_deg - swept.from_deg >= 360.0:
        return _region(shapely.Point(swept.at), swept.radius_m)
    return _outline(Polygon(points=arc(swept)))


def _placed(points: tuple[Point, ...]) -> None:
    """Refuse points that are nowhere: not each of them shows in a shape's bounds.

    Comparisons with what is no number are false, so NaN is refused as well.
    """
    if len(points) > MOST_POINTS:
        raise ValueError("a shape of too many points has no place")
    if not all(abs(x) <= FAR_M and abs(y) <= FAR_M for x, y in points):
        raise ValueError("a shape without a place")


def _outline(shape: Polygon) -> Region:
    made = shapely.Polygon(shape.points)
    return _region(made if made.is_valid else made.convex_hull, 0.0)


def _region(made: BaseGeometry, grow: float) -> Region:
    if made.is_empty or not 0.0 <= grow <= FAR_M:
        raise ValueError("a shape without a place")
    shapely.prepare(made)
    return Region(made, grow)


def body(
    name: str, area: Area, levels: Mapping[str, float], groups: frozenset[str]
) -> Body:
    """Return the body of an area; raises ValueError or a shapely error."""
    floor = levels.get(area.level)
    foot = region(area.shape)
    high = math.inf if area.z_high_m is None else area.z_high_m
    if math.isnan(area.z_low_m + high + (area.height_m or 0.0)):
        raise ValueError("a height that is no number")
    return Body(
        id=name,
        foot=foot,
        swept=foot if area.swept is None else sector(area.swept),
        level=area.level,
        low=-math.inf if floor is None else floor + area.z_low_m,
        high=math.inf if floor is None else floor + high,
        fall=area.height_m or 0.0,
        line=area.line,
        groups=groups,
    )


def same_floor(one: Body, two: Body) -> bool:
    """Say whether two bodies share a height; an unknown level shares all."""
    if one.level == two.level or -math.inf in (one.low, two.low):
        return True
    return one.low < _top(two) and two.low < _top(one)


def _top(one: Body) -> float:
    # Work of unknown height is as high as who does it; its level is its floor.
    standing = one.low + STANDING_M
    return max(one.high, standing) if one.high < math.inf else standing


Measured = tuple[float, float] | None
"""Clear metres and metres needed, where that is too near."""


def near(rule: Rule, work: Body, other: Body) -> Measured:
    """Return how near ``other`` is to ``work`` where the rule forbids it, or None."""
    if not rule.vertical and not same_floor(work, other):
        return None
    return _BY_SHAPE[rule.shape](rule, work, other)


def _within(measured: float, needed: float) -> Measured:
    return (measured, needed) if measured <= needed + SLACK_M else None


def _disc(rule: Rule, work: Body, other: Body) -> Measured:
    return _within(work.foot.away(other.foot), rule.metres or 0.0)


def _swept(rule: Rule, work: Body, other: Body) -> Measured:
    away = work.swept.away(other.foot)
    if other.swept is not other.foot:
        away = min(away, work.swept.away(other.swept))
    return _within(away, rule.metres or 0.0)


def _same_area(rule: Rule, work: Body, other: Body) -> Measured:
    away = work.foot.away(other.foot)
    if work.groups & other.groups:
        return away, rule.metres or 0.0
    return _within(away, rule.metres or 0.0)


def _same_line(rule: Rule, work: Body, other: Body) -> Measured:
    away = work.foot.away(other.foot)
    if work.line and other.line:
        return (away, rule.metres or 0.0) if work.line == other.line else None
    return _within(away, rule.metres or 0.0)


def _fall_line(rule: Rule, work: Body, other: Body) -> Measured:
    drop = work.high - other.low
    if drop < FALL_FROM_M:
        return None
    drop = max(drop, work.fall)
    if rule.from_height_m is not None and drop <= rule.from_height_m:
        return None
    return _within(work.foot.away(other.foot), rule.metres or fall_radius(drop))


def fall_radius(drop: float) -> float:
    """Return how far from its edge a thing may land after a fall, in metres."""
    for upto, radius in FALL_RADII:
        if drop <= upto:
            return radius
    return FALL_RADIUS_MAX


_BY_SHAPE: Final[dict[str, Callable[[Rule, Body, Body], Measured]]] = {
    "disc": _disc,
    "column": _disc,
    "corridor": _disc,
    "fall_line": _fall_line,
    "same_area": _same_area,
    "same_line": _same_line,
    "swept": _swept,
}


def reach(rule: Rule) -> float:
    """Return the farthest clear distance at which a rule may still forbid."""
    if rule.metres is not None:
        return rule.metres
    return FALL_RADIUS_MAX if rule.shape == "fall_line" else 0.0
