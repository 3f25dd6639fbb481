"""What a change costs follows from what depends on it, not from all that is open."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import msgspec
import pytest

from core.people.events import PersonMoved, TrainingFacts, TrainingRecorded
from core.permits.gas_tests_state import GasState
from core.permits.life_events import PermitDeclared
from core.permits.lifecycle import PermitStatus
from tests.support.works import Works
from tests.support.yard import HOST

_FEW, _MANY = 5, 105


def calls(work: Callable[[], Any]) -> int:
    """Return how many functions of Python a piece of work calls."""
    count = 0

    def heard(_frame: FrameType, event: str, _arg: Any) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(heard)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.fixture
def site() -> Works:
    """A site under the law."""
    return Works()


def test_a_zone_is_blind_where_it_is_unmonitored(site: Works) -> None:
    readings = site.kernel.readings
    for _ in range(3):
        for zone in site.bundle.site.zones:
            now = site.clock.mono_ns()
            told = readings.supervision.blind(zone.id, now)
            assert told == (zone.id in readings.unmonitored()), zone.id
        site.advance(40.0)


def test_a_persons_record_is_taken_anew_alone(site: Works) -> None:
    """H4: what is kept of the others still stands, what changed does not."""
    permit = site.permit(site.started())
    judge, people = site.kernel.permits.judge, site.kernel.people_facts
    keep = TrainingRecorded(
        person_id=permit.workers[0], topic="fire", facts=TrainingFacts(), by="sam"
    )
    for person_id in permit.people():
        site.hub.emit(msgspec.structs.replace(keep, person_id=person_id))
    ruled = judge.packs.kind(permit)
    assert ruled is not None
    facts = people.facts(permit, ruled.kind, ruled.pack)
    assert facts["training_valid"] is True
    told = TrainingRecorded(
        person_id=permit.workers[0],
        topic="fire",
        facts=TrainingFacts(valid_to="2001-01-01"),
        by="sam",
    )
    site.hub.emit(told)
    facts = people.facts(permit, ruled.kind, ruled.pack)
    assert facts["training_valid"] is False
    people.forget()
    assert people.facts(permit, ruled.kind, ruled.pack) == facts


def _others(site: Works, permit_id: str, count: int) -> None:
    """Put works of nobody into zones of their own."""
    permits = site.hub.state.permits.permits
    permit = permits[permit_id]
    for number in range(count):
        permits[f"p{number:04}"] = msgspec.structs.replace(
            permit,
            id=f"p{number:04}",
            zone_id=f"z{number}",
            supervisor_id="max",
            guardian_id="",
            workers=[],
            linked=[],
            holds={},
            gas=GasState(),
            life=msgspec.structs.replace(permit.life, guardians=[], job=f"j{number}"),
        )
    site.kernel.people_facts.roster.rebuild()
    site.kernel.permits.watch.forget_all()


@pytest.mark.parametrize("what", ["held", "moved", "declared", "meter"])
def test_a_change_costs_what_depends_on_it(what: str) -> None:
    """Issue 3: of many open permits only those that a change touches are judged."""
    spent = {}
    for count in (_FEW, _MANY):
        site = Works()
        permit_id = site.started()
        _others(site, permit_id, count)
        work = _changes(site, permit_id)[what]
        for timer in ("hub.tick", "permits.sweep", "gas.sweep"):
            site.hub.timers.cancel(timer)
        spent[count] = calls(work)
    # One that is only passed over costs a call or two; one that is judged, hundreds.
    assert spent[_MANY] <= spent[_FEW] + 3 * _MANY, spent


def _changes(site: Works, permit_id: str) -> dict[str, Callable[[], Any]]:
    kernel = site.kernel
    meter = kernel.registry.find_device(HOST, "meter-tank")
    assert meter is not None

    def again() -> None:
        site.hub.advance()

    def held() -> None:
        kernel.permits.hold(permit_id, "gas", source="test")
        again()

    def moved() -> None:
        site.hub.emit(PersonMoved(person_id="gil", zone_id=None, source="lost"))
        again()

    def declared() -> None:
        body = PermitDeclared(
            permit_id=permit_id, by="sue", facts={"site_normal": False}
        )
        site.hub.emit(body)
        again()

    def failed() -> None:
        kernel.gas_tests._meter(meter.id)
        again()

    return {"held": held, "moved": moved, "declared": declared, "meter": failed}


def test_linked_works_are_found_by_either_end() -> None:
    """A hold drags along what names it and what it names, and nobody else's."""
    site = Works()
    permit_id = site.started()
    _others(site, permit_id, 4)
    permits = site.hub.state.permits.permits
    permits["p0000"].linked = [permit_id]
    permits["p0001"].linked = ["p0000"]
    permits["p0002"].linked = ["p0003"]
    site.kernel.people_facts.roster.rebuild()
    held = site.kernel.permits.hold_zone("tank", "gas", source="test")
    assert held == [permit_id, "p0000", "p0001"]
    assert permits["p0002"].status is PermitStatus.ACTIVE
