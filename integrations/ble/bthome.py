"""BTHome v2 service data → objects; pure. Refuses what is cut, forged or downgraded.

What must not pass: half a packet, a packet in clear from a device with a key, a
counter that went back. Source: the format's description at bthome.io, version 2.
"""

from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from core.api import Value
from integrations.ble.advert import AdvertError, mac
from integrations.ble.objects import KINDS, Kind

MAX_OBJECTS, MAX_TEXT = 32, 256
KEY_BYTES = 16
_ENCRYPTED, _WITH_MAC, _TRIGGER = 1, 2, 4
_VERSION_2 = 2
_MIC, _COUNTER = 4, 4
_PACKET_ID = 0x00
_TIMESTAMP = 0x50


class Thing(NamedTuple):
    """Hold one measured object: its uid within the device, value and unit."""

    uid: str
    value: Value
    unit: str
    binary: bool


class Press(NamedTuple):
    """Hold one event: the device's button or knob, and what was done."""

    uid: str
    what: str


class Packet(NamedTuple):
    """Hold what one advertisement says."""

    things: tuple[Thing, ...]
    presses: tuple[Press, ...]
    packet_id: int | None
    counter: int | None
    """Of an encrypted packet: it must rise."""
    trigger: bool
    unknown: int | None
    """The first object id that nobody knows; what follows it cannot be read."""


def parse(data: bytes, address: str = "", key: bytes | None = None) -> Packet:
    """Return a packet's objects; raises AdvertError with the reason's code.

    ``address`` is who sent it and part of the cipher's nonce; ``key`` is the
    device's bind key: with one, a packet in clear is refused.
    """
    if len(data) < 2:
        raise AdvertError("ble.bad_frame", "no service data")
    info = data[0]
    if info >> 5 != _VERSION_2:
        raise AdvertError("ble.version", f"version {info >> 5}")
    body = data[1:]
    if info & _WITH_MAC:
        told = mac(body[:6][::-1].hex())
        if address and told != address:
            raise AdvertError("ble.other_device", told)
        address, body = told, body[6:]
    counter = None
    if info & _ENCRYPTED:
        body, counter = _opened(body, info, address, key)
    elif key is not None:
        raise AdvertError("ble.downgrade", "in clear from a device with a key")
    return _read(body, counter, bool(info & _TRIGGER))


def _opened(
    body: bytes, info: int, address: str, key: bytes | None
) -> tuple[bytes, int]:
    if key is None:
        raise AdvertError("ble.no_key", "it is encrypted; give its bind key")
    if len(body) <= _MIC + _COUNTER or not address:
        raise AdvertError("ble.bad_frame", "too short to be encrypted")
    text, counter = body[: -_MIC - _COUNTER], body[-_MIC - _COUNTER : -_MIC]
    sender = bytes.fromhex(address.replace(":", ""))
    nonce = sender + b"\xd2\xfc" + bytes((info,)) + counter
    try:
        plain = AESCCM(key, _MIC).decrypt(nonce, text + body[-_MIC:], None)
    except (InvalidTag, ValueError) as wrong:
        raise AdvertError("ble.key", "it was not made with this key") from wrong
    return plain, int.from_bytes(counter, "little")


def _read(body: bytes, counter: int | None, trigger: bool) -> Packet:
    found: list[tuple[Kind, bytes]] = []
    packet_id = unknown = None
    at = 0
    while at < len(body):
        kind = KINDS.get(body[at])
        if kind is None or len(found) >= MAX_OBJECTS:
            unknown = body[at]
            break
        raw, after = _cut(body, at, kind)
        if body[at] == _PACKET_ID:
            packet_id = raw[0]
        elif body[at] != _TIMESTAMP:
            found.append((kind, raw))
        at = after
    things, presses = _meanings(found)
    return Packet(things, presses, packet_id, counter, trigger, unknown)


def _cut(body: bytes, at: int, kind: Kind) -> tuple[bytes, int]:
    """Return one object's bytes and the place behind them; raises AdvertError."""
    start, size = at + 1, kind.size
    if not size:
        if start >= len(body):
            raise AdvertError("ble.bad_frame", "cut within an object")
        size = body[start]
        if kind.form == "command":
            size = 1 + (size & 0x1F)
        start += 1
    raw = body[start : start + size]
    if len(raw) != size or not raw:
        raise AdvertError("ble.bad_frame", "cut within an object")
    return raw, start + size


def _meanings(
    found: list[tuple[Kind, bytes]],
) -> tuple[tuple[Thing, ...], tuple[Press, ...]]:
    """Name each object; those that come twice are numbered in their order."""
    names = [kind.uid for kind, _ in found]
    counts: dict[str, int] = {}
    things: list[Thing] = []
    presses: list[Press] = []
    for (kind, raw), name in zip(found, names, strict=True):
        uid = name
        if names.count(name) > 1:
            counts[name] = counts.get(name, 0) + 1
            uid = f"{name}_{counts[name]}"
        if kind.words is not None:
            if raw[0] in kind.words:
                presses.append(Press(uid, kind.words[raw[0]]))
            continue
        value = bool(raw[0]) if kind.binary else _value(kind, raw)
        things.append(Thing(uid, value, kind.unit, kind.binary))
    return tuple(things), tuple(presses)


def _value(kind: Kind, raw: bytes) -> Value:
    if kind.form == "text":
        try:
            return raw.decode()[:MAX_TEXT]
        except UnicodeDecodeError:
            return None
    if kind.form == "raw":
        return raw.hex()[:MAX_TEXT]
    return kind.number_of(raw)
