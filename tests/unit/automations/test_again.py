"""An alarm that comes again in an open run is acted on again (R6, R12)."""

from typing import Any

from automations import blueprint as blueprints
from automations.runs import MAX_ROUNDS
from automations.stage import Stage
from core.logic.events import RunFinished, RunStarted
from core.response.events import EvacuationCleared, EvacuationStarted

BLUEPRINT = blueprints.read(blueprints.SHIPPED / "gas-alarm-response.yaml")


def count(played: Stage, kind: type[Any]) -> int:
    return sum(isinstance(body, kind) for _, body, _ in played.rehearsal.events)


def all_clear(played: Stage) -> None:
    """Let a person give the all-clear; the holds stay, so the run stays open."""
    state = played.rehearsal.kernel.hub.state
    for record in list(state.response.evacuations.values()):
        if not record.cleared_wall_ns:
            body = EvacuationCleared(evacuation_id=record.id, person_id="safe")
            played.rehearsal.emit(body)


def again(played: Stage, at: int) -> None:
    for when, value in ((at, 0.1), (at + 70, 20.0)):
        played.rehearsal.run_to(when)
        played.rehearsal.read(played.handles["g1"], value)
        if value < 1:
            all_clear(played)


def test_gas_that_comes_again_after_the_all_clear_evacuates_again() -> None:
    """R12: the run of the first alarm is still open, for its permits are held."""
    played = Stage(BLUEPRINT, dict(BLUEPRINT.tests[0]))
    played.play([{"at": 0, "read": {"g1": 0.5}}, {"at": 5, "read": {"g1": 20}}])
    again(played, 100)
    assert count(played, RunStarted) == 1
    assert count(played, EvacuationStarted) == 2


def test_a_full_run_is_continued_by_a_new_one_and_never_only_counted() -> None:
    """R6: coalesced, never dropped; bounded, never silent."""
    played = Stage(BLUEPRINT, dict(BLUEPRINT.tests[0]))
    played.play([{"at": 0, "read": {"g1": 0.5}}, {"at": 5, "read": {"g1": 20}}])
    rounds = MAX_ROUNDS + 2
    for number in range(rounds):
        again(played, 200 * (number + 1))
    assert count(played, EvacuationStarted) == rounds + 1
    assert count(played, RunFinished) == 1
    assert count(played, RunStarted) == 2
