"""The journal on disk: segments that follow each other, one ready in reserve."""

import contextlib
import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from core.clock import Clock
from core.journal.backlog import Item
from core.journal.checkpoint import Signer
from core.journal.frame import (
    CHECKPOINT,
    END,
    EVENT,
    GAP,
    GENESIS,
    GROUP,
    OVERHEAD,
    SEGMENT,
    TAIL_BYTES,
    Break,
    Fault,
    Gap,
    SegmentHeader,
    Stamp,
    encode,
)
from core.journal.reader import (
    DAMAGED,
    SUFFIX,
    Scan,
    name_of,
    number_of,
    segments,
)
from core.journal.segment import Disk, SegmentFile

RESERVE = "reserve"
_encode = msgspec.msgpack.Encoder().encode


class JournalDamaged(Exception):
    """Stored bytes were changed; names the place. See `Store.set_aside`."""

    def __init__(self, segment: int, fault: Fault) -> None:
        super().__init__(
            f"journal segment {segment}, frame {fault.number}, byte {fault.offset}:"
            " stored bytes were changed; run 'safehold verify' on the folder"
        )
        self.segment, self.frame, self.offset = segment, fault.number, fault.offset


class Options(NamedTuple):
    """Size the journal's files."""

    segment_bytes: int = 2 << 20
    reserve_bytes: int = 64 << 20
    """Deleted on a full disk to make room for events; 0 for none."""


class Tail:
    """Where the next group goes."""

    __slots__ = ("file", "number", "offset")

    def __init__(self, number: int, file: SegmentFile, offset: int) -> None:
        self.number, self.file, self.offset = number, file, offset


class Store:
    """Append groups of events durably. One writer; any method may raise OSError.

    After an error the same call may be repeated: what may lie on the disk
    from the failed one is first cut off.
    """

    def __init__(
        self,
        disk: Disk,
        signer: Signer,
        clock: Clock,
        options: Options,
        random: Callable[[int], bytes],
    ) -> None:
        self._disk, self._signer, self._clock = disk, signer, clock
        self._options = options
        self._tail: Tail | None = None
        self._spare: Tail | None = None
        self._dirty: Tail | None = None
        self._found: tuple[int, bytes] | None = None
        """Offset and bytes of the last group found; None: it is known to be durable."""
        self._last_number = 0
        self._reserved = False
        self._broken: Break | None = None
        self.journal = random(16)
        self.head = GENESIS
        self.seq = self.epoch = self.count = self.unsigned = 0
        self.torn: Fault | None = None
        """The unfinished write that opening cut off."""
        self.damage: Break | None = None
        """The damage that was set aside; a person must acknowledge it."""
        self.clean = True
        """False when the last run ended without a clean stop."""

    @classmethod
    def open(
        cls,
        disk: Disk,
        signer: Signer,
        clock: Clock,
        options: Options | None = None,
        random: Callable[[int], bytes] = os.urandom,
    ) -> "Store":
        """Find the end of the journal, or begin one; cuts a torn tail.

        Raises JournalDamaged when synced bytes were changed.
        """
        store = cls(disk, signer, clock, options or Options(), random)
        store._recover()
        return store

    @classmethod
    def set_aside(
        cls,
        disk: Disk,
        signer: Signer,
        clock: Clock,
        options: Options | None = None,
        random: Callable[[int], bytes] = os.urandom,
    ) -> "Store":
        """Retire the damaged segment, read-only, and go on behind it.

        The new segment's header names the break, so the hub keeps its record;
        what can be read of the damaged one is still read (`reader.events`).
        """
        store = cls(disk, signer, clock, options or Options(), random)
        store._recover(keep_damage=True)
        return store

    def append(
        self, group: Sequence[Item], *, sign: bool = False, clean: bool = False
    ) -> None:
        """Write one group and return when it is durable."""
        self._mend()
        size = sum(map(_room, group)) + 512  # room for a checkpoint
        tail = self._tail
        limit = self._options.segment_bytes
        if tail is None or (tail.offset and tail.offset + size > limit):
            tail = self._ready_spare()
        draft = _Draft(self)
        if tail.offset == 0:
            draft.header(tail.number)
        for item in group:
            draft.add(item)
        if sign:
            draft.checkpoint(clean=clean)
        epoch = draft.epoch()  # nothing unreadable reaches the disk
        self._dirty = tail  # until the sync returns nobody knows what lies there
        tail.file.write(tail.offset, bytes(draft.data))
        tail.file.sync()
        self._dirty = None
        tail.offset += len(draft.data)
        self.epoch = epoch
        self._settle(tail, draft)

    def prepare(self) -> None:
        """Make the spare segment and the reserve file ready; for idle times."""
        self._mend()
        self._ready_spare()
        size = self._options.reserve_bytes
        if size and self._disk.free() > 2 * size and RESERVE not in self._disk.list():
            file = self._disk.open(RESERVE, create=True)
            try:
                file.allocate(size)
            finally:
                file.close()
        self._reserved = not size or RESERVE in self._disk.list()

    @property
    def prepared(self) -> bool:
        """Say whether `prepare` has nothing to do."""
        return self._spare is not None and self._dirty is None and self._reserved

    def free_reserve(self) -> bool:
        """Delete the reserve file; returns whether there was one."""
        self._reserved = False
        if RESERVE not in self._disk.list():
            return False
        self._disk.remove(RESERVE)
        return True

    def close(self) -> None:
        """Give the files back."""
        for tail in (self._tail, self._spare):
            if tail is not None:
                tail.file.close()
        self._tail = self._spare = None

    def _settle(self, tail: Tail, draft: "_Draft") -> None:
        self.head, self.seq, self.count = draft.head, draft.seq, draft.count
        self.unsigned = draft.unsigned
        self.clean = False
        if tail is not self._spare:
            return
        old, self._tail, self._spare = self._tail, tail, None
        self._broken = None
        if old is not None:
            with contextlib.suppress(OSError):  # zeros at the end do no harm
                old.file.truncate(old.offset)
            old.file.close()

    @property
    def proven(self) -> bool:
        """Say whether all that was found when opening is known to be durable."""
        return self._found is None

    def _prove(self) -> None:
        """Make durable what a killed hub left written: whether it ever synced, and
        with what success, nobody knows. Written anew, it is on its way once more.
        """
        if self._found is not None and self._tail is not None:
            self._tail.file.write(*self._found)
            self._tail.file.sync()
        self._found = None

    def _mend(self) -> None:
        self._prove()
        if self._dirty is not None:
            self._blank(self._dirty)
            if self._dirty is not self._tail and self._dirty is not self._spare:
                self._dirty.file.close()
            self._dirty = None

    def _ready_spare(self) -> Tail:
        if self._spare is None:
            number = self._last_number + 1
            file = self._disk.open(name_of(number), create=True)
            tail = Tail(number, file, 0)
            try:
                self._blank(tail)
            except OSError:
                file.close()
                raise
            self._last_number, self._spare = number, tail
        return self._spare

    def _blank(self, tail: Tail) -> None:
        """Make all behind the offset zeros, durably: a later torn write shows.

        Written, not only reserved, so that a sync need not also change the
        file system's own records, which would wear a card four times as fast.
        """
        size = max(self._options.segment_bytes, tail.offset)
        tail.file.truncate(tail.offset)
        tail.file.allocate(size)
        tail.file.write(tail.offset, bytes(size - tail.offset))
        tail.file.sync()

    def _recover(self, *, keep_damage: bool = False) -> None:
        names = segments(self._disk)
        self._last_number = number_of(names[-1]) if names else 0
        while names and not self._resume(names, keep_damage=keep_damage):
            names.pop()
        self._broken = self.damage
        with contextlib.suppress(OSError):  # the first write tries again
            self._prove()

    def _resume(self, names: list[str], *, keep_damage: bool) -> bool:
        """Go on at the end of the last segment; False if nothing is in it."""
        name = names[-1]
        data = self._disk.read(name)
        scan = Scan(data).run()
        fault = scan.faults[0] if scan.faults else None
        if scan.header is not None and fault is None:
            fault = self._misplaced(names, scan.header)
        whole = fault is None or (fault.torn and self.torn is None)
        if fault is not None and not whole:
            self._break(name, fault, keep_damage=keep_damage)
        elif fault is not None:
            self.torn = fault
        self._adopt(scan)
        if self.damage is None:
            self._continue(name, scan, data, torn=fault is not None)
        return scan.header is not None

    def _misplaced(self, names: list[str], header: SegmentHeader) -> Fault | None:
        """Check that the segment before ends where this one begins."""
        if len(names) < 2 or header.after_damage is not None:
            return None
        before = self._disk.read(names[-2])
        if before.rstrip(b"\0").endswith(header.prev + bytes((END,))):
            return None
        return Fault(0, 0, 0, torn=False)

    def _break(self, name: str, fault: Fault, *, keep_damage: bool) -> None:
        number = number_of(name)
        retired = name.endswith(DAMAGED)
        if not keep_damage and not retired:
            raise JournalDamaged(number, fault)
        if not retired:
            self._disk.retire(name, name.removesuffix(SUFFIX) + DAMAGED)
        if self.damage is None:
            self.damage = Break(segment=number, frame=fault.number, offset=fault.offset)

    def _adopt(self, scan: Scan) -> None:
        """Take over what the end of a segment says, unless a later one did."""
        self.seq, self.epoch = max(self.seq, scan.seq), max(self.epoch, scan.epoch)
        self.count = max(self.count, scan.count)
        if scan.head and self.head == GENESIS:
            self.head, self.unsigned = scan.head, scan.unsigned
            self.clean = scan.clean and self.damage is None and self.torn is None
        if scan.header is not None:
            self.journal = scan.header.journal

    def _continue(self, name: str, scan: Scan, data: bytes, *, torn: bool) -> None:
        """Let the segment be the tail, or, if nothing is in it, the spare."""
        number, whole = number_of(name), len(data) >= self._options.segment_bytes
        if scan.header is not None:
            self._tail = Tail(number, self._disk.open(name), scan.end)
            self._found = scan.group, data[scan.group : scan.end]
            if torn or not whole:
                self._dirty = self._tail
        elif whole and not torn and self._spare is None:
            self._spare = Tail(number, self._disk.open(name), 0)
        else:
            self._last_number = number - 1
            if torn:  # or each start to come would take it for a power cut
                self._dirty = Tail(number, self._disk.open(name), 0)


class _Draft:
    """Build the bytes of one group; nothing counts until it is durable."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.data = bytearray()
        self.head, self.seq = store.head, store.seq
        self.count, self.unsigned = store.count, store.unsigned
        self._last = b""

    def header(self, number: int) -> None:
        """Open a new segment."""
        store = self._store
        header = SegmentHeader(
            journal=store.journal,
            segment=number,
            first_seq=self.seq + 1,
            count=self.count,
            prev=self.head,
            key=store._signer.public,
            wall_ns=store._clock.wall_ns(),
            epoch=store.epoch,
            after_damage=store._broken,
        )
        self._frame(SEGMENT, _encode(header))

    def add(self, item: Item) -> None:
        """Add an event or a gap; raises ValueError when the order is broken."""
        first = item.first if isinstance(item, Gap) else item.seq
        if first != self.seq + 1:
            raise ValueError(f"journal: seq {first} does not follow {self.seq}")
        if isinstance(item, Gap):
            self._frame(GAP, _encode(item))
            self.seq = item.last
            self.unsigned += 1
            return
        self._frame(EVENT, item.payload)
        self._last = item.payload
        self.seq = item.seq
        self.count += 1
        self.unsigned += 1

    def checkpoint(self, *, clean: bool) -> None:
        """Sign all before it."""
        store = self._store
        mark = store._signer.sign(
            store.journal, self.seq, self.count, self.head, clean=clean
        )
        self._frame(CHECKPOINT, mark)
        self.unsigned = 0

    def epoch(self) -> int:
        """Return the epoch of the last event."""
        if not self._last:
            return self._store.epoch
        return msgspec.msgpack.decode(self._last, type=Stamp).epoch

    def _frame(self, kind: int, payload: bytes) -> None:
        flags = 0 if self.data else GROUP
        data = encode(kind, payload, self.head, flags)
        self.head = data[-TAIL_BYTES:-1]
        self.data += data


def _room(item: Item) -> int:
    return OVERHEAD + (256 if isinstance(item, Gap) else len(item.payload))
