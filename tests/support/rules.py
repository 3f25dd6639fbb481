"""Small blueprints for the tests of the automation language, played on a stage."""

from typing import Any

from automations.blueprint import Blueprint, from_document
from automations.stage import Stage
from core.api.documents import parse

HEAD = """\
blueprint:
  id: {id}
  version: 1.0.0
  name: {{zh: 甲, en: A}}
  description: {{zh: 甲, en: A}}
"""


def blueprint(body: str, name: str = "r") -> Blueprint:
    """Return a blueprint without inputs whose rule is ``body``."""
    return from_document(parse(HEAD.format(id=name) + body, f"{name}.yaml"))


def played(body: str, given: list[Any], **site: Any) -> Stage:
    """Return the stage of a rule after a script."""
    stage = Stage(blueprint(body), {"site": site})
    stage.play(given)
    return stage


def told(stage: Stage, name: str) -> list[tuple[float, Any]]:
    """Return the events of a type with their times, rounded to tenths."""
    return [(round(at, 1), b) for at, b, _ in stage.rehearsal.events if b.name_ == name]


def whys(stage: Stage) -> list[str]:
    """Return why the rule did not fire, in order."""
    return [body.why for _, body in told(stage, "rule.skipped")]
