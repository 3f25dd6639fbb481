"""Works and rules as the geometry's tests make them."""

from core.geometry.engine import Engine
from core.geometry.shapes import (
    Area,
    Disc,
    Hazard,
    Pair,
    Point,
    Polygon,
    Rule,
    Sector,
    Shape,
    Work,
)

LEVELS = {"ground": 0.0, "deck": 6.0, "roof": 12.0, "top": 40.0}
DAY = 86_400_000_000_000


def square(x: float, y: float, side: float = 2.0) -> Polygon:
    """Return a square by its corner."""
    return Polygon(points=((x, y), (x + side, y), (x + side, y + side), (x, y + side)))


def spot(x: float, y: float, radius: float = 0.0) -> Disc:
    """Return a place with a radius."""
    return Disc(at=(x, y), radius_m=radius)


def work(
    name: str,
    family: str,
    shape: Shape,
    *,
    level: str = "ground",
    low: float = 0.0,
    high: float | None = None,
    zone: str = "",
    when: tuple[int, int] = (0, DAY),
    linked: tuple[str, ...] = (),
    fall: float | None = None,
    line: str = "",
    also: tuple[str, ...] = (),
    swept: Sector | None = None,
) -> Work:
    """Return a work under the rules "p"; a zone of its own unless one is named."""
    area = Area(
        level=level,
        shape=shape,
        z_low_m=low,
        z_high_m=high,
        height_m=fall,
        swept=swept,
        line=line,
        also=also,
    )
    return Work(name, "p", family, zone or name, area, *when, linked)


def hazard(name: str, kind: str, shape: Shape, level: str = "ground") -> Hazard:
    """Return a hazard of the plan."""
    return Hazard(id=name, kind=kind, level=level, shape=shape)


def rule(name: str, family: str, other: str, shape: str, **more: object) -> Rule:
    """Return a rule; ``more`` is metres, vertical, from_height_m."""
    return Rule(name, family, other, shape, **more)  # type: ignore[arg-type]


def engine(
    rules: tuple[Rule, ...], *works: Work, hazards: tuple[Hazard, ...] = ()
) -> Engine:
    """Return an engine that was told all of it, work by work."""
    made = Engine()
    made.begin(LEVELS, {"p": rules})
    made.furnish(hazards)
    for each in works:
        made.update([each], [])
    return made


def met(
    rules: tuple[Rule, ...], *works: Work, hazards: tuple[Hazard, ...] = ()
) -> set[tuple[str, str, str]]:
    """Return rule, work and other of every pair, index and brute force agreeing."""
    made = engine(rules, *works, hazards=hazards)
    pairs: set[Pair] = made.pairs()
    assert pairs == made.everything()
    return {(pair.rule, pair.work, pair.other) for pair in pairs}


def shifted(points: tuple[Point, ...], dx: float, dy: float) -> tuple[Point, ...]:
    """Return points moved in the plan."""
    return tuple((x + dx, y + dy) for x, y in points)
