"""Run a blueprint's own tests: given readings and clock → expected actions (R25)."""

from collections.abc import Iterator
from typing import Any

import msgspec

from automations.blueprint import Blueprint
from automations.schema_words import span
from automations.stage import SLACK_S, Stage
from core.api.errors import ConfigError
from core.api.said import Said, sentence
from core.journal.events import EVENTS, Event


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """Say how one test ended; no problems means that it passed."""

    name: str
    problems: tuple[str, ...]


def failing(name: str, outcome: Outcome) -> ConfigError:
    """Return the error of a file whose own test fails."""
    problem = sentence(outcome.problems[0])
    return ConfigError(
        Said(
            "{name}: its own test {test!r} fails: {problem}",
            name=name,
            test=outcome.name,
            problem=problem,
        )
    )


def run_all(blueprint: Blueprint) -> list[Outcome]:
    """Run every test of a blueprint on virtual time."""
    return [run(blueprint, test) for test in blueprint.tests]


def run(blueprint: Blueprint, test: dict[str, Any]) -> Outcome:
    """Run one test; raises ConfigError when the test itself is wrong."""
    name = test.get("name", "?")
    title = name.get("en", "?") if isinstance(name, dict) else str(name)
    _check(test)
    stage = Stage(blueprint, test)
    stage.play(test.get("given", []))
    problems = [*_missing(stage, test), *_forbidden(stage, test)]
    return Outcome(name=title, problems=tuple(problems))


_TEST_WORDS = ("name", "site", "input", "given", "expect", "never", "bad_input")


def _check(test: dict[str, Any]) -> None:
    for word in test:
        if word not in _TEST_WORDS:
            raise ConfigError(
                Said(
                    "a test has no {word!r}; known: {test_words}",
                    word=word,
                    test_words=list(_TEST_WORDS),
                )
            )


#: Expectation word → event type, and the field that must equal its value.
_WORDS = {
    "command": ("command.issued", "entity"),
    "withheld": ("command.withheld", "entity"),
    "held": ("permit.held", "permit_id"),
    "evacuated": ("evacuation.started", "zones"),
    "told": ("notice.queued", "role"),
    "person": ("notice.queued", "person_id"),
    "notice": ("notice.queued", "code"),
    "alarm": ("alarm.raised", "kind"),
    "returned": ("alarm.returned", "alarm_id"),
    "shelved": ("alarm.shelved", "reason"),
    "started": ("run.started", "subject"),
    "finished": ("run.finished", "outcome"),
    "skipped": ("rule.skipped", "why"),
    "step": ("run.stepped", "state"),
    "task": ("task.created", "kind"),
}


def _missing(stage: Stage, test: dict[str, Any]) -> Iterator[str]:
    for expected in test.get("expect", []):
        word = next((w for w in _WORDS if w in expected), None)
        if word is None:
            raise ConfigError(
                Said("an expectation is one of {words}", words=list(_WORDS))
            )
        at = span(expected.get("at", 0))
        until = at + (span(expected["within"]) if "within" in expected else SLACK_S)
        if not any(
            at - 0.001 <= when <= until and _matches(stage, word, expected, body)
            for when, body, _ in stage.rehearsal.events
        ):
            yield Said(
                "expected {word} {expected} between {at:g} s and {until:g} s",
                word=word,
                expected=expected[word],
                at=at,
                until=until,
            )


def _matches(stage: Stage, word: str, expected: dict[str, Any], body: Event) -> bool:
    name, field = _WORDS[word]
    if body.name_ != name:
        return False
    if field == "entity":
        entity = stage.rehearsal.kernel.registry.entity(body.entity_id)  # type: ignore[attr-defined]
        found: Any = entity.declared.name if entity else None
    else:
        found = getattr(body, field)
    if "value" in expected and getattr(body, "value", None) != expected["value"]:
        return False
    if "mark" in expected and getattr(body, "mark", "") != expected["mark"]:
        return False
    wanted = expected[word]
    return wanted in found if isinstance(found, tuple) else found == wanted


def _forbidden(stage: Stage, test: dict[str, Any]) -> Iterator[str]:
    for each in test.get("never", []):
        word = next((w for w in _WORDS if isinstance(each, dict) and w in each), None)
        name = _WORDS[word][0] if word else each
        if not isinstance(name, str) or name not in EVENTS:
            raise ConfigError(Said("never: {name!r} is no event type", name=name))
        for when, body, _ in stage.rehearsal.events[stage.origin :]:
            if _is_forbidden(stage, word, each, body):
                said = name if word is None else f"{word} {each[word]}"
                yield Said("{said} at {when:g} s must not happen", said=said, when=when)
                break


def _is_forbidden(stage: Stage, word: str | None, each: Any, body: Event) -> bool:
    if word is None:
        return bool(body.name_ == each)
    return _matches(stage, word, each, body)
