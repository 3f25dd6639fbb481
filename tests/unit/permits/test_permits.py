"""Permits: issued, held, re-tested, released, expired, closed (design §5 Permits)."""

import pytest

from core.api.quality import Quality
from core.journal.envelope import Effect
from core.logic.truth import Truth
from core.permits.acts import CheckPermit, ClosePermit, HoldPermit
from core.permits.events import (
    PermitHeld,
    PermitIssued,
    PermitReleased,
    PermitRetested,
)
from core.permits.lifecycle import PermitStatus
from core.response.events import NoticeQueued
from tests.support.yard import HOST, Yard


@pytest.fixture
def yard() -> Yard:
    return Yard()


def codes(yard: Yard, permit_id: str) -> list[str]:
    return [held.hold.code for held in yard.permit(permit_id).holds.values()]


class TestIssue:
    def test_the_meters_own_words_are_kept_as_evidence(self, yard: Yard) -> None:
        permit = yard.permit(yard.issued())
        assert permit.status is PermitStatus.ACTIVE
        assert {t.quantity: t.value for t in permit.tests} == {"h2s": 0.0, "o2": 20.9}
        assert all(t.passed and not t.typed and t.entity_id for t in permit.tests)

    def test_every_interlock_is_told(self, yard: Yard) -> None:
        found = yard.kernel.permits.interlocks(yard.issued())
        assert {name for name, truth in found.items() if truth is Truth.TRUE} == {
            "valid",
            "alarm",
            "evacuation",
            "monitored",
            "people",
            "linked",
            "journal",
            "guardian",
            "gas.h2s",
            "gas.o2",
        }

    def test_an_unknown_permit_has_none(self, yard: Yard) -> None:
        assert yard.kernel.permits.interlocks("nothing") == {}


class TestHold:
    def test_a_gas_alarm_holds_at_once_without_any_rule(self, yard: Yard) -> None:
        permit = yard.issued()
        yard.reading("h2s", 12.0)
        assert yard.permit(permit).status is PermitStatus.HELD
        assert codes(yard, permit) == ["alarm"]

    def test_gas_beyond_acceptance_holds_below_the_alarm_limit(
        self, yard: Yard
    ) -> None:
        permit = yard.issued()
        yard.reading("h2s", 7.0)
        yard.live(1)
        assert codes(yard, permit) == ["gas"]

    def test_a_guardian_who_leaves_holds_at_once(self, yard: Yard) -> None:
        permit = yard.issued()
        yard.place("gil", "500,500,0")
        assert codes(yard, permit) == ["guardian"]

    def test_an_unknown_interlock_holds_after_its_reaction_time(
        self, yard: Yard
    ) -> None:
        permit = yard.issued()
        yard.dead.add("meter-tank")
        yard.live(10 + 29)
        assert yard.permit(permit).status is PermitStatus.ACTIVE
        yard.live(3)
        assert yard.permit(permit).status is PermitStatus.HELD

    def test_meanwhile_nothing_permissive_is_given(self, yard: Yard) -> None:
        yard.issued()
        yard.dead.add("meter-tank")
        yard.live(15)
        assert yard.issue(title="more").code == "permit.interlock"

    def test_a_meter_that_comes_back_in_time_holds_nothing(self, yard: Yard) -> None:
        permit = yard.issued()
        for _ in range(3):
            yard.dead.add("meter-tank")
            yard.live(25)
            yard.dead.discard("meter-tank")
            yard.live(5)
        assert yard.permit(permit).status is PermitStatus.ACTIVE

    def test_nothing_but_a_release_ends_a_hold(self, yard: Yard) -> None:
        permit = yard.issued()
        yard.reading("h2s", 12.0)
        yard.reading("h2s", 0.0)
        yard.live(300)
        assert yard.permit(permit).status is PermitStatus.HELD

    def test_a_repeat_lays_no_second_hold(self, yard: Yard) -> None:
        permits = yard.kernel.permits
        permit = yard.issued()
        first = permits.hold(permit, "gas", source="alarm:1")
        assert permits.hold(permit, "gas", source="alarm:1") == first
        yard.retest(permit)
        again = permits.hold(permit, "gas", source="alarm:1")
        assert again not in (None, first)

    def test_there_is_nothing_to_hold_in_the_unknown_and_the_closed(
        self, yard: Yard
    ) -> None:
        permits = yard.kernel.permits
        assert permits.hold("nothing", "gas", source="alarm:1") is None
        permit = yard.issued()
        yard.place("ann", "yard")
        yard.place("bob", "yard")
        yard.act("sue", ClosePermit(permit_id=permit))
        assert permits.hold(permit, "gas", source="alarm:1") is None

    def test_a_zone_is_held_with_what_is_linked_to_it(self, yard: Yard) -> None:
        tank = yard.issued()
        lift = yard.issued(kind="lifting", zone_id="hall", linked=(tank,))
        other = yard.issued(kind="lifting", zone_id="hall")
        held = yard.kernel.permits.hold_zone("tank", "gas", source="rule:x")
        assert held == [tank, lift]
        assert codes(yard, lift) == ["linked"]
        assert yard.permit(other).status is PermitStatus.ACTIVE

    def test_a_zone_alone_is_held_when_asked(self, yard: Yard) -> None:
        tank = yard.issued()
        lift = yard.issued(kind="lifting", zone_id="hall", linked=(tank,))
        held = yard.kernel.permits.hold_zone(
            "tank", "gas", source="rule:x", linked=False
        )
        assert held == [tank]
        # Its own interlock still sees that a permit it stands on is held.
        assert codes(yard, lift) == ["linked"]

    def test_what_a_permit_stands_on_is_held_with_it(self, yard: Yard) -> None:
        tank = yard.issued()
        lift = yard.issued(kind="lifting", zone_id="hall", linked=(tank,))
        yard.kernel.permits.hold(lift, "manual", source="person:x")
        assert codes(yard, tank) == ["linked"]

    def test_the_safe_state_goes_to_those_at_work(self, yard: Yard) -> None:
        yard.issued()
        lift = yard.issued(kind="lifting", zone_id="hall", guardian_id="")
        yard.kernel.permits.hold(lift, "manual", source="person:x")
        yard.reading("h2s", 12.0)
        told = [(n.person_id, n.code) for n in yard.events(NoticeQueued)]
        assert ("ann", "order.land_load") in told
        assert ("ann", "order.leave.confined") in told
        assert ("gil", "order.leave.confined") in told

    def test_a_protective_event_of_a_newer_release_holds(self, yard: Yard) -> None:
        permit = yard.issued()
        yard.hub.state.unknown_protective["zone.flooded"] = "tank"
        yard.live(1)
        assert codes(yard, permit) == ["journal"]


class TestRelease:
    def held(self, yard: Yard) -> str:
        permit = yard.issued()
        yard.reading("h2s", 12.0)
        yard.reading("h2s", 0.0)
        yard.live(2)
        return permit

    def test_by_an_authorised_person_after_a_retest(self, yard: Yard) -> None:
        permit = self.held(yard)
        assert yard.retest(permit).result["failed"] == ""
        assert yard.release(permit).ok
        assert yard.permit(permit).status is PermitStatus.ACTIVE

    def test_its_evidence_is_named(self, yard: Yard) -> None:
        permit = self.held(yard)
        yard.retest(permit)
        yard.release(permit)
        (envelope,) = [e for e in yard.envelopes() if e.type == "permit.released"]
        assert envelope.effect is Effect.PERMISSIVE
        assert envelope.cause.actor == "person:ivy"
        assert yard.entity(HOST, "meter-tank", "h2s") in envelope.cause.evidence

    def test_a_test_from_before_the_hold_proves_nothing(self, yard: Yard) -> None:
        permit = yard.issued()
        yard.retest(permit)
        yard.kernel.permits.hold(permit, "gas", source="rule:x")
        assert yard.release(permit).code == "permit.retest_missing"

    def test_a_reading_from_before_the_hold_is_no_test(self, yard: Yard) -> None:
        permit = yard.issued()
        yard.advance(1)
        yard.kernel.permits.hold(permit, "gas", source="rule:x")
        assert yard.retest(permit).result["failed"] == "h2s, o2"
        yard.live(1)
        assert yard.retest(permit).result["failed"] == ""
        assert yard.release(permit).ok

    @pytest.mark.parametrize("value", [7.0, 30.0])
    def test_gas_during_a_hold_owes_its_own_test(
        self, yard: Yard, value: float
    ) -> None:
        """§5 Permits: what came after the test is not what was tested."""
        permit = yard.issued()
        yard.act("gil", HoldPermit(permit_id=permit, reason="lunch"))
        yard.live(1)
        yard.retest(permit)
        yard.reading("h2s", value)
        yard.live(12)
        yard.reading("h2s", 0.0)
        yard.live(12)
        assert yard.release(permit).code == "permit.retest_missing"
        yard.retest(permit)
        assert yard.release(permit).ok

    @pytest.mark.parametrize("quality", [q for q in Quality if q is not Quality.GOOD])
    def test_what_is_not_good_is_no_evidence(
        self, yard: Yard, quality: Quality
    ) -> None:
        permit = self.held(yard)
        yard.reading("h2s", 0.0, quality)
        assert "h2s" in str(yard.retest(permit).result["failed"])
        assert not yard.release(permit).ok

    def test_a_failed_test_after_a_passed_one_counts(self, yard: Yard) -> None:
        permit = self.held(yard)
        yard.retest(permit)
        yard.reading("h2s", 7.0)
        yard.retest(permit)
        yard.reading("h2s", 0.0)
        yard.live(1)
        assert yard.release(permit).code == "permit.retest_missing"

    def test_a_permit_goes_before_those_that_stand_on_it(self, yard: Yard) -> None:
        tank = yard.issued()
        lift = yard.issued(kind="lifting", zone_id="hall", linked=(tank,))
        yard.kernel.permits.hold(lift, "manual", source="person:x")
        yard.live(1)
        yard.retest(tank)
        assert yard.release(lift).code == "permit.interlock"
        assert yard.release(tank).ok
        assert yard.release(lift).ok


class TestDisk:
    """A permissive act that never becomes durable is taken back."""

    def test_an_issue_is_held_again(self, yard: Yard) -> None:
        yard.journal.held = True
        yard.ask("ivy", yard.form())
        (issued,) = yard.events(PermitIssued)
        yard.journal.held = False
        yard.break_disk()
        assert codes(yard, issued.permit_id) == ["not_durable"]

    def test_a_release_is_held_again(self, yard: Yard) -> None:
        permit = yard.issued()
        yard.kernel.permits.hold(permit, "manual", source="person:x")
        yard.live(1)
        yard.retest(permit)
        yard.journal.held = True
        yard.hub.emit(
            PermitReleased(
                permit_id=permit,
                hold_ids=tuple(yard.permit(permit).holds),
                person_id="ivy",
                reason="ok",
            )
        )
        yard.journal.held = False
        yard.break_disk()
        assert codes(yard, permit) == ["not_durable"]
        yard.mend_disk()
        assert yard.replayed().permits == yard.hub.state.permits


def test_a_check_says_what_is_missing(yard: Yard) -> None:
    permit = yard.issued()
    assert yard.act("ann", CheckPermit(permit_id=permit)).result["bad"] == ""
    yard.reading("h2s", 12.0)
    bad = str(yard.act("ann", CheckPermit(permit_id=permit)).result["bad"])
    assert "alarm=false(gas.toxic)" in bad
    assert "gas.h2s=false(not_acceptable)" in bad


def test_anyone_at_work_may_stop_it(yard: Yard) -> None:
    permit = yard.issued()
    reply = yard.act("ann", HoldPermit(permit_id=permit, reason="smell"))
    assert reply.ok
    (held,) = yard.events(PermitHeld)
    assert held.hold.params == {"reason": "smell"}
    assert held.hold.id == reply.result["hold_id"]


def test_a_meter_with_nothing_to_say_is_recorded_as_such(yard: Yard) -> None:
    permit = yard.issued()
    yard.reading("h2s", 0.0, Quality.NOT_PRESENT)
    yard.retest(permit)
    (retested,) = yard.events(PermitRetested)
    (h2s,) = [t for t in retested.tests if t.quantity == "h2s"]
    assert not h2s.passed
