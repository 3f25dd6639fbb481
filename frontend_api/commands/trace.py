"""``safehold trace``: tell why a rule ran, or did not, step by step (R26)."""

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any

from core import texts
from core.api.reading import Value
from core.journal.envelope import Envelope
from core.logic.events import (
    RuleSkipped,
    RunFinished,
    RunJoined,
    RunStarted,
    RunStepped,
)
from core.texts.sentences import add_option
from frontend_api.commands import asking
from frontend_api.commands.story import Story, stamp
from frontend_api.names import Names, text
from frontend_api.sentences import sentence
from frontend_api.views import Text

#: Events that a run's steps cause; shown beneath the run.
_EFFECTS = ("command.", "permit.", "evacuation.", "notice.queued", "alarm.raised")


class Run:
    """Collect one run's lines."""

    def __init__(self, started: RunStarted, envelope: Envelope, tell: "_Tell") -> None:
        self.id = started.run_id
        self.rule = started.rule
        self.from_ns = envelope.mono_ns
        self.outcome = "open"
        head = {
            "rule": started.rule,
            "hash": started.rule_hash[:12],
            "mode": started.mode,
            "subject": tell.said(tell.names.source(started.subject)),
            "trigger": started.trigger,
            "at": stamp(envelope),
        }
        self.lines = [
            f"{tell.said(tell.names.rule(started.rule))}  {started.run_id}",
            "  " + tell.code("head", head),
            "  " + tell.code("because", {"what": tell.facts(started.params)}),
        ]

    def add(self, envelope: Envelope, text: str) -> None:
        """Add a line with the time since the run's start."""
        since = (envelope.mono_ns - self.from_ns) / 1e9
        self.lines.append(f"  {since:>+9.3f} s  {text}")


class _Tell:
    """Say things in the language that was asked for."""

    def __init__(self, names: Names, language: str) -> None:
        self.names, self._language = names, language

    def said(self, text: Text) -> str:
        return text.zh if self._language == "zh" else text.en

    def code(self, code: str, params: dict[str, Any]) -> str:
        return self.said(text(f"gateway.trace.{code}", params))

    def facts(self, params: dict[str, Value]) -> str:
        """Say what a run goes by: its alarm's own sentence, else each fact."""
        said = f"alarm.{params.get('trigger_kind', '')}"
        if said in texts.catalogue():
            source = str(params.get("source", ""))
            named = self.names.alarm_facts(source, dict(params))
            place = self.said(self.names.source(source))
            return f"{self.said(text(said, named))} · {place}"
        named = self.names.params(dict(params))
        return ", ".join(
            f"{name}={self.said(value) if isinstance(value, Text) else value}"
            for name, value in named.items()
        )


def main(argv: list[str]) -> int:
    """Tell the runs; exit status 0, 1 when none is found, 2 without a journal."""
    if any(each.partition("=")[0] == "--at" for each in argv):
        # Another room plays the past again; it is reached by name.
        why = importlib.import_module("automations.backtest_why")
        return int(why.main(argv))
    if "--why" in argv:
        return asking.main(argv)
    options = _options(argv)
    try:
        story = Story(Path(options.data).resolve())
    except OSError as bad:
        sys.stderr.write(f"safehold trace: {bad}\n")
        return 2
    tell = _Tell(Names(story.replica), options.language)
    runs, skipped = _collect(story, tell)
    chosen = [
        run
        for run in runs.values()
        if (not options.run or run.id == options.run)
        and (not options.rule or run.rule == options.rule)
    ]
    for run in chosen[-options.last :]:
        sys.stdout.write(
            "\n".join([*run.lines, "  " + tell.code(run.outcome, {}), ""]) + "\n"
        )
    for line in skipped if options.skipped else ():
        sys.stdout.write(line + "\n")
    if not chosen:
        sys.stderr.write("safehold trace: no such run; --skipped tells what did not\n")
    return 0 if chosen else 1


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="safehold trace", description="Tell why a rule ran, step by step."
    )
    parser.add_argument("--data", required=True, help="folder of the hub's data")
    parser.add_argument("--run", default="", help="id of one run")
    parser.add_argument("--rule", default="", help="id of one rule")
    parser.add_argument("--last", type=int, default=5, help="how many runs (5)")
    parser.add_argument(
        "--at", help="with --rule: why it did not fire then (2026-11-21T06:00+08:00)"
    )
    parser.add_argument(
        "--why", action="store_true", help="with --rule: what it would need now"
    )
    parser.add_argument("--skipped", action="store_true", help="what did not run, too")
    add_option(parser)
    return parser.parse_args(argv)


def _collect(story: Story, tell: _Tell) -> tuple[dict[str, Run], list[str]]:
    runs: dict[str, Run] = {}
    skipped: list[str] = []
    for body, envelope in story.tell():
        said = tell.said(sentence(tell.names, body))
        match body:
            case RunStarted():
                runs[body.run_id] = Run(body, envelope, tell)
            case RunJoined() if body.run_id in runs:
                facts = {"what": tell.facts(body.params)}
                runs[body.run_id].add(envelope, tell.code("joined", facts))
            case RunStepped() if body.run_id in runs:
                runs[body.run_id].add(envelope, f"{body.path}  {said}")
            case RunFinished() if body.run_id in runs:
                runs[body.run_id].outcome = body.outcome
            case RuleSkipped():
                skipped.append(f"{stamp(envelope)}  {said} {tell.facts(body.params)}")
            case _ if envelope.type.startswith(_EFFECTS):
                run = runs.get(envelope.cause.parent)
                if run is not None:
                    run.add(envelope, f"→ {said}")
    return runs, skipped
