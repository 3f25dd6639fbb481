"""Advertisements as each source tells them → one shape; pure, bounded.

Source: Bluetooth Core Supplement part A 1 (AD structures).
"""

import re
from typing import Annotated, NamedTuple

import msgspec

BTHOME = "fcd2"
#: Longest advertisement of Bluetooth 5, and what a gateway's line may have.
MAX_DATA, MAX_LINE = 1650, 16_384
_NAMES, _SERVICE_16 = (0x08, 0x09), 0x16
_BASE = re.compile(r"0000([0-9a-f]{4})-0000-1000-8000-00805f9b34fb")


class AdvertError(ValueError):
    """What was told is no advertisement; ``reason`` is its code."""

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(message or reason)
        self.reason = reason


class Advert(NamedTuple):
    """Hold one advertisement of one device."""

    address: str
    service: bytes
    """BTHome's service data; empty when it has none."""
    name: str = ""
    rssi: int = 0


class _Line(msgspec.Struct, forbid_unknown_fields=False):
    """Hold one line of a gateway's feed, as docs/ble.md describes it."""

    address: Annotated[str, msgspec.Meta(max_length=40)]
    data: Annotated[str, msgspec.Meta(max_length=2 * MAX_DATA)] = ""
    service_data: Annotated[
        dict[
            Annotated[str, msgspec.Meta(max_length=40)],
            Annotated[str, msgspec.Meta(max_length=2 * MAX_DATA)],
        ],
        msgspec.Meta(max_length=20),
    ] = {}
    name: Annotated[str, msgspec.Meta(max_length=200)] = ""
    rssi: Annotated[int, msgspec.Meta(ge=-200, le=100)] = 0


_decode = msgspec.json.Decoder(_Line).decode


def mac(text: str) -> str:
    """Return a hardware address as AA:BB:CC:DD:EE:FF; raises AdvertError."""
    plain = re.sub(r"[:\-.\s]", "", text).upper()
    if not re.fullmatch(r"[0-9A-F]{12}", plain):
        raise AdvertError("ble.bad_frame", f"{text[:40]!r} is no address")
    return ":".join(plain[i : i + 2] for i in range(0, 12, 2))


def line(text: bytes) -> Advert:
    """Return the advertisement of a feed's line; raises AdvertError."""
    if len(text) > MAX_LINE:
        raise AdvertError("ble.bad_frame", "a line too long")
    try:
        said = _decode(text)
        raw = bytes.fromhex(said.data)
        data = {_uuid(k): bytes.fromhex(v) for k, v in said.service_data.items()}
    except (msgspec.MsgspecError, ValueError, RecursionError) as wrong:
        raise AdvertError("ble.bad_frame", str(wrong)[:200]) from wrong
    address = mac(said.address)
    if raw:
        found = structures(address, raw, said.rssi)
        return found._replace(name=found.name or said.name)
    return Advert(address, data.get(BTHOME, b""), said.name, said.rssi)


def _uuid(text: str) -> str:
    """Return a service's short number where it has one."""
    low = text.lower()
    found = _BASE.fullmatch(low)
    return found[1] if found else low


def of_bleak(
    address: str, data: dict[str, bytes], name: str | None, rssi: int
) -> Advert:
    """Return what BlueZ heard; raises AdvertError."""
    short = {_uuid(uuid): bytes(value) for uuid, value in data.items()}
    return Advert(mac(address), short.get(BTHOME, b""), (name or "")[:200], rssi)


def of_proxy(address: int, data: bytes, rssi: int) -> Advert:
    """Return what an ESPHome proxy heard; raises AdvertError."""
    if not 0 < address < 1 << 48:
        raise AdvertError("ble.bad_frame", f"{address} is no address")
    return structures(mac(f"{address:012X}"), data, rssi)


def structures(address: str, data: bytes, rssi: int = 0) -> Advert:
    """Return what the AD structures of a packet say; raises AdvertError."""
    if len(data) > MAX_DATA:
        raise AdvertError("ble.bad_frame", "an advertisement too long")
    service, name, at = b"", "", 0
    while at < len(data) and data[at]:
        size = data[at]
        kind, body = data[at + 1 : at + 2], data[at + 2 : at + 1 + size]
        if len(body) != size - 1 or not kind:
            raise AdvertError("ble.bad_frame", "a structure longer than its packet")
        if kind[0] == _SERVICE_16 and body[:2] == b"\xd2\xfc":
            service = body[2:]
        elif kind[0] in _NAMES:
            name = body.decode("utf-8", "replace")[:200]
        at += 1 + size
    return Advert(address, service, name, rssi)
