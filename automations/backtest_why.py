"""Why a rule did not fire at a moment: the past played up to it, and asked (R26)."""

import argparse
import datetime as dt
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from automations import inputs
from automations.backtest_choice import Choice
from automations.backtest_command import moment_ms, time_zone
from automations.backtest_history import HistoryGone
from automations.backtest_play import MS, Player
from automations.compiled import Compiled
from automations.level import Watch
from automations.scope import Scope, place
from core import texts
from core.api.errors import ConfigError
from core.api.quality import Quality
from core.api.said import Said
from core.clock import NS
from core.journal import envelope as envelopes
from core.journal.events import Event, decode_body
from core.journal.reader import Event as Stored
from core.journal.reader import events as stored_events
from core.journal.segment import RealDisk
from core.logic.events import RuleModeRestored, RuleModeSet, RuleSkipped, RunStarted
from core.texts.sentences import reader, say

#: So much of the past is played before the moment, for levels and windows.
BEFORE_MS = 900_000
#: What the journal itself tells is looked for so long before and after.
NEAR_MS = (60_000, 5_000)
#: Subjects that are told, those that hold or are in doubt first.
SHOWN = 12


def main(argv: list[str]) -> int:
    """Tell it; exit status 0, 1 when it cannot be told, 2 for a wrong option."""
    options = _options(argv)
    data = Path(options.data).resolve()
    try:
        zone = time_zone(data)
        at_ms = moment_ms(options.at, 0)
        said = {
            language: _Why(data, options.rule, at_ms, language, zone).text(options.zone)
            for language in (texts.LANGUAGES if options.json else (options.language,))
        }
    except (ConfigError, HistoryGone, OSError, ValueError) as bad:
        sys.stderr.write(f"safehold trace: {say(bad, options.language)}\n")
        return 1
    if options.json:
        sys.stdout.write(msgspec.json.encode({"text": said}).decode() + "\n")
    else:
        sys.stdout.write(said[options.language])
    return 0


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="safehold trace", description="Tell why a rule did not fire at a moment."
    )
    parser.add_argument("--data", required=True, help="folder of the hub's data")
    parser.add_argument("--rule", required=True, help="id of an armed rule")
    parser.add_argument("--at", required=True, help="2026-11-21T06:00+08:00")
    parser.add_argument("--zone", default="", help="only of this zone")
    parser.add_argument("--json", action="store_true", help="both languages, as JSON")
    parser.add_argument("--language", choices=texts.LANGUAGES, default=reader())
    return parser.parse_args(argv)


class _Why:
    def __init__(
        self, data: Path, rule: str, at_ms: int, language: str, zone: dt.tzinfo
    ) -> None:
        self._data, self._rule, self._at_ms = data, rule, at_ms
        self._language, self._zone = language, zone
        self._player = Player(data, at_ms - BEFORE_MS, at_ms, Choice(rule, {}))
        self._kernel = self._player.kernel

    def text(self, zone_id: str) -> str:
        """Return the whole answer."""
        self._player.begin()
        self._player.play()
        armed = self._player.engine.rules
        if not armed:
            raise ConfigError(
                Said("no configuration was armed at {at_ms} ms", at_ms=self._at_ms)
            )
        (rule,) = armed.values()
        lines = [*self._head(), *self._told(rule, zone_id)]
        self._player.close()
        return "\n".join(lines) + "\n"

    def _head(self) -> Iterator[str]:
        at = dt.datetime.fromtimestamp(self._at_ms / 1000, self._zone)
        yield self._say("head", rule=self._rule, at=f"{at:%Y-%m-%d %H:%M:%S}")
        first = self._at_ms - NEAR_MS[0]
        mode = ""
        for at_ms, body in self._ours():
            after = f"{(at_ms - self._at_ms) / 1000:+.1f} s"
            match body:
                case RuleModeSet():
                    mode = body.mode
                case RuleModeRestored():
                    mode = ""
                case RunStarted() if at_ms >= first:
                    yield self._say("ran", after=after, subject=body.subject)
                case RuleSkipped() if at_ms >= first:
                    why = texts.render(f"gateway.why.{body.why}", {}, self._language)
                    yield self._say(
                        "skipped", after=after, subject=body.subject, why=why
                    )
        if mode:
            yield self._say("mode", mode=mode)

    def _ours(self) -> Iterator[tuple[int, Event]]:
        """Yield (ms, event) of what the journal tells of the rule until then."""
        for stored in stored_events(RealDisk(self._data / "journal")):
            if not isinstance(stored, Stored):
                continue
            envelope = envelopes.decode(stored.payload)
            at_ms = envelope.wall_ns // MS
            if at_ms > self._at_ms + NEAR_MS[1]:
                return
            if envelope.type.startswith(("rule.", "run.started")):
                body = decode_body(envelope)
                if getattr(body, "rule", "") == self._rule:
                    yield at_ms, body

    def _told(self, rule: Compiled, zone_id: str) -> Iterator[str]:
        levels = self._player.engine.levels
        for index, trigger in enumerate(rule.rule.triggers):
            watch = levels.watch(rule.id, index)
            named = {"trigger": f"triggers/{index}", "platform": trigger.platform}
            if watch is None:
                yield self._say("moment", **named)
                continue
            if watch.refused:
                yield self._say("selector", **named)
                continue
            subjects = [
                each
                for each in sorted(watch.watched.subjects())
                if not zone_id or place(self._kernel, each) == zone_id
            ]
            subjects.sort(key=lambda each: -self._weight(watch, each))
            for subject in subjects[:SHOWN]:
                yield from self._subject(rule, index, watch, subject)

    def _weight(self, watch: Watch, subject: str) -> int:
        level = watch.levels.get(subject)
        return level.truth.value if level is not None else 0

    def _subject(
        self, rule: Compiled, index: int, watch: Watch, subject: str
    ) -> Iterator[str]:
        level = watch.levels.get(subject)
        judged = watch.watched.judge(subject, held=bool(level and level.fired))
        since = level.since if level is not None else None
        now = self._player.clock.mono_ns()
        word = judged.truth.name.lower()
        stood = (now - since) / NS if since is not None else 0.0
        needed = watch.sustain_ns / NS
        yield ""
        yield self._say(
            f"level.{word}", subject=subject, stood=f"{stood:.0f}", needed=f"{needed:g}"
        )
        scope = Scope(self._kernel, rule, subject, judged.params, None)
        if rule.rule.condition is not None:
            truth = rule.condition(scope).name.lower()
            yield "  " + self._say(f"condition.{truth}")
        found = inputs.of(
            self._kernel,
            self._player.engine.levels,
            rule,
            index,
            subject,
            judged.params,
        )
        for each in found:
            kind, _, name = each.name.partition(":")
            if kind == "entity":
                name = inputs.name_of(self._kernel, name)
            age = "—" if each.age_ms < 0 else f"{each.age_ms / 1000:.1f} s"
            value = f"{each.value:.4g}" if isinstance(each.value, float) else each.value
            said = {"name": name, "value": value, "unit": each.unit, "age": age}
            quality = Quality(each.quality).name
            yield "  " + texts.render(
                "backtest.input", {**said, "quality": quality}, self._language
            )
        limit = judged.params.get("limit")
        if limit is not None:
            yield "  " + self._say("limit", limit=limit)

    def _say(self, code: str, **params: object) -> str:
        return texts.render(f"backtest.why.{code}", params, self._language)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
