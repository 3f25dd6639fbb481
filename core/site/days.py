"""The site's own days, where the wall clock can be trusted (design §5 Time)."""

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Final

from core.clock import NS
from core.deadlines import Deadline
from core.hub import Hub

#: Where the zone's rules are missing, days end as early as anywhere on Earth.
_EARLIEST: Final = timezone(timedelta(hours=14))


class Days:
    """Tell the day of a moment in the site's time zone."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._zone: tzinfo = _EARLIEST
        self._today = date.min
        self._from_ns = self._to_ns = 0

    def arm(self) -> None:
        """Take the site's time zone from the bundle."""
        from zoneinfo import ZoneInfo  # late: it reads Python's own build facts

        try:
            self._zone = ZoneInfo(self._hub.bundle.site.time_zone)
        except (KeyError, OSError, ValueError):
            self._zone = _EARLIEST
        self._from_ns = self._to_ns = 0

    def today(self) -> date | None:
        """Return the site's day; None while the wall clock is not to be trusted."""
        clock = self._hub.clock
        return self._day(clock.wall_ns()) if clock.synced() else None

    def of(self, then: Deadline) -> date | None:
        """Return the day at which something happened; None when nobody can tell.

        In the same boot the trusted clock of now tells it, wherever the wall
        clock stood then.
        """
        clock = self._hub.clock
        if not clock.synced():
            return None
        left = then.remaining_ns(clock)
        return None if left is None else self._day(clock.wall_ns() + left)

    def _day(self, wall_ns: int) -> date:
        if not self._from_ns <= wall_ns < self._to_ns:
            self._new_day(wall_ns)
        return self._today

    def _new_day(self, wall_ns: int) -> None:
        """Keep the day of a moment, and from when to when it lasts."""
        wall = datetime.fromtimestamp(wall_ns / NS, UTC).astimezone(self._zone)
        self._today = wall.date()
        midnight = datetime.combine(self._today, datetime.min.time())
        begin = midnight.replace(tzinfo=self._zone)
        end = (midnight + timedelta(days=1)).replace(tzinfo=self._zone)
        self._from_ns = int(begin.timestamp()) * NS
        self._to_ns = int(end.timestamp()) * NS
