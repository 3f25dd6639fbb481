"""Shifts, and what may wait for morning: unknown is never safe (design §5 Notices)."""

import datetime as dt
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import config
from core.clock import NS
from core.config import Bundle, ChainStep, Names, NotifyChain
from core.logic.truth import Truth
from core.response.events import NoticeQueued
from core.response.notices_config import DAY_MIN, NoticePolicy, Shift, within
from core.response.notices_duty import Duty, works
from tests.support.yard import Yard

NAMES = Names(zh="班", en="shift")
SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = Shift(id="day", names=NAMES, span=(480, 1200), people=("sue",))
NIGHT = Shift(id="night", names=NAMES, span=(1200, 480), people=("sam",))
MINUTE = st.integers(0, DAY_MIN - 1)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("shift", "when", "on"),
    [
        (DAY, "2026-10-05 08:00", True),
        (DAY, "2026-10-05 20:00", False),
        (NIGHT, "2026-10-05 20:00", True),
        (NIGHT, "2026-10-06 07:59", True),
        (NIGHT, "2026-10-06 08:00", False),
        # A night belongs to the day on which it begins: Monday's ends on Tuesday.
        (msgspec.structs.replace(NIGHT, days=(1,)), "2026-10-06 03:00", True),
        (msgspec.structs.replace(NIGHT, days=(1,)), "2026-10-05 03:00", False),
        # Two days on, two days off, from the first of October.
        (
            msgspec.structs.replace(DAY, first="2026-10-01", cycle=4, on=(0, 1)),
            "2026-10-06 10:00",
            True,
        ),
        (
            msgspec.structs.replace(DAY, first="2026-10-01", cycle=4, on=(0, 1)),
            "2026-10-07 10:00",
            False,
        ),
        (msgspec.structs.replace(DAY, span=(480, 480)), "2026-10-05 03:00", True),
    ],
)
def test_who_works_when(shift: Shift, when: str, on: bool) -> None:
    assert works(shift, at(when)) is on


@given(MINUTE, MINUTE, MINUTE)
def test_a_span_and_its_rest_are_the_day(begin: int, end: int, minute: int) -> None:
    if begin != end:
        assert within(minute, (begin, end)) != within(minute, (end, begin))


class Roster(Yard):
    """The yard with two shifts; its clock stands at 22:13 in Shanghai."""

    def __init__(self) -> None:
        super().__init__()
        step = ChainStep(
            roles=("supervisor", "safety_officer"),
            channels=("screen",),
            respond_s=60.0,
            on_shift=True,
        )
        self.arm(chains=(NotifyChain(id="duty", steps=(step,)),), shifts=(DAY, NIGHT))

    def arm(self, **fields: object) -> None:
        self.bundle: Bundle = msgspec.structs.replace(self.bundle, **fields)
        self.hub.load(self.bundle)

    def told(self) -> list[str]:
        """Begin the chain; return who was told."""
        self.kernel.notices.tell_chain("duty", "notice.gas_alarm", {}, "a-1")
        self.settle()
        return [body.person_id for body in self.events(NoticeQueued)]


def test_only_those_on_shift_are_told() -> None:
    assert Roster().told() == ["sam"]


def test_who_is_in_no_shift_is_told_too() -> None:
    roster = Roster()
    roster.arm(shifts=(msgspec.structs.replace(NIGHT, people=("ann",)),))
    assert roster.told() == ["sue", "sam"]


def test_when_nobody_is_on_shift_all_are_told() -> None:
    roster = Roster()
    both = msgspec.structs.replace(DAY, people=("sue", "sam"))
    roster.arm(shifts=(both,))
    assert roster.told() == ["sue", "sam"]


def test_when_nobody_knows_the_time_all_are_told() -> None:
    roster = Roster()
    roster.clock.trusted = False
    assert roster.told() == ["sue", "sam"]


def test_a_time_zone_that_nobody_knows_is_unknown() -> None:
    roster = Roster()
    site = msgspec.structs.replace(roster.bundle.site, time_zone="Mars/Olympus")
    roster.arm(site=site)
    duty = Duty(roster.hub)
    duty.arm()
    assert duty.on_shift("sue") is Truth.UNKNOWN
    assert roster.told() == ["sue", "sam"]


def test_the_clock_of_the_roster_is_the_sites() -> None:
    roster = Roster()
    seconds = roster.clock.wall_ns() / NS
    local = dt.datetime.fromtimestamp(seconds, SHANGHAI)
    assert local.hour == 22


class TestMayWait:
    """Only what is known to be able to wait is held back by quiet hours."""

    @pytest.mark.parametrize(
        ("code", "waits"),
        [
            ("card.expiring", True),
            ("notice.rule.battery", True),
            ("notice.rule.handover", True),
            ("notice.gas_alarm", False),
            ("order.leave", False),
            ("notice.permit_expired", False),
        ],
    )
    def test_by_its_code(self, code: str, waits: bool) -> None:
        roster = Roster()
        roster.arm(notices=NoticePolicy(may_wait=("notice.rule.handover",)))
        roster.kernel.notices.tell_persons(("sue",), code, {}, "about")
        (body,) = roster.events(NoticeQueued)
        assert body.may_wait is waits

    @pytest.mark.parametrize(
        ("priority", "life", "waits"),
        [(4, False, True), (3, False, False), (1, False, False), (4, True, False)],
    )
    def test_by_the_alarm_that_it_is_about(
        self, priority: int, life: bool, waits: bool
    ) -> None:
        roster = Roster()
        alarm = roster.kernel.alarms.raise_(
            "zone:tank", "x", kind="gas.toxic", priority=priority, life_safety=life
        )
        tell = roster.kernel.notices.tell_persons
        tell(("sue",), "card.expiring", {}, alarm)
        assert roster.events(NoticeQueued)[-1].may_wait is waits

    def test_nothing_about_an_evacuation_waits(self) -> None:
        roster = Roster()
        run = roster.kernel.evacuations.start(["tank"], "gas.toxic")
        roster.kernel.notices.tell_persons(("sue",), "card.expiring", {}, run)
        assert not any(body.may_wait for body in roster.events(NoticeQueued))


def test_the_bundle_keeps_it_all() -> None:
    roster = Roster()
    assert config.load(config.dump(roster.bundle)).shifts == (DAY, NIGHT)
