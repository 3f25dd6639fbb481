"""A simulated Bluetooth sensor: BTHome v2 packets, made by the parser's inverse."""

import os
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from integrations.ble.objects import KINDS, Kind

_INFO, _ENCRYPTED = 0x40, 0x01


def _table() -> dict[str, Kind]:
    """Return for each uid the widest object that can carry it."""
    found: dict[str, Kind] = {}
    for kind in KINDS.values():
        held = found.get(kind.uid)
        if held is None or _reach(kind) > _reach(held):
            found[kind.uid] = kind
    return found


def _reach(kind: Kind) -> float:
    return float(kind.size * 256**kind.size * kind.factor)


TABLE = _table()


def encode(kind: Kind, value: Any) -> bytes:
    """Return one object; raises ValueError or OverflowError for what does not fit."""
    if kind.form in ("text", "raw"):
        body = value.encode() if kind.form == "text" else bytes.fromhex(value)
        return bytes((kind.number, len(body))) + body
    if kind.binary:
        return bytes((kind.number, int(bool(value))))
    raw = round(float(value) / kind.factor)
    return bytes((kind.number,)) + raw.to_bytes(kind.size, "little", signed=kind.signed)


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
        kind = TABLE[uid]
        scale = self.said["entities"].get(uid, {}).get("scale", 1.0)
        if not isinstance(value, bool | str):
            value = value / scale
        encode(kind, value)
        self._before = getattr(self, "_last", b"")
        self.values[uid] = value

    def press(self, kind: str) -> None:
        """Let the next packet tell of the button whose event this is."""
        for told, wanted in self.said["events"].items():
            button, _, what = told.partition(":")
            if wanted == kind and button == "button":
                words = TABLE[button].words or {}
                number = next(
                    n for n, word in words.items() if word == what or not what
                )
                self._press = bytes((TABLE[button].number, number))
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
            kind = TABLE[uid]
            objects[kind.number] = encode(kind, value)
        if press:
            objects[press[0]] = press
        return service_data(packet(objects), self.uid, self.key, self._counter)
