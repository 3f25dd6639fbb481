"""A simulated Bluetooth sensor: BTHome v2 packets, made by the parser's inverse."""

import os
from collections.abc import Mapping
from typing import Any

from bthome_ble.const import MEAS_TYPES, MeasTypes
from bthome_ble.event import BUTTON_EVENTS, EventDeviceKeys
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from sensor_state_data.description import BaseBinarySensorDescription

from integrations.ble.bthome import name_of

_INFO, _ENCRYPTED = 0x40, 0x01


def _table() -> dict[str, tuple[int, MeasTypes]]:
    """Return for each uid the widest object that can carry it."""
    found: dict[str, tuple[int, MeasTypes]] = {}
    for number, kind in MEAS_TYPES.items():
        uid = name_of(kind)
        wide = kind.data_length * 256**kind.data_length * kind.factor
        held = found.get(uid)
        if held is None or wide > (
            held[1].data_length * 256 ** held[1].data_length * held[1].factor
        ):
            found[uid] = number, kind
    return found


TABLE = _table()


def encode(number: int, kind: MeasTypes, value: Any) -> bytes:
    """Return one object; raises ValueError or OverflowError for what does not fit."""
    if kind.data_format in ("string", "raw"):
        body = value.encode() if kind.data_format == "string" else bytes.fromhex(value)
        return bytes((number, len(body))) + body
    if isinstance(kind.meas_format, BaseBinarySensorDescription):
        return bytes((number, int(bool(value))))
    signed = kind.data_format == "signed_integer"
    raw = round(float(value) / kind.factor)
    return bytes((number,)) + raw.to_bytes(kind.data_length, "little", signed=signed)


def packet(objects: Mapping[int, bytes]) -> bytes:
    """Return the body of a packet: its objects in the order of their numbers."""
    return b"".join(objects[number] for number in sorted(objects))


def service_data(
    body: bytes, address: str, key: bytes | None, counter: int = 0
) -> bytes:
    """Return BTHome's service data, encrypted where there is a key."""
    if key is None:
        return bytes((_INFO,)) + body
    info = bytes((_INFO | _ENCRYPTED,))
    count = counter.to_bytes(4, "little")
    nonce = bytes.fromhex(address.replace(":", "")) + b"\xd2\xfc" + info + count
    sealed = AESCCM(key, 4).encrypt(nonce, body, None)
    return info + sealed[:-4] + count + sealed[-4:]


class SimulatedSensor:
    """Hold one sensor's values and make its advertisements."""

    def __init__(self, said: Mapping[str, Any], key: bytes | None) -> None:
        self.said, self.key = said, key
        self.uid: str = said["address"]
        self.faults: dict[str, Any] = {}
        self.values: dict[str, Any] = {}
        for uid, each in said["entities"].items():
            self.put(uid, False if each.get("kind") == "binary" else 0.0)
        self.period_s = said.get("every_s", 60.0) / 2
        self._packet_id = 0
        self._counter = 1000
        self._old = self._data(b"")
        self._last = self._old
        self._before = self._old
        self._press = b""

    def put(self, uid: str, value: Any) -> None:
        """Let an object have a value from the next packet on."""
        number, kind = TABLE[uid]
        scale = self.said["entities"].get(uid, {}).get("scale", 1.0)
        if not isinstance(value, bool | str):
            value = value / scale
        encode(number, kind, value)
        self._before = getattr(self, "_last", b"")
        self.values[uid] = value

    def press(self, kind: str) -> None:
        """Let the next packet tell of the button whose event this is."""
        for told, wanted in self.said["events"].items():
            button, _, what = told.partition(":")
            if wanted == kind and button == str(EventDeviceKeys.BUTTON):
                what = what or "press"
                number = next(n for n, word in BUTTON_EVENTS.items() if word == what)
                self._press = bytes((TABLE[button][0], number))
                return
        raise ValueError(f"{self.uid} knows no event {kind!r}")

    def advertise(self) -> bytes:
        """Return the service data of the next advertisement."""
        if self.faults.get("frozen"):
            return self._last
        if self.faults.get("replay"):
            return self._before or self._old
        self._packet_id = (self._packet_id + 1) % 256
        self._counter += 1
        press, self._press = self._press, b""
        self._last = self._data(press)
        if self.faults.get("garbage"):
            return os.urandom(len(self._last))
        if self.faults.get("half"):
            return self._last[: len(self._last) // 2]
        return self._last

    def _data(self, press: bytes) -> bytes:
        objects = {0: bytes((0, self._packet_id))}
        for uid, value in self.values.items():
            number, kind = TABLE[uid]
            objects[number] = encode(number, kind, value)
        if press:
            objects[press[0]] = press
        return service_data(packet(objects), self.uid, self.key, self._counter)
