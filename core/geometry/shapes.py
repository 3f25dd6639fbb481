"""What the geometry speaks of: shapes of the plan, works, hazards, rules, pairs.

Inert structs that core and the worker share; metres in the site's frame, angles in
degrees counter-clockwise from the x axis. Nothing here measures (see `engine`).
"""

import math

import msgspec

Point = tuple[float, float]

#: Points that one outline may have.
MAX_POINTS = 200
#: Points of a full circle where one is drawn as a polygon.
CIRCLE_POINTS = 64


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the inert structs: a field that one does not know is refused."""


class Polygon(Part, frozen=True, kw_only=True, tag="polygon"):
    """An outline of three points or more, closed by itself."""

    points: tuple[Point, ...]


class Disc(Part, frozen=True, kw_only=True, tag="disc"):
    """A place with a radius in metres; 0 is the place alone."""

    at: Point
    radius_m: float = 0.0


class Line(Part, frozen=True, kw_only=True, tag="line"):
    """A pipe, cable, rail or corridor along two points or more."""

    points: tuple[Point, ...]
    width_m: float = 0.0


Shape = Polygon | Disc | Line


class Sector(Part, frozen=True, kw_only=True):
    """What a jib or bucket passes over: from one angle to the other, a turn or less."""

    at: Point
    radius_m: float
    from_deg: float = 0.0
    to_deg: float = 360.0

    def covers(self, x: float, y: float) -> bool:
        """Say whether a point lies in the sector; its edge belongs to it."""
        dx, dy = x - self.at[0], y - self.at[1]
        distance = math.hypot(dx, dy)
        if distance > self.radius_m + 1e-9:
            return False
        turn = math.degrees(math.atan2(dy, dx)) - self.from_deg
        span = self.to_deg - self.from_deg
        return span >= 360.0 or distance < 1e-9 or turn % 360.0 <= span + 1e-9


class Area(Part, frozen=True, kw_only=True):
    """Where a permit's work is done, how high, and what else it brings along."""

    level: str
    shape: Shape
    z_low_m: float = 0.0
    """Lowest and highest place of the work above the level's floor."""
    z_high_m: float | None = None
    """None: unknown, so that what falls from it may fall from any height."""
    height_m: float | None = None
    """How far a person or thing may fall; None: the geometry alone decides."""
    swept: Sector | None = None
    """None: where something is swept at all, it is the whole area."""
    line: str = ""
    """Id of the pipe or cable; '': unknown, so the place decides."""
    also: tuple[str, ...] = ()
    """What it does besides: painting, solvent_cleaning, gas_bottle, …"""
    protections: tuple[str, ...] = ()
    """What is in place: protective_layer, double_layer, isolated, …"""


class Hazard(Part, frozen=True, kw_only=True):
    """A thing of the plan that some works must not come near.

    ``dyke`` and ``space`` are no hazards: works inside the same one are in the
    same area.
    """

    id: str
    kind: str
    """What a pack's distance calls ``other``: leak_capable, buried_pipe, …"""
    level: str
    shape: Shape
    z_low_m: float = 0.0
    z_high_m: float | None = None


class Work(msgspec.Struct, frozen=True, array_like=True):
    """One permit's work as the worker needs it; times are wall ns."""

    id: str
    rules: str
    """Under which list of rules it stands."""
    family: str
    zone: str
    area: Area
    from_ns: int
    to_ns: int
    linked: tuple[str, ...] = ()
    """Permits of the same job."""


class Rule(msgspec.Struct, frozen=True, array_like=True):
    """One distance of a pack, without its words."""

    id: str
    work: str
    other: str
    shape: str
    metres: float | None = None
    vertical: bool = False
    from_height_m: float | None = None


class Pair(msgspec.Struct, frozen=True, array_like=True, order=True):
    """A work and what stands too near it, by which rule; metres in the plan."""

    rules: str
    rule: str
    work: str
    other: str
    """A permit's id, or ``hazard:<id>``."""
    measured_m: float
    needed_m: float


class Found(msgspec.Struct, frozen=True, array_like=True):
    """How many pairs a work has part in, and the first of them."""

    work: str
    count: int
    pairs: tuple[Pair, ...] = ()


#: Hazards of the plan that only say what belongs together.
ENCLOSURES = ("dyke", "space")
HAZARD = "hazard:"


def arc(sector: Sector) -> tuple[Point, ...]:
    """Return a sector as an outline that lies around it, never inside."""
    span = min(max(sector.to_deg - sector.from_deg, 0.0), 360.0)
    steps = max(math.ceil(CIRCLE_POINTS * span / 360.0), 1)
    # Chords cut the circle's inside, so the corners stand a little outside.
    radius = sector.radius_m / math.cos(math.radians(span / steps / 2))
    found = [
        _at(sector.at, radius, sector.from_deg + span * step / steps)
        for step in range(steps + 1)
    ]
    return tuple(found[:-1]) if span >= 360.0 else (sector.at, *found)


def _at(centre: Point, radius: float, degrees: float) -> Point:
    angle = math.radians(degrees)
    return (
        centre[0] + radius * math.cos(angle),
        centre[1] + radius * math.sin(angle),
    )


def drawn(shape: Shape | Sector) -> dict[str, object]:
    """Return a shape in GeoJSON's form, in metres; a disc keeps its radius."""
    if isinstance(shape, Disc):
        return {"type": "Point", "coordinates": shape.at, "radius_m": shape.radius_m}
    if isinstance(shape, Line):
        return {
            "type": "LineString",
            "coordinates": shape.points,
            "width_m": shape.width_m,
        }
    points = arc(shape) if isinstance(shape, Sector) else shape.points
    return {"type": "Polygon", "coordinates": ((*points, points[0]),)}
