"""Permits after a stop, at their end, and under a clock that lies (design §5)."""

import pytest

from core.permits.acts import CancelPermit, ClosePermit
from core.permits.events import PermitExpired, PermitVerified
from core.permits.lifecycle import PermitStatus
from core.response.events import NoticeQueued
from tests.support.yard import Yard


@pytest.fixture
def yard() -> Yard:
    return Yard()


def codes(yard: Yard, permit_id: str) -> list[str]:
    return [held.hold.code for held in yard.permit(permit_id).holds.values()]


class TestAfterAStop:
    """Design §5 After a stop."""

    def test_a_clean_restart_verifies(self, yard: Yard) -> None:
        permit = yard.issued()
        yard.restart(clean=True)
        assert yard.permit(permit).status is PermitStatus.VERIFYING
        yard.live(2)
        assert yard.permit(permit).status is PermitStatus.ACTIVE
        assert yard.events(PermitVerified)

    def test_what_is_not_verified_in_a_minute_is_held(self, yard: Yard) -> None:
        permit = yard.issued()
        yard.restart(clean=True)
        yard.advance(59)
        assert yard.permit(permit).status is PermitStatus.VERIFYING
        yard.advance(2)
        assert codes(yard, permit) == ["unverified"]

    def test_what_is_false_meanwhile_is_held_at_once(self, yard: Yard) -> None:
        permit = yard.issued()
        yard.restart(clean=True)
        yard.gas["h2s"] = 30.0
        yard.pulse()
        assert codes(yard, permit) == ["alarm"]

    def test_nothing_is_verified_on_a_broken_disk(self, yard: Yard) -> None:
        permit = yard.issued()
        yard.restart(clean=True)
        yard.break_disk()
        yard.live(30)
        assert yard.permit(permit).status is PermitStatus.VERIFYING

    def test_an_unclean_stop_holds_every_permit(self, yard: Yard) -> None:
        permit = yard.issued()
        yard.restart(clean=False)
        assert codes(yard, permit) == ["restart_unverified"]

    def test_its_guardian_releases_it_by_one_act(self, yard: Yard) -> None:
        permit = yard.issued()
        yard.restart(clean=False)
        assert yard.release(permit, "gil").code == "permit.interlock"
        yard.pulse()
        assert yard.release(permit, "sue").code == "permit.not_authorised"
        assert yard.release(permit, "gil").ok

    def test_its_guardian_releases_no_other_hold(self, yard: Yard) -> None:
        permit = yard.issued()
        yard.restart(clean=False)
        yard.kernel.permits.hold(permit, "gas", source="rule:x")
        yard.live(1)
        yard.retest(permit)
        assert yard.release(permit, "gil").code == "permit.not_authorised"
        assert yard.release(permit, "sam").ok

    def test_a_second_unclean_stop_adds_nothing(self, yard: Yard) -> None:
        permit = yard.issued()
        yard.restart(clean=False)
        yard.restart(clean=False)
        assert codes(yard, permit) == ["restart_unverified"]

    @pytest.mark.parametrize("clean", [True, False])
    def test_a_hold_survives(self, yard: Yard, clean: bool) -> None:
        permit = yard.issued()
        yard.kernel.permits.hold(permit, "gas", source="rule:x")
        yard.restart(clean=clean, reboot="boot-2")
        yard.live(120)
        assert codes(yard, permit) == ["gas"]

    def test_after_a_reboot_a_new_test_counts(self, yard: Yard) -> None:
        permit = yard.issued()
        yard.live(30)
        yard.kernel.permits.hold(permit, "gas", source="rule:x")
        yard.restart(clean=False, reboot="boot-2")
        yard.live(3)
        yard.retest(permit)
        assert yard.release(permit).ok


class TestTheEnd:
    def test_validity_ends_by_itself(self, yard: Yard) -> None:
        permit = yard.issued(valid_h=0.01)
        yard.live(37)
        assert yard.permit(permit).status is PermitStatus.EXPIRED

    def test_it_runs_on_while_held(self, yard: Yard) -> None:
        permit = yard.issued(valid_h=0.01)
        yard.kernel.permits.hold(permit, "manual", source="person:x")
        yard.live(37)
        assert yard.permit(permit).status is PermitStatus.EXPIRED

    def test_an_expired_permit_still_orders_people_out(self, yard: Yard) -> None:
        permit = yard.issued(valid_h=0.01)
        yard.live(37)
        assert yard.kernel.permits.hold_zone("tank", "gas", source="rule:x") == [permit]
        assert yard.permit(permit).status is PermitStatus.EXPIRED
        told = [n.code for n in yard.events(NoticeQueued) if n.person_id == "ann"]
        assert told == ["notice.permit_expired", "order.leave.confined"]
        assert yard.act("sue", ClosePermit(permit_id=permit)).code == (
            "permit.people_inside"
        )

    def test_after_a_reboot_without_a_clock_it_ends_at_once(self, yard: Yard) -> None:
        permit = yard.issued()
        yard.clock.trusted = False
        yard.restart(clean=True, reboot="boot-2")
        assert yard.permit(permit).status is PermitStatus.EXPIRED
        (expired,) = yard.events(PermitExpired)
        assert expired.why == "late_unknown"

    def test_after_a_reboot_with_a_clock_it_goes_on(self, yard: Yard) -> None:
        permit = yard.issued()
        yard.restart(clean=True, reboot="boot-2")
        yard.live(2)
        assert yard.permit(permit).status is PermitStatus.ACTIVE

    def test_it_is_closed_when_everybody_is_out(self, yard: Yard) -> None:
        permit = yard.issued()
        for worker in ("ann", "bob"):
            yard.place(worker, "yard")
        assert yard.act("sue", ClosePermit(permit_id=permit)).ok
        assert yard.permit(permit).outcome == "completed"

    def test_it_is_cancelled_when_everybody_is_out(self, yard: Yard) -> None:
        permit = yard.issued()
        for worker in ("ann", "bob"):
            yard.place(worker, "yard")
        assert yard.act("sue", CancelPermit(permit_id=permit, reason="rain")).ok
        assert yard.permit(permit).outcome == "cancelled"


class TestClock:
    """While wall time is untrusted, validity is UNKNOWN (design §5 Time)."""

    def test_nothing_permissive_is_given(self, yard: Yard) -> None:
        yard.clock.trusted = False
        reply = yard.issue()
        assert reply.code == "permit.interlock"
        assert "valid=unknown(clock_untrusted)" in str(reply.params["bad"])

    def test_a_running_permit_is_held_after_its_reaction_time(self, yard: Yard) -> None:
        permit = yard.issued()
        yard.clock.trusted = False
        yard.live(29)
        assert yard.permit(permit).status is PermitStatus.ACTIVE
        yard.live(3)
        assert codes(yard, permit) == ["valid"]

    @pytest.mark.parametrize("step_s", [3600.0, -3600.0])
    def test_a_wall_step_within_a_boot_changes_no_validity(
        self, yard: Yard, step_s: float
    ) -> None:
        permit = yard.issued(valid_h=0.02)
        yard.clock.step_wall(step_s)
        yard.live(60)
        assert yard.permit(permit).status is PermitStatus.ACTIVE
        yard.live(15)
        assert yard.permit(permit).status is PermitStatus.EXPIRED
