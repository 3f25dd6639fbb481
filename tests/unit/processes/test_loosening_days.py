"""Whoever takes a holiday from work that is booked for it needs a second word (H13)."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import NS
from core.config import Bundle, Calendar, Names, Period
from core.permits.life_acts import RejectPermit
from core.permits.lifecycle import PermitStatus
from core.permits.state import PermitRecord
from core.processes import loosening_days
from core.processes.acts import ArmConfig
from core.processes.arming import Arming
from core.processes.loosening import Loosening, loosens
from core.processes.loosening_work import weighty
from tests.support.works import Works, bundle
from tests.unit.processes.test_loosening import put
from tests.unit.processes.test_two_persons import Store

FEAST = Period(names=Names(zh="节", en="Feast"), first="2026-10-01", last="2026-10-03")
YEAR = Calendar(known_from="2026-01-01", known_to="2026-12-31", holidays=(FEAST,))
#: 2026-10-02, 09:00 in Shanghai.
_THEN_NS = 1_790_902_800 * NS
_HOUR = 3600 * NS


def site(calendar: Calendar | None) -> Bundle:
    made: Bundle = put(bundle(), site=put(bundle().site, calendar=calendar))
    return made


def permit(kind: str = "hot-2", from_ns: int = _THEN_NS) -> PermitRecord:
    """Return a work of four hours on the second day of the feast."""
    bench = Works()
    found = bench.permit(bench.booked(kind))
    found.life.from_wall_ns, found.life.to_wall_ns = from_ns, from_ns + 4 * _HOUR
    return found


def grave(new: Calendar | None, *booked: PermitRecord) -> list[Loosening]:
    return weighty(loosens(site(YEAR), site(new)), (), booked)


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        ({"holidays": ()}, True),
        ({"holidays": (put(FEAST, first="2026-10-03"),)}, True),
        # A day of rest still asks for a raised grade, by another clause.
        ({"holidays": (put(FEAST, last="2026-10-05"),)}, False),
        ({"special_periods": (FEAST,)}, False),
        ({"names": "known"}, False),
        ({"rest_days": ()}, False),
        ({"rest_days": (1, 2, 3, 4, 5, 6, 7)}, False),
        ({"known_to": "2027-12-31"}, False),
    ],
)
def test_a_holiday_less_takes_two_while_work_is_booked_for_it(
    change: dict[str, Any], asked: bool
) -> None:
    """GB 30871 5.1.1: nobody lowers it alone; one person tells of a new year."""
    new = put(YEAR, **{k: v for k, v in change.items() if k != "names"})
    assert bool(grave(new, permit())) is asked
    assert not grave(new)


def test_work_of_other_days_and_kinds_does_not_mind() -> None:
    """Design §5 Security: anything that an active permit needs."""
    bare = put(YEAR, holidays=())
    assert not grave(bare, permit(from_ns=_THEN_NS + 240 * _HOUR))
    assert not grave(bare, permit("hot-special"))
    assert not grave(bare, permit("confined"))
    assert grave(bare, permit("hot-1"))


def test_a_day_of_which_nobody_had_told_is_no_way_around() -> None:
    """Unknown is never safe: out of the known days, and in again as a common one."""
    less = put(YEAR, known_to="2026-09-30")
    for old, new, asked in ((YEAR, less, False), (less, put(YEAR, holidays=()), True)):
        found = weighty(loosens(site(old), site(new)), (), (permit(),))
        assert bool(found) is asked


def test_running_work_counts_as_well() -> None:
    running = permit()
    running.status = PermitStatus.ACTIVE
    found = loosens(site(YEAR), site(put(YEAR, holidays=())))
    (each,) = weighty(found, (running,))
    assert (each.part, each.path, each.old) == ("calendar", "is_holiday", "2026-10-01")


_DAYS = st.integers(0, 60).map(
    lambda n: (date(2026, 9, 1) + timedelta(days=n)).isoformat()
)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    first, last = sorted((draw(_DAYS), draw(_DAYS)))
    begin, end = sorted((draw(_DAYS), draw(_DAYS)))
    return Calendar(
        known_from=first,
        known_to=last,
        holidays=(msgspec.structs.replace(FEAST, first=begin, last=end),),
        rest_days=tuple(draw(st.sets(st.integers(1, 7)))),
        work_days=tuple(draw(st.sets(_DAYS, max_size=3))),
    )


@given(calendars(), calendars())
def test_the_days_that_are_looked_at_tell_of_every_difference(
    old: Calendar, new: Calendar
) -> None:
    """No loosened day hides between those that are compared."""
    every = [date(2026, 8, 20) + timedelta(days=n) for n in range(90)]
    whole = {name for _, name in loosening_days.looser((old, new), every)}
    days = loosening_days.telling((old, new))
    assert {name for _, name in loosening_days.looser((old, new), days)} == whole


def test_the_hub_asks_for_the_second_word_while_work_is_booked() -> None:
    """Design §5 Security: one person adds a feast, two take it away again."""
    works, store = Works(), Store()
    Arming(works.kernel, store, lambda _digest, _data: None)
    today = put(FEAST, first="2026-09-22", last="2026-09-22")
    feast, plain = site(put(YEAR, holidays=(today,))), site(YEAR)
    works.ok("sam", ArmConfig(hash=store.put(feast)))
    permit_id = works.booked("hot-2")
    asked = ArmConfig(hash=store.put(plain))
    assert works.refused("sam", asked)[0] == "config.second_needed"
    works.ok("ivy", RejectPermit(permit_id=permit_id, reason="not today"))
    works.ok("sam", asked)
