"""Acts on the hub itself."""

from core.journal.envelope import Effect
from core.people.acts import Act, act


@act("config.arm", "safety_officer", effect=Effect.PERMISSIVE)
class ArmConfig(Act, frozen=True, kw_only=True):
    """Put a published bundle in force."""

    hash: str
    second: str = ""
    """Person who agreed, where two are needed."""
