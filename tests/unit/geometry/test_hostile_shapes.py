"""Shapes that nobody can measure are unknown to the worker, never 'nothing near'."""

import math

import pytest

from core.geometry.engine import UNMEASURED, Engine
from core.geometry.shapes import Area, Disc, Hazard, Line, Polygon, Rule, Sector, Work

NAN, INF = math.nan, math.inf
RULE = Rule("r", "hot", "any_work", "disc", 10.0)
HERE = Disc(at=(0.0, 0.0), radius_m=1.0)


def found(area: Area, other: Area | None = None) -> dict[str, int]:
    """Return how many pairs each of two works has; one is as near as can be."""
    engine = Engine()
    engine.begin({"g": 0.0}, {"p": (RULE,)})
    beside = other or Area(level="g", shape=HERE)
    works = [
        Work("bad", "p", "hot", "z", area, 0, 10),
        Work("good", "p", "lift", "y", beside, 0, 10),
    ]
    return {each.work: each.count for each in engine.update(works, [])}


@pytest.mark.parametrize(
    "shape",
    [
        Line(points=((0.0, 0.0), (NAN, NAN), (9.0, 9.0))),
        Line(points=((NAN, NAN), (0.0, 0.0)), width_m=1.0),
        Line(points=((0.0, 0.0), (9.0, 0.0)), width_m=-30.0),
        Line(points=((-1e308, 0.0), (1e308, 0.0))),
        Line(points=((0.0, 0.0),)),
        Line(points=()),
        Polygon(points=((0.0, 0.0), (NAN, 9.0), (9.0, 9.0), (9.0, 0.0))),
        Polygon(points=((0.0, 0.0), (INF, 9.0), (9.0, 9.0))),
        Polygon(points=((-1e300, -1e300), (1e300, -1e300), (0.0, 1e300))),
        Polygon(points=()),
        Polygon(points=((0.0, 0.0), (1.0, 1.0))),
        Polygon(points=tuple((float(n), float(n * n)) for n in range(100_000))),
        Disc(at=(NAN, 0.0)),
        Disc(at=(0.0, 0.0), radius_m=NAN),
        Disc(at=(20.0, 0.0), radius_m=-15.0),
        Disc(at=(0.0, 0.0), radius_m=INF),
    ],
    ids=lambda shape: type(shape).__name__,
)
def test_what_has_no_place_is_unknown(shape: Disc | Line | Polygon) -> None:
    """Unknown is never safe: not one of these reads as 'nothing is near'."""
    assert found(Area(level="g", shape=shape))["bad"] == UNMEASURED


@pytest.mark.parametrize(
    "swept",
    [
        Sector(at=(0.0, 0.0), radius_m=NAN),
        Sector(at=(0.0, 0.0), radius_m=-5.0, to_deg=90.0),
        Sector(at=(0.0, 0.0), radius_m=5.0, to_deg=NAN),
        Sector(at=(NAN, 0.0), radius_m=5.0),
        Sector(at=(0.0, 0.0), radius_m=1e12),
    ],
)
def test_what_sweeps_nowhere_is_unknown(swept: Sector) -> None:
    assert found(Area(level="g", shape=HERE, swept=swept))["bad"] == UNMEASURED


@pytest.mark.parametrize(
    "shape",
    [
        Polygon(points=((-9.0, -9.0), (9.0, 9.0), (9.0, -9.0), (-9.0, 9.0))),
        Polygon(points=((-5.0, -5.0), (5.0, 5.0), (9.0, 9.0))),
        Polygon(points=((0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (1.0, 1.0), (2.0, 0.0))),
        Line(points=((0.0, 0.0), (0.0, 0.0))),
    ],
    ids=["bow-tie", "on one line", "doubled", "a point"],
)
def test_what_is_oddly_drawn_is_taken_whole(shape: Line | Polygon) -> None:
    """A crossing or flat outline covers at least what was drawn."""
    assert found(Area(level="g", shape=shape)) == {"bad": 1, "good": 1}


def test_an_unmeasured_work_leaves_the_others_measured() -> None:
    lost = Area(level="g", shape=Disc(at=(NAN, NAN)))
    assert found(lost) == {"bad": UNMEASURED, "good": 0}


def test_a_hazard_without_a_place_ends_the_worker_and_hides_nothing() -> None:
    """A plan that cannot be measured is no plan: the session must not go on."""
    engine = Engine()
    engine.begin({"g": 0.0}, {"p": (RULE,)})
    bad = Hazard(id="h", kind="drain", level="g", shape=Disc(at=(NAN, 0.0)))
    with pytest.raises(ValueError, match="place"):
        engine.furnish([bad])
