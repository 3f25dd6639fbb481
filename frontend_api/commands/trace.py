"""``safehold trace``: tell why a rule ran, or did not, step by step (R26)."""

import argparse
import sys
from pathlib import Path

from core.journal.envelope import Envelope
from core.logic.events import (
    RuleSkipped,
    RunFinished,
    RunJoined,
    RunStarted,
    RunStepped,
)
from frontend_api.commands.story import Story, stamp
from frontend_api.sentences import Names, sentence

#: Events that a run's steps cause; shown beneath the run.
_EFFECTS = ("command.", "permit.", "evacuation.", "notice.queued", "alarm.raised")


class Run:
    """Collect one run's lines."""

    def __init__(self, started: RunStarted, envelope: Envelope, title: str) -> None:
        self.id = started.run_id
        self.rule = started.rule
        self.from_ns = envelope.mono_ns
        self.outcome = "open"
        self.lines = [
            f"{title}  run {started.run_id}",
            f"  rule {started.rule}@{started.rule_hash[:12]}, mode {started.mode}, "
            f"subject {started.subject}, {started.trigger}, at {stamp(envelope)}",
            "  because " + ", ".join(f"{k}={v}" for k, v in started.params.items()),
        ]

    def add(self, envelope: Envelope, text: str) -> None:
        """Add a line with the time since the run's start."""
        since = (envelope.mono_ns - self.from_ns) / 1e9
        self.lines.append(f"  {since:>+9.3f} s  {text}")


def main(argv: list[str]) -> int:
    """Tell the runs; exit status 0, 1 when none is found, 2 without a journal."""
    options = _options(argv)
    try:
        story = Story(Path(options.data).resolve())
    except OSError as bad:
        sys.stderr.write(f"safehold trace: {bad}\n")
        return 2
    runs, skipped = _collect(story, options.language)
    chosen = [
        run
        for run in runs.values()
        if (not options.run or run.id == options.run)
        and (not options.rule or run.rule == options.rule)
    ]
    for run in chosen[-options.last :]:
        sys.stdout.write(
            "\n".join([*run.lines, f"  outcome: {run.outcome}", ""]) + "\n"
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
    parser.add_argument("--skipped", action="store_true", help="what did not run, too")
    parser.add_argument("--language", choices=("zh", "en"), default="en")
    return parser.parse_args(argv)


def _collect(story: Story, language: str) -> tuple[dict[str, Run], list[str]]:
    names = Names(story.replica)
    runs: dict[str, Run] = {}
    skipped: list[str] = []
    for body, envelope in story.tell():
        text = sentence(names, body)
        said = text.zh if language == "zh" else text.en
        match body:
            case RunStarted():
                title = names.rule(body.rule)
                runs[body.run_id] = Run(
                    body, envelope, title.zh if language == "zh" else title.en
                )
            case RunJoined() if body.run_id in runs:
                facts = ", ".join(f"{k}={v}" for k, v in body.params.items())
                runs[body.run_id].add(envelope, f"joined by {facts}")
            case RunStepped() if body.run_id in runs:
                detail = f": {body.detail}" if body.detail else ""
                runs[body.run_id].add(envelope, f"{body.path} {body.state}{detail}")
            case RunFinished() if body.run_id in runs:
                runs[body.run_id].outcome = body.outcome
            case RuleSkipped():
                skipped.append(
                    f"{stamp(envelope)}  {body.rule} did not run: {body.why} "
                    + ", ".join(f"{k}={v}" for k, v in body.params.items())
                )
            case _ if envelope.type.startswith(_EFFECTS):
                run = runs.get(envelope.cause.parent)
                if run is not None:
                    run.add(envelope, f"→ {envelope.type} {said}")
    return runs, skipped
