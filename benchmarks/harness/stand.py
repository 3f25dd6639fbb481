"""One broker, one system, one stopwatch; a life is one start of the system."""

import asyncio
import contextlib
import json
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import machine
from benchmarks.harness.probe import Probe, Run, rank
from benchmarks.harness.systems import System

#: The load runs this long before the first alarm.
LEAD_S = 0.8
#: p99 beyond it is not kept up with.
LIMIT_S = 1.0
SAFETY = "sh-core"


@dataclass
class Start:
    """What a start took; ``armed_s`` counts from the safety process's own start."""

    first_s: float
    armed_s: float | None = None


class Stand:
    """Start the system as often as needed, on one folder."""

    def __init__(
        self, kind: type[System], detectors: int, where: Path, alarms: float
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"bench-{kind.name}-", dir=where))
        self.detectors, self.alarms = detectors, alarms
        self._broker = machine.Broker(self.folder)
        self.system = kind(self.folder, self._broker.port, detectors)
        self._probe = Probe(detectors)
        self._process: machine.Process | None = None
        self._lives = 0
        self._notify = f"@{self.folder.name}"

    @property
    def pid(self) -> int:
        """Return the running system's first process."""
        assert self._process is not None
        return self._process.pid

    @property
    def broker_pid(self) -> int:
        """Return its broker's process."""
        return self._broker.process.pid

    async def open(self) -> None:
        """Announce the devices and let every detector answer once."""
        await self._probe.open(self._broker.port)
        self.system.prepare()
        for topic, payload in self.system.retained():
            self._probe.publish(topic, payload, retain=True)
        await asyncio.sleep(0.3)
        async with self.life():
            await self._probe.all_answer(self.system.patience_s)
            # Runs end within a second of their alarm: the next start finds none.
            await asyncio.sleep(2.5)

    def close(self, keep: bool = False) -> None:
        """End everything and delete the folder."""
        if self._process is not None:
            self._process.stop()
        self._probe.close()
        self._broker.stop()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    @contextlib.asynccontextmanager
    async def life(self) -> AsyncIterator[Start]:
        """Start the system and wait for its first command; stop it at the end."""
        number = self._first()
        self._lives += 1
        with self._door() as door:
            began = time.perf_counter()
            env = {**self.system.env(), "NOTIFY_SOCKET": self._notify}
            process = machine.Process(self.system.command(), self.system.log, env)
            self._process = process
            try:
                ready = asyncio.create_task(self._ready(door))
                first = await self._probe.first_answer(
                    number, self.system.patience_s, process.alive
                )
                ready.cancel()
                armed = ready.result() if ready.done() else None
                yield Start(first - began, self._since_start(armed))
            finally:
                process.stop()
                self._process = None

    async def measure(
        self, rate: int, seconds: float | None = None, *, every: int = 1
    ) -> Run:
        """Alarm each detector once beside ``rate`` readings a second.

        The detector that answered the start is left out: no source may come more
        than twice a minute, or the hub rightly calls it a chattering one.
        """
        done = (self._lives - 1) % self.detectors
        numbers = [n for n in range(0, self.detectors, every) if n != done]
        pace = len(numbers) / seconds if seconds else self.alarms
        load = await self._load(rate, len(numbers) / pace) if rate else None
        dropped = self._probe.dropped
        pids = machine.tree(self.pid)
        busy, began = machine.cpu_seconds(pids), time.perf_counter()
        run = await self._probe.measure(numbers, pace)
        run.cores = (machine.cpu_seconds(pids) - busy) / (time.perf_counter() - began)
        run.asked_rate = rate
        if load is not None:
            said = (await load.communicate())[0]
            run.sent_rate = float(json.loads(said)["rate"])
            await asyncio.sleep(1.1)  # the broker's next word on what it dropped
            run.dropped = self._probe.dropped - dropped
        return run

    async def _load(self, rate: int, seconds: float) -> asyncio.subprocess.Process:
        # Until the last alarm is calm again, and a little longer.
        span = LEAD_S + seconds + 0.2
        load = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "benchmarks.harness.load",
            *map(str, (self._broker.port, rate, span, self.detectors)),
            stdout=asyncio.subprocess.PIPE,
            cwd=machine.ROOT,
        )
        await asyncio.sleep(LEAD_S)
        return load

    def _first(self) -> int:
        return self._lives % self.detectors

    @contextlib.contextmanager
    def _door(self) -> Iterator[socket.socket]:
        """Open the door at which a process says that it is ready (sd_notify)."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            # An abstract name: a path may be too long for a socket.
            sock.bind("\0" + self._notify[1:])
            sock.setblocking(False)
            yield sock

    async def _ready(self, door: socket.socket) -> float:
        """Return when READY=1 was said, in seconds since the machine's start."""
        loop = asyncio.get_running_loop()
        while b"READY=1" not in await loop.sock_recv(door, 4096):
            pass
        return machine.boot_s()

    def _since_start(self, armed: float | None) -> float | None:
        core = [p for p in machine.tree(self.pid) if machine.name_of(p) == SAFETY]
        if armed is None or not core:
            return None
        return armed - machine.started_s(core[0])


def kept_up(run: Run) -> bool:
    """Say whether all was judged, recorded and in time under the asked load."""
    return (
        not (run.lost or run.dropped or run.coalesced or run.unrecorded)
        and rank(run.latencies, 0.99) <= LIMIT_S
        and run.sent_rate >= 0.97 * run.asked_rate
    )
