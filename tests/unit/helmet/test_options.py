"""Options, profiles and the one vocabulary of helmets."""

from typing import Any

import pytest
import voluptuous as vol

from core.api import ConfigError, EntityKind
from core.api.documents import shipped
from integrations.helmet import flow, profile, words
from integrations.helmet.profile import Item
from integrations.helmet.terminal import code_of
from integrations.mqtt import mapping

JT = {"secret": "helmet.jt808"}
GB = {"id": "34020000002000000001", "secret": "helmet.gb"}


def test_both_doors_and_their_secrets() -> None:
    options = flow.schema()(
        {
            "jt808": {**JT, "terminals": [{"phone": "13800000007", "secret": "h7"}]},
            "gb28181": GB,
        }
    )
    assert flow.secrets_of(options) == ("helmet.jt808", "h7", "helmet.gb")
    assert flow.schema()(options) == options


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"jt808": {}},
        {"jt808": {"terminals": [{"phone": "13800000007"}]}},
        {"jt808": {**JT, "terminals": [{"phone": 13800000007}]}},
        {"jt808": {**JT, "terminals": [{"phone": "12345"}, {"phone": "012345"}]}},
        {"jt808": {**JT, "profile": "nobody"}},
        {"jt808": {**JT, "port": True}},
        {"gb28181": {"id": "1", "secret": "x"}},
        {"gb28181": {**GB, "alarms": {"2": "nonsense"}}},
    ],
)
def test_what_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(vol.Invalid):
        flow.schema()(options)


def test_prefilled_from_a_label() -> None:
    found = flow.prefill({"phone": "13800000007", "name": "Helmet 7"})
    found["jt808"].update(JT)
    assert flow.schema()(found)["jt808"]["terminals"][0]["name"] == "Helmet 7"
    assert flow.prefill({}) == {}


@pytest.mark.parametrize("name", shipped(profile.FOLDER))
def test_every_profile_keeps_to_the_vocabulary(name: str) -> None:
    found = profile.load(name)
    assert "sos" in found.events()
    for entity in found.entities(30.0):
        assert entity.kind is EntityKind.GAS or words.state(entity.uid, 1.0)


def test_an_unknown_profile_is_named() -> None:
    with pytest.raises(ConfigError, match="nobody"):
        profile.load("nobody")


@pytest.mark.parametrize(
    ("item", "data", "value"),
    [
        (Item("battery", "u8"), "50", 80),
        (Item("temperature", "i16", scale=0.1), "ffd3", -4.5),
        (Item("wear", "u8", bit=1), "02", True),
        (Item("hook", "u8", bit=0), "02", False),
        (Item("h2s", "u16", none=0xFFFF), "ffff", None),
        (Item("h2s", "u16"), "01", None),
    ],
)
def test_values_of_items(item: Item, data: str, value: float | None) -> None:
    found = profile.value(item, bytes.fromhex(data))
    assert found == (pytest.approx(value) if isinstance(value, float) else value)


def test_the_topic_map_speaks_the_same_words() -> None:
    """A rule that is written for one helmet serves all: uids, quantities, kinds."""
    events = set()
    for topic in mapping.load("helmet").topics:
        device = topic.match(topic.filter.replace("+", "h7"))
        assert device is not None
        for spec in device[1].entities.values():
            known = words.state(spec.entity.uid, 1.0)
            if spec.entity.uid == "location":
                known = words.location("", 1.0)
            if spec.entity.kind is EntityKind.EVENT:
                events.add(spec.entity.uid)
                continue
            assert known is not None, spec.entity.uid
            assert known.quantity == spec.entity.quantity
            assert (known.kind, known.unit) == (spec.entity.kind, spec.entity.unit)
    assert events <= set(words.EVENTS)


def test_codes_differ_by_number_and_secret() -> None:
    assert code_of("a", "013800000007") == code_of("a", "13800000007")
    assert len({code_of("a", "1"), code_of("a", "2"), code_of("b", "1")}) == 3
