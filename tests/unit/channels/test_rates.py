"""A rate is never exceeded, and life safety never waits for a flood (R13)."""

from hypothesis import given
from hypothesis import strategies as st

from core.channels.rates import Bucket
from core.clock import NS

RATES = st.tuples(st.integers(1, 120), st.sampled_from([1.0, 10.0, 60.0]))
STEPS = st.lists(st.tuples(st.integers(0, 5 * NS), st.booleans()), max_size=300)


@given(RATES, STEPS)
def test_no_window_holds_more_than_the_rate(
    rate: tuple[int, float], steps: list[tuple[int, bool]]
) -> None:
    """devices.md §7: the 21st message of a minute silences a group's bot."""
    most, per_s = rate
    now, bucket = 0, Bucket(0, most, per_s)
    went: list[int] = []
    for pause, life in steps:
        now += pause
        if bucket.take(now, life=life):
            went.append(now)
    for begin in went:
        inside = [at for at in went if begin <= at < begin + per_s * NS]
        assert len(inside) <= most


@given(RATES, STEPS)
def test_life_safety_waits_one_token_at_most_behind_any_flood(
    rate: tuple[int, float], steps: list[tuple[int, bool]]
) -> None:
    """What is kept for it is used by nothing else."""
    most, per_s = rate
    now, bucket = 0, Bucket(0, most, per_s)
    for pause, _ in steps:
        now += pause
        bucket.take(now, life=False)
    assert bucket.wait_ns(now, life=True) <= per_s * NS / max(1, most // 2) + 2


@given(st.integers(1, 120), st.booleans())
def test_what_it_says_to_wait_is_enough(most: int, life: bool) -> None:
    now, bucket = 0, Bucket(0, most, 60.0)
    for _ in range(200):
        now += bucket.wait_ns(now, life=life)
        assert bucket.take(now, life=life)


def test_a_block_holds_everything_for_its_time() -> None:
    bucket = Bucket(0, 20, 60.0)
    bucket.block(0, 600.0)
    assert not bucket.take(599 * NS, life=True)
    assert bucket.take(600 * NS, life=True)


def test_without_a_limit_all_go() -> None:
    bucket = Bucket(0, 0, 60.0)
    assert all(bucket.take(0, life=False) for _ in range(1000))
