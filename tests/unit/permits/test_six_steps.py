"""A permit's six steps under the law: each link needed, nothing signed altered."""

import msgspec
import pytest

from core.people.acts import SetRoles
from core.permits import life_acts as a
from core.permits import life_events as e
from core.permits.acts import CancelPermit, ClosePermit, HoldPermit, ReleasePermit
from core.permits.events import PermitHeld
from core.permits.lifecycle import TABLE, PermitStatus
from core.response.events import EvacuationStarted
from tests.support.works import CALM, HOUR_MS, Works

S = PermitStatus


@pytest.fixture
def site() -> Works:
    return Works()


def holds(site: Works, permit_id: str) -> list[tuple[str, str]]:
    """Return code and rule of every hold that was laid."""
    return [
        (body.hold.code, str(body.hold.params.get("rule", "")))
        for body in site.events(PermitHeld)
        if body.permit_id == permit_id
    ]


class TestTheWay:
    def test_from_booking_to_closing(self, site: Works) -> None:
        permit_id = site.started()
        assert site.permit(permit_id).status is S.ACTIVE
        site.live(5)
        assert site.permit(permit_id).status is S.ACTIVE, holds(site, permit_id)
        site.ended(permit_id)
        permit = site.permit(permit_id)
        assert (permit.status, permit.outcome) == (S.CLOSED, "completed")
        told = [type(body) for body in site.events() if hasattr(body, "permit_id")]
        order = [
            *(e.PermitBooked, e.PermitApplied, e.PermitAnalysed, e.PermitSigned),
            *(e.PermitApproved, e.PermitStarted, e.PermitCompleted, e.PermitAccepted),
        ]
        assert [told.index(kind) for kind in order] == sorted(map(told.index, order))

    def test_a_confined_space_counts_its_people(self, site: Works) -> None:
        permit_id = site.started("confined")
        site.live(5)
        assert site.permit(permit_id).status is S.ACTIVE, holds(site, permit_id)

    def test_every_step_is_in_the_table(self) -> None:
        reached = {status for allowed in TABLE.values() for status in allowed}
        assert reached == set(S) - {S.REJECTED, S.CLOSED}


class TestMissingLinks:
    def test_no_analysis_no_signature(self, site: Works) -> None:
        permit_id = site.applied(site.booked())
        content = site.permit(permit_id).life.content
        act = a.SignPermit(permit_id=permit_id, slot="compiler", content=content)
        assert site.refused("sue", act)[0] == "permit.step"

    def test_signatures_come_in_their_order(self, site: Works) -> None:
        permit_id = site.analysed(site.applied(site.booked()))
        content = site.permit(permit_id).life.content
        act = a.SignPermit(permit_id=permit_id, slot="approver", content=content)
        code, params = site.refused("eve", act)
        assert (code, params["due"]) == ("permit.slot_order", "compiler")

    def test_what_was_signed_stays_as_it_was(self, site: Works) -> None:
        permit_id = site.analysed(site.applied(site.booked()))
        content = site.permit(permit_id).life.content
        act = a.SignPermit(permit_id=permit_id, slot="compiler", content=content)
        site.ok("sue", act)
        other = a.DeclareFacts(permit_id=permit_id, facts={"fire_area": "other"})
        assert site.refused("sue", other)[0] == "permit.frozen"
        again = a.ApplyPermit(permit_id=permit_id, workers=("ann",), facts=CALM)
        assert site.refused("sue", again)[0] in ("permit.step", "permit.signed")
        assert site.permit(permit_id).life.content == content

    def test_a_signature_over_another_content_is_refused(self, site: Works) -> None:
        permit_id = site.analysed(site.applied(site.booked()))
        act = a.SignPermit(permit_id=permit_id, slot="compiler", content="0" * 64)
        assert site.refused("sue", act)[0] == "permit.content_changed"

    def test_no_start_without_the_gate(self, site: Works) -> None:
        permit_id = site.signed(site.analysed(site.applied(site.booked())))
        act = a.StartPermit(permit_id=permit_id)
        code, params = site.refused("sue", act, site.version(permit_id))
        assert code == "permit.rule"
        assert "C15" in str(params["bad"])
        assert site.permit(permit_id).status is S.BRIEFED

    def test_the_approver_must_be_on_the_spot(self, site: Works) -> None:
        permit_id = site.analysed(site.applied(site.booked()))
        site.place("eve", "hall")
        with pytest.raises(AssertionError, match="H3="):
            site.signed(permit_id)
        denied = site.events(e.PermitDenied)[-1]
        assert (denied.rules[0], denied.aq[0]) == ("rule.H3", "30")

    def test_two_acts_at_once_have_one_outcome(self, site: Works) -> None:
        permit_id = site.booked()
        version = site.version(permit_id)
        act = a.RejectPermit(permit_id=permit_id, reason="no crew")
        assert site.say("ivy", act, version).ok
        reply = site.say("sam", act, version)
        assert (reply.ok, reply.code) == (False, "permit.step")


class TestAtWork:
    def test_a_guardian_who_leaves_holds_at_once(self, site: Works) -> None:
        permit_id = site.started()
        site.place("gil", "hall")
        assert ("rule", "H2") in holds(site, permit_id)
        assert site.permit(permit_id).status is S.HELD

    def test_gas_clears_the_zone_without_any_automation(self, site: Works) -> None:
        permit_id = site.started()
        site.reading("lel", 45.0)
        site.live(2)
        assert site.permit(permit_id).status is S.HELD
        assert [body.zones for body in site.events(EvacuationStarted)] == [("tank",)]

    def test_a_hold_needs_its_reason_gone(self, site: Works) -> None:
        permit_id = site.started()
        said = a.DeclareFacts(permit_id=permit_id, facts={"plan_approved": True})
        site.ok("sue", said)
        site.ok("sue", a.DeclareFacts(permit_id=permit_id, facts={"ppe_ok": False}))
        assert ("rule", "C4") in holds(site, permit_id)
        act = ReleasePermit(permit_id=permit_id, reason="go on")
        assert site.refused("sam", act, site.version(permit_id))[0] == "permit.rule"
        site.ok("sue", a.DeclareFacts(permit_id=permit_id, facts={"ppe_ok": True}))
        site.released(permit_id)
        assert site.permit(permit_id).status is S.ACTIVE

    def test_a_hand_over_takes_two_scans(self, site: Works) -> None:
        permit_id = site.started()
        site.ok("eve", SetRoles(person_id="max", roles=("marshal", "guardian")))
        site.ok("gil", a.HandOverGuard(permit_id=permit_id, to_id="max"))
        assert site.permit(permit_id).guardian_id == "gil"
        assert (
            site.refused("gil", a.TakeOverGuard(permit_id=permit_id))[0]
            == "guardian.not_offered"
        )
        site.ok("max", a.TakeOverGuard(permit_id=permit_id))
        assert site.permit(permit_id).guardian_id == "max"

    def test_it_ends_with_its_validity(self, site: Works) -> None:
        permit_id = site.started(hours=0.5)
        site.live(31 * 60)
        assert site.permit(permit_id).status is S.EXPIRED

    def test_a_cancelled_permit_counts_on_until_all_are_out(self, site: Works) -> None:
        permit_id = site.started()
        site.ok("sue", CancelPermit(permit_id=permit_id, reason="rain"))
        permit = site.permit(permit_id)
        assert (permit.status, permit.ended) == (S.CANCELLED, False)
        code, _ = site.refused("sue", ClosePermit(permit_id=permit_id))
        assert code == "permit.people_inside"
        for person in permit.workers:
            site.places[person] = "yard"
        site.live(5)
        site.ok("sue", ClosePermit(permit_id=permit_id))
        assert site.permit(permit_id).outcome == "cancelled"

    def test_another_content_is_another_permit(self, site: Works) -> None:
        old = site.started()
        act = a.SupersedePermit(permit_id=old, reason="another flange", title="cut")
        new = str(site.ok("sue", act)["permit_id"])
        assert site.permit(old).status is S.SUPERSEDED
        assert (site.permit(new).status, site.permit(new).life.replaces) == (
            S.BOOKED,
            old,
        )

    def test_replay_tells_the_same(self, site: Works) -> None:
        permit_id = site.started()
        site.ok("sue", HoldPermit(permit_id=permit_id, reason="lunch"))
        live = msgspec.to_builtins(site.hub.state.permits)
        assert msgspec.to_builtins(site.replayed().permits) == live


def test_works_are_booked_a_day_ahead_or_as_an_emergency() -> None:
    site = Works()
    now = site.clock.wall_ns() // 1_000_000
    act = a.BookPermit(
        kind="hot-special",
        zone_id="tank",
        title="weld",
        unit="workshop",
        supervisor_id="sue",
        from_ms=now + HOUR_MS,
        to_ms=now + 2 * HOUR_MS,
    )
    assert site.refused("sue", act)[0] == "permit.book_ahead"
    site.ok("sue", msgspec.structs.replace(act, emergency=True))
