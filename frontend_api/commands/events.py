"""``safehold events``: list what the journal tells, as sentences or as JSON."""

import argparse
import sys
from collections import deque
from pathlib import Path
from typing import Any

import msgspec

from core.texts.sentences import add_option
from frontend_api.commands.story import Story, stamp
from frontend_api.names import Names
from frontend_api.replica import Kept
from frontend_api.sentences import sentence


def main(argv: list[str]) -> int:
    """List events; exit status 0, or 2 where there is no journal."""
    options = _options(argv)
    try:
        story = Story(Path(options.data).resolve())
    except OSError as bad:
        sys.stderr.write(f"safehold events: {bad}\n")
        return 2
    names = Names(story.replica)
    lines: deque[str] = deque(maxlen=options.last or None)
    for kept in story.tell():
        if _wanted(kept, options):
            lines.append(_json(kept) if options.json else _line(names, kept, options))
    for line in lines:
        sys.stdout.write(line + "\n")
    return 0


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="safehold events", description="List what the journal tells."
    )
    parser.add_argument("--data", required=True, help="folder of the hub's data")
    parser.add_argument(
        "--type", action="append", default=[], help="alarm, permit.held"
    )
    parser.add_argument("--about", default="", help="id of an alarm, permit, person…")
    parser.add_argument("--after", type=int, default=0, help="sequence number")
    parser.add_argument("--last", type=int, default=0, help="only the last N")
    add_option(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    return parser.parse_args(argv)


def _wanted(kept: Kept, options: argparse.Namespace) -> bool:
    kind = kept.envelope.type
    return (
        kept.envelope.seq > options.after
        and (not options.about or _mentions(kept, options.about))
        and (
            not options.type
            or any(kind == t or kind.startswith(f"{t}.") for t in options.type)
        )
    )


def _mentions(kept: Kept, wanted: str) -> bool:
    told = {kept.body.index_key(), kept.envelope.cause.parent, kept.envelope.id}
    return wanted in told


def _line(names: Names, kept: Kept, options: argparse.Namespace) -> str:
    text, actor = sentence(names, kept.body), names.source(kept.envelope.cause.actor)
    said, by = (text.zh, actor.zh) if options.language == "zh" else (text.en, actor.en)
    envelope = kept.envelope
    mark = " [DRILL]" if envelope.cause.drill else ""
    head = f"{envelope.seq:>7}  {stamp(envelope)}  {envelope.type:<22}{mark}"
    return f"{head} {said}  ({by})"


def _json(kept: Kept) -> str:
    envelope = kept.envelope
    fields: dict[str, Any] = {
        name: getattr(envelope, name)
        for name in ("epoch", "seq", "id", "type", "version", "wall_ns", "sync")
    }
    fields |= {
        "boot_id": envelope.boot_id,
        "mono_ns": envelope.mono_ns,
        "effect": envelope.effect,
        "cause": envelope.cause,
        "body": kept.body,
    }
    return msgspec.json.encode(fields).decode()
