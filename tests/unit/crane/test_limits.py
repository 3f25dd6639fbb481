"""Limits of lifting machines are data: what a crane tells becomes an alarm by them."""

import msgspec
import pytest

from automations.compile_site import default_quantities
from core.api.model import Device
from core.api.quality import Quality
from core.config import DeviceRule
from integrations.crane import words
from tests.support.yard import HOST, Yard

CRANE = Device(
    uid="crane-1",
    name="Crane 1",
    entities=tuple(words.entity(uid, 30.0) for uid in words.WORDS),
)


@pytest.fixture
def yard() -> Yard:
    yard = Yard()
    rule = DeviceRule(integration="field", uid="crane-1", zone="yard")
    yard.bundle = msgspec.structs.replace(
        yard.bundle,
        devices=(*yard.bundle.devices, rule),
        quantities=default_quantities(),
    )
    yard.hub.load(yard.bundle)
    yard.declare(HOST, CRANE)
    return yard


def alarm(yard: Yard, uid: str, value: float, quality: Quality = Quality.GOOD) -> str:
    """Return the kind of the alarm that a value makes, '' for none."""
    yard.report(HOST, "crane-1", uid, value, quality)
    entity = yard.kernel.registry.find(HOST, "crane-1", uid)
    assert entity is not None
    found = yard.kernel.alarms.active("yard")
    kinds = {each.condition: each.kind for each in found if entity in each.source}
    return kinds.get("high_high") or kinds.get("high", "")


@pytest.mark.parametrize("uid", ["load_share", "moment"])
def test_a_warning_then_an_overload(yard: Yard, uid: str) -> None:
    assert alarm(yard, uid, 80.0) == ""
    assert alarm(yard, uid, 91.0) == "machine.crane_load"
    assert alarm(yard, uid, 101.0) == "machine.crane_overload"


def test_what_proves_nothing_alarms_all_the_same(yard: Yard) -> None:
    assert alarm(yard, "moment", 101.0, Quality.UNCERTAIN) == "machine.crane_overload"


@pytest.mark.parametrize(
    ("uid", "kind"),
    [
        ("overload", "machine.crane_overload"),
        ("overspeed", "machine.overspeed"),
        ("overtilt", "machine.tilt"),
        ("battery_low", "machine.battery"),
    ],
)
def test_a_signal_alarms_while_it_is_on(yard: Yard, uid: str, kind: str) -> None:
    assert alarm(yard, uid, 0.0) == ""
    assert alarm(yard, uid, 1.0) == kind
    assert alarm(yard, uid, 0.0) == ""


def test_every_unit_is_known(yard: Yard) -> None:
    for uid, word in words.WORDS.items():
        value: float | bool = True if word.kind == "binary" else 0.5
        yard.report(HOST, "crane-1", uid, value)
        entity = yard.kernel.registry.find(HOST, "crane-1", uid)
        assert entity is not None
        assert yard.kernel.readings.get(entity).quality is Quality.GOOD, uid
