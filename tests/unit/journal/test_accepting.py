"""What is accepted can be written; what cannot be written was never accepted."""

import pytest

from core.alarms.events import AlarmRaised
from core.journal import envelope as envelopes
from core.state import dump
from tests.support.yard import Yard


def test_an_event_that_cannot_be_written_changes_nothing() -> None:
    """Design §5: state is the fold of what is accepted, and nothing else."""
    yard = Yard()
    before, seq = dump(yard.hub.state), yard.hub.state.seq
    body = AlarmRaised(
        alarm_id="a",
        source="hub:x",
        condition="c",
        kind="gas.toxic",
        priority=1,
        zone_id="tank",
        life_safety=True,
        latching=False,
        params={"huge": 1 << 70},
    )
    with pytest.raises(OverflowError):
        yard.hub.emit(body)
    assert (dump(yard.hub.state), yard.hub.state.seq) == (before, seq)


def test_the_siren_is_ordered_before_the_events_are_filed() -> None:
    """Nothing protective waits: filing comes after the order, in the same order."""
    yard = Yard()
    order: list[str] = []
    yard.hub.on(AlarmRaised, lambda *_: order.append("heard"))
    yard.hub.on_everything(lambda body, *_: order.append(body.name_))
    yard.reading("h2s", 30.0)
    assert order.index("heard") < order.index(AlarmRaised.name_)
    filed = [name for name in order if name != "heard"]
    stored = [envelopes.decode(data) for data in yard.journal.stored[-len(filed) :]]
    assert [each.type for each in stored] == filed
    assert [each.seq for each in stored] == sorted(each.seq for each in stored)


def test_what_holds_and_orders_hears_of_an_alarm_ahead_of_bookkeeping() -> None:
    """The law's holds first, as were no rule there; among those ahead, their order."""
    yard = Yard()
    heard: list[str] = []
    yard.hub.on(AlarmRaised, lambda *_: heard.append("last"))
    yard.hub.on(AlarmRaised, lambda *_: heard.append("rule"), ahead=True)
    yard.hub.on(AlarmRaised, lambda *_: heard.append("rule 2"), ahead=True)
    listeners = [
        getattr(each, "__self__", None).__class__.__name__
        for each in yard.hub._listeners[AlarmRaised]
    ]
    assert listeners[:2] == ["Permits", "Drills"]
    yard.reading("h2s", 30.0)
    assert heard == ["rule", "rule 2", "last"]
