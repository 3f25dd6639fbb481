"""Typed events: registration, versions, upcasters, unknown types."""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

import msgspec

from core.journal.envelope import Effect, Envelope


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all events; subclasses carry codes and parameters, never sentences."""

    name_: ClassVar[str] = ""
    version_: ClassVar[int] = 1
    effect_: ClassVar[Effect] = Effect.NEUTRAL

    def index_key(self) -> str:
        """Name what the event is about, for the index."""
        for field in ("alarm_id", "permit_id", "person_id", "device_id"):
            value = getattr(self, field, "")
            if value:
                return str(value)
        return ""

    def merge_key(self) -> str:
        """Name what a full backlog keeps the last event of; '' is none."""
        return self.index_key()


class Unknown(Event, frozen=True, kw_only=True):
    """Stand for an event that a newer release wrote.

    An unknown protective type holds its zone; an unknown permissive one
    grants nothing (design §5 Journal).
    """

    name: str
    zone_id: str | None = None


EventT = TypeVar("EventT", bound=Event)
Upcast = Callable[[dict[str, Any]], dict[str, Any]]

EVENTS: dict[str, type[Event]] = {}
_UPCASTS: dict[tuple[str, int], Upcast] = {}
_DECODERS: dict[str, "msgspec.msgpack.Decoder[Any]"] = {}
_encoder = msgspec.msgpack.Encoder()


def event(
    name: str, *, effect: Effect = Effect.NEUTRAL, version: int = 1
) -> Callable[[type[EventT]], type[EventT]]:
    """Register an event type under its stable name."""

    def register(cls: type[EventT]) -> type[EventT]:
        if name in EVENTS:
            raise ValueError(f"event type {name} is registered twice")
        cls.name_, cls.effect_, cls.version_ = name, effect, version
        EVENTS[name] = cls
        _DECODERS[name] = msgspec.msgpack.Decoder(cls)
        return cls

    return register


def upcast(name: str, from_version: int) -> Callable[[Upcast], Upcast]:
    """Register the pure step from ``from_version`` to the next one."""

    def register(step: Upcast) -> Upcast:
        _UPCASTS[name, from_version] = step
        return step

    return register


def about(field: str) -> list[type[Event]]:
    """Return the registered events that have a field, such as ``permit_id``."""
    return [kind for kind in EVENTS.values() if field in kind.__struct_fields__]


def encode_body(body: Event) -> msgspec.Raw:
    """Return the event's bytes for its envelope."""
    return msgspec.Raw(_encoder.encode(body))


def decode_body(envelope: Envelope) -> Event:
    """Return the typed event, upcast to today's version, or `Unknown`."""
    cls = EVENTS.get(envelope.type)
    if cls is None or envelope.version > cls.version_:
        return _unknown(envelope)
    if envelope.version == cls.version_:
        decoded: Event = _DECODERS[envelope.type].decode(envelope.body)
        return decoded
    fields = msgspec.msgpack.decode(envelope.body)
    for version in range(envelope.version, cls.version_):
        fields = _UPCASTS[envelope.type, version](fields)
    return msgspec.convert(fields, cls)


def _unknown(envelope: Envelope) -> Unknown:
    fields = msgspec.msgpack.decode(envelope.body)
    zone = fields.get("zone_id") if isinstance(fields, dict) else None
    return Unknown(name=envelope.type, zone_id=zone if isinstance(zone, str) else None)
