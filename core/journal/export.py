"""Export a slice of the journal to one file that proves itself.

The file holds stored frames as they are: each segment's header, a jump to the
slice (the chain it stands on), the slice up to the checkpoint that signs it,
and an end mark. `verify` reads it without the hub.
"""

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
    with part.open("wb") as out:
        done = _Export(out, first, last).run(disk)
    part.replace(target)
    return done


class _Export:
    """Copy frames of a slice, keeping count."""

    def __init__(self, out: BinaryIO, first: int, last: int) -> None:
        self._out = out
        self._first, self._last = first, last
        self._frames = self._seq = self._count = 0
        self._head = GENESIS
        self._begun = False

    def run(self, disk: Disk) -> Slice:
        """Copy, and close with the end mark."""
        names = segments(disk)
        for name in names[starting(disk, names, self._first - 1) :]:
            if self._copy(disk.read(name)):
                end = ExportEnd(frames=self._frames, last=self._seq)
                self._own(EXPORT_END, _encode(end))
                return Slice(self._first, self._seq, self._frames)
        raise ExportError(
            f"export: no checkpoint signs seq {self._last} yet; try again in a minute"
        )

    def _copy(self, data: bytes) -> bool:
        """Copy what belongs to the slice; True when its checkpoint is copied."""
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
                if self._begun:
                    self._stored(data, frame)
                continue
            before = self._seq
            self._seq = _seq_after(frame, before)
            if self._seq >= self._first and header is not None:
                if not self._begun:
                    self._begin(data, header, frame, before)
                self._stored(data, frame)
            self._count += frame.kind == EVENT
            if frame.kind == CHECKPOINT and self._begun and self._seq >= self._last:
                return True
        return False

    def _place(self, frame: Frame) -> None:
        header = msgspec.msgpack.decode(frame.payload, type=SegmentHeader)
        self._seq, self._count = header.first_seq - 1, header.count

    def _begin(self, data: bytes, header: Frame, frame: Frame, before: int) -> None:
        owner = msgspec.msgpack.decode(header.payload, type=SegmentHeader)
        promise = ExportHeader(
            journal=owner.journal, key=owner.key, first=self._first, last=self._last
        )
        self._begun = True
        self._own(EXPORT, _encode(promise))
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
