"""Who works now, by the site's shifts; and whether a notice may wait for morning."""

from datetime import UTC, date, datetime, timedelta, tzinfo

from core.clock import NS
from core.hub import Hub
from core.logic.truth import Truth
from core.response.notices_config import DAY_MIN, Shift

#: An alarm of this priority is advice; every other one wakes people.
_ADVICE = 4
#: What a hub knows to be able to wait; a site's policy adds its own.
WAITING = ("card.", "notice.rule.battery", "notice.rule.noise")


class Duty:
    """Judge shifts by the site's own clock; what it cannot tell is UNKNOWN."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._zone: tzinfo | None = None
        self._shifts: dict[str, list[Shift]] = {}

    def arm(self) -> None:
        """Take time zone and shifts from the bundle."""
        from zoneinfo import ZoneInfo  # late: it reads Python's own build facts

        try:
            self._zone = ZoneInfo(self._hub.bundle.site.time_zone)
        except (KeyError, OSError, ValueError):
            self._zone = None
        self._shifts = {}
        for shift in self._hub.bundle.shifts:
            for person_id in shift.people:
                self._shifts.setdefault(person_id, []).append(shift)

    def on_shift(self, person_id: str) -> Truth:
        """Say whether a person works now; in no shift's list is UNKNOWN."""
        shifts = self._shifts.get(person_id)
        now = self._now() if shifts else None
        if not shifts or now is None:
            return Truth.UNKNOWN
        return Truth.TRUE if any(works(each, now) for each in shifts) else Truth.FALSE

    def present(self, people: list[str]) -> list[str]:
        """Leave out who is known to be off; all of them where that is everybody."""
        return [p for p in people if self.on_shift(p) is not Truth.FALSE] or people

    def may_wait(self, code: str, about: str) -> bool:
        """Say whether quiet hours may hold a notice back: only what is known to.

        What an alarm tells waits where the alarm is mere advice.
        """
        alarm = self._hub.state.alarms.open.get(about)
        if alarm is not None and (alarm.life_safety or alarm.priority < _ADVICE):
            return False
        if about in self._hub.state.response.evacuations:
            return False
        known = (*WAITING, *self._hub.bundle.notices.may_wait)
        return alarm is not None or code.startswith(known)

    def _now(self) -> datetime | None:
        clock = self._hub.clock
        if self._zone is None or not clock.synced():
            return None
        seconds = clock.wall_ns() / NS
        local = datetime.fromtimestamp(seconds, UTC).astimezone(self._zone)
        return local.replace(tzinfo=None)


def works(shift: Shift, now: datetime) -> bool:
    """Say whether a shift runs at a local time; a night belongs to its first day."""
    begin, end = shift.span
    length = (end - begin) % DAY_MIN or DAY_MIN
    for back in (0, 1):
        day = now.date() - timedelta(days=back)
        start = datetime.combine(day, datetime.min.time()) + timedelta(minutes=begin)
        if start <= now < start + timedelta(minutes=length) and begins(shift, day):
            return True
    return False


def begins(shift: Shift, day: date) -> bool:
    """Say whether a shift begins on a day."""
    if day.isoweekday() not in shift.days:
        return False
    if not shift.first:
        return True
    return (day - date.fromisoformat(shift.first)).days % shift.cycle in shift.on
