"""Old messages: frozen, replayed, late, and clocks that leap (R16)."""

from hypothesis import given
from hypothesis import strategies as st

from integrations.positioning.fresh import EPOCH_S, LEAP_S, REPEATS, Freshness
from integrations.positioning.model import Sighting


def stamped(stamp: float) -> Sighting:
    """Return a message with a stamp."""
    return Sighting(node="a", stamp_s=stamp)


def counted(counter: int) -> Sighting:
    """Return a message with a counter."""
    return Sighting(node="a", counter=counter)


def test_new_messages_are_new() -> None:
    fresh = Freshness()
    assert {fresh.judge(counted(n), n / 10) for n in range(1000)} == {""}
    fresh = Freshness()
    assert {fresh.judge(stamped(5000 + n / 10), n / 10) for n in range(1000)} == {""}


def test_same_number_is_a_twin_then_frozen() -> None:
    fresh = Freshness()
    assert fresh.judge(counted(7), 0) == ""
    found = [fresh.judge(counted(7), n) for n in range(1, REPEATS + 2)]
    assert found[0] == "repeated" and found[-1] == "frozen"
    assert fresh.judge(counted(8), 9) == ""


def test_same_line_of_a_wire_is_frozen() -> None:
    fresh = Freshness()
    line = Sighting(node="", raw=b"POS,1,2,3,90")
    found = [fresh.judge(line, n / 10) for n in range(30)]
    assert found[0] == "" and found[-1] == "frozen"
    assert fresh.judge(Sighting(node="", raw=b"POS,1,2,3,91"), 4) == ""


@given(st.lists(st.integers(0, 999), min_size=1, max_size=40))
def test_replayed_numbers_are_never_new(old: list[int]) -> None:
    """Within the span in which a clock is not believed, nothing old is new."""
    fresh = Freshness()
    for n in range(1001):
        fresh.judge(stamped(float(n)), float(n))
    for index, n in enumerate(old):
        assert fresh.judge(stamped(float(n)), 1001 + index * EPOCH_S / 50) != ""


def test_counter_that_begins_anew_is_believed() -> None:
    fresh = Freshness()
    for n in range(1440):
        assert fresh.judge(counted(n), n / 10) == ""
    assert fresh.judge(counted(0), 144) == ""
    assert fresh.judge(counted(1), 144.1) == ""


def test_clock_set_back_is_believed_after_a_while() -> None:
    fresh = Freshness()
    for n in range(100):
        fresh.judge(stamped(9000 + n / 10), n / 10)
    assert fresh.judge(stamped(5000.0), 10) == "replayed"
    assert fresh.judge(stamped(5000.0 + EPOCH_S), 10 + EPOCH_S) == ""
    assert fresh.judge(stamped(5001.0 + EPOCH_S), 11 + EPOCH_S) == ""


def test_clock_that_leaps_ahead_is_doubted_for_a_while() -> None:
    fresh = Freshness()
    fresh.judge(stamped(1000), 0)
    assert fresh.judge(stamped(4600), 1) == "clock_leapt"
    assert fresh.judge(stamped(4600.5 + LEAP_S), 1.5 + LEAP_S) == ""


def test_message_that_took_long_is_late() -> None:
    fresh = Freshness()
    for n in range(20):
        fresh.judge(stamped(1000 + n), n + 0.05)
    assert fresh.judge(stamped(1020), 26) == "late"
    assert fresh.judge(stamped(1027), 27) == ""
