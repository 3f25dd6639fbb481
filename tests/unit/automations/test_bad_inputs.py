"""Bad inputs never make a shipped blueprint do less (design §5 Truth; R5, R4)."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automations import pages
from automations.blueprint import Blueprint
from automations.levels import Levels
from automations.schema_words import span
from automations.stage import Stage
from core.alarms.events import AlarmRaised
from core.api.quality import Quality
from core.logic.events import RunStarted

SHIPPED = pages.blueprints()
BAD = ["silence", "lose", "FAULT", "NOT_PRESENT", "INHIBITED", "TEST", "STALE"]
#: Longer than a level may stay unknown, and than a silent value keeps its age.
LONG_S = 60.0
ENDS = (
    "permit.released",
    "evacuation.cleared",
    "alarm.returned",
    "alarm.closed",
    "notice.closed",
)


def inputs(test: dict[str, Any]) -> list[str]:
    return sorted(test.get("site", {}).get("detectors", {}))


def spoil(stage: Stage, test: dict[str, Any], bad: str) -> None:
    """Let every input go bad, in one way."""
    if bad == "lose":
        for person, where in stage.rehearsal.kernel.hub.state.people.presence.items():
            if where.zone_id and where.source == "hand":
                stage._lose(person)
        stage._silent.update(inputs(test))
    elif bad == "silence":
        stage._silent.update(inputs(test))
    else:
        stage._worsen({uid: int(Quality[bad]) for uid in inputs(test)})


def protections(stage: Stage) -> set[str]:
    """Return every hold, notice, alarm, evacuation and ordered output that stands."""
    state = stage.rehearsal.kernel.hub.state
    permits = state.permits.permits.values()
    return {
        *(f"hold {p.id} {hold}" for p in permits for hold in p.holds),
        *(f"notice {number}" for number in state.response.notices),
        *(f"alarm {r.id}" for r in state.alarms.open.values() if r.active),
        *(
            f"evacuation {r.id}"
            for r in state.response.evacuations.values()
            if not r.cleared_wall_ns
        ),
    }


CASES = [(each, number) for each in SHIPPED for number in range(len(each.tests))]


def spoiled(blueprint: Blueprint, number: int, moment: float, bad: str) -> list[str]:
    """Return what a bad input ended at a moment of a blueprint's test."""
    test = blueprint.tests[number]
    stage = Stage(blueprint, test)
    script = test.get("given", [])
    last = span(script[-1].get("at", 0)) if script else 0.0
    stage.play([act for act in script if span(act.get("at", 0)) <= moment * last])
    before, seen = protections(stage), len(stage.rehearsal.events)
    spoil(stage, test, bad)
    stage._repeat_to(stage.time() + LONG_S)
    ended = [b.name_ for _, b, _ in stage.rehearsal.events[seen:] if b.name_ in ENDS]
    return sorted(before - protections(stage)) + ended


@settings(max_examples=60, deadline=None)
@given(
    case=st.sampled_from(CASES),
    moment=st.floats(0, 1),
    bad=st.sampled_from(BAD),
)
def test_a_bad_input_ends_nothing(
    case: tuple[Blueprint, int], moment: float, bad: str
) -> None:
    """Whatever goes bad, whenever: no hold, notice, alarm, evacuation is ended."""
    blueprint, number = case
    assert not spoiled(blueprint, number, moment, bad), blueprint.id


@pytest.mark.parametrize("blueprint", SHIPPED, ids=lambda b: b.id)
def test_all_inputs_lost_at_the_worst_moment_end_nothing(blueprint: Blueprint) -> None:
    """Each of the shipped blueprints, when it has done all that it does."""
    assert not spoiled(blueprint, 0, 1.0, "lose")


def test_this_check_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub that takes silence for safety is found out."""

    def trusting(stage: Stage, *_: Any) -> None:
        alarms = stage.rehearsal.kernel.alarms
        for record in list(alarms.active()):
            alarms.clear(record.source, record.condition)

    monkeypatch.setattr(Stage, "_worsen", trusting)
    found = [spoiled(each, 0, 1.0, "FAULT") for each in SHIPPED]
    assert any("alarm.returned" in ended for ended in found)


LEVELS = [
    each
    for each in SHIPPED
    if any(t["trigger"] in ("reading", "state") for t in each.body["triggers"])
]


def calm(test: dict[str, Any]) -> dict[str, Any]:
    """Return the readings that a test begins with."""
    return dict(test["given"][0]["read"])


def grace_s(blueprint: Blueprint, test: dict[str, Any]) -> float:
    """Return how long a rule of the blueprint may take to act on the unknown."""
    windows = [0.0]
    for trigger in blueprint.body["triggers"]:
        if "rate" in trigger:
            default = blueprint.inputs["window"].get("default")
            windows.append(span(test.get("input", {}).get("window", default)))
    return 35.0 + 30.0 + max(windows)


@pytest.mark.parametrize("bad", ["silence", "FAULT", "NOT_PRESENT", "INHIBITED"])
@pytest.mark.parametrize("blueprint", LEVELS, ids=lambda b: b.id)
def test_unknown_does_what_the_rule_declares(blueprint: Blueprint, bad: str) -> None:
    """Never less than on_unknown: fire runs, hold holds and alarms, fault alarms."""
    test = blueprint.tests[0]
    stage = Stage(blueprint, test)
    stage.play([{"at": 0, "read": calm(test)}, {"at": 6, "wait": True}])
    seen = len(stage.rehearsal.events)
    spoil(stage, test, bad)
    stage._repeat_to(stage.time() + grace_s(blueprint, test))
    after = [body for _, body, _ in stage.rehearsal.events[seen:]]
    declared = blueprint.body["on_unknown"]
    if declared == "fire":
        assert any(isinstance(body, RunStarted) for body in after)
        return
    faults = [b for b in after if isinstance(b, AlarmRaised)]
    assert any(b.kind == "fault.unknown" for b in faults)
    if declared == "hold":
        permits = stage.rehearsal.kernel.hub.state.permits.permits
        spots = {s.get("zone") for s in test["site"]["detectors"].values()}
        meant = [p for p in permits.values() if p.zone_id in spots]
        assert all(p.holds for p in meant)
        assert not permits or any(p.holds for p in permits.values())


@pytest.mark.parametrize("blueprint", LEVELS, ids=lambda b: b.id)
def test_the_check_of_the_unknown_can_fail(
    blueprint: Blueprint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that does nothing about doubt is found out, by each blueprint."""
    monkeypatch.setattr(Levels, "_unknown", lambda *_: None)
    with pytest.raises(AssertionError):
        test_unknown_does_what_the_rule_declares(blueprint, "FAULT")
