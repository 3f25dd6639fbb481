"""Positions by brokers: the hub's own, what one kept, and what is no broker."""

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from core.api import Quality
from integrations.positioning.integration import PositioningIntegration
from tests.protocol.positioning_site import GATEWAY, running
from tests.support import certificates
from tests.support.broker import OwnBroker
from tests.support.host import FakeHost, Running
from tests.support.waiting import until


@pytest.mark.parametrize("tls", [False, True])
async def test_the_hubs_own_broker_carries_a_gateway(tls: bool, tmp_path: Path) -> None:
    """MQTT 5 against mosquitto with a password: a flood of places, none left behind."""
    import paho.mqtt.client as mqtt
    from paho.mqtt.enums import CallbackAPIVersion

    papers = certificates.make(tmp_path)
    more = ("--tls", str(papers.certificate), str(papers.key)) if tls else ()
    broker = OwnBroker(tmp_path / "data", devices=("gw=dwm/#",), more=more)
    broker.start()
    gateway = mqtt.Client(CallbackAPIVersion.VERSION2)
    gateway.username_pw_set("gw", broker.password("gw"))
    where: dict[str, Any] = {"host": "127.0.0.1", "port": broker.port}
    where |= {"username": "hub", "password": "mqtt.hub"}
    if tls:
        gateway.tls_set(ca_certs=str(papers.authority))
        where |= {"tls": True, "ca_file": str(papers.authority)}
    try:
        source = {"id": "gateway", "kind": "dwm1001_mqtt", "broker": where}
        secrets = {"mqtt.hub": broker.password()}
        host = FakeHost({"sources": [source], "secrets": secrets})
        driver = PositioningIntegration(host)
        gateway.connect("127.0.0.1", broker.port)
        gateway.loop_start()
        async with Running(driver):
            await until(lambda: driver.book.sources[0].up, "the link stands")
            for number in range(1, 301):
                place = {"x": 1.0, "y": 2.0, "z": 1.2, "quality": 80}
                said = {"position": place, "superFrameNumber": number}
                topic = "dwm/node/3B5C/uplink/location"
                gateway.publish(topic, json.dumps(said).ljust(800))
            counters = driver.book.sources[0].counters
            await until(lambda: counters.get("messages") == 300, "every message")
        last = host.last("dwm-3b5c", "location")
        assert last is not None and last.value == "1.000,2.000,1.200"
    finally:
        gateway.disconnect()
        gateway.loop_stop()
        broker.stop()


async def test_what_a_broker_kept_places_nobody() -> None:
    """A retained place was true once, and nobody knows when."""
    async with running(GATEWAY) as site:
        await site.shows("dwm-3b5c", Quality.GOOD)
        broker = site.plant.sources[0].broker
        assert broker is not None
        payload = b'{"position":{"x":1,"y":2,"z":1.2,"quality":90}}'
        broker.publish("dwm/node/0abc/uplink/location", b"{}", retain=True)
        broker._kept["dwm/node/0abc/uplink/location"] = payload
        broker._kept["dwm/node/0abc/uplink/status"] = b'{"present":true,"batt":9}'
        before = site.driver.peers["gateway"].sessions
        await site.tell(do="drop")
        peer = site.driver.peers["gateway"]
        await until(lambda: peer.sessions > before, "a new session")
        await site.shows("dwm-3b5c", Quality.GOOD)
        assert site.last("dwm-0abc") is None or site.last("dwm-0abc").value is None  # type: ignore[union-attr]
        assert site.last("dwm-0abc", "battery") is None


@pytest.mark.parametrize(
    "said",
    [
        b"\xff\xff\xff\xff\xff\xff",
        b"\x20\x02\x00\x00\x30\x04\x00\xffab",
        b"\x20\x02\x00\x00\x30\x02\x00\x00\x90\x00",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x20\x03\x00\x00\x00\x30\x05\x00\x01\xff\x00\x00",
    ],
)
async def test_broker_that_speaks_no_mqtt_is_left_and_tried_again(said: bytes) -> None:
    """Bounded and without an error of its own, whatever is at the other end."""
    calls = 0

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        nonlocal calls
        calls += 1
        await reader.read(1024)
        writer.write(said)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
            await reader.read(1024)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    source = {**GATEWAY, "broker": {"host": "127.0.0.1", "port": port}}
    driver = PositioningIntegration(FakeHost({"sources": [source]}))
    async with server, Running(driver):
        await until(lambda: calls >= 3, "tried again")
