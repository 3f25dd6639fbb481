"""The isolation register: what a permit needs cut off, and what really is.

GB 30871 4.2b, 4.5c, 6.1, 7.10, 7.11. A start needs every point locked, checked by a
second person and tried; a point opens only when no personal lock is left and every
permit that relies on it has ended.
"""

from collections.abc import Callable, Iterable
from typing import Final

from core.api.reading import Value
from core.hub import Hub
from core.people.access import Access
from core.people.people import People
from core.permits.isolation_desk import IsolationDesk
from core.permits.isolation_events import (
    EnergyEvent,
    EnergyFound,
    IsolationPlanned,
    LockApplied,
    LockEvent,
    LockRemoved,
    LockRestored,
    LockUnverified,
    LockVerified,
    PointDefined,
    PointEvent,
    ZeroEnergy,
    ZeroWithdrawn,
)
from core.permits.isolation_state import IsolationState, PlanRecord, PointRecord
from core.permits.lifecycle import RUNNING, PermitStatus
from core.permits.pack import Kind, Pack
from core.permits.packs import Packs
from core.permits.state import PermitRecord

_AT_WORK: Final = (*RUNNING, PermitStatus.HELD)
_PLATES: Final = "blind_plate"
_TRIED: Final[tuple[type[EnergyEvent], ...]] = (ZeroEnergy, ZeroWithdrawn, EnergyFound)
_POINTS: Final[tuple[type[PointEvent], ...]] = (PointDefined,)
_LOCKS: Final[tuple[type[LockEvent], ...]] = (
    *(LockApplied, LockVerified, LockUnverified, LockRemoved, LockRestored),
)

Values = dict[str, Value]


class Isolation:
    """Tell of each permit whether its isolation is in force."""

    names = frozenset(
        """
isolation_in_force zero_energy_tested isolation_points_open lock_register_complete
keys_in_box upstream_locked plates_on_permit plate_actions plates_open_on_pipe
""".split()
    )

    def __init__(self, hub: Hub, access: Access, people: People, packs: Packs) -> None:
        self._hub, self._packs = hub, packs
        self.changed: Callable[[Iterable[str]], None] = lambda _permits: None
        IsolationDesk(hub, access, people).bind(access)
        hub.on(IsolationPlanned, lambda body, _: self._planned(body.permit_id))
        for tried in _TRIED:
            hub.on(tried, lambda body, _: self._touched(body.points))
        for point in _POINTS:
            hub.on(point, lambda body, _: self._touched([body.point_id]))
        for lock in _LOCKS:
            hub.on(lock, lambda body, _: self._touched([body.point_id]))

    # --- room -----------------------------------------------------------------

    def arm(self) -> None:
        """Derive nothing: the register is the journal's."""

    def recover(self, clean: bool) -> None:
        """Owe nothing after a start."""

    def tick(self) -> None:
        """Have no levels: the register changes by persons' acts."""

    # --- answers --------------------------------------------------------------

    @property
    def state(self) -> IsolationState:
        """Return the fold's part."""
        return self._hub.state.permits.isolation

    def facts(self, permit: PermitRecord, kind: Kind, pack: Pack) -> Values:
        """Return what the register tells; of a permit without a plan nothing."""
        plan = self.state.plans.get(permit.id)
        if plan is None or not plan.lines:
            return {}
        found: Values = {}
        work = kind.family == _PLATES
        if work:
            self._plates(permit, plan, found)
        # The plate that is the work is no isolation of it.
        mine = [line.point_id for line in plan.lines if not (work and line.action)]
        points = [p for each in mine if (p := self.state.points.get(each)) is not None]
        if points:
            self._isolation(permit, plan, points, found)
        return found

    def _isolation(
        self,
        permit: PermitRecord,
        plan: PlanRecord,
        points: list[PointRecord],
        found: Values,
    ) -> None:
        found["lock_register_complete"] = all(_locked(point) for point in points)
        found["isolation_in_force"] = all(in_force(point) for point in points)
        found["zero_energy_tested"] = all(
            in_force(point) and point.id in plan.tried for point in points
        )
        own = [
            lock
            for point in self.state.points.values()
            for lock in point.locks.values()
            if lock.permit_id == permit.id
        ]
        planned = {point.id for point in points}
        found["isolation_points_open"] = sum(
            any(lock.permit_id == permit.id for lock in point.locks.values())
            for point in points
        )
        found["keys_in_box"] = (
            bool(planned) and not plan.keys_out and all(lock.box for lock in own)
        )
        upstream = [point for point in points if point.kind == "breaker"]
        if upstream:
            found["upstream_locked"] = all(in_force(point) for point in upstream)

    def _plates(self, permit: PermitRecord, plan: PlanRecord, found: Values) -> None:
        plates = self._own_plates(plan)
        actions = {line.action for line in plan.lines if line.point_id in plates}
        found["plates_on_permit"] = len(plates)
        if plates and "" not in actions:
            found["plate_actions"] = len(actions)
        pipes = {plates[each].pipe for each in plates}
        if plates and "" not in pipes:
            found["plates_open_on_pipe"] = max(
                self._open_on(pipe, permit) for pipe in pipes
            )

    def _own_plates(self, plan: PlanRecord) -> dict[str, PointRecord]:
        points = self.state.points
        return {
            line.point_id: points[line.point_id]
            for line in plan.lines
            if line.point_id in points and points[line.point_id].kind == _PLATES
        }

    def _open_on(self, pipe: str, permit: PermitRecord) -> int:
        """Count the plates of a pipe that are worked on once this permit is."""
        count = 0
        for permit_id, plan in self.state.plans.items():
            other = self._hub.state.permits.permits.get(permit_id)
            if other is None or not self._is_plate_work(other):
                continue
            if other.id == permit.id or other.status in _AT_WORK:
                plates = self._own_plates(plan).values()
                count += sum(plate.pipe == pipe for plate in plates)
        return count

    def _is_plate_work(self, permit: PermitRecord) -> bool:
        ruled = self._packs.kind(permit) if permit.life.pack else None
        return ruled is not None and ruled.kind.family == _PLATES

    # --- who hears ------------------------------------------------------------

    def _planned(self, permit_id: str) -> None:
        plan = self.state.plans.get(permit_id)
        self._touched([line.point_id for line in plan.lines] if plan else [])
        self.changed([permit_id])

    def _touched(self, points: Iterable[str]) -> None:
        """Tell every permit that relies on a point, or works on the same pipe."""
        known = self.state.points
        wanted = set(points)
        pipes = {known[each].pipe for each in wanted if each in known} - {""}
        wanted |= {point.id for point in known.values() if point.pipe in pipes}
        touched = [
            permit_id
            for permit_id, plan in self.state.plans.items()
            if any(line.point_id in wanted for line in plan.lines)
        ]
        if touched:
            self.changed(touched)


def _locked(point: PointRecord) -> bool:
    """Say whether the register shows what cuts the point off and who has the key."""
    return any(not lock.personal for lock in point.locks.values())


def in_force(point: PointRecord) -> bool:
    """Say whether a lock that a second person saw cuts the point off."""
    return not point.energy and any(
        lock.verified_by for lock in point.locks.values() if not lock.personal
    )
