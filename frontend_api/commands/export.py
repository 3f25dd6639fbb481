"""``safehold export``: write a slice of the journal that proves itself."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from core.journal.export import ExportError, export, slice_of
from core.journal.segment import RealDisk


def main(argv: list[str]) -> int:
    """Write the slice; exit status 0, 1 when it cannot be written, 2 on bad words."""
    options = _options(argv)
    folder = Path(options.data).resolve() / "journal"
    if not folder.is_dir():
        sys.stderr.write(f"safehold export: {folder}: no journal here\n")
        return 2
    try:
        first, last = _span(options, RealDisk(folder))
        done = export(RealDisk(folder), Path(options.to), first, last)
    except (ExportError, OSError) as bad:
        sys.stderr.write(f"safehold {bad}\n")
        return 1
    sys.stdout.write(
        f"{options.to}: events {done.first} to {done.last}; "
        f"'safehold verify {options.to}' proves it without a hub\n"
    )
    return 0


def _span(options: argparse.Namespace, disk: RealDisk) -> tuple[int, int]:
    if options.since is not None or options.until is not None:
        since = _ns(options.since) if options.since else 0
        until = _ns(options.until) if options.until else 1 << 62
        return slice_of(disk, since, until)
    return options.first, options.last


def _ns(moment: datetime) -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1e9)


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="safehold export", description="Write a slice of the journal to a file."
    )
    parser.add_argument("--data", required=True, help="folder of the hub's data")
    parser.add_argument("--to", required=True, help="file to write")
    parser.add_argument("--first", type=int, default=1, help="first sequence number")
    parser.add_argument("--last", type=int, default=1, help="last sequence number")
    for name in ("since", "until"):
        parser.add_argument(
            f"--{name}",
            type=datetime.fromisoformat,
            help="wall time such as 2026-11-21T08:00 (UTC unless it says otherwise)",
        )
    return parser.parse_args(argv)
