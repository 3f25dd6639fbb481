"""What holds for any works at any place."""

from collections.abc import Callable
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automations.packs.compile import find, load
from core.geometry import engine as engines
from core.geometry.engine import Engine
from core.geometry.shapes import (
    Area,
    Disc,
    Hazard,
    Line,
    Pair,
    Point,
    Polygon,
    Sector,
    Shape,
    Work,
)
from core.permits.conflicts import as_rule
from tests.unit.geometry.shapes_made import DAY, LEVELS, square

PACK = load(find("cn-hazchem"))
RULES = tuple(as_rule(each) for each in PACK.distances)
FAMILIES = sorted({each.work for each in PACK.distances})
OTHERS = sorted({each.other for each in PACK.distances})

# Halves of metres: no place is at a limit by a rounding alone.
metre = st.integers(-60, 60).map(lambda halves: halves / 2)
size = st.integers(1, 20).map(lambda halves: halves / 2)
point = st.tuples(metre, metre)
shape: st.SearchStrategy[Shape] = st.one_of(
    st.builds(Disc, at=point, radius_m=size),
    st.builds(square, metre, metre, size),
    st.builds(
        Line, points=st.lists(point, min_size=2, max_size=4).map(tuple), width_m=size
    ).filter(lambda line: len(set(line.points)) > 1),
)
sector = st.builds(
    Sector,
    at=point,
    radius_m=size,
    from_deg=st.sampled_from((0.0, 45.0, -90.0)),
    to_deg=st.sampled_from((90.0, 200.0, 270.0)),
)
area = st.builds(
    Area,
    level=st.sampled_from([*LEVELS, "unknown"]),
    shape=shape,
    z_low_m=st.sampled_from((0.0, 1.0, 3.0)),
    z_high_m=st.sampled_from((None, 3.0, 10.0, 30.0)),
    height_m=st.sampled_from((None, 5.0, 30.0)),
    swept=st.none() | sector,
    line=st.sampled_from(("", "", "P-1", "P-2")),
    also=st.lists(st.sampled_from(OTHERS), max_size=1).map(tuple),
)
hazards = st.lists(
    st.builds(
        Hazard,
        id=st.integers(0, 99).map(str),
        kind=st.sampled_from([*OTHERS, "dyke"]),
        level=st.sampled_from(list(LEVELS)),
        shape=shape,
    ),
    max_size=3,
    unique_by=lambda each: each.id,
)


@st.composite
def works(draw: st.DrawFn, most: int = 6) -> list[Work]:
    count = draw(st.integers(2, most))
    made = []
    for number in range(count):
        begin = draw(st.sampled_from((0, DAY // 2, DAY)))
        made.append(
            Work(
                f"w{number}",
                "p",
                draw(st.sampled_from(FAMILIES)),
                draw(st.sampled_from(("z1", "z2", f"own{number}"))),
                draw(area),
                begin,
                begin + DAY,
                tuple(draw(st.sets(st.sampled_from(("w0", "w1")), max_size=1))),
            )
        )
    return made


def told(given_works: list[Work], plan: list[Hazard]) -> Engine:
    made = Engine()
    made.begin(LEVELS, {"p": RULES})
    made.furnish(plan)
    made.update(given_works, [])
    return made


def keys(pairs: set[Pair]) -> set[tuple[str, str, str]]:
    return {(pair.rule, pair.work, pair.other) for pair in pairs}


@given(works(), hazards, st.randoms())
@settings(max_examples=60)
def test_it_does_not_matter_who_came_first(
    given_works: list[Work], plan: list[Hazard], order: Random
) -> None:
    """Symmetry: a pair stands with both, whichever of them was told last."""
    mixed = list(given_works)
    order.shuffle(mixed)
    one = told(given_works, plan)
    two = Engine()
    two.begin(LEVELS, {"p": RULES})
    two.furnish(plan)
    for each in mixed:
        two.update([each], [])
    assert one.pairs() == two.pairs()
    for pair in one.pairs():
        for name in {pair.work, pair.other} - {f"hazard:{h.id}" for h in plan}:
            assert pair in one.of(name).pairs or one.of(name).count > engines.KEPT


@given(works(12), hazards, st.data())
@settings(max_examples=60)
def test_the_index_finds_what_looking_at_all_finds(
    given_works: list[Work], plan: list[Hazard], data: st.DataObject
) -> None:
    """Whatever is added, moved and ended, the pairs are those of brute force."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "LOOSE", data.draw(st.sampled_from((0, 2, 64))))
        made = told([], plan)
        known: dict[str, Work] = {}
        for each in given_works:
            known[each.id] = each
            made.update([each], [])
            if data.draw(st.booleans()):
                moved = data.draw(st.sampled_from(sorted(known)))
                again = msgspec.structs.replace(known[moved], area=data.draw(area))
                known[moved] = again
                made.update([again], [])
            elif data.draw(st.booleans()):
                gone = data.draw(st.sampled_from(sorted(known)))
                del known[gone]
                made.update([], [gone, "never-there"])
        assert made.pairs() == made.everything()
        assert made.pairs() == told(list(known.values()), plan).pairs()


def grown(shape_: Shape) -> Shape:
    if isinstance(shape_, Disc):
        return Disc(at=shape_.at, radius_m=shape_.radius_m + 3)
    if isinstance(shape_, Line):
        return Line(points=shape_.points, width_m=shape_.width_m + 4)
    (x, y), (x2, _) = shape_.points[0], shape_.points[1]
    return square(x - 2, y - 2, x2 - x + 4)


def _wider(each: Area) -> Area:
    return msgspec.structs.replace(each, shape=grown(each.shape))


def _taller(each: Area) -> Area:
    high = None if each.z_high_m is None else each.z_high_m + 9
    return msgspec.structs.replace(each, z_low_m=each.z_low_m - 2, z_high_m=high)


def _busier(each: Area) -> Area:
    return msgspec.structs.replace(each, also=(*each.also, "painting", "gas_bottle"))


def _farther(each: Area) -> Area:
    if each.swept is None:
        return _wider(each)
    swept = msgspec.structs.replace(each.swept, radius_m=each.swept.radius_m + 5)
    return msgspec.structs.replace(each, swept=swept)


@pytest.mark.parametrize("grow", [_wider, _taller, _busier, _farther])
@given(works(4), hazards)
@settings(max_examples=40)
def test_more_of_a_work_never_has_fewer_conflicts(
    grow: Callable[[Area], Area], given_works: list[Work], plan: list[Hazard]
) -> None:
    """Monotone: wider, taller, more at once or further swept takes nothing away."""
    first, *rest = given_works
    more = msgspec.structs.replace(first, area=grow(first.area))
    assert keys(told(given_works, plan).pairs()) <= keys(
        told([more, *rest], plan).pairs()
    )


@given(works(4), hazards)
@settings(max_examples=40)
def test_longer_never_has_fewer_conflicts(
    given_works: list[Work], plan: list[Hazard]
) -> None:
    """Monotone in time as well."""
    first, *rest = given_works
    more = msgspec.structs.replace(first, from_ns=0, to_ns=DAY * 9)
    assert told(given_works, plan).pairs() <= told([more, *rest], plan).pairs()


def move_shape(shape_: Shape, by: Point) -> Shape:
    if isinstance(shape_, Disc):
        return Disc(at=moved(shape_.at, by), radius_m=shape_.radius_m)
    points = tuple(moved(each, by) for each in shape_.points)
    if isinstance(shape_, Line):
        return Line(points=points, width_m=shape_.width_m)
    return Polygon(points=points)


def moved(at: Point, by: Point) -> Point:
    return at[0] + by[0], at[1] + by[1]


def move_area(each: Area, by: Point) -> Area:
    swept = each.swept and msgspec.structs.replace(
        each.swept, at=moved(each.swept.at, by)
    )
    return msgspec.structs.replace(each, shape=move_shape(each.shape, by), swept=swept)


@given(works(4), hazards, st.tuples(st.integers(-500, 500), st.integers(-500, 500)))
@settings(max_examples=40)
def test_where_the_plans_zero_lies_does_not_matter(
    given_works: list[Work], plan: list[Hazard], by: Point
) -> None:
    """Translation: all moved alike is all the same."""
    there = [
        msgspec.structs.replace(each, area=move_area(each.area, by))
        for each in given_works
    ]
    hazards_there = [
        msgspec.structs.replace(each, shape=move_shape(each.shape, by)) for each in plan
    ]
    assert keys(told(given_works, plan).pairs()) == keys(
        told(there, hazards_there).pairs()
    )


@given(works(), st.sampled_from((0, 1, 2)))
@settings(max_examples=60)
def test_a_change_tells_of_everybody_whom_it_touched(
    given_works: list[Work], leaves: int
) -> None:
    """A permit hears of what a neighbour's change brings and takes."""
    made = told(given_works, [])
    before = {each.id: made.of(each.id) for each in given_works}
    gone = f"w{min(leaves, len(given_works) - 1)}"
    answered = {found.work: found for found in made.update([], [gone])}
    for name in before.keys() - {gone}:
        now = made.of(name)
        assert now == before[name] or answered[name] == now
