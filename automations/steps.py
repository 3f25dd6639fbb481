"""What a run's steps do, one small function an action."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from automations import actions
from automations.compiled import Compiled
from automations.doing import Doing
from automations.scope import Scope, place
from core.api.reading import Value
from core.config import Step
from core.deadlines import Deadline
from core.logic.state import RunRecord, StepRecord
from core.logic.truth import Truth

if TYPE_CHECKING:
    from automations.runs import Runs


DONE = frozenset({"done", "failed", "skipped", "shadow", "advised"})
#: Actions that change nothing outside the run are done in shadow mode too.
_QUIET = frozenset({"wait", "choose", "repeat"})


def _prefix(number: int) -> str:
    return f"r{number}/" if number else ""


def _tree(
    steps: tuple[Step, ...], run: RunRecord, prefix: str
) -> Iterator[tuple[Step, str]]:
    """Yield the steps that are due by the run's records, branches taken included."""
    for step in steps:
        path = prefix + step.path
        yield step, path
        record = run.steps.get(path)
        if record is None:
            continue
        if step.action == "choose" and record.state == "done":
            yield from _tree(
                step.branches[0 if record.detail == "then" else 1], run, prefix
            )
        if step.action == "repeat" and record.detail.isdigit():
            for number in range(1, int(record.detail) + 1):
                yield from _tree(step.branches[0], run, f"{prefix}i{number}/")
        if record.state == "failed":
            yield from _tree(step.on_failure, run, prefix)


def advance(runs: "Runs", rule: Compiled, run: RunRecord, number: int) -> None:
    """Start what may start in one round; independent steps go side by side."""
    prefix = _prefix(number)
    params = run.rounds[number - 1] if number else run.params
    moved = True
    while moved:
        moved = False
        for step, path in list(_tree(rule.rule.steps, run, prefix)):
            record = run.steps.get(path)
            if record is not None and record.state == "round":
                moved |= _go_round(runs, rule, run, step, path, params)
            if record is not None or not _is_due(step, run, path):
                continue
            # One step that fails never keeps the others waiting (R12).
            runs.guard(run.rule, _start, runs, rule, run, step, path, params)
            moved |= path in run.steps
    _wake(runs, rule, run, prefix, params)


def all_done(rule: Compiled, run: RunRecord) -> bool:
    """Say whether every due step of every round has ended."""
    for number in range(len(run.rounds) + 1):
        for _, path in _tree(rule.rule.steps, run, _prefix(number)):
            record = run.steps.get(path)
            if record is None or record.state not in DONE:
                return False
    return True


def _go_round(
    runs: "Runs",
    rule: Compiled,
    run: RunRecord,
    step: Step,
    path: str,
    params: dict[str, Value],
) -> bool:
    """Begin a repeat's next round once all of the last one has ended."""
    scope = Scope(runs.kernel, rule, run.subject, params, run)
    do = Doing(runs, rule, run, step, path, scope)
    record = run.steps[path]
    if not _round_over(do, record, path.removesuffix(step.path)):
        return False
    runs.guard(run.rule, _next_round, do, int(record.detail) + 1)
    return True


def _is_due(step: Step, run: RunRecord, path: str) -> bool:
    if not step.after:
        return True
    prefix = path.removesuffix(step.path)
    return all(
        (record := run.steps.get(prefix + each)) is not None and record.state in DONE
        for each in step.after
    )


def _start(
    runs: "Runs",
    rule: Compiled,
    run: RunRecord,
    step: Step,
    path: str,
    params: dict[str, Value],
) -> None:
    scope = Scope(runs.kernel, rule, run.subject, params, run)
    if step.action not in _QUIET:
        # UNKNOWN never keeps a protective step back: only FALSE skips it.
        if step.path in rule.when and rule.when[step.path](scope) is Truth.FALSE:
            runs.record(run, path, "skipped", detail="if")
            return
        if (quiet := _withheld(run, step)) is not None:
            runs.record(run, path, quiet, detail=step.action)
            return
    try:
        work = _CONTROL.get(step.action) or actions.ACTIONS[step.action]
        work(Doing(runs, rule, run, step, path, scope))
    except Exception as bad:
        # The step's own failure branch must run before the rule's alarm says so.
        runs.record(run, path, "failed", detail=f"{type(bad).__name__}: {bad}"[:300])
        raise


def _withheld(run: RunRecord, step: Step) -> str | None:
    """Return how a step is written down that its run's mode or mark keeps back.

    A drill moves nothing but what is heard and seen, and touches no live permit.
    """
    if run.mode == "advise":
        return None if step.action in actions.TELLING else "advised"
    if run.mode != "enforce":
        return "shadow"
    if run.mark and not actions.in_drill(step):
        return "skipped"
    return None


def _wake(
    runs: "Runs",
    rule: Compiled,
    run: RunRecord,
    prefix: str,
    params: dict[str, Value],
) -> None:
    """End waits whose condition has come true."""
    for step, path in list(_tree(rule.rule.steps, run, prefix)):
        record = run.steps.get(path)
        if step.action != "wait" or record is None or record.state != "waiting":
            continue
        scope = Scope(runs.kernel, rule, run.subject, params, run)
        if step.path in rule.when and rule.when[step.path](scope) is Truth.TRUE:
            runs.hub.timers.cancel(f"run.{run.id}.{path}")
            runs.record(run, path, "done")


def arm_deadline(runs: "Runs", run: RunRecord, path: str, until: Deadline) -> None:
    """Arm a waiting step's persisted deadline; late ones fire at once (R7)."""
    left = until.remaining_ns(runs.hub.clock)
    run_id = run.id

    def due() -> None:
        runs.guard(run.rule, _expire, runs, run_id, path, left is None)

    now = runs.hub.clock.mono_ns()
    runs.hub.timers.at(now + max(left or 0, 0), f"run.{run.id}.{path}", due)


def _expire(runs: "Runs", run_id: str, path: str, late_unknown: bool) -> None:
    run = runs.hub.state.runs.open.get(run_id)
    record = run.steps.get(path) if run else None
    if run is None or record is None or record.state != "waiting":
        return
    detail = "late_unknown" if late_unknown else "deadline"
    plain_wait = record.detail == "for"
    runs.record(run, path, "done" if plain_wait else "failed", detail=detail)
    runs.advance(run)


def _wait(do: Doing) -> None:
    span = do.step.fields.get("for")
    if (
        do.step.path in do.rule.when
        and do.rule.when[do.step.path](do.scope) is Truth.TRUE
    ):
        do.runs.record(do.run, do.path, "done")
        return
    seconds = float(span) if isinstance(span, int | float) else do.step.deadline_s
    until = Deadline.after(do.runs.hub.clock, seconds)
    plain = "for" if do.step.path not in do.rule.when else "until"
    do.runs.record(do.run, do.path, "waiting", detail=plain, until=until)
    arm_deadline(do.runs, do.run, do.path, until)


def _choose(do: Doing) -> None:
    # UNKNOWN takes the first branch: the one that its author wrote to protect.
    answer = (
        do.rule.when[do.step.path](do.scope)
        if do.step.path in do.rule.when
        else Truth.TRUE
    )
    do.runs.record(
        do.run, do.path, "done", detail="else" if answer is Truth.FALSE else "then"
    )


def _repeat(do: Doing) -> None:
    _next_round(do, 1)


def _next_round(do: Doing, number: int) -> None:
    """Begin a round, or end the repeat; UNKNOWN never ends one early."""
    limit = do.step.fields["count"]
    test = do.rule.when.get(do.step.path)
    over = test is not None and test(do.scope) is Truth.FALSE
    if over or (isinstance(limit, int) and number > limit):
        do.runs.record(do.run, do.path, "done", detail=str(number - 1))
    else:
        do.runs.record(do.run, do.path, "round", detail=str(number))


def _round_over(do: Doing, record: StepRecord, prefix: str) -> bool:
    """Say whether all steps of a repeat's last round have ended."""
    inner = f"{prefix}i{record.detail}/"
    return all(
        (each := do.run.steps.get(path)) is not None and each.state in DONE
        for _, path in _tree(do.step.branches[0], do.run, inner)
    )


_CONTROL: dict[str, Callable[[Doing], None]] = {
    "wait": _wait,
    "choose": _choose,
    "repeat": _repeat,
}


def advise(runs: "Runs", rule: Compiled, run: RunRecord) -> None:
    """Tell who answers for the site what a rule that only advises would do."""
    runs.kernel.notices.tell(
        roles=("supervisor", "safety_officer"),
        channels=("screen",),
        code="notice.rule_advice",
        params={
            **run.params,
            "rule": run.rule,
            "zone": place(runs.kernel, run.subject),
            "actions": ", ".join(step.action for step in rule.rule.steps),
        },
        about=str(run.params.get("alarm_id") or run.id),
        mark=run.mark,
        cause=runs.cause(run),
    )


def end_alarms(runs: "Runs", rule: Compiled, run: RunRecord) -> None:
    """Return the alarms that a finished run raised for as long as it lasts."""
    for number in range(len(run.rounds) + 1):
        for step, path in _tree(rule.rule.steps, run, _prefix(number)):
            record = run.steps.get(path)
            raised = record is not None and record.state == "done"
            if step.action == "alarm.raise" and raised:
                if step.fields.get("ends_with_run"):
                    runs.kernel.alarms.clear(
                        f"rule:{run.rule}",
                        actions.condition_of(step, run),
                        cause=runs.cause(run),
                    )
