"""A real hub under test: the keeper and all its children on a temporary folder."""

import asyncio
import getpass
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from core import config
from core import state as states
from core.journal import envelope as envelopes
from core.journal import fold
from core.journal.envelope import Envelope
from core.journal.events import Event
from core.journal.segment import RealDisk
from core.link import messages as m
from core.link.client import Client
from core.processes.acts import ArmConfig
from core.processes.guest import NotRunning, ask
from core.state import SiteState
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[2]
QUIET = tuple(
    word
    for name in ("gateway", "notifier", "discovery")
    for word in ("--without", name)
)


class Viewer:
    """A replica of core: the folded state, every event since, live rows, acts."""

    def __init__(self, hub: "RunningHub") -> None:
        self._hub = hub
        self.state = SiteState()
        self.bundle = config.EMPTY
        self.events: list[tuple[Event, Envelope]] = []
        self.durable = 0
        self.live: dict[str, m.LiveRow] = {}
        self.hosts = m.HostStates({}, [])
        self.snapshots = 0
        self._replies: dict[str, asyncio.Future[m.ActReply]] = {}
        self._numbers = itertools.count(1)
        self.client = Client(self._hello, self._take)

    def _hello(self) -> m.Hello:
        return m.Hello(name="viewer", role="viewer", version="1")

    async def connect(self) -> None:
        """Attach through the keeper's control socket and wait for the snapshot."""
        answer, socks = ask(self._hub.data, {"op": "attach"})
        assert answer["op"] == "done", answer
        before = self.snapshots
        self.client.attach(["safety"], socks)
        await until(lambda: self.snapshots > before, "snapshot of core")

    @property
    def connected(self) -> bool:
        return self.client.safety is not None

    @property
    def hears(self) -> bool:
        """Say whether a detector has been heard: a good number is shown."""
        rows = self.live.values()
        return any(r.quality == 0 and type(r.value) is float for r in rows)

    def seen(self, name: str) -> list[Event]:
        """Return the events of a type, such as ``alarm.raised``."""
        return [body for body, _ in self.events if body.name_ == name]

    async def act(
        self,
        verb: str,
        act: msgspec.Struct,
        person: str = "",
        version: int | None = None,
    ) -> m.ActReply:
        """Ask for an act and return core's answer."""
        number = f"v{next(self._numbers)}"
        loop = asyncio.get_running_loop()
        future: asyncio.Future[m.ActReply] = loop.create_future()
        self._replies[number] = future
        self.client.send(
            m.ActRequest(
                id=number,
                person_id=person or getpass.getuser(),
                verb=verb,
                body=msgspec.msgpack.encode(act),
                expected_version=version,
            )
        )
        async with asyncio.timeout(10):
            return await future

    def _take(self, message: m.Message) -> None:
        match message:
            case m.Snapshot():
                self.state = states.load(message.state)
                self.bundle = config.load(message.bundle)
                self.snapshots += 1
            case m.Events():
                for data in message.envelopes:
                    wrapped = envelopes.decode(data)
                    self.events.append((fold.replay(self.state, wrapped), wrapped))
                self.durable = message.durable
            case m.Armed():
                self.bundle = config.load(message.bundle)
            case m.Live():
                self.live.update({row.entity_id: row for row in message.rows})
            case m.HostStates():
                self.hosts = message
            case m.ActReply():
                future = self._replies.pop(message.id, None)
                if future is not None and not future.done():
                    future.set_result(message)

    def close(self) -> None:
        """End the link."""
        self.client.detach()


class RunningHub:
    """Run ``safehold run`` on ``data``; use as an async context manager.

    ``bundle`` is stored and armed by the operator's act. ``args`` go to
    ``safehold run``; the gateway and the notifier are left out by default.
    """

    def __init__(
        self,
        data: Path,
        bundle: config.Bundle | None = None,
        *,
        args: Sequence[str] = QUIET,
    ) -> None:
        self.data = data
        self.bundle = bundle
        self._args = args
        self._viewers: list[Viewer] = []
        self.process: subprocess.Popen[bytes]
        self.log = data.with_name(f"{data.name}.log")

    async def __aenter__(self) -> "RunningHub":
        await self.start()
        try:
            if self.bundle is not None:
                await self.arm(self.bundle)
        except BaseException:
            await self.stop()  # nobody leaves what was never entered
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start the keeper and wait until core is armed."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "core.cli",
                    "run",
                    "--data",
                    str(self.data),
                    *self._args,
                ],
                cwd=ROOT,
                stderr=log,
                stdout=log,
            )
        try:
            await until(self.ready, f"hub armed; its log is {self.log}")
        except AssertionError:
            sys.stderr.write(self.log.read_text())
            await self.stop()
            raise

    async def stop(self) -> int:
        """End the hub in order; returns the keeper's exit status."""
        for viewer in self._viewers:
            viewer.close()
        self._viewers.clear()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            await until(lambda: self.process.poll() is not None, "keeper ended")
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
        return self.process.returncode

    def status(self) -> dict[str, Any]:
        """Return the keeper's status; {} while it does not listen."""
        try:
            return ask(self.data, {"op": "status"})[0]
        except NotRunning:
            return {}

    def ready(self) -> bool:
        """Say whether core is armed."""
        assert self.process.poll() is None, f"hub ended; its log is {self.log}"
        return bool(self.status().get("ready"))

    def child(self, name: str) -> dict[str, Any]:
        """Return state, pid, starts and detail of a process; {} if unknown."""
        return dict(self.status().get("processes", {}).get(name, {}))

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        """Send a signal to a child; returns its pid."""
        pid = int(self.child(name)["pid"])
        os.kill(pid, number)
        return pid

    async def attach(self) -> Viewer:
        """Return a new viewer of core."""
        viewer = Viewer(self)
        await viewer.connect()
        self._viewers.append(viewer)
        return viewer

    async def arm(self, bundle: config.Bundle) -> str:
        """Store a bundle and arm it; returns its hash."""
        data = config.dump(bundle)
        digest = config.digest(data)
        folder = self.data / "bundles"
        folder.mkdir(exist_ok=True)
        (folder / f"{digest}.bundle").write_bytes(data)
        viewer = await self.attach()
        reply = await viewer.act("config.arm", ArmConfig(hash=digest))
        assert reply.ok, reply
        return digest

    def journal(self) -> list[tuple[Event, Envelope]]:
        """Return every stored event, for use after `stop`."""
        from core.journal import reader
        from core.journal.events import decode_body

        found = []
        disk = RealDisk(self.data / "journal")
        try:
            for stored in reader.events(disk):
                if isinstance(stored, reader.Event):
                    wrapped = envelopes.decode(stored.payload)
                    found.append((decode_body(wrapped), wrapped))
        finally:
            disk.close()
        return found


class Loop:
    """Talk to the `tests.support.loopback` integration of a running hub."""

    def __init__(self, folder: Path) -> None:
        self.door = folder / "door"
        self.log = self.door.with_suffix(".log")

    def tell(self, **order: Any) -> None:
        """Send one order, such as ``value=20.0`` or ``fail="device"``."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(json.dumps(order).encode(), str(self.door))

    def notes(self) -> list[str]:
        """Return what the integration wrote down, each with its pid."""
        return self.log.read_text().splitlines() if self.log.exists() else []

    def config(self, **options: object) -> config.IntegrationConfig:
        """Return the integration's configuration for a bundle."""
        return config.IntegrationConfig(
            id="loop",
            integration="tests.support.loopback",
            options={"door": str(self.door), **options},
        )


NAMES = config.Names(zh="泵房", en="Pump room")
SQUARE = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0))
PUMP = config.Zone(id="pump", names=NAMES, level="ground", polygon=SQUARE)
HIGH = config.Limit(
    condition="high",
    kind="gas.toxic",
    unit="ppm",
    above=10.0,
    priority=1,
    life_safety=True,
)
H2S = config.Quantity(
    id="h2s", names=NAMES, unit="ppm", gas_class="toxic", limits=(HIGH,)
)


def small_site(*integrations: config.IntegrationConfig) -> config.Bundle:
    """Return a site of one zone ``pump`` with H2S limits and the given hosts."""
    levels = (config.Level(id="ground", names=NAMES),)
    return config.Bundle(
        site=config.Site(id="site", names=NAMES, levels=levels, zones=(PUMP,)),
        quantities=(H2S,),
        devices=tuple(
            config.DeviceRule(
                integration=each.id, uid="*", zone="pump", critical=("h2s",)
            )
            for each in integrations
        ),
        integrations=integrations,
    )


@asynccontextmanager
async def loop_hub(
    folder: Path, **options: object
) -> AsyncIterator[tuple[RunningHub, Viewer, Loop]]:
    """Yield a hub whose loopback device has been heard, a viewer and its strings."""
    loop = Loop(folder)
    hub = RunningHub(folder / "data", small_site(loop.config(**options)))
    async with hub:
        viewer = await hub.attach()
        await until(lambda: viewer.state.registry.devices, "device enrolled")
        await until(
            lambda: any(r.value == 1.0 for r in viewer.live.values()), "reading"
        )
        yield hub, viewer, loop
