"""Words of a Pozyx server: arrays of tag updates on the topic ``tags``, millimetres."""

import msgspec

from integrations.positioning.model import (
    MAX_RANGES,
    Point,
    Sighting,
    UnreadableError,
    place,
)

#: Updates in one packet; the cloud batches them, the local server does not.
MAX_TAGS = 256
_MM = 0.001
_Number = float | str | None


class _Coordinates(msgspec.Struct):
    x: _Number = None
    y: _Number = None
    z: _Number = None


class _Rates(msgspec.Struct):
    packet_loss: float | None = msgspec.field(default=None, name="packetLoss")


class _Metrics(msgspec.Struct):
    rates: _Rates | None = None


class _TagData(msgspec.Struct):
    battery: float | None = msgspec.field(default=None, name="batteryLevel")


class _AnchorData(msgspec.Struct):
    anchor: str | int = msgspec.field(default="", name="anchorId")


class _Data(msgspec.Struct):
    coordinates: _Coordinates | None = None
    metrics: _Metrics | None = None
    tag_data: _TagData | None = msgspec.field(default=None, name="tagData")
    anchors: list[_AnchorData] = msgspec.field(
        default_factory=list[_AnchorData], name="anchorData"
    )


class _Update(msgspec.Struct):
    tag: str | int = msgspec.field(name="tagId")
    timestamp: float | None = None
    success: bool = False
    data: _Data | None = None


_decode = msgspec.json.Decoder(list[_Update] | _Update).decode


def message(payload: bytes) -> list[Sighting]:
    """Read one packet; raises UnreadableError."""
    try:
        told = _decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableError(f"tags: {error}"[:200]) from None
    updates = told if isinstance(told, list) else [told]
    if len(updates) > MAX_TAGS:
        raise UnreadableError(f"{len(updates)} updates in one packet")
    return [_sighting(each) for each in updates]


def _sighting(told: _Update) -> Sighting:
    name = str(told.tag)
    if not 0 < len(name) <= 40 or not name.isascii() or not name.isprintable():
        raise UnreadableError(f"tagId {name!r:.60}")
    data = told.data or _Data()
    loss = None
    if data.metrics is not None and data.metrics.rates is not None:
        loss = data.metrics.rates.packet_loss
    if loss is not None:
        loss = round(100 * loss, 1) if 0 <= loss <= 1 else None
    battery = data.tag_data.battery if data.tag_data is not None else None
    return Sighting(
        node=name,
        at=_place(data.coordinates) if told.success else None,
        stamp_s=told.timestamp,
        battery=battery if battery is not None and 0 <= battery <= 100 else None,
        loss=loss,
        heard=tuple(str(each.anchor)[:40] for each in data.anchors[:MAX_RANGES]),
    )


def _place(told: _Coordinates | None) -> Point | None:
    if told is None or told.x is None or told.y is None:
        return None
    at = place(told.x, told.y, told.z if told.z is not None else 0.0)
    return None if at is None else (at[0] * _MM, at[1] * _MM, at[2] * _MM)
