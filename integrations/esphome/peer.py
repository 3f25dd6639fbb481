"""One node: connect, list, follow its states, ask for life, come back."""

import asyncio
import base64
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from aioesphomeapi import (
    ButtonInfo,
    DeviceInfo,
    EntityInfo,
    EntityState,
    Event,
    FanInfo,
    LightInfo,
    SirenInfo,
)
from aioesphomeapi.client import APIClient
from aioesphomeapi.core import TimeoutAPIError

from core.api import (
    AuthError,
    Command,
    CommandState,
    Device,
    EntityKind,
    Host,
    Quality,
    fingerprint,
)
from integrations.esphome.link import (
    BROKEN,
    NodeError,
    client_of,
    closed,
    opened,
    secret_of,
)
from integrations.esphome.points import NS, Found, Point, arrange

FIRST_PAUSE_S, LAST_PAUSE_S = 0.5, 8.0
#: A session of this length was one: the next pause is short again.
SETTLED_S = 5.0
#: Discrete events that wait for the core's disk; more are counted.
MAX_EVENTS = 100
READ_BACK_S = 0.05


class Peer:
    """Own one node's connection; its trouble stays its own."""

    def __init__(
        self, host: Host, said: Mapping[str, Any], secrets: Mapping[str, str]
    ) -> None:
        self.host, self.said = host, said
        self.uid: str = said["mac"]
        self.interval_s: float = said["interval_s"]
        self.up: bool | None = None
        self.reason = ""
        self.version = ""
        self.counters = {"sessions": 0, "lost": 0, "states": 0, "unknown": 0}
        self.found = Found({}, {})
        self._secrets = secrets
        self._key: str | None = None
        self._client: APIClient | None = None
        self._stopped = asyncio.Event()
        self._events: set[asyncio.Task[None]] = set()
        self._moved: object = None
        self._moved_ns = 0

    async def run(self) -> None:
        """Serve until cancelled; raises AuthError when the node refuses the key."""
        pause = FIRST_PAUSE_S
        try:
            while True:
                began = self.host.clock.mono_ns()
                try:
                    await self._serve()
                except AuthError as refused:
                    self._lost(str(refused.params["reason"]))
                    raise
                except NodeError as failure:
                    self._lost(failure.reason)
                    self.host.count(failure.reason, str(failure), self.uid)
                finally:
                    await self._close()
                if self.host.clock.mono_ns() - began > SETTLED_S * NS:
                    pause = FIRST_PAUSE_S
                await self.host.timer.sleep(pause)
                pause = min(2 * pause, LAST_PAUSE_S)
        finally:
            for task in list(self._events):
                task.cancel()
            await asyncio.gather(*self._events, return_exceptions=True)

    async def _serve(self) -> None:
        self._key = secret_of(self.said, self._secrets)
        self._stopped = stopped = asyncio.Event()
        client = self._client = client_of(self.said, self._key)

        async def ended(_expected: bool) -> None:
            stopped.set()

        info, infos = await opened(client, self.said, self._key, ended)
        self._begin(client, info, infos)
        await self._beat(client)

    def _begin(
        self, client: APIClient, info: DeviceInfo, infos: list[EntityInfo]
    ) -> None:
        """Declare what it has, follow its states."""
        self.found = arrange(infos, self.said)
        if self.found.left_out:
            self.host.count("esphome.left_out", str(self.found.left_out), self.uid)
        for uid in self.said["entities"].keys() - self.found.points.keys():
            self.host.count("esphome.no_such_entity", uid, self.uid)
        self.version = info.esphome_version[:40]
        self.host.declare(
            Device(
                uid=self.uid,
                name=self.said.get("name")
                or (info.friendly_name or info.name or self.uid)[:120],
                manufacturer=(info.manufacturer or "ESPHome")[:60],
                model=info.model[:60],
                serial=self.uid,
                suggested_zone=self.said.get("zone"),
                entities=tuple(p.entity for p in self.found.points.values()),
                key_id=_key_id(self._key),
            )
        )
        for uid, point in self.found.points.items():
            point.handle = self.host.handle(self.uid, uid)
            point.heard_ns = self.host.clock.mono_ns()
        self.counters["sessions"] += 1
        self._moved, self._moved_ns = None, self.host.clock.mono_ns()
        self._link(True, "")
        client.subscribe_states(self._state)

    def _state(self, state: EntityState) -> None:
        """Take one state message."""
        point = self.found.by_key.get((type(state), state.device_id, state.key))
        if point is None:
            self.counters["unknown"] += 1
            return
        self.counters["states"] += 1
        if isinstance(state, Event):
            self._event(point, str(state.event_type)[:60])
            return
        before, now = point.value, self.host.clock.mono_ns()
        point.take(state, now)
        if point.reason in ("esphome.wrong_type", "esphome.not_a_number"):
            self.host.count(point.reason, repr(state)[:200], self.uid)
        beat = self.said.get("heartbeat")
        if beat is not None and beat["entity"] == point.entity.uid:
            if point.value != self._moved and point.value is not None:
                self._moved, self._moved_ns = point.value, now
        self._report(point, now)
        if point.event and point.value is True and before is False:
            self._event(point, point.entity.uid)

    def _event(self, point: Point, what: str) -> None:
        """Hand a discrete event over; the core's own id makes repeats harmless."""
        if len(self._events) >= MAX_EVENTS:
            self.host.count("esphome.event_dropped", what, self.uid)
            return
        params = {"entity": point.entity.uid, "what": what}
        handing = self.host.event(self.uid, point.event, params, uuid4().hex)
        task = asyncio.get_running_loop().create_task(_handed(handing))
        self._events.add(task)
        task.add_done_callback(self._events.discard)

    async def _beat(self, client: APIClient) -> None:
        """Ask the node for life; say again what holds, lower what is late."""
        while True:
            try:
                async with asyncio.timeout(max(self.interval_s, 0.3)):
                    info = await client.device_info()
            except BROKEN as failure:
                late = isinstance(failure, TimeoutError | TimeoutAPIError)
                reason = "esphome.silent" if late else "esphome.link_down"
                raise NodeError(reason, repr(failure)[:200]) from failure
            if info.mac_address.upper() != self.uid:
                raise NodeError("esphome.other_device", info.mac_address[:40])
            now = self.host.clock.mono_ns()
            for point in self.found.points.values():
                if point.held or point.late(now) or self._frozen(now):
                    self._report(point, now)
            try:
                async with asyncio.timeout(self.interval_s):
                    await self._stopped.wait()
            except TimeoutError:
                continue
            raise NodeError("esphome.link_down", "the connection ended")

    def _frozen(self, now: int) -> bool:
        beat = self.said.get("heartbeat")
        return beat is not None and now - self._moved_ns > beat["max_s"] * NS

    # --- telling --------------------------------------------------------------

    def _report(self, point: Point, now: int) -> None:
        if point.entity.kind is EntityKind.EVENT:
            return
        value, quality, reason = point.value, point.quality, point.reason
        if point.late(now) and quality < Quality.STALE:
            quality, reason = Quality.STALE, "esphome.late"
        if self._frozen(now) and quality < Quality.FAULT:
            value, quality, reason = None, Quality.FAULT, "esphome.heartbeat_frozen"
        self.host.report(point.handle, value, quality, reason)

    def _link(self, up: bool, reason: str) -> None:
        self.reason = reason
        if self.up is not up:
            self.up = up
            self.host.link_state(self.uid, up, reason)

    def _lost(self, reason: str) -> None:
        if self.up:
            self.counters["lost"] += 1
        self._link(False, reason)
        for point in self.found.points.values():
            point.forget(Quality.FAULT, reason)
            if point.entity.kind is not EntityKind.EVENT:
                self.host.report(point.handle, None, Quality.FAULT, reason)

    async def _close(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        await closed(client, self._stopped.is_set() or not self.up)

    # --- commands -------------------------------------------------------------

    async def command(self, command: Command) -> None:
        """Command an output; only the state entity's own word confirms (1.15)."""
        point = self.found.points.get(command.entity_uid)
        client = self._client
        refusal = ""
        if point is None or point.entity.output is None:
            refusal = "esphome.no_such_output"
        elif not isinstance(command.value, bool):
            refusal = "esphome.value"
        elif client is None or not self.up:
            refusal = "esphome.link_down"
        if refusal or point is None or client is None:
            self.host.result(command.id, CommandState.FAILED, refusal)
            return
        try:
            order(client, point.info, bool(command.value))
            async with asyncio.timeout(max(self.interval_s, 0.3)):
                # The node works in order: this answer lies behind the command.
                await client.device_info()
        except BROKEN:
            self.host.result(command.id, CommandState.FAILED, "esphome.link_down")
            return
        self.host.result(command.id, CommandState.DELIVERED, "")
        await self._confirm(command, point)

    async def _confirm(self, command: Command, point: Point) -> None:
        shown = self.found.points.get(point.state_of)
        if shown is None:
            self.host.result(command.id, CommandState.FAILED, "esphome.no_read_back")
            return
        while self.host.clock.mono_ns() < command.deadline_ns and self.up:
            if shown.quality is Quality.GOOD and shown.value is command.value:
                self.host.result(command.id, CommandState.CONFIRMED, "")
                return
            await self.host.timer.sleep(READ_BACK_S)
        reason = "esphome.no_read_back" if self.up else "esphome.link_down"
        self.host.result(command.id, CommandState.FAILED, reason)


def order(client: APIClient, info: EntityInfo, on: bool) -> None:
    """Send the command that an output of this kind understands; never with a time
    after which it would end by itself.
    """
    if isinstance(info, ButtonInfo):
        if on:
            client.button_command(info.key, device_id=info.device_id)
    elif isinstance(info, SirenInfo):
        client.siren_command(info.key, state=on, device_id=info.device_id)
    elif isinstance(info, FanInfo):
        client.fan_command(info.key, state=on, device_id=info.device_id)
    elif isinstance(info, LightInfo):
        client.light_command(info.key, state=on, device_id=info.device_id)
    else:
        client.switch_command(info.key, on, device_id=info.device_id)


def _key_id(key: str | None) -> str:
    """Return the fingerprint of the key with which the node just spoke; '' for none."""
    try:
        return fingerprint(base64.b64decode(key or "", validate=True))
    except ValueError:
        return ""


async def _handed(handing: Any) -> None:
    await handing
