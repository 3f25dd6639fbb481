"""Open runs of rules, with the deadlines they wait for."""

from typing import TYPE_CHECKING

import msgspec

from core.api.reading import Value
from core.deadlines import Deadline
from core.journal.envelope import Envelope
from core.journal.fold import folds
from core.logic.events import (
    RuleModeAsked,
    RuleModeRestored,
    RuleModeSet,
    RuleSelected,
    RuleSkipped,
    RunFinished,
    RunJoined,
    RunStarted,
    RunStepped,
)

if TYPE_CHECKING:
    from core.state import SiteState


class StepRecord(msgspec.Struct, kw_only=True):
    """Hold where one step of a run stands."""

    state: str
    detail: str = ""
    until: Deadline | None = None
    refs: list[str] = []
    at_wall_ns: int = 0


class RunRecord(msgspec.Struct, kw_only=True):
    """Hold one open run."""

    id: str
    rule: str
    rule_hash: str
    subject: str
    trigger: str
    params: dict[str, Value]
    mode: str
    mark: str
    started_wall_ns: int
    joined: int = 0
    rounds: list[dict[str, Value]] = []
    """Facts of joined triggers that brought something new, oldest first."""
    seen: list[str] = []
    """What triggered it so far, as ``kind source``: each joins once."""
    holds: list[str] = []
    """Ids of the holds that the run laid."""
    steps: dict[str, StepRecord] = {}


class RunsState(msgspec.Struct, kw_only=True):
    """Hold open runs by id, and by (rule, subject); what rules did last, and how."""

    open: dict[str, RunRecord] = {}
    by_key: dict[str, str] = {}
    occurred: dict[str, int] = {}
    """Rule and trigger → wall ns of the last time of day that it answered."""
    modes: dict[str, str] = {}
    """Rule and zone (or '') → the mode that persons have set."""
    selected: dict[str, str] = {}
    """Rule and trigger → version of what its selector finds."""
    asked: dict[str, RuleModeAsked] = {}
    """Rule and zone → what one person asked and a second one must ask too."""


def seen_key(params: dict[str, Value]) -> str:
    """Return how a run remembers what triggered it."""
    return f"{params.get('trigger_kind')} {params.get('source')}"


def run_key(rule: str, subject: str) -> str:
    """Return the key under which one run at most is open (R6)."""
    return f"{rule} {subject}"


@folds(RunStarted)
def _started(state: "SiteState", body: RunStarted, envelope: Envelope) -> None:
    state.runs.open[body.run_id] = RunRecord(
        id=body.run_id,
        rule=body.rule,
        rule_hash=body.rule_hash,
        subject=body.subject,
        trigger=body.trigger,
        params=dict(body.params),
        mode=body.mode,
        mark=body.mark,
        started_wall_ns=envelope.wall_ns,
        seen=[seen_key(body.params)],
    )
    state.runs.by_key[run_key(body.rule, body.subject)] = body.run_id
    _occurred(state, body.rule, body.trigger, body.params)


def _occurred(
    state: "SiteState", rule: str, trigger: str, params: dict[str, Value]
) -> None:
    at = params.get("occurred_ns")
    if isinstance(at, int):
        state.runs.occurred[run_key(rule, trigger)] = at


@folds(RunJoined)
def _joined(state: "SiteState", body: RunJoined, _: Envelope) -> None:
    run = state.runs.open.get(body.run_id)
    if run is None:
        return
    run.joined += 1
    if (key := seen_key(body.params)) not in run.seen:
        run.seen.append(key)
    if body.fresh:
        run.rounds.append(dict(body.params))
    _occurred(state, run.rule, body.trigger, body.params)


@folds(RunStepped)
def _stepped(state: "SiteState", body: RunStepped, envelope: Envelope) -> None:
    run = state.runs.open.get(body.run_id)
    if run is not None:
        run.holds.extend(body.holds)
        known = run.steps.get(body.path)
        run.steps[body.path] = StepRecord(
            state=body.state,
            detail=body.detail,
            until=body.until,
            refs=list(body.refs) or (known.refs if known else []),
            at_wall_ns=envelope.wall_ns,
        )


@folds(RunFinished)
def _finished(state: "SiteState", body: RunFinished, _: Envelope) -> None:
    run = state.runs.open.pop(body.run_id, None)
    if run is not None:
        state.runs.by_key.pop(run_key(run.rule, run.subject), None)


@folds(RuleSkipped)
def _skipped(state: "SiteState", body: RuleSkipped, _: Envelope) -> None:
    _occurred(state, body.rule, body.trigger, body.params)


@folds(RuleSelected)
def _selected(state: "SiteState", body: RuleSelected, _: Envelope) -> None:
    state.runs.selected[run_key(body.rule, body.trigger)] = body.version


@folds(RuleModeAsked)
def _mode_asked(state: "SiteState", body: RuleModeAsked, _: Envelope) -> None:
    state.runs.asked[run_key(body.rule, body.zone_id)] = body


@folds(RuleModeSet)
def _mode_set(state: "SiteState", body: RuleModeSet, _: Envelope) -> None:
    key = run_key(body.rule, body.zone_id)
    state.runs.asked.pop(key, None)
    state.runs.modes[key] = body.mode


@folds(RuleModeRestored)
def _mode_restored(state: "SiteState", body: RuleModeRestored, _: Envelope) -> None:
    key = run_key(body.rule, body.zone_id)
    state.runs.asked.pop(key, None)
    state.runs.modes.pop(key, None)
