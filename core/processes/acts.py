"""Acts on the hub itself."""

from typing import Annotated

import msgspec

from core.journal.envelope import Effect
from core.people.acts import Act, act

#: The longest time to a known power end that is worth an announcement.
POWER_END_MAX_S = 86_400.0


@act("config.arm", "safety_officer", effect=Effect.PERMISSIVE)
class ArmConfig(Act, frozen=True, kw_only=True):
    """Put a published bundle in force; one that loosens takes ``config.loosen``."""

    hash: str


@act(
    "config.loosen",
    "safety_officer",
    effect=Effect.PERMISSIVE,
    two=("safety_officer",),
)
class LoosenConfig(Act, frozen=True, kw_only=True):
    """Put a bundle in force that loosens something; two persons sign it."""

    hash: str


Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
Note = Annotated[str, msgspec.Meta(max_length=500)]


@act("config.show", "safety_officer", "supervisor", "auditor")
class ShowConfig(Act, frozen=True, kw_only=True):
    """Ask which bundle is in force, and where a rule's version before stands."""

    rule: str = ""


@act("config.submit", "safety_officer", "supervisor", effect=Effect.PERMISSIVE)
class SubmitConfig(Act, frozen=True, kw_only=True):
    """Ask another person to look at a bundle that passed its checks."""

    hash: Digest
    base: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?$")] = ""
    note: Note = ""


@act("config.approve", "safety_officer", effect=Effect.PERMISSIVE)
class ApproveConfig(Act, frozen=True, kw_only=True):
    """Agree to a bundle that another person submitted; arming it is another act."""

    hash: Digest
    note: Note = ""


@act("config.reject", "safety_officer", "supervisor")
class RejectConfig(Act, frozen=True, kw_only=True):
    """Send a submitted bundle back, or withdraw one's own."""

    hash: Digest
    note: Note = ""


@act("hub.power_end", "safety_officer", "supervisor", "maintainer")
class EndPower(Act, frozen=True, kw_only=True):
    """Say that the hub's power ends: all are told, all work held, the hub stops."""

    seconds: float
    """Time until then."""


@act("hub.power_back", "safety_officer", "supervisor", "maintainer")
class PowerStays(Act, frozen=True, kw_only=True):
    """Say that the power does not end after all; releases nothing."""
