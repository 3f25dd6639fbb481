"""From a topic's payload to readings: one decode, a precompiled list of points.

This is the path of every reading, so a route does what it must and no more: the
JSON is decoded once, each point is a few keys, a check and a report.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from core.api import Entity, Host, Quality, Value
from integrations.mqtt.templates import (
    Extract,
    SilentError,
    TemplateError,
    text_of,
    walk,
)

GOOD = int(Quality.GOOD)
UNCERTAIN = int(Quality.UNCERTAIN)
FAULT = int(Quality.FAULT)
NOT_PRESENT = int(Quality.NOT_PRESENT)
#: What a device may say instead of a value.
NO_VALUE = frozenset({"None", "none", "null", "unknown", "unavailable"})
MAX_TEXT = 256
#: Payloads beyond it are counted and dropped.
MAX_PAYLOAD = 262_144
MAX_SAID = 64
_BIG = 1e300
_EXACT = 1 << 53

#: Judge what a template gave: value, quality, reason code.
Convert = Callable[[Any], tuple[Value, int, str]]


def number(raw: Any) -> tuple[Value, int, str]:
    """Return a finite float; anything else is a FAULT, never a value."""
    if isinstance(raw, str):
        if raw in NO_VALUE:
            return None, NOT_PRESENT, "mqtt.none"
        try:
            raw = float(raw)
        except ValueError:
            return None, FAULT, "mqtt.not_a_number"
    if raw is None:
        return None, NOT_PRESENT, "mqtt.none"
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return None, FAULT, "mqtt.not_a_number"
    if not -_BIG < raw < _BIG:
        return None, FAULT, "mqtt.not_a_number"
    return float(raw), GOOD, ""


def text(raw: Any) -> tuple[Value, int, str]:
    """Return a short text, or the JSON number as it is."""
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return number(raw)
    if raw is None or (isinstance(raw, str) and raw in NO_VALUE):
        return None, NOT_PRESENT, "mqtt.none"
    return text_of(raw)[:MAX_TEXT], GOOD, ""


def switched(on: str, off: str) -> Convert:
    """Return the judge of a two-state payload."""
    table: dict[str, tuple[Value, int, str]] = {
        on: (True, GOOD, ""),
        off: (False, GOOD, ""),
    }

    def judge(raw: Any) -> tuple[Value, int, str]:
        said = text_of(raw)
        if said in table:
            return table[said]
        if said in NO_VALUE:
            return None, NOT_PRESENT, "mqtt.none"
        return None, FAULT, "mqtt.unmapped"

    return judge


@dataclass(slots=True, eq=False)
class Point:
    """One entity's state within one topic's payload."""

    device_uid: str
    entity: Entity
    handle: int
    extract: Extract
    convert: Convert
    path: tuple[str | int, ...] | None = None
    plain: bool = False
    """A plain number at one key of an object: the quick way."""
    cap: int = GOOD
    """Best quality that availability allows, and why not GOOD."""
    why: str = ""
    last: Value = None
    own: int = NOT_PRESENT
    """Quality of the last value by itself, before the cap."""
    watch: Callable[[Value, bool], None] | None = None
    """Hears (value, live) of outputs: the read-back of commands."""

    def __post_init__(self) -> None:
        self.path = self.extract.path
        self.plain = (
            self.path is not None
            and len(self.path) == 1
            and self.convert is number
            and self.watch is None
        )


@dataclass(slots=True, eq=False)
class Trigger:
    """A discrete event in a topic's payload; ``take`` returns it, or None."""

    device_uid: str
    take: Callable[[str, Any, bool], "Event | None"]


@dataclass(slots=True, frozen=True)
class Event:
    """A discrete event as the device tells it; '' as id when it gives none."""

    kind: str
    params: dict[str, Value]
    id: str


class Hearing(Protocol):
    """What knows a topic's messages in time; `line.Line` does."""

    def hear(self, data: Any, doubt: str) -> bool:
        """Take a message; say whether it is new."""

    def close(self) -> None:
        """Stop its clocks."""


#: Hears what an extract took and the message's doubt; used by availability.
Listener = Callable[[str, str], None]


@dataclass(slots=True, eq=False)
class Route:
    """All that one topic feeds."""

    topic: str
    host: Host
    points: list[Point] = field(default_factory=list)
    triggers: list[Trigger] = field(default_factory=list)
    listeners: list[tuple[Extract, Listener]] = field(default_factory=list)
    line: Hearing | None = None
    bad: bytes = b""
    """The last payload that gave no value, for the device's page."""
    said: bytes = b""
    """The last short payload: who comes later to an availability topic reads it."""
    count: int = 0
    _keys: tuple[tuple[Any, Point], ...] = ()
    _slow: tuple[Point, ...] = ()
    _json: bool = False
    _hear: Callable[[Any, str], bool] = lambda _data, _doubt: True

    def arrange(self) -> None:
        """Sort points into quick and slow; call it after each change."""
        self._keys = tuple((p.path[0], p) for p in self.points if p.plain and p.path)
        self._slow = tuple(p for p in self.points if not p.plain)
        if self.line is not None:
            self._hear = self.line.hear
        self._json = (
            any(p.extract.json for p in self.points)
            or any(extract.json for extract, _ in self.listeners)
            or bool(self.triggers)
            or self.line is not None
        )

    @property
    def empty(self) -> bool:
        """Say whether nobody needs this topic any more."""
        return not (self.points or self.triggers or self.listeners)

    def take(self, payload: bytes, doubt: str) -> "list[tuple[Trigger, Event]]":
        """Report what the payload says; return its discrete events.

        ``doubt`` is '' for a live message, else the code of why it proves
        nothing (retained, replayed from the broker's queue).
        """
        self.count += 1
        data: Any = None
        if self._json:
            try:
                data = _decode(payload)
            except _BAD_JSON:
                self._broken(payload)
                if not (self._slow or self.listeners):
                    return []
        if not self._hear(data, doubt):
            return []
        report = self.host.report
        if type(data) is dict:
            for key, point in self._keys:
                value: Any = data.get(key)
                kind = type(value)
                if (kind is float and -_BIG < value < _BIG) or (
                    kind is int and -_EXACT < value < _EXACT
                ):
                    cap = UNCERTAIN if doubt else point.cap
                    report(point.handle, value, cap, doubt or point.why)
                else:
                    self._judge(point, "", data, doubt, payload)
        elif self._keys and data is not None:
            self._broken(payload)
        if self._slow or self.listeners or self.triggers:
            return self._rest(payload, data, doubt)
        return []

    def _rest(
        self, payload: bytes, data: Any, doubt: str
    ) -> "list[tuple[Trigger, Event]]":
        said = payload.decode("utf-8", "replace")
        if len(payload) <= MAX_SAID:
            self.said = payload
        for extract, listener in self.listeners:
            try:
                if data is not None or not extract.json:
                    listener(text_of(extract.fn(said, data)), doubt)
            except (TemplateError, SilentError):
                self._note(payload)
        for point in self._slow:
            if data is not None or not point.extract.json:
                self._judge(point, said, data, doubt, payload)
        found = []
        for trigger in self.triggers:
            event = trigger.take(said, data, bool(doubt))
            if event is not None:
                found.append((trigger, event))
        return found

    def _judge(
        self, point: Point, said: str, data: Any, doubt: str, payload: bytes
    ) -> None:
        """Report one point by its template and judge."""
        cap, why = (UNCERTAIN, doubt) if doubt else (point.cap, point.why)
        live = not doubt
        extract = point.extract
        try:
            if point.path is not None:
                raw = walk(data, point.path)
            else:
                raw = extract.fn(said, data)
        except SilentError:
            return
        except TemplateError:
            if extract.assumed is None:
                self._fault(point, "mqtt.template", payload)
                return
            try:
                raw = extract.assumed(said, data)
            except TemplateError:
                self._fault(point, "mqtt.template", payload)
                return
            except SilentError:
                return
            # A template's default was not measured.
            cap, why = max(cap, UNCERTAIN), why or "mqtt.default"
            doubt = doubt or why
        value, quality, reason = point.convert(raw)
        if quality == FAULT:
            self._note(payload)
        point.last, point.own = value, UNCERTAIN if doubt else quality
        if quality < cap:
            quality, reason = cap, why
        self.host.report(point.handle, value, quality, reason)
        if point.watch is not None:
            point.watch(value, live)

    def _broken(self, payload: bytes) -> None:
        """The payload is not what the points need: no value, a fault each."""
        for point in self.points:
            if point.extract.json:
                self._fault(point, "mqtt.payload", payload)
        if not self.points:
            self._note(payload)

    def _fault(self, point: Point, reason: str, payload: bytes) -> None:
        self._note(payload)
        point.own = FAULT
        self.host.report(point.handle, None, FAULT, reason)

    def _note(self, payload: bytes) -> None:
        self.bad = payload[:512]
        self.host.count("mqtt.bad_payload", self.topic)


_decode = msgspec.json.Decoder().decode
_BAD_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def fingerprint(topic: str, payload: bytes) -> str:
    """Return a short name of one message's content, for events without an id."""
    return hashlib.sha256(topic.encode() + b"\0" + payload).hexdigest()[:20]
