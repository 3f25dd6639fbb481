"""A back-test's report as plain text, in Chinese or English."""

import datetime as dt
from collections.abc import Iterator, Mapping

from core import texts
from core.api.quality import Quality
from core.processes.trials import Did, Real, Report, Try

#: Runs, silences and doubts that the text shows; the JSON has them all.
SHOWN = 20


def text(report: Report, language: str, zone: dt.tzinfo) -> str:
    """Return the report in one language, with times in the site's zone."""
    return "\n".join(_Writer(report, language, zone).lines()) + "\n"


class _Writer:
    def __init__(self, report: Report, language: str, zone: dt.tzinfo) -> None:
        self._report, self._language, self._zone = report, language, zone

    def lines(self) -> Iterator[str]:
        report = self._report
        yield self._say(
            "head", rule=report.rule, hash=report.rule_hash[:12],
            since=self._at(report.from_ms), until=self._at(report.to_ms),
        )  # fmt: skip
        yield self._say(
            "speed", entities=report.entities, events=report.events,
            took=f"{report.took_s:.1f}", factor=f"{report.factor:,.0f}",
        )  # fmt: skip
        if report.lost:
            yield self._say("lost", count=report.lost)
        yield self._say("runs", count=len(report.runs) + report.runs_more)
        yield from self._verdicts()
        for run in report.runs[:SHOWN]:
            yield from self._run(run)
        yield from self._more(len(report.runs) + report.runs_more)
        yield from self._missed()
        yield from self._unknown()
        for why, count in sorted(report.skipped.items()):
            yield self._say("skipped", why=self._why(why), count=count)

    def _verdicts(self) -> Iterator[str]:
        for word, count in sorted(self._report.verdicts.items()):
            yield "  " + self._say(f"verdict.{word}", count=count)

    def _run(self, run: Try) -> Iterator[str]:
        yield ""
        yield self._say(
            "run", at=self._at(run.at_ms), subject=self._named(run.subject),
            outcome=self._say(f"outcome.{run.outcome}"), joined=run.joined,
        )  # fmt: skip
        for each in run.inputs:
            quality = Quality(each.quality).name
            value = f"{each.value:.4g}" if isinstance(each.value, float) else each.value
            yield "  " + self._say(
                "input", name=self._named(each.name), value=value, unit=each.unit,
                quality=quality, age=_age(each.age_ms),
            )  # fmt: skip
        if not run.inputs:
            facts = ", ".join(f"{key}={value}" for key, value in run.params.items())
            yield "  " + self._say("because", facts=facts)
        for did in run.would[:SHOWN]:
            yield "  " + self._say("would", what=self._did(did, run.at_ms))
        for alarm in run.alarms[:SHOWN]:
            yield "  " + self._alarm("alarm", alarm, run.at_ms)
        for did in run.really[:SHOWN]:
            yield "  " + self._say("really", by=did.by, what=self._did(did, run.at_ms))

    def _alarm(self, code: str, alarm: Real, from_ms: int) -> str:
        verdict = self._say(f"judged.{alarm.verdict or 'unjudged'}")
        return self._say(
            code, kind=alarm.kind, zone=alarm.zone_id or "—", verdict=verdict,
            at=self._at(alarm.at_ms), after=_after(alarm.at_ms, from_ms),
        )  # fmt: skip

    def _did(self, did: Did, from_ms: int) -> str:
        return self._say(
            f"did.{did.what}", target=self._named(did.target), detail=did.detail,
            after=_after(did.at_ms, from_ms),
        )  # fmt: skip

    def _more(self, count: int) -> Iterator[str]:
        if count > SHOWN:
            yield self._say("more", count=count - SHOWN)

    def _missed(self) -> Iterator[str]:
        if self._report.missed:
            yield ""
            yield self._say("missed", count=len(self._report.missed))
        for alarm in self._report.missed[:SHOWN]:
            yield "  " + self._alarm("missed_one", alarm, alarm.at_ms)

    def _unknown(self) -> Iterator[str]:
        report = self._report
        yield ""
        yield self._say("unknown" if report.silences else "whole")
        for gap in report.silences[:SHOWN]:
            first = gap.spans[0] if gap.spans else (report.from_ms, report.to_ms)
            yield "  " + self._say(
                "silence", name=gap.name, total=_span(gap.total_s),
                count=len(gap.spans), since=self._at(first[0]),
            )  # fmt: skip
        yield from self._more(len(report.silences))
        for doubt in report.doubts[:SHOWN]:
            yield "  " + self._say(
                f"doubt.{doubt.kind.partition('.')[2]}", at=self._at(doubt.at_ms),
                zone=doubt.zone_id or "—", on_unknown=report.on_unknown,
                detail=doubt.detail,
            )  # fmt: skip

    def _named(self, target: str) -> str:
        return self._report.names.get(target, target.removeprefix("value:"))

    def _why(self, why: str) -> str:
        return texts.render(f"gateway.why.{why}", {}, self._language)

    def _at(self, ms: int) -> str:
        return f"{dt.datetime.fromtimestamp(ms / 1000, self._zone):%Y-%m-%d %H:%M:%S}"

    def _say(self, code: str, **params: object) -> str:
        known: Mapping[str, object] = params
        return texts.render(f"backtest.{code}", known, self._language)


def _after(at_ms: int, from_ms: int) -> str:
    return f"{(at_ms - from_ms) / 1000:+.1f} s"


def _age(age_ms: int) -> str:
    return "—" if age_ms < 0 else f"{age_ms / 1000:.1f} s"


def _span(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"
