"""Why a rule has not fired now, and what it would need: asked of the core (R26)."""

import asyncio
import math

import msgspec

from core.api.quality import Quality
from core.api.reading import Value
from core.logic import standing
from core.logic.acts import ExplainRule
from core.logic.events import RuleSkipped, RunFinished, RunInput, RunStarted
from core.logic.standing import SubjectStands, TriggerStands
from frontend_api.acts import Acts
from frontend_api.guard import Call, Route
from frontend_api.names import Names, format_value, known, text
from frontend_api.past import Past
from frontend_api.problems import Problem
from frontend_api.replica import Kept, Replica
from frontend_api.views import Text, View

#: Events that are looked through for what a rule did last.
_LOOK = 4_000
_MS = 1_000_000


class WhyInput(View):
    """Show one thing that a rule looks at."""

    names: Text
    value: str
    unit: str
    quality: str
    """good, uncertain, stale, fault, inhibited, test or not_present."""
    age_s: float | None
    """None: it has no age, or was never heard."""


class WhyPart(View):
    """Show one part of a condition; TRUE, FALSE or UNKNOWN."""

    text: str
    truth: str


class WhySubject(View):
    """Show how a trigger stands for one subject, and what is missing."""

    names: Text
    truth: str
    mode: str
    needs: list[Text]
    limit: float | None
    alarms: list[Text]
    condition: str
    parts: list[WhyPart]
    inputs: list[WhyInput]
    run: str
    run_since_ms: int


class WhyTrigger(View):
    """Show one trigger of a rule."""

    names: Text
    kind: str
    missing: list[Text]
    subjects: list[WhySubject]
    more: int


class WhyLast(View):
    """Show what a rule did last, or why it did not."""

    at_ms: int
    subject: Text
    what: Text
    run: str
    """'' where it did not run."""


class RuleWhy(View):
    """Show why a rule has not fired now, and what it would need."""

    rule: str
    names: Text
    at_ms: int
    on_unknown: Text
    triggers: list[WhyTrigger]
    last_run: WhyLast | None
    last_skip: WhyLast | None


class Telling:
    """Say in both languages what the engine answers in codes and ids."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def trigger(self, told: TriggerStands) -> WhyTrigger:
        """Say how one trigger stands."""
        return WhyTrigger(
            names=Text(told.zh, told.en),
            kind=told.kind,
            missing=[
                self.names.zone(zone) if zone else text("rule.why.everywhere")
                for zone in told.missing
            ],
            subjects=[self._subject(each) for each in told.subjects],
            more=told.more,
        )

    def _subject(self, told: SubjectStands) -> WhySubject:
        facts = {"held": f"{told.held_s:g}", "needed": f"{told.for_s:g}"}
        return WhySubject(
            names=self.about(told.subject),
            truth=told.truth,
            mode=told.mode,
            needs=[text(f"rule.need.{each}", facts) for each in told.needs],
            limit=told.limit,
            alarms=[self.names.alarm(each) for each in told.alarms],
            condition=told.condition,
            parts=[WhyPart(text=each.text, truth=each.truth) for each in told.parts],
            inputs=[self._input(each) for each in told.inputs],
            run=told.run,
            run_since_ms=told.run_since_ms,
        )

    def about(self, subject: str) -> Text:
        """Name what a rule acts on."""
        if subject in ("", "site"):
            return text("rule.why.everywhere")
        return self.names.source(subject)

    def _input(self, told: RunInput) -> WhyInput:
        kind, _, name = told.name.partition(":")
        named = self.names.entity(name) if kind == "entity" else Text(name, name)
        return WhyInput(
            names=named,
            value=_shown(told.value),
            unit=told.unit,
            quality=Quality(told.quality).name.lower(),
            age_s=told.age_ms / 1000 if told.age_ms >= 0 else None,
        )


class Explain:
    """Ask the core about one rule, and say its answer in both languages."""

    def __init__(self, replica: Replica, acts: Acts, past: Past) -> None:
        self._replica, self._acts, self._past = replica, acts, past
        self._names = Names(replica)
        self._telling = Telling(self._names)
        self._runs: dict[str, Kept] = {}
        self._ended: dict[str, Kept] = {}
        self._skips: dict[str, Kept] = {}
        self._looked = False
        replica.on_event.append(self._heard)

    def routes(self) -> list[Route]:
        """Return the routes of this module."""
        return [
            Route("GET", "/api/v1/rules/{id}/why", self.why,
                  "Why a rule has not fired now, and what it would need",
                  reply=RuleWhy),
        ]  # fmt: skip

    async def why(self, call: Call) -> RuleWhy:
        """Answer for one rule, in one zone or wherever it looks."""
        if not call.session.may_act(ExplainRule.verb_):
            raise Problem("gateway.not_allowed")
        rule = call.request.match_info["id"]
        zone = call.request.query.get("zone", "")
        act = ExplainRule(rule=rule, zone_id=zone)
        reply = await self._acts.ask(call.session.person_id, act.verb_, act)
        try:
            told = standing.load(str(reply.result.get("stands", "")))
        except msgspec.MsgspecError:
            raise Problem("gateway.unexpected") from None
        await self._look()
        return RuleWhy(
            rule=rule,
            names=self._names.rule(rule),
            at_ms=self._replica.now_ms(),
            on_unknown=text(f"rule.on_unknown.{told.on_unknown}"),
            triggers=[self._telling.trigger(each) for each in told.triggers],
            last_run=self._last_run(rule),
            last_skip=self._last_skip(rule),
        )

    # --- last -----------------------------------------------------------------------

    def _heard(self, kept: Kept) -> None:
        body = kept.body
        if isinstance(body, RunStarted):
            self._runs[body.rule] = kept
        elif isinstance(body, RuleSkipped):
            self._skips[body.rule] = kept
        elif isinstance(body, RunFinished):
            rule = kept.envelope.cause.rule
            if rule:
                self._ended[rule] = kept

    async def _look(self) -> None:
        """Look once at what rules did before this gateway's life."""
        if self._looked or not self._replica.state.seq:
            return
        self._looked = True
        seq = self._replica.state.seq + 1
        older = await asyncio.to_thread(self._past.before, seq, _LOOK, "ru")
        fresh = self._runs, self._ended, self._skips
        self._runs, self._ended, self._skips = {}, {}, {}
        for kept in reversed(older):
            self._heard(kept)
        for mine, newer in zip(
            (self._runs, self._ended, self._skips), fresh, strict=True
        ):
            mine.update(newer)

    def _last_run(self, rule: str) -> WhyLast | None:
        kept = self._runs.get(rule)
        if kept is None or not isinstance(kept.body, RunStarted):
            return None
        run, outcome = kept.body.run_id, "open"
        ended = self._ended.get(rule)
        if ended is not None and isinstance(ended.body, RunFinished):
            outcome = ended.body.outcome if ended.body.run_id == run else outcome
        return WhyLast(
            at_ms=kept.envelope.wall_ns // _MS,
            subject=self._telling.about(kept.body.subject),
            what=text(known(f"gateway.trace.{outcome}", "gateway.trace.open")),
            run=run,
        )

    def _last_skip(self, rule: str) -> WhyLast | None:
        kept = self._skips.get(rule)
        if kept is None or not isinstance(kept.body, RuleSkipped):
            return None
        return WhyLast(
            at_ms=kept.envelope.wall_ns // _MS,
            subject=self._telling.about(kept.body.subject),
            what=text(known(f"gateway.why.{kept.body.why}", "gateway.why.condition")),
            run="",
        )


def _shown(value: Value) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "—"
    return str(format_value(value))
