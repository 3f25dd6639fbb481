"""Read the journal back: its segments, its events, and where a seq lies."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from core.journal.frame import (
    CHECKPOINT,
    EVENT,
    GAP,
    GROUP,
    SEGMENT,
    TAIL_BYTES,
    Checkpoint,
    Fault,
    Frame,
    Gap,
    SegmentHeader,
    Stamp,
    walk,
)
from core.journal.segment import Disk

SUFFIX, DAMAGED = ".seg", ".damaged"

_header = msgspec.msgpack.Decoder(SegmentHeader)
_stamp = msgspec.msgpack.Decoder(Stamp)
_gap = msgspec.msgpack.Decoder(Gap)
_checkpoint = msgspec.msgpack.Decoder(Checkpoint)


class Mark(NamedTuple):
    """A place in the journal: behind the event ``seq``."""

    segment: int
    offset: int
    seq: int
    chain: bytes


class Event(NamedTuple):
    """One stored event and the place behind it."""

    seq: int
    payload: bytes
    mark: Mark


class Damaged(NamedTuple):
    """A place where stored events cannot be read; whoever folds must tell it."""

    segment: int
    frame: int
    offset: int
    known: bool
    """The store has set the segment aside and told of it before."""


class Scan:
    """Walk one segment and know, at its end, all that the store needs.

    A seq is a place in the order; only behind a fault it is read from the
    event itself.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.header: SegmentHeader | None = None
        self.faults: list[Fault] = []
        self.seq = self.count = self.epoch = self.unsigned = self.end = 0
        self.group = 0
        """Offset of the last group: what is before it was synced before it came."""
        self.head = b""
        self.clean = False

    def events(self) -> Iterator[tuple[Frame, int]]:
        """Yield event and gap frames with their (last) seq."""
        for frame in walk(self.data):
            if isinstance(frame, Fault):
                self.faults.append(frame)
                continue
            self.head, self.end, self.clean = frame.chain, frame.end, False
            if frame.flags & GROUP:
                self.group = frame.offset
            try:
                known = self._take(frame)
            except msgspec.MsgspecError:
                known = False
            if not known:  # chained, yet not ours: forged
                fault = Fault(frame.number, frame.offset, frame.end, torn=False)
                self.faults.append(fault)
                continue
            if frame.kind in (EVENT, GAP):
                yield frame, self.seq

    def run(self) -> "Scan":
        """Walk to the end."""
        for _ in self.events():
            pass
        return self

    def _take(self, frame: Frame) -> bool:
        if frame.kind == EVENT:
            self._event(frame)
        elif frame.kind == GAP:
            self.seq = _gap.decode(frame.payload).last
        elif frame.kind == CHECKPOINT:
            self._checkpoint(frame)
        elif frame.kind == SEGMENT and frame.number == 0:
            self._header(frame)
        else:
            return False
        return True

    def _event(self, frame: Frame) -> None:
        stamp = _stamp.decode(frame.payload)
        self.seq = stamp.seq if self.faults else self.seq + 1
        self.epoch = max(self.epoch, stamp.epoch)
        self.count += 1
        self.unsigned += 1

    def _checkpoint(self, frame: Frame) -> None:
        mark = _checkpoint.decode(frame.payload)
        self.seq, self.count, self.unsigned = mark.seq, mark.count, 0
        self.clean = mark.clean

    def _header(self, frame: Frame) -> None:
        self.header = _header.decode(frame.payload)
        self.seq, self.count = self.header.first_seq - 1, self.header.count
        self.epoch = self.header.epoch


def name_of(number: int) -> str:
    """Return the file name of a segment."""
    return f"{number:08d}{SUFFIX}"


def number_of(name: str) -> int:
    """Return the number in a segment's file name."""
    return int(name.partition(".")[0])


def segments(disk: Disk) -> list[str]:
    """Return the names of all segments in order, damaged ones included."""
    return sorted(
        name
        for name in disk.list()
        if name.endswith((SUFFIX, DAMAGED)) and name[:8].isdigit()
    )


def is_blank(data: bytes) -> bool:
    """Say whether a segment was never written to."""
    return not data.strip(b"\0")


def _first_frame(disk: Disk, name: str) -> SegmentHeader | None:
    first = next(walk(disk.read(name, 4096)), None)
    if isinstance(first, Frame) and first.kind == SEGMENT:
        return _header.decode(first.payload)
    return None


def events(
    disk: Disk,
    after: int | Mark = 0,
    damaged: Callable[[Damaged], None] | None = None,
) -> Iterator[Event | Gap]:
    """Yield all readable events behind a seq or a `Mark`.

    ``damaged`` is told, before the event that follows, what cannot be read;
    whoever folds state must ask for it. The unfinished write at the journal's
    end is no damage.
    """
    tell = damaged or (lambda _: None)
    seq = after.seq if isinstance(after, Mark) else after
    names = segments(disk)
    torn: Damaged | None = None
    for name in names[starting(disk, names, seq) :]:
        scan = Scan(disk.read(name))
        told = 0
        for frame, last in scan.events():
            if torn is not None:
                tell(torn)  # written on behind it: it was no unfinished write
                torn = None
            for fault in scan.faults[told:]:
                tell(_damaged(name, fault))
            told = len(scan.faults)
            if last > seq:
                yield _read(name, frame, last)
        for fault in scan.faults[told:]:
            if fault.torn:
                torn = _damaged(name, fault)
            else:
                tell(_damaged(name, fault))


def _damaged(name: str, fault: Fault) -> Damaged:
    known = name.endswith(DAMAGED)
    return Damaged(number_of(name), fault.number, fault.offset, known)


def _read(name: str, frame: Frame, last: int) -> Event | Gap:
    if frame.kind == GAP:
        return _gap.decode(frame.payload)
    return Event(
        last, frame.payload, Mark(number_of(name), frame.end, last, frame.chain)
    )


def starting(disk: Disk, names: list[str], seq: int) -> int:
    """Return the index of the segment that holds the event behind ``seq``."""
    for index in range(len(names) - 1, 0, -1):
        header = _first_frame(disk, names[index])
        if header is not None and header.first_seq <= seq + 1:
            return index
    return 0


def locate(disk: Disk, seq: int) -> Mark | None:
    """Return the mark behind a stored event, or None if it is not there."""
    for event in events(disk, seq - 1):
        if isinstance(event, Event):
            return event.mark if event.seq == seq else None
    return None


def holds(disk: Disk, mark: Mark) -> bool:
    """Say whether the journal still has just this chain at this place."""
    for name in (name_of(mark.segment), f"{mark.segment:08d}{DAMAGED}"):
        if name in disk.list():
            data = disk.read(name)
            return data[mark.offset - TAIL_BYTES : mark.offset - 1] == mark.chain
    return False
