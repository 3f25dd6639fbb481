"""Audit a journal's frames: what an inspector's `verify` stands on."""

import struct
from collections.abc import Callable, Iterator

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core.journal.frame import (
    CHECKPOINT,
    EVENT,
    EXPORT,
    EXPORT_END,
    GAP,
    GENESIS,
    JUMP,
    SEGMENT,
    Break,
    Checkpoint,
    ExportEnd,
    ExportHeader,
    Fault,
    Frame,
    Gap,
    Jump,
    SegmentHeader,
    Stamp,
    signed_bytes,
    walk,
)
from core.journal.proofs import Proofs

#: A hub signs at least every 256 events, in groups of at most 256.
UNSIGNED_MAX = 512


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Name one thing that is wrong and its place."""

    code: str
    file: str
    segment: int
    frame: int
    offset: int
    seq: int
    """The event at the place, or the last one before it."""
    detail: str = ""


class Report(msgspec.Struct, kw_only=True):
    """Say what a journal holds and what is wrong with it."""

    findings: list[Finding] = msgspec.field(default_factory=list)
    torn: Finding | None = None
    """A write that a power cut left unfinished: it was never durable."""
    files: int = 0
    frames: int = 0
    events: int = 0
    checkpoints: int = 0
    signatures: int = 0
    """People's statements that hold, each against the keys told before it."""
    gaps: list[Gap] = msgspec.field(default_factory=list)
    first_seq: int = 0
    last_seq: int = 0
    signed_seq: int = 0
    key: str = ""
    journal: str = ""

    @property
    def ok(self) -> bool:
        """Say whether nothing is wrong (a torn tail is not damage)."""
        return not self.findings


class Auditor:
    """Hold every frame against the chain, the order and the signatures.

    Carries the state of the chain from file to file.
    """

    def __init__(self, key: bytes | None, *, whole: bool) -> None:
        self.whole = whole
        self.report = Report()
        self.key = key
        self.journal = b""
        self.head: bytes | None = GENESIS
        """None behind damage: what stands before is not known."""
        self.segment = 0
        self.seq = self.epoch = self.count = 0
        self.sure = self.counted = True
        """False behind damage: seq and count are then read, not counted."""
        self.file = ""
        self.number_shift = 0
        self.ended = True
        self.promised: ExportHeader | None = None
        """What an export promises; None where there is none."""
        self.fresh = self.leaping = False
        """Right behind a segment's header; and it does not continue what was."""
        self.before = 0
        """Last event before that header."""
        self.unsigned = 0
        self.proofs = Proofs()
        self._signature: Ed25519PublicKey | None = None
        self._stamp = msgspec.msgpack.Decoder(Stamp)
        self._steps: dict[int, Callable[[Frame], None]] = {
            SEGMENT: self._on_segment,
            EVENT: self._on_event,
            GAP: self._on_gap,
            CHECKPOINT: self._on_checkpoint,
            EXPORT: self._on_export,
            JUMP: self._on_jump,
            EXPORT_END: self._on_end,
        }

    def read(self, name: str, data: bytes, *, last: bool) -> Iterator[int]:
        """Verify one file, yielding the bytes done now and then."""
        self.file, self.number_shift = name, 0
        self.report.files += 1
        frame: Frame | Fault | None = None
        for frame in walk(data):
            self.report.frames += 1
            if isinstance(frame, Fault):
                self._on_fault(frame, last=last)
            else:
                self._on_frame(frame)
            if not frame.number & 0xFFF:
                yield frame.offset
        if frame is None and not last:
            self.find("blank_segment", Fault(0, 0, 0, torn=False))

    def find(self, code: str, at: Frame | Fault, detail: str = "") -> None:
        """Note something wrong."""
        self.report.findings.append(self._finding(code, at, detail))

    def _finding(self, code: str, at: Frame | Fault, detail: str) -> Finding:
        return Finding(
            code=code,
            file=self.file,
            segment=self.segment,
            frame=at.number + self.number_shift,
            offset=at.offset,
            seq=self.seq,
            detail=detail,
        )

    def _on_fault(self, fault: Fault, *, last: bool) -> None:
        if fault.torn and last:
            self.report.torn = self._finding("torn_tail", fault, "")
            return
        if not fault.number and self.file[:8].isdigit():
            self.segment = int(self.file[:8])  # its header cannot say
        self.seq += self.sure  # most likely the very next event
        self.find("bytes_changed", fault)
        self.sure = self.counted = False
        self.head = None

    def _on_frame(self, frame: Frame) -> None:
        if self.leaping and frame.kind != JUMP:
            self.find("segment_misplaced", frame)
        self.leaping = False
        try:
            self._steps[frame.kind](frame)
        except (msgspec.MsgspecError, ValueError, struct.error) as error:
            self.find("unreadable", frame, str(error))
        self.fresh = frame.kind == SEGMENT
        if frame.kind != JUMP:
            self.head = frame.chain

    def _on_segment(self, frame: Frame) -> None:
        header = msgspec.msgpack.decode(frame.payload, type=SegmentHeader)
        self.number_shift = -frame.number
        self._check_owner(frame, header.journal, header.key)
        before, self.segment = self.segment, header.segment
        self.before = self.seq
        if header.after_damage is not None:
            self._on_break(frame, header.after_damage)
        elif self._may_leap(before):
            self.leaping = not self._continues(header, before)
        elif before or self.whole:
            self._check_place(frame, header, before)
        if not before:
            self.report.first_seq = header.first_seq
        self.seq, self.count = header.first_seq - 1, header.count
        self.sure = self.counted = True

    def _may_leap(self, before: int) -> bool:
        """Say whether an export may go on elsewhere: behind what is signed."""
        return self.promised is not None and before > 0 and not self.unsigned

    def _continues(self, header: SegmentHeader, before: int) -> bool:
        at = (header.segment, header.prev, header.first_seq)
        return at == (before + 1, self.head, self.seq + 1)

    def _check_place(self, frame: Frame, header: SegmentHeader, before: int) -> None:
        if header.segment != before + 1:
            self.find("segment_missing", frame, f"after segment {before}")
        elif self.head is not None and header.prev != self.head:
            self.find("segment_misplaced", frame)
        elif self.sure and header.first_seq != self.seq + 1:
            self.find("seq_broken", frame, f"header says {header.first_seq}")

    def _on_break(self, frame: Frame, after: Break) -> None:
        """Tell of a break that the hub noted, though its cause may be elsewhere."""
        place = f"segment {after.segment}, frame {after.frame}, byte {after.offset}"
        self.find("chain_begun_anew", frame, place)

    def _check_owner(self, frame: Frame, journal: bytes, key: bytes) -> None:
        if self.journal and journal != self.journal:
            self.find("other_journal", frame, journal.hex())
        if self.key is not None and key != self.key:
            self.find("other_key", frame, key.hex())
        self.journal, self.key = journal, key
        self._signature = Ed25519PublicKey.from_public_bytes(key)

    def _on_event(self, frame: Frame) -> None:
        stamp = self._stamp.decode(frame.payload)
        self.report.events += 1
        self.count += 1
        self.unsigned += 1
        if self.unsigned == UNSIGNED_MAX:
            self.find("unsigned", frame)
        if self.sure and stamp.seq != self.seq + 1:
            self.find("seq_broken", frame, f"event says {stamp.seq}")
        if stamp.epoch < self.epoch:
            self.find("epoch_fell", frame, f"{self.epoch} to {stamp.epoch}")
        self.seq, self.epoch, self.sure = stamp.seq, stamp.epoch, True
        for code, detail in self.proofs.look(frame.payload):
            # One segment alone does not hold the keys that were told before it.
            if code != "key_unknown" or self.whole or self.promised:
                self.find(code, frame, detail)

    def _on_gap(self, frame: Frame) -> None:
        gap = msgspec.msgpack.decode(frame.payload, type=Gap)
        if self.sure and gap.first != self.seq + 1:
            self.find("seq_broken", frame, f"gap says {gap.first}")
        self.report.gaps.append(gap)
        self.seq, self.sure = gap.last, True

    def _on_checkpoint(self, frame: Frame) -> None:
        mark = msgspec.msgpack.decode(frame.payload, type=Checkpoint)
        self.unsigned = 0
        if self._signature is None or self.head is None:
            return  # the frame before is damaged, and named
        try:
            signed = signed_bytes(self.journal, mark, self.head)
            self._signature.verify(mark.sig, signed)
        except InvalidSignature:
            self.find("checkpoint_forged", frame)
            return
        wrong = self.counted and mark.count != self.count
        if wrong or (self.sure and mark.seq != self.seq):
            self.find("checkpoint_miscounts", frame, f"{mark.seq}, {mark.count}")
        self.seq, self.count = mark.seq, mark.count
        self.sure = self.counted = True
        self.report.checkpoints += 1
        self.report.signed_seq = mark.seq

    def _on_export(self, frame: Frame) -> None:
        header = msgspec.msgpack.decode(frame.payload, type=ExportHeader)
        if frame.number or self.whole:
            self.find("out_of_place", frame)
            return
        self._check_owner(frame, header.journal, header.key)
        self.promised, self.ended = header, False

    def _on_jump(self, frame: Frame) -> None:
        jump = msgspec.msgpack.decode(frame.payload, type=Jump)
        promised = self.promised
        # A jump hides what it leaps over: nothing of what is promised.
        if (
            promised is None
            or not self.fresh
            or self.unsigned
            or not self.before <= jump.seq < promised.first
        ):
            self.find("out_of_place", frame)
            self.head = None
            return
        # What lies before a jump tells the keys of what comes after it.
        self.report.events = self.proofs.checked = 0
        self.seq, self.count, self.head = jump.seq, jump.count, jump.prev
        self.sure = self.counted = True
        self.number_shift = jump.frame - frame.number - 1
        self.report.first_seq = jump.seq + 1

    def _on_end(self, frame: Frame) -> None:
        end = msgspec.msgpack.decode(frame.payload, type=ExportEnd)
        self.ended = True
        short = self.promised is not None and self.seq < self.promised.last
        told = (end.frames, end.last)
        if short or (self.sure and told != (frame.number, self.seq)):
            self.find("export_incomplete", frame, f"{end.frames} frames promised")

    def finish(self) -> Report:
        """Close the report."""
        if not self.whole and not self.journal:
            self.find("no_journal", Fault(0, 0, 0, torn=False))
        if not self.ended:
            self.find("export_cut", Fault(self.report.frames, 0, 0, torn=False))
        self.report.last_seq = self.seq
        self.report.signatures = self.proofs.checked
        self.report.key = (self.key or b"").hex()
        self.report.journal = self.journal.hex()
        return self.report
