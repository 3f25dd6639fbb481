"""Stop-work orders and weather warnings, as persons give and end them."""

from typing import Literal

import msgspec

from core.deadlines import Deadline
from core.journal.envelope import Effect
from core.journal.events import Event, event

WeatherKind = Literal["typhoon", "flood"]


class StopOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Say where no work may go on, and why."""

    id: str
    zones: tuple[str, ...]
    """Empty: the whole site."""
    reason: str
    by: str

    def covers(self, zone_id: str) -> bool:
        """Say whether a zone is stopped by it."""
        return not self.zones or zone_id in self.zones


class WeatherWarning(msgspec.Struct, frozen=True, kw_only=True):
    """Repeat what the weather service warns of."""

    kind: WeatherKind
    level: str
    until: Deadline
    by: str


@event("site.work_stopped", effect=Effect.PROTECTIVE)
class WorkStopped(Event, frozen=True, kw_only=True):
    """A person stopped all work in some zones, or on the whole site."""

    order: StopOrder

    def index_key(self) -> str:
        """Name the order."""
        return self.order.id


@event("site.work_allowed", effect=Effect.PERMISSIVE)
class WorkAllowed(Event, frozen=True, kw_only=True):
    """A stop-work order ended; what it held stays held until it is released."""

    order: StopOrder
    by: str

    def index_key(self) -> str:
        """Name the order."""
        return self.order.id


@event("site.weather_warned", effect=Effect.PROTECTIVE)
class WeatherWarned(Event, frozen=True, kw_only=True):
    """A weather warning is in force until its time, or until a person ends it."""

    warning: WeatherWarning

    def index_key(self) -> str:
        """Name the kind of weather: the last warning counts."""
        return self.warning.kind


@event("site.weather_warning_ended", effect=Effect.PERMISSIVE)
class WeatherWarningEnded(Event, frozen=True, kw_only=True):
    """A person ended a weather warning before its time."""

    warning: WeatherWarning
    by: str

    def index_key(self) -> str:
        """Name the kind of weather."""
        return self.warning.kind
