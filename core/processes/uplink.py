"""The uplink: a replica that hands durable events to what owes them outside.

Optional: the keeper starts it only where ``<data>/exchange/settings.yaml`` lies.
What is owed is derived from the journal behind the service's own cursor, so that
this process may die at any moment. Missed events are read from the journal's
files; the link brings the fresh ones, which wait until they are durable.
"""

import asyncio
import importlib
import sys
from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Protocol

from core.processes import lean  # noqa: F401  (before msgspec)

from core import config  # isort: skip
from core.clock import AsyncClock
from core.journal import envelope as envelopes
from core.journal import reader
from core.journal.envelope import Envelope
from core.journal.segment import RealDisk
from core.link import messages as m
from core.link.client import Client
from core.processes.child import Control, rename

#: Named, not imported: core stands on no other room (design §4).
SERVICE = "frontend_api.exchange.service"
#: Events that wait for the disk; beyond it they are read back from the journal.
MAX_WAITING = 20_000
_BATCH = 500
_REPORT_S = 2.0


class Service(Protocol):
    """Owe records to the outside and deliver them."""

    def folded(self) -> int:
        """Return the seq of the last event taken."""

    def behind(self, epoch: int, seq: int) -> None:
        """Hear where the journal ends; one that was set back begins anew."""

    def arm(self, bundle: config.Bundle) -> None:
        """Take the names of the bundle in force."""

    def take(self, envelope: Envelope) -> None:
        """Take one durable event; they come in order, each once."""

    def faults(self) -> dict[str, str]:
        """Return condition → detail; an empty detail is well again."""

    async def run(self) -> None:
        """Deliver until cancelled."""

    def close(self) -> None:
        """Keep the place in the journal, and close."""


class Uplink:
    """Follow the journal and feed the service."""

    def __init__(self, control: Control, service: Service) -> None:
        self._control, self._service = control, service
        self._waiting: deque[Envelope] = deque()
        self._durable = self._catch = 0
        self._wake = asyncio.Event()
        self._told: dict[str, str] = {}
        self._group: asyncio.TaskGroup
        self.client = Client(self._hello, self._receive, on_up=self._told.clear)

    def _hello(self) -> m.Hello:
        return m.Hello(name=self._control.name, role="uplink", version="1")

    async def run(self) -> None:
        """Serve until the keeper says stop."""
        self._control.listen(
            lambda _name, lanes, socks: self.client.attach(lanes, socks)
        )
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(work())
                    for work in (self._follow, self._service.run, self._report)
                ]
                await self._control.stopping.wait()
                for task in tasks:
                    task.cancel()
        finally:
            self.client.detach("stop")
            self._service.close()
            self._control.close()

    def _receive(self, message: m.Message) -> None:
        match message:
            case m.Snapshot():
                self._service.arm(config.load(message.bundle))
                self._service.behind(message.epoch, message.seq)
                self._waiting.clear()
                self._catch, self._durable = message.seq, 0
            case m.Events():
                self._waiting.extend(map(envelopes.decode, message.envelopes))
                if len(self._waiting) > MAX_WAITING:
                    self._catch = self._waiting[-1].seq
                    self._waiting.clear()
                self._durable = message.durable
            case m.Armed():
                self._service.arm(config.load(message.bundle))
            case _:
                return
        self._wake.set()

    async def _follow(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._catch and self._durable >= self._catch:
                await self._catch_up(self._catch)
            if not self._catch:
                await self._take_waiting()

    async def _catch_up(self, upto: int) -> None:
        """Read what was missed from the journal's files."""
        disk = RealDisk(self._control.data / "journal")
        try:
            stored = _envelopes(disk, self._service.folded(), upto)
            while batch := await asyncio.to_thread(
                lambda: list(islice(stored, _BATCH))
            ):
                for envelope in batch:
                    self._service.take(envelope)
        finally:
            disk.close()
        if self._catch == upto:
            self._catch = 0

    async def _take_waiting(self) -> None:
        taken = 0
        while self._waiting and self._waiting[0].seq <= self._durable:
            envelope = self._waiting.popleft()
            if envelope.seq > self._service.folded():
                self._service.take(envelope)
            taken += 1
            if taken % _BATCH == 0:
                await asyncio.sleep(0)

    async def _report(self) -> None:
        """Tell core what a person must see, when it changes."""
        while True:
            faults = self._service.faults()
            news = {k: v for k, v in faults.items() if self._told.get(k) != v}
            if news and self.client.safety is not None:
                self.client.send(m.Counted({}, news))
                self._told.update(news)
            await self._control.timer.sleep(_REPORT_S)


def _envelopes(disk: RealDisk, after: int, upto: int) -> Iterator[Envelope]:
    for stored in reader.events(disk, after):
        if isinstance(stored, reader.Event):
            if stored.seq > upto:
                return
            yield envelopes.decode(stored.payload)


def _service(data: Path, timer: AsyncClock) -> Service:
    module = importlib.import_module(SERVICE)
    made: Service = module.Exchange(data, timer)
    return made


async def _main() -> int:
    control = Control.greet()
    rename("uplink")
    try:
        service = _service(control.data, control.timer)
    except (ValueError, OSError) as bad:
        # A settings file with a fault: the keeper raises it as a crashing process.
        sys.stderr.write(f"uplink: {bad}\n")
        return 1
    await Uplink(control, service).run()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_main()))
