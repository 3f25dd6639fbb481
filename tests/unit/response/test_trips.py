"""Ignition sources trip on loss of the hub, and only they (design §5 Commands)."""

import pytest

from core.api.command import KEEP, Command
from core.api.model import FAIL_SAFES, Output, OutputKind, wrong_fail_safe
from core.api.quality import Quality
from core.registry.contract import Contract, IntegrationConfig, device_breach
from core.response.events import CommandIssued
from tests.support.yard import HOST, Yard, box

CUT = Output(
    kind=OutputKind.POWER_CUT, ex_rated=True, contact_zone="tank", fail_safe="on"
)
PLAIN = Output(kind=OutputKind.POWER_CUT, ex_rated=True, contact_zone="tank")
FAN = Output(kind=OutputKind.FAN, ex_rated=True, contact_zone="tank", fail_safe="on")


@pytest.fixture
def yard() -> Yard:
    yard = Yard()
    yard.declare(HOST, box(cut=CUT, plain=PLAIN, fan=FAN))
    return yard


def live(yard: Yard, seconds: int, **said: bool | None) -> None:
    """Let time pass while the relays tell their states."""
    for _ in range(seconds):
        for uid, value in said.items():
            yard.report(HOST, "box-tank", uid, value)
        yard.live(1)


def words(yard: Yard) -> list[Command]:
    """Return the words by which trips are held back."""
    found = [e.command for e in yard.executed()]
    return [command for command in found if command.priority == KEEP]


def test_the_trip_is_held_back_while_the_hub_is_well(yard: Yard) -> None:
    before = len(yard.events())
    live(yard, 60, cut=False, plain=False, fan=False)
    assert {command.entity_uid for command in words(yard)} == {"cut"}
    assert 11 <= len(words(yard)) <= 13
    assert not any(command.value for command in words(yard))
    assert len(yard.events()) == before


def test_what_has_tripped_is_not_restored(yard: Yard) -> None:
    live(yard, 10, cut=False)
    said = len(words(yard))
    live(yard, 60, cut=True)
    assert len(words(yard)) == said


@pytest.mark.parametrize("quality", [Quality.UNCERTAIN, Quality.FAULT, Quality.STALE])
def test_an_unproven_state_is_not_held(yard: Yard, quality: Quality) -> None:
    """Unknown is never safe: without its word the hub lets it trip."""
    yard.report(HOST, "box-tank", "cut", False, quality)
    yard.live(20)
    assert words(yard) == []


def test_an_old_state_is_not_held(yard: Yard) -> None:
    yard.report(HOST, "box-tank", "cut", False)
    yard.live(11)
    said = len(words(yard))
    yard.live(18)
    assert len(words(yard)) == said


def test_nothing_holds_back_what_the_hub_itself_cuts(yard: Yard) -> None:
    entity = yard.kernel.registry.find(HOST, "box-tank", "cut")
    assert entity is not None
    live(yard, 6, cut=False)
    yard.kernel.commands.order(entity, True, why="test")
    said = len(words(yard))
    live(yard, 30, cut=False)
    assert len(words(yard)) == said


# --- the table of fail-safes ------------------------------------------------------


@pytest.mark.parametrize("kind", OutputKind)
def test_every_kind_has_its_row(kind: OutputKind) -> None:
    assert FAIL_SAFES[kind]
    for fail_safe in ("on", "off", "hold_last"):
        wrong = wrong_fail_safe(kind, fail_safe)
        assert (fail_safe in FAIL_SAFES[kind]) is (wrong == "")
        assert not wrong or ("write fail_safe" in wrong and str(kind) in wrong)


RUNS_ON = ["fan", "lighting", "hoist", "breathing_air"]


@pytest.mark.parametrize("kind", [*RUNS_ON, "siren", "strobe", "voice", "exit"])
def test_what_people_need_never_stops_with_the_hub(kind: str) -> None:
    assert wrong_fail_safe(OutputKind(kind), "off")


def test_exits_open_and_power_is_never_restored() -> None:
    assert wrong_fail_safe(OutputKind.EXIT, "hold_last")
    assert wrong_fail_safe(OutputKind.POWER_CUT, "off")
    assert not wrong_fail_safe(OutputKind.EXIT, "on")


def test_a_host_that_declares_an_unsafe_output_is_refused() -> None:
    air = Output(kind=OutputKind.BREATHING_AIR, fail_safe="off")
    config = IntegrationConfig(
        id="field",
        integration="field",
        contract=Contract(kinds=("output",)),  # type: ignore[arg-type]
    )
    assert device_breach(config, box(air=air), set()) == (
        "fail_safe:air:breathing_air=off"
    )


@pytest.mark.parametrize("kind", ["lighting", "hoist", "breathing_air"])
def test_what_runs_when_all_is_well_needs_no_cause(kind: str) -> None:
    yard = Yard()
    yard.declare(HOST, box(run=Output(kind=OutputKind(kind)), siren=PLAIN))
    live(yard, 10, run=True, siren=True)
    found = yard.kernel.alarms.active(kind_prefix="fault.output")
    entity = yard.kernel.registry.find(HOST, "box-tank", "siren")
    assert [alarm.source for alarm in found] == [f"entity:{entity}"]


@pytest.mark.parametrize("kind", [*RUNS_ON, "exit"])
def test_only_a_person_switches_it_off(kind: str) -> None:
    yard = Yard()
    yard.declare(HOST, box(run=Output(kind=OutputKind(kind), fail_safe="on")))
    entity = yard.kernel.registry.find(HOST, "box-tank", "run")
    assert entity is not None
    assert yard.kernel.commands.order(entity, False, why="rule") is None
    sent = yard.events(CommandIssued)
    assert sent == []
