"""One run of the safety process, on a simulated disk and in-process lanes.

It is the product's own `Assembly`: only loop, sockets, thread and clock are
played. What a death of the process leaves behind is the disk alone.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from random import Random

from automations.engine import make
from core.clock import NS, SimClock
from core.journal import reader
from core.journal.audit import Auditor, Report
from core.journal.checkpoint import sim_signer
from core.journal.envelope import Envelope
from core.journal.events import Event
from core.journal.simdisk import SimDisk
from core.journal.store import Options
from core.journal.writer import Notice
from core.link import messages as m
from core.link import pair
from core.link.pair import PairLane
from core.link.server import Server
from core.processes.assembly import Assembly
from core.processes.ledger import Ledger
from core.registry.ids import Ids
from tests.sim import law, site

SMALL = Options(segment_bytes=64 << 10, reserve_bytes=32 << 10)
SNAPSHOT_EVENTS = 150

Receive = Callable[[m.Message], None]
Ended = Callable[[str], None]


class SimLedger(Ledger):
    """Take snapshots often, and count what waits."""

    def snapshot_due(self, seq: int) -> bool:
        """Say whether enough has been written since the last snapshot."""
        return seq - self._snapped_seq >= SNAPSHOT_EVENTS

    @property
    def waiting(self) -> bool:
        """Say whether accepted events are not on disk."""
        return self._writer.waiting

    @property
    def down(self) -> bool:
        """Say whether the disk has been told to be out of order."""
        return self._disk_down


class Shelf:
    """Serve the published bundles."""

    def read(self, digest: str) -> bytes:
        """Return a bundle's bytes; raises OSError."""
        files = site.shelf()[2] | law.shelf()
        if digest not in files:
            raise FileNotFoundError(digest)
        return files[digest]


class Accepted:
    """Remember all that was ever accepted, and what of it was called durable."""

    def __init__(self) -> None:
        self.log: list[tuple[Event, Envelope, bytes]] = []
        self.durable = 0
        """The highest seq that anybody outside was told to be on disk."""
        self.fresh: list[tuple[Event, Envelope]] = []
        """Accepted since the last look."""
        self._unseen: list[list[tuple[Event, Envelope, bytes]]] = []
        """Whole logs of lives whose end the disk did not show at the next start.

        What a store zeroed and did not sync comes back with a power cut.
        """

    def keep(self, body: Event, envelope: Envelope, data: bytes) -> None:
        """Take one accepted event."""
        self.log.append((body, envelope, data))
        self.fresh.append((body, envelope))

    def found(self, stored: Sequence[bytes]) -> None:
        """Take what the disk tells for what there is, if it was ever accepted.

        Nobody was told that the rest is durable: only that makes it final.
        """
        lives = [self.log, *self._unseen]
        self._unseen = [each for each in lives if len(each) > self.durable]
        for each in lives:
            if [data for _, _, data in each[: len(stored)]] == list(stored):
                self.log = each[: len(stored)]
                return
        self.log = self.log[: len(stored)]


class Life:
    """Run the safety process from its start to its death."""

    def __init__(
        self, disk: SimDisk, clock: SimClock, number: int, seed: int, told: Accepted
    ) -> None:
        self.clock, self.disk = clock, disk
        self.random = Random(seed * 1_000 + number)
        self._soon: deque[Callable[[], None]] = deque()
        self.server = Server(self._message, self._lost)
        self.ledger = SimLedger(
            disk, sim_signer(7, clock), clock, SMALL, Random(seed).randbytes
        )
        self.all = Assembly(
            self.ledger,
            self.server,
            Ids.seeded(clock, seed * 1_000 + number),
            clock,
            engine=make,
            bundles=Shelf(),
            secrets=lambda names: dict.fromkeys(names, "x"),
        )
        self.hub, self.kernel = self.all.hub, self.all.kernel
        self.hub.on_everything(told.keep)
        self.restarts: list[str] = []
        """Hosts that the pulse wants started afresh."""
        self.all.restart = self.restarts.append
        self.pump_ns: int | None = clock.mono_ns()
        """Boot time at which the writer looks at its work."""

    def start(self) -> None:
        """Replay, arm, recover, as the safety process does."""
        self.all.start(self._notice)
        self.turn()

    def connect(self, name: str, theirs: Receive, ended: Ended) -> list[PairLane]:
        """Connect a peer; returns its ends, the safety lane first."""
        ends: list[PairLane] = []

        def lane(
            receive: Callable[[m.Message], None], lost: Callable[[str], None]
        ) -> PairLane:
            ours, far = pair.connect(self._soon.append)
            ours.bind(receive, lost)
            far.bind(theirs, ended)
            ends.append(far)
            return ours

        self.server.adopt(name, lane, both=name.startswith("host:"))
        return ends

    def turn(self) -> None:
        """Run due timers and all deliveries, until nothing moves any more."""
        while True:
            self.all.turn()
            if not self._soon:
                return
            while self._soon:
                self._soon.popleft()()

    def pump(self, delay_ns: int) -> None:
        """Let the writer do what is due; events that come now wait ``delay_ns``."""
        wait = self.ledger.pump()
        now = self.clock.mono_ns()
        if wait is None:
            self.pump_ns = None
        else:
            self.pump_ns = now + (wait or delay_ns)

    def wake(self, delay_ns: int) -> None:
        """Plan the writer's next look when there is something to write."""
        due = self.clock.mono_ns() + delay_ns
        if self.ledger.waiting and (self.pump_ns is None or self.pump_ns > due):
            self.pump_ns = due

    def next_ns(self) -> int | None:
        """Return the boot time at which something is due by itself."""
        due = [self.hub.timers.next_ns(), self.pump_ns]
        return min((at for at in due if at is not None), default=None)

    def _notice(self, notice: Notice) -> None:
        self.all.told(notice)

    def _message(self, peer: str, message: m.Message) -> None:
        self.all.desk.receive(peer, message)

    def _lost(self, peer: str, reason: str) -> None:
        self.all.desk.lost(peer)
        if peer.startswith("host:"):
            self.all.pulse.lost(peer, reason)


def stored(disk: SimDisk) -> Iterator[bytes]:
    """Yield the payloads that are readable on the disk."""
    for found in reader.events(disk):
        if isinstance(found, reader.Event):
            yield found.payload


def audit(disk: SimDisk) -> Report:
    """Verify the journal on a simulated disk as an inspector would."""
    names = reader.segments(disk)
    while len(names) > 1 and reader.is_blank(disk.read(names[-1])):
        names.pop()
    auditor = Auditor(None, whole=True)
    for name in names:
        for _ in auditor.read(name, disk.read(name), last=name is names[-1]):
            pass
    return auditor.finish()


def seconds(ns: int) -> float:
    """Return nanoseconds as seconds."""
    return ns / NS
