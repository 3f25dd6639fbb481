"""Systems give themselves away by their topics at the hub's own broker."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from core.clock import RealClock
from core.config import EMPTY, Bundle, IntegrationConfig
from core.registry.secrets import Secrets
from core.registry.state import RegistryState
from integrations.mqtt.flow import OWN_SECRET, OWN_USER
from integrations.runtime.discovery import topics
from integrations.runtime.discovery.board import Board
from integrations.runtime.discovery.known import Known
from integrations.runtime.discovery.radio import NotHere
from integrations.runtime.discovery.topics import TopicListener, own_broker
from tests.support.broker import OwnBroker
from tests.support.waiting import until
from tests.unit.discovery.sightings import SIGNS


def site(port: int, *more: IntegrationConfig) -> Bundle:
    options: dict[str, object] = {"broker": "own", "port": port}
    own = IntegrationConfig(id="mqtt", integration="mqtt", options=options)
    return msgspec.structs.replace(EMPTY, integrations=(own, *more))


def say(port: int, password: str) -> None:
    """Publish what systems leave at a broker."""
    client = Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(OWN_USER, password)
    client.connect("127.0.0.1", port)
    client.loop_start()
    said = ("frigate/gate/status", "frigate/pit/status", "other/gate/status", "tags/1")
    for topic in said:
        client.publish(topic, "on", 1, retain=True).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


async def test_a_system_is_found_once_however_many_topics_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topics, "PERIOD_S", topics.HEAR_S + 0.05)
    broker = OwnBroker(tmp_path)
    await asyncio.to_thread(broker.start)
    board = Board(RealClock())
    try:
        found = own_broker(site(broker.port), tmp_path)
        assert found is not None
        assert (found.port, found.password) == (
            broker.port,
            Secrets(tmp_path).get(OWN_SECRET),
        )
        listening = asyncio.create_task(TopicListener(SIGNS, board, found).run())
        await asyncio.to_thread(say, broker.port, found.password)
        await until(lambda: len(board.findings()) == 2, "both systems are found")
        keys = {each.key: each.facts["topic"] for each in board.findings()}
        assert keys["mqtt:tags"] == "tags/1"
        assert keys["mqtt:frigate"].startswith("frigate/")
        listening.cancel()
        await asyncio.wait([listening])
    finally:
        await asyncio.to_thread(broker.stop)


async def test_a_system_that_is_set_up_is_not_proposed(tmp_path: Path) -> None:
    board, known = Board(RealClock()), Known()
    board.covered = known.covered
    board.seen(topics.sighting_of("frigate/gate/status", SIGNS))
    known.take(RegistryState(), site(1883))
    assert len(board.findings()) == 1
    mine = IntegrationConfig(id="f", integration="frigate")
    known.take(RegistryState(), site(1883, mine))
    assert board.findings() == []


async def test_without_a_broker_of_its_own_nothing_is_heard(tmp_path: Path) -> None:
    assert own_broker(EMPTY, tmp_path) is None
    assert own_broker(site(1883), tmp_path) is None  # it has not been started yet
    with pytest.raises(NotHere):
        await TopicListener(SIGNS, Board(RealClock()), None).run()


def test_a_topic_that_names_a_device_gives_its_address() -> None:
    made = topics.sighting_of("shellyplus1-a8032abe54dc/events/rpc", SIGNS)
    assert made.keys == ("mac:a8032abe54dc", "mqtt:shellyplus1-a8032abe54dc")
