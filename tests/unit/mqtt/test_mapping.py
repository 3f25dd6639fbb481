"""Topic maps: shipped ones prove themselves by vectors; faults name their place."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from core.api import ConfigError, Quality
from core.api.documents import parse as parse_yaml
from core.api.documents import shipped
from integrations.mqtt import mapping
from integrations.mqtt.catalogue import Catalogue
from integrations.mqtt.points import Event
from tests.support.host import FakeHost

SHIPPED = shipped(mapping.FOLDER)


class Silent:
    """A broker link that is asked and does nothing."""

    def subscribe(self, filters: Any) -> None:
        list(filters)

    def unsubscribe(self, filters: Any) -> None:
        list(filters)


def feed(
    found: mapping.Map, topic: str, payload: bytes
) -> tuple[FakeHost, list[Event]]:
    """Return what one message on a fresh catalogue tells the hub."""
    host = FakeHost({})
    catalogue = Catalogue(host, Silent(), lambda *_: None)
    for pattern in found.topics:
        placed = pattern.match(topic, payload)
        if placed is not None:
            catalogue.place(placed[0], placed[1], subscribe=False)
    catalogue.flush()
    events = catalogue.routes[topic.encode()].take(payload, "")
    catalogue.close()
    return host, [event for _, event in events]


VECTORS = [(name, vector) for name in SHIPPED for vector in mapping.load(name).vectors]


@pytest.mark.parametrize(("name", "vector"), VECTORS)
async def test_vectors_of_shipped_maps(name: str, vector: dict[str, Any]) -> None:
    payload = json.dumps(vector["payload"]).encode()
    host, events = feed(mapping.load(name), vector["topic"], payload)
    assert list(host.devices) == [vector["device"]]
    for uid, (value, quality) in vector["readings"].items():
        last = host.last(vector["device"], uid)
        assert last is not None
        assert (last.value, last.quality) == (value, Quality[quality.upper()])
    expected = [
        Event(e["kind"], e.get("params", {}), e["id"]) for e in vector["events"]
    ]
    assert events == expected


MAP = """\
map: m
version: 1
names: {zh: 甲, en: A}
topics:
  - topic: a/+/b
    device: {uid: "d-{1}"}
    entities:
      - {uid: v, kind: sensor, path: v}
"""


def built(text: str) -> mapping.Map:
    return mapping.build(parse_yaml(text, "m.yaml"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("topic: a/+/b", "topic: a/#", r"m\.yaml:5:12: .*'#' is not allowed"),
        ('uid: "d-{1}"', 'uid: "d-{2}"', r"m\.yaml:6:19: .*1 captures"),
        ("kind: sensor", "kind: sensr", r"m\.yaml:8:24: .*expected one of"),
        ("path: v", "template: '{{ x }}'", r"m\.yaml:8:.*no 'x' here"),
        ("kind: sensor, path: v", "kind: output", r"m\.yaml:8:9: .*needs 'command'"),
        ("version: 1", "version: one", r"m\.yaml:2:10: version"),
        ("path: v", "paths: v", r"m\.yaml:8:.*unknown key"),
        ("names:", "names: [", r"m\.yaml:\d+:\d+: not YAML"),
    ],
)
def test_faults_name_line_and_column(old: str, new: str, message: str) -> None:
    built(MAP)
    with pytest.raises(ConfigError, match=message):
        built(MAP.replace(old, new))


def test_an_unknown_map_is_told_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="chirpstack, frigate, helmet"):
        mapping.load("hat")


def test_captures_that_mean_something_in_a_topic_are_refused() -> None:
    pattern = built(MAP).topics[0]
    assert pattern.match("a/x1/b") is not None
    for bad in ("a/{1}/b", "a/x y/b", "a//b", "a/" + "x" * 65 + "/b", "a/$x/b"):
        assert pattern.match(bad) is None


async def test_an_event_comes_once_for_each_occurrence() -> None:
    """With an id per id; without one per rise of its condition."""
    text = MAP + (
        "    events:\n"
        "      - {uid: sos, kind: sos, when: '{{ value_json.sos }}'}\n"
        "      - {uid: gate, kind: gate, id: n}\n"
    )
    found = built(text)
    placed = found.topics[0].match("a/x/b")
    assert placed is not None
    takes = {uid: spec.take for uid, spec in placed[1].entities.items() if spec.take}
    told = [
        takes["sos"]("", {"sos": pressed}, False) is not None
        for pressed in (False, True, True, False, True, None, "no", 1)
    ]
    assert told == [False, True, False, False, True, False, False, True]
    told = [takes["gate"]("", {"n": n}, False) is not None for n in (1, 1, 2, 2, 1)]
    assert told == [True, False, True, False, True]


NODES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "map version names topics topic device uid entities kind path template "
                "events when id params command on off zh en vectors".split()
            ),
            inner,
            max_size=6,
        )
    ),
)


@given(NODES, st.sampled_from(["topics", "names", "device", "entities", "uid"]))
def test_a_wrong_map_raises_nothing_else(node: Any, key: str) -> None:
    data = yaml.safe_load(MAP)
    topic = data["topics"][0]
    (data if key in data else topic if key in topic else topic["entities"][0])[key] = (
        node
    )
    try:
        found = mapping.inline(data)
    except ConfigError:
        return
    for pattern in found.topics:
        pattern.match("a/x/b")


@given(st.text(max_size=80))
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        built(text)
    except ConfigError:
        return
