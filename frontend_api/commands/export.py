"""``safehold export``: write a slice of the journal that proves itself."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from core.journal.export import ExportError, export, slice_of
from core.journal.segment import RealDisk
from core.texts.sentences import add_option


def main(argv: list[str]) -> int:
    """Write the slice; exit status 0, 1 when it cannot be written, 2 on bad words."""
    options = _options(argv)
    folder = Path(options.data).resolve() / "journal"
    if not folder.is_dir():
        sys.stderr.write(f"safehold export: {folder}: no journal here\n")
        return 2
    if options.bundle is not None:
        return _period(options, folder.parent)
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


def _period(options: argparse.Namespace, data: Path) -> int:
    from frontend_api.exchange import period  # late: it brings the printer
    from frontend_api.paper.blanks import BlankError
    from frontend_api.paper.fonts import FontMissing

    since, until = (_aware(moment) for moment in options.period)
    try:
        found = period.write(data, options.bundle, since, until, options.language)
    except (ExportError, BlankError, FontMissing, OSError) as bad:
        sys.stderr.write(f"safehold {bad}\n")
        return 1
    sys.stdout.write(
        f"{options.bundle}: {len(found.permits)} permits, {len(found.alarms)} alarms,"
        f" {len(found.events)} events; 'safehold verify {options.bundle}' proves it\n"
    )
    return 0


def _span(options: argparse.Namespace, disk: RealDisk) -> tuple[int, int]:
    if options.since is not None or options.until is not None:
        since = _ns(options.since) if options.since else 0
        until = _ns(options.until) if options.until else 1 << 62
        return slice_of(disk, since, until)
    return options.first, options.last


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _ns(moment: datetime) -> int:
    return int(_aware(moment).timestamp() * 1e9)


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="safehold export", description="Write a slice of the journal to a file."
    )
    parser.add_argument("--data", required=True, help="folder of the hub's data")
    parser.add_argument("--to", help="file to write")
    parser.add_argument(
        "--period",
        nargs=2,
        metavar=("FROM", "TO"),
        type=datetime.fromisoformat,
        help="with --bundle: wall times (UTC unless they say otherwise)",
    )
    parser.add_argument(
        "--bundle", type=Path, help="folder to write: PDF, CSV, slice and proofs"
    )
    add_option(parser, "zh")
    parser.add_argument("--first", type=int, default=1, help="first sequence number")
    parser.add_argument("--last", type=int, default=1, help="last sequence number")
    for name in ("since", "until"):
        parser.add_argument(
            f"--{name}",
            type=datetime.fromisoformat,
            help="wall time such as 2026-11-21T08:00 (UTC unless it says otherwise)",
        )
    options = parser.parse_args(argv)
    if (options.bundle is None) == (options.to is None):
        parser.error("give --to FILE, or --period FROM TO --bundle FOLDER")
    if (options.bundle is None) != (options.period is None):
        parser.error("--period FROM TO and --bundle FOLDER go together")
    return options
