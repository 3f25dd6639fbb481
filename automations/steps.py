"""What a run's steps do, one small function an action."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

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


class Doing(NamedTuple):
    """Hold what an action may look at while it does one step of a run."""

    runs: "Runs"
    rule: Compiled
    run: RunRecord
    step: Step
    path: str
    scope: Scope


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
        _ACTIONS[step.action](Doing(runs, rule, run, step, path, scope))
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


def _command(do: Doing) -> None:
    kind = OutputKind(str(do.step.fields["output"]))
    value = do.step.fields["value"]
    outputs = [
        entity
        for zone in _zones(do.runs, do.run, do.step)
        for entity in do.runs.kernel.registry.outputs(zone, kind)
    ]
    if not outputs:
        if do.step.fields.get("if_none") == "skip":
            do.runs.record(do.run, do.path, "skipped", detail=f"no {kind}")
            return
        raise LookupError(f"no {kind} serves {do.run.subject}")
    given = [
        do.runs.kernel.commands.order(
            entity.id,
            value if isinstance(value, bool | float | int) else str(value),
            why=do.run.id,
            deadline_s=do.step.deadline_s,
            cause=do.runs.cause(do.run),
        )
        for entity in outputs
    ]
    ids = tuple(each for each in given if each is not None)
    if not ids:
        do.runs.record(do.run, do.path, "skipped", detail="withheld")
        return
    until = Deadline.after(do.runs.hub.clock, do.step.deadline_s + 1.0)
    do.runs.record(do.run, do.path, "waiting", refs=ids, until=until)
    arm_deadline(do.runs, do.run, do.path, until)


def _hold(do: Doing) -> None:
    zone = _zone(do.run, do.step)
    if zone is None:
        raise LookupError(f"{do.run.subject} is no zone: nothing to hold")
    retest = do.step.fields.get("retest", ())
    held = do.runs.kernel.permits.hold_zone(
        zone,
        str(do.step.fields["code"]),
        source=f"rule:{do.run.rule}",
        retest=tuple(retest) if isinstance(retest, tuple | list) else (),
        linked=bool(do.step.fields.get("linked", True)),
        cause=do.runs.cause(do.run),
    )
    do.runs.record(do.run, do.path, "done", detail=str(len(held)), holds=tuple(held))


def _evacuate(do: Doing) -> None:
    zones = _zones(do.runs, do.run, do.step)
    if not zones:
        raise LookupError(f"{do.run.subject} is no zone: nothing to evacuate")
    facts = {k: v for k, v in do.run.params.items() if k not in ("alarm_id", "source")}
    made = do.runs.kernel.evacuations.start(
        zones,
        str(do.step.fields.get("code") or do.scope("trigger_kind")[0] or "alarm"),
        params=facts,
        mark=do.run.mark,
        cause=do.runs.cause(do.run),
    )
    do.runs.record(do.run, do.path, "done", refs=(made,))


def _notify(do: Doing) -> None:
    code = str(do.step.fields["code"])
    number = do.path.split("/", 1)[0]
    params = do.run.rounds[int(number[1:]) - 1] if number[:1] == "r" else do.run.params
    facts = {**params, "zone_id": _zone(do.run, do.step)}
    about = str(params.get("alarm_id") or do.run.id)
    tell = do.runs.kernel.notices
    if "chain" in do.step.fields:
        ids = tell.tell_chain(
            str(do.step.fields["chain"]),
            code,
            facts,
            about=about,
            mark=do.run.mark,
            cause=do.runs.cause(do.run),
        )
    else:
        ids = tell.tell(
            roles=_tuple(do.step.fields.get("roles", ())),
            channels=_tuple(do.step.fields.get("channels", ("screen",))),
            code=code,
            params=facts,
            about=about,
            mark=do.run.mark,
            cause=do.runs.cause(do.run),
        )
    do.runs.record(do.run, do.path, "done", refs=tuple(ids or ()))


def _raise(do: Doing) -> None:
    fields = do.step.fields
    priority = fields.get("priority", 2)
    made = do.runs.kernel.alarms.raise_(
        f"rule:{do.run.rule}",
        str(fields["condition"]),
        kind=str(fields["kind"]),
        priority=priority if isinstance(priority, int) else 2,
        zone_id=_zone(do.run, do.step),
        life_safety=bool(fields.get("life_safety", False)),
        latching=bool(fields.get("latching", False)),
        params=dict(do.run.params),
        mark=do.run.mark,
        cause=do.runs.cause(do.run),
    )
    do.runs.record(do.run, do.path, "done", refs=(made,))


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


def _tuple(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, tuple | list) else (str(value),)


_ACTIONS: dict[str, Callable[[Doing], None]] = {
    "command": _command,
    "permit.hold": _hold,
    "evacuation.start": _evacuate,
    "notify": _notify,
    "alarm.raise": _raise,
    "wait": _wait,
    "choose": _choose,
}
