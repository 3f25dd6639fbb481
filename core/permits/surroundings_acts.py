"""How a person stops the site, and what they pass on of the weather."""

from typing import Annotated

import msgspec

from core.journal.envelope import Effect
from core.people.acts import Act, Id, act
from core.permits.surroundings_events import WeatherKind

_LEADS = ("supervisor", "marshal", "issuer", "safety_officer")
_HEADS = ("issuer", "safety_officer")
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


@act("site.stop_work", *_LEADS, effect=Effect.PROTECTIVE)
class StopWork(Act, frozen=True, kw_only=True):
    """Stop all work at once: in these zones, or everywhere when none is named."""

    zones: tuple[Id, ...] = ()
    reason: Reason


@act("site.stop_work_end", *_HEADS, effect=Effect.PERMISSIVE, signed=True)
class EndStopWork(Act, frozen=True, kw_only=True):
    """End a stop-work order; each permit that it held is released by itself."""

    order_id: Id
    reason: Reason


@act("site.weather_warning", *_LEADS, effect=Effect.PROTECTIVE)
class WarnOfWeather(Act, frozen=True, kw_only=True):
    """Pass on a warning of the weather service; it only ever lasts longer."""

    kind: WeatherKind
    level: Annotated[str, msgspec.Meta(max_length=40)] = ""
    until_ms: int
    """Wall time in milliseconds since 1970."""


@act("site.weather_warning_end", *_HEADS, effect=Effect.PERMISSIVE, signed=True)
class EndWeatherWarning(Act, frozen=True, kw_only=True):
    """End a weather warning before its time."""

    kind: WeatherKind
