"""Means, gusts, rises and bands that a driver makes of one number (design §5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api import Quality
from integrations.modbus.decode import Decoded
from integrations.modbus.load import load
from integrations.modbus.profile import Derive
from integrations.modbus.window import FILLING, NS, Window

GOOD = Quality.GOOD


def fed(derive: Derive, values: list[float], every_s: float = 1.0) -> Decoded:
    """Return what a window says after one value each ``every_s``."""
    window, last = Window(derive), Decoded(None, Quality.NOT_PRESENT, "")
    for number, value in enumerate(values):
        now = int(number * every_s * NS)
        last = window.take(now, Decoded(value, GOOD, ""))
    return last


MEAN = Derive(kind="mean", over_s=600.0)
GUST = Derive(kind="peak", over_s=600.0, of_s=3.0)
RISE = Derive(kind="rise", over_s=600.0, floor=0.5)


def test_mean_of_ten_minutes_forgets_what_is_older() -> None:
    assert fed(MEAN, [30.0] * 600 + [5.0] * 600) == Decoded(5.0, GOOD, "")


def test_a_gust_is_the_worst_mean_of_three_seconds() -> None:
    calm = [4.0] * 600
    assert fed(GUST, [*calm, 22.0, *calm[:20]]).value == pytest.approx(10.0)
    assert fed(GUST, [*calm, *[22.0] * 6, *calm[:20]]).value == 22.0


def test_a_window_that_is_not_full_proves_nothing() -> None:
    """Unknown is never safe: five minutes do not vouch for ten."""
    found = fed(MEAN, [3.0] * 300)
    assert found == Decoded(3.0, Quality.UNCERTAIN, FILLING)
    assert fed(MEAN, [3.0] * 600).quality is GOOD


def test_a_silent_sensor_empties_its_window() -> None:
    window = Window(MEAN)
    for second in range(600):
        window.take(second * NS, Decoded(3.0, GOOD, ""))
    late = window.take(2000 * NS, Decoded(9.0, GOOD, ""))
    assert late == Decoded(9.0, Quality.UNCERTAIN, FILLING)


def test_a_fault_goes_through_and_is_not_averaged() -> None:
    window = Window(MEAN)
    fault = Decoded(None, Quality.FAULT, "modbus.device_fault")
    assert window.take(0, fault) == fault
    assert window.take(NS, Decoded(4.0, GOOD, "")).value == 4.0


def test_what_is_doubtful_stays_so() -> None:
    window = Window(GUST)
    doubt = Decoded(80.0, Quality.UNCERTAIN, "modbus.over_range")
    assert window.take(0, doubt).reason == "modbus.over_range"


def test_a_machine_that_gets_worse_rises_above_its_own_mean() -> None:
    assert fed(RISE, [1.0] * 600).value == 0.0
    worse = fed(RISE, [1.0] * 500 + [2.0] * 100)
    assert isinstance(worse.value, float)
    assert 60.0 < worse.value < 90.0


@pytest.mark.parametrize(
    ("velocity", "band"),
    [(0.0, "A"), (1.39, "A"), (1.4, "B"), (2.8, "C"), (4.5, "D"), (60.0, "D")],
)
def test_bands_of_iso_20816_3(velocity: float, band: str) -> None:
    derive = load("rs485-vibration").entities["band"].derive
    assert derive is not None
    assert Window(derive).take(0, Decoded(velocity, GOOD, "")).value == band


def test_a_site_sets_its_own_edges() -> None:
    derive = load("rs485-vibration").entities["band"].derive
    assert derive is not None
    own = Window(derive, (2.3, 4.5, 7.1))
    assert own.take(0, Decoded(2.0, GOOD, "")).value == "A"


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=200), st.data())
def test_no_window_leaves_its_numbers(values: list[float], data: st.DataObject) -> None:
    """A derived value lies between the least and the greatest of what was read."""
    kind = data.draw(st.sampled_from([MEAN, GUST]))
    found = fed(kind, values, data.draw(st.sampled_from([0.5, 1.0, 7.0])))
    assert isinstance(found.value, float)
    assert min(values) - 1e-3 <= found.value <= max(values) + 1e-3
