"""Devices, availability and routes: what is known, and when it is believed."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api import Entity, EntityKind, Quality
from integrations.mqtt import catalogue as rooms
from integrations.mqtt.catalogue import Availability, Catalogue
from integrations.mqtt.discovery import Address, parse
from integrations.mqtt.points import UNCERTAIN, Point, number
from integrations.mqtt.templates import WHOLE_TEXT
from tests.support.host import FakeHost


class Asked:
    """A broker link that writes down what it was asked."""

    def __init__(self) -> None:
        self.topics: set[str] = set()

    def subscribe(self, filters: Any) -> None:
        self.topics |= set(filters)

    def unsubscribe(self, filters: Any) -> None:
        self.topics -= set(filters)


class Site:
    """A catalogue on a host that writes down what it is told."""

    def __init__(self) -> None:
        self.host = FakeHost({})
        self.asked = Asked()
        self.catalogue = Catalogue(self.host, self.asked, lambda *_: None)

    def announce(self, origin: str, **config: Any) -> None:
        found = parse(Address("sensor", origin), json.dumps(config).encode())
        assert self.catalogue.place(origin, found.device, found.aliases)

    def say(self, topic: str, payload: str, doubt: str = "") -> None:
        self.catalogue.routes[topic.encode()].take(payload.encode(), doubt)


def test_two_announcements_of_one_device_are_one_device() -> None:
    async def play() -> Site:
        site = Site()
        first, second = {"ids": ["a", "b"], "name": "D"}, {"ids": ["b"], "sn": "7"}
        site.announce("one", stat_t="t", uniq_id="u1", dev=first)
        site.announce("two", stat_t="t", uniq_id="u2", dev=second)
        site.catalogue.flush()
        return site

    site = run(play())
    assert list(site.host.devices) == ["a"]
    device = site.host.devices["a"]
    assert (device.name, device.serial) == ("D", "7")
    assert [e.uid for e in device.entities] == ["u1", "u2"]
    assert len(site.host.declared) == 1, "a burst is declared once"


def test_a_change_moves_the_topic_and_removal_forgets_it() -> None:
    async def play() -> Site:
        site = Site()
        site.announce("one", stat_t="old", uniq_id="u")
        site.catalogue.flush()
        site.announce("one", stat_t="new", uniq_id="u")
        site.catalogue.flush()
        assert site.asked.topics == {"new"}
        # Announced under a second topic too: removing the first takes nothing away.
        site.announce("two", stat_t="new", uniq_id="u")
        assert site.catalogue.remove("one")
        site.catalogue.flush()
        assert list(site.host.devices) == ["u"]
        assert site.catalogue.remove("two") and not site.catalogue.remove("two")
        site.catalogue.flush()
        return site

    site = run(play())
    assert site.host.withdrawn == ["u"]
    assert not site.asked.topics and not site.catalogue.routes


def test_a_flood_of_devices_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "MAX_DEVICES", 3)

    async def play() -> Site:
        site = Site()
        for index in range(3):
            site.announce(f"o{index}", stat_t="t", uniq_id=f"u{index}")
        found = parse(Address("sensor", "x"), b'{"stat_t": "t", "uniq_id": "more"}')
        assert not site.catalogue.place("x", found.device)
        site.catalogue.flush()
        return site

    assert run(play()).host.counts == {"mqtt.too_many_devices": 1}


def test_a_value_while_gone_acts_but_proves_nothing() -> None:
    """Design §5 Truth: a value acts whatever its quality; only GOOD proves safe."""

    async def play() -> Site:
        site = Site()
        site.announce("o", stat_t="t", uniq_id="u", unit_of_meas="ppm", avty_t="a")
        site.catalogue.flush()
        site.say("t", "1")
        site.say("a", "online")
        site.say("t", "2")
        site.say("a", "offline")
        site.say("t", "90")
        site.say("a", "perhaps")
        site.say("a", "online")
        site.say("t", "3", "mqtt.retained")
        site.say("t", "4")
        return site

    site = run(play())
    assert [r[:3] for r in site.host.reports["u", "u"]] == [
        (1, Quality.UNCERTAIN, "mqtt.availability_unknown"),
        (2, Quality.GOOD, ""),
        (None, Quality.FAULT, "mqtt.unavailable"),
        (90, Quality.UNCERTAIN, "mqtt.unavailable"),
        (3, Quality.UNCERTAIN, "mqtt.retained"),
        (4, Quality.GOOD, ""),
    ]
    assert [up for _, up, _ in site.host.link_history] == [True, False, True]
    assert site.host.counts["mqtt.bad_payload"] == 1


def run(coroutine: Any) -> Site:
    import asyncio

    site: Site = asyncio.run(coroutine)
    return site


HEARD = st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=12)


@given(HEARD, st.sampled_from(["all", "any", "latest"]))
def test_availability_modes(heard: list[tuple[int, bool]], mode: str) -> None:
    """Unknown is never here: ``all`` needs every topic's word, ``any`` one yes."""
    entity = Entity(uid="e", name="e", kind=EntityKind.GAS)
    point = Point("d", entity, 0, WHOLE_TEXT, number)
    point.cap = UNCERTAIN
    availability = Availability(mode, point, wanted=3)
    said: dict[int, bool] = {}
    for topic, here in heard:
        availability.hear(topic, here)
        said[topic] = here
    good = point.cap == Quality.GOOD
    if mode == "latest":
        assert good == bool(heard and heard[-1][1])
    elif mode == "any":
        assert good == any(said.values())
    else:
        assert good == (len(said) == 3 and all(said.values()))
