"""Every shipped blueprint's own tests pass on the whole kernel (R25)."""

from typing import Any

import pytest

from automations import blueprint as blueprints
from automations import pages, vectors
from core.api.errors import ConfigError

SHIPPED = pages.blueprints()


def cases() -> list[Any]:
    """Return one case a test of each blueprint."""
    return [
        pytest.param(each, number, id=f"{each.id}-{number}")
        for each in SHIPPED
        for number in range(len(each.tests))
    ]


@pytest.mark.parametrize(("blueprint", "number"), cases())
def test_a_shipped_blueprint_does_what_its_tests_say(
    blueprint: blueprints.Blueprint, number: int
) -> None:
    """Given readings and clock → expected actions."""
    assert vectors.run(blueprint, blueprint.tests[number]).problems == ()


def test_every_shipped_blueprint_has_tests_of_both_kinds() -> None:
    """A blueprint shows when it acts and when it must not."""
    for each in SHIPPED:
        assert any(test.get("expect") for test in each.tests), each.id
        assert any(test.get("never") for test in each.tests), each.id


def small(**change: Any) -> dict[str, Any]:
    """Return the first test of the gas blueprint, changed."""
    blueprint = blueprints.read(blueprints.SHIPPED / "gas-alarm-response.yaml")
    return {**blueprint.tests[0], **change}


def outcome(test: dict[str, Any]) -> vectors.Outcome:
    """Run a changed test of the gas blueprint."""
    return vectors.run(
        blueprints.read(blueprints.SHIPPED / "gas-alarm-response.yaml"), test
    )


def test_a_vector_can_fail() -> None:
    """An expectation that is not met, and an event that must not be, are told."""
    wrong = outcome(small(expect=[{"at": 0, "command": "s1", "value": False}]))
    assert "expected command s1" in wrong.problems[0]
    forbidden = outcome(small(expect=[], never=["permit.held"]))
    assert forbidden.problems == ("permit.held at 5 s must not happen",)


@pytest.mark.parametrize(
    ("change", "mend"),
    [
        ({"given": [{"at": 0, "read": {"g9": 1}}]}, "no detector"),
        ({"expect": [{"sing": "s1"}]}, "an expectation is one of"),
        ({"never": ["permit.hled"]}, "no event type"),
    ],
)
def test_a_wrong_vector_says_what_is_wrong(change: dict[str, Any], mend: str) -> None:
    """A test that cannot mean anything is refused, not passed."""
    with pytest.raises(ConfigError, match=mend):
        outcome(small(**change))
