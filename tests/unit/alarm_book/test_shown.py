"""What a page is given: groups, floods, risk; nothing hides a life-safety alarm."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.alarms.events import AlarmClosed, AlarmRaised, AlarmReturned
from core.api.quality import Quality
from core.api.reading import Value
from core.clock import SimClock
from core.link import messages as m
from core.people.events import PersonMoved
from frontend_api.alarm_groups import SHOWN, Groups
from frontend_api.alarmfeed import AlarmFeed
from frontend_api.render import Renderer
from frontend_api.replica import Replica
from frontend_api.risk import Input, Risk, index, shares, shipped
from tests.ui.fixture_core import CALM, FixtureCore


class Page:
    """Hold a fixture's core and what the gateway makes of it."""

    def __init__(self) -> None:
        self.clock = SimClock()
        self.core, self.replica = FixtureCore(self.clock), Replica(self.clock)
        self.core.start()
        self.core.deliver = self.replica.receive
        self.core.receive(m.Hello(name="gateway", role="gateway", version="1"))
        self.replica.link(True)
        self.renderer = Renderer(self.replica)
        self.groups = Groups(self.renderer, lambda: 1)
        self.risk = Risk(self.renderer)
        self.sent: list[Any] = []
        self.resets = 0

    def follow(self) -> AlarmFeed:
        feed = AlarmFeed(self.replica, self.renderer, self.groups)
        feed.publish = lambda data: self.sent.append(json.loads(data))
        feed.reset = self._reset
        return feed

    def _reset(self) -> None:
        self.resets += 1

    def raise_(self, alarm_id: str, **fields: object) -> str:
        given_: dict[str, object] = {
            "source": f"entity:{alarm_id}",
            "condition": "c",
            "kind": "level",
            "priority": 3,
            "zone_id": "yard",
            **fields,
        }
        self.core.emit(AlarmRaised(alarm_id=alarm_id, **given_))  # type: ignore[arg-type]
        return alarm_id

    def tell(self, entity: str, value: Value, quality: int) -> None:
        row = m.LiveRow(entity, value, quality, self.clock.wall_ns())
        self.replica.receive(m.Live(rows=[row]))

    def indices(self) -> dict[str, int]:
        return {zone: view.index for zone, view in self.risk.views().items()}


# --- groups -----------------------------------------------------------------------

_alarm = st.fixed_dictionaries(
    {
        "source": st.sampled_from(
            ["entity:e-gd-pit-h2s", "device:d-gd-pit", "host:modbus", "zone:pit"]
        ),
        "condition": st.sampled_from(["down", "high", "lost", "unmonitored.modbus"]),
        "kind": st.sampled_from(["gas.toxic", "fault.lost", "fault.host", "sos"]),
        "priority": st.integers(1, 4),
        "zone_id": st.sampled_from(["pit", "yard", None]),
        "life_safety": st.booleans(),
        "mark": st.sampled_from(["", "", "DRILL"]),
    }
)


@given(st.lists(_alarm, max_size=30, unique_by=lambda a: (a["source"], a["condition"])))
@settings(max_examples=60, deadline=None)
def test_grouping_loses_nothing_and_hides_no_life_safety(alarms: list[Any]) -> None:
    """Design §5 Alarms: one line with its members; life safety stands by itself."""
    page = Page()
    for number, fields in enumerate(alarms):
        page.raise_(f"a{number}", **fields)
    groups = page.groups.groups().values()
    told = [each for group in groups for each in (*group.always, *group.members)]
    known = page.replica.state.alarms.open
    assert sorted(told) == sorted(known)
    always = {each for group in groups for each in group.always}
    assert always == {key for key, record in known.items() if record.life_safety}
    for group in groups:
        assert group.cause.zh
        assert group.cause.en


def test_a_dead_host_explains_the_faults_behind_it() -> None:
    page = Page()
    page.raise_("h", source="host:modbus", condition="down", kind="fault.host")
    page.raise_("d", source="entity:e-gd-pit-h2s", condition="lost", kind="fault.lost")
    page.raise_("g", source="zone:pit", kind="gas.toxic", life_safety=True)
    groups = page.groups.groups()
    assert groups["host:modbus"].members == ["h", "d"]
    assert [g.always for g in groups.values() if g.always] == [["g"]]


# --- floods -----------------------------------------------------------------------


async def test_a_flood_gathers_what_is_minor_and_delays_no_life_safety() -> None:
    """Domain §2.3: above ten in ten minutes; life safety goes out at once."""

    page = Page()
    feed = page.follow()
    for number in range(11):
        page.raise_(f"a{number}")
    assert len(page.sent) == 10, "the eleventh begins the flood"
    assert page.groups.flood.on
    for number in range(40):
        page.raise_(f"b{number}")
    page.raise_("sos", kind="sos", life_safety=True, priority=1)
    assert [each.get("id") for each in page.sent[10:]] == ["sos"]
    feed.flush()
    gathered = page.sent[-1]
    assert gathered["type"] == "several"
    assert {each["id"] for each in gathered["items"]} == (
        {"a10"} | {f"b{number}" for number in range(40)}
    )
    assert page.groups.groups()["flood"].always == []
    feed.stop()


async def test_a_huge_flood_is_told_by_one_list_with_all_life_safety_in_it() -> None:
    page = Page()
    feed = page.follow()
    for number in range(SHOWN + 50):
        page.raise_(f"a{number}", priority=1)
    for number in range(3):
        page.raise_(f"sos{number}", priority=4, kind="sos", life_safety=True)
    feed.flush()
    assert page.resets == 1
    told = json.loads(feed.snapshot())
    assert len(told["alarms"]) == SHOWN
    assert told["more"] == 53
    assert [each["id"] for each in told["alarms"][:3]] == ["sos0", "sos1", "sos2"]
    feed.stop()


def test_lists_name_what_wants_looking_after() -> None:
    page = Page()
    page.raise_("old")
    page.clock.advance(90_000)
    page.raise_("quiet", suppressed="pump-off")
    for number in range(3):
        page.raise_(f"x{number}", source="zone:pit", condition="again")
        page.core.emit(AlarmReturned(alarm_id=f"x{number}"))
        page.core.emit(AlarmClosed(alarm_id=f"x{number}"))
    page.raise_("x3", source="zone:pit", condition="again")
    now = page.groups.state()["now"]
    assert now.stale == ["old"]
    assert now.suppressed == ["quiet"]
    assert now.chattering == ["x3"]
    assert [each.id for each in now.unjudged] == ["x2", "x1", "x0"]
    assert (now.flood.on, now.flood.called_10min, now.flood.limit) == (False, 4, 10)


# --- risk -------------------------------------------------------------------------

_bad = st.sampled_from([int(q) for q in Quality if q is not Quality.GOOD])
_levels = st.fixed_dictionaries(
    {gas: st.floats(0, 60, allow_nan=False) for gas in CALM}
)


@given(_levels, st.sampled_from(sorted(CALM)), _bad, st.none() | st.floats(0, 60))
@settings(max_examples=60, deadline=None)
def test_a_bad_reading_never_lowers_the_risk(
    levels: dict[str, float], gas: str, quality: int, value: float | None
) -> None:
    """S2 2.10; the sentence of the house: unknown is never safe."""
    page = Page()
    for each, level in levels.items():
        page.tell(f"e-gd-pit-{each}", level, 0)
    before = page.indices()
    page.tell(f"e-gd-pit-{gas}", value, quality)
    after = page.indices()
    assert all(after[zone] >= before[zone] for zone in before)
    page.replica.live.pop(f"e-gd-pit-{gas}")
    assert all(page.indices()[zone] >= before[zone] for zone in before)


@given(st.sampled_from(["p-sun", "p-zhou", "p-wu", "p-zheng"]))
def test_a_lost_position_and_a_lost_hub_never_lower_the_risk(person: str) -> None:
    page = Page()
    before = page.indices()
    page.core.emit(PersonMoved(person_id=person, zone_id=None, source="x"))
    after = page.indices()
    assert all(after[zone] >= before[zone] for zone in before)
    page.replica.link(False)
    assert all(page.indices()[zone] > 0 for zone in before)
    assert all(view.unknown for view in page.risk.views().values())


_inputs = st.lists(
    st.tuples(st.sampled_from(sorted(shipped()["weights"])), st.floats(0, 1)),
    max_size=12,
).map(lambda pairs: [Input(name, level) for name, level in pairs])


@given(_inputs, st.data())
def test_every_input_only_raises_the_index_and_the_points_add_up(
    inputs: list[Input], data: st.DataObject
) -> None:
    weights = shipped()["weights"]
    whole = index(inputs, weights)
    assert 0 <= whole <= 100
    assert sum(shares(inputs, weights)) == pytest.approx(whole, abs=0.05)
    if inputs:
        number = data.draw(st.integers(0, len(inputs) - 1))
        worse = [*inputs]
        worse[number] = Input(inputs[number].name, 1.0, True)
        assert index(worse, weights) >= whole - 1e-9
        left = inputs[:number] + inputs[number + 1 :]
        assert index(left, weights) <= whole + 1e-9


def test_an_incident_shows_what_makes_the_risk() -> None:
    page = Page()
    for gas, level in CALM.items():
        page.tell(f"e-gd-pit-{gas}", level, 0)
    calm = page.risk.views()["pit"]
    page.core.incident()
    grave = page.risk.views()["pit"]
    assert grave.index > calm.index
    assert grave.band == "severe"
    assert grave.inputs[0].name == "life_safety"
    assert sum(each.points for each in grave.inputs) == pytest.approx(
        grave.index, abs=len(grave.inputs)
    )
    ranked = [view.index for view in page.risk.views().values()]
    assert ranked == sorted(ranked, reverse=True), "worst first"
