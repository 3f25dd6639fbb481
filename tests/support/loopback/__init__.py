"""An integration for tests: does what datagrams on its own socket tell it.

A device ``loop`` with a gas entity ``h2s`` and a siren ``siren`` in its zone.
"""

import asyncio
import json
import os
import signal
import socket
from pathlib import Path
from typing import Any

from core.api import (
    AuthError,
    Command,
    CommandState,
    Device,
    DeviceError,
    Entity,
    EntityKind,
    Host,
    Integration,
    Output,
    OutputKind,
    Quality,
)

DEVICE = Device(
    uid="loop",
    name="Loop",
    entities=(
        Entity(
            uid="h2s",
            name="H2S",
            kind=EntityKind.GAS,
            quantity="h2s",
            unit="ppm",
            max_age_s=10.0,
        ),
        Entity(uid="sos", name="SOS", kind=EntityKind.EVENT),
        Entity(
            uid="siren",
            name="Siren",
            kind=EntityKind.OUTPUT,
            output=Output(kind=OutputKind.SIREN, ex_rated=True, contact_zone="pump"),
        ),
    ),
)


class Loopback(Integration):
    """Report, raise events, crash or hang on demand."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._door = Path(host.options["door"])
        self._tasks: set[asyncio.Task[None]] = set()
        self._handle = host.handle("loop", "h2s")
        self._value = float(host.options.get("value", 1.0))
        self._failed: asyncio.Future[None]

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        self._failed = loop.create_future()
        self._door.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.bind(str(self._door))
            sock.setblocking(False)
            loop.add_reader(sock, self._told, sock)
            self.host.declare(DEVICE)
            self._note("started")
            try:
                while True:
                    self.host.report(self._handle, self._value, Quality.GOOD)
                    done, _ = await asyncio.wait([self._failed], timeout=0.2)
                    if done:
                        self._failed.result()
            finally:
                loop.remove_reader(sock)

    async def command(self, command: Command) -> None:
        self.host.result(command.id, CommandState.DELIVERED)
        self._note(f"command {command.entity_uid} {command.value}")
        self.host.result(command.id, CommandState.CONFIRMED)

    def _note(self, line: str) -> None:
        with self._door.with_suffix(".log").open("a") as file:
            file.write(f"{os.getpid()} {line}\n")

    def _told(self, sock: socket.socket) -> None:
        for _ in range(1_000):
            try:
                order: dict[str, Any] = json.loads(sock.recv(4096))
            except BlockingIOError:
                return
            self._obey(order)

    def _obey(self, order: dict[str, Any]) -> None:
        if "value" in order:
            self._value = float(order["value"])
            self.host.report(self._handle, self._value)
        if "values" in order:
            for value in order["values"]:
                self.host.report(self._handle, float(value))
        if "event" in order:
            self._spawn(self._event(order["event"], order["id"]))
        if "fail" in order:
            kind = {"device": DeviceError, "auth": AuthError}.get(order["fail"])
            error = kind("told so") if kind else RuntimeError("told so")
            self._failed.set_exception(error)
        if "kill" in order:
            os.kill(os.getpid(), signal.SIGKILL)

    async def _event(self, kind: str, event_id: str) -> None:
        await self.host.event("loop", kind, {}, event_id)
        self._note(f"durable {event_id}")

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
