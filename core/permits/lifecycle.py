"""The steps of a permit: from which status each may be taken, and where it leads.

Anything that is not in the table is refused, so a missing link stops the flow.
"""

import enum
from typing import Final

from core.api.errors import Refused


class PermitStatus(enum.StrEnum):
    """Name where a permit stands."""

    BOOKED = "booked"
    APPLIED = "applied"
    ANALYSED = "analysed"
    APPROVED = "approved"
    BRIEFED = "briefed"
    ACTIVE = "active"
    HELD = "held"
    VERIFYING = "verifying"
    COMPLETED = "completed"
    ACCEPTED = "accepted"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"
    CLOSED = "closed"


S = PermitStatus

#: Work may be going on under these.
RUNNING: Final = (S.ACTIVE, S.VERIFYING)
#: On the way to the start.
PREPARING: Final = (S.BOOKED, S.APPLIED, S.ANALYSED, S.APPROVED, S.BRIEFED)
#: Ended by something other than its work; people may still be inside.
BROKEN_OFF: Final = (S.EXPIRED, S.CANCELLED, S.WITHDRAWN, S.SUPERSEDED)
#: Nothing can happen any more.
FINAL: Final = (S.REJECTED, S.CLOSED)

#: The hold that an unclean stop lays on all that ran (design §5 After a stop).
RESTART: Final = "restart_unverified"

_STARTED: Final = (*RUNNING, S.HELD)
_SIGNING: Final = (S.ANALYSED, S.APPROVED, S.BRIEFED)

#: Step → the statuses from which it may be taken.
TABLE: Final[dict[str, tuple[PermitStatus, ...]]] = {
    "apply": (S.BOOKED, S.APPLIED),
    "analyse": (S.APPLIED, S.ANALYSED),
    "declare": (S.APPLIED, *_SIGNING, *_STARTED, S.COMPLETED, S.EXPIRED),
    "sign": _SIGNING,
    "sign_start": (S.APPROVED, S.BRIEFED),
    "sign_close": (S.COMPLETED, S.EXPIRED),
    "reject": (S.BOOKED, S.APPLIED, *_SIGNING),
    "brief": (*_SIGNING, *_STARTED),
    "start": (S.BRIEFED,),
    "test": (S.APPLIED, *_SIGNING, *_STARTED, S.COMPLETED, S.EXPIRED),
    "release": (S.HELD,),
    "confirm": (S.ACTIVE, S.HELD),
    "guardian": (*_SIGNING, *_STARTED),
    "people": _STARTED,
    "shift": _STARTED,
    "complete": _STARTED,
    "accept": (S.COMPLETED, S.EXPIRED),
    "close": (S.ACCEPTED, *BROKEN_OFF),
    "cancel": (*PREPARING, *_STARTED, S.COMPLETED),
    "withdraw": (*PREPARING, *_STARTED),
    "supersede": (*PREPARING, *_STARTED),
}


def check(step: str, status: PermitStatus) -> None:
    """Refuse a step that a permit's status does not allow."""
    if status not in TABLE[step]:
        raise Refused(
            "permit.step",
            step=step,
            status=str(status),
            allowed=", ".join(TABLE[step]),
        )
