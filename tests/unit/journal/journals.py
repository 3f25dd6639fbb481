"""Journals for tests: small segments, so that every path is short."""

from pathlib import Path
from random import Random

import msgspec

from core.clock import SimClock
from core.journal.backlog import Bounds, Entry
from core.journal.checkpoint import Signer, sim_signer
from core.journal.envelope import Cause, Effect, Envelope, encode
from core.journal.frame import Fault, Frame, walk
from core.journal.reader import Event, events
from core.journal.simdisk import SimDisk
from core.journal.store import Options, Store
from core.journal.writer import Durable, Notice, Pace, SyncWriter

SMALL = Options(segment_bytes=4096, reserve_bytes=0)
PACE = Pace(group_events=5, checkpoint_events=8)


def payload(
    seq: int, epoch: int = 1, text: str = "", type_: str = "test.done"
) -> bytes:
    """Return a stored envelope."""
    return encode(
        Envelope(
            epoch=epoch,
            seq=seq,
            id=f"{seq:026d}",
            type=type_,
            version=1,
            wall_ns=1_790_000_000_000_000_000 + seq * 1_000_000_000,
            sync=True,
            boot_id="b1",
            mono_ns=seq,
            cause=Cause(actor="hub:test"),
            effect=Effect.NEUTRAL,
            body=msgspec.Raw(msgspec.msgpack.encode({"text": text})),
        )
    )


def entry(seq: int, epoch: int = 1, text: str = "") -> Entry:
    """Return an accepted event."""
    return Entry(seq, payload(seq, epoch, text))


def signer(clock: SimClock) -> Signer:
    """Return the test site's signer."""
    return sim_signer(7, clock)


def reopen(disk: SimDisk, options: Options = SMALL) -> Store:
    """Open the journal on ``disk``."""
    clock = SimClock()
    rng = Random(1)
    return Store.open(disk, signer(clock), clock, options, rng.randbytes)


class Run:
    """A writer on a simulated disk, and what it told."""

    def __init__(
        self,
        disk: SimDisk,
        bounds: Bounds | None = None,
        pace: Pace = PACE,
        options: Options = SMALL,
    ) -> None:
        self.disk, self.clock, self.told = disk, SimClock(), list[Notice]()
        disk.spend = lambda ns: self.clock.advance_to(self.clock.mono_ns() + ns)
        rng = Random(1)
        self.store = Store.open(
            disk, signer(self.clock), self.clock, options, rng.randbytes
        )
        self.writer = SyncWriter(self.store, self.told.append, self.clock, bounds, pace)
        self.epoch = self.store.epoch + 1

    @property
    def durable(self) -> int:
        """Return the last seq that was told to be durable."""
        return max((n.seq for n in self.told if isinstance(n, Durable)), default=0)

    def accept(
        self,
        count: int,
        *,
        protective: bool = False,
        subject: str | None = None,
        type_: str = "",
        text: str = "",
    ) -> None:
        """Accept the next ``count`` events."""
        for _ in range(count):
            seq = self.writer.accepted_seq + 1
            data = payload(seq, self.epoch, text)
            self.writer.accept(seq, data, protective, subject, type_)

    def settle(self, seconds: float = 60) -> None:
        """Pump through ``seconds`` of virtual time, sleeping as told."""
        end = self.clock.mono_ns() + int(seconds * 1e9)
        while self.clock.mono_ns() < end:
            wait = self.writer.pump()
            if wait == 0:
                continue
            if wait is None:
                return
            self.clock.advance_to(min(end, self.clock.mono_ns() + wait))


def stored(disk: SimDisk) -> list[bytes]:
    """Return all readable payloads."""
    return [e.payload for e in events(disk) if isinstance(e, Event)]


def fill(count: int, *, group: int = 4, clean: bool = True, seed: int = 0) -> SimDisk:
    """Return a disk with a journal of ``count`` events of mixed sizes."""
    disk = SimDisk(seed)
    run = Run(disk)
    rng = Random(seed)
    while run.writer.accepted_seq < count:
        left = count - run.writer.accepted_seq
        run.accept(min(group, left), text="x" * rng.randrange(200))
        run.settle(0.01)
    if clean:
        run.writer.close()
    return disk


def save(disk: SimDisk, folder: Path) -> Path:
    """Write the simulated files to a real folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in disk.list():
        (folder / name).write_bytes(disk.read(name))
    return folder


def frames(data: bytes) -> list[Frame | Fault]:
    """Return all that `walk` yields."""
    return list(walk(data))
