"""Repeat, wait, choose: bounded, persisted, resumed after any crash (R7, R11, R12)."""

from typing import Any

from automations.engine import make
from automations.rehearsal import Devices, MemoryJournal
from automations.stage import Stage
from core import state as states
from core.journal import fold
from core.kernel import Kernel
from core.registry.ids import Ids
from core.response.events import NoticeQueued
from tests.support.rules import played, told

SITE: dict[str, Any] = {
    "zones": {"a": {}},
    "people": {"boss": {"roles": ["supervisor"], "zone": "a"}},
    "permits": {"job": {"kind": "dig", "zone": "a", "supervisor": "boss"}},
}
CALL = {"at": 5, "call": {"person": "boss", "zone": "a"}}
REPEAT = """\
on_unknown: fault
triggers: [{trigger: manual}]
actions:
  - action: repeat
    count: 3
    do:
      - {id: pause, action: wait, for: 10s}
      - {action: notify, after: pause, roles: [supervisor], code: notice.rule.wind}
"""


def test_a_repeat_goes_its_rounds_and_ends() -> None:
    """Bounded: three rounds, each after its own wait."""
    stage = played(
        REPEAT, [{"at": 0, "wait": True}, CALL, {"at": 60, "wait": True}], **SITE
    )
    assert [at for at, _ in told(stage, "notice.queued")] == [15.0, 25.0, 35.0]
    assert [at for at, _ in told(stage, "run.finished")] == [35.0]


def test_a_repeat_ends_when_its_test_is_false_and_goes_on_when_unknown() -> None:
    """UNKNOWN never ends a reminder early; FALSE does."""
    unknown = REPEAT.replace("    do:", "    while: trigger_value > 1\n    do:")
    stage = played(
        unknown, [{"at": 0, "wait": True}, CALL, {"at": 60, "wait": True}], **SITE
    )
    assert len(told(stage, "notice.queued")) == 3
    false = REPEAT.replace("    do:", "    while: permits_in_force > 0\n    do:")
    given = [
        {"at": 0, "wait": True},
        CALL,
        {"at": 20, "close": "job"},
        {"at": 60, "wait": True},
    ]
    stage = played(false, given, **SITE)
    assert [at for at, _ in told(stage, "notice.queued")] == [15.0, 25.0]


def resumed(stage: Stage, upto: int, wait_s: float) -> list[Any]:
    """Start a second kernel from the first events; return what it emits."""
    clock = stage.rehearsal.clock
    kernel = Kernel(clock, Ids.seeded(clock, 9), MemoryJournal(), Devices(), make)
    state = states.SiteState()
    for _, body, envelope in stage.rehearsal.events[:upto]:
        fold.apply(state, body, envelope)
    kernel.hub.state = states.load(states.dump(state))
    after: list[Any] = []
    kernel.hub.on_everything(lambda body, _envelope, _data: after.append(body))
    kernel.hub.load(stage.bundle)
    kernel.hub.recover(True)
    end = clock.mono_ns() + int(wait_s * 1e9)
    while (due := kernel.hub.advance()) is not None and due <= end:
        clock.advance_to(max(due, clock.mono_ns()))
    return after


def test_a_crash_in_any_round_loses_no_reminder_and_doubles_none() -> None:
    """R7: deadlines of rounds are journalled; a crash at every event, then resume."""
    whole = played(
        REPEAT, [{"at": 0, "wait": True}, CALL, {"at": 60, "wait": True}], **SITE
    )
    names = [body.name_ for _, body, _ in whole.rehearsal.events]
    first, last = names.index("run.started") + 1, names.index("run.finished")
    for upto in range(first, last + 1):
        stage = played(REPEAT, [{"at": 0, "wait": True}, CALL], **SITE)
        stage.rehearsal.events = whole.rehearsal.events
        after = resumed(stage, upto, 60.0)
        before = [b for _, b, _ in whole.rehearsal.events[:upto]]
        said = [b for b in [*before, *after] if isinstance(b, NoticeQueued)]
        told_of = [b for b in said if b.code == "notice.rule.wind"]
        # A notice that is written while its step is not may be said once more.
        assert 3 <= len(told_of) <= 4, upto


def test_choose_takes_the_protective_branch_when_it_cannot_know() -> None:
    """The first branch is the one that its author wrote to protect."""
    body = """\
on_unknown: fault
triggers: [{trigger: manual}]
actions:
  - action: choose
    if: trigger_value > 5
    then: [{action: permit.hold, code: wind}]
    else: [{action: notify, roles: [supervisor], code: notice.rule.wind}]
"""
    stage = played(body, [{"at": 0, "wait": True}, CALL], **SITE)
    assert told(stage, "permit.held")


def test_a_failure_branch_runs_beside_the_others() -> None:
    """R11, R12: no siren here; its branch speaks, and nothing waits for it."""
    body = """\
on_unknown: fault
triggers: [{trigger: manual}]
actions:
  - action: command
    output: siren
    value: true
    on_failure: [{action: notify, roles: [supervisor], code: notice.rule.output_failed}]
  - {action: permit.hold, code: wind}
"""
    stage = played(body, [{"at": 0, "wait": True}, CALL], **SITE)
    assert [at for at, _ in told(stage, "permit.held")] == [5.0]
    codes = [b.code for _, b in told(stage, "notice.queued")]
    assert "notice.rule.output_failed" in codes


def test_one_alarm_a_subject() -> None:
    """R6: two zones raise two alarms by one rule, and each ends with its own run."""
    body = """\
on_unknown: fault
triggers: [{trigger: reading, of: noise, above: 5}]
actions: [{action: alarm.raise, condition: loud, kind: area.noise, ends_with_run: true}]
"""
    site = {
        "zones": {"a": {}, "b": {}},
        "detectors": {
            uid: {"zone": uid, "quantity": "noise", "unit": "dBA"} for uid in ("a", "b")
        },
    }
    given = [
        {"at": 0, "read": {"a": 1, "b": 1}},
        {"at": 5, "read": {"a": 9, "b": 9}},
        {"at": 15, "read": {"a": 1}},
        {"at": 20, "wait": True},
    ]
    stage = played(body, given, **site)
    assert sorted(b.zone_id for _, b in told(stage, "alarm.raised")) == ["a", "b"]
    assert len(told(stage, "alarm.returned")) == 1
