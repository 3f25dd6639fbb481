"""What a change costs follows from what depends on it, not from all that is open."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import msgspec
import pytest

from core.people.events import TrainingFacts, TrainingRecorded
from tests.support.works import Works

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
