"""Topic maps: a site's own JSON topics as YAML, checked with line and column.

A map names topic patterns; each ``+`` is a capture that device uids, names and
topics may use as ``{1}``, ``{2}``. Shipped maps lie in ``profiles/`` with their
test vectors.
"""

import functools
import json
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.api import ConfigError, Entity, EntityKind, Output, OutputKind, Value
from core.api.documents import Document, parse, read
from integrations.mqtt.components import located
from integrations.mqtt.events import plain_params
from integrations.mqtt.map_schema import SCHEMA
from integrations.mqtt.points import UNCERTAIN, Convert, Event, number, switched, text
from integrations.mqtt.spec import CommandSpec, DeviceSpec, EntitySpec, Presence, Take
from integrations.mqtt.templates import (
    WHOLE_TEXT,
    Extract,
    SilentError,
    TemplateError,
    text_of,
)

FOLDER = Path(__file__).parent / "profiles"
#: A capture stands in topics and uids: short, and nothing that means something there.
CAPTURE = re.compile(r"[A-Za-z0-9_.:@-]{1,64}")
_PLACE = re.compile(r"\{(\d)\}")
_TRUE = frozenset({"True", "true", "ON", "on", "1", "1.0"})


@dataclass(frozen=True, slots=True)
class TopicMap:
    """One pattern of a map and what it makes of a topic."""

    map_id: str
    filter: str
    pattern: re.Pattern[str]
    data: Mapping[str, Any]

    def match(self, topic: str) -> tuple[str, DeviceSpec] | None:
        """Return (origin, device) of a topic; None when it is not this map's."""
        found = self.pattern.fullmatch(topic)
        if found is None or not all(CAPTURE.fullmatch(c) for c in found.groups()):
            return None
        fill = functools.partial(_fill, captures=found.groups())
        data = self.data
        about = data["device"]
        uid = fill(about["uid"])
        device = DeviceSpec(
            uid=uid,
            name=fill(about.get("name", about["uid"])),
            manufacturer=about["manufacturer"],
            model=about["model"],
        )
        presence: tuple[Presence, ...] = ()
        if "availability" in data:
            here = data["availability"]
            presence = (
                Presence(
                    fill(here["topic"]),
                    here.get("template", WHOLE_TEXT),
                    here["here"],
                    here["gone"],
                ),
            )
        for entry in data["entities"]:
            device.entities[entry["uid"]] = _entity(entry, topic, presence, fill)
        for entry in data["events"]:
            device.entities[entry["uid"]] = EntitySpec(
                Entity(
                    uid=entry["uid"],
                    name=entry["uid"],
                    kind=EntityKind.EVENT,
                    quantity=entry["kind"],
                ),
                take=_taker(entry),
                event_topic=topic,
            )
        return f"map:{self.map_id}:{topic}", device


@dataclass(frozen=True, slots=True)
class Map:
    """A whole map file."""

    id: str
    topics: tuple[TopicMap, ...]
    vectors: tuple[Mapping[str, Any], ...]


def _fill(template: str, captures: tuple[str, ...]) -> str:
    return _PLACE.sub(lambda m: captures[int(m[1]) - 1], template)


def _entity(
    entry: Mapping[str, Any], topic: str, presence: tuple[Presence, ...], fill: Any
) -> EntitySpec:
    kind = entry["kind"]
    command = entry.get("command")
    output = None
    if kind == "output":
        output = Output(
            kind=OutputKind(entry["output"]),
            ex_rated=entry["ex_rated"],
            fail_safe=entry["fail_safe"],
        )
    return EntitySpec(
        Entity(
            uid=entry["uid"],
            name=entry.get("name", entry["uid"]),
            kind=EntityKind.SENSOR if kind == "text" else EntityKind(kind),
            quantity=entry["quantity"],
            unit=entry["unit"],
            max_age_s=entry["max_age_s"],
            critical=entry["critical"],
            full_scale=entry.get("full_scale"),
            output=output,
        ),
        topic=topic,
        extract=entry.get("path") or entry.get("template") or WHOLE_TEXT,
        convert=_convert(entry),
        presence=presence,
        command=command
        and CommandSpec(
            fill(command["topic"]), command["on"].encode(), command["off"].encode()
        ),
    )


def _convert(entry: Mapping[str, Any]) -> Convert:
    kind = entry["kind"]
    if kind in {"binary", "output"}:
        return switched(entry["on"], entry["off"])
    if kind == "location":
        floor = entry.get("least_quality")
        return _doubted(floor["key"], floor["at_least"]) if floor else located
    return text if kind == "text" else number


def _doubted(key: str, floor: float) -> Convert:
    """Judge a position whose own quality figure must reach ``floor``."""

    def judge(raw: Any) -> tuple[Value, int, str]:
        value, quality, reason = located(raw)
        if quality or not isinstance(raw, dict):
            return value, quality, reason
        figure, bad, _ = number(raw.get(key))
        if bad or not isinstance(figure, float) or figure < floor:
            return value, UNCERTAIN, "mqtt.low_quality"
        return value, quality, reason

    return judge


def _taker(entry: Mapping[str, Any]) -> Take:
    """Return what takes an event out of a message, once for each occurrence.

    With an ``id`` an occurrence is a new id; without one it is the moment at
    which ``when`` becomes true, or each message when there is no ``when``.
    """
    when: Extract | None = entry.get("when")
    ident: Extract | None = entry.get("id")
    wanted: Mapping[str, Extract] = entry["params"]
    kind: str = entry["kind"]
    before: dict[str, Any] = {"on": False, "id": None}

    def take(said: str, data: Any, retained: bool) -> Event | None:
        on = when is None or text_of(_try(when, said, data)) in _TRUE
        rising, before["on"] = on and not before["on"], on
        if not on:
            return None
        found = _try(ident, said, data) if ident is not None else None
        if found is not None:
            if found == before["id"]:
                return None
            before["id"] = found
        elif when is not None and not rising:
            return None
        facts = {name: _try(extract, said, data) for name, extract in wanted.items()}
        return Event(kind, plain_params(facts), "" if found is None else text_of(found))

    return take


def _try(extract: Extract, said: str, data: Any) -> Any:
    try:
        return extract.fn(said, data)
    except (TemplateError, SilentError):
        return None


# --- loading ------------------------------------------------------------------


def build(document: Document) -> Map:
    """Return the map of a document; raises ConfigError with line and column."""
    checked = document.check(SCHEMA)
    topics = []
    for index, data in enumerate(checked["topics"]):
        path: tuple[Hashable, ...] = ("topics", index)
        _cross_check(document, data, path)
        levels = [r"([^/]+)" if s == "+" else re.escape(s) for s in _levels(data)]
        pattern = re.compile("/".join(levels))
        topics.append(TopicMap(checked["map"], data["topic"], pattern, data))
    return Map(checked["map"], tuple(topics), tuple(checked["vectors"]))


def _levels(data: Mapping[str, Any]) -> list[str]:
    topic: str = data["topic"]
    return topic.split("/")


def _cross_check(
    document: Document, data: Mapping[str, Any], path: tuple[Hashable, ...]
) -> None:
    """Check what one value cannot know of another."""
    captures = _levels(data).count("+")
    places = [("device", "uid"), ("device", "name"), ("availability", "topic")]
    for where in places:
        text_ = data.get(where[0], {}).get(where[1], "")
        _captures(document, text_, captures, (*path, *where))
    seen: set[str] = set()
    for group in ("entities", "events"):
        for index, entry in enumerate(data[group]):
            here = (*path, group, index)
            if entry["uid"] in seen:
                raise document.error(here, f"{entry['uid']!r} stands here twice")
            seen.add(entry["uid"])
            if entry.get("kind") == "output" and group == "entities":
                for key in ("output", "command"):
                    if key not in entry:
                        raise document.error(here, f"an output needs '{key}'")
            if "command" in entry:
                topic = entry["command"]["topic"]
                _captures(document, topic, captures, (*here, "command", "topic"))


def _captures(
    document: Document, template: str, captures: int, path: tuple[Hashable, ...]
) -> None:
    for number_ in _PLACE.findall(template):
        if not 1 <= int(number_) <= captures:
            raise document.error(
                path, f"{{{number_}}}: the topic has {captures} captures ('+')"
            )


def inline(data: Mapping[str, Any]) -> Map:
    """Return a map that stands in the options themselves; raises ConfigError."""
    return build(parse(json.dumps(data), str(data.get("map", "map"))))


def load(name: str) -> Map:
    """Return a shipped map by its id, or one by the path of its YAML file.

    Raises ConfigError: unknown id, or a fault with file, line and column.
    """
    if name.endswith((".yaml", ".yml")):
        return build(read(Path(name)))
    if name not in bundled():
        raise ConfigError(
            f"no topic map {name!r}; expected one of {', '.join(bundled())} "
            "or the path of a .yaml file",
            map=name,
        )
    return build(read(FOLDER / f"{name}.yaml"))


@functools.cache
def bundled() -> tuple[str, ...]:
    """Return the ids of the maps that come with the hub."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.yaml")))
