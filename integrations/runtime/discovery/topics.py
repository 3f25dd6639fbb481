"""Hints from the hub's own broker: topics by which systems give themselves away.

Home Assistant's discovery is the ``mqtt`` integration's own; here only those are heard
that another integration names, and only for a few seconds of each minute.
"""

import asyncio
import contextlib
from pathlib import Path
from typing import NamedTuple

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from core.api.identity import key, mac_in
from core.config import Bundle
from core.registry.secrets import Secrets
from integrations.mqtt.flow import OWN, OWN_SECRET, OWN_USER
from integrations.runtime.discovery.board import Board
from integrations.runtime.discovery.match import Signs
from integrations.runtime.discovery.radio import NotHere
from integrations.runtime.discovery.sighting import Sighting, clean, clean_facts

#: Heard so long of each period; what is not heard in three periods is gone.
HEAR_S, PERIOD_S, TTL_S = 5.0, 60.0, 200.0
CONNECT_S = 5.0
#: Messages of one hearing; a stream of positions tells no more than its first.
MOST = 2_000
_MAX_TOPIC = 256


class OwnBroker(NamedTuple):
    """Hold where the hub's own broker is, and who we are to it."""

    port: int
    password: str
    user: str = OWN_USER
    host: str = "127.0.0.1"


def own_broker(bundle: Bundle, data: Path) -> OwnBroker | None:
    """Return the broker that the site runs itself; None when there is none."""
    for each in bundle.integrations:
        port = each.options.get("port")
        own = each.integration == "mqtt" and each.options.get("broker") == OWN
        if own and isinstance(port, int):
            secret = Secrets(data).get(OWN_SECRET)
            return OwnBroker(port, secret) if secret else None
    return None


def sighting_of(topic: str, signs: Signs) -> Sighting:
    """Return what a topic tells: its first level names the system, or the device."""
    first = topic.split("/", 1)[0]
    mac = key("mac", mac_in(first))
    own = key("mqtt", clean(first))
    return Sighting(
        source=f"mqtt:{first}",
        kind="mqtt",
        slot="mqtt",
        name=clean(first),
        keys=(mac, own) if mac else (own,) if own else (),
        facts=clean_facts({"topic": topic, "prefix": first}),
        matches=signs.mqtt(topic),
    )


class TopicListener:
    """Hear the broker now and then; NotHere without one of the hub's own."""

    name = "mqtt"

    def __init__(self, signs: Signs, board: Board, broker: OwnBroker | None) -> None:
        self._signs, self._board, self._broker = signs, board, broker
        self._heard: set[str] = set()
        self._count = 0

    async def run(self) -> None:
        """Hear until cancelled; OSError where the broker is not reached."""
        topics = self._signs.topics(but="mqtt")
        if self._broker is None or not topics:
            raise NotHere("no broker of the hub's own, or nothing to hear there")
        try:
            while True:
                await self._hear(self._broker, topics)
                await asyncio.sleep(PERIOD_S - HEAR_S)
        finally:
            self._board.forget("mqtt:")

    async def _hear(self, broker: OwnBroker, topics: tuple[str, ...]) -> None:
        loop = asyncio.get_running_loop()
        self._heard.clear()
        self._count = 0
        enough = asyncio.Event()
        client = Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
        client.username_pw_set(broker.user, broker.password)
        client.connect_timeout = CONNECT_S

        def heard(_client: Client, _data: object, message: MQTTMessage) -> None:
            loop.call_soon_threadsafe(self._take, message.topic, enough)

        def connected(_client: Client, *_: object) -> None:
            client.subscribe([(topic, 0) for topic in topics])

        client.on_message, client.on_connect = heard, connected
        await asyncio.to_thread(client.connect, broker.host, broker.port)
        client.loop_start()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HEAR_S):
                    await enough.wait()
        finally:
            client.disconnect()
            await asyncio.to_thread(client.loop_stop)

    def _take(self, topic: str, enough: asyncio.Event) -> None:
        self._count += 1
        if self._count >= MOST:
            enough.set()
        first = topic.split("/", 1)[0]
        if len(topic) > _MAX_TOPIC or first in self._heard:
            return
        self._heard.add(first)
        self._board.seen(sighting_of(topic, self._signs), TTL_S)
