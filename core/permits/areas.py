"""The work area of a permit: what may be applied for, and what stands without one."""

import math
from collections.abc import Iterator

import msgspec

from core.api.errors import Refused
from core.config import Site, Zone
from core.geometry.shapes import (
    MAX_POINTS,
    Area,
    Disc,
    Hazard,
    Line,
    Point,
    Polygon,
    Sector,
    Shape,
)

__all__ = [
    "Area",
    "area_problem",
    "check_area",
    "default_area",
    "hazard_problem",
    "read_area",
    "write_area",
]

#: How far beyond the plan's zones a work may reach, in metres.
MARGIN_M = 200.0
MAX_RADIUS_M = 500.0
MAX_HEIGHT_M = 1_000.0
MAX_WORDS, MAX_WORD = 20, 64

_decoder = msgspec.json.Decoder(Area)
_encoder = msgspec.json.Encoder(order="deterministic")


def write_area(area: Area | None, site: Site) -> bytes:
    """Return an area as an event keeps it, JSON; b'' for none: the zone's.

    Raises Refused ``permit.area`` with the fault as ``why``.
    """
    if area is None:
        return b""
    check_area(area, site)
    return _encoder.encode(area)


def read_area(data: bytes, zone: Zone | None) -> Area:
    """Return a kept area, or the whole zone for b''; raises ValueError."""
    if data:
        return _decoder.decode(data)
    if zone is None:
        raise ValueError("a permit without an area, in a zone that is gone")
    return default_area(zone)


def default_area(zone: Zone) -> Area:
    """Return the area of a permit that tells none: the whole zone, height unknown."""
    return Area(level=zone.level, shape=Polygon(points=zone.polygon))


def check_area(area: Area, site: Site) -> None:
    """Refuse what cannot be measured: ``permit.area``, with the fault as ``why``."""
    problem = area_problem(area, site)
    if problem:
        raise Refused("permit.area", why=problem)


def area_problem(area: Area, site: Site) -> str:
    """Return what is wrong with an area as a code; '' when nothing is."""
    return next(_problems(area, site), "")


def hazard_problem(hazard: Hazard, site: Site) -> str:
    """Return what is wrong with a hazard of the plan as a code; '' when nothing is."""
    area = Area(
        level=hazard.level,
        shape=hazard.shape,
        z_low_m=hazard.z_low_m,
        z_high_m=hazard.z_high_m,
    )
    return area_problem(area, site)


def _problems(area: Area, site: Site) -> Iterator[str]:
    if area.level not in {level.id for level in site.levels}:
        yield "level_unknown"
    yield from _shape(area.shape)
    yield from _heights(area)
    points = corners(area.shape)
    if area.swept is not None:
        yield from _sector(area.swept)
        points = (*points, area.swept.at)
    yield from _within(points, site)
    words = (*area.also, *area.protections, area.line)
    if len(words) > MAX_WORDS or any(len(word) > MAX_WORD for word in words):
        yield "words"


def corners(shape: Shape) -> tuple[Point, ...]:
    """Return the points that a shape is given by."""
    return (shape.at,) if isinstance(shape, Disc) else shape.points


def _shape(shape: Shape) -> Iterator[str]:
    points = corners(shape)
    if len(points) > MAX_POINTS:
        yield "too_many_points"
    if not all(math.isfinite(number) for point in points for number in point):
        yield "not_finite"
    if isinstance(shape, Polygon) and len(set(points)) < 3:
        yield "too_few_points"
    if isinstance(shape, Line):
        if len(set(points)) < 2:
            yield "too_few_points"
        if not 0.0 <= shape.width_m <= MAX_RADIUS_M:
            yield "width"
    if isinstance(shape, Disc) and not 0.0 <= shape.radius_m <= MAX_RADIUS_M:
        yield "radius"


def _heights(area: Area) -> Iterator[str]:
    given = [area.z_low_m, area.z_high_m, area.height_m]
    told = [height for height in given if height is not None]
    if not all(abs(height) <= MAX_HEIGHT_M for height in told):
        yield "height"  # NaN is not within either
    if area.z_high_m is not None and area.z_high_m < area.z_low_m:
        yield "height_order"
    if area.height_m is not None and area.height_m < 0.0:
        yield "height"


def _sector(swept: Sector) -> Iterator[str]:
    told = (*swept.at, swept.radius_m, swept.from_deg, swept.to_deg)
    if not all(map(math.isfinite, told)):
        yield "not_finite"
    if not 0.0 < swept.radius_m <= MAX_RADIUS_M:
        yield "radius"
    if abs(swept.from_deg) > 360.0 or not 0.0 < swept.to_deg - swept.from_deg <= 360.0:
        yield "sector"


def _within(points: tuple[Point, ...], site: Site) -> Iterator[str]:
    plan = [point for zone in site.zones for point in zone.polygon]
    if not plan:
        yield "no_plan"
        return
    for axis in (0, 1):
        low = min(point[axis] for point in plan) - MARGIN_M
        high = max(point[axis] for point in plan) + MARGIN_M
        if not all(low <= point[axis] <= high for point in points):
            yield "off_site"
