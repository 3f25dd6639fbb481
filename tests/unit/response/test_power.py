"""Before a known power end the hub announces and holds (design §5 After a stop)."""

import math

import pytest

from core.permits.events import PermitHeld
from core.permits.lifecycle import PermitStatus
from core.processes.acts import EndPower, PowerStays
from core.processes.events import PowerEnding
from core.registry.events import DeviceReported
from core.response.events import NoticeQueued
from tests.support.yard import Yard


@pytest.fixture
def yard() -> Yard:
    return Yard()


def told(yard: Yard) -> set[str]:
    """Return who was told of a power end."""
    found = yard.events(NoticeQueued)
    return {n.person_id for n in found if n.code == "notice.power_end"}


def stops(yard: Yard) -> list[float]:
    """Return a list that fills with the seconds at which the hub is stopped."""
    begun = yard.clock.mono_ns()
    found: list[float] = []
    yard.kernel.power.stop = lambda: found.append((yard.clock.mono_ns() - begun) / 1e9)
    return found


def ending(yard: Yard) -> bool:
    alarm = yard.kernel.alarms.find("hub:power", "ending")
    return alarm is not None and alarm.active


def test_all_on_site_are_told_all_work_held_and_the_hub_stops(yard: Yard) -> None:
    permit = yard.issued()
    yard.places["sue"] = "100,100,0"  # outside every zone
    yard.dead.add("max")  # nobody knows where
    yard.live(20)
    stopped = stops(yard)
    assert yard.act("sam", EndPower(seconds=30.0)).ok
    assert "sue" not in told(yard)
    assert {"ann", "bob", "gil", "max"} <= told(yard)
    assert yard.permit(permit).status is PermitStatus.HELD
    held = yard.events(PermitHeld)[-1]
    assert (held.hold.code, held.safe_state) == ("power_end", "leave")
    assert ending(yard)
    yard.live(40)
    assert stopped == [27.0]


def test_nothing_is_permitted_while_the_power_ends(yard: Yard) -> None:
    permit = yard.issued()
    yard.act("sam", EndPower(seconds=60.0))
    yard.retest(permit)
    refused = yard.release(permit)
    assert (refused.ok, refused.code) == (False, "permit.interlock")
    assert not yard.issue(zone_id="tank").ok


def test_power_that_stays_stops_nothing_and_releases_nothing(yard: Yard) -> None:
    permit, stopped = yard.issued(), stops(yard)
    yard.act("sam", EndPower(seconds=30.0))
    assert yard.act("sam", PowerStays()).ok
    yard.live(60)
    assert stopped == []
    assert not ending(yard)
    assert yard.permit(permit).status is PermitStatus.HELD
    yard.retest(permit)
    assert yard.release(permit).ok


@pytest.mark.parametrize("clean", [True, False])
def test_start_takes_back_the_alarm_but_no_hold(yard: Yard, clean: bool) -> None:
    permit = yard.issued()
    yard.act("sam", EndPower(seconds=30.0))
    yard.restart(clean=clean)
    assert not ending(yard)
    assert yard.hub.state.hub.power_end is None
    assert yard.permit(permit).status is PermitStatus.HELD


def test_enrolled_device_says_it_and_a_stranger_does_not(yard: Yard) -> None:
    stopped = stops(yard)
    yard.hub.emit(DeviceReported(device_id="", kind="power_end", params={"seconds": 5}))
    assert not ending(yard)
    yard.signal("gate-tank", "power_end", seconds="soon")
    assert ending(yard)
    yard.live(70)
    assert stopped == [57.0]


def test_an_end_is_told_again_only_when_it_is_nearer(yard: Yard) -> None:
    stopped = stops(yard)
    yard.act("sam", EndPower(seconds=60.0))
    yard.act("sam", EndPower(seconds=58.0))
    yard.act("sam", EndPower(seconds=20.0))
    assert len(yard.events(PowerEnding)) == 2
    yard.live(30)
    assert stopped == [17.0]


@pytest.mark.parametrize("seconds", [-1.0, math.nan, math.inf, 1e9])
def test_senseless_time_is_refused(yard: Yard, seconds: float) -> None:
    reply = yard.act("sam", EndPower(seconds=seconds))
    assert (reply.ok, reply.code) == (False, "power.seconds")
