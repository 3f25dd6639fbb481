"""The rule engine: state machines keyed by (rule, subject), inside the kernel.

Every decision is an event, so a run survives a restart at any point: what is
recorded is not done again, what is not recorded is done now (R6, R7, R26).
"""

from collections.abc import Callable, Iterable

from automations import alarm_calls, inputs
from automations.compiled import Compiled, compile_rule
from automations.explaining import Explaining
from automations.level import UNKNOWN_S
from automations.levels import Levels
from automations.modes import Modes
from automations.moments import Moments
from automations.runs import Runs
from automations.scope import Scope, depending, place
from automations.selecting import Lacking
from automations.told import Selectors
from core.alarms.state import AlarmRecord
from core.api.reading import Value
from core.clock import NS
from core.config import Rule
from core.hub import CORE, Hub
from core.kernel import Kernel
from core.logic.events import RuleSkipped
from core.logic.state import seen_key
from core.logic.truth import Truth

Params = dict[str, Value]


def make(kernel: Kernel) -> "Engine":
    """Return the engine; the safety process calls this by name."""
    return Engine(kernel)


class Engine:
    """Run the armed rules."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.hub: Hub = kernel.hub
        self.rules: dict[str, Compiled] = {}
        self._near: dict[str, list[Compiled]] = {}
        """Rules by the zones that they name, so that an alarm costs what it must."""
        self._everywhere: list[Compiled] = []
        self.runs = Runs(kernel, self.guard)
        self.selectors = Selectors(kernel)
        self.levels = Levels(kernel, self)
        self.moments = Moments(kernel, self)
        self.modes = Modes(kernel, self)
        self.explaining = Explaining(kernel, self)
        self._skipped: set[tuple[str, str, str]] = set()
        """(rule, alarm, why) that were told; forgotten with the alarm."""
        self._unknown_since: dict[tuple[str, str], int] = {}
        # No evidence ends what a rule says of itself: a person may.
        kernel.alarms.judges["rule"] = lambda _source, _condition: False
        alarm_calls.listen(self.hub, self._calls, self._put_by)

    # --- room -----------------------------------------------------------------

    def arm(self) -> None:
        """Compile the bundle's rules; a rule that fails leaves the others (R9)."""
        armed: dict[str, Compiled] = {}
        for rule in self.hub.bundle.rules:
            if {rule.mode, *rule.zone_modes.values()} != {"off"}:
                self.guard(rule.id, self._arm, rule, armed)
        self.rules = self.runs.rules = armed
        self._skipped.clear()
        self.selectors.arm()
        self._near.clear()
        self._everywhere.clear()
        for each in armed.values():
            for zone in each.zones:
                self._near.setdefault(zone, []).append(each)
            if not each.zones:
                self._everywhere.append(each)
        self.levels.arm(armed.values())
        self.modes.show()

    def looking(self, zone: str | None) -> list[Compiled]:
        """Return the rules that look at a zone."""
        return self._near.get(zone or "", []) + self._everywhere

    def _arm(self, rule: Rule, armed: dict[str, Compiled]) -> None:
        gases = {each.id for each in self.hub.bundle.quantities if each.gas_class}
        armed[rule.id] = compile_rule(rule, gases)

    def recover(self, clean: bool) -> None:
        """Go on with every open run exactly where the journal left it (R7)."""
        now = self.hub.clock.mono_ns()
        for alarm in self.kernel.alarms.active(kind_prefix="fault.unknown"):
            rule_id = alarm.source.removeprefix("rule:")
            if alarm.condition == f"unknown.{alarm.zone_id}" and alarm.zone_id:
                self._unknown_since[rule_id, alarm.zone_id] = now
        self.levels.boot()
        self.moments.recover()
        self.modes.recover()
        self.selectors.recover()
        for run in self.runs.all():
            self.guard(run.rule, self.runs.resume, run)

    def tick(self) -> None:
        """Look at levels again: hazards without a run, unknown zones, ended runs."""
        for record in self.kernel.alarms.active():
            for rule in self.looking(record.zone_id):
                self.guard(rule.id, self._level, rule, record)
        for zone in self.kernel.readings.unmonitored() | self._blind_zones():
            for rule in self.looking(zone):
                if rule.watches_gas:
                    self.guard(rule.id, self._unknown_zone, rule, zone)
        self.levels.tick()
        self.moments.tick()
        self.selectors.tick()
        self.modes.show()
        for run in self.runs.all():
            self.guard(run.rule, self.runs.advance, run)
        known = self.hub.state.alarms.open
        self._skipped = {each for each in self._skipped if each[1] in known}

    def armed(self) -> dict[str, str]:
        """Return the hashes of the armed rules, for the check of R8.

        Of the tables that events go through. A rule of which no trigger finds what
        it looks at is not among them.
        """
        refused = self.levels.refused()
        told = {r.id: r for e in (self._everywhere, *self._near.values()) for r in e}
        return {
            name: rule.rule.hash
            for name, rule in self.rules.items()
            if told.get(name) is rule and name not in refused
        }

    def guard(self, rule_id: str, work: Callable[..., object], *args: object) -> None:
        """Do work for a rule; an error is an alarm with the rule's id (§5 Rules)."""
        try:
            work(*args)
        except Exception as bad:  # noqa: BLE001  a rule must never end the process
            self.kernel.alarms.raise_(
                f"rule:{rule_id}",
                "error",
                kind="fault.rule",
                priority=2,
                params={"rule": rule_id, "error": f"{type(bad).__name__}: {bad}"[:300]},
            )

    # --- alarms -----------------------------------------------------------------

    def _calls(self, record: AlarmRecord) -> None:
        for rule in self.looking(record.zone_id):
            self.guard(rule.id, self._alarm, rule, record)

    def _put_by(self, record: AlarmRecord) -> None:
        for rule in self.looking(record.zone_id):
            self.guard(rule.id, self._level, rule, record)

    def _alarm(self, rule: Compiled, record: AlarmRecord) -> None:
        index = rule.matching_alarm(record)
        if index is None:
            return
        if record.put_by:
            why = "suppressed" if record.suppressed else "shelved"
            self._skip(rule, record.id, index, why, {"alarm_id": record.id})
            return
        params: Params = {
            "trigger_kind": record.kind,
            "trigger_priority": record.priority,
            "trigger_value": record.params.get("value"),
            "alarm_id": record.id,
            "source": record.source,
        }
        params |= {k: v for k, v in record.params.items() if k not in params}
        subject = rule.subject(index, record.zone_id, record.source)
        self.fire(rule, index, subject, params, mark=record.mark, parent=record.id)

    def _level(self, rule: Compiled, record: AlarmRecord) -> None:
        index = rule.matching_alarm(record)
        if index is None:
            return
        subject = rule.subject(index, record.zone_id, record.source)
        run = self.runs.of(rule.id, subject)
        if run is None or f"{record.kind} {record.source}" not in run.seen:
            self._alarm(rule, record)

    # --- starting runs ------------------------------------------------------------

    def fire(
        self,
        rule: Compiled,
        index: int,
        subject: str,
        params: Params,
        *,
        mark: str = "",
        parent: str = "",
        again: bool = False,
    ) -> bool:
        """Start a run for the subject, or join the one that is open (R6).

        ``again``: it ended and began anew, so an open run does its steps once
        more. False: a condition, or the rule's mode, kept it from acting.
        """
        trigger = f"triggers/{index}"
        run = self.runs.of(rule.id, subject)
        if run is not None and self.runs.join(rule, run, trigger, params, again=again):
            return True
        mode = self.modes.of(rule, place(self.kernel, subject))
        if mode == "off":
            self._skip(rule, _key(params), index, "off", params, subject)
            return False
        truth = rule.condition(Scope(self.kernel, rule, subject, params, None))
        why = "condition"
        if truth is Truth.UNKNOWN:
            truth, why = self._on_unknown(rule, subject, mode=mode), "unknown"
        if truth is not Truth.TRUE:
            self._skip(rule, _key(params), index, why, params, subject)
            return False
        seen = inputs.of(self.kernel, self.levels, rule, index, subject, params)
        self.runs.start(
            rule, subject, trigger, params, mark, parent, mode=mode, inputs=seen
        )
        return True

    def _skip(
        self,
        rule: Compiled,
        key: str,
        index: int,
        why: str,
        params: Params,
        subject: str = "",
    ) -> None:
        if (rule.id, key, why) in self._skipped:
            return
        if key:
            self._skipped.add((rule.id, key, why))
        body = RuleSkipped(
            rule=rule.id,
            subject=subject,
            trigger=f"triggers/{index}",
            why=why,
            params=params,
            inputs=inputs.of(self.kernel, self.levels, rule, index, subject, params),
        )
        self.hub.emit(body)

    # --- moments ------------------------------------------------------------------

    def happened(
        self,
        rule: Compiled,
        index: int,
        subject: str,
        params: Params,
        *,
        mark: str = "",
        parent: str = "",
    ) -> None:
        """Start or join a run for a moment: each one counts."""
        self.fire(rule, index, subject, params, mark=mark, parent=parent, again=True)

    # --- levels -------------------------------------------------------------------

    def level_fires(
        self, rule: Compiled, index: int, subject: str, params: Params, *, again: bool
    ) -> bool:
        """Start or join a run for a level; False: it must be asked again."""
        run = self.runs.of(rule.id, subject)
        if run is None and not self._acts(rule, index, subject, params):
            return False
        return self.fire(rule, index, subject, params, again=again)

    def _acts(self, rule: Compiled, index: int, subject: str, params: Params) -> bool:
        """Say whether a level's condition lets it act; tell once a minute if not."""
        scope = Scope(self.kernel, rule, subject, params, None)
        if rule.condition(scope) is not Truth.FALSE:
            return True
        self.levels.skip(rule, index, subject, "condition", params)
        return False

    def level_unknown(
        self, rule: Compiled, index: int, subject: str, params: Params
    ) -> None:
        """Do what on_unknown declares for a level that stays UNKNOWN."""
        mode = self.modes.of(rule, place(self.kernel, subject))
        if mode == "off":
            return
        slot = f"unknown.{index}.{subject}"
        if self._on_unknown(rule, subject, slot, mode=mode) is Truth.TRUE:
            facts: Params = {**params, "trigger_kind": "unknown"}
            run = self.runs.of(rule.id, subject)
            if run is None or seen_key(facts) not in run.seen:
                self.fire(rule, index, subject, facts)

    def level_known(self, rule: Compiled, index: int, subject: str) -> None:
        """Take back the fault alarm of a level that can be judged again."""
        self.kernel.alarms.clear(f"rule:{rule.id}", f"unknown.{index}.{subject}")

    def level_skipped(
        self, rule: Compiled, index: int, subject: str, why: str, params: Params
    ) -> None:
        """Write down why a level does not fire (R26)."""
        self._skip(rule, "", index, why, params, subject)

    def level_lacks(self, rule: Compiled, index: int, lacking: list[Lacking]) -> None:
        """Remember what a selector does not find; it is told unless it comes soon."""
        self.selectors.lacks(rule, index, lacking)

    def level_finds(self, rule: Compiled, index: int, entities: Iterable[str]) -> None:
        """Write down what a selector finds, when it is not as before."""
        self.selectors.finds(rule, index, entities)

    def mode_changed(self, rule: Compiled, zone_id: str) -> None:
        """End the runs of the old mode; what stands is answered in the new one."""
        for run in self.runs.all():
            if run.rule == rule.id:
                mode = self.modes.of(rule, place(self.kernel, run.subject))
                if mode != run.mode:
                    self.runs.finish(run, "cancelled", f"mode is {mode} now")
        self.levels.renew(rule)

    # --- unknown --------------------------------------------------------------------

    def _blind_zones(self) -> set[str]:
        return {zone for _, zone in self._unknown_since}

    def _unknown_zone(self, rule: Compiled, zone: str) -> None:
        """Act on a zone whose detectors stay missing; take note when they return."""
        key = (rule.id, zone)
        if zone not in self.kernel.readings.unmonitored():
            if self._unknown_since.pop(key, None) is not None:
                self.kernel.alarms.clear(f"rule:{rule.id}", f"unknown.{zone}")
            return
        now = self.hub.clock.mono_ns()
        if now - self._unknown_since.setdefault(key, now) >= UNKNOWN_S * NS:
            subject = f"zone:{zone}"
            mode = self.modes.of(rule, zone)
            if (
                mode != "off"
                and self._on_unknown(rule, subject, mode=mode) is Truth.TRUE
            ):
                self.fire(rule, 0, subject, {"trigger_kind": "unknown"})

    def _on_unknown(
        self, rule: Compiled, subject: str, slot: str = "", *, mode: str = "enforce"
    ) -> Truth:
        """Do what the rule declares for UNKNOWN; never nothing (§5 Truth)."""
        zone = subject.removeprefix("zone:") if subject.startswith("zone:") else None
        if rule.rule.on_unknown == "fire":
            return Truth.TRUE
        self.kernel.alarms.raise_(
            f"rule:{rule.id}",
            slot or f"unknown.{zone or subject}",
            kind="fault.unknown",
            priority=2,
            zone_id=zone,
            params={"rule": rule.id},
        )
        # A rule that only watches or advises holds nothing either.
        if rule.rule.on_unknown == "hold" and mode == "enforce":
            for permit_id in depending(self.kernel, subject):
                self.kernel.permits.hold(
                    permit_id, "unknown", source=f"rule:{rule.id}", cause=CORE
                )
        return Truth.FALSE


def _key(params: Params) -> str:
    return str(params.get("alarm_id") or "")
