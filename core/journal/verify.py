"""Verify a journal without the hub: folder, segment, export file or period.

A program of its own: standard library, msgspec, cryptography, `frame`, `audit`
and `proofs`; `period` for the folder of an exported period. It holds every byte
against the chain, the order, and the signed checkpoints, every person's signature
against the keys told before it, and names the frame that is wrong. What no chain
can show is an end that was cut off whole, or a journal rewritten with another key:
compare `--key` and the last signed seq with what was noted elsewhere. An export
holds the keys of those who signed in it; whether one of them was revoked before,
and that left out, only the whole journal tells.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core.journal.audit import Auditor, Report

if TYPE_CHECKING:
    from core.journal.period import Problem

OK, DAMAGED, USAGE = 0, 1, 2
#: What makes a folder that of an exported period, and the journal's part of it.
MANIFEST, SLICE = "manifest.json", "journal.slice"
#: Bytes that are verified within a second, without a progress bar.
SMALL = 16 << 20
Progress = Callable[[int, int], None]


def verify(
    path: Path, key: bytes | None = None, progress: Progress | None = None
) -> Report:
    """Verify a journal folder, a segment, an export or a period; raises OSError.

    ``key``: the site's public key as noted elsewhere. ``progress`` is called
    with bytes done and bytes in all.
    """
    path = path / SLICE if _is_period(path) else path
    files = _files(path)
    total = sum(file.stat().st_size for file in files)
    auditor = Auditor(key, whole=path.is_dir())
    done = 0
    for file in files:
        data = file.read_bytes()
        for at in auditor.read(file.name, data, last=file is files[-1]):
            if progress is not None:
                progress(done + at, total)
        done += len(data)
    return auditor.finish()


def _is_period(path: Path) -> bool:
    return (path / MANIFEST).is_file()


def _problems(path: Path, key: str) -> "list[Problem]":
    """Return what is wrong in a period's folder beside its slice."""
    if not _is_period(path):
        return []
    from core.journal.period import check

    return check(path, key)


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
        "unsigned": "too many events without a signed checkpoint",
        "out_of_place": "frame of an export where none may be",
        "no_journal": "no sound frame of a journal is in this file",
        "key_unknown": "signed with a key that the journal never told",
        "key_pending": "signed with a key that nobody had approved",
        "key_revoked": "signed with a key that was revoked before",
        "signature_forged": "a person's signature does not hold",
        "signature_misused": "signed for another person, act or hub",
        "signature_replayed": "a person's signature was used twice",
        "second_same": "the first and the second person are the same",
        "export_cut": "export ends before its end mark",
        "file_changed": "the file was changed",
        "file_missing": "the file is missing",
        "file_extra": "the manifest does not name this file",
        "manifest_forged": "the manifest's signature is not the site's",
        "torn_tail": "a write was cut off by a power loss; it was never durable",
        "place": "{file}: segment {segment}, frame {frame}, byte {offset}, seq {seq}",
        "ok": "OK: {events} events, seq {first_seq}-{last_seq}, signed to {signed_seq}",
        "people": "{signatures} signatures of people hold",
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
        "unsigned": "过多事件没有签名检查点",
        "out_of_place": "导出专用帧出现在不该有的位置",
        "no_journal": "文件中没有一个完好的日志帧",
        "key_unknown": "签名密钥从未在日志中登记",
        "key_pending": "签名密钥当时尚未获批",
        "key_revoked": "签名密钥此前已被吊销",
        "signature_forged": "人员签名不成立",
        "signature_misused": "签名属于他人、其他操作或其他主机",
        "signature_replayed": "人员签名被重复使用",
        "second_same": "第一人与第二人是同一人",
        "export_cut": "导出文件没有结束标记，已被截断",
        "file_changed": "文件被改动",
        "file_missing": "缺少文件",
        "file_extra": "清单中没有该文件",
        "manifest_forged": "清单签名不是本站点的",
        "torn_tail": "一次写入因断电中断；它从未落盘",
        "place": "{file}：第 {segment} 段，第 {frame} 帧，字节 {offset}，序号 {seq}",
        "ok": "完好：{events} 个事件，序号 {first_seq}…{last_seq}，签名至 {signed_seq}",
        "people": "{signatures} 个人员签名成立",
        "damaged": "已损坏：{events} 个事件中发现 {found} 处问题",
        "lost": "从未写入：序号 {first} 至 {last}（当时磁盘不可写）",
        "key": "公钥 {key}",
    },
}


def render(
    report: Report, language: str = "en", problems: "Sequence[Problem]" = ()
) -> str:
    """Return the report as lines for people; ``problems`` are a period's files."""
    text = _TEXTS[language]
    lines = [f"{each.file}: {text[each.code]}" for each in problems]
    for finding in [*report.findings, *filter(None, [report.torn])]:
        place = text["place"].format(**msgspec.structs.asdict(finding))
        lines.append(f"{place}: {text[finding.code]} {finding.detail}".rstrip())
    for gap in report.gaps:
        lines.append(text["lost"].format(first=gap.first, last=gap.last))
    found = len(report.findings) + len(problems)
    numbers = msgspec.structs.asdict(report) | {"found": found}
    sound = report.ok and not problems
    people = ("people",) if report.signatures else ()
    for code in ("key", *people, "ok" if sound else "damaged"):
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
    told = "journal folder, segment, export or period"
    parser.add_argument("path", type=Path, help=told)
    parser.add_argument("--key", help="the site's public key, 64 hex digits")
    parser.add_argument("--language", choices=sorted(_TEXTS), default="en")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    options = parser.parse_args(argv)
    try:
        key = bytes.fromhex(options.key) if options.key else None
        report = verify(options.path, key, _show)
        problems = _problems(options.path, report.key)
    except ValueError:
        parser.error("--key: expected 64 hex digits")
    except OSError as error:
        sys.stderr.write(f"safehold verify: {error}\n")
        return USAGE
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    if options.json:
        fields = msgspec.structs.asdict(report) | {"problems": problems}
        sys.stdout.write(msgspec.json.encode(fields).decode() + "\n")
    else:
        sys.stdout.write(render(report, options.language, problems))
    return OK if report.ok and not problems else DAMAGED


if __name__ == "__main__":
    sys.exit(main())
