"""What a person may do with the isolation register (GB 30871 4.2b, 4.5c, 6.1)."""

from typing import Annotated, Literal

import msgspec

from core.journal.envelope import Effect
from core.people.acts import Act, Id, act

_LEAD = ("supervisor", "issuer", "safety_officer")
_HANDS = (*_LEAD, "maintainer", "worker")
Kind = Literal["lock", "tag", "blind_plate", "valve", "breaker", "box"]
_Text = Annotated[str, msgspec.Meta(max_length=500)]
_Ids = Annotated[tuple[Id, ...], msgspec.Meta(min_length=1, max_length=200)]


class PlanLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Name a point; for a plate that is the work itself also what is done with it."""

    point_id: Id
    action: Literal["", "insert", "remove"] = ""


@act("isolation.point", *_LEAD, "maintainer")
class DefinePoint(Act, frozen=True, kw_only=True):
    """Put a point at which something can be cut off into the register."""

    point_id: Id
    kind: Kind
    equipment: Id
    place: _Text = ""
    zone_id: str = ""
    drawing: _Text = ""
    """Number of the drawing or list on which it stands."""
    pipe: _Text = ""
    """Line on which a plate sits (H11)."""


@act("isolation.plan", *_LEAD)
class PlanIsolation(Act, frozen=True, kw_only=True):
    """Name all points that a permit needs; once approved only more of them."""

    permit_id: Id
    lines: Annotated[tuple[PlanLine, ...], msgspec.Meta(max_length=200)]


@act("isolation.apply", *_HANDS)
class ApplyLock(Act, frozen=True, kw_only=True):
    """Put a lock, tag or plate on a point, or one's own lock beside it."""

    permit_id: Id
    point_id: Id
    lock_no: Id
    key_holder: Id
    personal: bool = False
    box: str = ""


@act("isolation.verify", *_HANDS, effect=Effect.PERMISSIVE)
class VerifyLock(Act, frozen=True, kw_only=True):
    """See as a second person that a lock isolates its point."""

    permit_id: Id
    point_id: Id
    lock_no: Id


@act("isolation.zero_energy", *_HANDS, effect=Effect.PERMISSIVE)
class TryZeroEnergy(Act, frozen=True, kw_only=True):
    """Record that the points were tried and no energy is left."""

    permit_id: Id
    points: _Ids
    method: Id
    """How it was tried: start button, voltage tester, vent, gauge, …"""


@act("isolation.energy_found", *_HANDS, "guardian", effect=Effect.PROTECTIVE)
class FindEnergy(Act, frozen=True, kw_only=True):
    """Record that energy is left at points called isolated."""

    permit_id: Id
    points: _Ids
    note: _Text = ""


@act("isolation.remove", *_HANDS, effect=Effect.PERMISSIVE)
class RemoveLock(Act, frozen=True, kw_only=True):
    """Take a lock off: one's own, or the point's once nobody needs it any more."""

    permit_id: Id
    point_id: Id
    lock_no: Id
    key_in_box: bool
    """True: its key hangs in its box again."""
    reason: _Text = ""
    """Needed to take off the lock of somebody who has left the site."""
