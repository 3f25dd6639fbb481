"""How far is left, and where to gather (issue: scope, muster points; design §5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api.quality import Quality
from core.config import Geo
from core.response.events import EvacuationStarted, NoticeQueued
from core.response.roll_events import MusterChanged
from core.site.leaving import Levels, Scope
from core.site.site import overlap
from tests.support.evac import Evac, site, widened
from tests.support.yard import HOST, square


@pytest.fixture
def yard() -> Evac:
    return Evac()


def order(yard: Evac) -> NoticeQueued:
    """Return the first order to leave."""
    found = [n for n in yard.events(NoticeQueued) if n.code.startswith("order.leave")]
    first: NoticeQueued = found[0]
    return first


# --- scope ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("levels", "gas", "also"),
    [
        ("none", "h2s", ()),
        ("below", "", ("cellar",)),
        ("above", "", ("hall",)),
        ("both", "", ("hall", "cellar")),
        ("gas", "h2s", ("cellar",)),  # 34 g/mol sinks
        ("gas", "lel", ("hall",)),  # methane rises
        ("gas", "o2", ("hall", "cellar")),  # nobody knows: both
        ("gas", "", ("hall", "cellar")),
    ],
)
def test_the_gas_decides_which_levels_are_left(
    yard: Evac, levels: Levels, gas: str, also: tuple[str, ...]
) -> None:
    yard.arm(widened(yard.bundle, Scope(levels=levels)))
    record = yard.call("tank", quantity=gas)
    assert record.zones[0] == "tank"
    assert set(record.zones[1:]) == set(also)
    assert record.asked == ["tank"]


def test_neighbours_and_named_zones_are_left_too(yard: Evac) -> None:
    scope = Scope(neighbours=True, zones=("gate",))
    yard.arm(site(yard.bundle, leave=scope))
    assert yard.call("tank").zones == ["tank", "yard", "gate"]


@given(x=st.floats(-30, 30), y=st.floats(-30, 30), side=st.floats(0.5, 20))
def test_overlap_goes_both_ways(x: float, y: float, side: float) -> None:
    one, other = square(0, 0, 10), square(x, y, side)
    assert overlap(one, other) == overlap(other, one)
    inside = 0 < x and 0 < y and x + side < 10 and y + side < 10
    apart = x > 10 or y > 10 or x + side < 0 or y + side < 0
    assert overlap(one, other) or not inside
    assert not (overlap(one, other) and apart)


# --- muster points ----------------------------------------------------------------


def test_no_point_downwind_is_offered(yard: Evac) -> None:
    """The gate lies east of the tank: a west wind blows the gas there."""
    yard.wind(270.0)
    record = yard.call("tank")
    assert record.refused["m-gate"] == "downwind"
    assert "m-gate" not in record.muster_points
    assert record.wind == "270"


def test_a_wind_from_there_leaves_it_offered(yard: Evac) -> None:
    yard.wind(90.0)
    record = yard.call("tank")
    assert "m-gate" in record.muster_points


@pytest.mark.parametrize("bearing", [0.0, 90.0, 200.0])
def test_the_plan_may_be_turned(yard: Evac, bearing: float) -> None:
    yard.arm(site(yard.bundle, geo=Geo(lat=31, lon=121, bearing_deg=bearing)))
    yard.wind((270.0 + bearing) % 360)
    assert yard.call("tank").refused.get("m-gate") == "downwind"


@pytest.mark.parametrize("spoil", ["stale", "bad", "none", "no_north"])
def test_unknown_wind_is_told(yard: Evac, spoil: str) -> None:
    """Only a GOOD vane is believed; unknown is said, and never taken for safe."""
    if spoil != "none":
        yard.wind(90.0)
    if spoil == "stale":
        yard.live(40)
    elif spoil == "bad":
        yard.report(HOST, "mast", "vane", 90.0, Quality.UNCERTAIN)
    elif spoil == "no_north":
        yard.arm(site(yard.bundle, geo=None))
    record = yard.call("tank")
    assert record.wind == "unknown"
    assert "muster.wind_unknown" in str(order(yard).params["then"])


def test_no_direction_counts_in_calm(yard: Evac) -> None:
    yard.wind(270.0, speed=0.2)
    assert yard.call("tank").wind == "calm"


def test_a_point_in_alarm_or_unseen_is_withdrawn_and_told(yard: Evac) -> None:
    record = yard.call("tank")
    assert "m-gate" in record.muster_points
    yard.kernel.alarms.raise_(
        "zone:gate", "x", kind="sos", priority=1, zone_id="gate", life_safety=True
    )
    yard.live(2)
    assert record.refused["m-gate"] == "alarm"
    (changed,) = yard.events(MusterChanged)
    assert "m-gate" not in changed.offered
    told = {n.person_id for n in yard.events(NoticeQueued) if n.code == "notice.muster"}
    assert told == {"ann", "bob"}


def test_a_point_comes_back_only_after_a_sure_while(yard: Evac) -> None:
    record = yard.call("tank")
    yard.kernel.alarms.raise_(
        "zone:gate", "x", kind="sos", priority=1, zone_id="gate", life_safety=True
    )
    yard.live(2)
    yard.kernel.alarms.clear("zone:gate", "x")
    yard.live(200)
    assert "m-gate" not in record.muster_points
    yard.live(120)
    assert "m-gate" in record.muster_points


def test_where_none_is_safe_nobody_is_sent_to_one(yard: Evac) -> None:
    points = yard.bundle.site.muster_points[:1]
    yard.arm(site(yard.bundle, muster_points=points))
    yard.wind(270.0)
    record = yard.call("tank")
    assert record.muster_points == []
    assert order(yard).params["then"] == "muster.none"


def test_a_started_evacuation_replays_as_it_was(yard: Evac) -> None:
    yard.wind(270.0)
    yard.call("tank", quantity="h2s")
    (body,) = yard.events(EvacuationStarted)
    assert body.gases == {"tank": ("h2s",)}
    assert yard.replayed().response == yard.hub.state.response
    assert body.refused["m-gate"] == "downwind"
