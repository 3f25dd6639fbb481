"""What is put by starts no rule; what is life safety always does (ISA-18.2)."""

import msgspec
import pytest

from core.alarms.policy import AlarmPolicy, Cause, Suppression
from core.config import Names
from core.logic.events import RunStarted
from tests.support.yard import Yard
from tests.unit.automations.test_worst_cases import (
    armed,
    raise_,
    rule,
    siren,
    trigger,
)

BEHIND = Suppression(
    id="behind",
    names=Names(zh="b", en="b"),
    cause=Cause(alarm="fault.host"),
    kinds=("leak",),
)


def _yard() -> Yard:
    yard = Yard()
    yard.bundle = msgspec.structs.replace(
        yard.bundle, alarms=AlarmPolicy(suppress=(BEHIND,))
    )
    armed(yard, rule("r", trigger("zone", kind="leak"), steps=(siren("s/0"),)))
    hub = yard.kernel.hub
    policy = AlarmPolicy(suppress=(BEHIND,))
    hub.load(msgspec.structs.replace(hub.bundle, alarms=policy))
    yard.kernel.alarms.raise_(
        "host:x", "down", kind="fault.host", priority=2, zone_id="tank"
    )
    return yard


@pytest.mark.parametrize("life_safety", [False, True])
def test_a_suppressed_alarm_starts_no_rule_until_its_cause_ends(
    life_safety: bool,
) -> None:
    yard = _yard()
    raise_(yard, "zone:tank", life_safety=life_safety)
    yard.live(5)
    assert bool(yard.events(RunStarted)) is life_safety
    yard.kernel.alarms.clear("host:x", "down")
    yard.live(3)
    assert yard.events(RunStarted)
