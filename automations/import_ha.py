"""Read a Home Assistant automation blueprint: convert it, or say what has no meaning.

A rule here chooses detectors by their part, keys its runs by subject, and declares
what UNKNOWN does. What cannot be said so is named with its line, never guessed.
"""

import re
from typing import Any, NamedTuple

import yaml

from automations.schema_trigger import INSTEAD
from core.api.documents import Document, Input
from core.api.said import Said, sentence

_OF = {
    "gas": "gas",
    "smoke": "smoke",
    "carbon_monoxide": "co",
    "carbon_dioxide": "co2",
    "battery": "battery",
    "temperature": "temperature",
    "motion": "motion",
    "occupancy": "person",
    "vibration": "vibration",
    "sound_pressure": "noise",
    "wind_speed": "wind",
    "connectivity": "uplink",
    "plug": "mains",
}
_PLAIN = {"number": "number", "boolean": "boolean", "text": "text", "time": "time"}
_ON = {"siren.turn_on": "siren", "fan.turn_on": "fan", "light.turn_on": "lamp"}
_CLOCK = re.compile(r"^(\d{1,2}):(\d{2})(?::(\d{2}))?$")
_ID = re.compile(r"^[a-z0-9][a-z0-9_-]{0,63}$")
_SCALE = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
_RUNS = ("mode", "max", "max_exceeded", "variables", "trigger_variables")


class Note(NamedTuple):
    """Say what of a line has no meaning here, and what to write instead."""

    line: int
    column: int
    text: str


class Importer:
    """Convert one blueprint; ``notes`` names every line that was left out."""

    def __init__(self, document: Document) -> None:
        self._document, self._data = document, document.data
        self._head = document.data.get("blueprint", {})
        self._given: dict[str, Any] = _flat(self._head.get("input") or {})
        self.notes: list[Note] = []
        self._pauses = 0
        self._inputs: dict[str, Any] = {}

    def convert(self, name: str) -> dict[str, Any]:
        """Return the blueprint's data under an id of this site."""
        triggers = self._listed("triggers", "trigger", self._trigger)
        conditions = self._listed("conditions", "condition", self._condition)
        actions = self._listed("actions", "action", self._action)
        for key in _RUNS:
            if key in self._data:
                said = "each subject has a run of its own and no trigger is dropped"
                self._note(
                    (key,),
                    Said("{key}: leave it out; {said}", key=key, said=sentence(said)),
                )
        title = str(self._head.get("name", name))
        text = str(self._head.get("description", title))
        made: dict[str, Any] = {
            "blueprint": {
                "id": name,
                "version": "0.1.0",
                "name": {"zh": title, "en": title},
                "description": {"zh": text, "en": text},
                "input": self._inputs,
            },
            "on_unknown": "hold",
            "triggers": triggers,
        }
        if conditions:
            made["conditions"] = " and ".join(f"({each})" for each in conditions)
        made["actions"] = actions
        return made

    def _note(self, path: tuple[Any, ...], text: str) -> None:
        line, column = self._document.where(path)
        self.notes.append(Note(line, column, text))

    def _listed(self, several: str, one: str, work: Any) -> list[Any]:
        key = several if several in self._data else one
        given = self._data.get(key) or []
        single = not isinstance(given, list)
        made: list[Any] = []
        for number, each in enumerate([given] if single else given):
            path = (key,) if single else (key, number)
            found = work(each, path) if isinstance(each, dict) else None
            if found is None and not isinstance(each, dict):
                self._note(path, "write it out as a mapping; templates have no place")
            made += found or []
        return made

    # --- triggers ---------------------------------------------------------------

    def _trigger(self, given: dict[str, Any], path: tuple[Any, ...]) -> list[Any]:
        word = str(given.get("trigger", given.get("platform", "")))
        if word in ("state", "numeric_state"):
            return self._reading(word, given, path)
        if word == "time":
            at = given.get("at")
            made = self._take(at) if isinstance(at, Input) else _clock(at)
            if made is not None:
                return [{"trigger": "time", "at": made}]
        if word == "webhook" and _ID.match(str(given.get("webhook_id", ""))):
            return [{"trigger": "webhook", "hook": str(given["webhook_id"])}]
        if word == "sun" and given.get("event") in ("sunrise", "sunset"):
            for name, limit in (("latitude", 66), ("longitude", 180)):
                self._inputs[name] = {
                    "name": {"zh": name, "en": name},
                    "selector": {"number": {"min": -limit, "max": limit}},
                }
            places = {n: Input(n) for n in ("latitude", "longitude")}
            return [{"trigger": "time", "sun": given["event"], **places}]
        advice = INSTEAD.get(word, "no such trigger; see the language")
        self._note(
            path, Said("trigger {word!r}: {advice}", word=word, advice=sentence(advice))
        )
        return []

    def _reading(
        self, word: str, given: dict[str, Any], path: tuple[Any, ...]
    ) -> list[Any]:
        part = self._part(given.get("entity_id"))
        if part is None:
            said = "rules choose by part: write 'of: combustible' or a quantity"
            self._note(
                (*path, "entity_id"), Said("entity_id: {said}", said=sentence(said))
            )
            return []
        made: dict[str, Any] = {
            "trigger": "reading" if word == "numeric_state" else "state",
            "of": part,
        }
        for key in ("above", "below", "to") if word != "state" else ("to",):
            if key in given:
                made[key] = self._take(given[key])
        if "for" in given and (span := self._span(given["for"])) is not None:
            made["for"] = span
        for key in given.keys() - {*made, "entity_id", "platform", "id", "alias"}:
            self._note(
                (*path, key), Said("{key}: has no meaning here; leave it out", key=key)
            )
        if word == "state" and "to" not in made:
            self._note(path, "a state trigger needs 'to': any change starts no rule")
            return []
        return [made]

    def _part(self, entity: Any) -> str | None:
        if not isinstance(entity, Input):
            return None
        selector = self._given.get(entity.name, {}).get("selector") or {}
        chosen = selector.get("entity") or {}
        for each in [chosen, *_many(chosen.get("filter"))]:
            classes = _many(each.get("device_class")) if isinstance(each, dict) else []
            for found in classes:
                if found in _OF:
                    return _OF[found]
        return None

    def _condition(self, given: dict[str, Any], path: tuple[Any, ...]) -> list[str]:
        after, before = _hour(given.get("after")), _hour(given.get("before"))
        if given.get("condition") == "time" and (after, before) != (None, None):
            parts = [] if after is None else [f"hour >= {after:g}"]
            parts += [] if before is None else [f"hour < {before:g}"]
            night = after is not None and before is not None and after > before
            return [(" or " if night else " and ").join(parts)]
        word = given.get("condition", "template")
        self._note(
            path,
            Said("condition {word!r}: write an expression in 'conditions'", word=word),
        )
        return []

    # --- actions ----------------------------------------------------------------

    def _action(self, given: dict[str, Any], path: tuple[Any, ...]) -> list[Any]:
        made = self._one(given, path)
        if made is None:
            return []
        if self._pauses and made["action"] != "wait":
            made["after"] = f"pause-{self._pauses}"
        elif made["action"] == "wait":
            if self._pauses:
                made["after"] = f"pause-{self._pauses}"
            self._pauses += 1
            made["id"] = f"pause-{self._pauses}"
        return [made]

    def _one(
        self, given: dict[str, Any], path: tuple[Any, ...]
    ) -> dict[str, Any] | None:
        word = str(given.get("action", given.get("service", "")))
        if word in _ON:
            return {"action": "command", "output": _ON[word], "value": True}
        if word == "camera.record":
            return {"action": "record.clip", "for": _seconds(_duration(given)) or 30.0}
        if word.startswith("notify."):
            self._note(path, "free text has no place: the notice has a code of its own")
            code = "notice.rule.imported"
            return {"action": "notify", "roles": ["supervisor"], "code": code}
        if "delay" in given:
            span = self._span(given["delay"])
            if span is not None:
                return {"action": "wait", "for": span}
        word = word or next(iter(given), "?")
        advice = {
            "todo.add_item": "write 'task.create' with kind, code and due",
            "siren.turn_off": "only a person silences a siren",
            "choose": "write 'choose' with an expression in 'if'",
            "if": "write 'choose' with an expression in 'if'",
            "repeat": "write 'repeat' with count and do",
            "wait_template": "write 'wait' with until",
            "wait_for_trigger": "write 'wait' with until",
        }.get(word, "outputs are reached by 'command' and their kind")
        if word.startswith("rest_command."):
            advice = "write 'webhook' with target, a channel of the site; no address"
        self._note(
            path, Said("action {word!r}: {advice}", word=word, advice=sentence(advice))
        )
        return None

    # --- inputs and spans -------------------------------------------------------

    def _take(self, value: Any) -> Any:
        """Take over an input that has a selector here."""
        if not isinstance(value, Input):
            return value
        spec = self._given.get(value.name, {})
        selector = spec.get("selector") or {}
        kind = next(iter(selector), "text")
        options = selector.get(kind) or {}
        plain = "duration" if kind == "duration" else _PLAIN.get(kind, "text")
        limits = {k: options[k] for k in ("min", "max") if k in options}
        title = str(spec.get("name", value.name))
        made: dict[str, Any] = {
            "name": {"zh": title, "en": title},
            "selector": {plain: limits if plain == "number" else {}},
        }
        if spec.get("default") is not None:
            default = spec["default"]
            made["default"] = _seconds(default) if plain == "duration" else default
        self._inputs[value.name] = made
        return value

    def _span(self, value: Any) -> Any:
        if isinstance(value, Input):
            return self._take(value)
        return _seconds(value)


def _seconds(value: Any) -> float | None:
    if isinstance(value, dict):
        if all(isinstance(value.get(k, 0), int | float) for k in _SCALE):
            return float(sum(value.get(k, 0) * scale for k, scale in _SCALE.items()))
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    match = _CLOCK.match(str(value))
    if match is None:
        return None
    return int(match[1]) * 3600.0 + int(match[2]) * 60.0 + int(match[3] or 0)


def _duration(given: dict[str, Any]) -> Any:
    data = given.get("data")
    return data.get("duration") if isinstance(data, dict) else None


def _clock(value: Any) -> str | None:
    match = _CLOCK.match(str(value))
    return f"{int(match[1]):02}:{match[2]}" if match else None


def _hour(value: Any) -> float | None:
    seconds = _seconds(value) if isinstance(value, str) else None
    return None if seconds is None else seconds / 3600.0


def _many(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _flat(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs of all sections by their names."""
    found: dict[str, Any] = {}
    for name, spec in inputs.items():
        inner = spec.get("input") if isinstance(spec, dict) else None
        found |= _flat(inner) if isinstance(inner, dict) else {name: spec or {}}
    return found


class _Dumper(yaml.SafeDumper):
    """Write inputs as ``!input name``."""


_Dumper.add_representer(
    Input, lambda dumper, each: dumper.represent_scalar("!input", each.name)
)


def dump(data: dict[str, Any]) -> str:
    """Return a converted blueprint's YAML."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
