"""What ONVIF's answers say, as typed values; pure functions of an element."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from xml.etree.ElementTree import Element

from integrations.camera import soap
from integrations.camera.soap import SoapError, child, every, find, words

MAX_PROFILES = 32
MAX_NOTICES = 256
_MAX_ITEMS = 16


class Info(NamedTuple):
    """Say who made a camera, and which one it is."""

    manufacturer: str
    model: str
    serial: str
    firmware: str


class Profile(NamedTuple):
    """Name one stream of a camera."""

    token: str
    width: int
    height: int


class Subscription(NamedTuple):
    """Hold a pull point: its address, and the headers that it wants back."""

    address: str
    headers: str


class Notice(NamedTuple):
    """Hold one event: topic without prefixes, operation, source and data items."""

    topic: str
    operation: str
    source: Mapping[str, str]
    data: Mapping[str, str]


def wall(body: Element) -> int:
    """Return a camera's UTC time in nanoseconds; raises SoapError."""
    utc = find(body, "UTCDateTime")
    if utc is None:
        raise SoapError("no UTC time")
    names = ("Year", "Month", "Day", "Hour", "Minute", "Second")
    try:
        year, month, day, hour, minute, second = (
            int(words(find(utc, name))) for name in names
        )
        # A leap second is told as 60.
        moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
        return int(moment.timestamp()) * 1_000_000_000
    except (ValueError, OverflowError) as error:
        raise SoapError("no UTC time") from error


def info(body: Element) -> Info:
    """Return who a camera is; raises SoapError without a serial number."""
    serial = words(find(body, "SerialNumber"))
    if not serial:
        raise SoapError("no serial number")
    return Info(
        words(find(body, "Manufacturer")),
        words(find(body, "Model")),
        serial,
        words(find(body, "FirmwareVersion")),
    )


def services(body: Element) -> dict[str, str]:
    """Return the addresses of services by name space."""
    found = {}
    for service in list(every(body, "Service"))[:64]:
        place = words(find(service, "XAddr"))
        if place:
            found[words(find(service, "Namespace"))] = place
    return found


def capabilities(body: Element) -> dict[str, str]:
    """Return the same from a camera too old for GetServices."""
    found = {}
    for name, space in (("Media", soap.MEDIA), ("Events", soap.EVENTS)):
        part = find(body, name)
        place = words(find(part, "XAddr")) if part is not None else ""
        if place:
            found[space] = place
    return found


def profiles(body: Element) -> list[Profile]:
    """Return the streams in the camera's order; raises SoapError for none."""
    found = []
    for each in list(every(body, "Profiles"))[:MAX_PROFILES]:
        token = each.get("token", "")[: soap.MAX_TEXT]
        size = find(each, "Resolution")
        width = _whole(find(size, "Width")) if size is not None else 0
        height = _whole(find(size, "Height")) if size is not None else 0
        if token:
            found.append(Profile(token, width, height))
    if not found:
        raise SoapError("no profile")
    return found


def uri(body: Element) -> str:
    """Return a stream's or snapshot's address; raises SoapError."""
    found = words(find(body, "Uri"))
    if not found:
        raise SoapError("no Uri")
    return found


def subscription(body: Element) -> Subscription:
    """Return a new pull point; raises SoapError."""
    reference = find(body, "SubscriptionReference")
    place = words(find(reference, "Address")) if reference is not None else ""
    if reference is None or not place:
        raise SoapError("no SubscriptionReference")
    kept = find(reference, "ReferenceParameters")
    headers = "".join(map(soap.raw, list(kept)[:8])) if kept is not None else ""
    if len(headers) > 4_000:
        raise SoapError("reference parameters too long")
    return Subscription(place, headers)


def notices(body: Element) -> list[Notice]:
    """Return the events of one pull, oldest first; what is none is left out."""
    found = []
    for each in list(every(body, "NotificationMessage"))[:MAX_NOTICES]:
        topic, message = words(find(each, "Topic")), None
        outer = child(each, "Message")
        if outer is not None:
            message = next((m for m in every(outer, "Message") if m is not outer), None)
        if topic and message is not None:
            found.append(
                Notice(
                    "/".join(part.rpartition(":")[2] for part in topic.split("/")),
                    message.get("PropertyOperation", ""),
                    _items(child(message, "Source")),
                    _items(child(message, "Data")),
                )
            )
    return found


def read_notices(data: bytes) -> list[Notice]:
    """Return the events of a whole answer; raises SoapError."""
    return notices(soap.answer(data))


def read_info(data: bytes) -> Info:
    """Return who a whole answer says that a camera is; raises SoapError."""
    return info(soap.answer(data))


def recorded(body: Element) -> int:
    """Return until when a camera has recorded, by its own wall; raises SoapError."""
    until = soap.instant(words(find(body, "DataUntil")))
    if until is None:
        raise SoapError("no DataUntil")
    return until


def _items(part: Element | None) -> dict[str, str]:
    """Return simple items, and the attributes of an element item's content."""
    found: dict[str, str] = {}
    if part is None:
        return found
    for each in list(every(part, "SimpleItem"))[:_MAX_ITEMS]:
        found[each.get("Name", "")[:80]] = each.get("Value", "")[:80]
    for each in list(every(part, "ElementItem"))[:4]:
        for inner in list(each.iter())[1:_MAX_ITEMS]:
            for name, value in list(inner.attrib.items())[:_MAX_ITEMS]:
                found.setdefault(name.rpartition("}")[2][:80], value[:80])
    return found


def _whole(element: Element | None) -> int:
    text = words(element)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
