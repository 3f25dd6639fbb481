"""Each shape of a distance, just inside and just outside (domain §1.5)."""

import math

import pytest

from automations.packs.compile import find, load
from core.geometry.measure import fall_radius
from core.geometry.shapes import Area, Disc, Line, Polygon, Rule, Sector
from core.permits.conflicts import as_rule
from tests.unit.geometry.shapes_made import (
    DAY,
    engine,
    hazard,
    met,
    rule,
    spot,
    square,
    work,
)

PACK = load(find("cn-hazchem"))
#: Every distance of the shipped pack, by its id.
LAW = {each.id: as_rule(each) for each in PACK.distances}


def law(*names: str) -> tuple[Rule, ...]:
    return tuple(LAW[name] for name in names)


@pytest.mark.parametrize(
    ("name", "work_family", "other", "metres"),
    [
        ("hot-gas-release", "hot", "release_flammable_gas", 30),
        ("hot-liquid-release", "hot", "release_flammable_liquid", 15),
        ("hot-leak", "hot", "leak_capable", 15),
        ("hot-bottles", "hot", "gas_bottle", 10),
        ("bottles-apart", "hot", "gas_bottle_pair", 5),
        ("dig-pipe", "dig", "buried_pipe", 1),
    ],
)
def test_a_hazard_within_the_disc_is_a_conflict_and_one_beyond_is_none(
    name: str, work_family: str, other: str, metres: float
) -> None:
    """GB 30871 5.2, 11.6: the limit itself lies within."""
    place = work("w", work_family, spot(0, 0, 1))
    for away, found in ((metres - 0.01, True), (metres, True), (metres + 0.01, False)):
        vent = hazard("v", other, spot(1 + away, 0))
        pairs = met(law(name), place, hazards=(vent,))
        assert bool(pairs) is found, away


@pytest.mark.parametrize(
    ("name", "other", "metres"),
    [
        ("hot-solvent", "solvent_cleaning", 10),
        ("hot-paint", "painting", 10),
        ("hot-dust", "dust_sweeping", 10),
    ],
)
def test_what_a_permit_does_besides_counts_like_a_work_of_its_own(
    name: str, other: str, metres: float
) -> None:
    """GB 30871 5.2.9: painting is no special work, but it is done under a permit."""
    hot = work("hot", "hot", square(0, 0))
    for away, found in ((metres, True), (metres + 0.01, False)):
        height = work("height", "height", square(2 + away, 0), also=(other,))
        assert bool(met(law(name), hot, height)) is found
        plain = work("height", "height", square(2 + away, 0))
        assert not met(law(name), hot, plain)


def test_blind_plate_and_hot_work_are_thirty_metres_apart_whoever_came_first() -> None:
    """GB 30871 7.6: the rule stands with one of the two, and finds both."""
    hot, plate = work("hot", "hot", spot(0, 0)), work("bp", "blind_plate", spot(30, 0))
    pair = {("hot-blind", "bp", "hot")}
    assert met(law("hot-blind"), hot, plate) == pair
    assert met(law("hot-blind"), plate, hot) == pair
    far = work("bp", "blind_plate", spot(30.01, 0))
    assert not met(law("hot-blind"), hot, far)


def test_a_column_is_the_plan_above_and_below_on_every_level() -> None:
    """GB 30871 5.2.9: neither above nor below the fire."""
    hot = work("hot", "hot", square(0, 0), level="deck")
    for level in ("ground", "deck", "top"):
        paint = work("p", "height", square(1, 1), level=level, also=("painting",))
        assert met(law("hot-paint-column"), hot, paint)
        beside = work("p", "height", square(2.01, 0), level=level, also=("painting",))
        assert not met(law("hot-paint-column"), hot, beside)


def test_a_distance_that_is_not_vertical_ends_at_the_floor() -> None:
    """GB 30871 5.2.4: equipment on another level is another matter; unknown is not."""
    leak = hazard("v", "leak_capable", spot(5, 0), "deck")
    assert not met(law("hot-leak"), work("h", "hot", spot(0, 0)), hazards=(leak,))
    # A scaffold that reaches the deck is on both.
    tall = work("h", "hot", spot(0, 0), high=6.5)
    assert met(law("hot-leak"), tall, hazards=(leak,))
    unknown = work("h", "hot", spot(0, 0), level="gone")
    assert met(law("hot-leak"), unknown, hazards=(leak,))


def test_who_works_below_in_the_fall_line_is_found_with_the_radius_of_the_fall() -> (
    None
):
    """GB 30871 8.2.8, GB/T 3608: 3, 4, 5, 6 m beside by the height of the fall."""
    rules = law("height-under")
    for high, radius in ((2.0, 3), (5.0, 3), (5.01, 4), (15.01, 5), (30.01, 6)):
        assert fall_radius(high) == radius
        above = work("a", "height", square(0, 0), high=high)
        near = work("b", "dig", square(2 + radius, 0))
        assert ("height-under", "a", "b") in met(rules, above, near)
        far = work("b", "dig", square(2 + radius + 0.01, 0))
        assert not met(rules, above, far)


def test_nothing_falls_upwards_and_nobody_falls_from_where_he_stands() -> None:
    """GB/T 3608: work at height begins at two metres above what it falls on."""
    rules = law("height-under")
    below = work("a", "height", square(0, 0), high=2.5)
    assert not met(rules, below, work("b", "dig", square(0, 0), level="deck"))
    low = work("a", "height", square(0, 0), high=1.99)
    assert not met(rules, low, work("b", "dig", square(0, 0)))
    # On the same deck, one beside the other, and both over whoever is below.
    deck = work("a", "height", square(0, 0), level="deck", high=1.9)
    side = work("b", "height", square(2, 0), level="deck", high=1.9)
    yard = work("c", "dig", square(1, 1))
    assert met(rules, deck, side, yard) == {
        ("height-under", "a", "c"),
        ("height-under", "b", "c"),
    }


def test_a_height_that_nobody_tells_may_be_any() -> None:
    """Unknown is never safe: the widest radius, and both layers."""
    rules = law("height-under", "height-under-24")
    above = work("a", "height", square(0, 0))
    under = met(rules, above, work("b", "dig", square(7.9, 0)))
    assert under == {("height-under", "a", "b"), ("height-under-24", "a", "b")}


def test_two_layers_are_asked_for_above_24_metres_only() -> None:
    """GB 30871 8.2.8: more than 24 m, by the geometry or as declared."""
    rules = law("height-under-24")
    yard = work("b", "dig", square(0, 0))
    assert not met(rules, work("a", "height", square(0, 0), high=24.0), yard)
    assert met(rules, work("a", "height", square(0, 0), high=24.1), yard)
    declared = work("a", "height", square(0, 0), high=10.0, fall=25.0)
    assert met(rules, declared, yard)


def test_works_of_one_job_are_not_another_work_but_stay_under_every_other_rule() -> (
    None
):
    """GB 30871 4.6: linked permits are one job; painting by a fire is still denied."""
    rules = law("height-under", "hot-paint")
    height = work("a", "height", square(0, 0), high=5.0, also=("painting",))
    fire = work("b", "hot", square(0, 0), linked=("a",))
    assert met(rules, height, fire) == {("hot-paint", "b", "a")}
    assert met(rules, fire, height) == {("hot-paint", "b", "a")}


def test_the_same_area_is_one_zone_one_dyke_or_one_place() -> None:
    """GB 30871 5.2.8, 6.7: wherever in it the two are."""
    rules = law("hot-dike", "space-paint")
    drain = work("d", "confined", spot(80, 0), also=("dyke_draining",))
    fire = work("h", "hot", spot(0, 0))
    dyke = hazard("farm", "dyke", square(-10, -10, 100))
    pair = {("hot-dike", "h", "d")}
    assert not met(rules, drain, fire)
    assert met(rules, drain, fire, hazards=(dyke,)) == pair
    half = hazard("farm", "dyke", square(-10, -10, 50))
    assert not met(rules, drain, fire, hazards=(half,))
    same = work("h", "hot", spot(0, 0), zone="z")
    there = work("d", "confined", spot(80, 0), zone="z", also=("dyke_draining",))
    assert met(rules, same, there) == pair
    tap = hazard("tap", "dyke_draining", square(-1, -1))
    assert met(rules, fire, hazards=(tap,)) == {("hot-dike", "h", "hazard:tap")}


def test_two_plates_on_one_pipe_are_found_however_far_apart() -> None:
    """GB 30871 7.10: the pipe's id decides; without one, the place does."""
    rules = law("blind-same-pipe")
    one = work("a", "blind_plate", spot(0, 0), line="P-101")
    two = work("b", "blind_plate", spot(900, 0), line="P-101")
    other = work("b", "blind_plate", spot(0, 0), line="P-102")
    untold = work("b", "blind_plate", square(-1, -1))
    assert len(met(rules, one, two)) == 2, "each of them breaks the rule"
    assert not met(rules, one, other)
    assert len(met(rules, one, untold)) == 2
    assert not met(rules, one, work("b", "blind_plate", square(5, 0)))


def test_the_corridor_runs_along_the_rail() -> None:
    """GB 30871 5.2.10: 25 m from the rail's edge, over its whole length."""
    rail = hazard("r", "hazchem_train", Line(points=((0, 0), (500, 0)), width_m=2))
    near, far = work("h", "hot", spot(300, 26)), work("h", "hot", spot(300, 26.01))
    assert met(law("hot-train"), near, hazards=(rail,))
    assert not met(law("hot-train"), far, hazards=(rail,))


def test_a_crane_sweeps_its_sector_and_no_more() -> None:
    """GB 30871 9.2.12: a work in the sector is under the jib, on whatever level."""
    rules = law("lift-work")
    sector = Sector(at=(0, 0), radius_m=20, from_deg=0, to_deg=90)
    lift = work("l", "lifting", spot(-5, -5, 2), swept=sector)

    def under(x: float, y: float) -> bool:
        return bool(met(rules, lift, work("w", "dig", spot(x, y), level="deck")))

    assert under(14, 14)
    assert under(0, 19.9)
    assert not under(14.3, 14.3)
    assert not under(5, -1)
    assert not under(-5, -5), "where the crane stands nothing hangs"
    # Two jibs that cross are each under the other.
    across = Sector(at=(30, 0), radius_m=15, from_deg=90, to_deg=270)
    two = work("m", "lifting", spot(30, 0), swept=across)
    assert len(met(rules, lift, two)) == 2
    assert not met(rules, lift, work("m", "lifting", spot(30, 0)))


def test_a_lift_without_a_sector_sweeps_its_whole_area() -> None:
    """Unknown is never safe."""
    lift = work("l", "lifting", square(0, 0, 30))
    assert met(law("lift-work"), lift, work("w", "dig", spot(29, 29)))


def test_works_conflict_only_while_both_go_on() -> None:
    """GB 30871 4.7: one may begin when the other has ended."""
    hot = work("h", "hot", spot(0, 0), when=(0, DAY))
    at, after = ((DAY - 1, DAY * 2), True), ((DAY, DAY * 2), False)
    for when, found in (at, after):
        plate = work("b", "blind_plate", spot(1, 0), when=when)
        assert bool(met(law("hot-blind"), hot, plate)) is found


def test_a_pair_tells_how_near_it_is_and_what_is_needed() -> None:
    """Conflicts show with the clause and the two shapes."""
    made = engine(
        law("hot-blind"),
        work("h", "hot", square(0, 0)),
        work("b", "blind_plate", spot(14.5, 1, 0.5)),
    )
    (pair,) = made.of("h").pairs
    assert (pair.measured_m, pair.needed_m) == (12.0, 30.0)
    assert made.of("b").pairs == (pair,)


def test_an_outline_that_crosses_itself_is_taken_whole() -> None:
    """Unknown is never safe: a bow tie covers what it goes around."""
    bow = Polygon(points=((0, 0), (10, 10), (10, 0), (0, 10)))
    rules = (rule("r", "a", "b", "column"),)
    assert met(rules, work("1", "a", bow), work("2", "b", spot(5, 9)))


def test_what_cannot_be_measured_is_unknown_and_takes_nobody_along() -> None:
    """Design §5 Truth: no number is not zero."""
    made = engine(law("hot-blind"), work("h", "hot", spot(0, 0)))
    bad = [
        work("n", "hot", Disc(at=(math.nan, 0))),
        work("o", "hot", spot(0, 0), low=math.nan),
        work("p", "hot", spot(0, 0, math.inf)),
    ]
    found = {each.work: each.count for each in made.update(bad, [])}
    assert found == {"n": -1, "o": -1, "p": -1}
    assert [f.work for f in made.update([work("n", "hot", spot(1, 1))], [])] == ["n"]
    assert made.of("h").count == 0


def test_the_shipped_pack_asks_only_for_shapes_that_are_measured() -> None:
    """Every distance of the law has a measure; the area struct stays inert."""
    made = engine(tuple(LAW.values()), work("w", "hot", spot(0, 0)))
    for each in LAW.values():
        one = work("1", each.work, spot(0, 0), also=(each.other,))
        made.update([one], [])
    assert Area(level="g", shape=spot(0, 0)).protections == ()
