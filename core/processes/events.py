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
