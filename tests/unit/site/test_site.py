"""Where a point lies: polygons, levels, neighbours (design §4 site)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.site.site import area, contains
from tests.support.kernel import Bench
from tests.support.yard import bundle, square

L_SHAPE = ((0.0, 0.0), (4.0, 0.0), (4.0, 1.0), (1.0, 1.0), (1.0, 4.0), (0.0, 4.0))


@pytest.fixture
def bench() -> Bench:
    return Bench(bundle())


@pytest.mark.parametrize(
    ("x", "y", "inside"),
    [
        (0.5, 3.0, True),
        (3.0, 0.5, True),
        (2.0, 2.0, False),
        (4.0, 0.5, True),  # the edge belongs to it
        (0.0, 0.0, True),
        (-0.1, 0.5, False),
        (5.0, 1.0, False),
    ],
)
def test_a_point_in_an_angled_room(x: float, y: float, inside: bool) -> None:
    assert contains(L_SHAPE, x, y) is inside


def test_a_plan_without_corners_holds_nobody() -> None:
    assert not contains((), 0, 0)
    assert area(()) == 0


@given(
    x=st.floats(-50, 50),
    y=st.floats(-50, 50),
    side=st.floats(0.5, 20),
    at=st.floats(-9, 9),
)
def test_a_square_holds_what_its_sides_enclose(
    x: float, y: float, side: float, at: float
) -> None:
    inside = contains(square(at, at, side), x, y)
    margin = 1e-6
    if at + margin < x < at + side - margin and at + margin < y < at + side - margin:
        assert inside
    if not (at - margin <= x <= at + side + margin):
        assert not inside


def test_the_smallest_zone_of_nested_ones_is_meant(bench: Bench) -> None:
    assert bench.kernel.site.locate(3, 3, 0) == "tank"
    assert bench.kernel.site.locate(10, 10, 0) == "yard"


@pytest.mark.parametrize(
    ("z", "zone"),
    [(-3, "yard"), (0, "yard"), (4.0, "yard"), (4.6, "hall"), (9, "hall")],
)
def test_the_level_is_the_floor_below(bench: Bench, z: float, zone: str) -> None:
    assert bench.kernel.site.locate(10, 10, z) == zone


def test_a_point_off_the_plan_lies_in_no_zone(bench: Bench) -> None:
    assert bench.kernel.site.locate(500, 500, 0) is None


def test_neighbours_count_from_both_sides(bench: Bench) -> None:
    assert bench.kernel.site.neighbours("tank") == {"yard"}
    assert bench.kernel.site.neighbours("yard") == {"tank"}
    assert bench.kernel.site.neighbours("nowhere") == frozenset()


def test_an_unknown_zone_names_itself(bench: Bench) -> None:
    assert bench.kernel.site.names("tank").en == "tank"
    assert bench.kernel.site.names("nowhere").zh == "nowhere"
    assert bench.kernel.site.zone("nowhere") is None


def test_muster_points_know_their_zone(bench: Bench) -> None:
    site = bench.kernel.site
    assert [site.muster_zone(p) for p in site.muster_points()] == ["gate", "yard"]
