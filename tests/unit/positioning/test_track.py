"""Smoothing: never behind by more than is unknown anyway, and no leaps."""

import math

from hypothesis import given
from hypothesis import strategies as st

from integrations.positioning.frame import Frame
from integrations.positioning.track import AGREE, LAG, STILL_S, Track

FASTEST = 7.0
metres = st.floats(-50, 50)


@given(
    st.lists(
        st.tuples(metres, metres, st.floats(0.1, 5), st.floats(0.001, 2)), min_size=1
    )
)
def test_circle_told_holds_the_raw_circle(
    fixes: list[tuple[float, float, float, float]],
) -> None:
    """Smoothing hides nothing: the whole circle of the raw fix lies within."""
    track, now = Track(), 0.0
    for x, y, accuracy, dt in fixes:
        now += dt
        found = track.take((x, y, 1.2), accuracy, now, FASTEST)
        off = math.dist(found.at, found.raw)
        assert off <= LAG * accuracy + 1e-6
        assert found.accuracy_m >= accuracy + off - 1e-6


def test_walk_is_smoother_than_its_fixes() -> None:
    import random

    chance, track = random.Random(1), Track()
    raw = smooth = 0.0
    for n in range(400):
        x = 1.3 * n / 10
        fix = (x + chance.gauss(0, 0.3), chance.gauss(0, 0.3), 1.2)
        found = track.take(fix, 1.5, n / 10, FASTEST)
        raw += math.dist(fix, (x, 0, 1.2)) ** 2
        smooth += math.dist(found.at, (x, 0, 1.2)) ** 2
    assert smooth < 0.7 * raw


def test_leap_waits_until_others_agree() -> None:
    track = Track()
    for n in range(10):
        assert track.take((0, 0, 0), 0.3, n / 10, FASTEST).why == ""
    assert track.take((30, 0, 0), 0.3, 1.0, FASTEST).why == "jump"
    assert track.take((0, 0, 0), 0.3, 1.1, FASTEST).why == ""
    found = [track.take((30, 0, 0), 0.3, 1.2 + n / 10, FASTEST) for n in range(AGREE)]
    assert [each.why for each in found[:-1]] == ["jump"] * (AGREE - 1)
    assert found[-1].why == "" and found[-1].at == (30, 0, 0)


def test_bursts_make_no_speed() -> None:
    track = Track()
    for n in range(50):
        for part in range(10):
            wobble = 0.05 if part % 2 else -0.05
            at = track.take((wobble, 0, 0), 1.0, n / 5 + part * 1e-4, FASTEST).at
            assert abs(at[0]) < 0.15


def test_still_is_said_after_a_minute_and_ends_with_a_step() -> None:
    track = Track()
    for n in range(int(STILL_S) + 2):
        track.take((0.1 * (n % 3), 0, 0), 0.5, float(n), FASTEST)
    assert track.still is True
    track.take((2, 0, 0), 0.5, STILL_S + 3, FASTEST)
    assert track.still is False


def test_lost_messages_are_counted() -> None:
    track = Track()
    for n in range(100):
        if n % 4:
            track.heard(n / 10)
    assert track.loss(10.2, 0.1) is not None
    assert 20 <= (track.loss(10.2, 0.1) or 0) <= 30


@given(metres, metres, st.floats(-3, 9), st.floats(-360, 360), st.floats(0.01, 100))
def test_frame_is_turned_and_turned_back(
    x: float, y: float, z: float, turn: float, scale: float
) -> None:
    frame = Frame({"offset": [3, -4, 1], "rotation_deg": turn, "scale": scale})
    back = frame.source(frame.site((x, y, z)))
    assert math.dist(back, (x, y, z)) < 1e-6


def test_levels_give_a_height_to_engines_that_know_none() -> None:
    frame = Frame({"levels": [{"from": -1, "z": 1.2}, {"from": 3, "z": 5.2}]})
    assert frame.site((0, 0, 0.4))[2] == 1.2
    assert frame.site((0, 0, 3.6))[2] == 5.2
    assert frame.site((0, 0, -9))[2] == 1.2
