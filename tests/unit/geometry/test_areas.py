"""What may be applied for as a work area, and what it is told by."""

import math

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from core.api.errors import Refused
from core.config import Level, Names, Site, Zone
from core.geometry.shapes import (
    MAX_POINTS,
    Area,
    Disc,
    Hazard,
    Line,
    Polygon,
    Sector,
    Shape,
    arc,
    drawn,
)
from core.permits.areas import area_problem, hazard_problem, read_area, write_area

NAMES = Names(zh="场", en="yard")
SQUARE = ((0.0, 0.0), (50.0, 0.0), (50.0, 50.0), (0.0, 50.0))
ZONE = Zone(id="z", names=NAMES, level="g", polygon=SQUARE)
SITE = Site(id="s", names=NAMES, levels=(Level(id="g", names=NAMES),), zones=(ZONE,))
SPOT = Disc(at=(1.0, 1.0))


def area(shape: Shape = SPOT, **more: object) -> Area:
    return Area(level="g", shape=shape, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (Area(level="h", shape=SPOT), "level_unknown"),
        (area(Disc(at=(math.nan, 0))), "not_finite"),
        (area(Disc(at=(0, 0), radius_m=-1)), "radius"),
        (area(Disc(at=(0, 0), radius_m=math.inf)), "radius"),
        (area(Disc(at=(0, 251))), "off_site"),
        (area(Polygon(points=((0, 0), (1, 1), (0, 0)))), "too_few_points"),
        (area(Polygon(points=SQUARE * (MAX_POINTS // 4 + 1))), "too_many_points"),
        (area(Line(points=((1, 1), (1, 1)))), "too_few_points"),
        (area(Line(points=((0, 0), (1, 1)), width_m=math.nan)), "width"),
        (area(z_low_m=math.nan), "height"),
        (area(z_high_m=-1.0), "height_order"),
        (area(height_m=-1.0), "height"),
        (area(height_m=1e9), "height"),
        (area(swept=Sector(at=(0, 0), radius_m=0)), "radius"),
        (area(swept=Sector(at=(0, 0), radius_m=9, to_deg=math.nan)), "not_finite"),
        (area(swept=Sector(at=(0, 0), radius_m=9, from_deg=90, to_deg=0)), "sector"),
        (area(swept=Sector(at=(999, 0), radius_m=9)), "off_site"),
        (area(also=("painting",) * 21), "words"),
        (area(line="P" * 65), "words"),
    ],
)
def test_an_area_that_cannot_be_measured_is_refused_and_says_why(
    wrong: Area, why: str
) -> None:
    """Errors name the place and the mend."""
    assert area_problem(wrong, SITE) == why
    with pytest.raises(Refused) as told:
        write_area(wrong, SITE)
    assert (told.value.refusal, told.value.params["why"]) == ("permit.area", why)


def test_a_hazard_is_held_to_the_same() -> None:
    fine = Hazard(id="h", kind="leak_capable", level="g", shape=SPOT)
    assert hazard_problem(fine, SITE) == ""
    off = Hazard(id="h", kind="leak_capable", level="g", shape=Disc(at=(999, 0)))
    assert hazard_problem(off, SITE) == "off_site"


def test_an_area_comes_back_as_it_was_written_and_none_is_the_whole_zone() -> None:
    told = area(Line(points=((0, 0), (9, 9)), width_m=2), line="P-1", z_high_m=3.0)
    assert read_area(write_area(told, SITE), None) == told
    whole = read_area(write_area(None, SITE), ZONE)
    assert whole.shape == Polygon(points=SQUARE)
    assert whole.z_high_m is None
    with pytest.raises(ValueError, match="zone that is gone"):
        read_area(b"", None)


angle = st.integers(-360, 360).map(float)


@given(angle, st.integers(1, 360).map(float), st.floats(1, 100), angle)
def test_what_is_drawn_of_a_sector_lies_around_it(
    begin: float, span: float, radius: float, at: float
) -> None:
    """The outline that is measured covers all that the jib covers: never less."""
    sector = Sector(at=(3.0, 4.0), radius_m=radius, from_deg=begin, to_deg=begin + span)
    x = 3.0 + radius * 0.999 * math.cos(math.radians(at))
    y = 4.0 + radius * 0.999 * math.sin(math.radians(at))
    turn = (at - begin) % 360.0
    # A hair beside the edge rounding may say either.
    if min(turn, abs(turn - span), 360.0 - turn) > 1e-3 or span >= 360.0:
        assert sector.covers(x, y) is (turn <= span)
    if sector.covers(x, y):
        outline = shapely.Polygon(arc(sector))
        assert outline.distance(shapely.Point(x, y)) <= 1e-6


def test_shapes_are_drawn_as_geojson_closed_and_in_metres() -> None:
    """Conflicts show with the two shapes."""
    assert drawn(Polygon(points=((0, 0), (1, 0), (0, 1)))) == {
        "type": "Polygon",
        "coordinates": (((0, 0), (1, 0), (0, 1), (0, 0)),),
    }
    assert drawn(Line(points=((0, 0), (1, 0)), width_m=2)) == {
        "type": "LineString",
        "coordinates": ((0, 0), (1, 0)),
        "width_m": 2,
    }
    assert drawn(Disc(at=(1, 2), radius_m=3))["type"] == "Point"
