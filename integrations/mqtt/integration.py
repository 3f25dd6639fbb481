"""The MQTT integration: discovery and topic maps in, readings and events out."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import voluptuous as vol

from core.api import AuthError, Command, ConfigError, DeviceError, Host, Integration
from core.api.said import Said, sentence
from integrations.mqtt import diagnostics, discovery, flow
from integrations.mqtt.catalogue import Catalogue
from integrations.mqtt.client import MqttClient
from integrations.mqtt.commands import CommandBook
from integrations.mqtt.points import MAX_PAYLOAD, Event, Route, Trigger, fingerprint
from integrations.mqtt.spec import SpecError
from integrations.mqtt.split import Split
from integrations.mqtt.templates import TemplateError

#: Events that wait for the core's disk; beyond it one of a kind stands for all.
MAX_EVENTS = 1_000
#: Topics that no map wants, remembered so that each costs one look.
MAX_UNKNOWN = 10_000
MARK_S = 10.0
RETRY_S = 1.0
#: A retained event of these kinds is a hazard that may still stand.
STANDING = frozenset({"sos", "fall"})


class MqttIntegration(Integration):
    """Speak to one broker for every device that speaks to it."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        options = _checked(host.options)
        self.client = MqttClient(
            host, flow.broker(options), self._deliver, self._up, self._down
        )
        self.catalogue = Catalogue(host, self.client, self._state, self._ask)
        self.book = CommandBook(host, self.client, self.catalogue)
        self.prefix: str = options["discovery_prefix"]
        self.doubt = ""
        """Why nothing proves anything: the broker still replays its queue."""
        self._maps = _maps(options["maps"])
        self._splits: dict[bytes, list[Split]] = {}
        for each in self._maps:
            if each.split is not None:
                self._splits.setdefault(each.filter.encode(), []).append(each.split)
        self._unknown: dict[bytes, None] = {}
        self._configs: dict[str, bytes] = {}
        self._config_start = f"{self.prefix}/".encode()
        self._marker = f"safehold/hub/{self.client.broker.client_id}/marker"
        self._mark = b""
        self._outstanding: dict[Trigger, int] = {}
        self._owed: list[tuple[Route, int, object]] = []
        self._group: asyncio.TaskGroup
        self.client.subscribe([self._marker])
        if options["discovery"]:
            self.client.subscribe(
                [f"{self.prefix}/+/+/config", f"{self.prefix}/+/+/+/config"]
            )
        self.client.subscribe(dict.fromkeys(topic.filter for topic in self._maps))
        shared = [each.data.get("availability", {}).get("topic") for each in self._maps]
        for topic in dict.fromkeys(t for t in shared if t and "{" not in t):
            self.catalogue.foresee(topic)
        self.catalogue.flush()

    async def run(self) -> None:
        """Serve until cancelled; AuthError when the broker refuses the hub."""
        try:
            async with asyncio.TaskGroup() as self._group:
                self._group.create_task(self._keep_marking(), name="mqtt marker")
                await self.client.run()
        except ExceptionGroup as group:
            refused, others = group.split(AuthError)
            if refused is None or others is not None:
                raise
            raise refused.exceptions[0] from None
        finally:
            self.book.close()
            self.catalogue.close()

    def at_once(self, command: Command) -> bool:
        """Publish a command; the device's own state message confirms it."""
        self.book.execute(command)
        return True

    async def command(self, command: Command) -> None:
        """Publish a command; the device's own state message confirms it."""
        self.book.execute(command)

    def diagnostics(self) -> dict[str, Any]:
        """Return the link's state, counters and the last bad payloads."""
        return diagnostics.gather(
            self.client,
            len(self.catalogue.devices),
            self.catalogue.routes.values(),
            self.book.pending,
            self.doubt,
        )

    # --- the link -----------------------------------------------------------

    def _up(self, session_present: bool) -> None:
        # What the broker kept while we were away may be hours old and carries no
        # mark of it. Our own message goes behind that queue: until it is back,
        # readings are believed only where they raise an alarm.
        self.doubt = "mqtt.replayed" if session_present else ""
        self._mark = uuid4().hex.encode() if session_present else b""
        if session_present:
            self.client.publish(self._marker, self._mark)
        # Devices of that ecosystem announce themselves again when they see this.
        self.client.publish(f"{self.prefix}/status", b"online")
        self.host.link_state("", True)

    def _down(self, code: str) -> None:
        self._owed.clear()
        self.book.forget()
        self.host.link_state("", False, code)

    async def _keep_marking(self) -> None:
        while True:
            await self.host.timer.sleep(MARK_S)
            if self.doubt and self.client.connected:
                self.host.count("mqtt.marker_missing", self._marker)
                self.client.publish(self._marker, self._mark)

    def _state(self, device_uid: str, entity_uid: str, value: Any, live: bool) -> None:
        self.book.state(device_uid, entity_uid, value, live)

    def _ask(self, topic: str, payload: bytes) -> None:
        """Ask a device for its state; a question of yesterday helps nobody."""
        if self.client.connected:
            self.client.publish(topic, payload)

    # --- messages -----------------------------------------------------------

    def _deliver(
        self, topic: bytes, payload: bytes, qos: int, mid: int, retain: bool, _: bool
    ) -> None:
        route = self.catalogue.routes.get(topic)
        if route is None and topic in self._splits:
            self._take_apart(topic, payload, qos, mid, retain)
            return
        if route is None:
            route = self._strange(topic, payload)
        if route is not None:
            if len(payload) > MAX_PAYLOAD:
                self.host.count("mqtt.payload_too_long", route.topic)
            elif (
                events := route.take(payload, "mqtt.retained" if retain else self.doubt)
            ) or route.triggers:
                self._events(route, events, payload, retain)
                if qos and self._waits(route):
                    self._owed.append((route, mid, self.client.session))
                    return
        if qos:
            self.client.ack(mid, self.client.session)

    def _take_apart(
        self, topic: bytes, payload: bytes, qos: int, mid: int, retain: bool
    ) -> None:
        """Deliver what one message tells of each group; acknowledge it once."""
        last: Route | None = None
        for split in self._splits[topic] if len(payload) <= MAX_PAYLOAD else ():
            try:
                parts = split.take(payload)
            except TemplateError as error:
                name = topic.decode("utf-8", "replace")
                self.host.count("mqtt.bad_payload", f"{name}: {error}")
                continue
            for name, said in parts:
                self._deliver(name.encode(), said, 0, 0, retain, False)
                route = self.catalogue.routes.get(name.encode())
                if route is not None and self._waits(route):
                    last = route
        if qos and last is not None:
            self._owed.append((last, mid, self.client.session))
        elif qos:
            self.client.ack(mid, self.client.session)

    def _strange(self, topic: bytes, payload: bytes) -> Route | None:
        """Look at a topic without a route: our marker, a config, a mapped device."""
        if topic in self._unknown:
            return None
        try:
            name = topic.decode()
        except UnicodeDecodeError:
            self.host.count("mqtt.bad_topic", repr(topic[:80]))
            return None
        if name == self._marker:
            if payload == self._mark:
                self.doubt = ""
            return None
        if topic.startswith(self._config_start):
            self._announced(name, payload)
            return None
        for pattern in self._maps:
            found = pattern.match(name, payload)
            if found is not None:
                self.catalogue.place(found[0], found[1], subscribe=False)
                self.catalogue.flush()
                return self.catalogue.routes.get(topic)
        if len(self._unknown) < MAX_UNKNOWN:
            self._unknown[topic] = None
        self.host.count("mqtt.topic_unknown", name[:200])
        return None

    def _announced(self, topic: str, payload: bytes) -> None:
        """Take, change or remove what a discovery topic announces."""
        if self._configs.get(topic) == payload:
            return
        where = discovery.address(self.prefix, topic)
        if where is None:
            return
        if not payload:
            self._configs.pop(topic, None)
            self.catalogue.remove(topic)
            return
        try:
            found = discovery.parse(where, payload)
        except SpecError as error:
            # The last good announcement stays in force.
            self.host.count("mqtt.discovery_refused", f"{topic}: {error}"[:300])
            return
        for reason in found.refused:
            self.host.count("mqtt.discovery_refused", f"{topic}: {reason}"[:300])
        for name in found.ignored:
            self.host.count("mqtt.field_ignored", name)
        if self.catalogue.place(topic, found.device, found.aliases):
            self._configs[topic] = payload

    # --- the safety lane ----------------------------------------------------

    def _events(
        self,
        route: Route,
        events: list[tuple[Trigger, Event]],
        payload: bytes,
        retain: bool,
    ) -> None:
        for trigger, event in events:
            if retain and event.kind not in STANDING:
                continue
            if trigger in self._outstanding and len(self._outstanding) >= MAX_EVENTS:
                self.host.count("mqtt.event_coalesced", route.topic)
                continue
            ident = event.id
            if ident:
                # By kind: one message may tell of a fall and call for help.
                ident = f"{route.topic}#{event.kind}#{ident}"
            elif retain:
                # The same retained word is the same event in every session.
                ident = f"retained-{fingerprint(route.topic, payload)}"
            else:
                ident = uuid4().hex
            self._outstanding[trigger] = self._outstanding.get(trigger, 0) + 1
            self._group.create_task(
                self._hand_over(trigger, event, ident), name=f"mqtt event {ident}"
            )

    async def _hand_over(self, trigger: Trigger, event: Event, ident: str) -> None:
        """Wait until the core has it durable; then acknowledge to the broker."""
        handed = False
        while not handed:
            try:
                await self.host.event(
                    trigger.device_uid, event.kind, event.params, ident
                )
            except DeviceError as error:
                # Too many wait for the disk: unacknowledged, it is kept by us.
                self.host.count("mqtt.event_waits", str(error))
                await self.host.timer.sleep(RETRY_S)
            else:
                handed = True
        left = self._outstanding[trigger] - 1
        if left:
            self._outstanding[trigger] = left
        else:
            del self._outstanding[trigger]
        waiting, self._owed = self._owed, []
        for owed in waiting:
            route, mid, session = owed
            if self._waits(route):
                self._owed.append(owed)
            else:
                self.client.ack(mid, session)

    def _waits(self, route: Route) -> bool:
        """Say whether an event of this topic is not durable yet."""
        return any(trigger in self._outstanding for trigger in route.triggers)


def _checked(options: Mapping[str, Any]) -> dict[str, Any]:
    try:
        checked: dict[str, Any] = flow.schema()(dict(options))
    except vol.MultipleInvalid as problem:
        first = problem.errors[0]
        where = ".".join(str(part) for part in first.path)
        raise ConfigError(
            Said(
                "{of} options, {where}: {said}",
                of="mqtt",
                where=where,
                said=sentence(first.error_message),
            ),
            where=where,
        ) from problem
    return checked


def _maps(wanted: list[Any]) -> list[Any]:
    """Return the topic patterns of all maps; YAML is loaded only where needed."""
    if not wanted:
        return []
    from integrations.mqtt import mapping

    found = [
        mapping.inline(m) if isinstance(m, dict) else mapping.load(m) for m in wanted
    ]
    return [topic for one in found for topic in one.topics]
