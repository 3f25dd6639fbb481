"""Three-valued truth (design §5 Truth; R3, R5)."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.logic import truth
from core.logic.truth import Truth

F, U, T = Truth.FALSE, Truth.UNKNOWN, Truth.TRUE
ALL = (F, U, T)


def test_a_truth_is_never_read_as_a_bool() -> None:
    """Design §5: `if unknown` would be a permission."""
    with pytest.raises(TypeError, match="UNKNOWN is neither"):
        bool(U)


def test_not() -> None:
    assert [truth.not_(each) for each in ALL] == [T, U, F]


@pytest.mark.parametrize(
    ("left", "right", "both", "either"),
    [
        (F, F, F, F),
        (F, U, F, U),
        (F, T, F, T),
        (U, U, U, U),
        (U, T, U, T),
        (T, T, T, T),
    ],
)
def test_table(left: Truth, right: Truth, both: Truth, either: Truth) -> None:
    """R3: one written truth table."""
    for pair in ((left, right), (right, left)):
        assert truth.all_of(pair) is both
        assert truth.any_of(pair) is either


def test_nothing_is_all_and_not_any() -> None:
    assert truth.all_of([]) is T
    assert truth.any_of([]) is F


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        ((T, T, F), T),
        ((T, F, F), F),
        ((T, U, F), T),
        ((F, U, F), F),
        ((U, U, T), T),
        ((U, U, F), U),
        ((U, U, U), U),
    ],
)
def test_two_of_three_that_loses_one_is_one_of_two(
    votes: tuple[Truth, ...], expected: Truth
) -> None:
    """Design §5: never 2oo2, where one more silent detector would blind it."""
    for order in itertools.permutations(votes):
        assert truth.vote(2, order) is expected


def test_a_lost_member_never_takes_a_vote_away() -> None:
    """R5, exhaustively for up to four members."""
    for size in range(1, 5):
        for votes in itertools.product(ALL, repeat=size):
            for needed in range(1, size + 1):
                for lost in range(size):
                    worse = (*votes[:lost], U, *votes[lost + 1 :])
                    if truth.vote(needed, votes) is T and votes.count(T) > 1:
                        assert truth.vote(needed, worse) is T
                    if truth.at_least(needed, votes) is not T:
                        assert truth.at_least(needed, worse) is not T
                    if truth.at_least(needed, votes) is T:
                        assert truth.at_least(needed, worse) is not F


@given(st.lists(st.sampled_from(ALL), min_size=1, max_size=6))
def test_at_least_agrees_with_and_and_or(items: list[Truth]) -> None:
    assert truth.at_least(len(items), items) is truth.all_of(items)
    assert truth.at_least(1, items) is truth.any_of(items)
