"""The facts about day, hour and weather, and a person's word that stops the site."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from core.api.errors import Refused
from core.api.reading import Value
from core.clock import NS
from core.deadlines import Deadline
from core.hub import CORE, Hub
from core.journal.envelope import Cause, Envelope
from core.people.access import Access, Answer
from core.permits.facts import FACTS, possible
from core.permits.lifecycle import RUNNING
from core.permits.pack import Kind, Pack
from core.permits.site_days import SiteDays
from core.permits.state import PermitRecord
from core.permits.surroundings_acts import (
    EndStopWork,
    EndWeatherWarning,
    StopWork,
    WarnOfWeather,
)
from core.permits.surroundings_events import (
    StopOrder,
    WeatherWarned,
    WeatherWarning,
    WeatherWarningEnded,
    WorkAllowed,
    WorkStopped,
)
from core.permits.surroundings_state import SurroundingsState
from core.permits.weather import WEATHER, Weather
from core.processes.events import ClockStepped
from core.readings.readings import Readings
from core.site.site import Site

#: How long a person's word about the weather counts where no sensor tells it.
STATED_S: Final = 3_600.0
#: A warning whose end no clock can tell stays until a person ends it.
_NO_END_S: Final = 366 * 86_400.0
_CALENDAR: Final = ("is_night", "is_holiday", "is_rest_day", "is_special_period")
_WARNINGS: Final = {"typhoon_warning": "typhoon", "flood_warning": "flood"}

Values = dict[str, Value]


class Surroundings:
    """Tell day, night and weather; stop the site on a person's word."""

    names = frozenset((*_CALENDAR, *WEATHER, *_WARNINGS, "stop_work_order"))
    fallback = WEATHER
    """A person may state these; the word counts only where no sensor tells them."""

    def __init__(
        self, hub: Hub, site: Site, readings: Readings, access: Access
    ) -> None:
        self._hub, self._site = hub, site
        self.days = SiteDays(hub.clock)
        self._weather = Weather(hub, readings)
        self._weather.changed = self._sensed
        self._told: object = None
        self.changed: Callable[[Iterable[str]], None] = lambda _permits: None
        self.hold: Callable[..., object] = _unbound
        """The permit room's ``hold``: a stop-work order holds what it covers."""
        access.bind(StopWork, self._stop)
        access.bind(EndStopWork, self._end_stop)
        access.bind(WarnOfWeather, self._warn)
        access.bind(EndWeatherWarning, self._end_warning)
        hub.on(WorkStopped, self._stopped)
        hub.on(WorkAllowed, lambda body, _: self._tell(body.order.covers))
        hub.on(WeatherWarned, lambda _body, _: self._tell())
        hub.on(WeatherWarningEnded, lambda _body, _: self._tell())
        hub.on(ClockStepped, lambda _body, _: self._turned())
        hub.undo(WorkAllowed, self._stop_again)
        hub.undo(WeatherWarningEnded, self._warn_again)

    # --- room -----------------------------------------------------------------

    def arm(self) -> None:
        """Take the site's time zone, calendar and sensors."""
        self.days.arm(self._hub.bundle.site)
        self._weather.arm()
        self._told = None

    def recover(self, clean: bool) -> None:
        """Find the sensors again, after a replay."""
        self._weather.arm()

    def tick(self) -> None:
        """Notice when night, day or holiday begins; hold what is stopped (R1)."""
        self._turned()
        for order in list(self._state.stops.values()):
            self._hold(order, CORE)

    # --- answers --------------------------------------------------------------

    def facts(self, permit: PermitRecord, kind: Kind, pack: Pack) -> Values:
        """Return what can be told of a permit's surroundings now."""
        found = self.days.facts(pack)
        measured, sensed = self._weather.facts(permit.zone_id)
        found |= measured
        for name in WEATHER - sensed:
            self._stated(name, permit, found)
        for name, weather in _WARNINGS.items():
            found[name] = self.warned(weather)
        found["stop_work_order"] = self.stopped(permit.zone_id) is not None
        return found

    def night_begins(self, permit: PermitRecord, pack: Pack) -> float | None:
        """Return the seconds until a permit's night; 0 at night, None if unknown."""
        return self.days.night_begins(pack)

    def stopped(self, zone_id: str) -> StopOrder | None:
        """Return an order that stops the work of a zone, if one stands."""
        orders = self._state.stops.values()
        return next((each for each in orders if each.covers(zone_id)), None)

    def warned(self, weather: str) -> bool:
        """Say whether a warning stands; one whose end nobody can tell does."""
        warning = self._state.warnings.get(weather)
        if warning is None:
            return False
        left = warning.until.remaining_ns(self._hub.clock)
        return left is None or left > 0

    def sensed(self, fact: str, zone_id: str) -> Value:
        """Return what the sensors that count for a zone tell; None: UNKNOWN."""
        return self._weather.facts(zone_id)[0].get(fact)

    def senses(self, fact: str, zone_id: str) -> bool:
        """Say whether any sensor counts for a fact of a zone."""
        return fact in self._weather.facts(zone_id)[1]

    @property
    def _state(self) -> SurroundingsState:
        return self._hub.state.permits.surroundings

    def _stated(self, name: str, permit: PermitRecord, found: Values) -> None:
        said, clock = permit.life.declared.get(name), self._hub.clock
        if said is None or said.boot_id != clock.boot_id:
            return
        age_ns = clock.mono_ns() - said.mono_ns
        if 0 <= age_ns <= int(STATED_S * NS) and possible(FACTS[name], said.value):
            found[name] = said.value

    # --- changes --------------------------------------------------------------

    def _turned(self) -> None:
        """Tell when the kind of day or hour is another than before."""
        packs = self._hub.bundle.packs
        now = [self.days.facts(pack) for pack in packs]
        if now != self._told:
            self._told = now
            self._tell()

    def _tell(self, covers: Callable[[str], bool] = lambda _zone: True) -> None:
        permits = [p.id for p in self._open() if p.life.pack and covers(p.zone_id)]
        if permits:
            self.changed(permits)

    def _sensed(self, fact: str, zone_id: str | None) -> None:
        own = self._weather.own
        self._tell(lambda zone: zone == zone_id or not own(fact, zone))

    def _open(self) -> list[PermitRecord]:
        permits = self._hub.state.permits.permits.values()
        return [permit for permit in permits if not permit.ended]

    # --- stop-work orders -----------------------------------------------------

    def _stop(
        self, actor: str, act: StopWork, _version: int | None, cause: Cause
    ) -> Answer:
        for zone_id in act.zones:
            if self._site.zone(zone_id) is None:
                raise Refused("site.zone_unknown", zone=zone_id)
        order = StopOrder(
            id=self._hub.ids.new(), zones=act.zones, reason=act.reason, by=actor
        )
        self._hub.emit(WorkStopped(order=order), cause)
        return {"order_id": order.id}

    def _stopped(self, body: WorkStopped, envelope: Envelope) -> None:
        self._hold(body.order, Cause(actor=envelope.cause.actor, parent=envelope.id))
        self._tell(body.order.covers)

    def _hold(self, order: StopOrder, cause: Cause) -> None:
        for permit in self._open():
            if permit.status in RUNNING and order.covers(permit.zone_id):
                params = {"reason": order.reason, "by": order.by}
                source = f"order:{order.id}"
                self.hold(
                    permit.id, "stop_work", source=source, params=params, cause=cause
                )

    def _end_stop(
        self, actor: str, act: EndStopWork, _version: int | None, cause: Cause
    ) -> Answer:
        order = self._state.stops.get(act.order_id)
        if order is None:
            raise Refused("site.no_order", order=act.order_id)
        self._hub.emit(WorkAllowed(order=order, by=actor), cause)
        return {"order_id": order.id}

    def _stop_again(self, body: WorkAllowed) -> None:
        self._hub.emit(WorkStopped(order=body.order))

    # --- weather warnings -----------------------------------------------------

    def _warn(
        self, actor: str, act: WarnOfWeather, _version: int | None, cause: Cause
    ) -> Answer:
        clock = self._hub.clock
        seconds = act.until_ms / 1_000 - clock.wall_ns() / NS
        if not clock.synced():
            seconds = _NO_END_S
        elif seconds <= 0:
            raise Refused("site.warning_past", kind=act.kind)
        until = Deadline.after(clock, min(seconds, _NO_END_S))
        known = self._state.warnings.get(act.kind)
        left = known.until.remaining_ns(clock) if known is not None else 0
        if known is not None and (left is None or left > seconds * NS):
            until = known.until
        warning = WeatherWarning(kind=act.kind, level=act.level, until=until, by=actor)
        self._hub.emit(WeatherWarned(warning=warning), cause)
        return {"kind": act.kind}

    def _end_warning(
        self, actor: str, act: EndWeatherWarning, _version: int | None, cause: Cause
    ) -> Answer:
        warning = self._state.warnings.get(act.kind)
        if warning is None:
            raise Refused("site.no_warning", kind=act.kind)
        self._hub.emit(WeatherWarningEnded(warning=warning, by=actor), cause)
        return {"kind": act.kind}

    def _warn_again(self, body: WeatherWarningEnded) -> None:
        if body.warning.kind not in self._state.warnings:
            self._hub.emit(WeatherWarned(warning=body.warning))


def _unbound(*_args: Any, **_named: Any) -> None:
    """Stand in until the permit room is there: then the facts alone hold."""
