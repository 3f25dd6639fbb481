"""Filters have names, keep the raw value, and never hide what is true (issue 5 §6)."""

import math

from hypothesis import given
from hypothesis import strategies as st

from core.api.model import Device, Entity, EntityKind
from core.quality.classes import Usual, class_of, usual
from core.quality.filters import Cleaned, Sample, clean
from core.quality.lint import lint
from core.quality.score import score

S = 1000
OXYGEN = Entity(
    uid="o2",
    name="O2",
    kind=EntityKind.GAS,
    quantity="o2",
    unit="%vol",
    full_scale=25.0,
)
H2S = Entity(
    uid="h2s", name="H2S", kind=EntityKind.GAS, quantity="h2s", unit="ppm",
    full_scale=100.0,
)  # fmt: skip


def series(*values: float, every_s: float = 1.0) -> list[Sample]:
    return [Sample(round(n * every_s * S), v, 0) for n, v in enumerate(values)]


def named(samples: list[Sample], spec: Usual) -> list[str]:
    return [row.filter for row in clean(samples, spec)]


def test_a_single_spike_is_taken_out_and_its_neighbours_stay() -> None:
    rows = named(series(20.9, 20.9, 20.9, 17.0, 20.9, 20.8, 20.9), usual(OXYGEN))
    assert rows == ["", "", "", "spike", "", "", ""]


def test_a_leak_is_no_spike() -> None:
    """Gas that stays is true: at the latest its third sample is believed."""
    rows = named(series(0, 0, 0, 0, 30, 32, 35, 36, 38), usual(H2S))
    assert rows[-4:] == ["", "", "", ""]


def test_a_value_that_no_instrument_measures_is_out_of_range() -> None:
    assert named(series(20.9, 120.0, 20.9), usual(OXYGEN))[1] == "range"
    assert named(series(5, 250.0, 5), usual(H2S))[1] == "range"


def test_a_jump_is_believed_once_it_is_confirmed() -> None:
    spec = Usual(rate=1.0, interval_s=1)
    rows = named(series(10, 10, 60, 60, 60, 60), spec)
    assert rows == ["", "", "rate", "rate", "", ""]
    assert named(series(10, 10, 60, 10, 10), spec) == ["", "", "rate", "", ""]


def test_what_stands_still_for_too_long_is_stuck() -> None:
    spec = Usual(stuck_s=60, interval_s=10)
    rows = named(series(*[5.0] * 10, 5.1, every_s=10), spec)
    assert rows == [""] * 7 + ["stuck"] * 3 + [""]


def test_what_the_hub_did_not_believe_is_named_so() -> None:
    samples = [Sample(0, 1.0, 0), Sample(S, None, 5), Sample(2 * S, 1.0, 3)]
    assert named(samples, usual(H2S)) == ["", "quality", "quality"]


VALUES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.booleans(),
    st.none(),
    st.text(max_size=3),
)
SAMPLES = st.lists(
    st.tuples(st.integers(0, 10_000), VALUES, st.integers(0, 6)), max_size=60
).map(lambda rows: [Sample(*row) for row in sorted(rows, key=lambda row: row[0])])


@given(SAMPLES, st.sampled_from([OXYGEN, H2S]))
def test_no_sample_is_lost_changed_or_moved(
    samples: list[Sample], entity: Entity
) -> None:
    """Raw is kept beside cleaned: a filter takes out, it never puts in."""
    rows = list(clean(samples, usual(entity)))
    assert [(row.ms, row.raw) for row in rows] == [(s.ms, s.value) for s in samples]
    for row in rows:
        assert row.value is None if row.filter else row.value == row.raw


@given(
    st.lists(st.floats(0, 99), min_size=3, max_size=30),
    st.floats(20, 99),
    st.integers(5, 20),
)
def test_what_stays_is_believed(calm: list[float], level: float, count: int) -> None:
    """A true level is never filtered away for longer than its confirmation."""
    rows = named(series(*calm, *[level] * count), usual(H2S))
    assert rows[-(count - 4) :] == [""] * (count - 4)


@given(SAMPLES, st.sampled_from([OXYGEN, H2S]))
def test_a_score_is_a_number_from_0_to_100(
    samples: list[Sample], entity: Entity
) -> None:
    found = score([samples], usual(entity), (0, 10_000), 2.0)
    assert 0 <= found.points <= 100
    assert not math.isnan(found.points)
    assert found.samples == len(samples)


def test_silences_cost_their_share_of_the_span() -> None:
    first = [Sample(n * S, 1.0 + n % 2, 0) for n in range(300)]
    second = [Sample((600 + n) * S, 1.0 + n % 2, 0) for n in range(300)]
    found = score([first, second], usual(H2S), (0, 900 * S), 2.0)
    assert (found.gaps, found.longest_gap_s) == (1, 301.0)
    assert 0.66 < found.covered < 0.67
    assert score([], usual(H2S), (0, 900 * S), 2.0).points == 0


def test_a_zero_that_has_strayed_is_a_drift() -> None:
    """Half of the values, the quiet ones, judge the zero: a leak does not."""
    spec = usual(H2S)
    strayed = score([series(*[5.0, 5.1] * 20)], spec, (0, 40 * S), 1.0)
    leak = score([series(*[0.0, 0.1] * 15, *[40.0, 41.0] * 5)], spec, (0, 40 * S), 1.0)
    assert strayed.drifted
    assert not leak.drifted


def test_classes_go_by_quantity_then_by_kind() -> None:
    assert (class_of(OXYGEN), class_of(H2S)) == ("oxygen", "gas")
    other = Entity(uid="x", name="x", kind=EntityKind.SENSOR, quantity="depth")
    assert class_of(other) == "other"
    assert Cleaned(0, 1.0, "spike").value is None


def test_the_linter_names_what_the_field_does_not_use() -> None:
    def codes(**fields: object) -> set[str]:
        made = {"uid": "e", "name": "E", "kind": EntityKind.GAS, "quantity": "h2s",
                "unit": "ppm", "full_scale": 100.0, "max_age_s": 10.0}  # fmt: skip
        entity = Entity(**(made | fields))  # type: ignore[arg-type]
        return {f.code for f in lint(Device(uid="d", name="D", entities=(entity,)))}

    assert codes() == set()
    assert codes(unit="PPM") == {"unit_spelling"}
    assert codes(unit="furlong") == {"unit_unknown"}
    assert codes(quantity="H2S") == {"quantity_spelling"}
    assert codes(quantity="h2ss") == {"quantity_near"}
    assert codes(quantity="") == {"no_quantity"}
    assert codes(quantity="xenon") == {"gas_unknown"}
    assert codes(full_scale=None) == {"no_full_scale"}
    assert codes(name=" ") == {"no_name"}
    assert codes(critical=True, max_age_s=300.0) == {"slow_for_critical"}
    assert codes(max_age_s=0.5) == {"age_below_rate"}
    twins = Device(uid="d", name="D", entities=(OXYGEN, H2S, OXYGEN))
    assert "name_twice" not in {f.code for f in lint(twins)}
