"""Every vector of every shipped pack, one test each (R25, issue: rule packs)."""

import pytest

from automations.packs.compile import find, load_source, shipped
from automations.packs.vectors import Counts, Suite, Vector

SUITES = {name: Suite(load_source(find(name))) for name in shipped()}
CASES = [
    pytest.param(name, vector, id=f"{name}-{vector.title()}".replace(" ", "-"))
    for name, suite in SUITES.items()
    for vector in suite.vectors
]


@pytest.mark.parametrize(("name", "vector"), CASES)
def test_a_rule_says_what_its_vector_expects(name: str, vector: Vector) -> None:
    assert SUITES[name].outcome(vector) == vector.expect


@pytest.mark.parametrize("name", SUITES)
def test_a_pack_is_whole(name: str) -> None:
    """Each rule has a passing, a breaching and an UNKNOWN vector; its base permits."""
    counts = Counts()
    assert list(SUITES[name].run(counts)) == []
    assert counts.vectors >= 3 * counts.rules
    assert counts.gas >= 5
