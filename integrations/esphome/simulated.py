"""A simulated ESPHome node: entities made from the driver's options, and faults."""

import asyncio
import os
from collections.abc import Callable, Mapping
from typing import Any

from aioesphomeapi import api_pb2
from google.protobuf.message import DecodeError

from core.api.clock import AsyncClock
from integrations.esphome.wire import Noise, Plain, WireError, WrongKey

#: The messages' classes are made at run time: no types are known of them.
pb: Any = api_pb2
Message = Any
VERSION = "2026.6.5"
UPTIME = "uptime"
#: Numbers of the messages, as the protocol has them.
_NUMBERS: dict[Any, int] = {
    pb.HelloResponse: 2,
    pb.AuthenticationResponse: 4,
    pb.DisconnectResponse: 6,
    pb.PingResponse: 8,
    pb.DeviceInfoResponse: 10,
    pb.ListEntitiesBinarySensorResponse: 12,
    pb.ListEntitiesFanResponse: 14,
    pb.ListEntitiesSensorResponse: 16,
    pb.ListEntitiesSwitchResponse: 17,
    pb.ListEntitiesTextSensorResponse: 18,
    pb.ListEntitiesDoneResponse: 19,
    pb.BinarySensorStateResponse: 21,
    pb.FanStateResponse: 23,
    pb.SensorStateResponse: 25,
    pb.SwitchStateResponse: 26,
    pb.TextSensorStateResponse: 27,
    pb.ListEntitiesSirenResponse: 55,
    pb.SirenStateResponse: 56,
    pb.BluetoothLERawAdvertisementsResponse: 93,
}
_HELLO, _LOGIN, _DISCONNECT, _PING, _INFO, _LIST, _STATES = 1, 3, 5, 7, 9, 11, 20
_FAN, _SWITCH, _SIREN, _ADVERTS = 31, 33, 57, 66
_COMMANDS: dict[int, Any] = {
    _FAN: pb.FanCommandRequest,
    _SWITCH: pb.SwitchCommandRequest,
    _SIREN: pb.SirenCommandRequest,
}
_LISTED: dict[str, tuple[Any, Any]] = {
    "sensor": (pb.ListEntitiesSensorResponse, pb.SensorStateResponse),
    "binary": (pb.ListEntitiesBinarySensorResponse, pb.BinarySensorStateResponse),
    "text": (pb.ListEntitiesTextSensorResponse, pb.TextSensorStateResponse),
    "switch": (pb.ListEntitiesSwitchResponse, pb.SwitchStateResponse),
    "siren": (pb.ListEntitiesSirenResponse, pb.SirenStateResponse),
    "fan": (pb.ListEntitiesFanResponse, pb.FanStateResponse),
}
_OUTPUTS = ("switch", "siren", "fan")


class SimulatedEntity:
    """One entity: its type, key and value; None is 'missing'."""

    def __init__(self, uid: str, kind: str, key: int, unit: str) -> None:
        self.uid, self.kind, self.key, self.unit = uid, kind, key, unit
        self.value: Any = {"sensor": 0.0, "text": ""}.get(kind, False)

    def listed(self) -> Message:
        """Return how the node lists it."""
        found = _LISTED[self.kind][0]()
        found.object_id = found.name = self.uid
        found.key = self.key
        if self.kind == "sensor":
            found.unit_of_measurement = self.unit
        return found

    def state(self) -> Message:
        """Return what the node says of it."""
        found = _LISTED[self.kind][1]()
        found.key = self.key
        if self.value is None:
            if self.kind == "sensor":
                found.state = float("nan")
            else:
                found.missing_state = True
        else:
            found.state = self.value
        return found


def _kind(said: Mapping[str, Any]) -> str:
    """Return the type of entity that the driver's options would be about."""
    if "output" in said:
        kind = str(said["output"]["kind"])
        return kind if kind in ("siren", "fan") else "switch"
    if said.get("kind") == "binary" or "event" in said:
        return "binary"
    return "text" if said.get("quantity") == "text" else "sensor"


class SimulatedNode:
    """Serve the native API on a port, as one node does."""

    def __init__(
        self,
        said: Mapping[str, Any],
        key: str | None,
        timer: AsyncClock,
        say: Callable[[dict[str, Any]], None],
    ) -> None:
        self.said, self.mac, self.key = said, str(said["mac"]), key
        self.name = "node-" + self.mac.replace(":", "")[-6:].lower()
        self.faults: dict[str, Any] = {}
        self.timer, self._say = timer, say
        self.port: int = said["port"]
        self.entities: dict[str, SimulatedEntity] = {}
        wanted = {**said["entities"], UPTIME: {"kind": "sensor", "unit": "s"}}
        for number, (uid, each) in enumerate(wanted.items(), start=1):
            self.entities[uid] = SimulatedEntity(
                uid, _kind(each), number, each.get("unit", "")
            )
        self._server: asyncio.Server | None = None
        self._open: set[Connection] = set()
        self._beats = 0

    async def start(self) -> None:
        """Listen; a second start changes nothing."""
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(
                lambda: Connection(self, self._open), self.said["host"], self.port
            )
            self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Stop listening and cut all connections."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self.drop()

    def drop(self) -> None:
        """Cut all connections, without a word."""
        for connection in list(self._open):
            connection.cut()

    def put(self, uid: str, value: Any) -> None:
        """Let an entity have a value, and say so."""
        entity = self.entities[uid]
        if entity.kind == "sensor" and value is not None:
            value = float(value)
        entity.value = value
        if not self.faults.get("frozen"):
            self.publish(entity)

    def tick(self) -> None:
        """Say what sensors say at each of their intervals; the uptime moves."""
        if self.faults.get("frozen"):
            return
        self._beats += 1
        self.entities[UPTIME].value = float(self._beats)
        for entity in self.entities.values():
            if entity.kind == "sensor":
                self.publish(entity)

    def publish(self, entity: SimulatedEntity) -> None:
        """Tell every subscriber an entity's state."""
        for connection in list(self._open):
            if connection.subscribed:
                connection.send(entity.state())

    def advertise(self, address: int, rssi: int, data: bytes) -> None:
        """Relay a Bluetooth advertisement, as a node that is a proxy does."""
        advert = pb.BluetoothLERawAdvertisement(address=address, rssi=rssi, data=data)
        found = pb.BluetoothLERawAdvertisementsResponse(advertisements=[advert])
        for connection in list(self._open):
            if connection.relaying:
                connection.send(found)

    def command(self, kind: int, body: bytes) -> None:
        """Carry out a command: the output does it and says so."""
        asked = _COMMANDS[kind].FromString(body)
        for entity in self.entities.values():
            if entity.key != asked.key or entity.kind not in _OUTPUTS:
                continue
            if kind != _SWITCH and not asked.has_state:
                continue
            entity.value = bool(asked.state)
            told = {"device": self.mac, "entity": entity.uid, "value": entity.value}
            self._say({"event": "output", **told})
            self.publish(entity)

    def info(self) -> Message:
        """Return who the node says that it is."""
        return pb.DeviceInfoResponse(
            name=self.name,
            mac_address=self.mac,
            esphome_version=VERSION,
            model="simulated",
            manufacturer="Safehold",
            friendly_name=self.said.get("name", self.name),
            api_encryption_supported=self.key is not None,
            bluetooth_proxy_feature_flags=1 | 1 << 5,
        )


class Connection(asyncio.Protocol):
    """Speak to one client."""

    def __init__(self, node: SimulatedNode, others: "set[Connection]") -> None:
        self._node, self._others = node, others
        self._wire: Plain | Noise = (
            Plain() if node.key is None else Noise(node.key, node.name, node.mac)
        )
        self._transport: asyncio.Transport | None = None
        self._late: set[asyncio.TimerHandle] = set()
        self.subscribed = self.relaying = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP server
        self._transport = transport
        self._others.add(self)

    def connection_lost(self, _exc: Exception | None) -> None:
        """End."""
        self._others.discard(self)
        for handle in self._late:
            handle.cancel()

    def cut(self) -> None:
        """End without a word."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Answer what the client says."""
        try:
            messages, answer = self._wire.receive(data)
            self._write(answer)
            for kind, body in messages:
                self._answer(kind, body)
        except WrongKey as wrong:
            self._write(wrong.answer)
            if self._transport is not None:
                self._transport.close()
        except (WireError, DecodeError, KeyError):
            self.cut()

    def _answer(self, kind: int, body: bytes) -> None:
        node = self._node
        if kind == _HELLO:
            self.send(
                pb.HelloResponse(
                    api_version_major=1,
                    api_version_minor=10,
                    server_info=f"simulated (esphome v{VERSION})",
                    name=node.name,
                )
            )
        elif kind == _LIST:
            for entity in node.entities.values():
                self.send(entity.listed())
            self.send(pb.ListEntitiesDoneResponse())
        elif kind == _STATES:
            self.subscribed = True
            for entity in node.entities.values():
                self.send(entity.state())
        elif kind == _ADVERTS:
            self.relaying = True
        elif kind in _COMMANDS:
            node.command(kind, body)
        else:
            self._plainly(kind)

    def _plainly(self, kind: int) -> None:
        """Answer what needs no more than its name."""
        answers: dict[int, Callable[[], Message]] = {
            _LOGIN: pb.AuthenticationResponse,
            _PING: pb.PingResponse,
            _DISCONNECT: pb.DisconnectResponse,
            _INFO: self._node.info,
        }
        if kind in answers:
            self.send(answers[kind]())

    def send(self, message: Message) -> None:
        """Send one message."""
        if getattr(self._wire, "ready", True):
            body = message.SerializeToString()
            self._write(self._wire.frame(_NUMBERS[type(message)], body))

    def _write(self, data: bytes) -> None:
        """Send bytes with what is wrong with the line."""
        faults, node = self._node.faults, self._node
        if not data or faults.get("silent"):
            return
        if faults.get("slow"):
            self._late.add(
                node.timer.call_later(float(faults["slow"]), lambda: self._out(data))
            )
            return
        if faults.get("garbage"):
            data = b"\xa5" + os.urandom(len(data))
        if faults.get("half"):
            self._out(data[: max(1, len(data) // 2)])
            if self._transport is not None:
                self._transport.close()
            return
        self._out(data)
        if faults.get("replay"):
            self._out(data)

    def _out(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
