"""``safehold drill``: hold a drill, end it, and print how it went.

``start``, ``end`` and ``list`` need the running hub and a person in whose name it is
done; ``report`` reads the journal alone, with or without a hub.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from core.clock import RealClock
from core.people.acts import Act
from core.processes.guest import NotRunning
from core.response.roll_acts import EndDrill, StartDrill
from core.texts.sentences import add_option
from frontend_api.commands.story import Story
from frontend_api.drill_report import DrillReport, PersonScore, reports
from frontend_api.ledgers.apply import NotDone
from frontend_api.ledgers.site import Site, attached
from frontend_api.names import Names, text
from frontend_api.replica import Kept
from frontend_api.views import Text

Say = Callable[[Text], str]
#: Families of events that a report is made of.
_FAMILIES = ("evacuation.", "drill.", "alarm.", "notice.")


def main(argv: list[str]) -> int:
    """Do what the line says; status 0, 1 when refused or not passed, 2 without data."""
    options = _options(argv)
    data = Path(options.data).resolve()
    try:
        if options.do == "report":
            return _report(data, options)
        return asyncio.run(_ask(data, options))
    except NotDone as no:
        sys.stderr.write(f"safehold drill: {no}\n")
        return 1
    except (NotRunning, OSError) as bad:  # TimeoutError is an OSError
        sys.stderr.write(f"safehold drill: {bad}\n")
        return 2


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="safehold drill", description="Hold drills, and see how they went."
    )
    parser.add_argument("do", choices=("start", "end", "list", "report"))
    parser.add_argument(
        "what", nargs="*", default=[], help="plan or zones to start; id of a drill"
    )
    parser.add_argument("--data", required=True, help="folder of the hub's data")
    parser.add_argument("--by", default="", help="in whose name, by id")
    add_option(parser)
    parser.add_argument("--json", action="store_true", help="report as JSON")
    options = parser.parse_args(argv)
    if options.do in ("start", "end") and not options.by:
        parser.error("name --by in whose name it is done")
    if options.do == "start" and not options.what:
        parser.error("name a plan, or the zones to be left")
    return options


# --- the running hub --------------------------------------------------------------


async def _ask(data: Path, options: argparse.Namespace) -> int:
    async with attached(data, RealClock(), options.by, options.language) as site:
        if options.do == "list":
            _list(site)
            return 0
        done = await site.act(_act(site, options))
    sys.stdout.write(f"{options.do}: {done['evacuation_id']}\n")
    return 0


def _act(site: Site, options: argparse.Namespace) -> Act:
    what = list(options.what)
    if options.do == "start":
        plans = {plan.id for plan in site.replica.bundle.site.drills}
        if len(what) == 1 and what[0] in plans:
            return StartDrill(plan=what[0])
        return StartDrill(zones=tuple(what))
    drills = site.replica.state.response.drills.values()
    running = [each.id for each in drills if not each.cleared_wall_ns]
    return EndDrill(evacuation_id=what[0] if what else next(iter(running), "-"))


def _list(site: Site) -> None:
    drilled = site.replica.state.response.drilled
    for plan in site.replica.bundle.site.drills:
        known = drilled.get(plan.id)
        held = known.wall_ns // 1_000_000_000 if known is not None else 0
        every = f"every {plan.every_d:g} d" if plan.every_d is not None else "-"
        sys.stdout.write(f"{plan.id}  {every}  last={held}  {plan.names.en}\n")
    for record in site.replica.state.response.drills.values():
        facts = record.drill
        why = (facts.why if facts is not None else "") or "running"
        sys.stdout.write(f"{record.id}  {why}  {', '.join(record.zones)}\n")


# --- the report -------------------------------------------------------------------


def _report(data: Path, options: argparse.Namespace) -> int:
    story = Story(data)
    kept: list[Kept] = [
        each for each in story.tell() if each.envelope.type.startswith(_FAMILIES)
    ]
    made = reports(kept)
    wanted = [r for r in made if not options.what or r.id in options.what]
    if not wanted:
        sys.stderr.write("safehold drill: the journal tells of no such drill\n")
        return 2
    report = wanted[-1]
    if options.json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    else:
        for line in lines(report, Names(story.replica), options.language):
            sys.stdout.write(line + "\n")
    return 1 if report.passed is False else 0


def lines(report: DrillReport, names: Names, language: str) -> list[str]:
    """Write a report out, marked DRILL at its head."""

    def say(said: Text) -> str:
        return said.zh if language == "zh" else said.en

    def line(code: str, **params: object) -> str:
        return say(text(f"drill.report.{code}", dict(params)))

    found = [
        line("head", plan=names.plan(report.plan), why=_why(report)),
        line("share", done=report.accounted, all=report.on_roll),
        line(
            "times",
            half=_times(report.to_50_s),
            most=_times(report.to_90_s),
            every=_times(report.to_100_s),
        ),
        line(
            "target",
            share=f"{report.share_in_time:g}",
            seconds=f"{report.target_s:g}",
            wanted=f"{report.target_share:g}",
        ),
        line(
            "part",
            share=f"{report.participation:g}",
            here=f"{report.on_site_share:g}",
            all=report.on_site,
        ),
        line("score", score=report.score, verdict=_verdict(report)),
    ]
    return [*found, *_attacks(report, names, say), *_people(report, names, say)]


def _times(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} s"


def _attacks(report: DrillReport, names: Names, say: Say) -> list[str]:
    found = []
    for attack in report.attacks:
        hides = attack.kind == "person_hidden"
        about = names.person(attack.about) if hides else names.zone(attack.about)
        what = say(text(f"drill.attack.{attack.kind}", {"about": about}))
        noticed = _times(attack.noticed_s)
        found.append(f"  ! {attack.at_s:5.0f} s  {what}: {noticed}")
    return found


def _people(report: DrillReport, names: Names, say: Say) -> list[str]:
    return [
        f"  {_mark(each)} {say(names.person(each.person_id))}"
        f"  {_times(each.accounted_s)}  {each.method}"
        for each in report.people
    ]


def _why(report: DrillReport) -> Text:
    return text(f"drill.why.{report.why or 'running'}")


def _verdict(report: DrillReport) -> Text:
    word = {True: "passed", False: "failed", None: "open"}[report.passed]
    return text(f"drill.verdict.{word}")


def _mark(person: PersonScore) -> str:
    if person.status not in ("accounted", "rescue"):
        return "✗"
    return "~" if person.late else "✓"
