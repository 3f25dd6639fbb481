"""Multilateration: it recovers, it doubts, and it never claims more than it has."""

import math
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.positioning.solve import Anchor, Limits, Solution, solve

ROOM = {
    "a": Anchor(0, 0, 3.0),
    "b": Anchor(20, 0, 3.0),
    "c": Anchor(20, 15, 3.0),
    "d": Anchor(0, 15, 3.0),
    "e": Anchor(10, 16, 3.0),
    "f": Anchor(10, -1, 3.0),
}
#: Walls of these tests make a range up to 5 m too long.
LIMITS = Limits(nlos_m=5.0)


def ranges(
    anchors: dict[str, Anchor], x: float, y: float, z: float = 1.2
) -> dict[str, float]:
    """Return the true distances from a place."""
    return {n: math.dist((x, y, z), (a.x, a.y, a.z)) for n, a in anchors.items()}


def some(names: str) -> dict[str, Anchor]:
    """Return the anchors of these names."""
    return {name: ROOM[name] for name in names}


def error(found: Solution, x: float, y: float) -> float:
    """Return how far a place is from the true one."""
    return math.hypot(found.x - x, found.y - y)


@given(
    st.floats(1, 19),
    st.floats(1, 14),
    st.sampled_from(["abc", "abcd", "abcde", "abcdef"]),
)
def test_exact_ranges_give_the_exact_place(x: float, y: float, names: str) -> None:
    """Requirement 1.12: multilateration recovers."""
    anchors = some(names)
    found = solve(ranges(anchors, x, y), anchors, LIMITS)
    assert found is not None
    assert error(found, x, y) < 0.01
    assert found.z == LIMITS.height_m


def test_fewer_than_three_anchors_tell_no_place() -> None:
    assert solve(ranges(some("ab"), 3, 4), some("ab"), LIMITS) is None
    assert solve({}, ROOM, LIMITS) is None


def test_anchors_on_one_line_tell_no_place() -> None:
    line = {n: Anchor(5.0 * i, 0, 3) for i, n in enumerate("abcd")}
    assert solve(ranges(line, 4, 6), line, LIMITS) is None


def test_anchors_near_one_line_doubt_the_side() -> None:
    flat = {"a": Anchor(0, 0, 3), "b": Anchor(10, 0.5, 3), "c": Anchor(20, 0, 3)}
    found = solve(ranges(flat, 9, 6), flat, Limits(sigma_m=0.3))
    assert found is None or found.why in ("mirror", "geometry", "inaccurate")


def test_far_outside_the_anchors_is_no_proof() -> None:
    near = {"a": Anchor(0, 0, 3), "b": Anchor(2, 0, 3), "c": Anchor(1, 2, 3)}
    found = solve(ranges(near, 60, 60), near, LIMITS)
    assert found is None or found.why


@given(
    st.floats(2, 18),
    st.floats(2, 13),
    st.sampled_from("abcdef"),
    st.floats(0.0, 5.0),
)
def test_one_range_through_a_wall_is_left_out_or_owned_up_to(
    x: float, y: float, bad: str, bias: float
) -> None:
    """Design §1: whatever a wall does, the circle told holds the place."""
    measured = ranges(ROOM, x, y)
    measured[bad] += bias
    found = solve(measured, ROOM, LIMITS)
    assert found is not None
    assert found.why or error(found, x, y) <= found.accuracy_m


@given(st.floats(2, 18), st.floats(2, 13), st.floats(0.0, 5.0), st.integers(0, 3))
def test_with_four_anchors_a_wrong_range_is_never_a_small_circle(
    x: float, y: float, bias: float, bad: int
) -> None:
    anchors = some("abcd")
    measured = ranges(anchors, x, y)
    measured["abcd"[bad]] += bias
    found = solve(measured, anchors, LIMITS)
    assert found is not None
    assert found.why or error(found, x, y) <= found.accuracy_m


def test_two_ranges_that_disagree_among_three_prove_nothing() -> None:
    anchors = some("abc")
    measured = ranges(anchors, 8, 6)
    measured["a"] += 4
    found = solve(measured, anchors, LIMITS)
    assert found is not None and found.why == "ranges_disagree"


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from(["abcd", "abcde", "abcdef"]))
def test_never_claims_a_better_accuracy_than_it_has(seed: int, names: str) -> None:
    """The radius holds the place in at least 95 of 100: noise, heights and walls."""
    chance = random.Random(seed)
    anchors, held, told = some(names), 0, 0
    for _ in range(200):
        x, y = chance.uniform(0, 20), chance.uniform(0, 15)
        z = chance.gauss(LIMITS.height_m, 0.3)
        measured = {
            n: r + chance.gauss(0, LIMITS.sigma_m)
            for n, r in ranges(anchors, x, y, z).items()
        }
        if chance.random() < 0.3:
            measured[chance.choice(names)] += chance.uniform(0.3, 5)
        found = solve(measured, anchors, LIMITS)
        if found is not None and not found.why:
            told += 1
            held += error(found, x, y) <= found.accuracy_m
    assert told > 100
    assert held >= 0.95 * told


def test_floors_are_not_mixed() -> None:
    """Anchors of one level: two floors that fit alike leave it open."""
    upper = {n + "2": a._replace(z=a.z + 4, floor=4.0) for n, a in some("abc").items()}
    both = {**some("abcd"), **upper}
    found = solve(ranges(both, 8, 6), both, LIMITS)
    assert found is not None and found.z == LIMITS.height_m
    assert set(found.used) <= set("abcd")
    alone = {**some("abc"), **upper}
    measured = ranges(alone, 8, 6)
    measured |= {n: measured[n[0]] for n in upper}
    found = solve(measured, alone, Limits())
    assert found is not None and found.why == "level_unclear"


@given(
    st.dictionaries(
        st.sampled_from("abcdefgh"), st.floats(-1e6, 1e6, allow_nan=False), max_size=8
    )
)
def test_any_ranges_end_in_a_place_or_none(measured: dict[str, float]) -> None:
    found = solve(measured, ROOM, LIMITS)
    if found is not None:
        assert math.isfinite(found.x) and math.isfinite(found.y)
        assert found.accuracy_m > 0
