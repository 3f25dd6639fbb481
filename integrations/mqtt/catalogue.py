"""Hold the known devices: their routes, availability, and what was declared."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from core.api import Host, Value
from integrations.mqtt.line import Line, LineSpec
from integrations.mqtt.points import FAULT, GOOD, UNCERTAIN, Point, Route, Trigger
from integrations.mqtt.spec import CommandSpec, DeviceSpec, EntitySpec, Presence
from integrations.mqtt.templates import (
    WHOLE_TEXT,
    Extract,
    SilentError,
    TemplateError,
    text_of,
)

#: Devices beyond it are counted and not taken: a flood must not fill the memory.
MAX_DEVICES = 2_000
#: Announcements of one device come in a burst; it is declared once they are in.
SETTLE_S = 0.02


class Subscriber(Protocol):
    """What the catalogue asks of the broker link."""

    def subscribe(self, filters: Iterable[str]) -> None:
        """Add topic filters."""

    def unsubscribe(self, filters: Iterable[str]) -> None:
        """Drop topic filters."""


#: Hears every state of an output: device uid, entity uid, value, live.
Watch = Callable[[str, str, Value, bool], None]


@dataclass(slots=True, eq=False)
class Availability:
    """Combine an entity's availability topics and cap its reading's quality."""

    mode: str
    point: Point
    said: dict[int, bool] = field(default_factory=dict)
    wanted: int = 0
    here: bool | None = None
    points: list[Point] = field(default_factory=list)
    """All points of the entity, when they are more than one."""

    def hear(self, number: int, here: bool) -> bool:
        """Take one topic's word; say whether the entity's state changed."""
        self.said[number] = here
        before = self.here
        if self.mode == "latest":
            self.here = here
        elif self.mode == "any":
            some = any(self.said.values())
            self.here = True if some else self._complete(False)
        else:
            none = not all(self.said.values())
            self.here = False if none else self._complete(True)
        for point in self.points or [self.point]:
            if self.here is True:
                point.cap, point.why = GOOD, ""
            elif self.here is False:
                point.cap, point.why = UNCERTAIN, "mqtt.unavailable"
        return self.here is not before

    def _complete(self, verdict: bool) -> bool | None:
        return verdict if len(self.said) == self.wanted else None


@dataclass(slots=True, eq=False)
class _Live:
    """One entity in use: what it hangs on, for its removal."""

    spec: EntitySpec
    origin: str
    hangs: list[tuple[Route, Any]] = field(default_factory=list)
    availability: Availability | None = None


class Catalogue:
    """Know devices by uid and topics by name; declare what changed."""

    def __init__(
        self,
        host: Host,
        subscriber: Subscriber,
        watch: Watch,
        ask: Callable[[str, bytes], None] = lambda _topic, _payload: None,
    ) -> None:
        self.host = host
        self.subscriber = subscriber
        self.routes: dict[bytes, Route] = {}
        self.devices: dict[str, DeviceSpec] = {}
        self._watch, self._ask = watch, ask
        self._live: dict[tuple[str, str], _Live] = {}
        self._aliases: dict[str, str] = {}
        self._origins: dict[str, set[tuple[str, str]]] = {}
        self._dirty: set[str] = set()
        self._topics: dict[str, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._links: dict[str, bool] = {}

    # --- what was announced -------------------------------------------------

    def place(
        self,
        origin: str,
        found: DeviceSpec,
        aliases: tuple[str, ...] = (),
        subscribe: bool = True,
    ) -> bool:
        """Take what ``origin`` announces in place of what it did before."""
        uid = self._uid(found.uid, aliases)
        if uid not in self.devices and len(self.devices) >= MAX_DEVICES:
            self.host.count("mqtt.too_many_devices", uid)
            return False
        fresh = {(uid, name) for name in found.entities}
        for key in self._origins.get(origin, set()) - fresh:
            self._detach(key, origin)
        device = self.devices.setdefault(uid, found)
        if device is not found:
            _describe(device, found)
        self._origins[origin] = fresh
        for name, spec in list(found.entities.items()):
            known = self._live.get((uid, name))
            if known is not None:
                self._detach((uid, name))
            device.entities[name] = spec
            self._attach(uid, spec, origin, subscribe)
        if found.line is not None:
            self._listen(uid, found.line)
        self._changed(uid)
        return True

    def foresee(self, topic: str) -> None:
        """Hear an availability topic before the first device needs it."""
        route = self._route(topic, subscribe=True)
        route.listeners.append((WHOLE_TEXT, lambda _said, _doubt: None))
        route.arrange()

    def remove(self, origin: str) -> bool:
        """Forget what ``origin`` announced; say whether it had announced anything."""
        keys = self._origins.pop(origin, None)
        for key in keys or ():
            self._detach(key, origin)
        return keys is not None

    def command(self, device_uid: str, entity_uid: str) -> CommandSpec | None:
        """Return how an output is told, or None when it is not known."""
        live = self._live.get((device_uid, entity_uid))
        return live.spec.command if live else None

    def entity(self, device_uid: str, entity_uid: str) -> EntitySpec | None:
        """Return an entity's spec, or None."""
        live = self._live.get((device_uid, entity_uid))
        return live.spec if live else None

    # --- routes -------------------------------------------------------------

    def _uid(self, uid: str, aliases: tuple[str, ...]) -> str:
        names = (uid, *aliases)
        known = next((self._aliases[n] for n in names if n in self._aliases), uid)
        for name in names:
            self._aliases[name] = known
        return known

    def _attach(self, uid: str, spec: EntitySpec, origin: str, subscribe: bool) -> None:
        live = _Live(spec, origin)
        self._live[uid, spec.entity.uid] = live
        handle = self.host.handle(uid, spec.entity.uid)
        point = None
        if spec.convert is not None:
            watch = None
            if spec.command is not None:
                watch = self._watcher(uid, spec.entity.uid)
            point = Point(
                uid,
                spec.entity,
                handle,
                spec.extract or WHOLE_TEXT,
                spec.convert,
                watch=watch,
            )
        if point is not None and spec.topic is not None:
            route = self._route(spec.topic, subscribe)
            route.points.append(point)
            live.hangs.append((route, point))
            self._also(live, point)
        if spec.take is not None and spec.event_topic is not None:
            trigger = Trigger(uid, spec.take)
            route = self._route(spec.event_topic, subscribe)
            route.triggers.append(trigger)
            live.hangs.append((route, trigger))
        if spec.presence and point is not None:
            self._watch_presence(uid, live, point)
        if spec.refresh is not None and point is not None:
            self._refresh(live, point, spec.refresh)
        for route, _ in live.hangs:
            route.arrange()

    def _listen(self, uid: str, spec: LineSpec) -> None:
        route = self._route(spec.topic, subscribe=False)
        if route.line is not None:
            route.line.close()
        route.line = Line(self.host, uid, spec, self._ask)
        route.arrange()

    def _also(self, live: _Live, first: Point) -> None:
        """Let other topics tell the same state: silent where they do not."""
        for topic, extract in live.spec.also:
            point = replace(first, extract=extract)
            route = self._route(topic, subscribe=True)
            route.points.append(point)
            live.hangs.append((route, point))

    def _refresh(self, live: _Live, point: Point, topic: str) -> None:
        """Report the last state again whenever its teller shows that it lives."""

        def hear(_said: str, doubt: str) -> None:
            gone = live.availability is not None and not live.availability.here
            # What was doubtful, or kept by the broker, is not proved by a sign of life.
            if point.own == GOOD and not doubt and not gone:
                self.host.report(point.handle, point.last, point.cap, point.why)

        listener = (WHOLE_TEXT, hear)
        route = self._route(topic, subscribe=True)
        route.listeners.append(listener)
        live.hangs.append((route, listener))

    def _watcher(self, uid: str, entity_uid: str) -> Callable[[Value, bool], None]:
        return lambda value, live: self._watch(uid, entity_uid, value, live)

    def _watch_presence(self, uid: str, live: _Live, point: Point) -> None:
        presence = live.spec.presence
        points = [thing for _, thing in live.hangs if isinstance(thing, Point)]
        availability = Availability(
            live.spec.mode, point, wanted=len(presence), points=points
        )
        for each in points or [point]:
            each.cap, each.why = UNCERTAIN, "mqtt.availability_unknown"
        live.availability = availability
        for number, one in enumerate(presence):
            listener = (one.extract, self._listener(uid, availability, number, one))
            route = self._route(one.topic, subscribe=True)
            route.listeners.append(listener)
            live.hangs.append((route, listener))
            self._catch_up(route, listener)

    def _catch_up(
        self, route: Route, listener: tuple[Extract, Callable[[str, str], None]]
    ) -> None:
        """Let a new listener hear what its topic said: it is not kept for us again."""
        extract, hear = listener
        if route.said and not extract.json:
            said = route.said.decode("utf-8", "replace")
            with suppress(TemplateError, SilentError):
                hear(text_of(extract.fn(said, None)), "")

    def _listener(
        self, uid: str, availability: Availability, number: int, presence: Presence
    ) -> Callable[[str, str], None]:
        def hear(said: str, _: str) -> None:
            if said not in (presence.here, presence.gone):
                self.host.count("mqtt.bad_payload", presence.topic)
            elif availability.hear(number, said == presence.here):
                if availability.here is False:
                    self.host.report(
                        availability.point.handle, None, FAULT, "mqtt.unavailable"
                    )
                self._judge_link(uid)

        return hear

    def _judge_link(self, uid: str) -> None:
        """Tell whether the device as a whole is there: any of its entities is."""
        device = self.devices.get(uid)
        if device is None:
            return
        heard = [
            live.availability.here
            for name in device.entities
            if (live := self._live.get((uid, name))) and live.availability
        ]
        if all(state is None for state in heard):
            return
        up = any(heard) or len(heard) < len(device.entities)
        if self._links.get(uid) is not up:
            self._links[uid] = up
            self.host.link_state(uid, up, "" if up else "mqtt.unavailable")

    def _route(self, topic: str, subscribe: bool) -> Route:
        key = topic.encode()
        route = self.routes.get(key)
        if route is None:
            route = self.routes[key] = Route(topic, self.host)
            if subscribe:
                self._topics[topic] = None
        return route

    def _detach(self, key: tuple[str, str], origin: str | None = None) -> None:
        """Take an entity off its routes, unless another origin holds it now."""
        live = self._live.get(key)
        if live is None or origin not in {None, live.origin}:
            return
        del self._live[key]
        for route, thing in live.hangs:
            lists: tuple[list[Any], ...]
            lists = (route.points, route.triggers, route.listeners)
            for held in lists:
                if thing in held:
                    held.remove(thing)
            route.arrange()
            if route.empty and route.topic.encode() in self.routes:
                if route.line is not None:
                    route.line.close()
                del self.routes[route.topic.encode()]
                self._topics.pop(route.topic, None)
                self.subscriber.unsubscribe([route.topic])
        uid, name = key
        device = self.devices.get(uid)
        if device is not None:
            device.entities.pop(name, None)
            self._changed(uid)

    # --- what the hub is told -----------------------------------------------

    def _changed(self, uid: str) -> None:
        self._dirty.add(uid)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(SETTLE_S, self.flush)

    def flush(self) -> None:
        """Declare changed devices, withdraw empty ones, then ask for their topics."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        dirty, self._dirty = self._dirty, set()
        for uid in sorted(dirty):
            device = self.devices.get(uid)
            if device is not None and device.entities:
                self.host.declare(device.device())
            elif device is not None:
                del self.devices[uid]
                self._links.pop(uid, None)
                self._aliases = {a: u for a, u in self._aliases.items() if u != uid}
                self.host.withdraw(uid)
        topics, self._topics = list(self._topics), {}
        self.subscriber.subscribe(topics)

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for route in self.routes.values():
            if route.line is not None:
                route.line.close()


def _describe(device: DeviceSpec, found: DeviceSpec) -> None:
    """Take over what a later announcement of the same device knows better."""
    for name in ("manufacturer", "model", "serial", "zone"):
        if getattr(found, name):
            setattr(device, name, getattr(found, name))
    if found.name != found.uid:
        device.name = found.name
