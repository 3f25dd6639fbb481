"""What a person may do at a roll call and in a drill."""

from typing import Annotated

import msgspec

from core.journal.envelope import Effect
from core.people.acts import ROLES, Act, Id, act
from core.response.roll_events import Sample

_CALLERS = ("marshal", "guardian", "supervisor", "safety_officer")
_Count = Annotated[int, msgspec.Meta(ge=1, le=999)]
_Badge = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


@act("roll.add", *_CALLERS, effect=Effect.PROTECTIVE)
class AddToRoll(Act, frozen=True, kw_only=True):
    """Put a person, or some of whom nobody knows more, on a running roll call."""

    evacuation_id: Id
    person_id: str = ""
    badge: str = ""
    """A word for those who are no persons of the site, such as 'delivery'."""
    count: _Count = 1
    zone_id: str = ""


@act("roll.check_in", *ROLES, signed=True)
class CheckIn(Act, frozen=True, kw_only=True):
    """Report at a muster point: by PIN before a witness, or by face."""

    evacuation_id: Id


@act("evacuation.retest", *_CALLERS, effect=Effect.PERMISSIVE)
class RetestZone(Act, frozen=True, kw_only=True):
    """Write down what a portable meter measured in a zone before the all-clear."""

    evacuation_id: Id
    zone_id: Id
    samples: Annotated[tuple[Sample, ...], msgspec.Meta(min_length=1, max_length=20)]


@act("visitor.sign_in", *_CALLERS, "issuer", "maintainer")
class SignInVisitor(Act, frozen=True, kw_only=True):
    """Count people without a tag in: a visitor's badge, or a group by number."""

    badge: _Badge
    count: _Count = 1
    zone_id: str = ""
    host_id: str = ""


@act(
    *("visitor.sign_out", *_CALLERS, "issuer", "maintainer"),
    effect=Effect.PERMISSIVE,
)
class SignOutVisitor(Act, frozen=True, kw_only=True):
    """Count them out: in an evacuation that runs they stay on the roll."""

    badge: _Badge


@act("drill.start", "supervisor", "safety_officer")
class StartDrill(Act, frozen=True, kw_only=True):
    """Hold a drill: one of the site's plans, or some zones without attacks."""

    plan: str = ""
    zones: tuple[str, ...] = ()


@act("drill.end", "supervisor", "safety_officer")
class EndDrill(Act, frozen=True, kw_only=True):
    """End a drill; its sirens end with it."""

    evacuation_id: Id
