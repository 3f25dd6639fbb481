"""Words of DWM1001 nodes: lines of the shell at the wire, topics of the gateway."""

import math
import re
from typing import Any

import msgspec

from integrations.positioning.model import (
    MAX_RANGES,
    Identity,
    Range,
    Sighting,
    UnreadableError,
    number,
    place,
)

#: A line of the shell is no longer than this; four ranges take some 150 bytes.
MAX_LINE = 512
_PROMPT = b"dwm>"
_ADDRESS = re.compile(rb"addr=x([0-9A-Fa-f]{4,16})\b")
_STREAM = re.compile(rb"^(DIST|POS|AN\d|-?\d+\.\d|[0-9A-F]{4}\[)")
_LES = re.compile(
    r"([0-9A-Fa-f]{4})\[(-?[\d.]+),(-?[\d.]+),(-?[\d.]+)\]=(-?[\d.]+)(?=\s|$)"
)
_EST = re.compile(r"est\[(-?[\d.]+),(-?[\d.]+),(-?[\d.]+),(\d+)\]")
#: The shell's own chatter: banner, log, echo of a command.
_CHATTER = re.compile(rb"^[\x20-\x7e\t]*$")


def short(node: str) -> str:
    """Return the 16 bits by which nodes call each other, in lower case."""
    return node[-4:].lower()


def line(data: bytes) -> Sighting | Identity | None:
    """Read one line of the shell; None for its chatter. Raises UnreadableError."""
    data = data.replace(b"\x00", b"").strip()
    while data.startswith(_PROMPT):
        data = data[len(_PROMPT) :].strip()
    if len(data) > MAX_LINE:
        raise UnreadableError("a line longer than any of the shell's")
    if not _CHATTER.match(data):
        raise UnreadableError("bytes that are no text")
    if not _STREAM.match(data):
        found = _ADDRESS.search(data)
        return Identity(short(found[1].decode())) if found else None
    text = data.decode("ascii")
    if text.startswith("DIST,"):
        return _dist(text, data)
    if text.startswith("POS,"):
        return _pos(text.split(",")[1:], (), data)
    if "[" in text and "=" in text:
        return _les(text, data)
    raise UnreadableError("the end of a line whose beginning was lost")


def _dist(text: str, raw: bytes) -> Sighting:
    """``DIST,n,AN0,id,x,y,z,d,…[,POS,x,y,z,qf]``."""
    parts = text.split(",")
    try:
        count = int(parts[1])
    except (IndexError, ValueError):
        raise UnreadableError("DIST without its count") from None
    end = 2 + 6 * count
    if not 0 <= count <= MAX_RANGES or len(parts) < end:
        raise UnreadableError(f"{count} anchors are told, and not all are there")
    ranges = []
    for index in range(count):
        name, node, *rest = parts[2 + 6 * index : 8 + 6 * index]
        if name != f"AN{index}" or not re.fullmatch("[0-9A-Fa-f]{4,16}", node):
            raise UnreadableError(f"anchor {index}: {name!r:.12}, {node!r:.20}")
        at, metres = place(*rest[:3]), number(rest[3], "range")
        if metres is not None and metres > 0:
            ranges.append(Range(short(node), metres, at))
    if len({each.anchor for each in ranges}) < len(ranges):
        raise UnreadableError("one anchor twice in a line")
    rest = parts[end:]
    if not rest:
        return Sighting(node="", ranges=tuple(ranges), raw=raw)
    if rest[0] != "POS":
        raise UnreadableError(f"{rest[0]!r:.12} where POS is due")
    return _pos(rest[1:], tuple(ranges), raw)


def _pos(parts: list[str], ranges: tuple[Range, ...], raw: bytes) -> Sighting:
    """``POS,x,y,z,qf``; of a listener ``POS,index,id,x,y,z,qf[,…]``."""
    node = ""
    if len(parts) >= 6 and re.fullmatch("[0-9A-Fa-f]{4}", parts[1]):
        node, parts = short(parts[1]), parts[2:6]
    if len(parts) != 4:
        raise UnreadableError(f"POS with {len(parts)} fields")
    quality = number(parts[3], "quality")
    if quality is None or not 0 <= quality <= 100:
        raise UnreadableError(f"quality {parts[3]!r:.12}")
    at = place(*parts[:3])
    return Sighting(node=node, at=at, ranges=ranges, quality=quality, raw=raw)


def _les(text: str, raw: bytes) -> Sighting:
    """``id[x,y,z]=d … le_us=n est[x,y,z,qf]``."""
    ranges = []
    for node, x, y, z, metres in _LES.findall(text):
        far = number(metres, "range")
        if far is not None and far > 0:
            ranges.append(Range(short(node), far, place(x, y, z)))
    told = len(re.findall(r"[0-9A-Fa-f]{4}\[", text))
    if not ranges or told != len(ranges) or told > MAX_RANGES:
        raise UnreadableError(f"{told} anchors are told, {len(ranges)} are readable")
    found = _EST.search(text)
    if found is None:
        return Sighting(node="", ranges=tuple(ranges), raw=raw)
    at, quality = place(*found.group(1, 2, 3)), number(found[4], "quality")
    return Sighting(node="", at=at, ranges=tuple(ranges), quality=quality, raw=raw)


# --- the gateway's topics ---------------------------------------------------------

_Number = float | str | None


class _Place(msgspec.Struct):
    x: _Number = None
    y: _Number = None
    z: _Number = None
    quality: float | None = None
    r95: float | None = None


class _Anchor(msgspec.Struct):
    position: _Place | None = None
    location: _Place | None = None


class _Configuration(msgspec.Struct, rename="camel"):
    label: str = ""
    node_type: str = ""
    anchor: _Anchor | None = None


class _Sensor(msgspec.Struct):
    batt: float | None = None


class _Payload(msgspec.Struct):
    position: _Place | None = None
    location: _Place | None = None
    counter: int | None = msgspec.field(default=None, name="superFrameNumber")
    timestamp: str | int | float | None = None
    present: bool | None = None
    batt: float | None = None
    sensor: _Sensor | None = None
    configuration: _Configuration | None = None
    label: str = ""
    anchor: _Anchor | None = None
    x: _Number = None
    y: _Number = None
    z: _Number = None
    quality: float | None = None
    r95: float | None = None


_TOPIC = re.compile(
    r"^.+?/(?:(?P<what>node|gateway)/(?P<id>[0-9A-Za-z]{2,20})/uplink"
    r"/(?P<word>location|status|config)"
    r"|node/uplink/(?P<leaps>location|status|config)/(?P<leaps_id>[0-9A-Za-z]{2,20}))$"
)
_decode = msgspec.json.Decoder(_Payload).decode


def filters(prefix: str) -> list[str]:
    """Return the topics of a gateway: with and without the network's number."""
    shapes = ("node/+/uplink/+", "node/uplink/+/+")
    found = [f"{prefix}/{lead}{shape}" for lead in ("", "+/") for shape in shapes]
    return [*found, f"{prefix}/gateway/+/uplink/status"]


def message(topic: str, payload: bytes) -> Sighting | None:
    """Read one message; None for topics of no concern. Raises UnreadableError."""
    found = _TOPIC.match(topic)
    if found is None:
        return None
    node = found["id"] or found["leaps_id"]
    word = found["word"] or found["leaps"]
    try:
        told = _decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableError(f"{topic[-60:]}: {error}"[:200]) from None
    if found["what"] == "gateway":
        if told.present is None or word != "status":
            return None
        return Sighting(node="", located=False, present=told.present)
    if word == "location":
        return _located(short(node), told)
    if word == "status":
        return _status(short(node), told)
    return _config(short(node), told)


def location(payload: bytes) -> Sighting | None:
    """Read a location as if it had come on its topic; raises UnreadableError."""
    return message("dwm/node/3b5c/uplink/location", payload)


def status(payload: bytes) -> Sighting | None:
    """Read a node's status as if it had come on its topic; raises UnreadableError."""
    return message("dwm/node/3b5c/uplink/status", payload)


def config(payload: bytes) -> Sighting | None:
    """Read a node's config as if it had come on its topic; raises UnreadableError."""
    return message("dwm/node/3b5c/uplink/config", payload)


def node_of(topic: str) -> str:
    """Return the node that a topic names; '' for none."""
    found = _TOPIC.match(topic)
    if found is None or found["what"] == "gateway":
        return ""
    return short(found["id"] or found["leaps_id"])


def _located(node: str, told: _Payload) -> Sighting:
    where: Any = told.position or told.location or told
    return Sighting(
        node=node,
        at=place(where.x, where.y, where.z) if where.x is not None else None,
        quality=_bounded(where.quality, 100),
        radius_m=_bounded(where.r95, 1e4),
        counter=told.counter,
        stamp_s=_stamp(told.timestamp),
    )


def _status(node: str, told: _Payload) -> Sighting:
    battery = told.batt if told.batt is not None else None
    if battery is None and told.sensor is not None:
        battery = told.sensor.batt
    if battery is not None and not 0 <= battery <= 100:
        battery = None  # some firmware tells millivolts: no share of anything
    return Sighting(node=node, located=False, present=told.present, battery=battery)


def _config(node: str, told: _Payload) -> Sighting:
    inner = told.configuration or _Configuration(label=told.label, anchor=told.anchor)
    anchor, at = inner.anchor, None
    kind = inner.node_type.upper()
    is_anchor = kind == "ANCHOR" or (not kind and anchor is not None)
    where = (anchor.position or anchor.location) if anchor and is_anchor else None
    if where is not None and where.x is not None:
        at = place(where.x, where.y, where.z)
    return Sighting(
        node=node, located=False, at=at, label=inner.label[:80], is_anchor=is_anchor
    )


def _bounded(value: float | None, most: float) -> float | None:
    return value if value is not None and 0 <= value <= most else None


def _stamp(value: str | int | float | None) -> float | None:
    """Return seconds of a stamp that is told in microseconds."""
    if value is None:
        return None
    try:
        found = float(value) / 1e6
    except (ValueError, OverflowError):
        raise UnreadableError(f"timestamp {value!r:.40}") from None
    return found if math.isfinite(found) else None
