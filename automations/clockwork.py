"""Times of day, sun and shifts: which of a rule's moments have come.

They are wall time: while nobody can trust it nothing comes due, and the rule does
what its on_unknown declares. A moment that fell into a stop is caught up (R7).
"""

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from automations.selecting import number, words
from core.clock import NS
from core.config import Trigger
from core.kernel import Kernel
from core.response.notices_config import DAY_MIN, Shift
from core.response.notices_duty import works

#: A moment that fell into a stop is answered late, if not later than this.
CATCH_UP_S = 3600.0
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = dt.timedelta(days=1)


class Moment(NamedTuple):
    """Name one moment of a trigger: wall ns, and its name such as 08:00."""

    wall_ns: int
    name: str


def moments(
    trigger: Trigger,
    zone: dt.tzinfo,
    after_ns: int,
    until_ns: int,
    shifts: Sequence[Shift] = (),
) -> list[Moment]:
    """Return the trigger's moments in (after, until], oldest first.

    ``shifts`` is the site's roster; raises LookupError for one it does not have.
    """
    wanted = words(trigger, "roster")
    unknown = set(wanted) - {shift.id for shift in shifts}
    if unknown:
        raise LookupError(f"no shift of the site: {', '.join(sorted(unknown))}")
    roster = [shift for shift in shifts if shift.id in wanted]
    first = dt.datetime.fromtimestamp(after_ns // NS, zone).date() - DAY
    last = dt.datetime.fromtimestamp(until_ns // NS, zone).date() + DAY
    found = []
    day = first
    while day <= last:
        if _wanted(trigger, day):
            found += _of_day(trigger, zone, day)
            found += [e for s in roster for e in _of_shift(trigger, zone, day, s)]
        day += DAY
    return sorted(each for each in found if after_ns < each.wall_ns <= until_ns)


def time_zone(kernel: Kernel) -> dt.tzinfo:
    """Return the site's time zone; one that the machine does not know is UTC."""
    from zoneinfo import ZoneInfo  # late: it reads Python's own build facts

    try:
        return ZoneInfo(kernel.hub.bundle.site.time_zone)
    except (KeyError, OSError, ValueError):
        return dt.UTC


def local(kernel: Kernel) -> dt.datetime | None:
    """Return the site's local time; None while wall time cannot be trusted."""
    clock = kernel.hub.clock
    if not clock.synced():
        return None
    return dt.datetime.fromtimestamp(clock.wall_ns() / NS, time_zone(kernel))


def catch_up_ns(trigger: Trigger) -> int:
    """Return how late a moment may be answered."""
    given = number(trigger, "catch_up")
    return int((CATCH_UP_S if given is None else given) * NS)


def _wanted(trigger: Trigger, day: dt.date) -> bool:
    days = words(trigger, "days")
    if days and _DAYS[day.weekday()] not in days:
        return False
    return day.isoformat() not in words(trigger, "except")


def _of_day(trigger: Trigger, zone: dt.tzinfo, day: dt.date) -> list[Moment]:
    shift = dt.timedelta(seconds=number(trigger, "offset") or 0.0)
    made = []
    for name in words(trigger, "at") or words(trigger, "starts"):
        hour, minute = (int(part) for part in name.split(":"))
        local = dt.datetime.combine(day, dt.time(hour, minute), zone)
        made.append(_moment(local + shift, name))
    event = str(trigger.fields.get("sun", ""))
    if event:
        place = (number(trigger, "latitude"), number(trigger, "longitude"))
        rise = sun(day, place[0] or 0.0, place[1] or 0.0, rises=event == "sunrise")
        if rise is not None:
            made.append(_moment(rise + shift, event))
    return made


def _of_shift(
    trigger: Trigger, zone: dt.tzinfo, day: dt.date, shift: Shift
) -> Iterator[Moment]:
    """Yield when a shift of a day begins, or ends; a night belongs to its evening."""
    begin, end = shift.span
    start = dt.datetime.combine(day, dt.time()) + dt.timedelta(minutes=begin)
    if not works(shift, start):
        return
    length = (end - begin) % DAY_MIN or DAY_MIN
    late = trigger.fields.get("event") == "ends"
    at = start + dt.timedelta(minutes=length if late else 0)
    offset = dt.timedelta(seconds=number(trigger, "offset") or 0.0)
    yield _moment(at.replace(tzinfo=zone) + offset, shift.id)


def _moment(at: dt.datetime, name: str) -> Moment:
    return Moment(int(at.timestamp()) * NS, name)


def sun(
    day: dt.date, latitude: float, longitude: float, *, rises: bool
) -> dt.datetime | None:
    """Return sunrise or sunset (UTC) within two minutes; None in a polar night.

    The equation of time and the declination are the usual low-precision series
    of the fractional year; the sun's upper edge at 90.833° counts.
    """
    year = 2 * math.pi / 365 * (day.timetuple().tm_yday - 1)
    equation = 229.18 * (
        0.000075
        + 0.001868 * math.cos(year)
        - 0.032077 * math.sin(year)
        - 0.014615 * math.cos(2 * year)
        - 0.040849 * math.sin(2 * year)
    )
    declination = (
        0.006918
        - 0.399912 * math.cos(year)
        + 0.070257 * math.sin(year)
        - 0.006758 * math.cos(2 * year)
        + 0.000907 * math.sin(2 * year)
        - 0.002697 * math.cos(3 * year)
        + 0.00148 * math.sin(3 * year)
    )
    here = math.radians(latitude)
    cosine = math.cos(math.radians(90.833)) / (
        math.cos(here) * math.cos(declination)
    ) - math.tan(here) * math.tan(declination)
    if not -1 <= cosine <= 1:
        return None
    angle = math.degrees(math.acos(cosine)) * (1 if rises else -1)
    minutes = 720 - 4 * (longitude + angle) - equation
    midnight = dt.datetime.combine(day, dt.time(), dt.UTC)
    return midnight + dt.timedelta(minutes=minutes)
