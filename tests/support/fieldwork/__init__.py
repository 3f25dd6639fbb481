"""An integration for tests: people's tags, gas meters and cameras of a small site.

Datagrams on its own socket tell it where people are, what the gas is, who is silent:
``{"places": {"ann": "tank"}, "gas": {"h2s": 9.0}, "dead": ["cam-tank"]}``.
"""

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

from core.api import (
    Command,
    CommandState,
    Device,
    Entity,
    EntityKind,
    Host,
    Integration,
)
from core.permits.attachments import BEAT

UNITS = {"h2s": "ppm", "lel": "%LEL", "o2": "%vol"}
#: Real seconds between two reports.
_STEP_S = 0.25
#: A recorder's words that may be on their way to the disk.
_BEATS = 40
#: A host that waits for its turn on a busy machine is no dead detector.
_MAX_AGE_S = 60.0


def tag(person: str) -> Device:
    """Return a person's location tag."""
    kind = EntityKind.LOCATION
    fix = Entity(uid="fix", name="fix", kind=kind, max_age_s=_MAX_AGE_S)
    return Device(uid=f"tag-{person}", name=person, entities=(fix,))


def meter(uid: str) -> Device:
    """Return a gas meter of three gases."""
    entities = tuple(
        Entity(
            uid=gas,
            name=gas,
            kind=EntityKind.GAS,
            quantity=gas,
            unit=unit,
            max_age_s=_MAX_AGE_S,
            critical=True,
        )
        for gas, unit in UNITS.items()
    )
    return Device(uid=uid, name=uid, entities=entities)


class Fieldwork(Integration):
    """Report places, gas and recordings until told otherwise."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._door = Path(host.options["door"])
        self._places: dict[str, str] = dict(host.options["places"])
        self._gas: dict[str, float] = dict(host.options["gas"])
        self._dead: set[str] = set()
        self._meter = str(host.options["meter"])
        self._camera = str(host.options["camera"])
        self._beats: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Declare the devices, then report until cancelled."""
        self._door.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.bind(str(self._door))
            sock.setblocking(False)
            loop = asyncio.get_running_loop()
            loop.add_reader(sock, self._told, sock)
            for person in self._places:
                self.host.declare(tag(person))
            self.host.declare(meter(self._meter))
            self.host.declare(Device(uid=self._camera, name="camera"))
            try:
                await self._report()
            finally:
                loop.remove_reader(sock)

    async def _report(self) -> None:
        while True:
            for person, place in self._places.items():
                self._say(f"tag-{person}", "fix", place)
            for gas, value in self._gas.items():
                self._say(self._meter, gas, value)
            if self._camera not in self._dead and len(self._beats) < _BEATS:
                beat = asyncio.get_running_loop().create_task(self._beat())
                self._beats.add(beat)
                beat.add_done_callback(self._beats.discard)
            await asyncio.sleep(_STEP_S)

    async def _beat(self) -> None:
        """Say how far the recording is; a slow disk delays no later word."""
        until = self.host.clock.wall_ns() // 1_000_000
        told = {"until_ms": until}
        await self.host.event(self._camera, BEAT, told, f"beat-{until}")

    def _say(self, device: str, entity: str, value: str | float) -> None:
        if device not in self._dead:
            self.host.report(self.host.handle(device, entity), value)

    def _told(self, sock: socket.socket) -> None:
        for _ in range(100):
            try:
                order: dict[str, Any] = json.loads(sock.recv(4096))
            except BlockingIOError:
                return
            self._places |= order.get("places", {})
            self._gas |= order.get("gas", {})
            if "dead" in order:
                self._dead = set(order["dead"])

    async def command(self, command: Command) -> None:
        """Confirm at once: the site has no output that could fail."""
        self.host.result(command.id, CommandState.CONFIRMED)
