"""Work that is held or has ended, and whose people are still inside."""

import pytest

from core.permits import life_acts as a
from core.permits.acts import CancelPermit, HoldPermit, ReleasePermit
from core.permits.lifecycle import PermitStatus
from core.response.acts import AccountPerson, ClearEvacuation
from core.response.events import EvacuationStarted
from tests.support.works import Works

S = PermitStatus


@pytest.fixture
def site() -> Works:
    return Works()


def cleared(site: Works) -> list[tuple[str, ...]]:
    return [body.zones for body in site.events(EvacuationStarted)]


def test_gas_clears_a_zone_whose_work_is_held(site: Works) -> None:
    permit_id = site.started("confined")
    site.ok("ann", HoldPermit(permit_id=permit_id, reason="lunch"))
    site.live(2)
    assert cleared(site) == []
    site.reading("h2s", 9.0)
    site.live(3)
    assert cleared(site) == [("tank",)]


def test_a_lost_meter_clears_a_zone_whose_permit_was_cancelled(site: Works) -> None:
    permit_id = site.started("confined")
    site.ok("sue", CancelPermit(permit_id=permit_id, reason="rain"))
    site.dead.add("meter-tank")
    site.live(120)
    assert site.permit(permit_id).status is S.CANCELLED
    assert cleared(site) == [("tank",)]


def test_nobody_is_ordered_out_of_an_empty_zone(site: Works) -> None:
    permit_id = site.started()
    for person in ("ann", "bob"):
        site.place(person, "yard")
    site.ok("sue", CancelPermit(permit_id=permit_id, reason="rain"))
    site.reading("lel", 9.0)
    site.live(3)
    assert cleared(site) == []


def test_gas_during_a_hold_owes_a_test_once_it_is_gone(site: Works) -> None:
    permit_id = site.started()
    site.ok("ann", HoldPermit(permit_id=permit_id, reason="lunch"))
    site.reading("lel", 8.0)  # no alarm's limit, and too much to work in
    site.live(2)
    site.reading("lel", 0.0)
    site.live(3)
    act = ReleasePermit(permit_id=permit_id, reason="it smells of nothing")
    for record in site.kernel.evacuations.running():
        for person in list(record.roll):
            site.act("max", AccountPerson(evacuation_id=record.id, person_id=person))
        site.ok("sam", ClearEvacuation(evacuation_id=record.id))
    code, _ = site.refused("sam", act, site.version(permit_id))
    assert code == "permit.retest_missing"
    site.tested(permit_id)
    site.released(permit_id)
    assert site.permit(permit_id).status is S.ACTIVE


def test_the_next_shift_brings_a_guardian_who_may_and_does_not_work(
    site: Works,
) -> None:
    permit_id = site.started()
    act = a.OfferShift(permit_id=permit_id, to_id="sue", guardian_id="ivy")
    assert site.refused("sue", act)[0] == "act.role"
