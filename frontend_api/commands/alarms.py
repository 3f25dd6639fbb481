"""``safehold alarms``: the alarm system's figures and its case library (ISA-18.2)."""

import argparse
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from core import texts
from core.texts.sentences import add_option
from frontend_api.alarm_book import Book
from frontend_api.alarm_cases import Case, cases, features, similar
from frontend_api.alarm_report import AlarmFigure, AlarmReport, AlarmSource, report
from frontend_api.replica import load_rooms

_DAYS = 30
_GOOD = {True: "alarms.ok", False: "alarms.not_ok", None: "alarms.open"}


def main(argv: list[str]) -> int:
    """Tell figures or cases; exit status 0, or 2 where there is no journal."""
    options = _options(argv)
    data = Path(options.data).resolve()
    if not (data / "journal").is_dir():
        sys.stderr.write(
            f"safehold alarms: {data}: no journal here; --data names the hub's folder\n"
        )
        return 2
    load_rooms("events")
    book = Book(data)
    try:
        book.catch_up()
        if options.what == "report":
            return _report(book, options)
        return _cases(book, options)
    finally:
        book.close()


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="safehold alarms", description="Tell how the alarm system does."
    )
    what = parser.add_subparsers(dest="what", required=True)
    figures = what.add_parser("report", help="figures of a span, with their targets")
    figures.add_argument("--from", dest="start", default="", help="2026-03-01, UTC")
    figures.add_argument("--to", dest="end", default="", help="2026-04-01, UTC")
    figures.add_argument(
        "--operators", type=int, default=1, help="who answer at one time"
    )
    library = what.add_parser("cases", help="incidents, or those like one")
    library.add_argument("--like", default="", help="id of an incident or its alarm")
    library.add_argument("--last", type=int, default=20)
    for each in (figures, library):
        each.add_argument("--data", required=True, help="folder of the hub's data")
        add_option(each)
        each.add_argument("--json", action="store_true", help="as JSON")
    return parser.parse_args(argv)


# --- the report -----------------------------------------------------------------


def _report(book: Book, options: argparse.Namespace) -> int:
    _, last = book.span()
    try:
        end = _day(options.end) if options.end else last + 1
        start = _day(options.start) if options.start else end - _DAYS * 86_400_000
    except ValueError as bad:
        sys.stderr.write(f"safehold alarms: {bad}; write for example 2026-03-01\n")
        return 2
    made = report(book, max(start, 0), end, max(options.operators, 1))
    if options.json:
        sys.stdout.buffer.write(msgspec.json.encode(made) + b"\n")
        return 0
    for line in _lines(made, options.language):
        sys.stdout.write(line + "\n")
    return 0


def _day(text: str) -> int:
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)


def _when(ms: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    return moment.strftime("%Y-%m-%d %H:%M")


def _lines(made: AlarmReport, language: str) -> list[str]:
    def say(code: str, **params: object) -> str:
        return texts.render(code, params, language)

    lines = [
        say(
            "alarms.head",
            start=_when(made.from_ms),
            end=_when(made.to_ms),
            days=made.days,
            alarms=made.alarms,
            calls=made.calls,
        )
    ]
    if not made.complete:
        lines.append(say("alarms.short"))
    if made.unsynced:
        lines.append(say("alarms.unsynced", count=made.unsynced))
    lines += [_figure(each, language) for each in made.figures]
    shares = ", ".join(
        f"{say(f'alarms.share.{name}')} {made.priorities.get(name, 0.0):g} %"
        for name in ("low", "medium", "high")
    )
    lines.append(f"  {say('alarms.figure.priorities'):<44} {shares}  (80/15/5)")
    for title, sources in (
        ("alarms.sources", made.sources),
        ("alarms.rules", made.rules),
        ("alarms.devices", made.devices),
    ):
        if sources:
            lines.append(say(title))
            lines += [_source(each, language) for each in sources]
    return lines


def _figure(each: AlarmFigure, language: str) -> str:
    name = texts.render(f"alarms.figure.{each.id}", {}, language)
    value = "—" if each.value is None else f"{each.value:g}"
    told = f"  {name:<44} {value:>10} {each.unit:<2}"
    if not each.target:
        return told.rstrip()
    verdict = texts.render(_GOOD[each.ok], {}, language)
    return f"{told} {each.target:<12} {verdict}"


def _source(each: AlarmSource, language: str) -> str:
    rate = "—" if each.nuisance_rate is None else f"{each.nuisance_rate:g} %"
    params = {
        "calls": each.calls,
        "share": each.share,
        "rate": rate,
        "low": each.band[0],
        "high": each.band[1],
        "judged": each.judged,
    }
    return f"  {each.id:<44} {texts.render('alarms.source', params, language)}"


# --- the cases ------------------------------------------------------------------


def _cases(book: Book, options: argparse.Namespace) -> int:
    found = cases(book, {}, 2_000 if options.like else options.last)
    if not options.like:
        for case in found:
            sys.stdout.write(_case(case, options.language) + "\n")
        return 0
    for case in found:
        if any(row.id == options.like for row in case.alarms):
            return _alike(case, found, options.language)
    sys.stderr.write(f"safehold alarms: no incident has the alarm {options.like!r}\n")
    return 2


def _case(case: Case, language: str) -> str:
    outcome = case.outcome or (f"({case.proposed})" if case.proposed else "—")
    kinds = ", ".join(dict.fromkeys(row.kind for row in case.alarms))
    params = {"count": len(case.alarms), "kinds": kinds, "outcome": outcome}
    told = texts.render("alarms.case", params, language)
    return f"{_when(case.start_ms)}  {case.id}  {case.zone or '—'}  {told}"


def _alike(case: Case, found: list[Case], language: str) -> int:
    sys.stdout.write(_case(case, language) + "\n")
    known = "; ".join(f"{family} {value}" for family, value in sorted(features(case)))
    sys.stdout.write(f"  {known}\n")
    for one in similar(case, found):
        shared = "; ".join(f"{family} {value}" for family, value in one.shared)
        params = {"score": f"{one.score:.0%}", "shared": shared}
        sys.stdout.write(_case(one.case, language) + "\n")
        sys.stdout.write(f"  {texts.render('alarms.alike', params, language)}\n")
    return 0
