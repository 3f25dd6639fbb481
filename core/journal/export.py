"""Export a slice of the journal to one file that proves itself.

The file holds stored frames as they are: each segment's header, a jump to the
slice (the chain it stands on), the slice up to the checkpoint that signs it,
and an end mark. Before the slice stand, each up to its own checkpoint, the events
that tell the keys of the people who signed in it. `verify` reads it without the hub.
"""

from collections import deque
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from core.journal.frame import (
    CHECKPOINT,
    EVENT,
    EXPORT,
    EXPORT_END,
    GAP,
    GENESIS,
    JUMP,
    SEGMENT,
    TAIL_BYTES,
    Checkpoint,
    ExportEnd,
    ExportHeader,
    Frame,
    Gap,
    Jump,
    SegmentHeader,
    encode,
    walk,
)
from core.journal.proofs import key_told, keys_used
from core.journal.reader import segments, starting
from core.journal.segment import Disk

_encode = msgspec.msgpack.Encoder().encode


class ExportError(Exception):
    """The slice cannot be exported; names the reason."""


class Slice(NamedTuple):
    """What an export holds: events ``first`` to ``last``, all signed."""

    first: int
    last: int
    frames: int


class _Time(msgspec.Struct):
    wall_ns: int


def slice_of(disk: Disk, since_ns: int, until_ns: int) -> tuple[int, int]:
    """Return first and last seq of the events written in a span of wall time.

    Raises ExportError when there is none.
    """
    first = last = seq = 0
    for name in segments(disk):
        for frame in walk(disk.read(name)):
            if not isinstance(frame, Frame):
                continue
            seq = _seq_after(frame, seq)
            if frame.kind == EVENT:
                wall = msgspec.msgpack.decode(frame.payload, type=_Time).wall_ns
                if since_ns <= wall < until_ns:
                    first, last = first or seq, seq
    if not first:
        raise ExportError("export: no event lies in this span of time")
    return first, last


def export(disk: Disk, target: Path, first: int, last: int) -> Slice:
    """Write the events ``first`` to ``last`` to ``target``.

    The slice goes on to the checkpoint that signs its end; where none is there
    yet, ExportError asks to wait for one (≤ 60 s). Also raises OSError.
    """
    part = target.with_name(target.name + ".part")
    told = _told_keys(disk, first, last)
    with part.open("wb") as out:
        done = _Export(out, first, last, told).run(disk)
    part.replace(target)
    return done


def _told_keys(disk: Disk, first: int, last: int) -> list[int]:
    """Return the seqs before ``first`` that tell the keys used in the slice."""
    told: dict[str, list[int]] = {}
    used: set[str] = set()
    seq = 0
    for name in segments(disk):
        if seq > last:
            break
        for frame in walk(disk.read(name)):
            if not isinstance(frame, Frame):
                continue
            seq = _seq_after(frame, seq)
            if frame.kind == EVENT and seq < first:
                for key in key_told(frame.payload):
                    told.setdefault(key, []).append(seq)
            elif frame.kind == EVENT and seq <= last:
                used |= keys_used(frame.payload)
    return sorted(seq for key in used for seq in told.get(key, ()))


class _Export:
    """Copy frames: the events that tell keys, then the slice."""

    def __init__(self, out: BinaryIO, first: int, last: int, told: list[int]) -> None:
        self._out = out
        self._first, self._last = first, last
        self._ranges = deque([*((seq, seq) for seq in told), (first, last)])
        self._frames = self._seq = self._count = 0
        self._head = GENESIS
        self._open = self._begun = False

    def run(self, disk: Disk) -> Slice:
        """Copy, and close with the end mark."""
        names = segments(disk)
        at = 0
        while at < len(names):
            if not self._open:  # leap over segments that hold nothing of it
                at = max(at, starting(disk, names, self._ranges[0][0] - 1))
            if self._copy(disk.read(names[at])):
                end = ExportEnd(frames=self._frames, last=self._seq)
                self._own(EXPORT_END, _encode(end))
                return Slice(self._first, self._seq, self._frames)
            at += 1
        raise ExportError(
            f"export: no checkpoint signs seq {self._last} yet; try again in a minute"
        )

    def _copy(self, data: bytes) -> bool:
        """Copy what belongs to the export; True when the last checkpoint is copied."""
        header: Frame | None = None
        for frame in walk(data):
            if not isinstance(frame, Frame):
                raise ExportError(
                    f"export: frame {frame.number} at byte {frame.offset} is not"
                    " sound; run 'safehold verify' on the folder"
                )
            if frame.kind == SEGMENT:
                header = frame
                self._place(frame)
                if self._open:
                    self._stored(data, frame)
                continue
            before = self._seq
            self._seq = _seq_after(frame, before)
            if not self._open and self._seq >= self._ranges[0][0] and header:
                self._begin(data, header, frame, before)
            if self._open:
                self._stored(data, frame)
            self._count += frame.kind == EVENT
            if frame.kind == CHECKPOINT and self._open and self._signed():
                return True
        return False

    def _signed(self) -> bool:
        """Close what this checkpoint signs; True when it was the slice."""
        while self._ranges and self._ranges[0][1] <= self._seq:
            self._ranges.popleft()
        if not self._ranges:
            return True
        # The next one begins right here, or has begun: nothing is leapt over.
        self._open = self._ranges[0][0] <= self._seq + 1
        return False

    def _place(self, frame: Frame) -> None:
        header = msgspec.msgpack.decode(frame.payload, type=SegmentHeader)
        self._seq, self._count = header.first_seq - 1, header.count

    def _begin(self, data: bytes, header: Frame, frame: Frame, before: int) -> None:
        if not self._begun:
            owner = msgspec.msgpack.decode(header.payload, type=SegmentHeader)
            promise = ExportHeader(
                journal=owner.journal,
                key=owner.key,
                first=self._first,
                last=self._last,
            )
            self._own(EXPORT, _encode(promise))
        self._open = self._begun = True
        self._stored(data, header)
        prev = data[frame.offset - TAIL_BYTES : frame.offset - 1]
        jump = Jump(frame=frame.number, seq=before, count=self._count, prev=prev)
        self._own(JUMP, _encode(jump))

    def _stored(self, data: bytes, frame: Frame) -> None:
        self._out.write(data[frame.offset : frame.end])
        self._head = frame.chain
        self._frames += 1

    def _own(self, kind: int, payload: bytes) -> None:
        """Write a frame of the export itself."""
        data = encode(kind, payload, self._head)
        self._out.write(data)
        self._head = data[-TAIL_BYTES:-1]
        self._frames += kind != EXPORT_END


def _seq_after(frame: Frame, seq: int) -> int:
    if frame.kind == EVENT:
        return seq + 1
    if frame.kind == GAP:
        return msgspec.msgpack.decode(frame.payload, type=Gap).last
    if frame.kind == CHECKPOINT:
        return msgspec.msgpack.decode(frame.payload, type=Checkpoint).seq
    if frame.kind == SEGMENT:
        return msgspec.msgpack.decode(frame.payload, type=SegmentHeader).first_seq - 1
    return seq
