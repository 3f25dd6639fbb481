"""The engine's promises: independence, joining, deadlines, resuming (R6–R12)."""

from typing import Any

import pytest

from automations import blueprint as blueprints
from automations.engine import make
from automations.rehearsal import Devices, MemoryJournal, Rehearsal
from automations.stage import Stage
from core import state as states
from core.alarms.events import AlarmRaised
from core.journal import fold
from core.journal.envelope import Envelope
from core.kernel import Kernel
from core.logic.events import RunFinished, RunJoined, RunStarted, RunStepped
from core.permits.events import PermitHeld, PermitReleased
from core.registry.ids import Ids
from core.response.events import CommandIssued, EvacuationCleared, EvacuationStarted

BLUEPRINT = blueprints.read(blueprints.SHIPPED / "gas-alarm-response.yaml")


def stage(**site: Any) -> Stage:
    """Return the blueprint's small site, ready to play."""
    test = dict(BLUEPRINT.tests[0])
    test["site"] = {**test["site"], **site}
    return Stage(BLUEPRINT, test)


def of(rehearsal: Rehearsal, kind: type[Any]) -> list[tuple[float, Any]]:
    """Return the events of one type with their times."""
    return [(at, body) for at, body, _ in rehearsal.events if isinstance(body, kind)]


LEAK = [{"at": 0, "read": {"g1": 0.5}}, {"at": 5, "read": {"g1": 20}}]


def test_one_failing_step_never_delays_the_others() -> None:
    """R12: without any siren the rest happens in the same instant."""
    outputs = {"p1": {"zone": "tank", "kind": "power_cut", "contact_zone": "yard"}}
    played = stage(outputs=outputs)
    played.play(LEAK)
    rehearsal = played.rehearsal
    assert [at for at, _ in of(rehearsal, CommandIssued)] == [5.0]
    assert [at for at, _ in of(rehearsal, EvacuationStarted)] == [5.0]
    faults = [b.kind for _, b in of(rehearsal, AlarmRaised)]
    assert "fault.rule" in faults
    assert "fault.siren" in faults


def test_a_siren_that_does_not_confirm_is_an_alarm_at_its_deadline() -> None:
    """R11: a step's deadline takes its failure branch."""
    played = stage()
    played.play([*LEAK, {"at": 4, "stuck": "s1"}][:1])
    played.rehearsal.devices.stuck.add("s1")
    played.play([{"at": 5, "read": {"g1": 20}}, {"at": 30, "wait": True}])
    raised = [(at, b.kind) for at, b in of(played.rehearsal, AlarmRaised)]
    silent = [at for at, kind in raised if kind == "fault.siren"]
    assert len(silent) == 1
    assert 10.0 <= silent[0] <= 12.0


def test_two_zones_have_two_runs_and_a_second_source_joins() -> None:
    """R6: keyed by (rule, subject); a trigger is coalesced, never dropped."""
    detectors = {
        "g1": {"zone": "tank", "quantity": "h2s", "unit": "ppm"},
        "g2": {"zone": "tank", "quantity": "h2s", "unit": "ppm"},
        "g3": {"zone": "yard", "quantity": "h2s", "unit": "ppm"},
    }
    played = stage(detectors=detectors)
    calm = {"g1": 0.1, "g2": 0.1, "g3": 0.1}
    played.play(
        [{"at": 0, "read": calm}, {"at": 5, "read": {"g1": 20, "g2": 20, "g3": 20}}]
    )
    started = [b.subject for _, b in of(played.rehearsal, RunStarted)]
    assert sorted(started) == ["zone:tank", "zone:yard"]
    joined = [b for _, b in of(played.rehearsal, RunJoined)]
    assert len(joined) == 1
    assert not joined[0].fresh


def test_a_new_kind_of_gas_does_the_steps_once_more() -> None:
    """A combustible alarm in a toxic one's run gives its own orders."""
    detectors = {
        "g1": {"zone": "tank", "quantity": "h2s", "unit": "ppm"},
        "x1": {"zone": "tank", "quantity": "lel", "unit": "%LEL"},
    }
    played = stage(detectors=detectors)
    played.play(
        [
            {"at": 0, "read": {"g1": 0.1, "x1": 1}},
            {"at": 5, "read": {"g1": 20}},
            {"at": 9, "read": {"x1": 60}},
        ]
    )
    joined = [b for _, b in of(played.rehearsal, RunJoined)]
    assert [b.fresh for b in joined] == [True]
    paths = {b.path for _, b in of(played.rehearsal, RunStepped)}
    assert {"actions/0", "r1/actions/0"} <= paths


def test_a_rule_that_errs_is_an_alarm_and_the_process_lives() -> None:
    """§5 Rules: a rule that errors raises an alarm with its id."""
    played = stage()

    def broken(*_args: object, **_named: object) -> None:
        raise RuntimeError("boom")

    played.rehearsal.kernel.permits.hold_zone = broken  # type: ignore[method-assign, assignment]
    played.play(LEAK)
    faults = [
        b.params for _, b in of(played.rehearsal, AlarmRaised) if b.kind == "fault.rule"
    ]
    assert faults
    assert "boom" in str(faults[0]["error"])
    assert of(played.rehearsal, EvacuationStarted)


def resumed(played: Stage, upto: int) -> tuple[Kernel, list[Any]]:
    """Start a second kernel from the first ``upto`` events, as after a crash."""
    clock = played.rehearsal.clock
    kernel = Kernel(clock, Ids.seeded(clock, 99), MemoryJournal(), Devices(), make)
    state = states.SiteState()
    for _, body, envelope in played.rehearsal.events[:upto]:
        fold.apply(state, body, envelope)
    kernel.hub.state = states.load(states.dump(state))
    after: list[Any] = []

    def keep(body: Any, _envelope: Envelope, _data: bytes) -> None:
        after.append(body)

    kernel.hub.on_everything(keep)
    kernel.hub.load(played.bundle)
    kernel.hub.recover(False)
    return kernel, after


def test_a_crash_at_any_event_loses_no_action() -> None:
    """R7: what was recorded stays, what was not is done after the restart."""
    played = stage()
    played.play(LEAK)
    events = played.rehearsal.events
    first = next(n for n, e in enumerate(events) if isinstance(e[1], RunStarted))
    for upto in range(first + 1, len(events) + 1):
        kernel, after = resumed(played, upto)
        bodies = [b for _, b, _ in events[:upto]] + after
        outputs = {b.entity_id for b in bodies if isinstance(b, CommandIssued)}
        assert len(outputs) == 3, f"outputs after a crash at {upto}"
        assert kernel.evacuations.running("tank"), f"evacuation at {upto}"
        held = {b.permit_id for b in bodies if isinstance(b, PermitHeld)}
        assert held == {"entry", "hot"}, f"holds at {upto}"
        assert not any(
            isinstance(b, PermitReleased | EvacuationCleared | RunFinished)
            for b in after
        )


@pytest.mark.parametrize("value", [20.0, 200.0])
def test_a_hazard_that_stands_at_boot_is_seen_at_boot(value: float) -> None:
    """R1: levels, not only edges."""
    played = stage()
    played.play([{"at": 0, "read": {"g1": value}}])
    assert of(played.rehearsal, RunStarted)
