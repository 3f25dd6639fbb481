"""Words of a Sewio RTLS Studio: feeds with datastreams, values as padded strings."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from integrations.positioning.model import Sighting, UnreadableError, number, place

MAX_STREAMS = 100
#: Feeds of one REST answer.
MAX_FEEDS = 2_000
_Text = str | int | float | None


class _Stream(msgspec.Struct):
    id: str
    value: _Text = msgspec.field(default=None, name="current_value")
    at: str | None = None


class _Feed(msgspec.Struct):
    id: str | int = ""
    title: str | None = None
    alias: str | None = None
    type: str | None = None
    streams: list[_Stream] = msgspec.field(
        default_factory=list[_Stream], name="datastreams"
    )


class _Push(msgspec.Struct):
    body: _Feed | None = None
    resource: str = ""
    error: Any = None


class _Answer(_Feed):
    """One feed, or a mapping that wraps all of them."""

    results: list[_Feed] | None = None


_push = msgspec.json.Decoder(_Push).decode
_answer = msgspec.json.Decoder(list[_Feed] | _Answer).decode


def subscription(feed: str, key: str) -> str:
    """Return the message that asks for a feed's changes ('' for all feeds)."""
    told = {
        "headers": {"X-ApiKey": key},
        "method": "subscribe",
        "resource": f"/feeds/{feed}",
    }
    return msgspec.json.encode(told).decode()


def push(payload: bytes | str) -> Sighting | None:
    """Read one pushed message; None for what tells of no feed (zones, replies).

    Raises UnreadableError.
    """
    told: _Push = _decoded(_push, payload)
    if told.body is None or not told.body.streams:
        return None
    feed = told.body
    if feed.id == "":
        feed.id = told.resource.rsplit("/", 1)[-1]
    return sighting(feed)


def feeds(payload: bytes | str) -> list[Sighting]:
    """Read the answer of the REST interface; raises UnreadableError."""
    told = _decoded(_answer, payload)
    found = told if isinstance(told, list) else told.results
    if found is None:
        found = [told]
    if len(found) > MAX_FEEDS:
        raise UnreadableError(f"{len(found)} feeds in one answer")
    return [sighting(each) for each in found if each.id != ""]


def _decoded(decode: Any, payload: bytes | str) -> Any:
    try:
        return decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableError(f"feed: {error}"[:200]) from None


def sighting(feed: _Feed) -> Sighting:
    """Return what a feed tells; raises UnreadableError."""
    name = str(feed.id).strip()
    if not 0 < len(name) <= 40 or not name.isalnum() or not name.isascii():
        raise UnreadableError(f"feed id {name!r:.60}")
    if len(feed.streams) > MAX_STREAMS:
        raise UnreadableError(f"{len(feed.streams)} datastreams in feed {name}")
    told = {each.id: each for each in feed.streams}
    x, y = told.get("posX"), told.get("posY")
    at, stamp = None, None
    if x is not None and y is not None:
        z = told.get("posZ")
        at = place(_clean(x.value), _clean(y.value), _clean(z.value) if z else 0.0)
        stamp = _utc(x.at)
    label = feed.alias or feed.title or ""
    return Sighting(
        node=name,
        at=at,
        located=x is not None and y is not None,
        stamp_s=stamp,
        radius_m=_radius(told.get("clr")),
        battery=_percent(told.get("battery_level")),
        label=label[:80],
        is_anchor=(feed.type or "").lower() == "anchor",
    )


def _clean(value: _Text) -> object:
    return value.strip() if isinstance(value, str) else value


def _radius(told: _Stream | None) -> float | None:
    """Return the confidence radius; 0 is 'not computed', as the maker's tags show."""
    if told is None or told.value is None:
        return None
    found = number(_clean(told.value), "clr")
    return found if found is not None and found > 0 else None


def _percent(told: _Stream | None) -> float | None:
    if told is None or told.value is None:
        return None
    found = number(str(told.value).strip().rstrip("%"), "battery_level")
    return found if found is not None and 0 <= found <= 100 else None


def _utc(text: str | None) -> float | None:
    """Return seconds since 1970 of ``2016-10-18 14:16:56.365``, which is UTC."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UnreadableError(f"at {text!r:.40} is no date and time") from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    return found.timestamp()
