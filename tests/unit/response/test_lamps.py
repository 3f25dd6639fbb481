"""Heartbeat lamps: valid only while lit; dark says 'hub lost: stop work'."""

import pytest

from core.api.model import Output, OutputKind
from core.link.messages import Execute
from core.processes.acts import EndPower
from tests.support.yard import HOST, SIREN, Yard, box

LAMP = Output(kind=OutputKind.LAMP, ex_rated=True, contact_zone="tank", fail_safe="off")
PLAIN = Output(kind=OutputKind.LAMP, ex_rated=True, contact_zone="tank")


@pytest.fixture
def yard() -> Yard:
    yard = Yard()
    yard.declare(HOST, box(siren=SIREN, lamp=LAMP, light=PLAIN))
    yard.live(3)
    return yard


def pulses(yard: Yard) -> list[bool]:
    """Return what the lamp was told since the last look."""
    told = [e.command for e in yard.executed() if e.command.entity_uid == "lamp"]
    sent = [s for s in yard.links.sent if not isinstance(s[1], Execute)]
    yard.links.sent[:] = sent
    return [bool(command.value) for command in told]


def test_lamp_is_refreshed_and_the_journal_does_not_grow(yard: Yard) -> None:
    pulses(yard)
    before = len(yard.events())
    yard.live(60)
    assert pulses(yard) == [True] * 12
    assert len(yard.events()) == before
    assert yard.hub.state.response.commands == {}


def test_a_light_that_stays_on_without_the_hub_is_left_alone(yard: Yard) -> None:
    yard.live(20)
    assert not [e for e in yard.executed() if e.command.entity_uid == "light"]


def test_pulse_ends_before_the_next_is_due(yard: Yard) -> None:
    """A late pulse must not light a lamp that was told to go dark meanwhile."""
    yard.live(10)
    last = [e.command for e in yard.executed() if e.command.entity_uid == "lamp"][-1]
    assert last.deadline_ns - yard.clock.mono_ns() < 5_000_000_000


def test_dark_while_a_permit_is_held_and_lit_after_its_release(yard: Yard) -> None:
    permit = yard.issued()
    yard.live(5)
    assert set(pulses(yard)) == {True}
    yard.kernel.permits.hold(permit, "manual", source="person:sam")
    yard.live(2)
    assert pulses(yard) == [False]
    yard.retest(permit)
    assert yard.release(permit).ok
    yard.live(2)
    assert pulses(yard) == [True]


def test_dark_in_a_gas_alarm_even_without_a_permit(yard: Yard) -> None:
    pulses(yard)
    yard.reading("h2s", 12.0)
    yard.live(6)
    assert set(pulses(yard)) == {False}


def test_dark_where_nobody_measures_any_more(yard: Yard) -> None:
    """Unknown is never safe."""
    yard.dead.add("meter-tank")
    yard.live(70)
    assert pulses(yard)[-1] is False


def test_hub_whose_alarms_do_not_get_through_lights_nothing(yard: Yard) -> None:
    pulses(yard)
    yard.kernel.lamps.well = lambda: False
    yard.live(12)
    assert set(pulses(yard)) == {False}


def test_hub_without_a_disk_still_protects_and_keeps_the_lamp(yard: Yard) -> None:
    pulses(yard)
    yard.break_disk()
    yard.live(12)
    assert set(pulses(yard)) == {True}


def test_dark_before_a_power_end_and_at_the_stop(yard: Yard) -> None:
    pulses(yard)
    yard.act("sam", EndPower(seconds=60.0))
    yard.live(2)
    assert pulses(yard) == [False]
    yard.kernel.lamps.dark()
    assert pulses(yard) == [False]
