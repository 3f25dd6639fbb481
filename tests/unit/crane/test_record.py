"""What recorders post: read as far as it is certain, else one error or a doubt."""

import json
import math
from typing import Any

import pytest
import voluptuous as vol
from hypothesis import given
from hypothesis import strategies as st

from core.api import ConfigError, EntityKind
from core.api.documents import shipped
from integrations.crane import flow, profile, words
from integrations.crane.record import (
    MAX_BYTES,
    MAX_RECORDS,
    RecordError,
    moment,
    number,
    parse,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner)
    ),
    max_leaves=20,
)


@given(st.binary(max_size=2000))
def test_any_bytes_are_records_or_one_error(data: bytes) -> None:
    try:
        parse(data)
    except RecordError:
        pass


@given(json_values)
def test_any_json_is_records_or_one_error(told: Any) -> None:
    try:
        found = parse(json.dumps(told).encode())
    except RecordError:
        return
    for record in found:
        for value in record.values():
            assert not isinstance(value, dict | list)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"[" * 30_000,
        b'{"a":' * 5_000,
        b"x" * (MAX_BYTES + 1),
        json.dumps([{}] * (MAX_RECORDS + 1)).encode(),
        json.dumps({str(n): n for n in range(500)}).encode(),
        b"&".join(b"a%d=1" % n for n in range(500)),
    ],
)
def test_what_is_refused(data: bytes) -> None:
    with pytest.raises(RecordError):
        parse(data)


@pytest.mark.parametrize(
    ("told", "value"),
    [
        ("12.5", 12.5),
        (" 3 ", 3.0),
        (7, 7.0),
        (True, 1.0),
        ("", None),
        ("nan", None),
        (math.inf, None),
        ("1e999", None),
        ("--", None),
        (None, None),
    ],
)
def test_numbers(told: object, value: float | None) -> None:
    assert number(told) == value


@pytest.mark.parametrize(
    ("told", "value"),
    [
        (1_777_608_000, 1_777_608_000.0),
        (1_777_608_000_000, 1_777_608_000.0),
        ("1777608000000", 1_777_608_000.0),
        ("2026-05-01 12:00:00", 1_777_608_000.0),
        ("2026-05-01T04:00:00+00:00", 1_777_608_000.0),
        ("yesterday", None),
        (0, None),
        ("0001-01-01 00:00:00", None),
        ("", None),
    ],
)
def test_times(told: object, value: float | None) -> None:
    found = moment(told)
    assert found == value or (value is None and found is not None and found < 0)


class TestProfiles:
    @pytest.mark.parametrize("name", shipped(profile.FOLDER))
    def test_each_is_read_and_keeps_to_the_vocabulary(self, name: str) -> None:
        found = profile.load(name)
        for entity in found.entities(30.0):
            assert entity.uid in words.WORDS
        paths = [profile.load(each).path for each in shipped(profile.FOLDER)]
        assert len(set(paths)) == len(paths)

    def test_a_tower_crane_of_the_cloud_shape(self) -> None:
        told = profile.load("tower-upload").read(
            {
                "deviceCode": "8801",
                "tdaTime": "2026-05-01 12:00:00",
                "tdaAmountHoist": "2.35",
                "tdaMoment": "43",
                "tdaWindSpeed": "4.1",
                "tdaIsWork": "1",
                "tdaCamber": "",
            }
        )
        assert (told.id, told.at) == ("8801", 1_777_608_000.0)
        assert told.values == {
            "load": 2.35,
            "moment": 43.0,
            "wind": 4.1,
            "at_work": True,
            "tilt": None,
        }

    @pytest.mark.parametrize(
        ("name", "code", "on"),
        [
            ("hoist", "00010000", {"overspeed"}),
            ("hoist", "00000010", {"overload"}),
            ("hoist", "00000100", {"overtilt"}),
            ("hoist", "00000110", {"overload", "overtilt"}),
            ("hoist", 16.0, {"overspeed"}),
            ("platform", "00000001", {"overload"}),
            ("platform", "00000010", {"overtilt"}),
            ("platform", "00000100", {"overtilt"}),
            ("platform", "00001000", {"battery_low"}),
            ("platform", "00000000", set()),
        ],
    )
    def test_alarm_codes(self, name: str, code: str | float, on: set[str]) -> None:
        told = profile.load(name).read({"deviceCode": "1", "alarmCode": code})
        assert {uid for uid, value in told.values.items() if value == 1.0} == on
        assert all(value in (0.0, 1.0) for value in told.values.values())

    @pytest.mark.parametrize("code", ["nonsense", "", -1.0, 0.5, 1e12])
    def test_a_code_that_is_none_is_no_all_clear(self, code: str | float) -> None:
        told = profile.load("hoist").read({"deviceCode": "1", "alarmCode": code})
        assert told.values["overload"] is None

    def test_the_share_of_the_rated_load(self) -> None:
        found = profile.load("safehold")
        assert "load_share" in [each.uid for each in found.entities(1.0)]
        told = found.read({"id": "A", "load_t": 5.2, "rated_t": 5.0})
        assert told.values["load_share"] == pytest.approx(104.0)
        for rated in (0, None, "?"):
            told = found.read({"id": "A", "load_t": 5.2, "rated_t": rated})
            assert "load_share" not in told.values

    def test_a_record_without_a_name_is_nobodys(self) -> None:
        with pytest.raises(RecordError):
            profile.load("safehold").read({"load_t": 1.0})

    def test_words_have_numbers_that_limits_can_judge(self) -> None:
        for uid in ("overload", "overspeed", "overtilt", "battery_low"):
            assert words.WORDS[uid].kind is EntityKind.SENSOR

    def test_an_unknown_profile_is_named(self) -> None:
        with pytest.raises(ConfigError, match="nobody"):
            profile.load("nobody")


class TestOptions:
    def test_secrets_and_round_trip(self) -> None:
        options = flow.schema()(
            {"secret": "s", "cranes": [{"id": "A", "secret": "a"}, {"id": "B"}]}
        )
        assert flow.secrets_of(options) == ("s", "a")
        assert flow.schema()(options) == options

    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"cranes": [{"id": "A"}]},
            {"secret": "s", "cranes": [{"id": 7}]},
            {"secret": "s", "cranes": [{"id": "A"}, {"id": "A"}]},
            {"secret": "s", "profiles": ["nobody"]},
            {"secret": "s", "port": -1},
            {"secret": "s", "unknown": 1},
        ],
    )
    def test_what_is_refused(self, options: dict[str, Any]) -> None:
        with pytest.raises(vol.Invalid):
            flow.schema()(options)

    def test_prefilled_from_a_plate(self) -> None:
        found = flow.prefill({"serial": "TC-01", "name": "Crane 1"})
        checked = flow.schema()({"secret": "s", **found})
        assert checked["cranes"][0]["id"] == "TC-01"
        assert flow.prefill({}) == {}
