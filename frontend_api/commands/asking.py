"""``safehold trace --rule R --why``: what a rule would need now, of the running hub."""

import argparse
import asyncio
import datetime as dt
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from core import texts
from core.clock import NS, RealClock
from core.link.messages import ActReply
from core.logic import standing
from core.logic.acts import ExplainRule
from core.logic.standing import RuleStands
from core.processes.caller import LinkEnded, ask_core
from core.processes.guest import NotRunning, ask
from core.texts.sentences import add_option
from frontend_api.commands.story import Story
from frontend_api.explain import Telling, WhyInput, WhySubject, WhyTrigger
from frontend_api.names import Names, text
from frontend_api.views import Text

_ANSWER_S = 15.0


def main(argv: list[str]) -> int:
    """Tell it; exit status 0, 1 when the hub does not answer, 2 without a journal."""
    options = _options(argv)
    data = Path(options.data).resolve()
    act = ExplainRule(rule=options.rule, zone_id=options.zone)
    try:
        reply = asyncio.run(_asked(data, act))
        told = standing.load(str(reply.result["stands"])) if reply.ok else None
        story = Story(data)
        for _ in story.tell():
            pass  # names are as the journal's end knows them
        telling = _Lines(Names(story.replica), options.language)
    except (NotRunning, LinkEnded, TimeoutError, msgspec.MsgspecError) as bad:
        sys.stderr.write(f"safehold trace: no answer of the running hub: {bad}\n")
        return 1
    except OSError as bad:
        sys.stderr.write(f"safehold trace: {bad}\n")
        return 2
    if told is None:
        said = texts.render(reply.code, dict(reply.params), options.language)
        sys.stderr.write(f"safehold trace: {said}\n")
        return 1
    sys.stdout.write("\n".join(telling.of(told)) + "\n")
    return 0


async def _asked(data: Path, act: ExplainRule) -> ActReply:
    answer, socks = ask(data, {"op": "attach"})
    if answer["op"] != "done":
        raise NotRunning(str(answer.get("detail", "the hub is starting")))
    async with asyncio.timeout(_ANSWER_S):
        return await ask_core("trace", act, socks)


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="safehold trace", description="Tell what a rule would need to act now."
    )
    parser.add_argument("--data", required=True, help="folder of the hub's data")
    parser.add_argument("--rule", required=True, help="id of an armed rule")
    parser.add_argument("--why", action="store_true", required=True)
    parser.add_argument("--zone", default="", help="only of this zone")
    add_option(parser)
    return parser.parse_args(argv)


class _Lines:
    """Write an answer as lines."""

    def __init__(self, names: Names, language: str) -> None:
        self._telling, self._names, self._language = Telling(names), names, language

    def of(self, told: RuleStands) -> Iterator[str]:
        """Yield the whole answer."""
        now = dt.datetime.fromtimestamp(RealClock().wall_ns() / NS, dt.UTC)
        at = now.isoformat(timespec="seconds")
        yield self._code("why.title", rule=self._names.rule(told.rule), at=at)
        yield self._code(f"on_unknown.{told.on_unknown}")
        for number, each in enumerate(told.triggers, 1):
            yield ""
            what = Text(each.zh, each.en)
            yield self._code("why.trigger", number=number, what=what)
            yield from self._trigger(self._telling.trigger(each))

    def _trigger(self, told: WhyTrigger) -> Iterator[str]:
        if told.missing:
            zones = ", ".join(self._said(each) for each in told.missing)
            yield "   " + self._code("why.missing", zones=zones)
        for each in told.subjects:
            yield from self._subject(each)
        if told.more:
            yield "   " + self._code("why.more", count=told.more)

    def _subject(self, told: WhySubject) -> Iterator[str]:
        truth = text(f"rule.truth.{told.truth}")
        mode = told.mode or "—"
        yield "   " + self._code(
            "why.subject", subject=told.names, truth=truth, mode=mode
        )
        for need in told.needs:
            yield f"     ✗ {self._said(need)}"
        for alarm in told.alarms:
            yield f"     • {self._said(alarm)}"
        for part in told.parts:
            truth = text(f"rule.truth.{part.truth}")
            yield "     " + self._code("why.part", text=part.text, truth=truth)
        for each in told.inputs:
            yield f"     {self._input(each)}"

    def _input(self, told: WhyInput) -> str:
        facts = {
            "name": told.names,
            "value": told.value,
            "unit": told.unit,
            "quality": told.quality.upper(),
            "age": "—" if told.age_s is None else f"{told.age_s:.1f} s",
        }
        return self._said(text("backtest.input", facts))

    def _code(self, code: str, **params: object) -> str:
        return self._said(text(f"rule.{code}", params))

    def _said(self, said: Text) -> str:
        return said.zh if self._language == "zh" else said.en
