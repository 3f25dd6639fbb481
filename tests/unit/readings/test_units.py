"""Units convert once, on entry (design §5 Readings)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.readings.units import _SCALES, conversion, is_known

GAS = {"lel_vol": 5.0, "molar_mass": 34.08}


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (10.0, "mg/m3", "ppm", 7.174),  # domain.md §1.2: H2S 10 mg/m³ = 7.2 ppm
        (0.5, "%vol", "%LEL", 10.0),  # domain.md: methane 0.5 % by volume
        (100.0, "%LEL", "%vol", 5.0),
        (1000.0, "ppb", "ppm", 1.0),
        (1.0, "%VOL", "ppm", 10_000.0),
        (300.0, "K", "°C", 26.85),
        (212.0, "degF", "℃", 100.0),
        (36.0, "km/h", "m/s", 10.0),
        (5.0, "parsec", "parsec", 5.0),
    ],
)
def test_known_conversions(
    value: float, source: str, target: str, expected: float
) -> None:
    line = conversion(source, target, lel_vol=5.0, molar_mass=34.08)
    assert line is not None
    assert line(value) == pytest.approx(expected, rel=1e-3)


def test_what_cannot_be_converted_is_no_guess() -> None:
    assert conversion("%LEL", "ppm") is None
    assert conversion("mg/m³", "ppm") is None
    assert conversion("ppm", "°C", lel_vol=5.0, molar_mass=34.08) is None
    assert conversion("parsec", "m") is None
    assert conversion("", "ppm") is None
    assert not is_known("parsec")
    assert is_known("% LEL")
    assert is_known("dB(A)")


_units = st.sampled_from([u for scale in _SCALES.values() for u in scale])
_gases = st.sampled_from(["ppm", "ppb", "%vol", "%LEL", "mg/m³", "µg/m³"])


@given(
    st.one_of(st.tuples(_units, _units), st.tuples(_gases, _gases)),
    st.floats(-1e6, 1e6),
)
def test_there_and_back_is_the_same(pair: tuple[str, str], value: float) -> None:
    there = conversion(*pair, lel_vol=5.0, molar_mass=34.08)
    back = conversion(pair[1], pair[0], lel_vol=5.0, molar_mass=34.08)
    assert (there is None) == (back is None)
    if there is not None and back is not None:
        assert back(there(value)) == pytest.approx(value, rel=1e-9, abs=1e-6)
        assert there.factor > 0, "extremes would change places"
