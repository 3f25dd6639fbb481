"""A camera that does not see is found out by its own pictures (issue: health)."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.api import Quality
from core.clock import NS
from integrations.camera import flow, health, scene
from integrations.camera.frame import covered
from integrations.camera.judge import BLACK_S, MOVED_S, Held, Judge, Verdict, luma_of
from integrations.camera.look import reference
from integrations.camera.simscene import Scene

Pixels = npt.NDArray[np.uint8]
HALF = NS // 2


class Watch:
    """Show a judge pictures, two in a second."""

    def __init__(self, judge: Judge) -> None:
        self.judge, self.now = judge, 10 * NS

    def see(self, make: Callable[[], Pixels], seconds: float) -> Verdict:
        for _ in range(max(int(seconds * 2), 1)):
            self.now += HALF
            verdict = self.judge.look(make(), self.now)
        return verdict


def _watch(
    frozen_s: float = 5.0, references: tuple[str, ...] = ()
) -> tuple[Watch, Scene]:
    place = Scene("place")
    return Watch(Judge(frozen_s, (), references)), place


def test_nothing_is_known_of_the_first_picture() -> None:
    """Design §5: unknown is never safe; one picture may be an hour old."""
    watch, place = _watch()
    first = watch.see(place.pixels, 0.5)
    assert first.frozen is None
    assert health.seen(first, 2.0, proven=True)["health"][1] is Quality.UNCERTAIN
    second = watch.see(place.pixels, 0.5)
    assert second.frozen is False
    read = health.seen(second, 2.0, proven=True)["health"]
    assert read == (False, Quality.GOOD, "")


def test_a_still_scene_with_a_sensors_noise_is_not_frozen() -> None:
    watch, place = _watch(frozen_s=3.0)
    still = place.pixels().astype(np.int16)
    chance = np.random.default_rng(1)

    def quiet() -> Pixels:
        noise = chance.normal(0, 0.8, still.shape[:2]).round().astype(np.int16)
        found: Pixels = np.clip(still + noise[:, :, None], 0, 255).astype(np.uint8)
        return found

    assert watch.see(quiet, 60).frozen is False


def test_the_same_picture_is_frozen_though_its_painted_clock_runs() -> None:
    """Issue §5: a frozen camera is a health alarm; the clock in the picture is none."""
    watch, place = _watch(frozen_s=5.0)
    watch.see(place.pixels, 3)
    still, count = place.pixels(), iter(range(10_000))

    def clocked() -> Pixels:
        picture = still.copy()
        picture[4:20, 8 : 8 + next(count) % 90] = 255
        return picture

    assert watch.see(clocked, 3).frozen is False  # not yet
    frozen = watch.see(clocked, 5)
    assert frozen.frozen is True
    assert health.seen(frozen, 2.0, proven=True)["health"] == (
        True,
        Quality.FAULT,
        "camera.frozen",
    )
    assert watch.see(place.pixels, 1).frozen is True  # a flicker is no life
    assert watch.see(place.pixels, 3).frozen is False


def test_a_loop_of_old_pictures_is_frozen_and_shows_nothing_of_now() -> None:
    """Conformance, replay: what was here before to the last bit is not now."""
    watch, place = _watch(frozen_s=5.0)
    kept = [place.pixels() for _ in range(12)]
    for picture in kept:
        watch.see(lambda picture=picture: picture, 0.5)  # type: ignore[misc]
    loop = iter(kept * 10)
    first = watch.see(lambda: next(loop), 0.5)
    assert first.old
    assert watch.see(lambda: next(loop), 6).frozen is True
    watch.judge.forget()
    assert watch.see(lambda: next(loop), 0.5).old  # a break does not wash it clean


@pytest.mark.parametrize("state", ["black", "covered"])
def test_a_dark_or_covered_lens_is_black_after_a_while(state: str) -> None:
    watch, place = _watch()
    watch.see(place.pixels, 3)
    place.state = state
    assert watch.see(place.pixels, BLACK_S - 1).black is False
    covered_now = watch.see(place.pixels, 2)
    assert covered_now.black is True
    assert health.blind(covered_now) == "camera.black"
    place.state = "normal"
    assert watch.see(place.pixels, BLACK_S + 1).black is False


def test_a_turned_camera_is_moved_and_how_far_is_told() -> None:
    place = Scene("place")
    watch = Watch(Judge(5.0, (), (reference(place.pixels()),)))
    assert watch.see(place.pixels, 5).moved is False
    place.state = "moved"
    assert watch.see(place.pixels, MOVED_S - 2).moved is False
    turned = watch.see(place.pixels, 4)
    assert turned.moved is True
    assert turned.shift == pytest.approx(100 * np.hypot(76, 38) / 640, abs=2.5)
    place.state = "normal"
    assert watch.see(place.pixels, MOVED_S + 2).moved is False


def test_light_and_a_passing_shape_do_not_move_a_camera() -> None:
    place = Scene("place")
    watch = Watch(Judge(5.0, (), (reference(place.pixels()),)))
    place.brightness = 25.0

    def passing() -> Pixels:
        picture = place.pixels()
        picture[90:300, 200:380] = 120  # a vehicle, a sixth of the picture
        return picture

    assert watch.see(passing, 30).moved is False


def test_another_place_is_moved_whatever_it_shows() -> None:
    watch = Watch(Judge(5.0, (), (reference(Scene("place").pixels()),)))
    assert watch.see(Scene("elsewhere").pixels, MOVED_S + 3).moved is True


def test_a_view_that_nobody_confirmed_is_uncertain() -> None:
    """Design §5: a camera that was turned while the hub was off cannot be known."""
    watch, place = _watch()
    verdict = watch.see(place.pixels, 6)
    assert verdict.moved is False
    assert not watch.judge.proven
    read = health.seen(verdict, 2.0, proven=watch.judge.proven)["health.moved"]
    assert read == (False, Quality.UNCERTAIN, "camera.view_unproven")


def test_a_place_without_edges_tells_nothing_of_the_view() -> None:
    flat = np.full((360, 640, 3), 120, np.uint8)
    found = scene.compare(scene.edges(luma_of(flat)), scene.edges(luma_of(flat)))
    assert found.share is None


def test_what_is_masked_is_not_looked_at() -> None:
    """Privacy: a mask comes before everything; what lies there may not be judged."""
    right = [[0.5, 0.0], [1.0, 0.0], [1.0, 1.0], [0.5, 1.0]]
    watch, place = Watch(Judge(4.0, [right])), Scene("place")
    watch.see(place.pixels, 2)
    still = place.pixels()

    def half_alive() -> Pixels:
        picture = place.pixels()
        picture[:, :320] = still[:, :320]  # the open half stands still
        return picture

    assert watch.see(half_alive, 8).frozen is True


@given(
    corners=st.lists(
        st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=12
    ),
    width=st.integers(1, 60),
    height=st.integers(1, 60),
)
@example(corners=[(0.0, 0.0), (1.0, 5e-324), (1.0, 1.0)], width=4, height=4)
def test_a_mask_has_the_pictures_shape_and_stays_in_its_box(
    corners: list[tuple[float, float]], width: int, height: int
) -> None:
    found = covered([corners], width, height)
    assert found.shape == (height, width)
    ys, xs = np.nonzero(found)
    if len(xs):
        assert (xs.min() + 0.5) / width >= min(x for x, _ in corners)
        assert (ys.max() + 0.5) / height <= max(y for _, y in corners)


@given(text=st.one_of(st.text(max_size=40), st.binary().map(lambda b: f"v1:{b!r}")))
def test_a_reference_that_is_none_has_one_error(text: str) -> None:
    with pytest.raises(scene.BadReference):
        scene.reference(text)


def test_a_reference_survives_being_written_down() -> None:
    plane = scene.edges(luma_of(Scene("place").pixels()))
    again = scene.reference(scene.text_of(plane))
    assert float(np.abs(again - plane).max()) <= 0.5
    assert len(scene.text_of(plane)) < 1_600
    flow.schema()(
        {"cameras": [{"uid": "c", "address": "a", "reference": [scene.text_of(plane)]}]}
    )


@given(looks=st.lists(st.sampled_from([True, False, None]), max_size=40))
def test_a_verdict_never_turns_faster_than_it_may(looks: list[bool | None]) -> None:
    """Hysteresis: no verdict but the first comes from less than its whole span."""
    held, turned = Held(3.0), -10
    for second, look in enumerate(looks):
        before = held.state
        after = held.feed(look, second * NS)
        if before is not None and after is not before:
            assert after is look
            window = looks[max(second - 3, 0) : second + 1]
            assert all(each is look for each in window)
            assert second - turned >= 3
            turned = second
        elif after is not before:
            turned = second


@settings(max_examples=25)
@given(
    width=st.integers(2, 400),
    height=st.integers(2, 300),
    seed=st.integers(0, 1 << 16),
)
def test_any_picture_is_judged(width: int, height: int, seed: int) -> None:
    """Every size that a decoder may send is judged without an error."""
    chance, judge = np.random.default_rng(seed), Judge(5.0)
    for number in range(3):
        picture = chance.integers(0, 256, (height, width, 3), np.uint8)
        judge.look(picture, number * NS)
