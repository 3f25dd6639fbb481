"""The hub's side of the kit: the real kernel, which judges what the host says."""

import asyncio
import socket
from collections.abc import Mapping
from typing import Any

import msgspec

from core import config
from core.api.command import TERMINAL
from core.api.model import Device
from core.api.quality import Quality
from core.api.reading import Reading, Value
from core.clock import NS, RealClock
from core.config import Bundle, DeviceRule, IntegrationConfig
from core.journal.envelope import Effect, Envelope
from core.journal.events import Event
from core.kernel import Kernel
from core.link import messages as m
from core.link.server import Server
from core.processes.desk import Desk
from core.processes.events import HubStarted
from core.processes.spec import BOTH
from core.registry.events import DeviceReported
from core.registry.ids import Ids
from core.registry.state import DeviceRecord
from core.response.state import CommandRecord
from integrations.runtime.kit.result import Broken

PEER = "host:kit"
TURN_S = 0.02
ASKED_S = 5.0
#: Link words kept: a driver that flaps for ever must not fill the kit.
_KEPT = 10_000


class _Kept:
    """A journal that is on disk at once: the kit proves drivers, not disks."""

    durable_seq = 0

    def accept(
        self, seq: int, data: bytes, effect: Effect, key: str, kind: str
    ) -> None:
        self.durable_seq = seq

    def healthy(self) -> bool:
        return True


class Side:
    """Hold the kernel; take the host's lanes; write down what it says."""

    def __init__(self, clock: RealClock) -> None:
        self.clock = clock
        self.links: list[tuple[float, m.LinkState]] = []
        """Words on lost and regained devices, with the loop's time."""
        self.events: list[DeviceReported] = []
        self.devices: dict[str, Device] = {}
        self.refused: list[str] = []
        """What the manifest does not state."""
        self.welcomed = 0
        self.frames = 0
        self._server = Server(self._message, self._lost)
        journal = _Kept()
        self._kernel = Kernel(clock, Ids(clock), journal, self._server)
        self._hub, self._journal = self._kernel.hub, journal
        self._desk = Desk(self._kernel, self._server, self._secrets)
        self._known: dict[str, str] = {}
        self._answers: dict[str, asyncio.Future[m.Diagnosis]] = {}
        self._asked = 0
        self._loop = asyncio.get_running_loop()
        self._turning: asyncio.Task[None] | None = None
        self._hub.on(DeviceReported, self._reported)

    # --- life -----------------------------------------------------------------

    def start(self) -> None:
        """Begin an epoch and let time pass."""
        self._hub.state.epoch += 1
        self._hub.emit(
            HubStarted(version="kit", clean=True, boot_id=self.clock.boot_id)
        )
        self._hub.load(config.EMPTY)
        self._hub.recover(True)
        self._turning = self._loop.create_task(self._turns())

    async def stop(self) -> None:
        """End the link and the turns."""
        if self._turning is not None:
            self._turning.cancel()
            await asyncio.gather(self._turning, return_exceptions=True)
        self._server.close()

    def configure(self, held: IntegrationConfig, secrets: Mapping[str, str]) -> None:
        """Put a bundle in force that enrols whatever the integration declares."""
        zone = config.Zone(
            id="kit",
            names=config.Names(en="Kit", zh="测试区"),
            level="kit",
            polygon=((0.0, 0.0), (9.0, 0.0), (9.0, 9.0)),
        )
        level = config.Level(id="kit", names=config.Names(en="Kit", zh="测试层"))
        site = msgspec.structs.replace(
            config.EMPTY.site, zones=(zone,), levels=(level,)
        )
        rule = DeviceRule(integration=held.id, uid="*", zone="kit")
        self._known = dict(secrets)
        self._hub.load(Bundle(site=site, devices=(rule,), integrations=(held,)))

    def attach(self, socks: list[socket.socket]) -> None:
        """Take the host's lanes."""
        self._server.attach(self._loop, PEER, list(BOTH), socks)

    @property
    def attached(self) -> bool:
        """Say whether the host's link stands."""
        return self._server.get(PEER) is not None

    async def _turns(self) -> None:
        while True:
            self._turn()
            await asyncio.sleep(TURN_S)

    def _turn(self) -> None:
        self._hub.advance()
        self._hub.durable(self._journal.durable_seq)
        self._desk.flush()

    def _secrets(self, names: tuple[str, ...]) -> dict[str, str]:
        return {name: self._known[name] for name in names if name in self._known}

    # --- what the host says ---------------------------------------------------

    def _message(self, peer: str, message: m.Message) -> None:
        if isinstance(message, m.Diagnosis):
            waiting = self._answers.pop(message.id, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(message)
            return
        if isinstance(message, m.LinkState) and len(self.links) < _KEPT:
            self.links.append((self._loop.time(), message))
        elif isinstance(message, m.Declare):
            self.devices[message.device.uid] = message.device
        elif isinstance(message, m.Hello):
            self.welcomed += 1
        elif isinstance(message, m.Readings):
            self.frames += 1
        self._desk.receive(peer, message)
        self._turn()
        for alarm in self._hub.state.alarms.open.values():
            if alarm.kind == "fault.contract":
                what = str(alarm.params.get("what", ""))
                if what not in self.refused:
                    self.refused.append(what)

    def _lost(self, peer: str, reason: str) -> None:
        self._kernel.registry.lost(peer)
        self._kernel.readings.host_lost(peer)
        self._desk.lost(peer)

    def _reported(self, body: DeviceReported, _: Envelope) -> None:
        self.events.append(body)

    async def diagnose(self) -> m.Diagnosis:
        """Ask the host for its diagnostics; raises Broken."""
        self._asked += 1
        number = str(self._asked)
        waiting: asyncio.Future[m.Diagnosis] = self._loop.create_future()
        self._answers[number] = waiting
        self._server.send(PEER, m.Diagnose(number))
        try:
            async with asyncio.timeout(ASKED_S):
                return await waiting
        except TimeoutError:
            raise Broken(f"no diagnostics within {ASKED_S:g} s") from None

    # --- what the hub knows ---------------------------------------------------

    def device(self, uid: str) -> DeviceRecord | None:
        """Return an enrolled device."""
        return self._kernel.registry.find_device(PEER, uid)

    def uid_of(self, device_id: str) -> str:
        """Return the uid of an enrolled device; '' when it is unknown."""
        record = self._kernel.registry.device(device_id)
        return record.uid if record else ""

    def entity_id(self, device_uid: str, entity_uid: str) -> str:
        """Return an entity's lasting id; '' while it is not enrolled."""
        return self._kernel.registry.find(PEER, device_uid, entity_uid) or ""

    def ids(self) -> dict[tuple[str, str], str]:
        """Return the lasting id of every entity, by device uid and entity uid."""
        entities = self._hub.state.registry.entities.values()
        return {
            (self.uid_of(each.device_id), each.declared.uid): each.id
            for each in entities
        }

    def reading(self, entity_id: str) -> Reading:
        """Return a reading, its age judged now."""
        return self._kernel.readings.get(entity_id)

    def watch(self, entity_id: str, callback: Any) -> None:
        """Call back with every reading of an entity."""
        self._kernel.readings.watch(entity_id, callback)

    def lost(self, device_uid: str) -> bool:
        """Say whether the driver's last word on a device is that it is gone."""
        for _, word in reversed(self.links):
            if word.device_uid in (device_uid, ""):
                return not word.up
        return False

    async def order(
        self, entity_id: str, value: bool | float | str, limit_s: float
    ) -> tuple[CommandRecord, float]:
        """Switch an output; return the command as it ended and the seconds it took.

        Raises Broken when the hub withholds it or nothing ends it.
        """
        ended: asyncio.Future[CommandRecord] = self._loop.create_future()
        began = self._loop.time()

        def moved(record: CommandRecord) -> None:
            if record.state in TERMINAL and not ended.done():
                ended.set_result(msgspec.structs.replace(record))

        command = self._kernel.commands.order(
            entity_id, value, why="kit", deadline_s=limit_s, person_id="kit"
        )
        if command is None:
            raise Broken("the hub withholds it: is its Ex rating or place missing?")
        self._kernel.commands.watch(command, moved)
        self._turn()
        try:
            async with asyncio.timeout(limit_s + ASKED_S):
                record = await ended
        except TimeoutError:
            raise Broken(f"the command has not ended within {limit_s:g} s") from None
        return record, self._loop.time() - began


def said(reading: Reading) -> str:
    """Return a reading as a line of the report tells it."""
    quality = Quality(reading.quality).name
    reason = f" ({reading.reason})" if reading.reason else ""
    return f"{shown(reading.value)} {quality}{reason}"


def shown(value: Value) -> str:
    """Return a value as the report tells it, short."""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else text[:57] + "…"


__all__ = ["NS", "PEER", "Event", "Side", "said", "shown"]
