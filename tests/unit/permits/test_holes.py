"""Ways around the sentence: unknown is never safe, nothing protective waits (§5)."""

import copy

import pytest

from core.permits import life_acts as a
from core.permits.acts import CancelPermit, HoldPermit
from core.permits.entries_acts import LogOut
from core.permits.interlocks import Findings
from core.permits.lifecycle import PermitStatus
from core.permits.pack import Phase
from core.permits.state import PermitRecord
from core.response.events import EvacuationStarted
from tests.support.works import Works

S = PermitStatus


@pytest.fixture
def site() -> Works:
    return Works()


def inside(site: Works, *people: str) -> None:
    """Let people be in the tank."""
    for person in people:
        site.places[person] = "tank"
    site.live(2)


def cleared(site: Works) -> list[tuple[str, ...]]:
    """Return the zones of every evacuation."""
    return [body.zones for body in site.events(EvacuationStarted)]


class TestWhoIsInsideIsCalledOut:
    """§1.3, GB 30871 6.5: a permit that is held or over still clears its zone."""

    def test_gas_under_a_hold(self, site: Works) -> None:
        permit_id = site.started("confined")
        inside(site, "ann")
        site.ok("gil", HoldPermit(permit_id=permit_id, reason="lunch"))
        assert cleared(site) == []
        site.reading("o2", 19.0)
        site.live(2)
        assert cleared(site) == [("tank",)]

    def test_a_meter_that_dies_with_the_guardian_gone(self, site: Works) -> None:
        permit_id = site.started("confined")
        inside(site, "ann")
        site.dead.add("meter-tank")
        site.place("gil", "hall")
        assert site.permit(permit_id).status is S.HELD
        site.live(120)
        assert cleared(site) == [("tank",)]

    @pytest.mark.parametrize("end", [CancelPermit, a.WithdrawPermit])
    def test_gas_under_a_permit_that_is_over(self, site: Works, end: type) -> None:
        permit_id = site.started("confined")
        inside(site, "ann")
        site.ok("sue", end(permit_id=permit_id, reason="rain"))
        site.reading("o2", 19.0)
        site.live(2)
        assert cleared(site) == [("tank",)]

    def test_gas_when_the_work_is_done_but_nobody_is_out(self, site: Works) -> None:
        permit_id = site.started("confined")
        inside(site, "ann")
        site.ok("sue", a.CompletePermit(permit_id=permit_id))
        site.reading("o2", 19.0)
        site.live(2)
        assert cleared(site) == [("tank",)]

    def test_nobody_inside_is_called_out_of_an_empty_place(self, site: Works) -> None:
        permit_id = site.started("confined")
        for person in site.permit(permit_id).workers:
            site.places[person] = "yard"
        site.live(5)
        for person in site.permit(permit_id).workers:
            site.ok("gil", LogOut(permit_id=permit_id, person_id=person))
        site.ok("gil", HoldPermit(permit_id=permit_id, reason="lunch"))
        site.dead.add("meter-tank")
        site.live(120)
        assert cleared(site) == []


class TestOneErrorBlindsNothing:
    """Design §5 Rules: what cannot be judged is held, and the others are judged."""

    def test_a_permit_whose_judging_fails_is_held(
        self, site: Works, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, told = site.started(), []
        permits = site.hub.state.permits.permits
        permits["zz"] = copy.deepcopy(permits[first])
        permits["zz"].id = "zz"
        judge = site.kernel.permits.judge
        true_judge = judge.judge

        def broken(permit: PermitRecord, phase: Phase = Phase.RUN) -> Findings:
            if permit.id == first:
                raise ZeroDivisionError
            return true_judge(permit, phase)

        monkeypatch.setattr(judge, "judge", broken)
        site.hub.failed = told.append
        site.live(2)
        assert isinstance(told[0], ZeroDivisionError)
        assert site.permit(first).status is S.HELD
        laid = [held.hold.code for held in site.permit("zz").holds.values()]
        assert laid == ["rule"], "two works with one guardian"
