"""The open runs of rules: started, joined, stepped, finished, resumed.

Every decision is an event, so a run survives a restart at any point: what is
recorded is not done again, what is not recorded is done now (R6, R7).
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from automations import steps
from automations.compiled import Compiled
from automations.scope import Scope
from core.api.command import TERMINAL, CommandState
from core.api.reading import Value
from core.deadlines import Deadline
from core.journal.envelope import Cause, Envelope
from core.journal.events import Event
from core.kernel import Kernel
from core.logic.events import (
    RunFinished,
    RunInput,
    RunJoined,
    RunStarted,
    RunStepped,
)
from core.logic.state import RunRecord, run_key, seen_key
from core.logic.truth import Truth
from core.response.events import CommandMoved

#: Rounds that one run does for new kinds and alarms that came again.
MAX_ROUNDS = 16

Params = dict[str, Value]


class Guard(Protocol):
    """Do work for a rule; an error becomes an alarm with the rule's id."""

    def __call__(
        self, rule_id: str, work: Callable[..., object], /, *args: object
    ) -> None:
        """Do the work."""


class Runs:
    """Drive the runs, one at most per (rule, subject)."""

    def __init__(self, kernel: Kernel, guard: Guard) -> None:
        self.kernel, self.hub, self.guard = kernel, kernel.hub, guard
        self.rules: dict[str, Compiled] = {}
        self._waits: dict[str, list[str]] = {}
        """Run ids by the command that a step of theirs waits for."""
        self.hub.on(CommandMoved, self._command_event)

    def all(self) -> list[RunRecord]:
        """Return the open runs."""
        return list(self.hub.state.runs.open.values())

    def of(self, rule_id: str, subject: str) -> RunRecord | None:
        """Return the open run of a rule for a subject."""
        runs = self.hub.state.runs
        return runs.open.get(runs.by_key.get(run_key(rule_id, subject), ""))

    def start(
        self,
        rule: Compiled,
        subject: str,
        trigger: str,
        params: Params,
        mark: str,
        parent: str,
        *,
        mode: str = "",
        inputs: tuple[RunInput, ...] = (),
    ) -> None:
        """Begin a run and do what it can do at once."""
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
            mode=mode or rule.rule.mode,
            mark=mark,
            inputs=inputs,
            selection=self.hub.state.runs.selected.get(run_key(rule.id, trigger), ""),
        )
        self.hub.emit(started, cause)
        if started.mode == "advise":
            steps.advise(self, rule, self.hub.state.runs.open[started.run_id])
        self.advance(self.hub.state.runs.open[started.run_id])

    def join(
        self,
        rule: Compiled,
        run: RunRecord,
        trigger: str,
        params: Params,
        *,
        again: bool = False,
    ) -> bool:
        """Count a trigger of an open run; False when it is full and a new one acts.

        A new kind, and an alarm that came again, do the steps once more.
        """
        again = again or self._came_again(rule, run, params)
        if seen_key(params) in run.seen and not again:
            return True
        kinds = {each.split(" ", 1)[0] for each in run.seen}
        fresh = again or str(params.get("trigger_kind")) not in kinds
        if fresh and len(run.rounds) >= MAX_ROUNDS:
            self.finish(run, "done", "continued by a new run")
            return False
        joined = RunJoined(run_id=run.id, trigger=trigger, params=params, fresh=fresh)
        self.hub.emit(joined, self.cause(run))
        self.advance(run)
        return True

    def _came_again(self, rule: Compiled, run: RunRecord, params: Params) -> bool:
        """Say whether an alarm begins anew what had ended: all must be done again.

        People may have gone back in meanwhile. While another alarm stands that is
        as grave, its own round still protects.
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
            self.finish(run, "cancelled", "rule is no longer armed")
            return
        for number in range(len(run.rounds) + 1):
            steps.advance(self, rule, run, number)
        if run.id in self.hub.state.runs.open and self._is_over(rule, run):
            failed = any(step.state == "failed" for step in run.steps.values())
            self.finish(run, "failed" if failed else "done")

    def _is_over(self, rule: Compiled, run: RunRecord) -> bool:
        if not steps.all_done(rule, run):
            return False
        scope = Scope(self.kernel, rule, run.subject, run.params, run)
        return rule.closes(scope) is Truth.TRUE

    def finish(self, run: RunRecord, outcome: str, detail: str = "") -> None:
        """End a run and its timers."""
        self.hub.emit(
            RunFinished(run_id=run.id, outcome=outcome, detail=detail), self.cause(run)
        )
        prefix = f"run.{run.id}."
        for path in run.steps:
            self.hub.timers.cancel(prefix + path)
        rule = self.rules.get(run.rule)
        if rule is not None and outcome != "cancelled":
            steps.end_alarms(self, rule, run)

    def record(self, run: RunRecord, path: str, state: str, **more: object) -> None:
        """Write down where a step stands."""
        refs = more.get("refs", ())
        if state == "waiting" and isinstance(refs, tuple):
            self._wait(run, refs)
        body: Event = RunStepped(run_id=run.id, path=path, state=state, **more)  # type: ignore[arg-type]
        self.hub.emit(body, self.cause(run))

    def arm_deadline(self, run: RunRecord, path: str, until: Deadline) -> None:
        """Arm a waiting step's persisted deadline."""
        steps.arm_deadline(self, run, path, until)

    def resume(self, run: RunRecord) -> None:
        """Go on with a run exactly where the journal left it."""
        for path, step in run.steps.items():
            if step.state == "waiting" and step.until is not None:
                self._wait(run, step.refs)
                steps.arm_deadline(self, run, path, step.until)
        self._settle_commands(run)
        self.advance(run)

    def _command_event(self, body: CommandMoved, _: Envelope) -> None:
        if CommandState(body.state) not in TERMINAL:
            return
        for run_id in self._waits.pop(body.command_id, ()):
            run = self.hub.state.runs.open.get(run_id)
            if run is not None:
                self.guard(run.rule, self._commands_moved, run)

    def _wait(self, run: RunRecord, commands: Iterable[str]) -> None:
        """Remember who waits: one command may be awaited by several runs."""
        for command_id in commands:
            self._waits.setdefault(command_id, []).append(run.id)

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
            last = [self.kernel.commands.last(ref) for ref in step.refs]
            bad = [
                each.entity_id
                for each in last
                if each is not None and each.state is not CommandState.CONFIRMED
            ]
            self.hub.timers.cancel(f"run.{run.id}.{path}")
            if bad:
                self.record(run, path, "failed", detail=",".join(bad))
            else:
                self.record(run, path, "done")
