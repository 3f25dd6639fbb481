"""Restart budgets: back-off 1-2-4..60 s, spent after 5 failures in 10 minutes."""

from hypothesis import given
from hypothesis import strategies as st

from core.clock import NS
from core.processes.budget import Budget
from core.processes.children import core_budget


def test_pause_doubles_up_to_a_minute() -> None:
    """Reliability §5."""
    budget = Budget()
    pauses = [budget.failed(second * NS) for second in range(9)]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_budget_is_spent_by_five_failures_in_the_window() -> None:
    budget = Budget()
    for second in range(4):
        budget.failed(second * NS)
        assert not budget.spent(second * NS)
    budget.failed(5 * NS)
    assert budget.spent(5 * NS)
    assert not budget.spent(700 * NS)


def test_core_is_started_at_once_and_soon_again() -> None:
    """Design §3: core is never given up."""
    budget = core_budget()
    assert [budget.failed(n * NS) for n in range(4)] == [0, 0, 0.25, 0.5]


@given(st.lists(st.integers(0, 10**13), max_size=50))
def test_pause_is_always_bounded(times: list[int]) -> None:
    budget = Budget()
    for now in sorted(times):
        assert 1 <= budget.failed(now) <= 60
