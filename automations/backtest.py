"""Try a rule on the site's own past: what it would have done, and what was done."""

from collections.abc import Callable
from pathlib import Path

from automations import inputs
from automations.backtest_doors import Would
from automations.backtest_play import MS, Choose, Player
from automations.scope import place
from core.alarms.events import AlarmJudged, AlarmRaised
from core.config import Rule
from core.journal.envelope import Envelope
from core.journal.events import Event, decode_body
from core.kernel import Kernel
from core.logic.events import RuleSkipped, RunFinished, RunJoined, RunStarted
from core.permits.events import PermitHeld
from core.processes.trials import Did, Doubt, Real, Report, Silence, Try
from core.response.events import CommandIssued, EvacuationStarted, NoticeQueued

#: A run and a true alarm belong together when they begin this near each other.
BEFORE_MS, AFTER_MS = 120_000, 300_000
#: Lines of one kind that a report holds; the rest is counted.
KEPT = 500


class Backtest:
    """Play the past to one rule and write its report."""

    def __init__(self, data: Path, from_ms: int, to_ms: int, choose: Choose) -> None:
        self._player = Player(data, from_ms, to_ms, choose)
        self._kernel: Kernel = self._player.kernel
        self._tries: dict[str, Try] = {}
        self._skipped: dict[str, int] = {}
        self._doubts: list[Doubt] = []
        self._alarms: dict[str, Real] = {}
        self._really: list[tuple[str | None, Did]] = []
        self._more = 0
        self._rule_ids: set[str] = set()

    def run(self, progress: Callable[[int], None] = lambda _ms: None) -> list[Report]:
        """Play the span; ``progress`` is told the ms that has been reached."""
        player = self._player
        player.progress = progress
        player.happened = self._happened
        player.hub.on_everything(self._said)
        player.begin()
        rules = player.rules
        self._rule_ids = {rule.id for rule in rules}
        player.play()
        self._judge_late()
        self._pair()
        reports = [self._report(rule) for rule in player.rules or rules]
        player.close()
        return reports

    # --- what the rule would have done ----------------------------------------------

    def _said(self, body: Event, envelope: Envelope, _data: bytes) -> None:
        at = envelope.wall_ns // MS
        match body:
            case RunStarted():
                if len(self._tries) >= KEPT:
                    self._more += 1
                    return
                self._tries[body.run_id] = Try(
                    run_id=body.run_id,
                    at_ms=at,
                    subject=body.subject,
                    zone_id=place(self._kernel, body.subject),
                    trigger=body.trigger,
                    params=dict(body.params),
                    inputs=body.inputs,
                )
            case RunJoined() if body.run_id in self._tries:
                self._tries[body.run_id].joined += 1
            case RunFinished() if body.run_id in self._tries:
                made = self._tries[body.run_id]
                made.outcome, made.ended_ms = body.outcome, at
            case RuleSkipped():
                self._skipped[body.why] = self._skipped.get(body.why, 0) + 1
            case AlarmRaised() if body.source.startswith("rule:"):
                self._doubt(body, at)

    def _doubt(self, body: AlarmRaised, at: int) -> None:
        faults = ("fault.unknown", "fault.selector", "fault.rule")
        if body.kind in faults and len(self._doubts) < KEPT:
            detail = str(body.params.get("why") or body.params.get("error") or "")
            doubt = Doubt(at_ms=at, kind=body.kind, zone_id=body.zone_id, detail=detail)
            self._doubts.append(doubt)

    # --- what really happened -------------------------------------------------------

    def _happened(self, body: Event, envelope: Envelope) -> None:
        at, actor = envelope.wall_ns // MS, envelope.cause.actor
        match body:
            case AlarmRaised():
                self._alarms[body.alarm_id] = Real(
                    alarm_id=body.alarm_id,
                    kind=body.kind,
                    zone_id=body.zone_id,
                    at_ms=at,
                )
            case AlarmJudged() if body.alarm_id in self._alarms:
                self._alarms[body.alarm_id].verdict = body.verdict
            case _:
                found = _effect(self._kernel, body)
                if found is not None:
                    zone, what, target, detail = found
                    did = Did(
                        at_ms=at, what=what, target=target, detail=detail, by=actor
                    )
                    self._really.append((zone, did))

    def _judge_late(self) -> None:
        """Hear the verdicts that people gave after the span."""
        for envelope in self._player.rest():
            if envelope.type == AlarmJudged.name_:
                body = decode_body(envelope)
                if isinstance(body, AlarmJudged) and body.alarm_id in self._alarms:
                    self._alarms[body.alarm_id].verdict = body.verdict

    def _pair(self) -> None:
        for made in self._tries.values():
            first, last = made.at_ms - BEFORE_MS, made.at_ms + AFTER_MS
            mine = self._alarms.get(str(made.params.get("alarm_id")))
            made.alarms = [mine] if mine else []
            made.alarms += [
                alarm
                for alarm in self._alarms.values()
                if first <= alarm.at_ms <= last
                and alarm is not mine
                and alarm.zone_id == made.zone_id
                and not alarm.kind.startswith("fault.")
            ]
            made.really = [
                did
                for zone, did in self._really
                if first <= did.at_ms <= last and zone in (made.zone_id, None)
            ][:KEPT]
        base, start = self._player.base_ns, self._player.from_ms
        for would in self._player.doors.would:
            owner = self._tries.get(would.run_id)
            if owner is not None:
                owner.would.append(_did(would, base, start))

    # --- the report -----------------------------------------------------------------

    def _report(self, rule: Rule) -> Report:
        player = self._player
        runs = list(self._tries.values())
        verdicts: dict[str, int] = {}
        for made in runs:
            word = _verdict(made)
            verdicts[word] = verdicts.get(word, 0) + 1
        return Report(
            rule=rule.id,
            rule_hash=rule.hash,
            blueprint=rule.blueprint,
            on_unknown=rule.on_unknown,
            from_ms=player.from_ms,
            to_ms=player.to_ms,
            entities=len(player.reel.strips),
            stretches=player.reel.read,
            events=player.events,
            lost=player.reel.file.lost(player.from_ms, player.to_ms),
            runs=runs,
            runs_more=self._more,
            skipped=self._skipped,
            doubts=self._doubts,
            silences=self._silences(),
            verdicts=verdicts,
            missed=self._missed(runs),
            names=self._names(runs),
        )

    def _silences(self) -> list[Silence]:
        made = []
        for entity_id, gap in self._player.gaps.items():
            total = sum(end - start for start, end in gap.spans)
            if total:
                made.append(
                    Silence(
                        entity_id=entity_id,
                        name=inputs.name_of(self._kernel, entity_id),
                        total_s=total / 1000,
                        spans=tuple(gap.spans[:20]),
                    )
                )
        return sorted(made, key=lambda each: -each.total_s)[:KEPT]

    def _missed(self, runs: list[Try]) -> list[Real]:
        answered = {alarm.alarm_id for made in runs for alarm in made.alarms}
        compiled = self._player.engine.rules.values()
        looked = frozenset[str]().union(*(each.zones for each in compiled))
        return [
            alarm
            for alarm in self._alarms.values()
            if alarm.verdict == "true"
            and alarm.alarm_id not in answered
            and (not looked or alarm.zone_id in looked)
        ][:KEPT]

    def _names(self, runs: list[Try]) -> dict[str, str]:
        """Name the entities that the report speaks of."""
        ids = {each.name for made in runs for each in made.inputs}
        ids |= {did.target for made in runs for did in (*made.would, *made.really)}
        ids |= {made.subject for made in runs}
        permits = self._kernel.hub.state.permits.permits
        found = {}
        for each in sorted(ids):
            kind, _, number = each.partition(":")
            if kind == "entity":
                found[each] = inputs.name_of(self._kernel, number)
            elif kind == "permit" and number in permits:
                found[each] = permits[number].title or number
        return found


def _verdict(made: Try) -> str:
    """Return the best verdict of a run's alarms: one true one makes it right."""
    if not made.alarms:
        return "none"
    found = {alarm.verdict or "unjudged" for alarm in made.alarms}
    order = ("true", "unsure", "nuisance", "unjudged")
    return next(word for word in order if word in found)


def _did(would: Would, base_ns: int, from_ms: int) -> Did:
    return Did(
        at_ms=from_ms + (would.at_ns - base_ns) // MS,
        what=would.what,
        target=would.target,
        detail=would.detail,
    )


def _effect(kernel: Kernel, body: Event) -> tuple[str | None, str, str, str] | None:
    """Return (zone, what, target, detail) of an event that acts; None: it does not."""
    match body:
        case CommandIssued():
            device = kernel.registry.device_of(body.entity_id)
            zone = device.zone_id if device else None
            return zone, "command", f"entity:{body.entity_id}", str(body.value)
        case PermitHeld():
            permit = kernel.hub.state.permits.permits.get(body.permit_id)
            zone = permit.zone_id if permit else None
            return zone, "hold", f"permit:{body.permit_id}", body.hold.code
        case EvacuationStarted():
            zone = body.zones[0] if body.zones else None
            return zone, "evacuation", f"zone:{zone}", body.code
        case NoticeQueued():
            raised = kernel.hub.state.alarms.open.get(body.about)
            zone = raised.zone_id if raised else str(body.params.get("zone_id") or "")
            return zone, "notice", f"person:{body.person_id}", body.code
    return None
