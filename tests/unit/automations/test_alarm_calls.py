"""Rules hear at once when an alarm is put by and when it calls again (R1, R26).

No second passes between the event and what a rule makes of it.
"""

import msgspec
import pytest

from core.alarms.acts import (
    PutInService,
    ReturnDevice,
    ServiceDevice,
    ShelveAlarm,
    TakeOutOfService,
    UnshelveAlarm,
)
from core.alarms.policy import AlarmPolicy, Cause, Suppression
from core.config import Names
from core.logic.events import RuleSkipped, RunStarted
from core.people.acts import Act
from tests.support.yard import HOST, Yard
from tests.unit.automations.test_worst_cases import armed, raise_, rule, trigger

STORM = Suppression(
    id="storm",
    names=Names(zh="s", en="s"),
    cause=Cause(alarm="weather"),
    kinds=("leak",),
)


def of(yard: Yard, *declared: Suppression, **more: object) -> None:
    yard.hub.bundle = msgspec.structs.replace(
        yard.hub.bundle, alarms=AlarmPolicy(suppress=declared)
    )
    armed(yard, rule("r", trigger("zone", kind="leak"), **more))


def whys(yard: Yard) -> list[str]:
    return [body.why for body in yard.events(RuleSkipped)]


def test_a_suppressed_alarm_starts_its_rule_the_moment_its_cause_ends() -> None:
    yard = Yard()
    of(yard, STORM)
    yard.kernel.alarms.raise_(
        "hub:sky", "storm", kind="weather", priority=3, zone_id="tank"
    )
    raise_(yard, "zone:tank")
    assert not yard.events(RunStarted) and whys(yard) == ["suppressed"]
    yard.kernel.alarms.clear("hub:sky", "storm")
    yard.settle()
    assert len(yard.events(RunStarted)) == 1


def test_a_rule_that_did_not_act_yet_says_at_once_why_it_will_not() -> None:
    """R26: the alarm stood before; what put it by is written down as it begins."""
    yard = Yard()
    of(yard, STORM, mode="off", zone_modes={"yard": "enforce"})
    raise_(yard, "zone:tank")
    assert whys(yard) == ["off"]
    yard.kernel.alarms.raise_(
        "hub:sky", "storm", kind="weather", priority=3, zone_id="tank"
    )
    yard.settle()
    assert whys(yard) == ["off", "suppressed"]


@pytest.mark.parametrize("how", ["shelf", "service"])
def test_a_person_who_takes_an_alarm_back_starts_its_rule_at_once(how: str) -> None:
    yard = Yard()
    of(yard)
    number = raise_(yard, "zone:tank", kind="quiet")
    ways: dict[str, tuple[Act, Act]] = {
        "shelf": (
            ShelveAlarm(alarm_id=number, reason="works on it", minutes=5),
            UnshelveAlarm(alarm_id=number),
        ),
        "service": (
            TakeOutOfService(alarm_id=number, reason="works on it", hours=1),
            PutInService(alarm_id=number),
        ),
    }
    put, back = ways[how]
    assert yard.act("sam", put).ok
    armed(yard, rule("q", trigger("zone", kind="quiet")))
    assert not yard.events(RunStarted)
    assert yard.act("sam", back).ok
    assert {body.rule for body in yard.events(RunStarted)} == {"q"}


def test_a_device_that_comes_back_from_maintenance_calls_at_once() -> None:
    yard = Yard()
    armed(yard, rule("r", trigger("site", kind="fault.stuck")))
    device = yard.kernel.registry.find_device(HOST, "meter-tank")
    assert device is not None
    serve = ServiceDevice(device_id=device.id, reason="calibration", hours=1)
    assert yard.act("sam", serve).ok
    raise_(yard, f"device:{device.id}", kind="fault.stuck")
    assert not yard.events(RunStarted)
    assert yard.act("sam", ReturnDevice(device_id=device.id)).ok
    assert len(yard.events(RunStarted)) == 1
