"""The hub's own life: starts, stops, armed configuration, clock steps."""

from core.deadlines import Deadline
from core.journal.envelope import Effect
from core.journal.events import Event, event


@event("hub.started", effect=Effect.PROTECTIVE)
class HubStarted(Event, frozen=True, kw_only=True):
    """The safety process began an epoch; unclean when no stop was recorded."""

    version: str
    clean: bool
    boot_id: str
    cut_bytes: int = 0
    """Bytes of a torn tail that recovery cut off."""


@event("hub.stopped")
class HubStopped(Event, frozen=True, kw_only=True):
    """The safety process ended in order."""

    reason: str


@event("power.ending", effect=Effect.PROTECTIVE)
class PowerEnding(Event, frozen=True, kw_only=True):
    """The hub's power is known to end; it stops in order shortly before."""

    until: Deadline
    by: str


@event("power.back")
class PowerBack(Event, frozen=True, kw_only=True):
    """The power does not end after all; what was held stays held."""

    by: str


@event("config.armed", effect=Effect.PERMISSIVE)
class ConfigArmed(Event, frozen=True, kw_only=True):
    """A content-addressed bundle is in force."""

    hash: str
    by: str
    second: str = ""
    rules: dict[str, str] = {}
    """Rule → its hash: what is approved to be armed, the check of R8's own list."""


@event("config.submitted")
class ConfigSubmitted(Event, frozen=True, kw_only=True):
    """A person asks that a bundle is looked at by another one."""

    hash: str
    base: str
    """Bundle that it was compared with; '' is none."""
    by: str
    note: str = ""


@event("config.approved", effect=Effect.PERMISSIVE)
class ConfigApproved(Event, frozen=True, kw_only=True):
    """Another person has looked at a submitted bundle and agrees to it."""

    hash: str
    by: str
    note: str = ""


@event("config.rejected")
class ConfigRejected(Event, frozen=True, kw_only=True):
    """A submitted bundle is not to be armed, or its approval was taken back."""

    hash: str
    by: str
    code: str = "rejected"
    note: str = ""


@event("rule.upgraded")
class RuleUpgraded(Event, frozen=True, kw_only=True):
    """An instance runs another version of its blueprint; ``back``: an earlier one."""

    rule: str
    blueprint: str
    version: str
    hash: str
    was_version: str
    was_hash: str
    was_bundle: str
    """Bundle in which the earlier version stands: one step leads back there."""
    back: bool = False


@event("config.refused", effect=Effect.PROTECTIVE)
class ConfigRefused(Event, frozen=True, kw_only=True):
    """A bundle was refused; the last good one stays armed."""

    hash: str
    code: str
    detail: str = ""
    restored: str | None = None
    """Bundle in force again, where an arming never became durable; '' is none."""


@event("clock.stepped", effect=Effect.PROTECTIVE)
class ClockStepped(Event, frozen=True, kw_only=True):
    """Wall time moved against boot time."""

    delta_s: float
    synced: bool


@event("journal.damaged", effect=Effect.PROTECTIVE)
class JournalBroken(Event, frozen=True, kw_only=True):
    """Stored events cannot be read, and a person has been told of this place."""

    segment: int
    frame: int
    offset: int


@event("journal.gap", effect=Effect.PROTECTIVE)
class JournalGap(Event, frozen=True, kw_only=True):
    """The disk was away and neutral events were coalesced per subject."""

    first_seq: int
    last_seq: int
    lost: int
    counts: dict[str, int] = {}
