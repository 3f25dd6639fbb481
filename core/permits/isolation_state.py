"""The isolation register as the journal tells it."""

from typing import TYPE_CHECKING

import msgspec

from core.journal.envelope import Envelope
from core.journal.fold import folds
from core.permits.isolation_events import (
    EnergyFound,
    IsolationPlanned,
    Line,
    LockApplied,
    LockRemoved,
    LockRestored,
    LockUnverified,
    LockVerified,
    PointDefined,
    ZeroEnergy,
    ZeroWithdrawn,
)

if TYPE_CHECKING:
    from core.state import SiteState


class LockRecord(msgspec.Struct, kw_only=True):
    """Hold one lock, tag or plate that is on a point."""

    lock_no: str
    permit_id: str
    key_holder: str
    applied_by: str
    applied_wall_ns: int
    personal: bool = False
    box: str = ""
    verified_by: str = ""


class PointRecord(msgspec.Struct, kw_only=True):
    """Hold one point and what is on it."""

    id: str
    kind: str
    equipment: str
    place: str
    zone_id: str
    drawing: str
    pipe: str
    locks: dict[str, LockRecord] = {}
    """Lock number → lock."""
    energy: bool = False
    """True: energy was found since its last lock."""


class PlanRecord(msgspec.Struct, kw_only=True):
    """Hold what a permit needs isolated."""

    lines: tuple[Line, ...] = ()
    tried: list[str] = []
    """Points at which no energy was left since they were locked."""
    keys_out: list[str] = []
    """Numbers of removed locks whose keys were not put back."""


class IsolationState(msgspec.Struct, kw_only=True):
    """Hold the register: points, and each permit's plan."""

    points: dict[str, PointRecord] = {}
    plans: dict[str, PlanRecord] = {}


def _plan(state: "SiteState", permit_id: str) -> PlanRecord:
    return state.permits.isolation.plans.setdefault(permit_id, PlanRecord())


def _untry(state: "SiteState", point_id: str) -> None:
    """Let no permit rely on a test from before the point changed."""
    for plan in state.permits.isolation.plans.values():
        if point_id in plan.tried:
            plan.tried.remove(point_id)


@folds(PointDefined)
def _point(state: "SiteState", body: PointDefined, _: Envelope) -> None:
    points = state.permits.isolation.points
    known = points.get(body.point_id)
    points[body.point_id] = PointRecord(
        id=body.point_id,
        kind=body.kind,
        equipment=body.equipment,
        place=body.place,
        zone_id=body.zone_id,
        drawing=body.drawing,
        pipe=body.pipe,
        locks=known.locks if known else {},
        energy=known.energy if known else False,
    )


@folds(IsolationPlanned)
def _planned(state: "SiteState", body: IsolationPlanned, _: Envelope) -> None:
    _plan(state, body.permit_id).lines = body.lines


@folds(LockApplied)
def _applied(state: "SiteState", body: LockApplied, envelope: Envelope) -> None:
    point = state.permits.isolation.points.get(body.point_id)
    if point is None:
        return
    point.locks[body.lock_no] = LockRecord(
        lock_no=body.lock_no,
        permit_id=body.permit_id,
        key_holder=body.key_holder,
        applied_by=body.person_id,
        applied_wall_ns=envelope.wall_ns,
        personal=body.personal,
        box=body.box,
    )
    plan = _plan(state, body.permit_id)
    if body.lock_no in plan.keys_out:
        plan.keys_out.remove(body.lock_no)
    if not body.personal:
        point.energy = False
        _untry(state, body.point_id)


def _lock(state: "SiteState", point_id: str, lock_no: str) -> LockRecord | None:
    point = state.permits.isolation.points.get(point_id)
    return point.locks.get(lock_no) if point is not None else None


@folds(LockVerified)
def _verified(state: "SiteState", body: LockVerified, _: Envelope) -> None:
    lock = _lock(state, body.point_id, body.lock_no)
    if lock is not None:
        lock.verified_by = body.person_id


@folds(LockUnverified)
def _unverified(state: "SiteState", body: LockUnverified, _: Envelope) -> None:
    lock = _lock(state, body.point_id, body.lock_no)
    if lock is not None:
        lock.verified_by = ""


@folds(LockRemoved)
def _removed(state: "SiteState", body: LockRemoved, _: Envelope) -> None:
    point = state.permits.isolation.points.get(body.point_id)
    lock = point.locks.pop(body.lock_no, None) if point is not None else None
    if lock is None:
        return
    plan = _plan(state, body.permit_id)
    if not body.key_in_box and body.lock_no not in plan.keys_out:
        plan.keys_out.append(body.lock_no)
    if not lock.personal:
        _untry(state, body.point_id)


@folds(LockRestored)
def _restored(state: "SiteState", body: LockRestored, envelope: Envelope) -> None:
    point = state.permits.isolation.points.get(body.point_id)
    if point is not None:
        point.locks[body.lock_no] = LockRecord(
            lock_no=body.lock_no,
            permit_id=body.permit_id,
            key_holder=body.key_holder,
            applied_by=body.person_id,
            applied_wall_ns=envelope.wall_ns,
            personal=body.personal,
            box=body.box,
            verified_by=body.verified_by,
        )


@folds(ZeroEnergy)
def _zero(state: "SiteState", body: ZeroEnergy, _: Envelope) -> None:
    plan = _plan(state, body.permit_id)
    plan.tried = sorted({*plan.tried, *body.points})


@folds(ZeroWithdrawn)
def _zero_back(state: "SiteState", body: ZeroWithdrawn, _: Envelope) -> None:
    plan = _plan(state, body.permit_id)
    plan.tried = [each for each in plan.tried if each not in body.points]


@folds(EnergyFound)
def _energy(state: "SiteState", body: EnergyFound, _: Envelope) -> None:
    for point_id in body.points:
        point = state.permits.isolation.points.get(point_id)
        if point is not None:
            point.energy = True
        _untry(state, point_id)
