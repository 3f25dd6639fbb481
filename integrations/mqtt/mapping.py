"""Topic maps: a site's own JSON topics as YAML, checked with line and column.

A map names topic patterns; each ``+`` is a capture that device uids, names and
topics may use as ``{1}``, ``{2}``. Shipped maps lie in ``profiles/`` with their
test vectors.
"""

import copy
import functools
import json
import re
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from core.api import OutputKind, wrong_fail_safe
from core.api.documents import Document, find, parse, read
from core.api.said import Said
from integrations.mqtt.line import LOST_AFTER
from integrations.mqtt.map_schema import SCHEMA, USE
from integrations.mqtt.mapped import (
    TRUE,
    entity_of,
    event_of,
    line_of,
    loss_of,
    presence_of,
    tried,
)
from integrations.mqtt.spec import DeviceSpec
from integrations.mqtt.split import Split
from integrations.mqtt.templates import Extract, text_of

FOLDER = Path(__file__).parent / "profiles"
#: Age at which a reading is stale when neither device nor map says how often it speaks.
AGE_S = 60.0
#: Work cannot be held in time by what speaks more rarely than this.
SLOW_S = 60.0
#: A capture stands in topics and uids: short, and nothing that means something there.
CAPTURE = re.compile(r"[A-Za-z0-9_.:@-]{1,64}")
_PLACE = re.compile(r"\{(\d)\}")


@dataclass(frozen=True, slots=True)
class TopicMap:
    """One pattern of a map and what it makes of a topic."""

    map_id: str
    filter: str
    pattern: re.Pattern[str]
    data: Mapping[str, Any]
    split: Split | None = None

    def match(self, topic: str, payload: bytes = b"") -> tuple[str, DeviceSpec] | None:
        """Return (origin, device) of a topic; None when it is not this map's."""
        found = self.pattern.fullmatch(topic)
        if found is None or not self._wanted(found.groups(), payload):
            return None
        fill = functools.partial(_fill, captures=found.groups())
        data = self.data
        about = data["device"]
        device = DeviceSpec(
            uid=fill(about["uid"]),
            name=fill(about.get("name", about["uid"])),
            manufacturer=about["manufacturer"],
            model=about["model"],
        )
        presence = presence_of(data, fill)
        device.line = line_of(data, topic, fill)
        age_s = LOST_AFTER * data["interval_s"] if "interval_s" in data else AGE_S
        for entry in data["entities"]:
            spec = entity_of(entry, topic, presence, fill, age_s)
            if "refresh" in data:
                spec = replace(spec, refresh=fill(data["refresh"]))
            device.entities[spec.entity.uid] = spec
        lost = data.get("sequence", {}).get("loss")
        if lost is not None and device.line is not None:
            loss = loss_of(lost, topic, device.line, age_s)
            device.entities[lost] = loss
        for entry in data["events"]:
            happening = event_of(entry, topic, fill)
            device.entities[happening.entity.uid] = happening
        return f"map:{self.map_id}:{topic}", device

    def _wanted(self, captures: tuple[str, ...], payload: bytes) -> bool:
        """Say whether captures and payload are of a device that the map is for."""
        if not all(CAPTURE.fullmatch(each) for each in captures):
            return False
        for number_, globs in self.data["only"].items():
            if not any(_globbed(captures[number_ - 1], each) for each in globs):
                return False
        when: Extract | None = self.data.get("when")
        if when is None:
            return True
        try:
            said = msgspec.json.decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return False
        return text_of(tried(when, payload.decode("utf-8", "replace"), said)) in TRUE


@dataclass(frozen=True, slots=True)
class Map:
    """A whole map file."""

    id: str
    topics: tuple[TopicMap, ...]
    vectors: tuple[Mapping[str, Any], ...]


def _fill(template: str, captures: tuple[str, ...]) -> str:
    return _PLACE.sub(lambda m: captures[int(m[1]) - 1], template)


def _globbed(text_: str, glob: str) -> bool:
    return text_.startswith(glob[:-1]) if glob.endswith("*") else text_ == glob


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
        source, split = data["topic"], None
        if "split" in data:
            given = data["split"]
            source, prefix = given["topic"], data["topic"].split("/+")[0]
            split = Split(prefix, given["id"], given["keys"], given["end"])
        topics.append(TopicMap(checked["map"], source, pattern, data, split))
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
    if "split" in data:
        keys = len(data["split"]["keys"])
        if captures != keys or not data["topic"].endswith("/+" * keys):
            wrong = Said(
                "a topic of {keys} keys ends in {value}", keys=keys, value="/+" * keys
            )
            raise document.error((*path, "topic"), wrong)
    for number_ in data["only"]:
        _captures(document, f"{{{number_}}}", captures, (*path, "only"))
    for where in places:
        text_ = data.get(where[0], {}).get(where[1], "")
        _captures(document, text_, captures, (*path, *where))
    seen: set[str] = set()
    for group in ("entities", "events"):
        for index, entry in enumerate(data[group]):
            here = (*path, group, index)
            if entry["uid"] in seen:
                raise document.error(
                    here, Said("{uid!r} stands here twice", uid=entry["uid"])
                )
            seen.add(entry["uid"])
            if group == "entities":
                _check_entity(document, data, entry, here)
            if "command" in entry:
                topic = entry["command"]["topic"]
                _captures(document, topic, captures, (*here, "command", "topic"))


def _check_entity(
    document: Document,
    data: Mapping[str, Any],
    entry: Mapping[str, Any],
    here: tuple[Hashable, ...],
) -> None:
    if entry["kind"] == "output" and "command" not in entry:
        raise document.error(here, "an output needs 'command'")
    if "output" in entry:
        kind = OutputKind(entry["output"])
        wrong = wrong_fail_safe(kind, entry.get("fail_safe", "hold_last"))
        if wrong:
            raise document.error((*here, "fail_safe"), wrong)
    every_s = data.get("interval_s", 0.0)
    if entry["critical"] and every_s > SLOW_S:
        raise document.error(
            (*here, "critical"),
            Said(
                "a device that speaks each {every_s:g} s is too slow to "
                "hold work by; take 'critical' away, or measure it by one "
                "that speaks each {slow_s:g} s",
                every_s=every_s,
                slow_s=SLOW_S,
            ),
        )


def _captures(
    document: Document, template: str, captures: int, path: tuple[Hashable, ...]
) -> None:
    for number_ in _PLACE.findall(template):
        if not 1 <= int(number_) <= captures:
            raise document.error(
                path,
                Said(
                    "{{{number}}}: the topic has {captures} captures ('+')",
                    number=number_,
                    captures=captures,
                ),
            )


def inline(data: Mapping[str, Any]) -> Map:
    """Return a map that stands in the options themselves; raises ConfigError."""
    if "use" in data:
        return used(data)
    return build(parse(json.dumps(data), str(data.get("map", "map"))))


def load(name: str) -> Map:
    """Return a shipped map by its id, or one by the path of its YAML file.

    Raises ConfigError: unknown id, or a fault with file, line and column.
    """
    return build(read(find(name, FOLDER)))


def used(given: Mapping[str, Any]) -> Map:
    """Return a shipped map with the site's own words: which devices, what they move.

    ``entities`` join the map's first topic. Raises ConfigError.
    """
    more = parse(json.dumps(given), "maps").check(USE)
    file = more["use"]
    load(file)  # its own faults come first, with its own lines
    path = find(file, FOLDER)
    data = copy.deepcopy(read(path).data)
    data["vectors"] = []
    data["topics"][0].setdefault("entities", []).extend(more["entities"])
    meant = {
        u: m if isinstance(m, dict) else {"kind": m} for u, m in more["outputs"].items()
    }
    for topic in data["topics"]:
        captures = topic["topic"].split("/").count("+")
        own = {n: list(g) for n, g in more["only"].items() if n <= captures}
        topic["only"] = {**topic.get("only", {}), **own}
        if "interval_s" in more and "interval_s" in topic:
            topic["interval_s"] = more["interval_s"]
        for entry in topic.get("entities", ()):
            if entry["uid"] in meant:
                found = dict(meant[entry["uid"]])
                entry.update(found, output=found.pop("kind"), kind="output")
    return build(Document(str(path), data, {}))


def slow(maps: Iterable[Map]) -> dict[str, float]:
    """Return uid beginnings of devices that speak more rarely than `SLOW_S`."""
    found: dict[str, float] = {}
    for topic in (topic for each in maps for topic in each.topics):
        every_s = topic.data.get("interval_s", 0.0)
        if every_s > SLOW_S:
            head, _, rest = topic.data["device"]["uid"].partition("{")
            capture = int(rest[0]) if rest else 0
            globs = topic.data["only"].get(capture, ("*",))
            for glob in globs:
                begins = head + (glob.removesuffix("*") if capture else "")
                found[begins] = max(every_s, found.get(begins, 0.0))
    return found
