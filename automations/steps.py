"""What a run's steps do, one small function an action."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from automations.compiled import Compiled
from automations.scope import Scope
from core.api.model import OutputKind
from core.api.reading import Value
from core.config import Step
from core.deadlines import Deadline
from core.logic.state import RunRecord
from core.logic.truth import Truth

if TYPE_CHECKING:
    from automations.runs import Runs

DONE = frozenset({"done", "failed", "skipped", "shadow"})
#: Actions that change nothing outside the run are done in shadow mode too.
_QUIET = frozenset({"wait", "choose"})


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
            if path in run.steps or not _is_due(step, run, prefix):
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


def _is_due(step: Step, run: RunRecord, prefix: str) -> bool:
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
        if run.mode != "enforce":
            runs.record(run, path, "shadow", detail=step.action)
            return
    try:
        _ACTIONS[step.action](runs, rule, run, step, path, scope)
    except Exception as bad:
        # The step's own failure branch must run before the rule's alarm says so.
        runs.record(run, path, "failed", detail=f"{type(bad).__name__}: {bad}"[:300])
        raise


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


def _zone(run: RunRecord, step: Step) -> str | None:
    named = step.fields.get("zone", "subject")
    if named != "subject":
        return str(named)
    return run.subject.removeprefix("zone:") if run.subject[:5] == "zone:" else None


def _zones(runs: "Runs", run: RunRecord, step: Step) -> list[str]:
    zone = _zone(run, step)
    if zone is None:
        return []
    near = runs.kernel.site.neighbours(zone) if step.fields.get("neighbours") else ()
    return [zone, *near]


def _command(
    runs: "Runs",
    rule: Compiled,
    run: RunRecord,
    step: Step,
    path: str,
    _scope: Scope,
) -> None:
    kind = OutputKind(str(step.fields["output"]))
    value = step.fields["value"]
    outputs = [
        entity
        for zone in _zones(runs, run, step)
        for entity in runs.kernel.registry.outputs(zone, kind)
    ]
    if not outputs:
        if step.fields.get("if_none") == "skip":
            runs.record(run, path, "skipped", detail=f"no {kind}")
            return
        raise LookupError(f"no {kind} serves {run.subject}")
    given = [
        runs.kernel.commands.order(
            entity.id,
            value if isinstance(value, bool | float | int) else str(value),
            why=run.id,
            deadline_s=step.deadline_s,
            cause=runs.cause(run),
        )
        for entity in outputs
    ]
    ids = tuple(each for each in given if each is not None)
    if not ids:
        runs.record(run, path, "skipped", detail="withheld")
        return
    until = Deadline.after(runs.hub.clock, step.deadline_s + 1.0)
    runs.record(run, path, "waiting", refs=ids, until=until)
    arm_deadline(runs, run, path, until)


def _hold(
    runs: "Runs",
    rule: Compiled,
    run: RunRecord,
    step: Step,
    path: str,
    _scope: Scope,
) -> None:
    zone = _zone(run, step)
    if zone is None:
        raise LookupError(f"{run.subject} is no zone: nothing to hold")
    retest = step.fields.get("retest", ())
    held = runs.kernel.permits.hold_zone(
        zone,
        str(step.fields["code"]),
        source=f"rule:{run.rule}",
        retest=tuple(retest) if isinstance(retest, tuple | list) else (),
        linked=bool(step.fields.get("linked", True)),
        cause=runs.cause(run),
    )
    runs.record(run, path, "done", detail=str(len(held)), holds=tuple(held))


def _evacuate(
    runs: "Runs",
    rule: Compiled,
    run: RunRecord,
    step: Step,
    path: str,
    scope: Scope,
) -> None:
    zones = _zones(runs, run, step)
    if not zones:
        raise LookupError(f"{run.subject} is no zone: nothing to evacuate")
    facts = {k: v for k, v in run.params.items() if k not in ("alarm_id", "source")}
    made = runs.kernel.evacuations.start(
        zones,
        str(step.fields.get("code") or scope("trigger_kind")[0] or "alarm"),
        params=facts,
        mark=run.mark,
        cause=runs.cause(run),
    )
    runs.record(run, path, "done", refs=(made,))


def _notify(
    runs: "Runs",
    rule: Compiled,
    run: RunRecord,
    step: Step,
    path: str,
    _scope: Scope,
) -> None:
    code = str(step.fields["code"])
    number = path.split("/", 1)[0]
    params = run.rounds[int(number[1:]) - 1] if number[:1] == "r" else run.params
    facts = {**params, "zone_id": _zone(run, step)}
    about = str(params.get("alarm_id") or run.id)
    tell = runs.kernel.notices
    if "chain" in step.fields:
        ids = tell.tell_chain(
            str(step.fields["chain"]),
            code,
            facts,
            about=about,
            mark=run.mark,
            cause=runs.cause(run),
        )
    else:
        ids = tell.tell(
            roles=_tuple(step.fields.get("roles", ())),
            channels=_tuple(step.fields.get("channels", ("screen",))),
            code=code,
            params=facts,
            about=about,
            mark=run.mark,
            cause=runs.cause(run),
        )
    runs.record(run, path, "done", refs=tuple(ids or ()))


def _raise(
    runs: "Runs",
    rule: Compiled,
    run: RunRecord,
    step: Step,
    path: str,
    _scope: Scope,
) -> None:
    fields = step.fields
    priority = fields.get("priority", 2)
    made = runs.kernel.alarms.raise_(
        f"rule:{run.rule}",
        str(fields["condition"]),
        kind=str(fields["kind"]),
        priority=priority if isinstance(priority, int) else 2,
        zone_id=_zone(run, step),
        life_safety=bool(fields.get("life_safety", False)),
        latching=bool(fields.get("latching", False)),
        params=dict(run.params),
        mark=run.mark,
        cause=runs.cause(run),
    )
    runs.record(run, path, "done", refs=(made,))


def _wait(
    runs: "Runs",
    rule: Compiled,
    run: RunRecord,
    step: Step,
    path: str,
    scope: Scope,
) -> None:
    span = step.fields.get("for")
    if step.path in rule.when and rule.when[step.path](scope) is Truth.TRUE:
        runs.record(run, path, "done")
        return
    seconds = float(span) if isinstance(span, int | float) else step.deadline_s
    until = Deadline.after(runs.hub.clock, seconds)
    plain = "for" if step.path not in rule.when else "until"
    runs.record(run, path, "waiting", detail=plain, until=until)
    arm_deadline(runs, run, path, until)


def _choose(
    runs: "Runs",
    rule: Compiled,
    run: RunRecord,
    step: Step,
    path: str,
    scope: Scope,
) -> None:
    # UNKNOWN takes the first branch: the one that its author wrote to protect.
    answer = rule.when[step.path](scope) if step.path in rule.when else Truth.TRUE
    runs.record(run, path, "done", detail="else" if answer is Truth.FALSE else "then")


def _tuple(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, tuple | list) else (str(value),)


_ACTIONS: dict[str, Callable[..., None]] = {
    "command": _command,
    "permit.hold": _hold,
    "evacuation.start": _evacuate,
    "notify": _notify,
    "alarm.raise": _raise,
    "wait": _wait,
    "choose": _choose,
}
