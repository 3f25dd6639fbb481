"""Events of muster points, re-tests, visitors and drills."""

import msgspec

from core.journal.envelope import Effect
from core.journal.events import Event, event
from core.site.leaving import Attack


class RollEvent(Event, frozen=True, kw_only=True):
    """Base of what happens in one evacuation or drill."""

    evacuation_id: str

    def index_key(self) -> str:
        """Name the evacuation."""
        return self.evacuation_id


@event("evacuation.muster", effect=Effect.PROTECTIVE)
class MusterChanged(RollEvent, frozen=True, kw_only=True):
    """Other muster points are offered than before, or the wind is known anew."""

    offered: tuple[str, ...]
    refused: dict[str, str] = {}
    """Muster point → left, alarm, unmonitored, downwind or blocked."""
    wind: str = ""
    """Degrees it comes from, calm, or unknown."""


class Sample(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold one gas of a portable re-test: a live meter's, or read off and typed."""

    gas: str
    value: float | None = None
    unit: str = ""
    instrument: str = ""
    """Make and number of what measured it, where no meter of the hub did."""
    entity_id: str = ""


@event("evacuation.retested", effect=Effect.PERMISSIVE)
class ZoneRetested(RollEvent, frozen=True, kw_only=True):
    """A named person measured a zone with a portable meter: it is acceptable."""

    zone_id: str
    person_id: str
    samples: tuple[Sample, ...]


@event("evacuation.retest_void", effect=Effect.PROTECTIVE)
class RetestVoided(RollEvent, frozen=True, kw_only=True):
    """A re-test counts no more: an alarm came after it, or it was never kept."""

    zones: tuple[str, ...]
    why: str
    """alarm or not_durable."""


@event("visitor.signed_in", effect=Effect.PROTECTIVE)
class VisitorSignedIn(Event, frozen=True, kw_only=True):
    """One or several people without a tag came in; counted by number, not by name."""

    badge: str
    count: int = 1
    zone_id: str = ""
    """'' is anywhere on site: they are looked for in every evacuation."""
    host_id: str = ""
    by: str = ""

    def index_key(self) -> str:
        """Name the badge."""
        return self.badge


@event("visitor.signed_out", effect=Effect.PERMISSIVE)
class VisitorSignedOut(Event, frozen=True, kw_only=True):
    """Those of a badge left the site."""

    badge: str
    by: str = ""

    def index_key(self) -> str:
        """Name the badge."""
        return self.badge


@event("drill.started")
class DrillStarted(RollEvent, frozen=True, kw_only=True):
    """A drill begins; its roll call is the evacuation of the same id."""

    plan: str
    by: str
    on_site: tuple[str, ...] = ()
    """Who was on site, or may have been, when it began."""
    attacks: tuple[Attack, ...] = ()
    target_s: float = 600.0
    target_share: float = 90.0


@event("drill.attacked")
class DrillAttacked(RollEvent, frozen=True, kw_only=True):
    """One injected attack of a drill came."""

    number: int
    attack: Attack


@event("drill.ended")
class DrillEnded(RollEvent, frozen=True, kw_only=True):
    """A drill is over."""

    why: str
    """person, real_alarm, expired or late_unknown."""
    by: str = ""


@event("drill.due")
class DrillDue(Event, frozen=True, kw_only=True):
    """A drill is due in some days, or overdue; told once for 30, 7 and 0."""

    plan: str
    days: int

    def index_key(self) -> str:
        """Name the plan."""
        return self.plan
