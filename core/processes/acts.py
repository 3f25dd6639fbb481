"""Acts on the hub itself."""

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


@act("hub.power_end", "safety_officer", "supervisor", "maintainer")
class EndPower(Act, frozen=True, kw_only=True):
    """Say that the hub's power ends: all are told, all work held, the hub stops."""

    seconds: float
    """Time until then."""


@act("hub.power_back", "safety_officer", "supervisor", "maintainer")
class PowerStays(Act, frozen=True, kw_only=True):
    """Say that the power does not end after all; releases nothing."""
