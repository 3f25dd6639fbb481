"""Night, holidays, days of rest and special periods (H13; AQ 3064.2 5.8.3, 5.10.8).

Everything is judged by the site's own time zone. While the wall clock is not to be
trusted, the zone's rules are missing or nobody has said which days are holidays,
nothing is told, and that is UNKNOWN.
"""

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from core.api.reading import Value
from core.clock import NS, Clock
from core.config import Calendar, Period, Site
from core.permits.pack import Pack

#: Settings of a pack that say when the night is, in hours of the day.
NIGHT_FROM: Final = "night_from_h"
NIGHT_TO: Final = "night_to_h"

Values = dict[str, Value]


class SiteDays:
    """Tell what kind of day, and whether it is night, at the site."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._zone: tzinfo | None = None
        self._calendar: Calendar | None = None

    def arm(self, site: Site) -> None:
        """Take the site's time zone and calendar."""
        from zoneinfo import ZoneInfo  # late: it reads Python's own build facts

        try:
            self._zone = ZoneInfo(site.time_zone)
        except (KeyError, OSError, ValueError):
            self._zone = None
        self._calendar = site.calendar

    def now(self) -> datetime | None:
        """Return the site's time; None while nobody can tell it."""
        if self._zone is None or not self._clock.synced():
            return None
        seconds = self._clock.wall_ns() / NS
        return datetime.fromtimestamp(seconds, UTC).astimezone(self._zone)

    def facts(self, pack: Pack) -> Values:
        """Return what can be told of this day and hour under a pack."""
        now = self.now()
        if now is None:
            return {}
        found = day_facts(self._calendar, now.date())
        night = _night(pack)
        if night is not None:
            found["is_night"] = _within(_hour(now), *night)
        return found

    def night_begins(self, pack: Pack) -> float | None:
        """Return the seconds until a pack's night; 0 at night, None if unknown."""
        now, night = self.now(), _night(pack)
        if now is None or night is None or night[0] == night[1]:
            return None
        if _within(_hour(now), *night):
            return 0.0
        today = datetime.combine(now.date(), datetime.min.time())
        begins = [
            (today + timedelta(days=day, hours=night[0])).replace(tzinfo=self._zone)
            for day in (-1, 0, 1, 2)
        ]
        left = [each.timestamp() - now.timestamp() for each in begins]
        return min(each for each in left if each > 0)


def day_facts(calendar: Calendar | None, on: date) -> Values:
    """Return what a calendar tells of a day; nothing is UNKNOWN."""
    day = on.isoformat()
    if calendar is None or not calendar.known_from <= day <= calendar.known_to:
        return {}
    worked = day in calendar.work_days
    return {
        "is_holiday": _in_any(day, calendar.holidays),
        "is_rest_day": on.isoweekday() in calendar.rest_days and not worked,
        "is_special_period": _in_any(day, calendar.special_periods),
    }


def _in_any(day: str, periods: tuple[Period, ...]) -> bool:
    return any(each.first <= day <= each.last for each in periods)


def _hour(now: datetime) -> float:
    return now.hour + now.minute / 60 + (now.second + now.microsecond / 1e6) / 3600


def _night(pack: Pack) -> tuple[float, float] | None:
    begins, ends = pack.setting(NIGHT_FROM), pack.setting(NIGHT_TO)
    return None if begins is None or ends is None else (begins.value, ends.value)


def _within(hour: float, begins: float, ends: float) -> bool:
    if begins <= ends:
        return begins <= hour < ends
    return hour >= begins or hour < ends
