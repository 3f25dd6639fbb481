"""A fix near a border: possibly beyond it, and never certainly outside of a zone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.api.model import Device, Entity, EntityKind
from core.api.quality import Quality
from core.logic.truth import Truth
from core.site.site import contains
from tests.support.yard import HOST, Yard, square

TANK = square(2, 2, 4)


def round_tag(person: str) -> Device:
    """Return a tag that tells its circle beside its place."""
    fix = Entity(uid="fix", name="fix", kind=EntityKind.LOCATION, max_age_s=10.0)
    circle = Entity(
        uid="circle",
        name="accuracy",
        kind=EntityKind.SENSOR,
        quantity="accuracy",
        unit="m",
        max_age_s=10.0,
    )
    return Device(uid=f"tag-{person}", name=person, entities=(fix, circle))


@pytest.fixture
def yard() -> Yard:
    made = Yard()
    made.declare(HOST, round_tag("gil"))
    return made


def stand(
    yard: Yard, x: float, y: float, radius: float, quality: Quality = Quality.GOOD
) -> None:
    """Let Gil stand at a place, with a circle, long enough to be believed."""
    yard.places["gil"] = f"{x},{y},0.0"
    for _ in range(4):
        yard.advance(1.0)
        yard.report(HOST, "tag-gil", "circle", radius, quality)
        yard.pulse()


def lines(yard: Yard, *zones: str) -> dict[str, bool]:
    """Return who is in zones, and whether certainly."""
    found = yard.kernel.people.inside(zones)
    return {line.person_id: line.certain for line in found}


def test_circle_that_reaches_into_the_tank_may_be_in_it(yard: Yard) -> None:
    """Design §1: unknown is never safe; where the circle ends nobody knows."""
    people = yard.kernel.people
    stand(yard, 7.0, 4.0, 0.5)
    assert lines(yard, "tank").get("gil") is None
    assert people.in_zone("gil", "tank") is Truth.FALSE
    stand(yard, 7.0, 4.0, 1.5)
    assert people.found("gil") == "yard"
    assert lines(yard, "tank")["gil"] is False
    assert lines(yard, "yard")["gil"] is True
    assert people.in_zone("gil", "tank") is Truth.UNKNOWN
    assert people.in_zone("gil", "yard") is Truth.TRUE
    assert people.in_zone("gil", "gate") is Truth.FALSE
    assert people.may_be_inside("tank")


def test_circle_in_the_tank_reaches_out_of_it(yard: Yard) -> None:
    people = yard.kernel.people
    stand(yard, 4.0, 4.0, 1.0)
    assert people.in_zone("gil", "yard") is Truth.FALSE
    assert "gil" not in lines(yard, "yard")
    stand(yard, 5.5, 4.0, 1.0)
    assert people.in_zone("gil", "tank") is Truth.TRUE
    assert people.in_zone("gil", "yard") is Truth.UNKNOWN
    # Asked for both, one is certainly in them.
    assert lines(yard, "tank", "yard")["gil"] is True


def test_no_circle_that_can_be_believed_reaches_what_is_beside(yard: Yard) -> None:
    people = yard.kernel.people
    stand(yard, 15.0, 15.0, 0.5, Quality.FAULT)
    assert people.in_zone("gil", "tank") is Truth.UNKNOWN
    assert people.in_zone("gil", "gate") is Truth.FALSE
    stand(yard, 15.0, 15.0, 0.5)
    assert people.in_zone("gil", "tank") is Truth.FALSE


def test_tag_without_a_circle_is_judged_by_its_point(yard: Yard) -> None:
    yard.places["sam"] = "6.2,4.0,0.0"
    yard.live(4)
    assert yard.kernel.people.in_zone("sam", "tank") is Truth.FALSE
    assert "sam" not in lines(yard, "tank")


@settings(max_examples=40, deadline=None)
@given(st.floats(0.5, 19), st.floats(0.5, 19), st.floats(0, 6), st.floats(0, 6.28))
def test_nobody_is_certainly_outside_of_where_they_may_be(
    x: float, y: float, radius: float, turn: float
) -> None:
    """Whatever point of the circle is the true one, its zone is not told FALSE."""
    import math

    site = Yard().kernel.site
    for share in (0.0, 0.5, 0.99):
        px = x + share * radius * math.cos(turn)
        py = y + share * radius * math.sin(turn)
        true = site.locate(px, py, 0.0)
        assert true is None or true in site.touching(x, y, 0.0, radius)
    if contains(TANK, x, y):
        assert site.touching(x, y, 0.0, radius)[0] == "tank"
