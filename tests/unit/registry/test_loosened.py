"""A device that promises less while work needs it holds that work (design §5)."""

from typing import Any

import msgspec
import pytest

from core.api.model import Device, Output, OutputKind
from core.permits.lifecycle import PermitStatus
from core.registry.declared import loosened
from core.registry.events import DeviceLoosened
from core.registry.state import EntityRecord
from tests.support.yard import HOST, SIREN, Yard, box, meter, tag


def changed(device: Device, **fields: Any) -> Device:
    """Return a device whose first entity declares something else."""
    first, *rest = device.entities
    entities = (msgspec.structs.replace(first, **fields), *rest)
    return msgspec.structs.replace(device, entities=entities)


FAN = Output(kind=OutputKind.FAN, ex_rated=True, contact_zone="tank")
Case = tuple[Device, dict[str, Any]]
LOOSER: dict[str, Case] = {
    "a longer age": (meter(), {"max_age_s": 11.0}),
    "not critical": (meter(), {"critical": False}),
    "another unit": (meter(), {"unit": "mg/m3"}),
    "another gas": (meter(), {"quantity": "o2"}),
    "a wider range": (changed(meter(), full_scale=100.0), {"full_scale": 500.0}),
    "no range": (changed(meter(), full_scale=100.0), {"full_scale": None}),
    "no Ex rating": (
        box(siren=SIREN),
        {"output": msgspec.structs.replace(SIREN, ex_rated=False)},
    ),
    "another contact": (
        box(siren=SIREN),
        {"output": msgspec.structs.replace(SIREN, contact_zone="yard")},
    ),
    "another output": (box(siren=SIREN), {"output": FAN}),
}
AS_GOOD: dict[str, Case] = {
    "the same": (meter(), {}),
    "another name": (meter(), {"name": "x"}),
    "a shorter age": (meter(), {"max_age_s": 5.0}),
    "a range": (meter(), {"full_scale": 100.0}),
    "a narrower range": (changed(meter(), full_scale=100.0), {"full_scale": 50.0}),
}


def records(device: Device) -> list[EntityRecord]:
    return [
        EntityRecord(id=each.uid, device_id="d", declared=each)
        for each in device.entities
    ]


@pytest.mark.parametrize("case", LOOSER)
def test_what_promises_less_is_named(case: str) -> None:
    old, fields = LOOSER[case]
    (what,) = loosened(records(old), changed(old, **fields))
    assert what == f"{old.entities[0].uid}.{next(iter(fields))}"


@pytest.mark.parametrize("case", AS_GOOD)
def test_what_promises_as_much_is_not(case: str) -> None:
    old, fields = AS_GOOD[case]
    assert loosened(records(old), changed(old, **fields)) == ()


@pytest.mark.parametrize("case", ["a longer age", "no Ex rating"])
def test_work_in_the_zone_is_held_and_stays_held(case: str) -> None:
    yard = Yard()
    permit = yard.permit(yard.issued())
    told: list[DeviceLoosened] = []
    yard.hub.on(DeviceLoosened, lambda body, _: told.append(body))
    old, fields = LOOSER[case]
    yard.declare(HOST, changed(old, **fields))
    yard.settle()
    assert [body.zone_id for body in told] == ["tank"]
    assert str(permit.status) == PermitStatus.HELD
    codes = [held.hold.code for held in permit.holds.values()]
    assert "device_loosened" in codes
    yard.declare(HOST, old)
    yard.live(5)
    assert str(permit.status) == PermitStatus.HELD


def test_a_first_announcement_and_a_repeated_one_hold_nothing() -> None:
    yard = Yard()
    permit = yard.permit(yard.issued())
    yard.declare(HOST, meter())
    yard.declare(HOST, meter("meter-9"))
    yard.settle()
    assert str(permit.status) == PermitStatus.ACTIVE


def test_a_worn_device_holds_its_wearer_s_work() -> None:
    yard = Yard()
    permit = yard.permit(yard.issued())
    yard.declare(HOST, changed(tag("sam"), max_age_s=99.0))
    yard.settle()
    assert str(permit.status) == PermitStatus.ACTIVE
    yard.declare(HOST, changed(tag("ann"), max_age_s=99.0))
    yard.settle()
    assert str(permit.status) == PermitStatus.HELD
