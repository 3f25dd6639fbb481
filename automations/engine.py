"""The rule engine: state machines keyed by (rule, subject), inside the kernel.

Every decision is an event, so a run survives a restart at any point: what is
recorded is not done again, what is not recorded is done now (R6, R7, R26).
"""

from collections.abc import Callable

from automations import steps
from automations.compiled import Compiled, compile_rule
from automations.scope import Scope
from core.alarms.events import AlarmRaised, AlarmRepeated, AlarmUnshelved
from core.alarms.state import AlarmRecord
from core.api.command import TERMINAL, CommandState
from core.api.reading import Value
from core.config import Rule
from core.hub import CORE, Hub
from core.journal.envelope import Cause, Envelope
from core.journal.events import Event
from core.kernel import Kernel
from core.logic.events import (
    RuleSkipped,
    RunFinished,
    RunJoined,
    RunStarted,
    RunStepped,
)
from core.logic.state import RunRecord, run_key, seen_key
from core.logic.truth import Truth
from core.permits.events import PermitHeld
from core.registry.events import DeviceReported
from core.response.events import CommandMoved

#: Zones whose detectors are missing for longer act by the rule's on_unknown.
UNKNOWN_S = 30.0
#: Rounds that one run does for new kinds and alarms that came again.
MAX_ROUNDS = 16

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
        self._skipped: set[tuple[str, str]] = set()
        self._unknown_since: dict[tuple[str, str], int] = {}
        hub = self.hub
        hub.on(AlarmRaised, self._alarm_event)
        hub.on(AlarmRepeated, self._alarm_event)
        hub.on(AlarmUnshelved, self._alarm_event)
        hub.on(DeviceReported, self._device_event)
        hub.on(PermitHeld, self._permit_event)
        hub.on(CommandMoved, self._command_event)

    # --- room -----------------------------------------------------------------

    def arm(self) -> None:
        """Compile the bundle's rules; a rule that fails leaves the others (R9)."""
        armed: dict[str, Compiled] = {}
        for rule in self.hub.bundle.rules:
            if rule.mode != "off":
                self.guard(rule.id, self._arm, rule, armed)
        self.rules = armed
        self._skipped.clear()

    def _arm(self, rule: Rule, armed: dict[str, Compiled]) -> None:
        armed[rule.id] = compile_rule(rule)

    def recover(self, clean: bool) -> None:
        """Go on with every open run exactly where the journal left it (R7)."""
        for run in list(self.hub.state.runs.open.values()):
            self.guard(run.rule, self._resume, run)

    def tick(self) -> None:
        """Look at levels again: hazards without a run, unknown zones, ended runs."""
        for rule in self.rules.values():
            self.guard(rule.id, self._level, rule)
        for run in list(self.hub.state.runs.open.values()):
            self.guard(run.rule, self.advance, run)

    def armed(self) -> dict[str, str]:
        """Return the hashes of the armed rules, for the check of R8."""
        return {rule.id: rule.rule.hash for rule in self.rules.values()}

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

    # --- triggers ---------------------------------------------------------------

    def _alarm_event(
        self, body: AlarmRaised | AlarmRepeated | AlarmUnshelved, _: Envelope
    ) -> None:
        record = self.hub.state.alarms.open.get(body.alarm_id)
        if record is not None:
            for rule in self.rules.values():
                self.guard(rule.id, self._alarm, rule, record)

    def _alarm(self, rule: Compiled, record: AlarmRecord) -> None:
        index = rule.matching_alarm(record)
        if index is None:
            return
        if record.shelf is not None or record.out_of_service:
            self._skip(rule, record.id, index, "shelved", {"alarm_id": record.id})
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

    def _device_event(self, body: DeviceReported, envelope: Envelope) -> None:
        device = self.hub.state.registry.devices.get(body.device_id)
        zone = device.zone_id if device else None
        self._event(
            "device",
            body.kind,
            zone,
            f"device:{body.device_id}",
            dict(body.params),
            envelope,
        )

    def _permit_event(self, body: PermitHeld, envelope: Envelope) -> None:
        permit = self.hub.state.permits.permits.get(body.permit_id)
        zone = permit.zone_id if permit else None
        params: Params = {"permit_id": body.permit_id, "code": body.hold.code}
        self._event(
            "permit", "held", zone, f"permit:{body.permit_id}", params, envelope
        )

    def _event(
        self,
        platform: str,
        kind: str,
        zone: str | None,
        source: str,
        params: Params,
        envelope: Envelope,
    ) -> None:
        for rule in self.rules.values():
            index = rule.matching_event(platform, kind, zone)
            if index is not None:
                facts: Params = {**params, "trigger_kind": kind, "source": source}
                subject = rule.subject(index, zone, source)
                self.guard(
                    rule.id, self.fire, rule, index, subject, facts, "", envelope.id
                )

    def fire(
        self,
        rule: Compiled,
        index: int,
        subject: str,
        params: Params,
        mark: str = "",
        parent: str = "",
    ) -> None:
        """Start a run for the subject, or join the one that is open (R6)."""
        trigger = f"triggers/{index}"
        run = self._open(rule.id, subject)
        if run is not None and self._join(rule, run, trigger, params):
            return
        truth = rule.condition(Scope(self.kernel, rule, subject, params, None))
        if truth is Truth.UNKNOWN:
            truth = self._on_unknown(rule, subject)
        if truth is not Truth.TRUE:
            self._skip(rule, str(params.get("alarm_id")), index, "condition", params)
            return
        cause = Cause(
            actor=f"rule:{rule.id}",
            rule=rule.id,
            rule_version=rule.rule.hash,
            parent=parent,
            drill=mark == "DRILL",
        )
        started = RunStarted(
            run_id=self.hub.ids.new(),
            rule=rule.id,
            rule_hash=rule.rule.hash,
            subject=subject,
            trigger=trigger,
            params=params,
            mode=rule.rule.mode,
            mark=mark,
        )
        self.hub.emit(started, cause)
        self.advance(self.hub.state.runs.open[started.run_id])

    def _join(
        self, rule: Compiled, run: RunRecord, trigger: str, params: Params
    ) -> bool:
        """Join an open run; False when it is full, and a new one must act."""
        again = self._came_again(rule, run, params)
        if seen_key(params) in run.seen and not again:
            return True
        kinds = {each.split(" ", 1)[0] for each in run.seen}
        fresh = again or str(params.get("trigger_kind")) not in kinds
        if fresh and len(run.rounds) >= MAX_ROUNDS:
            self._finish(run, "done", "continued by a new run")
            return False
        joined = RunJoined(run_id=run.id, trigger=trigger, params=params, fresh=fresh)
        self.hub.emit(joined, self.cause(run))
        self.advance(run)
        return True

    def _came_again(self, rule: Compiled, run: RunRecord, params: Params) -> bool:
        """Say whether an alarm begins anew what had ended: all must be done again.

        While another one stands that is as grave, its own round still protects.
        """
        record = self.hub.state.alarms.open.get(str(params.get("alarm_id")))
        if record is None or not record.active:
            return False
        for other in self.kernel.alarms.active():
            index = rule.matching_alarm(other)
            if other.id == record.id or index is None or other.mark != record.mark:
                continue
            same = rule.subject(index, other.zone_id, other.source) == run.subject
            if same and other.life_safety >= record.life_safety:
                return False
        return True

    def _skip(
        self, rule: Compiled, key: str, index: int, why: str, params: Params
    ) -> None:
        if (rule.id, key + why) in self._skipped:
            return
        self._skipped.add((rule.id, key + why))
        self.hub.emit(
            RuleSkipped(
                rule=rule.id,
                subject="",
                trigger=f"triggers/{index}",
                why=why,
                params=params,
            )
        )

    # --- levels -----------------------------------------------------------------

    def _level(self, rule: Compiled) -> None:
        for record in self.kernel.alarms.active():
            index = rule.matching_alarm(record)
            if index is None:
                continue
            subject = rule.subject(index, record.zone_id, record.source)
            run = self._open(rule.id, subject)
            if run is None or f"{record.kind} {record.source}" not in run.seen:
                self._alarm(rule, record)
        if rule.watches_gas:
            self._unknown_zones(rule)

    def _unknown_zones(self, rule: Compiled) -> None:
        now = self.hub.clock.mono_ns()
        blind = {z for z in self.kernel.readings.unmonitored() if rule.covers(z)}
        for key in [k for k in self._unknown_since if k[0] == rule.id]:
            if key[1] not in blind:
                del self._unknown_since[key]
                self.kernel.alarms.clear(f"rule:{rule.id}", f"unknown.{key[1]}")
        for zone in sorted(blind):
            since = self._unknown_since.setdefault((rule.id, zone), now)
            if now - since >= UNKNOWN_S * 1e9:
                self._on_unknown(rule, f"zone:{zone}")

    def _on_unknown(self, rule: Compiled, subject: str) -> Truth:
        """Do what the rule declares for UNKNOWN; never nothing (§5 Truth)."""
        zone = subject.removeprefix("zone:") if subject.startswith("zone:") else None
        if rule.rule.on_unknown == "fire":
            return Truth.TRUE
        self.kernel.alarms.raise_(
            f"rule:{rule.id}",
            f"unknown.{zone or subject}",
            kind="fault.unknown",
            priority=2,
            zone_id=zone,
            params={"rule": rule.id},
        )
        if rule.rule.on_unknown == "hold" and zone is not None:
            self.kernel.permits.hold_zone(
                zone, "unknown", source=f"rule:{rule.id}", cause=CORE
            )
        return Truth.FALSE

    # --- runs -------------------------------------------------------------------

    def _open(self, rule_id: str, subject: str) -> RunRecord | None:
        runs = self.hub.state.runs
        return runs.open.get(runs.by_key.get(run_key(rule_id, subject), ""))

    def cause(self, run: RunRecord) -> Cause:
        """Return the cause that a run's events and effects carry."""
        return Cause(
            actor=f"rule:{run.rule}",
            rule=run.rule,
            rule_version=run.rule_hash,
            parent=run.id,
            drill=run.mark == "DRILL",
        )

    def advance(self, run: RunRecord) -> None:
        """Start every step that may start; end the run when all is done."""
        rule = self.rules.get(run.rule)
        if rule is None:
            self._finish(run, "cancelled", "rule is no longer armed")
            return
        for number in range(len(run.rounds) + 1):
            steps.advance(self, rule, run, number)
        if run.id in self.hub.state.runs.open and self._is_over(rule, run):
            failed = any(step.state == "failed" for step in run.steps.values())
            self._finish(run, "failed" if failed else "done")

    def _is_over(self, rule: Compiled, run: RunRecord) -> bool:
        if not steps.all_done(rule, run):
            return False
        scope = Scope(self.kernel, rule, run.subject, run.params, run)
        return rule.closes(scope) is Truth.TRUE

    def _finish(self, run: RunRecord, outcome: str, detail: str = "") -> None:
        self.hub.emit(
            RunFinished(run_id=run.id, outcome=outcome, detail=detail), self.cause(run)
        )
        prefix = f"run.{run.id}."
        for path in run.steps:
            self.hub.timers.cancel(prefix + path)

    def record(self, run: RunRecord, path: str, state: str, **more: object) -> None:
        """Write down where a step stands."""
        body: Event = RunStepped(run_id=run.id, path=path, state=state, **more)  # type: ignore[arg-type]
        self.hub.emit(body, self.cause(run))

    def _resume(self, run: RunRecord) -> None:
        for path, step in run.steps.items():
            if step.state == "waiting" and step.until is not None:
                steps.arm_deadline(self, run, path, step.until)
        self._settle_commands(run)
        self.advance(run)

    def _command_event(self, body: CommandMoved, _: Envelope) -> None:
        if CommandState(body.state) not in TERMINAL:
            return
        for run in list(self.hub.state.runs.open.values()):
            waiting = any(
                body.command_id in step.refs and step.state == "waiting"
                for step in run.steps.values()
            )
            if waiting:
                self.guard(run.rule, self._commands_moved, run)

    def _commands_moved(self, run: RunRecord) -> None:
        self._settle_commands(run)
        self.advance(run)

    def _settle_commands(self, run: RunRecord) -> None:
        """End command steps whose commands have all reached a terminal state."""
        response = self.hub.state.response
        for path, step in list(run.steps.items()):
            if step.state != "waiting" or not step.refs:
                continue
            if any(ref in response.commands for ref in step.refs):
                continue
            last = {record.id: record for record in response.outputs.values()}
            bad = [
                last[ref].entity_id
                for ref in step.refs
                if ref in last and last[ref].state is not CommandState.CONFIRMED
            ]
            self.hub.timers.cancel(f"run.{run.id}.{path}")
            if bad:
                self.record(run, path, "failed", detail=",".join(bad))
            else:
                self.record(run, path, "done")
