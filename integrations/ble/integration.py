"""The Bluetooth integration: several sources, one judge per device."""

import asyncio
from typing import Any
from uuid import uuid4

import voluptuous as vol

from core.api import (
    AuthError,
    Command,
    CommandState,
    ConfigError,
    Host,
    Integration,
)
from core.api.said import Said, sentence
from integrations.ble import diagnostics, flow, sources
from integrations.ble.advert import Advert
from integrations.ble.bthome import Packet
from integrations.ble.device import NS, BleDevice
from integrations.ble.sources import Source, SourceError

FIRST_PAUSE_S, LAST_PAUSE_S = 0.5, 8.0
#: A source that was heard for so long was one: the next pause is short again.
SETTLED_S = 5.0
#: Discrete events that wait for the core's disk; more are counted.
MAX_EVENTS = 100


class BleIntegration(Integration):
    """Hear the advertisements of the site's Bluetooth sensors."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        try:
            options = flow.schema()(dict(host.options))
        except vol.MultipleInvalid as problem:
            first = problem.errors[0]
            where = ".".join(str(part) for part in first.path)
            raise ConfigError(
                Said(
                    "{of} options, {where}: {said}",
                    of="ble",
                    where=where,
                    said=sentence(first.error_message),
                ),
                where=where,
            ) from problem
        secrets = host.options.get("secrets", {})
        self.sources = [
            sources.make(host, said, secrets) for said in options["sources"]
        ]
        self.devices = {
            said["address"]: BleDevice(host, said, _key(host, said, secrets))
            for said in options["devices"]
        }
        self.strangers = 0
        self._events: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Hear every source; AuthError when none is left that takes us."""
        for device in self.devices.values():
            device.declare()
        refused: list[AuthError] = []
        try:
            async with asyncio.TaskGroup() as group:
                watch = group.create_task(self._watch(), name="ble watch")
                hearing = [
                    group.create_task(self._keep(source, refused), name=source.name)
                    for source in self.sources
                ]
                await asyncio.wait(hearing)
                watch.cancel()
        finally:
            for task in list(self._events):
                task.cancel()
            await asyncio.gather(*self._events, return_exceptions=True)
        raise refused[0]

    async def command(self, command: Command) -> None:
        """Refuse: what only advertises takes no commands."""
        self.host.result(command.id, CommandState.FAILED, "ble.no_outputs")

    def diagnostics(self) -> dict[str, Any]:
        """Return the state of sources and devices; keys and places are left out."""
        return diagnostics.gather(self.sources, self.devices, self.strangers)

    # --- sources --------------------------------------------------------------

    async def _keep(self, source: Source, refused: list[AuthError]) -> None:
        """Come back to a source for ever; a refusal ends it alone."""
        pause = FIRST_PAUSE_S
        while True:
            began = self.host.clock.mono_ns()
            try:
                await source.serve(self._hear, lambda: self._up(source))
            except SourceError as failure:
                self._down(source, failure.reason, str(failure))
            except AuthError as wrong:
                self._down(source, "ble.key", str(wrong))
                refused.append(wrong)
                return
            if self.host.clock.mono_ns() - began > SETTLED_S * NS:
                pause = FIRST_PAUSE_S
            await self.host.timer.sleep(pause)
            pause = min(2 * pause, LAST_PAUSE_S)

    def _up(self, source: Source) -> None:
        source.up, source.reason = True, ""

    def _down(self, source: Source, reason: str, detail: str) -> None:
        source.up, source.reason = False, reason
        self.host.count(reason, f"{source.name}: {detail}")
        if not any(each.up for each in self.sources):
            for device in self.devices.values():
                device.lose(reason)

    # --- advertisements -------------------------------------------------------

    def _hear(self, heard: Advert) -> None:
        device = self.devices.get(heard.address)
        if device is None:
            self.strangers += 1
            return
        packet = device.take(heard)
        if packet is not None and packet.presses:
            self._pressed(device, packet)

    def _pressed(self, device: BleDevice, packet: Packet) -> None:
        wanted = device.said["events"]
        for press in packet.presses:
            kind = wanted.get(f"{press.uid}:{press.what}") or wanted.get(press.uid)
            if kind is None:
                continue
            if len(self._events) >= MAX_EVENTS:
                self.host.count("ble.event_dropped", press.what, device.uid)
                continue
            params = {"entity": press.uid, "what": press.what}
            task = asyncio.get_running_loop().create_task(
                self._hand_over(device.uid, kind, params)
            )
            self._events.add(task)
            task.add_done_callback(self._events.discard)

    async def _hand_over(self, uid: str, kind: str, params: dict[str, Any]) -> None:
        await self.host.event(uid, kind, params, uuid4().hex)

    async def _watch(self) -> None:
        """Lose who is silent; looked at four times in each interval."""
        shortest = min(device.every_s for device in self.devices.values())
        while True:
            await self.host.timer.sleep(min(max(shortest / 4, 0.05), 5.0))
            now = self.host.clock.mono_ns()
            for device in self.devices.values():
                device.look(now)


def _key(host: Host, said: dict[str, Any], secrets: dict[str, str]) -> bytes | None:
    """Return a device's bind key; one that is none lets nothing be believed."""
    if "key" not in said:
        return None
    try:
        return flow.key(secrets.get(said["key"], ""))
    except vol.Invalid:
        host.count("ble.key", f"{said['address']}: the secret holds no bind key")
        return b""
