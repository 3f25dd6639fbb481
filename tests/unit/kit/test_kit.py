"""What the kit judges by: values, grades, contracts, traces, parsers."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api.errors import ConfigError
from integrations.runtime.kit import paths, schema, traces
from integrations.runtime.kit.new import create
from integrations.runtime.kit.result import (
    GRADES,
    STEPS,
    Broken,
    Outcome,
    Report,
    Result,
    rank,
)
from integrations.runtime.kit.schema import Conformance, Parser, Point
from integrations.runtime.kit.witness import alike, values

LEAST: dict[str, Any] = {
    "options": {},
    "interval_s": 1,
    "devices": ["d"],
    "readings": [{"device": "d", "entity": "e", "set": 12.5}],
}


@pytest.mark.parametrize(
    ("got", "wanted", "tolerance", "same"),
    [
        (12.5, 12.5, 0.0, True),
        (12.6, 12.5, 0.2, True),
        (12.8, 12.5, 0.2, False),
        (True, True, 0.0, True),
        (1, True, 0.0, True),
        (0.5, True, 1.0, False),
        ("1.00,2.00,0", "1,2,0", 0.01, True),
        ("1.00,2.00", "1,2,0", 0.01, False),
        ("leave", "leave", 0.0, True),
        (None, 12.5, 1.0, False),
        (float("nan"), 12.5, 1.0, False),
    ],
)
def test_values_are_alike_within_tolerance(
    got: Any, wanted: Any, tolerance: float, same: bool
) -> None:
    assert alike(got, wanted, tolerance) is same


def test_a_second_value_is_made_where_none_is_given() -> None:
    """Old values are known by having been another."""
    assert values(Point(device="d", entity="e", set=12.0))[1] == (6.0, 6.0)
    assert values(Point(device="d", entity="e", set=True))[1] == (False, False)
    assert values(Point(device="d", entity="e", set=0))[1] == (1, 1)
    odd = values(Point(device="d", entity="e", set="on", expect=True))
    assert odd[0] == odd[1]


outcomes = st.sampled_from(["ok", "failed", "not_applicable"])


@given(
    st.lists(st.tuples(st.sampled_from(GRADES), st.sampled_from(STEPS), outcomes)),
    st.sampled_from(GRADES),
)
def test_no_grade_stands_on_a_failed_check(
    found: list[tuple[str, str, Outcome]], stated: str
) -> None:
    """A grade is reached only if nothing of it, nor below it, has failed."""
    results = tuple(
        Result(check="c", grade=grade, step=step, outcome=outcome)
        for grade, step, outcome in found
    )
    report = Report(name="n", stated_grade=stated, stated_step="S1", results=results)
    reached = rank(GRADES, report.grade)
    for each in results:
        if each.outcome == "failed":
            assert rank(GRADES, each.grade) > reached
            assert rank(STEPS, each.step) > rank(STEPS, report.step)
    assert not report.holds or reached >= rank(GRADES, stated)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"colour": 1}, "unknown field `colour`"),
        ({"faults": {"deaf": {}}}, "no fault 'deaf'"),
        ({"faults": {"silent": {"quality": ["gone"]}}}, "'gone' is none of"),
        ({"faults": {"silent": {"not_applicable": "no"}}}, "length >= 8"),
        ({"readings": []}, "nothing to prove"),
        ({"devices": ["other"]}, "not among 'devices'"),
        ({"interval_s": 0}, "interval_s"),
    ],
)
def test_a_wrong_contract_is_refused_with_its_place(
    more: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        schema.parse({**LEAST, **more}, "conformance.yaml")


def test_a_contract_may_say_why_something_does_not_apply() -> None:
    found: Conformance = schema.parse(
        {**LEAST, "parsers": {"not_applicable": "a library parses it"}}, "x"
    )
    assert isinstance(found.parsers, schema.Excused)


def test_places_in_options_are_found_and_replaced() -> None:
    options = {"buses": [{"tcp": "h:1"}, {"tcp": "h:2"}], "port": 3}
    assert paths.found(options, "buses.*.tcp") == ["h:1", "h:2"]
    assert paths.found(options, "nowhere.at.all") == []
    changed = paths.replaced(options, "buses.*.tcp", lambda place: place + "0")
    assert paths.found(changed, "buses.*.tcp") == ["h:10", "h:20"]
    assert paths.replaced(options, "port", lambda _: 4)["port"] == 4
    assert options["port"] == 3


def test_a_trace_asks_for_what_it_names_and_no_more() -> None:
    assert traces.covers({"a": 1, "b": [1.0, {"c": 2}]}, {"b": [1.0, {"c": 2}]})
    assert not traces.covers({"a": 1}, {"b": 1})
    assert not traces.covers([1, 2, 3], [1, 2])
    assert traces.covers(0.30000000000000004, 0.3)


def brittle(data: bytes) -> int:
    """Parse as drivers do that were never fuzzed."""
    return data[3] + int(data[4:6])


def sturdy(data: bytes) -> int:
    """Parse, or raise what it says that it raises."""
    try:
        return brittle(data)
    except (IndexError, ValueError) as error:
        raise ConfigError(str(error)) from error


def test_a_parser_that_was_never_fuzzed_is_found_out() -> None:
    """0 unhandled exceptions: any error that is not its own fails it."""
    here = __name__ if "." in __name__ else "tests.unit.kit.test_kit"
    clock = iter(range(10**9)).__next__
    with pytest.raises(Broken, match="IndexError"):
        traces.fuzz(Parser(parse=f"{here}:brittle"), [b"abc112"], clock)
    traces.fuzz(Parser(parse=f"{here}:sturdy"), [b"abc112"], clock)


def test_fuzzed_cases_can_be_repeated() -> None:
    one, two = (list(traces.cases(random.Random(7), [b"abc"])) for _ in range(2))
    assert one == two


@pytest.mark.parametrize("name", ["", "Acme", "9x", "a-b", "modbus", "a" * 50])
def test_a_name_that_cannot_be_is_refused(name: str, tmp_path: Any) -> None:
    with pytest.raises(ConfigError):
        create(name, tmp_path)
    assert list(tmp_path.iterdir()) == []
