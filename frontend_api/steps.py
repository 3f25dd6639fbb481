"""Name the steps of a rule: what a path such as ``actions/0`` does."""

from collections.abc import Iterable

from core.config import Rule, Step
from frontend_api.replica import Replica


def rule_of(replica: Replica, run_id: str) -> Rule | None:
    """Return the rule of a run: an open one's, else by the event that began it."""
    run = replica.state.runs.open.get(run_id)
    name = run.rule if run is not None else ""
    if not name:
        bodies = (kept.body for kept in reversed(replica.events))
        name = next(
            (
                str(getattr(body, "rule", ""))
                for body in bodies
                if getattr(body, "run_id", "") == run_id and hasattr(body, "rule")
            ),
            "",
        )
    return next((rule for rule in replica.bundle.rules if rule.id == name), None)


def step_of(rule: Rule, path: str) -> Step | None:
    """Return the step at a path; a later round's path begins with ``r<n>/``."""
    head, _, rest = path.partition("/")
    wanted = rest if head[:1] == "r" and head[1:].isdigit() else path
    return next((step for step in _all(rule.steps) if step.path == wanted), None)


def _all(steps: Iterable[Step]) -> Iterable[Step]:
    for step in steps:
        yield step
        yield from _all(step.on_failure)
        for branch in step.branches:
            yield from _all(branch)
