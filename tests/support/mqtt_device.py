"""A device that speaks real MQTT to the broker under test: paho on its own thread."""

import threading
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.support.broker import OwnBroker


class MqttDevice:
    """Publish and hear as one user; a context manager ends its thread."""

    def __init__(self, broker: OwnBroker, user: str = "sim", listen: str = "") -> None:
        self.heard: list[tuple[str, bytes, bool]] = []
        self.refused: list[str] = []
        self._ready = threading.Event()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5
        )
        self._client.username_pw_set(user, broker.password(user))
        self._listen = listen
        self._port = broker.port
        self._client.on_connect = self._connected
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._message
        self._client.on_publish = self._published
        self.answer: dict[str, tuple[str, dict[bytes, bytes]]] = {}
        """Command topic → state topic and state for each payload: the read-back."""

    def _connected(self, client: Any, _: Any, __: Any, ___: Any, ____: Any) -> None:
        if self._listen:
            client.subscribe(self._listen, 1)
        else:
            self._ready.set()

    def _message(self, client: Any, _: Any, message: Any) -> None:
        self.heard.append((message.topic, bytes(message.payload), message.retain))
        state_topic, states = self.answer.get(message.topic, ("", {}))
        state = states.get(bytes(message.payload))
        if state is not None:
            client.publish(state_topic, state, 1)

    def _published(self, _: Any, __: Any, ___: Any, reason: Any, ____: Any) -> None:
        if reason.is_failure:
            self.refused.append(str(reason))

    def __enter__(self) -> "MqttDevice":
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        assert self._ready.wait(10), "the device could not connect"
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def say(self, topic: str, payload: str | bytes = b"", retain: bool = False) -> None:
        """Publish with QoS 1 and wait until the broker has it."""
        self._client.publish(topic, payload, 1, retain).wait_for_publish(10)
