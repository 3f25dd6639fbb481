"""Verify a journal without the hub: folder, segment or export file.

A program of its own: standard library, msgspec, cryptography and `frame`. It
holds every byte against the chain, the order, and the signed checkpoints, and
names the frame that is wrong. What no chain can show is an end that was cut
off whole, or a journal rewritten with another key: compare `--key` and the
last signed seq with what was noted elsewhere.
"""

import argparse
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

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

OK, DAMAGED, USAGE = 0, 1, 2
#: Bytes that are verified within a second, without a progress bar.
SMALL = 16 << 20
Progress = Callable[[int, int], None]


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


class _Verifier:
    """Carry the state of the chain from file to file."""

    def __init__(self, key: bytes | None, *, whole: bool) -> None:
        self.whole = whole
        self.report = Report()
        self.key = key
        self.journal = b""
        self.head: bytes | None = GENESIS
        self.segment = 0
        self.seq = self.epoch = self.count = 0
        self.sure = self.counted = True
        """False behind damage: seq and count are then read, not counted."""
        self.file = ""
        self.number_shift = 0
        self.ended = True
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
        try:
            self._steps[frame.kind](frame)
        except (msgspec.MsgspecError, ValueError, struct.error) as error:
            self.find("unreadable", frame, str(error))
        if frame.kind != JUMP:
            self.head = frame.chain

    def _on_segment(self, frame: Frame) -> None:
        header = msgspec.msgpack.decode(frame.payload, type=SegmentHeader)
        self.number_shift = -frame.number
        self._check_owner(frame, header.journal, header.key)
        before, self.segment = self.segment, header.segment
        if header.after_damage is not None:
            self._on_break(frame, header.after_damage)
        elif before or self.whole:
            self._check_place(frame, header, before)
        if not before:
            self.report.first_seq = header.first_seq
        self.seq, self.count = header.first_seq - 1, header.count
        self.sure = self.counted = True

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
        if self.sure and stamp.seq != self.seq + 1:
            self.find("seq_broken", frame, f"event says {stamp.seq}")
        if stamp.epoch < self.epoch:
            self.find("epoch_fell", frame, f"{self.epoch} to {stamp.epoch}")
        self.seq, self.epoch, self.sure = stamp.seq, stamp.epoch, True

    def _on_gap(self, frame: Frame) -> None:
        gap = msgspec.msgpack.decode(frame.payload, type=Gap)
        if self.sure and gap.first != self.seq + 1:
            self.find("seq_broken", frame, f"gap says {gap.first}")
        self.report.gaps.append(gap)
        self.seq, self.sure = gap.last, True

    def _on_checkpoint(self, frame: Frame) -> None:
        mark = msgspec.msgpack.decode(frame.payload, type=Checkpoint)
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
        self._check_owner(frame, header.journal, header.key)
        self.ended = False
        self.head = None

    def _on_jump(self, frame: Frame) -> None:
        jump = msgspec.msgpack.decode(frame.payload, type=Jump)
        self.seq, self.count, self.head = jump.seq, jump.count, jump.prev
        self.sure = self.counted = True
        self.number_shift = jump.frame - frame.number - 1
        self.report.first_seq = jump.seq + 1

    def _on_end(self, frame: Frame) -> None:
        end = msgspec.msgpack.decode(frame.payload, type=ExportEnd)
        self.ended = True
        if self.sure and (end.frames, end.last) != (frame.number, self.seq):
            self.find("export_incomplete", frame, f"{end.frames} frames promised")

    def finish(self) -> Report:
        """Close the report."""
        if not self.whole and not self.journal:
            self.find("no_journal", Fault(0, 0, 0, torn=False))
        if not self.ended:
            self.find("export_cut", Fault(self.report.frames, 0, 0, torn=False))
        self.report.last_seq = self.seq
        self.report.key = (self.key or b"").hex()
        self.report.journal = self.journal.hex()
        return self.report


def verify(
    path: Path, key: bytes | None = None, progress: Progress | None = None
) -> Report:
    """Verify a journal folder, a segment or an export; raises OSError.

    ``key``: the site's public key as noted elsewhere. ``progress`` is called
    with bytes done and bytes in all.
    """
    files = _files(path)
    total = sum(file.stat().st_size for file in files)
    verifier = _Verifier(key, whole=path.is_dir())
    done = 0
    for file in files:
        data = file.read_bytes()
        for at in verifier.read(file.name, data, last=file is files[-1]):
            if progress is not None:
                progress(done + at, total)
        done += len(data)
    return verifier.finish()


def _files(path: Path) -> list[Path]:
    """Return the files to verify, without the blank spare at the end."""
    if path.is_file():
        return [path]
    files = sorted([*path.glob("*.seg"), *path.glob("*.damaged")])
    if not files:
        raise FileNotFoundError(f"{path}: no journal segment (*.seg) is here")
    while len(files) > 1 and not files[-1].read_bytes().strip(b"\0"):
        files.pop()
    return files


_TEXTS = {
    "en": {
        "bytes_changed": "stored bytes were changed",
        "blank_segment": "segment is empty, but others follow it",
        "unreadable": "frame is chained but cannot be read",
        "chain_begun_anew": "the hub found damage and began a new chain, behind",
        "segment_missing": "a segment is missing",
        "segment_misplaced": "segment does not continue the one before it",
        "seq_broken": "sequence numbers do not follow each other",
        "epoch_fell": "epoch went backwards",
        "other_journal": "segment belongs to another journal",
        "other_key": "signed with another key",
        "checkpoint_forged": "checkpoint's signature is not the site's",
        "checkpoint_miscounts": "checkpoint's numbers differ from the events",
        "export_incomplete": "export holds other frames than it promises",
        "no_journal": "no sound frame of a journal is in this file",
        "export_cut": "export ends before its end mark",
        "torn_tail": "a write was cut off by a power loss; it was never durable",
        "place": "{file}: segment {segment}, frame {frame}, byte {offset}, seq {seq}",
        "ok": "OK: {events} events, seq {first_seq}-{last_seq}, signed to {signed_seq}",
        "damaged": "DAMAGED: {found} findings in {events} events",
        "lost": "never written: seq {first} to {last} (the disk was not writable)",
        "key": "key {key}",
    },
    "zh": {
        "bytes_changed": "已存储的字节被改动",
        "blank_segment": "该段为空，但其后还有其他段",
        "unreadable": "帧在链上，但无法读取",
        "chain_begun_anew": "主机发现损坏后另起新链，损坏处为",
        "segment_missing": "缺少一个段",
        "segment_misplaced": "该段与前一段不衔接",
        "seq_broken": "序号不连续",
        "epoch_fell": "纪元倒退",
        "other_journal": "该段属于另一份日志",
        "other_key": "由另一把密钥签名",
        "checkpoint_forged": "检查点签名不是本站点的",
        "checkpoint_miscounts": "检查点的数目与事件不符",
        "export_incomplete": "导出文件的帧与其声明不符",
        "no_journal": "文件中没有一个完好的日志帧",
        "export_cut": "导出文件没有结束标记，已被截断",
        "torn_tail": "一次写入因断电中断；它从未落盘",
        "place": "{file}：第 {segment} 段，第 {frame} 帧，字节 {offset}，序号 {seq}",
        "ok": "完好：{events} 个事件，序号 {first_seq}…{last_seq}，签名至 {signed_seq}",
        "damaged": "已损坏：{events} 个事件中发现 {found} 处问题",
        "lost": "从未写入：序号 {first} 至 {last}（当时磁盘不可写）",
        "key": "公钥 {key}",
    },
}


def render(report: Report, language: str = "en") -> str:
    """Return the report as lines for people."""
    text = _TEXTS[language]
    lines = []
    for finding in [*report.findings, *filter(None, [report.torn])]:
        place = text["place"].format(**msgspec.structs.asdict(finding))
        lines.append(f"{place}: {text[finding.code]} {finding.detail}".rstrip())
    for gap in report.gaps:
        lines.append(text["lost"].format(first=gap.first, last=gap.last))
    numbers = msgspec.structs.asdict(report) | {"found": len(report.findings)}
    for code in ("key", "ok" if report.ok else "damaged"):
        lines.append(text[code].format(**numbers))
    return "\n".join(lines) + "\n"


def _show(done: int, total: int) -> None:
    """Draw a bar on stderr for journals that take more than a second."""
    if total > SMALL and sys.stderr.isatty():
        share = done / total
        bar = "#" * int(share * 30)
        sys.stderr.write(f"\r[{bar:<30}] {share:4.0%}")


def main(argv: list[str] | None = None) -> int:
    """Verify what the command line names; returns 0 ok, 1 damaged, 2 usage."""
    parser = argparse.ArgumentParser(
        prog="safehold verify", description="Verify a journal, segment or export."
    )
    parser.add_argument("path", type=Path, help="journal folder, segment or export")
    parser.add_argument("--key", help="the site's public key, 64 hex digits")
    parser.add_argument("--lang", choices=sorted(_TEXTS), default="en")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    options = parser.parse_args(argv)
    try:
        key = bytes.fromhex(options.key) if options.key else None
        report = verify(options.path, key, _show)
    except ValueError:
        parser.error("--key: expected 64 hex digits")
    except OSError as error:
        sys.stderr.write(f"safehold verify: {error}\n")
        return USAGE
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    if options.json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    else:
        sys.stdout.write(render(report, options.lang))
    return OK if report.ok else DAMAGED


if __name__ == "__main__":
    sys.exit(main())
