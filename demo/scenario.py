"""Scenarios: the scripted day as data, checked before anything starts."""

from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from core.journal.events import EVENTS
from core.people.acts import ACTS
from frontend_api.replica import load_rooms


class ScenarioError(Exception):
    """The scenario file is wrong; names the file, the step and the mend."""


class Say(
    msgspec.Struct, frozen=True, tag="say", kw_only=True, forbid_unknown_fields=True
):
    """Tell whoever watches what happens now."""

    zh: str
    en: str


class Wait(
    msgspec.Struct, frozen=True, tag="wait", kw_only=True, forbid_unknown_fields=True
):
    """Let time pass, in seconds of the site's clock."""

    s: float


class Sim(
    msgspec.Struct, frozen=True, tag="sim", kw_only=True, forbid_unknown_fields=True
):
    """Order a simulator: modbus or mqtt."""

    to: str
    order: dict[str, Any]


class Ramp(
    msgspec.Struct, frozen=True, tag="ramp", kw_only=True, forbid_unknown_fields=True
):
    """Let a Modbus device's value go from one number to another, step by step."""

    device: str
    entity: str
    start: float
    end: float
    over_s: float


class Act(
    msgspec.Struct, frozen=True, tag="act", kw_only=True, forbid_unknown_fields=True
):
    """Let a person act; ``refused`` names the code that must come instead."""

    by: str
    verb: str
    body: dict[str, Any] = {}
    version_of: str = ""
    """Remembered permit whose version the act expects."""
    remember: str = ""
    """Name under which the id of the permit or task made is remembered."""
    retry_s: float = 0.0
    """How long a refusal is tried again, such as until all meters are heard."""
    refused: str = ""


class Photo(
    msgspec.Struct, frozen=True, tag="photo", kw_only=True, forbid_unknown_fields=True
):
    """Let a person photograph a task's place; the picture goes up like any other."""

    by: str
    task: str
    """Its remembered name, such as $hazard."""
    stage: Literal["before", "after"]


class Expect(
    msgspec.Struct, frozen=True, tag="expect", kw_only=True, forbid_unknown_fields=True
):
    """Expect an event behind the one that was expected before."""

    event: str
    """Its type, such as alarm.raised."""
    where: dict[str, Any] = {}
    within_s: float = 20.0


Step = Say | Wait | Sim | Ramp | Act | Photo | Expect


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold a scripted day."""

    id: str
    names: dict[str, str]
    steps: list[Step]


_SIMULATORS = ("modbus", "mqtt")
_TAGS = ("say", "wait", "sim", "ramp", "act", "photo", "expect")


def read(file: Path) -> Scenario:
    """Read and check a scenario; raises ScenarioError."""
    load_rooms("events")
    load_rooms("acts")
    try:
        data = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, yaml.YAMLError) as bad:
        raise ScenarioError(f"{file}: {bad}") from None
    if not isinstance(data, dict) or not isinstance(data.get("steps"), list):
        raise ScenarioError(f"{file}: expected id, names and a list of steps")
    steps = [_tagged(file, number, step) for number, step in enumerate(data["steps"])]
    try:
        return msgspec.convert({**data, "steps": steps}, Scenario)
    except msgspec.ValidationError as bad:
        raise ScenarioError(f"{file}: {bad}") from None


def _tagged(file: Path, number: int, step: Any) -> dict[str, Any]:
    """Turn ``- act: {…}`` into the struct's own form; check one step alone."""
    if not isinstance(step, dict) or len(step) != 1 or next(iter(step)) not in _TAGS:
        raise ScenarioError(
            f"{file}: step {number + 1} begins with one of {', '.join(_TAGS)}"
        )
    tag, fields = next(iter(step.items()))
    if not isinstance(fields, dict):
        raise ScenarioError(f"{file}: step {number + 1}: {tag} needs its fields")
    made = {"type": tag, **fields}
    try:
        msgspec.convert(made, Step)
    except msgspec.ValidationError as bad:
        raise ScenarioError(f"{file}: step {number + 1} ({tag}): {bad}") from None
    if (wrong := _unknown(tag, fields)) is not None:
        raise ScenarioError(f"{file}: step {number + 1} ({tag}): {wrong}")
    return made


def _unknown(tag: str, fields: dict[str, Any]) -> str | None:
    """Say which name of a step nobody knows, and the nearest that is known."""
    if tag == "sim" and fields["to"] not in _SIMULATORS:
        known = ", ".join(_SIMULATORS)
        return f"to: {fields['to']!r} is no simulator; known: {known}"
    for key, word, names in (("event", "event", EVENTS), ("verb", "act", ACTS)):
        name = fields.get(key, "")
        if name and name not in names:
            near = ", ".join(get_close_matches(name, names, 3)) or "see docs/demo.md"
            return f"there is no {word} {name!r}; meant: {near}"
    return None
