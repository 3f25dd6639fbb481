"""Editing one rule leaves every other rule as it was: runs, deadlines, windows (R7)."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automations import compile_rule, pages, vectors
from automations.blueprint import Blueprint, from_document
from automations.schema_words import span
from automations.stage import Stage
from core.api.documents import parse
from core.config import Rule

SHIPPED = pages.blueprints()
CASES = [(each, number) for each in SHIPPED for number in range(len(each.tests))]
OTHER = """
blueprint:
  id: other
  version: {version}
  name: {{zh: 甲, en: Other}}
  description: {{zh: 甲, en: Other}}
on_unknown: fault
triggers:
  - {{trigger: manual}}
actions:
  - {{action: notify, roles: supervisor, code: notice.rule.wind}}
"""


def other(version: str) -> Rule:
    blueprint = from_document(parse(OTHER.format(version=version), "other.yaml"))
    return compile_rule.instantiate(
        blueprint, rule_id="other", mode="enforce", given={}, zones=set(), chains=set()
    )


def edited(stage: Stage, *rules: Rule) -> None:
    """Arm the stage's bundle with other rules beside its own."""
    hub = stage.rehearsal.kernel.hub
    own = tuple(r for r in hub.bundle.rules if r.id != "other")
    hub.load(msgspec.structs.replace(hub.bundle, rules=(*own, *rules)))


def events(
    blueprint: Blueprint, test: dict[str, Any], edits: Mapping[int, tuple[Rule, ...]]
) -> list[tuple[float, Any]]:
    """Return all that a test's play makes, rules being edited before some acts."""
    stage = Stage(blueprint, test)
    script = test.get("given", [])
    for number, act in enumerate(script):
        if number in edits:
            stage._repeat_to(span(act.get("at", 0)))
            edited(stage, *edits[number])
        stage.play([act])
    stage._repeat_to(stage.time() + 30)
    return [(at, body) for at, body, _ in stage.rehearsal.events]


@settings(max_examples=40, deadline=None)
@given(case=st.sampled_from(CASES), where=st.lists(st.integers(0, 8), max_size=4))
def test_a_rule_runs_on_while_another_is_edited(
    case: tuple[Blueprint, int], where: list[int]
) -> None:
    """R7: added, changed, removed at any moment: the first one does the very same."""
    blueprint, number = case
    test = blueprint.tests[number]
    steps = [(other("1.0.0"),), (other("1.0.1"),), ()]
    edits = {at: steps[n % 3] for n, at in enumerate(sorted(set(where)))}
    assert events(blueprint, test, edits) == events(blueprint, test, {})


def test_every_shipped_blueprint_survives_an_edit_in_the_midst() -> None:
    """R7, §2: each of them once, edited before its last act."""
    for blueprint in SHIPPED:
        test = blueprint.tests[0]
        last = len(test.get("given", [])) - 1
        edits = {last: (other("1.0.0"),)}
        same = events(blueprint, test, edits) == events(blueprint, test, {})
        assert same, blueprint.id


RISING = """
blueprint:
  id: rising
  version: 1.0.0
  name: {zh: 甲, en: Rising}
  description: {zh: 甲, en: Rising}
on_unknown: fault
triggers:
  - {trigger: reading, of: lel, above: 5, unit: "%LEL", for: 20s}
values:
  pace: {of: lel, rate: 60s, unit: "%LEL"}
conditions: pace > 4
actions:
  - {action: notify, roles: supervisor, code: notice.rule.wind}
tests:
  - name: {zh: 甲, en: It rises}
    site:
      zones: {room: {}}
      detectors: {g: {zone: room, quantity: lel, unit: "%LEL"}}
      people: {boss: {roles: [supervisor], zone: room}}
    given:
      - {at: 0s, read: {g: 1}}
      - {at: 40s, read: {g: 6}}
      - {at: 50s, read: {g: 7}}
      - {at: 70s, wait: true}
    expect:
      - {at: 60s, told: supervisor, within: 5s}
"""


@pytest.mark.parametrize("where", [1, 2, 3])
def test_sustain_and_rate_windows_go_on(where: int) -> None:
    """R7: neither the 20 s nor the minute of the rate begins again."""
    blueprint = from_document(parse(RISING, "rising.yaml"))
    (outcome,) = vectors.run_all(blueprint)
    assert not outcome.problems
    test = blueprint.tests[0]
    edits = {where: (other("1.0.0"),)}
    assert events(blueprint, test, edits) == events(blueprint, test, {})


def test_the_other_rule_is_there() -> None:
    """The edits above do arm what they say."""
    stage = Stage(SHIPPED[0], SHIPPED[0].tests[0])
    edited(stage, other("1.0.0"))
    assert "other" in {rule.id for rule in stage.rehearsal.kernel.hub.bundle.rules}
