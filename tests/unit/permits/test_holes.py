"""Ways around the sentence: unknown is never safe, nothing protective waits (§5)."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from core.api.reading import Value
from core.people.acts import SetRoles
from core.permits import life_acts as a
from core.permits.acts import CancelPermit, HoldPermit, ReleasePermit
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

    @pytest.mark.parametrize(("gas", "value"), [("lel", 30.0), ("lel", 12.0)])
    def test_gas_that_comes_and_goes_under_a_hold_with_nobody_there(
        self, site: Works, gas: str, value: float
    ) -> None:
        """GB 30871 5.3.1, 6.5: the air after it is not the air that was tested."""
        permit_id = site.started()
        site.place("ann", "yard")
        site.place("bob", "yard")
        site.ok("gil", HoldPermit(permit_id=permit_id, reason="lunch"))
        site.tested(permit_id)
        site.reading(gas, value)
        site.live(12)
        assert cleared(site) == []
        site.reading(gas, 0.0)
        site.live(12)
        act = ReleasePermit(permit_id=permit_id, reason="go on")
        no = site.refused("sam", act, site.version(permit_id))
        assert no == ("permit.retest_missing", {"gases": "lel"})
        site.tested(permit_id)
        site.released(permit_id)

    def test_a_hold_without_gas_owes_no_test(self, site: Works) -> None:
        permit_id = site.started()
        site.ok("gil", HoldPermit(permit_id=permit_id, reason="lunch"))
        site.live(60)
        site.released(permit_id)

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
        first = site.started()
        told: list[Any] = []
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


class TestSignatures:
    """Design §5 Security: nobody signs for somebody else."""

    def approver_due(self, site: Works) -> tuple[str, a.SignPermit]:
        """Take a permit to an approver's signature; return who may give it."""
        permit_id = site.analysed(site.applied(site.booked()))
        while True:
            due = [d for d in site.view(permit_id)["due"] if d["verb"] == "permit.sign"]
            permit = site.permit(permit_id)
            act = a.SignPermit(
                permit_id=permit_id, slot=due[0]["slot"], content=permit.life.content
            )
            person = site.signer(due[0], permit)
            if due[0]["slot"] == "approver":
                return person, act
            site.ok(person, act)

    def test_no_witness_signs_in_an_approvers_place(self, site: Works) -> None:
        person, act = self.approver_due(site)
        roles = (*site.kernel.access.roles(person), "worker")
        site.ok("eve", SetRoles(person_id=person, roles=roles))
        fields: dict[str, Any] = {
            "person": person,
            "method": "pin_witness",
            "witness": "ann",
        }
        reply = site.phones["ann"].act(act, **fields)
        assert (reply.ok, reply.code) == (False, "signature.own_key_needed")

    def test_a_legal_release_is_signed(self, site: Works) -> None:
        permit_id = site.started()
        site.ok("sue", HoldPermit(permit_id=permit_id, reason="lunch"))
        site.ok("eve", SetRoles(person_id="nia", roles=("safety_officer",)))
        act = ReleasePermit(permit_id=permit_id, reason="go on")
        reply = site.act("nia", act, site.version(permit_id))
        assert (reply.ok, reply.code) == (False, "signature.required")
        assert site.permit(permit_id).status is S.HELD

    def test_no_witness_releases_for_an_officer(self, site: Works) -> None:
        permit_id = site.started()
        site.ok("sue", HoldPermit(permit_id=permit_id, reason="lunch"))
        roles = ("safety_officer", "guardian")
        site.ok("eve", SetRoles(person_id="sam", roles=roles))
        act = ReleasePermit(permit_id=permit_id, reason="go on")
        fields = {"person": "sam", "method": "pin_witness", "witness": "ann"}
        reply = site.phones["ann"].act(act, site.version(permit_id), **fields)
        assert (reply.ok, reply.code) == (False, "signature.own_key_needed")

    def test_a_right_that_was_given_ends_with_the_right(self, site: Works) -> None:
        giver, act = self.approver_due(site)
        site.ok("eve", SetRoles(person_id="max", roles=("safety_officer",)))
        given = a.DelegateSlot(permit_id=act.permit_id, slot=act.slot, to_id="max")
        site.ok(giver, given)
        site.ok("eve", SetRoles(person_id="max", roles=("worker",)))
        assert site.refused("max", act)[0] in ("act.role", "permit.slot_role")

    def test_an_approval_entered_late_was_nowhere(self, site: Works) -> None:
        person, act = self.approver_due(site)
        site.live(300)
        then = site.clock.wall_ns() // 1_000_000 - 200_000
        code, params = site.refused(person, act, at=then)
        assert code == "permit.rule"
        assert "H3=unknown" in str(params["bad"])

    def test_nobody_checks_or_accepts_the_own_work(self, site: Works) -> None:
        permit_id = site.analysed(site.applied(site.booked()))
        content = site.permit(permit_id).life.content
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(site, "signer", _until(site, "shift"))
            with pytest.raises(StopIteration):
                site.signed(permit_id)
        act = a.SignPermit(permit_id=permit_id, slot="shift", content=content)
        assert site.refused("sue", act)[0] == "permit.own_work"

    def test_a_stranger_speaks_for_no_work(self, site: Works) -> None:
        permit_id = site.started()
        site.ok("eve", SetRoles(person_id="max", roles=("worker",)))
        act = a.DeclareFacts(permit_id=permit_id, facts={"fire_gear_ready": True})
        assert site.refused("max", act)[0] == "act.role"


def _until(site: Works, slot: str) -> Callable[[dict[str, Any], PermitRecord], str]:
    """Return who chooses signers until a slot is due."""
    choose = site.signer

    def signer(due: dict[str, Any], permit: PermitRecord) -> str:
        if due["slot"] == slot:
            raise StopIteration
        return choose(due, permit)

    return signer


class TestStaleWords:
    """'Unknown is never safe': what was said before the stop says nothing after."""

    def test_a_place_is_restored_after_the_work(self, site: Works) -> None:
        permit_id = site.started()
        early: dict[str, Value] = {"site_restored": True, "no_residual_fire": True}
        site.ok("sue", a.DeclareFacts(permit_id=permit_id, facts=early))
        with pytest.raises(AssertionError, match=r"C9|F9"):
            site.live(5)
            site.ok("sue", a.CompletePermit(permit_id=permit_id))
            for person in site.permit(permit_id).workers:
                site.places[person] = "yard"
            site.live(5)
            site.signed(permit_id)

    def test_another_analysis_is_another_briefing(self, site: Works) -> None:
        permit_id = site.analysed(site.applied(site.booked()))
        assert site.permit(permit_id).life.briefed
        measures = site.permit(permit_id).life.measures
        hazards = site.permit(permit_id).life.hazards
        act = a.AnalysePermit(permit_id=permit_id, hazards=hazards, measures=measures)
        site.ok("sue", act)
        assert site.permit(permit_id).life.briefed == []


class TestNothingProtectiveWaits:
    """Design §1: an old view of a permit keeps nobody from stopping it."""

    @pytest.mark.parametrize("end", [CancelPermit, a.WithdrawPermit])
    def test_a_stale_version_stops_all_the_same(self, site: Works, end: type) -> None:
        permit_id = site.started()
        site.ok("sue", end(permit_id=permit_id, reason="smoke"), 1)
        assert site.permit(permit_id).status in (S.CANCELLED, S.WITHDRAWN)

    def test_a_phone_with_a_wrong_clock_withdraws(self, site: Works) -> None:
        permit_id = site.started()
        ahead = site.clock.wall_ns() // 1_000_000 + 3_600_000
        act = a.WithdrawPermit(permit_id=permit_id, reason="smoke")
        site.ok("gil", act, at=ahead)
        assert site.permit(permit_id).status is S.WITHDRAWN
