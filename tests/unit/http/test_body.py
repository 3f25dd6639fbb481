"""Bodies of other systems: every byte is refused or understood, nothing in between."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.http import body
from integrations.http.body import BodyError

NAMES = st.text(min_size=1, max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)
    ),
    max_leaves=10,
)


@given(st.binary(max_size=400), st.sampled_from(["json", "csv"]), st.text(max_size=9))
def test_any_bytes_are_records_or_one_error(data: bytes, layout: str, at: str) -> None:
    """Issue 5 §Tests: no other exception, whatever the network says."""
    try:
        found = body.parse(data, layout, at)
    except BodyError:
        return
    assert len(found) <= body.MAX_RECORDS


@given(VALUES, st.text(max_size=12))
def test_any_path_into_anything_is_a_value_or_one_error(raw: object, path: str) -> None:
    try:
        body.at(raw, path)
    except BodyError:
        pass


@given(VALUES)
def test_only_finite_numbers_are_numbers(raw: object) -> None:
    try:
        found = body.number(raw)
    except BodyError:
        return
    assert math.isfinite(found)
    assert not isinstance(raw, bool)


@given(VALUES, st.sampled_from(["iso", "s", "ms"]))
def test_any_time_is_one_or_one_error(raw: object, layout: str) -> None:
    try:
        assert 0 <= abs(body.moment(raw, layout)) < 1 << 63
    except BodyError:
        pass


def _plain(record: object) -> bool:
    try:
        json.dumps(record, allow_nan=False).encode()
    except (ValueError, UnicodeEncodeError):
        return False
    return True


RECORDS = st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), VALUES)


@given(RECORDS.filter(_plain))
def test_a_record_is_found_again_under_its_path(record: dict[str, object]) -> None:
    data = json.dumps({"a": {"b": [record]}}).encode()
    (found,) = body.parse(data, "json", "a.b")
    for name, value in record.items():
        assert body.at(found, name) == value


def test_csv_names_its_columns_and_counts_its_fields() -> None:
    assert body.parse(b"a,b\n1,2\n\n3,4\n", "csv") == [
        {"a": "1", "b": "2"},
        {"a": "3", "b": "4"},
    ]
    for bad in (b"a,a\n1,2\n", b"a,b\n1\n", b'a\n"x\n', b""):
        with pytest.raises(BodyError):
            body.parse(bad, "csv")


def test_words_that_mean_on_and_off() -> None:
    assert body.switch("Valid ", ("valid",), ("revoked",))
    assert not body.switch("revoked", ("valid",), ("revoked",))
    with pytest.raises(BodyError):
        body.switch("unknown", ("valid",), ("revoked",))


def test_a_local_time_is_no_time() -> None:
    """Nobody knows in which zone it was said."""
    with pytest.raises(BodyError, match="zone"):
        body.moment("2026-11-22T08:00:00", "iso")
    assert body.moment("1970-01-01T00:00:01+00:00", "iso") == 1_000_000_000
    assert body.moment(1.5, "s") == body.moment("1500", "ms") == 1_500_000_000
