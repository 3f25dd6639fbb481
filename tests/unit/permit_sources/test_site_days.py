"""Night, holidays, swapped days, special periods (H13; AQ 3064.2 5.8.3, 5.10.8)."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import NS, SimClock
from core.config import Names, Site
from core.permits.pack import Pack
from core.permits.site_days import SiteDays
from core.processes.events import ClockStepped
from tests.support.sources import CALENDAR, Sources, pack, site

DAYS = ("is_holiday", "is_rest_day", "is_special_period")
LONDON, LORD_HOWE = "Europe/London", "Australia/Lord_Howe"


def days(
    clock: SimClock, time_zone: str = "Asia/Shanghai", calendar: bool = True
) -> SiteDays:
    made = SiteDays(clock)
    made.arm(
        Site(
            id="s",
            names=Names(zh="s", en="s"),
            time_zone=time_zone,
            calendar=CALENDAR if calendar else None,
        )
    )
    return made


def clock_at(local: str, time_zone: str = "Asia/Shanghai", fold: int = 0) -> SimClock:
    moment = datetime.fromisoformat(local)
    moment = moment.replace(tzinfo=ZoneInfo(time_zone), fold=fold)
    return SimClock(int(moment.timestamp()) * NS)


@pytest.mark.parametrize(
    ("local", "told"),
    [
        ("2026-09-30T23:59:59", (False, False, False)),
        ("2026-10-01T00:00:00", (True, False, False)),
        ("2026-10-07T23:59:59", (True, False, False)),
        ("2026-10-08T00:00:00", (False, False, False)),
        ("2026-10-09T23:59:59", (False, False, False)),
        ("2026-10-10T12:00:00", (False, False, False)),  # a Saturday that is worked
        ("2026-10-11T00:00:00", (False, True, False)),  # a Sunday
        ("2026-11-02T00:00:00", (False, False, True)),
        ("2026-11-07T00:00:00", (False, True, False)),
    ],
)
def test_days(local: str, told: tuple[bool, ...]) -> None:
    facts = days(clock_at(local)).facts(pack())
    assert tuple(facts[name] for name in DAYS) == told


@pytest.mark.parametrize("local", ["2025-12-31T12:00:00", "2027-01-01T00:00:00"])
def test_days_that_nobody_has_spoken_of_are_unknown(local: str) -> None:
    """Last year's list of holidays proves nothing about this year."""
    facts = days(clock_at(local)).facts(pack())
    assert facts.keys() == {"is_night"}


def test_without_a_calendar_no_day_is_known() -> None:
    facts = days(clock_at("2026-06-01T12:00:00"), calendar=False).facts(pack())
    assert facts == {"is_night": False}


@pytest.mark.parametrize(
    ("night", "local", "told"),
    [
        ((22, 6), "21:59:59", False),
        ((22, 6), "22:00:00", True),
        ((22, 6), "05:59:59", True),
        ((22, 6), "06:00:00", False),
        ((21.5, 5.5), "21:30:00", True),
        ((21.5, 5.5), "05:30:00", False),
        ((24, 6), "23:59:59", False),
        ((24, 6), "00:00:00", True),
        ((0, 5), "04:59:59", True),
        ((0, 5), "05:00:00", False),
    ],
)
def test_night(night: tuple[float, float], local: str, told: bool) -> None:
    found = days(clock_at(f"2026-06-01T{local}"))
    assert found.facts(pack(night))["is_night"] is told


def test_a_pack_without_a_night_has_none_to_tell() -> None:
    found = days(clock_at("2026-06-01T23:00:00"))
    assert "is_night" not in found.facts(pack(None))
    assert found.night_begins(pack(None)) is None


@pytest.mark.parametrize("time_zone", ["Asia/Shanghai", "No/Where"])
def test_nothing_is_told_by_a_clock_or_zone_that_nobody_trusts(time_zone: str) -> None:
    clock = clock_at("2026-06-01T23:00:00")
    clock.trusted = time_zone == "No/Where"
    found = days(clock, time_zone)
    assert found.facts(pack()) == {} and found.night_begins(pack()) is None


@pytest.mark.parametrize(
    ("local", "seconds"),
    [
        ("20:00:00", 7200.0),
        ("21:59:59", 1.0),
        ("22:00:00", 0.0),
        ("03:00:00", 0.0),
        ("06:00:00", 16 * 3600.0),
    ],
)
def test_the_night_is_announced(local: str, seconds: float) -> None:
    found = days(clock_at(f"2026-06-01T{local}"))
    assert found.night_begins(pack()) == seconds


@pytest.mark.parametrize(
    ("local", "hours"),
    [
        ("2026-03-28T22:00:00", 7),
        ("2026-10-24T22:00:00", 9),
        ("2026-06-01T22:00:00", 8),
    ],
)
def test_a_night_is_an_hour_shorter_or_longer_where_clocks_change(
    local: str, hours: int
) -> None:
    """The site's wall decides, as it does for the people who read the permit."""
    clock = clock_at(local, LONDON)
    found = days(clock, LONDON)
    clock.advance(hours * 3600 - 1)
    assert found.facts(pack())["is_night"] is True
    clock.advance(1)
    assert found.facts(pack())["is_night"] is False


#: Seconds since 1970, from 2026-01-02 to 2026-12-29.
MOMENTS = st.integers(1_767_312_000, 1_798_502_400)


@given(MOMENTS, st.sampled_from(["Asia/Shanghai", LONDON, LORD_HOWE]))
def test_the_announced_night_begins_then_and_no_sooner(
    moment: int, time_zone: str
) -> None:
    """H13: warned two hours before, held when it begins."""
    clock = SimClock(moment * NS)
    found = days(clock, time_zone)
    left = found.night_begins(pack())
    assert left is not None and 0 <= left <= 17 * 3600
    if left:
        assert found.facts(pack())["is_night"] is False
        clock.advance(left - 1)
        assert found.facts(pack())["is_night"] is False
        clock.advance(1)
    assert found.facts(pack())["is_night"] is True
    assert found.night_begins(pack()) == 0.0


@given(MOMENTS, st.integers(0, 400), st.booleans())
def test_no_untrusted_clock_ever_gives_a_fact(
    moment: int, after: int, trusted: bool
) -> None:
    clock = SimClock(moment * NS)
    found = days(clock)
    clock.trusted = trusted
    clock.step_wall(timedelta(days=after).total_seconds())
    facts = found.facts(pack())
    assert bool(facts) is trusted
    local = datetime.fromtimestamp(clock.wall_ns() / NS, ZoneInfo("Asia/Shanghai"))
    assert ("is_holiday" in facts) is (trusted and local.year == 2026)


class TestTold:
    """`changed` is called when the kind of day or hour turns."""

    @pytest.mark.parametrize(
        ("utc", "fact"),
        [
            ("2026-06-01T13:59:50", "is_night"),
            ("2026-09-30T15:59:50", "is_holiday"),
            ("2026-10-10T15:59:50", "is_rest_day"),
            ("2026-11-01T15:59:50", "is_special_period"),
        ],
    )
    def test_within_a_second(self, utc: str, fact: str) -> None:
        yard = alone()
        permit = yard.work("p")
        yard.work("basic", zone_id="hall").life.pack = ""
        yard.at(utc)
        yard.live(2)
        yard.told.clear()
        yard.live(7)
        assert yard.told == [] and yard.around_(permit, law())[fact] is False
        yard.live(2)
        assert yard.told == [["p"]] and yard.around_(permit, law())[fact] is True

    def test_a_wall_step_is_told_at_once(self) -> None:
        yard = alone()
        permit = yard.work("p")
        yard.at("2026-06-01T04:00:00")
        yard.live(2)
        yard.told.clear()
        yard.at("2026-06-01T15:00:00")
        yard.hub.emit(ClockStepped(delta_s=39600, synced=True))
        assert yard.told == [["p"]]
        assert yard.around_(permit, law())["is_night"] is True
        yard.clock.trusted = False
        yard.live(2)
        assert yard.told == [["p"], ["p"]]
        assert "is_night" not in yard.around_(permit, law())

    def test_the_room_announces_the_night_too(self) -> None:
        yard = alone()
        permit = yard.work("p")
        yard.at("2026-06-01T12:00:00")
        assert yard.around.night_begins(permit, law()) == 7200.0


def alone() -> Sources:
    """Return a yard where the surroundings alone tell of changes."""
    yard = Sources(site(packs=(law(),)))
    yard.people.changed = lambda _permits: None
    return yard


def law() -> Pack:
    return pack()
