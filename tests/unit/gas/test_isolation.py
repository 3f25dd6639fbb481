"""The isolation register: nothing is called isolated that is not, and nothing opens
while somebody relies on it (GB 30871 4.2b, 4.5c, 6.1, 7.10, 7.11; H11)."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.people.acts import Act
from core.permits.isolation_acts import (
    ApplyLock,
    DefinePoint,
    FindEnergy,
    PlanIsolation,
    PlanLine,
    RemoveLock,
    TryZeroEnergy,
    VerifyLock,
)
from core.permits.isolation_events import LockRestored, LockUnverified, ZeroWithdrawn
from core.permits.lifecycle import PermitStatus
from tests.support.measured import Measured

NAMES = (
    "isolation_in_force",
    "zero_energy_tested",
    "isolation_points_open",
    "lock_register_complete",
    "keys_in_box",
)


def defined(bench: Measured, point: str, kind: str = "valve", **fields: Any) -> None:
    """Put a point into the register."""
    act = DefinePoint(point_id=point, kind=kind, equipment="R-1", **fields)  # type: ignore[arg-type]
    bench.ok("sue", act)


def planned(bench: Measured, permit: str, *points: str, action: str = "") -> None:
    """Name what a permit needs."""
    lines = tuple(PlanLine(point_id=p, action=action) for p in points)  # type: ignore[arg-type]
    bench.ok("sue", PlanIsolation(permit_id=permit, lines=lines))


def lock(permit: str, point: str, number: str, **fields: Any) -> ApplyLock:
    """Return the act of putting a lock on."""
    given_ = {"key_holder": "sue"} | fields
    return ApplyLock(permit_id=permit, point_id=point, lock_no=number, **given_)


def off(permit: str, point: str, number: str, **fields: Any) -> RemoveLock:
    """Return the act of taking a lock off."""
    given_ = {"key_in_box": True} | fields
    return RemoveLock(permit_id=permit, point_id=point, lock_no=number, **given_)


def check(permit: str, point: str, number: str) -> VerifyLock:
    """Return the second person's act."""
    return VerifyLock(permit_id=permit, point_id=point, lock_no=number)


def isolated(kind: str = "confined") -> tuple[Measured, str]:
    """Return a permit with two points locked, checked and tried."""
    bench = Measured()
    permit = bench.made(kind)
    defined(bench, "V1")
    defined(bench, "B1", "breaker")
    planned(bench, permit, "V1", "B1")
    for point, number in (("V1", "L1"), ("B1", "L2")):
        bench.ok("sue", lock(permit, point, number))
        bench.ok("ivy", check(permit, point, number))
    tried = TryZeroEnergy(permit_id=permit, points=("V1", "B1"), method="start button")
    bench.ok("sue", tried)
    return bench, permit


def test_each_step_is_told_and_nothing_before_it() -> None:
    """C8, C8b, Y1, Y2: locked, checked by a second person, tried."""
    bench = Measured()
    permit = bench.made()
    assert not set(NAMES) & bench.facts(permit).keys()
    defined(bench, "V1")
    defined(bench, "B1", "breaker")
    planned(bench, permit, "V1", "B1")
    facts = bench.facts(permit)
    assert facts["lock_register_complete"] is facts["isolation_in_force"] is False
    assert facts["upstream_locked"] is False
    bench.ok("sue", lock(permit, "V1", "L1"))
    bench.ok("sue", lock(permit, "B1", "L2"))
    facts = bench.facts(permit)
    assert facts["lock_register_complete"] is True
    assert facts["isolation_in_force"] is False
    assert facts["isolation_points_open"] == 2
    assert bench.no("sue", check(permit, "V1", "L1")) == "isolation.same_person"
    tried = TryZeroEnergy(permit_id=permit, points=("V1", "B1"), method="gauge")
    assert bench.no("sue", tried) == "isolation.not_locked"
    bench.ok("ivy", check(permit, "V1", "L1"))
    bench.ok("ivy", check(permit, "B1", "L2"))
    facts = bench.facts(permit)
    assert facts["isolation_in_force"] is facts["upstream_locked"] is True
    assert facts["zero_energy_tested"] is False
    bench.ok("sue", tried)
    assert bench.facts(permit)["zero_energy_tested"] is True


def test_energy_found_ends_the_isolation_at_once() -> None:
    """4.2b: whatever was checked, and with a dead disk too."""
    bench, permit = isolated()
    bench.break_disk()
    bench.ok("gil", FindEnergy(permit_id=permit, points=("V1",)))
    facts = bench.facts(permit)
    assert facts["isolation_in_force"] is facts["zero_energy_tested"] is False
    bench.mend_disk()
    assert bench.no("ivy", check(permit, "V1", "L1")) == "isolation.energy"
    bench.ok("sue", lock(permit, "V1", "L3"))
    bench.ok("ivy", check(permit, "V1", "L3"))
    facts = bench.facts(permit)
    assert facts["isolation_in_force"] is True
    assert facts["zero_energy_tested"] is False


def test_a_point_opens_only_after_the_work() -> None:
    """4.5c: no personal lock left, the work over, every linked permit ended."""
    bench, permit = isolated()
    linked = bench.made("hot-special", linked=(permit,))
    bench.ok("ann", lock(permit, "V1", "A1", key_holder="ann", personal=True))
    bench.put(permit, PermitStatus.ACTIVE)
    assert bench.no("sue", off(permit, "V1", "L1")) == "isolation.locks_left"
    assert bench.no("bob", off(permit, "V1", "A1")) == "isolation.not_yours"
    bench.ok("ann", off(permit, "V1", "A1"))
    assert bench.no("sue", off(permit, "V1", "L1")) == "isolation.work_running"
    bench.put(permit, PermitStatus.COMPLETED)
    assert bench.no("sue", off(permit, "V1", "L1")) == "isolation.permits_running"
    bench.put(linked, PermitStatus.CLOSED)
    assert bench.no("bob", off(permit, "V1", "L1")) == "isolation.not_yours"
    bench.ok("sue", off(permit, "V1", "L1"))
    facts = bench.facts(permit)
    assert facts["isolation_points_open"] == 1
    assert facts["isolation_in_force"] is False
    bench.ok("sue", off(permit, "B1", "L2"))
    facts = bench.facts(permit)
    assert (facts["isolation_points_open"], facts["keys_in_box"]) == (0, True)


def test_a_point_that_another_permit_plans_keeps_its_last_lock() -> None:
    """4.5c: the last lock waits for everybody who needs the point."""
    bench, permit = isolated()
    other = bench.made("temp-power")
    planned(bench, other, "B1")
    assert bench.facts(other)["isolation_in_force"] is True
    bench.put(permit, PermitStatus.COMPLETED)
    assert bench.no("sue", off(permit, "B1", "L2")) == "isolation.permits_running"
    bench.ok("sue", lock(other, "B1", "L9"))
    bench.ok("sue", off(permit, "B1", "L2"))
    assert bench.facts(other)["isolation_in_force"] is False
    bench.put(other, PermitStatus.COMPLETED)
    assert bench.no("sue", off(other, "B1", "L9")) == "isolation.permits_running"
    bench.put(permit, PermitStatus.CLOSED)
    bench.ok("sue", off(other, "B1", "L9"))


def test_a_group_box_holds_the_key_while_a_lock_is_on_it() -> None:
    """Y3: each person's own lock on the box counts for every point in it."""
    bench = Measured()
    permit = bench.made()
    defined(bench, "V1")
    defined(bench, "box-1", "box")
    planned(bench, permit, "V1")
    assert bench.no("sue", lock(permit, "V1", "L1", box="box-2")) == "isolation.box"
    bench.ok("sue", lock(permit, "V1", "L1", box="box-1"))
    assert bench.facts(permit)["keys_in_box"] is True
    bench.ok("ann", lock(permit, "box-1", "A1", key_holder="ann", personal=True))
    assert bench.facts(permit)["keys_in_box"] is False
    bench.put(permit, PermitStatus.COMPLETED)
    assert bench.no("sue", off(permit, "V1", "L1")) == "isolation.locks_left"
    bench.ok("ann", off(permit, "box-1", "A1", key_in_box=False))
    bench.ok("sue", off(permit, "V1", "L1"))
    assert bench.facts(permit)["keys_in_box"] is False


def test_a_lock_of_one_who_left_is_taken_off_with_a_reason() -> None:
    """Only by an officer, and only of one who is known to be off the site."""
    bench, permit = isolated()
    bench.ok("ann", lock(permit, "V1", "A1", key_holder="ann", personal=True))
    act = off(permit, "V1", "A1", reason="went home ill")
    assert bench.no("sam", act) == "isolation.not_yours"
    assert bench.move("sam", "ann", "").ok
    assert bench.no("sue", act) == "isolation.not_yours"
    assert bench.no("sam", off(permit, "V1", "A1")) == "isolation.not_yours"
    bench.ok("sam", act)


def test_a_plan_grows_and_never_shrinks_once_approved() -> None:
    """4.18: what was approved stays."""
    bench, permit = isolated()
    defined(bench, "V2")
    bench.put(permit, PermitStatus.APPROVED)
    fewer = PlanIsolation(permit_id=permit, lines=(PlanLine(point_id="V1"),))
    assert bench.no("sue", fewer) == "isolation.plan_shrinks"
    planned(bench, permit, "V1", "B1", "V2")
    assert bench.facts(permit)["isolation_in_force"] is False
    bench.put(permit, PermitStatus.APPLIED)
    assert bench.no("sue", fewer) == "isolation.plan_shrinks"
    planned(bench, permit, "V1", "B1")


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lock("P", "V1", "L1"), "permit.unknown"),
        (lock("p", "V9", "L9"), "isolation.point_unknown"),
        (lock("p", "V2", "L9"), "isolation.not_planned"),
        (lock("p", "V1", "L2"), "isolation.already_locked"),
        (lock("p", "V1", "L9", key_holder="zoe"), "act.person_unknown"),
        (lock("p", "V1", "L9", personal=True, key_holder="bob"), "isolation.not_yours"),
        (check("p", "V1", "L2"), "isolation.lock_unknown"),
        (off("p", "V1", "L2"), "isolation.lock_unknown"),
        (
            DefinePoint(point_id="V1", kind="valve", equipment="other"),
            "isolation.in_use",
        ),
        (
            DefinePoint(point_id="V3", kind="valve", equipment="x", zone_id="moon"),
            "site.zone_unknown",
        ),
    ],
)
def test_a_wrong_act_is_refused_precisely(act: Act, code: str) -> None:
    """Errors name what is wrong."""
    bench = Measured()
    bench.made(permit_id="p")
    defined(bench, "V1")
    defined(bench, "V2")
    defined(bench, "B1", "breaker")
    planned(bench, "p", "V1", "B1")
    bench.ok("sue", lock("p", "V1", "L1"))
    bench.ok("sue", lock("p", "B1", "L2"))
    assert bench.no("sue", act) == code


def test_what_the_disk_lost_is_taken_back() -> None:
    """Design §2: a check, a test and a removal that never became durable."""
    bench, permit = isolated()
    bench.put(permit, PermitStatus.COMPLETED)
    bench.journal.held = True
    bench.ask("sue", off(permit, "V1", "L1"))
    bench.settle()
    assert bench.facts(permit)["isolation_points_open"] == 1
    bench.break_disk()
    assert len(bench.events(LockRestored)) == 1
    facts = bench.facts(permit)
    assert facts["isolation_points_open"] == 2 and facts["isolation_in_force"] is True
    bench.journal.held = False
    bench.mend_disk()
    bench.journal.held = True
    bench.ask("sue", TryZeroEnergy(permit_id=permit, points=("V1",), method="m"))
    bench.ask("ivy", check(permit, "V1", "L1"))
    bench.break_disk()
    assert bench.events(ZeroWithdrawn) and bench.events(LockUnverified)
    facts = bench.facts(permit)
    assert facts["zero_energy_tested"] is facts["isolation_in_force"] is False


def test_one_permit_is_one_plate_and_one_action() -> None:
    """H11: in and out never share a permit; never two plates on one pipe at once."""
    bench = Measured()
    for plate in ("P1", "P2"):
        defined(bench, plate, "blind_plate", pipe="N-100")
    defined(bench, "P3", "blind_plate", pipe="N-200")
    first, second = bench.made("blind-plate"), bench.made("blind-plate")
    planned(bench, first, "P1", action="insert")
    facts = bench.facts(first)
    assert (facts["plates_on_permit"], facts["plate_actions"]) == (1, 1)
    assert facts["plates_open_on_pipe"] == 1
    assert "isolation_in_force" not in facts
    planned(bench, second, "P2", action="remove")
    assert bench.facts(second)["plates_open_on_pipe"] == 1
    bench.put(first, PermitStatus.ACTIVE)
    assert bench.facts(second)["plates_open_on_pipe"] == 2
    bench.put(first, PermitStatus.CLOSED)
    assert bench.facts(second)["plates_open_on_pipe"] == 1
    lines = (
        PlanLine(point_id="P2", action="remove"),
        PlanLine(point_id="P3", action="insert"),
    )
    bench.ok("sue", PlanIsolation(permit_id=second, lines=lines))
    facts = bench.facts(second)
    assert (facts["plates_on_permit"], facts["plate_actions"]) == (2, 2)
    bench.ok("sue", PlanIsolation(permit_id=second, lines=(PlanLine(point_id="P2"),)))
    assert "plate_actions" not in bench.facts(second)


def test_permits_hear_of_their_points_only() -> None:
    """Cost grows with the permits that depend on a point, not with all."""
    bench, permit = isolated()
    other = bench.made()
    defined(bench, "V7")
    planned(bench, other, "V7")
    told: list[str] = []
    bench.kernel.isolation.changed = told.extend
    bench.ok("sue", lock(other, "V7", "L7"))
    assert told == [other]
    bench.ok("gil", FindEnergy(permit_id=permit, points=("V1",)))
    assert set(told) == {permit, other}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["lock", "own", "check", "try", "energy", "off"]),
        st.sampled_from(["V1", "V2"]),
        st.sampled_from(["ann", "bob", "sue", "ivy"]),
        st.sampled_from(["L1", "L2", "L3"]),
    ),
    max_size=25,
)


@settings(max_examples=40)
@given(STEPS, st.booleans())
def test_no_order_of_acts_opens_a_point_too_early(
    steps: list[tuple[str, str, str, str]], running: bool
) -> None:
    """4.5c as a promise; and the replayed register is the live one."""
    bench = Measured()
    bench.made(permit_id="p")
    for point in ("V1", "V2"):
        defined(bench, point)
    planned(bench, "p", "V1", "V2")
    bench.put("p", PermitStatus.ACTIVE if running else PermitStatus.COMPLETED)
    points = bench.hub.state.permits.isolation.points
    for verb, point, person, number in steps:
        own = [x for x in points[point].locks.values() if x.personal]
        act: Act = {
            "lock": lock("p", point, number, key_holder=person),
            "own": lock("p", point, number, key_holder=person, personal=True),
            "check": check("p", point, number),
            "try": TryZeroEnergy(permit_id="p", points=(point,), method="m"),
            "energy": FindEnergy(permit_id="p", points=(point,)),
            "off": off("p", point, number),
        }[verb]
        found = points[point].locks.get(number)
        reply = bench.act(person, act)
        if verb == "off" and reply.ok and found is not None and not found.personal:
            assert not own and not running
        if reply.ok and verb == "off" and found is not None:
            assert found.key_holder == person
        facts = bench.facts("p")
        if facts["zero_energy_tested"]:
            assert facts["isolation_in_force"]
        if facts["isolation_in_force"]:
            assert facts["lock_register_complete"]
            assert not any(each.energy for each in points.values())
            for each in points.values():
                proof = [x for x in each.locks.values() if x.verified_by]
                assert all(x.verified_by != x.applied_by for x in proof) and proof
    assert bench.replayed().permits.isolation == bench.hub.state.permits.isolation
