"""What a new calendar loosens: days that ask for no raised grade any more (H13).

Pure. A day of which nobody has told anything is UNKNOWN and permits nothing, so it is
looser as well to say of it that it is a common one.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final

from core.clock import NS
from core.config import Bundle, Calendar
from core.logic.evaluate import names_of
from core.permits.pack import Kind, Pack
from core.permits.pack_rules import applies, own_rules
from core.permits.site_days import day_facts
from core.permits.state import PermitRecord

_FACTS: Final = ("is_holiday", "is_rest_day", "is_special_period")
_WEEK: Final = 7
#: A day of the site begins and ends at most so far from the one of Greenwich.
_EAST, _WEST = timedelta(hours=14), timedelta(hours=12)

Calendars = tuple[Calendar | None, Calendar | None]


def looser(calendars: Calendars, days: Iterable[date]) -> Iterator[tuple[date, str]]:
    """Yield the days, and what they are not any more."""
    old, new = calendars
    for day in days:
        before, after = day_facts(old, day), day_facts(new, day)
        for name in _FACTS:
            if before.get(name) is not False and after.get(name) is False:
                yield day, name


def telling(calendars: Calendars) -> list[date]:
    """Return days that show every difference: a week from where anything changes."""
    edges: set[date] = set()
    for each in calendars:
        if each is None:
            continue
        spans = [(p.first, p.last) for p in (*each.holidays, *each.special_periods)]
        spans += [(day, day) for day in each.work_days]
        spans.append((each.known_from, each.known_to))
        for first, last in spans:
            edges |= {date.fromisoformat(first), _after(date.fromisoformat(last))}
    return sorted({_after(edge, days) for edge in edges for days in range(_WEEK)})


def free(*bundles: Bundle) -> tuple[str, ...]:
    """Return the kinds of permit to which every day is the same."""
    asked: dict[str, bool] = {}
    for bundle in bundles:
        for pack in bundle.packs:
            for kind in pack.kinds:
                asked[kind.id] = asked.get(kind.id, False) or _asks(pack, kind)
    return tuple(sorted(name for name, asks in asked.items() if not asks))


def concerns(permit: PermitRecord, calendars: Calendars) -> bool:
    """Say whether a lawful permit is booked for, or runs on, a day that is looser."""
    life = permit.life
    if not life.pack:
        return False
    first = datetime.fromtimestamp(life.from_wall_ns // NS, UTC) - _WEST
    last = datetime.fromtimestamp(life.to_wall_ns // NS, UTC) + _EAST
    count = (last.date() - first.date()).days + 1
    days = (_after(first.date(), number) for number in range(count))
    return any(True for _ in looser(calendars, days))


def _asks(pack: Pack, kind: Kind) -> bool:
    rules = [rule for rule in pack.rules if applies(rule, kind)]
    asked = [
        condition
        for rule in (*own_rules(kind), *rules)
        for condition in (rule.when, rule.require)
        if condition is not None
    ]
    return any(not set(_FACTS).isdisjoint(names_of(each.node)) for each in asked)


def _after(day: date, days: int = 1) -> date:
    left = (date.max - day).days
    return day + timedelta(days=min(days, left))
