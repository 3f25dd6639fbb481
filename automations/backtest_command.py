"""``safehold backtest``: try a rule on the site's own past, faster than it happened."""

import argparse
import datetime as dt
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from automations.backtest import Backtest
from automations.backtest_choice import Choice
from automations.backtest_history import HistoryGone, PastFile
from automations.backtest_text import text
from core import config
from core.api.documents import parse
from core.api.errors import ConfigError
from core.api.said import Said
from core.clock import NS, RealClock
from core.processes.trials import Report
from core.texts import LANGUAGES
from core.texts.sentences import add_option, say

DAY_MS = 86_400_000
_BACK = re.compile(r"^-(\d+)(min|h|d)$")
_UNITS = {"min": 60_000, "h": 3_600_000, "d": DAY_MS}


def main(argv: list[str]) -> int:
    """Try a rule; exit status 0, 1 when it cannot be tried, 2 for a wrong option."""
    options = _options(argv)
    try:
        report = _tried(options)
    except (ConfigError, HistoryGone, OSError, ValueError) as bad:
        sys.stderr.write(f"safehold backtest: {say(bad, options.language)}\n")
        return 1
    zone = time_zone(Path(options.data))
    if options.json:
        said = {language: text(report, language, zone) for language in LANGUAGES}
        whole = msgspec.json.encode({"report": report, "text": said})
        sys.stdout.write(whole.decode() + "\n")
    else:
        sys.stdout.write(text(report, options.language, zone))
    return 0


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="safehold backtest",
        description="Try a rule on the site's own history and tell what it would "
        "have done.",
    )
    parser.add_argument(
        "rule", metavar="BLUEPRINT", help="id of an armed rule, of a blueprint; a file"
    )
    parser.add_argument("--data", required=True, help="folder of the hub's data")
    parser.add_argument(
        "--from",
        dest="first",
        default="-1d",
        help="2026-11-21T06:00+08:00, or so long before the end: -90min, -6h, -7d",
    )
    parser.add_argument("--to", dest="last", default="", help="end (the history's own)")
    parser.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="another value of an input, in YAML; may be given again",
    )
    parser.add_argument("--config", default="", help="site folder with blueprints/")
    parser.add_argument("--json", action="store_true", help="report as JSON")
    parser.add_argument(
        "--progress", action="store_true", help="tell how far it is, a line each"
    )
    add_option(parser)
    return parser.parse_args(argv)


def _tried(options: argparse.Namespace) -> Report:
    data = Path(options.data).resolve()
    first, last = span(data, options.first, options.last)
    folders = (Path(options.config) / "blueprints",) if options.config else ()
    choose = Choice(options.rule, _inputs(options.input), folders)
    clock = RealClock()
    began = clock.mono_ns()
    trial = Backtest(data, first, last, choose)
    reports = trial.run(_progress(options, first, last))
    if not reports:
        raise ConfigError(
            Said("{data}: no configuration was armed before the end", data=data)
        )
    report = reports[0]
    report.took_s = (clock.mono_ns() - began) / NS
    report.factor = (last - first) / 1000 / max(report.took_s, 0.001)
    return report


def span(data: Path, first: str, last: str) -> tuple[int, int]:
    """Return (from, to) in ms; raises ConfigError when they name no span."""
    file = PastFile(data)
    held = file.held()
    file.close()
    if held is None:
        raise HistoryGone(Said("{data}: the history is empty", data=data))
    end = min(moment_ms(last, held[1]), held[1]) if last else held[1]
    begin = max(moment_ms(first, end), held[0])
    if begin >= end:
        raise ConfigError(
            Said(
                "nothing lies between --from {first} and --to {last}; the "
                "history goes from {begin} to {end}",
                first=first,
                last=last or Said("the end"),
                begin=_iso(held[0]),
                end=_iso(held[1]),
            )
        )
    return begin, end


def moment_ms(given: str, end_ms: int) -> int:
    """Return a moment that a person wrote, in ms; raises ConfigError."""
    back = _BACK.match(given)
    if back is not None:
        return end_ms - int(back[1]) * _UNITS[back[2]]
    try:
        moment = dt.datetime.fromisoformat(given)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ConfigError(
            Said(
                "{given!r} is no moment; write 2026-11-21T06:00+08:00 with "
                "its offset, or -6h before the end",
                given=given,
            )
        )
    return int(moment.timestamp() * 1000)


def _inputs(given: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise ConfigError(
                Said("--input {each!r}: write it as NAME=VALUE", each=each)
            )
        found[name.strip()] = parse(value, f"--input {name}").data
    return found


def _progress(
    options: argparse.Namespace, first: int, last: int
) -> Callable[[int], None]:
    def tell(ms: int) -> None:
        done = max(ms - first, 0) / (last - first)
        if options.progress and options.json:
            sys.stdout.write(f'{{"done":{done:.3f}}}\n')
            sys.stdout.flush()
        elif options.progress or sys.stderr.isatty():
            sys.stderr.write(f"\r{done:4.0%}")

    return tell


def time_zone(data: Path) -> dt.tzinfo:
    """Return the time zone of the newest bundle; UTC where there is none."""
    from zoneinfo import ZoneInfo

    files = sorted((data / "bundles").glob("*.bundle"), key=lambda f: f.stat().st_mtime)
    try:
        return ZoneInfo(config.load(files[-1].read_bytes()).site.time_zone)
    except (IndexError, KeyError, OSError, ValueError):
        return dt.UTC


def _iso(ms: int) -> str:
    return dt.datetime.fromtimestamp(ms / 1000, dt.UTC).isoformat(timespec="seconds")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
