"""The register of isolation points: locks on, checked, tried, off (GB 4.2b, 4.5c)."""

import msgspec

from core.journal.envelope import Effect
from core.journal.events import Event, event


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Name one point that a permit needs; for a plate what is done with it."""

    point_id: str
    action: str = ""
    """insert or remove, where the permit's work is the plate itself (H11)."""


class PointEvent(Event, frozen=True, kw_only=True):
    """Base of what happens to one point."""

    point_id: str

    def index_key(self) -> str:
        """Name the point."""
        return self.point_id


@event("isolation.point")
class PointDefined(PointEvent, frozen=True, kw_only=True):
    """A point at which energy or a medium can be cut off is in the register."""

    kind: str
    equipment: str
    place: str
    zone_id: str
    drawing: str
    pipe: str
    person_id: str


@event("isolation.planned")
class IsolationPlanned(Event, frozen=True, kw_only=True):
    """The points that a permit needs were named."""

    permit_id: str
    lines: tuple[Line, ...]
    person_id: str


class LockEvent(Event, frozen=True, kw_only=True):
    """Base of what happens to one lock, tag or plate of a permit on a point."""

    permit_id: str
    point_id: str
    lock_no: str
    person_id: str

    def index_key(self) -> str:
        """Name permit, point and lock: no lock stands for another."""
        return f"{self.permit_id}/{self.point_id}/{self.lock_no}"


@event("isolation.applied")
class LockApplied(LockEvent, frozen=True, kw_only=True):
    """A lock, tag or plate was put on a point."""

    key_holder: str
    personal: bool = False
    """True: a worker's own lock, which only its holder takes off."""
    box: str = ""
    """Point of kind box in which the key hangs."""


@event("isolation.verified", effect=Effect.PERMISSIVE)
class LockVerified(LockEvent, frozen=True, kw_only=True):
    """A second person saw that the lock isolates the point."""


@event("isolation.unverified", effect=Effect.PROTECTIVE)
class LockUnverified(LockEvent, frozen=True, kw_only=True):
    """A check that never became durable counts no more."""


@event("isolation.removed", effect=Effect.PERMISSIVE)
class LockRemoved(LockEvent, frozen=True, kw_only=True):
    """A lock was taken off."""

    key_in_box: bool
    reason: str = ""
    """Why somebody other than its holder took it off."""


@event("isolation.restored", effect=Effect.PROTECTIVE)
class LockRestored(LockEvent, frozen=True, kw_only=True):
    """A removal that never became durable: the register shows the lock again."""

    key_holder: str
    personal: bool = False
    box: str = ""
    verified_by: str = ""


class EnergyEvent(Event, frozen=True, kw_only=True):
    """Base of a test for what energy is left."""

    permit_id: str
    points: tuple[str, ...]
    person_id: str


@event("isolation.zero_energy", effect=Effect.PERMISSIVE)
class ZeroEnergy(EnergyEvent, frozen=True, kw_only=True):
    """Points were tried and no energy is left."""

    method: str


@event("isolation.zero_withdrawn", effect=Effect.PROTECTIVE)
class ZeroWithdrawn(EnergyEvent, frozen=True, kw_only=True):
    """A test that never became durable counts no more."""


@event("isolation.energy_found", effect=Effect.PROTECTIVE)
class EnergyFound(EnergyEvent, frozen=True, kw_only=True):
    """Energy is left at points that are called isolated."""

    note: str = ""
