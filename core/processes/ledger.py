"""The safety process's journal: open, replay, accept; notices on the loop."""

import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from core import state as states
from core.clock import NS, Clock
from core.journal import envelope, fold, reader, snapshot
from core.journal.checkpoint import Signer, load_signer
from core.journal.envelope import Effect
from core.journal.frame import Gap
from core.journal.segment import Disk, RealDisk
from core.journal.store import JournalDamaged, Options, Store
from core.journal.writer import (
    DiskFault,
    DiskOk,
    Durable,
    Gapped,
    JournalWriter,
    Notice,
    SyncWriter,
)
from core.state import SiteState

#: Events behind the last snapshot that ask for a new one.
SNAPSHOT_EVENTS = 10_000
#: A sync that takes longer makes permissive acts impossible to prove.
SLOW_NS = 2 * NS
_STOP_S = 5.0
#: What decoding or folding an event may raise that no present code can read.
_SENSELESS = (msgspec.MsgspecError, AttributeError, LookupError, TypeError, ValueError)


class Ledger:
    """Be the kernel's journal door on any disk; whoever drives it calls `pump`.

    ``durable_seq`` moves only in step with what was told.
    """

    def __init__(
        self,
        disk: Disk,
        signer: Signer,
        clock: Clock,
        options: Options | None = None,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._disk = disk
        self.damages: list[reader.Damaged] = []
        """Places that `replay` could not read."""
        damaged = False
        try:
            self._store = Store.open(disk, signer, clock, options, random)
        except JournalDamaged:
            damaged = True
            self._store = Store.set_aside(disk, signer, clock, options, random)
        self.clean = self._store.clean and not damaged
        self.cut_bytes = 0
        if self._store.torn is not None:
            self.cut_bytes = self._store.torn.end - self._store.torn.offset
        self.durable_seq = self._store.seq if self._store.proven else 0
        self._clock = clock
        self._writer: SyncWriter
        self._hear: Callable[[Notice], None]
        self._snapped_seq = 0
        self._snapping = False
        self._disk_down = False
        self.slow_ns = SLOW_NS
        """Nanoseconds of the site's clock; who runs that faster sets it."""

    # --- start ----------------------------------------------------------------

    def replay(self) -> SiteState:
        """Return the state that the journal tells, from the newest snapshot on."""
        state, self._snapped_seq = replay(self._disk, self.damages.append)
        state.seq = max(state.seq, self._store.seq)
        return state

    def start(self, hear: Callable[[Notice], None]) -> None:
        """Begin to write; ``hear`` gets the writer's notices."""
        self._hear = hear
        self._writer = SyncWriter(self._store, self._told, self._clock)

    def pump(self) -> int | None:
        """Write what is due; returns the nanoseconds until more is, None: never."""
        return self._writer.pump()

    # --- the door that the kernel sees ---------------------------------------

    def accept(
        self, seq: int, data: bytes, effect: Effect, key: str, kind: str
    ) -> None:
        """Take an event's bytes; never blocks, never raises for a disk."""
        self._writer.accept(seq, data, effect is Effect.PROTECTIVE, key, kind)

    def healthy(self) -> bool:
        """Say whether a permissive act can be made durable now."""
        return not self._disk_down and not self.slow()

    def slow(self) -> bool:
        """Say whether the disk keeps accepted events waiting for too long."""
        return self._writer.lag_ns() > self.slow_ns

    # --- snapshots ------------------------------------------------------------

    def snapshot_due(self, seq: int) -> bool:
        """Say whether enough has been written since the last snapshot."""
        return not self._snapping and seq - self._snapped_seq >= SNAPSHOT_EVENTS

    def take_snapshot(self, seq: int, data: bytes) -> None:
        """Store the state at ``seq``, which must be durable; only a cache."""
        self._snapped_seq = seq
        with contextlib.suppress(OSError):
            self._save(seq, data)

    def _save(self, seq: int, data: bytes) -> None:
        mark = reader.locate(self._disk, seq)
        if mark is not None:
            snapshot.save(self._disk, fold.FOLD_VERSION, mark, data)

    # --- end ------------------------------------------------------------------

    def stop(self, seq: int, data: bytes) -> bool:
        """Write what waits and sign the clean end; False if the disk did not."""
        clean = self._close()
        if clean and seq > self._snapped_seq:
            with contextlib.suppress(OSError):  # only a cache
                self._save(seq, data)
        return clean

    def _close(self) -> bool:
        return self._writer.close()

    def close(self) -> None:
        """Give the files back without having written."""
        self._store.close()

    # --- notices --------------------------------------------------------------

    def _told(self, notice: Notice) -> None:
        if isinstance(notice, Durable):
            self.durable_seq = notice.seq
        elif isinstance(notice, DiskOk):
            self._disk_down = False
        elif isinstance(notice, DiskFault) and notice.code != "journal_no_spare":
            self._disk_down = True
        self._hear(notice)


class Loop(Protocol):
    """What a ledger asks of its loop."""

    def call_soon(self, callback: Callable[..., object], /, *args: Notice) -> object:
        """Call in the next turn."""

    def call_soon_threadsafe(
        self, callback: Callable[..., object], /, *args: Notice
    ) -> object:
        """Call in the next turn, asked from a thread; raises RuntimeError."""


class LoopLedger(Ledger):
    """Write by a thread; its notices come on the loop."""

    def __init__(self, data: Path, clock: Clock, loop: Loop) -> None:
        self._loop = loop
        self._folder = RealDisk(data / "journal", lock=True)
        try:
            signer = load_signer(RealDisk(data / "keys"), clock)
            super().__init__(self._folder, signer, clock)
        except OSError:
            self._folder.close()  # or its lock would stand in the next try's way
            raise
        self._thread: JournalWriter

    def close(self) -> None:
        """Give files and lock back without having written."""
        super().close()
        self._folder.close()

    def start(self, hear: Callable[[Notice], None]) -> None:
        """Start the writer; ``hear`` gets its notices on the loop."""
        self._hear = hear
        self._thread = JournalWriter(
            self._store, self._from_thread, self._clock, soon=self._loop.call_soon
        )
        self._writer = self._thread
        self._thread.start()

    def take_snapshot(self, seq: int, data: bytes) -> None:
        """Store the state at ``seq``, which must be durable, beside the loop."""
        self._snapping = True
        self._snapped_seq = seq
        threading.Thread(
            target=self._snap, args=(seq, data), name="snapshot", daemon=True
        ).start()

    def _snap(self, seq: int, data: bytes) -> None:
        try:
            super().take_snapshot(seq, data)
        finally:
            self._later(self._snapped)

    def _snapped(self) -> None:
        self._snapping = False

    def _close(self) -> bool:
        return self._thread.stop(_STOP_S)

    def _from_thread(self, notice: Notice) -> None:
        self._later(self._told, notice)

    def _later(self, call: Callable[..., None], *args: Notice) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and so do we
            self._loop.call_soon_threadsafe(call, *args)


def replay(
    disk: Disk, damaged: Callable[[reader.Damaged], None]
) -> tuple[SiteState, int]:
    """Fold a journal; returns the state and the seq of the snapshot it began at.

    ``damaged`` hears of each place that cannot be read.
    """
    state, snapped = SiteState(), 0
    start: int | reader.Mark = 0
    cached = snapshot.load(disk, fold.FOLD_VERSION)
    if cached is not None:
        try:
            state, start = states.load(cached.state), cached.mark
            snapped = cached.mark.seq
        except msgspec.MsgspecError:
            state = SiteState()  # only a cache: all is read instead
    for stored in reader.events(disk, start, damaged):
        if isinstance(stored, Gap):
            state.seq = stored.last
        else:
            _fold(state, stored, damaged)
    return state, snapped


def _fold(
    state: SiteState, stored: reader.Event, damaged: Callable[[reader.Damaged], None]
) -> None:
    """Fold one event; one that makes no sense here is told like damage.

    Behind a place that cannot be read, events may speak of what nobody knows.
    A hub that therefore would not start again would protect nobody.
    """
    try:
        fold.replay(state, envelope.decode(stored.payload))
    except _SENSELESS:
        state.seq = stored.seq
        mark = stored.mark
        damaged(reader.Damaged(mark.segment, 0, mark.offset, known=False))


__all__ = ["DiskFault", "DiskOk", "Durable", "Gapped", "Ledger", "LoopLedger", "Notice"]
