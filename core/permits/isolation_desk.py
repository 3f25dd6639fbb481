"""The register's desk: who puts locks on and takes them off, and why not."""

from typing import Final

from core.api.errors import Refused
from core.hub import Hub
from core.journal.envelope import Cause
from core.logic.truth import Truth
from core.people.access import Access, Answer
from core.people.people import People
from core.permits import isolation_acts as acts
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
from core.permits.isolation_state import IsolationState, LockRecord, PointRecord
from core.permits.lifecycle import BROKEN_OFF, FINAL, PermitStatus
from core.permits.state import PermitRecord

S = PermitStatus
#: A plan may shrink under these: nobody has approved it yet.
_DRAFT: Final = (S.BOOKED, S.APPLIED, S.ANALYSED)
#: The permit's own work is over; its locks come off before it is closed.
_DONE: Final = (S.COMPLETED, S.ACCEPTED, *FINAL)


class IsolationDesk:
    """Carry out the acts on the register."""

    def __init__(self, hub: Hub, access: Access, people: People) -> None:
        self._hub, self._access, self._people = hub, access, people
        self._taken: dict[tuple[str, str], LockRecord] = {}
        """(point, lock) → lock whose removal is not durable yet."""
        hub.undo(LockVerified, self._unverify)
        hub.undo(LockRemoved, self._put_back)
        hub.undo(ZeroEnergy, self._untry)

    def bind(self, access: Access) -> None:
        """Offer the acts."""
        access.bind(acts.DefinePoint, self._define)
        access.bind(acts.PlanIsolation, self._plan)
        access.bind(acts.ApplyLock, self._apply)
        access.bind(acts.VerifyLock, self._verify)
        access.bind(acts.TryZeroEnergy, self._zero)
        access.bind(acts.FindEnergy, self._energy)
        access.bind(acts.RemoveLock, self._remove)

    @property
    def state(self) -> IsolationState:
        """Return the fold's part."""
        return self._hub.state.permits.isolation

    # --- register and plan ----------------------------------------------------

    def _define(
        self, actor: str, act: acts.DefinePoint, _version: int | None, cause: Cause
    ) -> Answer:
        zones = {zone.id for zone in self._hub.bundle.site.zones}
        if act.zone_id and act.zone_id not in zones:
            raise Refused("site.zone_unknown", zone=act.zone_id)
        known = self.state.points.get(act.point_id)
        if known is not None and known.locks:
            raise Refused("isolation.in_use", point=act.point_id)
        body = PointDefined(
            point_id=act.point_id,
            kind=act.kind,
            equipment=act.equipment,
            place=act.place,
            zone_id=act.zone_id,
            drawing=act.drawing,
            pipe=act.pipe,
            person_id=actor,
        )
        self._hub.emit(body, cause)
        return {"point_id": act.point_id}

    def _plan(
        self, actor: str, act: acts.PlanIsolation, _version: int | None, cause: Cause
    ) -> Answer:
        permit = self._permit(act.permit_id)
        for line in act.lines:
            self._point(line.point_id)
        lines = tuple(Line(point_id=x.point_id, action=x.action) for x in act.lines)
        plan = self.state.plans.get(permit.id)
        if plan is not None:
            lost = sorted({x.point_id for x in set(plan.lines) - set(lines)})
            locked = [
                point_id
                for point_id in lost
                if any(
                    lock.permit_id == permit.id
                    for lock in self._point(point_id).locks.values()
                )
            ]
            if locked or (lost and permit.status not in _DRAFT):
                raise Refused(
                    "isolation.plan_shrinks", points=", ".join(locked or lost)
                )
        body = IsolationPlanned(permit_id=permit.id, lines=lines, person_id=actor)
        self._hub.emit(body, cause)
        return {"points": len(lines)}

    # --- on -------------------------------------------------------------------

    def _apply(
        self, actor: str, act: acts.ApplyLock, _version: int | None, cause: Cause
    ) -> Answer:
        permit, point = self._planned(act.permit_id, act.point_id)
        self._person(act.key_holder)
        if act.personal and act.key_holder != actor:
            raise Refused("isolation.not_yours", holder=act.key_holder)
        for other in self.state.points.values():
            if act.lock_no in other.locks:
                raise Refused(
                    "isolation.already_locked", lock=act.lock_no, point=other.id
                )
        if act.box:
            box = self.state.points.get(act.box)
            if box is None or box.kind != "box":
                raise Refused("isolation.box", box=act.box)
        body = LockApplied(
            permit_id=permit.id,
            point_id=point.id,
            lock_no=act.lock_no,
            person_id=actor,
            key_holder=act.key_holder,
            personal=act.personal,
            box=act.box,
        )
        self._hub.emit(body, cause)
        return {"locks": len(point.locks)}

    def _verify(
        self, actor: str, act: acts.VerifyLock, _version: int | None, cause: Cause
    ) -> Answer:
        self._permit(act.permit_id)
        point, lock = self._lock(act.permit_id, act.point_id, act.lock_no)
        if actor == lock.applied_by:
            raise Refused("isolation.same_person")
        if point.energy:
            raise Refused("isolation.energy", points=point.id)
        body = LockVerified(
            permit_id=act.permit_id,
            point_id=point.id,
            lock_no=lock.lock_no,
            person_id=actor,
        )
        self._hub.emit(body, cause)
        return {"point_id": point.id}

    def _zero(
        self, actor: str, act: acts.TryZeroEnergy, _version: int | None, cause: Cause
    ) -> Answer:
        points = [self._planned(act.permit_id, each)[1] for each in act.points]
        hot = [point.id for point in points if point.energy]
        if hot:
            raise Refused("isolation.energy", points=", ".join(hot))
        loose = [
            point.id
            for point in points
            if not any(
                lock.verified_by and not lock.personal for lock in point.locks.values()
            )
        ]
        if loose:
            raise Refused("isolation.not_locked", points=", ".join(loose))
        body = ZeroEnergy(
            permit_id=act.permit_id,
            points=act.points,
            person_id=actor,
            method=act.method,
        )
        self._hub.emit(body, cause)
        return {"points": len(points)}

    def _energy(
        self, actor: str, act: acts.FindEnergy, _version: int | None, cause: Cause
    ) -> Answer:
        self._permit(act.permit_id)
        for point_id in act.points:
            self._point(point_id)
        body = EnergyFound(
            permit_id=act.permit_id,
            points=act.points,
            person_id=actor,
            note=act.note,
        )
        self._hub.emit(body, cause)
        return {"points": len(act.points)}

    # --- off ------------------------------------------------------------------

    def _remove(
        self, actor: str, act: acts.RemoveLock, _version: int | None, cause: Cause
    ) -> Answer:
        point, lock = self._lock(act.permit_id, act.point_id, act.lock_no)
        if actor != lock.key_holder:
            self._may_force(actor, act, lock)
        if not lock.personal:
            self._nobody_relies(point, lock)
        self._taken[point.id, lock.lock_no] = lock
        body = LockRemoved(
            permit_id=act.permit_id,
            point_id=point.id,
            lock_no=lock.lock_no,
            person_id=actor,
            key_in_box=act.key_in_box,
            reason=act.reason,
        )
        key = (point.id, lock.lock_no)
        done = self._hub.emit(body, cause)
        self._hub.when_durable(done.seq, lambda kept: self._forget(key, kept))
        return {"locks": len(point.locks)}

    def _forget(self, key: tuple[str, str], durable: bool) -> None:
        if durable:
            self._taken.pop(key, None)

    def _may_force(self, actor: str, act: acts.RemoveLock, lock: LockRecord) -> None:
        """Let an officer take off the lock of one who is known to have left."""
        forced = self._access.roles(actor) & {"safety_officer", "owner"}
        left = self._people.on_site(lock.key_holder) is Truth.FALSE
        if not (forced and left and act.reason.strip()):
            raise Refused("isolation.not_yours", holder=lock.key_holder)

    def _nobody_relies(self, point: PointRecord, lock: LockRecord) -> None:
        """Refuse to open a point on which a person or a permit still relies."""
        places = [point, *self._boxes(lock)]
        own = [
            other.key_holder
            for place in places
            for other in place.locks.values()
            if other.personal
        ]
        if own:
            names = ", ".join(sorted(set(own)))
            raise Refused("isolation.locks_left", count=len(own), people=names)
        permits = self._hub.state.permits.permits
        permit = permits.get(lock.permit_id)
        if permit is not None and not _over(permit):
            raise Refused(
                "isolation.work_running", permit=permit.id, status=str(permit.status)
            )
        relying = self._linked(lock.permit_id)
        if all(o.personal or o is lock for o in point.locks.values()):
            relying |= {
                permit_id
                for permit_id, plan in self.state.plans.items()
                if any(line.point_id == point.id for line in plan.lines)
            }
        running = sorted(
            each
            for each in relying - {lock.permit_id}
            if each in permits and not permits[each].ended
        )
        if running:
            raise Refused("isolation.permits_running", permits=", ".join(running))

    def _boxes(self, lock: LockRecord) -> list[PointRecord]:
        """Return the box in which a lock's key hangs: its locks keep the key there."""
        box = self.state.points.get(lock.box) if lock.box else None
        return [box] if box is not None else []

    def _linked(self, permit_id: str) -> set[str]:
        permits = self._hub.state.permits.permits
        permit = permits.get(permit_id)
        found = set(permit.linked) if permit is not None else set()
        return found | {p.id for p in permits.values() if permit_id in p.linked}

    # --- what the disk failed -------------------------------------------------

    def _unverify(self, body: LockVerified) -> None:
        self._hub.emit(
            LockUnverified(
                permit_id=body.permit_id,
                point_id=body.point_id,
                lock_no=body.lock_no,
                person_id=body.person_id,
            )
        )

    def _untry(self, body: ZeroEnergy) -> None:
        self._hub.emit(
            ZeroWithdrawn(
                permit_id=body.permit_id, points=body.points, person_id=body.person_id
            )
        )

    def _put_back(self, body: LockRemoved) -> None:
        lock = self._taken.pop((body.point_id, body.lock_no), None)
        if lock is not None:
            self._hub.emit(
                LockRestored(
                    permit_id=lock.permit_id,
                    point_id=body.point_id,
                    lock_no=lock.lock_no,
                    person_id=lock.applied_by,
                    key_holder=lock.key_holder,
                    personal=lock.personal,
                    box=lock.box,
                    verified_by=lock.verified_by,
                )
            )

    # --- look-ups -------------------------------------------------------------

    def _permit(self, permit_id: str) -> PermitRecord:
        permit = self._hub.state.permits.permits.get(permit_id)
        if permit is None:
            raise Refused("permit.unknown", permit=permit_id)
        if permit.status in FINAL:
            raise Refused("permit.closed", permit=permit_id)
        return permit

    def _person(self, person_id: str) -> None:
        if not self._access.known(person_id):
            raise Refused("act.person_unknown", person=person_id)

    def _point(self, point_id: str) -> PointRecord:
        point = self.state.points.get(point_id)
        if point is None:
            raise Refused("isolation.point_unknown", point=point_id)
        return point

    def _planned(
        self, permit_id: str, point_id: str
    ) -> tuple[PermitRecord, PointRecord]:
        permit, point = self._permit(permit_id), self._point(point_id)
        plan = self.state.plans.get(permit_id)
        lines = plan.lines if plan is not None else ()
        if point.kind != "box" and all(x.point_id != point_id for x in lines):
            raise Refused("isolation.not_planned", point=point_id, permit=permit_id)
        return permit, point

    def _lock(
        self, permit_id: str, point_id: str, lock_no: str
    ) -> tuple[PointRecord, LockRecord]:
        point = self._point(point_id)
        lock = point.locks.get(lock_no)
        if lock is None or lock.permit_id != permit_id:
            raise Refused("isolation.lock_unknown", point=point_id, lock=lock_no)
        return point, lock


def _over(permit: PermitRecord) -> bool:
    """Say whether a permit's own work has ended and nobody is logged inside."""
    broken = permit.status in BROKEN_OFF and not permit.entries.people
    return broken or permit.status in _DONE
