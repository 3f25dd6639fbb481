"""What is fresh and what is of the past: a replay never becomes a present value."""

from hypothesis import given
from hypothesis import strategies as st

from core.api import Quality
from core.clock import NS
from integrations.helmet import words
from integrations.helmet.worn import AHEAD_S, PAST_S, Stamp, Worn, device
from tests.support.host import FakeHost, Report

UID = "jt808-1"


class Site:
    """A helmet with a battery, on a host that writes down."""

    def __init__(self) -> None:
        self.host = FakeHost({})
        battery = words.state("battery", 30.0)
        assert battery is not None
        self.worn = Worn(self.host, device(UID, "h", "", (battery,)), 10.0)

    def now(self) -> float:
        return self.host.clock.wall_ns() / NS

    def say(self, at: float | None, seq: int, value: float) -> Report | None:
        self.worn.report(Stamp(at, seq), {"battery": (value, "")})
        return self.host.last(UID, "battery")


async def test_a_fresh_report_is_good_and_dated() -> None:
    site = Site()
    told = site.say(site.now() - 5, 1, 80)
    assert told is not None
    assert told.quality is Quality.GOOD
    age_s = (site.host.clock.mono_ns() - told.measured_ns) / NS
    assert age_s >= 4.0  # a clock of whole seconds may be behind by one


async def test_what_comes_again_is_not_told_again() -> None:
    site = Site()
    now = site.now()
    site.say(now, 5, 80)
    for at, seq in ((now, 5), (now - 1, 6), (now, 4), (now - 3600, 9)):
        site.say(at, seq, 10)
    assert len(site.host.reports[UID, "battery"]) == 1
    assert site.worn.counters["repeats"] == 4
    # The same second, and a later number: news.
    site.say(now, 6, 70)
    assert len(site.host.reports[UID, "battery"]) == 2


async def test_the_past_is_stale_with_its_own_time() -> None:
    site = Site()
    told = site.say(site.now() - PAST_S - 60, 1, 80)
    assert told is not None
    assert (told.quality, told.reason) == (Quality.STALE, "helmet.past")
    assert site.host.clock.mono_ns() - told.measured_ns > PAST_S * NS


async def test_a_clock_that_is_ahead_proves_nothing_and_stops_nothing() -> None:
    site = Site()
    told = site.say(site.now() + AHEAD_S + 5, 1, 80)
    assert told is not None
    assert (told.quality, told.reason) == (Quality.UNCERTAIN, "helmet.clock_ahead")
    told = site.say(site.now(), 2, 80)
    assert told is not None
    assert told.quality is Quality.GOOD


async def test_without_a_clock_nothing_is_proven() -> None:
    told = Site().say(None, 1, 80)
    assert told is not None
    assert told.quality is Quality.UNCERTAIN


@given(st.lists(st.tuples(st.floats(-7200, 7200), st.integers(0, 0xFFFF)), max_size=30))
async def test_good_never_goes_back_in_time(said: list[tuple[float, int]]) -> None:
    """R16: whatever order reports come in, no GOOD one is older than one before it."""
    site = Site()
    newest = -1.0
    for skew, seq in said:
        before = len(site.host.reports.get((UID, "battery"), ()))
        at = site.now() + skew
        told = site.say(at, seq, skew)
        fresh = len(site.host.reports.get((UID, "battery"), ())) > before
        if fresh and told is not None and told.quality is Quality.GOOD:
            assert at >= newest
            newest = at


async def test_a_bit_that_stays_is_one_call() -> None:
    site = Site()
    first = site.worn.rising({"sos": True, "fall": False}, "1")
    assert site.worn.rising({"sos": True, "fall": False}, "2") == first
    assert site.worn.rising({"sos": False, "fall": False}, "3") == {}
    assert site.worn.rising({"sos": True, "fall": False}, "4") != first
