"""Every refusal of the permit desk has its own code and facts (design §5)."""

from collections.abc import Callable

import pytest

from core.permits.acts import (
    CancelPermit,
    CheckPermit,
    ClosePermit,
    HoldPermit,
    ReleasePermit,
    RetestPermit,
    TypedTest,
)
from core.response.acts import ClearEvacuation
from core.texts import catalogue
from tests.support.yard import Yard


@pytest.fixture
def yard() -> Yard:
    return Yard()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"kind": "diving"}, "permit.kind_unknown"),
        ({"zone_id": "moon"}, "site.zone_unknown"),
        ({"workers": ()}, "permit.no_workers"),
        ({"workers": ("ann", "eve")}, "permit.person_unknown"),
        ({"supervisor_id": "eve"}, "permit.person_unknown"),
        ({"guardian_id": ""}, "permit.person_unknown"),
        ({"guardian_id": "ann"}, "permit.guardian_works"),
        ({"linked": ("nothing",)}, "permit.unknown"),
        ({"valid_h": 9.0}, "permit.validity"),
        ({"valid_h": 0.0}, "permit.validity"),
        ({"valid_h": float("nan")}, "permit.validity"),
    ],
)
def test_a_form_that_is_not_whole(
    yard: Yard, changes: dict[str, object], code: str
) -> None:
    assert yard.issue(**changes).code == code


def test_a_kind_names_its_issuers(yard: Yard) -> None:
    kinds = tuple(
        type(kind)(
            **{f: getattr(kind, f) for f in kind.__struct_fields__}
            | {"issuer_roles": ("safety_officer",)}
        )
        for kind in yard.bundle.permit_kinds
    )
    fields = {f: getattr(yard.bundle, f) for f in yard.bundle.__struct_fields__}
    yard.hub.load(type(yard.bundle)(**fields | {"permit_kinds": kinds}))
    assert yard.issue().code == "act.role"


def _gas(yard: Yard) -> None:
    yard.reading("h2s", 7.0)


def _alarm(yard: Yard) -> None:
    yard.signal("tag-ann", "sos")


def _evacuation(yard: Yard) -> None:
    yard.kernel.evacuations.start(["tank"], "evacuation.by_person")


def _silence(yard: Yard) -> None:
    yard.dead.add("meter-tank")
    yard.live(12)


def _guardian_away(yard: Yard) -> None:
    yard.place("gil", "500,500,0")


def _guardian_lost(yard: Yard) -> None:
    yard.live(16)
    yard.dead.add("gil")
    yard.live(12)


def _guardian_busy(yard: Yard) -> None:
    yard.issued(kind="lifting", zone_id="hall", workers=("gil",), guardian_id="")


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (_gas, "gas.h2s=false(not_acceptable)"),
        (_alarm, "alarm=false(sos)"),
        (_evacuation, "evacuation=false(running)"),
        (_silence, "gas.o2=unknown(stale)"),
        (_silence, "monitored=unknown(unmonitored)"),
        (_guardian_away, "guardian=false(away)"),
        (_guardian_lost, "guardian=unknown(not_located)"),
        (_guardian_busy, "guardian=false(works)"),
    ],
)
def test_an_interlock_that_is_not_true_is_named_with_its_reason(
    yard: Yard, spoil: Callable[[Yard], None], found: str
) -> None:
    spoil(yard)
    reply = yard.issue()
    assert reply.code == "permit.interlock"
    assert found in str(reply.params["bad"])


def test_a_zone_without_meters_has_no_evidence(yard: Yard) -> None:
    reply = yard.issue(zone_id="hall")
    assert "gas.h2s=unknown(no_meter)" in str(reply.params["bad"])


def test_what_a_permit_stands_on_must_be_in_force(yard: Yard) -> None:
    lift = yard.issued(kind="lifting", zone_id="hall")
    yard.kernel.permits.hold(lift, "manual", source="person:x")
    reply = yard.issue(linked=(lift,))
    assert f"linked=false(held {lift})" in str(reply.params["bad"])


class TestRelease:
    @pytest.fixture
    def permit(self, yard: Yard) -> str:
        permit = yard.issued()
        yard.kernel.permits.hold(permit, "gas", source="rule:x")
        yard.live(1)
        return permit

    def test_not_held(self, yard: Yard) -> None:
        assert yard.release(yard.issued()).code == "permit.not_held"

    def test_no_reason(self, yard: Yard, permit: str) -> None:
        act = ReleasePermit(permit_id=permit, reason=" ")
        reply = yard.act("ivy", act, yard.permit(permit).version)
        assert reply.code == "permit.reason"

    def test_no_authority(self, yard: Yard, permit: str) -> None:
        yard.retest(permit)
        assert yard.release(permit, "gil").code == "permit.not_authorised"
        assert yard.release(permit, "ann").code == "act.role"

    def test_no_retest(self, yard: Yard, permit: str) -> None:
        reply = yard.release(permit)
        assert (reply.code, reply.params) == (
            "permit.retest_missing",
            {"gases": "h2s, o2"},
        )

    def test_gas_alarm(self, yard: Yard, permit: str) -> None:
        yard.retest(permit)
        yard.reading("lel", 50.0)
        reply = yard.release(permit)
        assert (reply.code, reply.params["kind"]) == (
            "permit.cause_active",
            "gas.combustible",
        )

    def test_the_holds_own_alarm_elsewhere(self, yard: Yard) -> None:
        permit = yard.issued()
        alarm = yard.kernel.alarms.raise_(
            "zone:hall", "fire", kind="fault.device", priority=2, zone_id="hall"
        )
        yard.kernel.permits.hold(permit, "gas", source=f"alarm:{alarm}")
        yard.live(1)
        yard.retest(permit)
        assert yard.release(permit).code == "permit.cause_active"
        yard.kernel.alarms.clear("zone:hall", "fire")
        assert yard.release(permit).ok

    def test_evacuation(self, yard: Yard, permit: str) -> None:
        yard.retest(permit)
        _evacuation(yard)
        assert yard.release(permit).code == "permit.evacuation_running"

    def test_an_evacuation_elsewhere_that_caused_it(self, yard: Yard) -> None:
        permit = yard.issued()
        running = yard.kernel.evacuations.start(["hall"], "evacuation.by_person")
        yard.kernel.permits.hold(permit, "evacuation", source=f"evacuation:{running}")
        yard.live(1)
        yard.retest(permit)
        assert yard.release(permit).code == "permit.evacuation_running"
        assert yard.act("sam", ClearEvacuation(evacuation_id=running)).ok
        assert yard.release(permit).ok

    def test_an_interlock(self, yard: Yard, permit: str) -> None:
        yard.retest(permit)
        yard.place("gil", "500,500,0")
        assert yard.release(permit).code == "permit.interlock"

    def test_a_broken_disk(self, yard: Yard, permit: str) -> None:
        yard.retest(permit)
        yard.break_disk()
        assert yard.release(permit).code == "journal.not_durable"


class TestTyped:
    """Typed values are a marked fallback, and no release where a meter is."""

    def typed(self, yard: Yard, permit: str, **changes: object) -> str:
        fields: dict[str, object] = {"quantity": "h2s", "value": 0.0, "unit": "ppm"}
        test = TypedTest(**(fields | changes))  # type: ignore[arg-type]
        return yard.act("gil", RetestPermit(permit_id=permit, typed=(test,))).code

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"quantity": "xx"}, "permit.gas_unknown"),
            ({"unit": "%"}, "permit.gas_unit"),
            ({"unit": ""}, "permit.gas_unit"),
            ({"value": -1.0}, "permit.gas_value"),
            ({"value": float("nan")}, "permit.gas_value"),
            ({"value": float("inf")}, "permit.gas_value"),
        ],
    )
    def test_nonsense(self, yard: Yard, changes: dict[str, object], code: str) -> None:
        assert self.typed(yard, yard.issued(), **changes) == code

    def test_it_stands_for_no_meter(self, yard: Yard) -> None:
        permit = yard.issued()
        yard.kernel.permits.hold(permit, "gas", source="rule:x")
        assert self.typed(yard, permit) == ""
        yard.live(1)
        assert yard.release(permit).code == "permit.retest_missing"

    def test_without_a_meter_it_is_accepted_and_marked(self, yard: Yard) -> None:
        lift = yard.issued(kind="lifting", zone_id="hall")
        yard.kernel.permits.hold(lift, "gas", source="rule:x", retest=("h2s",))
        assert yard.release(lift).code == "permit.retest_missing"
        assert self.typed(yard, lift, value=7.0) == ""
        assert yard.release(lift).code == "permit.retest_missing"
        assert self.typed(yard, lift) == ""
        (held,) = yard.permit(lift).holds.values()
        assert held.tests[-1].typed
        assert yard.release(lift).ok

    def test_a_place_without_meter_says_so(self, yard: Yard) -> None:
        lift = yard.issued(kind="lifting", zone_id="hall")
        reply = yard.act("gil", RetestPermit(permit_id=lift))
        assert reply.code == "permit.no_meter"


class TestTheEnd:
    def test_people_inside(self, yard: Yard) -> None:
        permit = yard.issued()
        reply = yard.act("sue", ClosePermit(permit_id=permit))
        assert (reply.code, reply.params) == (
            "permit.people_inside",
            {"people": "ann, bob"},
        )

    def test_people_unknown(self, yard: Yard) -> None:
        permit = yard.issued()
        yard.live(16)
        yard.place("ann", "yard")
        yard.dead.add("bob")
        yard.live(12)
        reply = yard.act("sue", CancelPermit(permit_id=permit, reason="rain"))
        assert (reply.code, reply.params) == (
            "permit.people_unknown",
            {"people": "bob"},
        )

    def test_a_reason_is_wanted(self, yard: Yard) -> None:
        reply = yard.act("sue", CancelPermit(permit_id=yard.issued(), reason=""))
        assert reply.code == "permit.reason"

    def test_closed_is_closed(self, yard: Yard) -> None:
        permit = yard.issued()
        for worker in ("ann", "bob"):
            yard.place(worker, "yard")
        assert yard.act("sue", ClosePermit(permit_id=permit)).ok
        assert yard.act("sue", ClosePermit(permit_id=permit)).code == "permit.closed"
        act = HoldPermit(permit_id=permit, reason="x")
        assert yard.act("sue", act).code == "permit.closed"


def test_an_unknown_permit(yard: Yard) -> None:
    assert yard.act("sue", CheckPermit(permit_id="x")).code == "permit.unknown"


def test_every_refusal_and_order_has_its_sentences() -> None:
    texts = catalogue()
    for code in ("permit.interlock", "hold.gas", "order.leave.confined"):
        assert set(texts[code]) == {"zh", "en"}
    assert texts["order.leave.confined"]["zh"].startswith("严禁盲目施救")
    assert texts["order.leave.confined"]["en"].startswith(
        "No rescue without breathing apparatus"
    )
