"""Places on the Earth: WGS-84 and GCJ-02 into the plan, and never as a proof."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import config
from core.api.model import Device, Entity, EntityKind
from core.api.quality import Quality
from core.config import DeviceRule
from core.site.earth import degrees, local, placed, shifted, unshifted
from tests.support.yard import HOST, Yard

GEO = config.Geo(lat=31.2, lon=121.5)


def test_a_published_pair_of_both_systems() -> None:
    """Tian'anmen as maps of both kinds show it, to a few metres."""
    lat, lon = shifted(39.908823, 116.397470)
    assert lat == pytest.approx(39.910226, abs=3e-5)
    assert lon == pytest.approx(116.403714, abs=3e-5)


@given(st.floats(18, 53), st.floats(74, 134))
def test_the_shift_is_undone(lat: float, lon: float) -> None:
    there = unshifted(*shifted(lat, lon))
    assert math.dist(there, (lat, lon)) < 1e-6  # a decimetre


def test_outside_of_china_nothing_is_shifted() -> None:
    assert shifted(48.85, 2.35) == (48.85, 2.35)


@given(st.text(max_size=40))
def test_any_text_is_a_place_or_none(text: str) -> None:
    found = degrees(text)
    assert found is None or (abs(found[0]) <= 90 and abs(found[1]) <= 180)


@pytest.mark.parametrize("text", ["0,0", "nan,1", "91,0", "1", "1,2,3", "inf,0"])
def test_what_is_no_place(text: str) -> None:
    assert placed(GEO, "WGS-84", text) is None


def yard(geo: config.Geo | None, unit: str) -> Yard:
    yard = Yard()
    yard.bundle = msgspec.structs.replace(
        yard.bundle,
        site=msgspec.structs.replace(yard.bundle.site, geo=geo),
        devices=(
            *yard.bundle.devices,
            DeviceRule(integration="field", uid="sat", person="ann"),
        ),
    )
    yard.hub.load(yard.bundle)
    place = Entity(uid="location", name="l", kind=EntityKind.LOCATION, unit=unit)
    yard.declare(HOST, Device(uid="sat", name="s", entities=(place,)))
    return yard


def degrees_of(x: float, y: float) -> tuple[float, float]:
    """Return the degrees of a point of the plan."""
    lat = GEO.lat + y / 111_320.0
    lon = GEO.lon + x / 111_320.0 / math.cos(math.radians(GEO.lat))
    assert local(GEO, lat, lon) == pytest.approx((x, y), abs=1e-6)
    return lat, lon


@pytest.mark.parametrize("unit", ["WGS-84", "GCJ-02"])
def test_a_fix_by_satellite_is_a_claim(unit: str) -> None:
    """Whatever quality the driver gives it: it counts inside, and proves nothing."""
    there = degrees_of(42.0, 2.0)
    lat, lon = shifted(*there) if unit == "GCJ-02" else there
    site = yard(GEO, unit)
    site.live(16)
    site.dead.add("ann")
    for _ in range(3):
        site.report(HOST, "sat", "location", f"{lat:.7f},{lon:.7f}")
        site.live(5)
    entity = site.kernel.registry.find(HOST, "sat", "location")
    assert entity is not None
    reading = site.kernel.readings.get(entity)
    assert (reading.quality, reading.reason) == (Quality.UNCERTAIN, "by_satellite")
    assert reading.unit == "m"
    assert str(reading.value).startswith("42.0")
    assert site.kernel.people.found("ann") is None
    lines = {line.person_id: line for line in site.kernel.people.inside(["gate"])}
    assert lines["ann"].certain is False


@pytest.mark.parametrize(
    ("geo", "value", "reason"),
    [(None, "31.2,121.5", "no_reference"), (GEO, "0,0", "no_place")],
)
def test_what_cannot_be_placed_is_a_fault(
    geo: config.Geo | None, value: str, reason: str
) -> None:
    site = yard(geo, "WGS-84")
    site.report(HOST, "sat", "location", value)
    entity = site.kernel.registry.find(HOST, "sat", "location")
    assert entity is not None
    reading = site.kernel.readings.get(entity)
    assert (reading.value, reading.quality) == (None, Quality.FAULT)
    assert reading.reason == reason
