"""Why a rule has not fired, asked of the living engine: nothing is kept for it (R26).

It reads what stands and writes nothing down, so that no question changes an answer.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from automations import inputs
from automations.compiled import Compiled
from automations.level import Watch
from automations.rule_words import expression, trigger_line
from automations.scope import Scope, place
from core.alarms.state import AlarmRecord
from core.api.errors import Refused
from core.api.model import EntityKind
from core.api.reading import Value
from core.clock import NS
from core.journal.envelope import Cause
from core.kernel import Kernel
from core.logic import standing, tree
from core.logic.acts import ExplainRule
from core.logic.evaluate import compile_truth
from core.logic.events import RunInput
from core.logic.standing import Part, RuleStands, SubjectStands, TriggerStands
from core.logic.truth import Truth

if TYPE_CHECKING:
    from automations.engine import Engine

#: Subjects that are told of one trigger, those that hold or are in doubt first.
SHOWN = 12
_MS = 1_000_000
Params = dict[str, Value]


class Explaining:
    """Answer for one rule at a time."""

    def __init__(self, kernel: Kernel, engine: "Engine") -> None:
        self._kernel, self._engine = kernel, engine
        kernel.access.bind(ExplainRule, self._explain)

    def _explain(
        self, _actor: str, act: ExplainRule, _version: int | None, _cause: Cause
    ) -> dict[str, Value]:
        rule = self._engine.rules.get(act.rule)
        if rule is None:
            off = any(each.id == act.rule for each in self._kernel.hub.bundle.rules)
            raise Refused("rule.off" if off else "rule.unknown", rule=act.rule)
        found: dict[str, Value] = {}

        def ask() -> None:
            found["stands"] = standing.dump(self.of(rule, act.zone_id))

        self._engine.guard(rule.id, ask)
        if not found:
            raise Refused("rule.unexplained", rule=act.rule)
        return found

    def of(self, rule: Compiled, zone_id: str = "") -> RuleStands:
        """Return how a rule stands now, in one zone or wherever it looks."""
        return RuleStands(
            rule=rule.id,
            hash=rule.rule.hash,
            on_unknown=rule.rule.on_unknown,
            triggers=tuple(
                self._trigger(rule, index, zone_id)
                for index in range(len(rule.rule.triggers))
            ),
        )

    def _trigger(self, rule: Compiled, index: int, zone_id: str) -> TriggerStands:
        trigger = rule.rule.triggers[index]
        told = TriggerStands(
            zh=trigger_line(trigger, "zh"),
            en=trigger_line(trigger, "en"),
            kind="moment",
            subjects=(SubjectStands(subject="", truth="FALSE", needs=("event",)),),
        )
        watch = self._engine.levels.watch(rule.id, index)
        if watch is not None:
            return self._level(told, watch, zone_id)
        if trigger.platform in ("alarm", "supervision"):
            return self._alarms(told, rule, index, zone_id)
        return told

    # --- level triggers -----------------------------------------------------------

    def _level(self, told: TriggerStands, watch: Watch, zone_id: str) -> TriggerStands:
        missing = sorted(each.removeprefix("zone:") for each in watch.missing)
        found = [] if watch.refused else self._near(watch.watched.subjects(), zone_id)
        found.sort(key=lambda each: (-_weight(watch, each), each))
        subjects = [self._stands(watch, subject) for subject in found[:SHOWN]]
        if watch.refused or not found:
            need = "selector" if watch.refused else "subject"
            subjects = [SubjectStands(subject="", truth="UNKNOWN", needs=(need,))]
        return msgspec.structs.replace(
            told,
            kind="level",
            missing=("", *missing) if watch.refused else tuple(missing),
            subjects=tuple(subjects),
            more=max(len(found) - SHOWN, 0),
        )

    def _near(self, subjects: Iterable[str], zone_id: str) -> list[str]:
        every = sorted(set(subjects))
        if not zone_id:
            return every
        return [each for each in every if place(self._kernel, each) == zone_id]

    def _stands(self, watch: Watch, subject: str) -> SubjectStands:
        level = watch.levels.get(subject)
        judged = watch.watched.judge(subject, held=bool(level and level.fired))
        since = judged.since_ns
        if since is None and level is not None:
            since = level.since
        held = (self._now() - since) / NS if since is not None else 0.0
        if judged.truth is not Truth.TRUE:
            held = 0.0
        limit = judged.params.get("limit")
        told = self._subject(watch.rule, watch.index, subject, judged.params)
        needed = watch.sustain_ns / NS
        lacks = list(_lacking(judged.truth, judged.why))
        fired = level is not None and (level.fired or level.boot)
        if judged.truth is Truth.TRUE and held < needed and not fired:
            lacks.append("sustain")
        return msgspec.structs.replace(
            told,
            truth=judged.truth.name,
            needs=_needs(told, lacks),
            held_s=round(held, 1),
            for_s=needed,
            limit=float(limit) if isinstance(limit, int | float) else None,
        )

    # --- alarms -------------------------------------------------------------------

    def _alarms(
        self, told: TriggerStands, rule: Compiled, index: int, zone_id: str
    ) -> TriggerStands:
        groups: dict[str, list[AlarmRecord]] = {}
        for record in self._kernel.alarms.active(zone_id or None):
            if rule.matching_alarm(record) == index:
                subject = rule.subject(index, record.zone_id, record.source)
                groups.setdefault(subject, []).append(record)
        subjects = [
            self._alarmed(rule, index, subject, records)
            for subject, records in list(groups.items())[:SHOWN]
        ]
        subjects += self._quiet(rule, index, zone_id, groups)
        return msgspec.structs.replace(
            told,
            kind="alarm",
            subjects=tuple(subjects[:SHOWN]),
            more=max(len(groups) - SHOWN, 0),
        )

    def _alarmed(
        self, rule: Compiled, index: int, subject: str, records: list[AlarmRecord]
    ) -> SubjectStands:
        calling = [each for each in records if not each.put_by]
        first = (calling or records)[0]
        params: Params = {
            **first.params,
            "trigger_kind": first.kind,
            "trigger_priority": first.priority,
            "trigger_value": first.params.get("value"),
            "source": first.source,
        }
        told = self._subject(rule, index, subject, params)
        lacks = []
        if not calling:
            lacks = ["suppressed" if first.suppressed else "shelved"]
        return msgspec.structs.replace(
            told,
            truth="TRUE" if calling else "FALSE",
            needs=_needs(told, lacks),
            alarms=tuple(each.id for each in records[: inputs.KEPT]),
        )

    def _quiet(
        self, rule: Compiled, index: int, zone_id: str, groups: Iterable[str]
    ) -> Iterator[SubjectStands]:
        """Tell of zones without such an alarm, with the meters that would raise it."""
        if rule.rule.triggers[index].subject != "zone":
            if not groups:
                yield SubjectStands(subject="", truth="FALSE", needs=("alarm",))
            return
        named = sorted(rule.zones) or [zone.id for zone in self._kernel.site.zones()]
        blind = self._kernel.readings.unmonitored()
        for zone in named:
            subject = f"zone:{zone}"
            if subject in groups or zone_id not in ("", zone):
                continue
            told = self._subject(rule, index, subject, {})
            unknown = rule.watches_gas and zone in blind
            yield msgspec.structs.replace(
                told,
                truth="UNKNOWN" if unknown else "FALSE",
                needs=_needs(told, ["good" if unknown else "alarm"]),
                inputs=told.inputs or self._meters(rule, zone),
            )

    def _meters(self, rule: Compiled, zone_id: str) -> tuple[RunInput, ...]:
        if not rule.watches_gas:
            return ()
        found = self._kernel.registry.entities(zone_id, EntityKind.GAS)
        return inputs.seen(self._kernel, [each.id for each in found])

    # --- both ---------------------------------------------------------------------

    def _subject(
        self, rule: Compiled, index: int, subject: str, params: Params
    ) -> SubjectStands:
        kernel, engine = self._kernel, self._engine
        run = engine.runs.of(rule.id, subject)
        scope = Scope(kernel, rule, subject, params, None)
        seen = inputs.of(kernel, engine.levels, rule, index, subject, params)
        return SubjectStands(
            subject=subject,
            truth="",
            mode=engine.modes.of(rule, place(kernel, subject)),
            condition=rule.condition(scope).name,
            parts=tuple(_parts(rule.rule.condition, scope)),
            inputs=seen,
            run=run.id if run is not None else "",
            run_since_ms=run.started_wall_ns // _MS if run is not None else 0,
        )

    def _now(self) -> int:
        return self._kernel.hub.clock.mono_ns()


def _weight(watch: Watch, subject: str) -> int:
    level = watch.levels.get(subject)
    return level.truth.value if level is not None else 0


def _parts(node: tree.Node | None, scope: Scope) -> Iterator[Part]:
    items = node.items if isinstance(node, tree.All) else (node,)
    for item in items:
        if item is not None:
            yield Part(expression(item), compile_truth(item)(scope).name)


def _lacking(truth: Truth, why: str) -> Iterator[str]:
    if truth is Truth.UNKNOWN:
        yield "good"
    elif truth is Truth.FALSE:
        yield why if why in ("vote", "quality") else "level"


def _needs(told: SubjectStands, lacks: list[str]) -> tuple[str, ...]:
    """Return what is missing, the trigger's own first; nothing while a run is open."""
    if told.run:
        return ("run",)
    if told.condition != "TRUE":
        lacks.append("condition" if told.condition == "FALSE" else "condition_good")
    if told.mode != "enforce":
        lacks.append(told.mode)
    return tuple(lacks)
