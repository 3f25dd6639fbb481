"""``safehold aq``: check AQ 3064.2 files and settings, look after what is owed."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import msgspec

from core import texts
from core.texts.tool import Tool
from frontend_api.exchange import rules, settings
from frontend_api.exchange.rules import Finding

OK, UNSOUND = 0, 1
#: A file larger than this is no exchange file.
_MAX_BYTES = 64 << 20


class NotRead(Exception):
    """The file holds no records; says where and why."""


def main(argv: list[str]) -> int:
    """Run one of its tools; exit status 0 sound, 1 unsound, 2 not readable."""
    tool = Tool("aq", "Exchange by AQ 3064.2: tickets and alarms.", wrong=(NotRead,))
    made = tool.add("validate", _validate, "check a file of tickets or alarms")
    made.add_argument("file", type=Path, help="JSON list, or one object a line")
    made.add_argument("--json", action="store_true", help="findings as JSON")
    made = tool.add("settings", _settings, "check exchange settings, and install them")
    made.add_argument("file", type=Path)
    made.add_argument("--data", type=Path, help="install into this hub's folder")
    said = "show what is owed, and deal with refused records"
    made = tool.add("outbox", _outbox, said)
    made.add_argument("--data", type=Path, required=True)
    for action, told in (
        ("again", "send once more"),
        ("settle", "noted as dealt with"),
    ):
        made.add_argument(f"--{action}", type=int, metavar="N", help=told)
    made.add_argument("--why", default="", help="what was done about it")
    made = tool.add("heads", _heads, "hold a witness's heads against the journal")
    made.add_argument("file", type=Path, help="heads or receipts, one a line")
    made.add_argument("--data", type=Path, required=True)
    return tool.run(argv)


# --- validate -----------------------------------------------------------------


def _validate(options: argparse.Namespace) -> int:
    records = _records(options.file, options.language)
    if not records:
        raise NotRead(f"{options.file}: holds no record")
    findings = list(rules.check_all(records))
    if options.json:
        rows = [_row(each, options.language) for each in findings]
        sys.stdout.write(msgspec.json.encode(rows).decode() + "\n")
        return UNSOUND if findings else OK
    for each in findings:
        sys.stdout.write(_said(each, options.language) + "\n")
    if findings:
        numbers = {"findings": len(findings), "records": len(records)}
        sys.stdout.write(texts.render("aq.unsound", numbers, options.language) + "\n")
        return UNSOUND
    alarms = sum(rules.is_alarm(each) for each in records if isinstance(each, dict))
    numbers = {"alarms": alarms, "tickets": len(records) - alarms}
    sys.stdout.write(texts.render("aq.sound", numbers, options.language) + "\n")
    return OK


def _said(finding: Finding, language: str) -> str:
    what = texts.render(finding.code, finding.params, language)
    facts = {
        "record": finding.record,
        "id": finding.id or "?",
        "field": finding.field,
        "what": what,
    }
    return texts.render("aq.place", facts, language)


def _row(finding: Finding, language: str) -> dict[str, Any]:
    what = texts.render(finding.code, finding.params, language)
    return {**finding._asdict(), "what": what}


def _records(file: Path, language: str) -> list[object]:
    """Return the records of a JSON list, an object, or one object a line."""
    if file.stat().st_size > _MAX_BYTES:
        raise NotRead(f"{file}: larger than {_MAX_BYTES >> 20} MiB; split it")
    text = file.read_bytes().decode("utf-8-sig", "replace")
    if text.lstrip().startswith("["):
        found = _parsed(text, 1, file, language)
        return found if isinstance(found, list) else [found]
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    if len(lines) > 1 and lines[0][1].strip() == "{":
        return [_parsed(text, 1, file, language)]
    return [_parsed(line, number, file, language) for number, line in lines]


def _parsed(text: str, line: int, file: Path, language: str) -> object:
    import json  # tells line and column, which msgspec does not

    try:
        return json.loads(text)
    except json.JSONDecodeError as bad:
        facts = {"line": line + bad.lineno - 1, "column": bad.colno, "what": bad.msg}
        raise NotRead(f"{file}: {texts.render('aq.no_json', facts, language)}") from bad


# --- settings, outbox, heads --------------------------------------------------


def _settings(options: argparse.Namespace) -> int:
    found = settings.load(options.file)
    told = "on" if found.platform else "off"
    sys.stdout.write(
        f"checked: platform {told}, {len(found.witnesses)} witness(es),"
        f" {len(found.types)} kinds of permit\n"
    )
    if options.data is None:
        return OK
    folder = options.data.resolve() / settings.FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    part = folder / f".{settings.NAME}.part"
    with open(part, "wb", opener=lambda p, f: os.open(p, f, 0o600)) as out:
        out.write(options.file.read_bytes())
        out.flush()
        os.fsync(out.fileno())
    part.replace(folder / settings.NAME)
    sys.stdout.write(
        f"installed: {folder / settings.NAME}; 'safehold restart uplink' takes it,"
        " or the hub's next start\n"
    )
    return OK


def _outbox(options: argparse.Namespace) -> int:
    from frontend_api.exchange.outbox import DEAD, NAME, Outbox

    folder = options.data / settings.FOLDER
    if not (folder / NAME).exists():
        raise NotRead(f"{folder / NAME}: nothing was ever owed here")
    box = Outbox(folder)
    try:
        for number, requeue in ((options.again, True), (options.settle, False)):
            if number is None:
                continue
            if not requeue and not options.why:
                raise NotRead("--settle needs --why: what was done about the record")
            if not box.settle(number, requeue=requeue, why=options.why):
                raise NotRead(f"{number} is no refused record; see the list")
        counts = box.counts()
        told = ", ".join(f"{n} {state}" for state, n in sorted(counts.items()))
        sys.stdout.write(f"{told or 'empty'}\n")
        for letter in box.listed(DEAD):
            code, _, facts = letter.detail.partition(" ")
            what = texts.render(code, {}, options.language)
            sys.stdout.write(
                f"{letter.n:>6}  {letter.kind}  {letter.id}  {letter.updated}"
                f"  {what} {facts}\n"
            )
        return UNSOUND if counts.get(DEAD) else OK
    finally:
        box.close()


def _heads(options: argparse.Namespace) -> int:
    from core.journal.segment import RealDisk
    from frontend_api.exchange.heads import Head, stands
    from frontend_api.exchange.witness import Receipt

    disk = RealDisk(options.data.resolve() / "journal")
    status = OK
    try:
        for number, line in enumerate(options.file.read_bytes().splitlines(), 1):
            try:
                if b'"witness"' in line:
                    head = msgspec.json.decode(line, type=Receipt).head
                else:
                    head = msgspec.json.decode(line, type=Head)
            except msgspec.MsgspecError as bad:
                raise NotRead(f"{options.file}:{number}: no head: {bad}") from bad
            good = head.sound() and stands(disk, head)
            status = status if good else UNSOUND
            word = "stands in the journal" if good else "IS NOT in the journal"
            sys.stdout.write(f"seq {head.seq}  {head.head[:16]}  {word}\n")
    finally:
        disk.close()
    return status
