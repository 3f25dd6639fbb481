"""What a record is worth: its time decides, then its fields."""

import json
from typing import Any

from core.api import Quality
from core.clock import SimClock
from integrations.http import flow
from integrations.http.source import Source
from tests.support.host import FakeHost

NS = 1_000_000_000
GOOD, UNCERTAIN, STALE, FAULT = (
    int(each)
    for each in (Quality.GOOD, Quality.UNCERTAIN, Quality.STALE, Quality.FAULT)
)
SAID: dict[str, Any] = {
    "sources": [
        {
            "id": "w",
            "poll": "http://127.0.0.1:1/x",
            "every_s": 10,
            "time": {"path": "t", "format": "s"},
            "entities": [
                {"uid": "wind", "path": "v", "quantity": "wind", "range": [0, 90]}
            ],
            "events": [{"path": "e", "id": "n", "kinds": {"HELP": "sos"}}],
        }
    ]
}


def made() -> tuple[Source, FakeHost]:
    host = FakeHost({})
    host.clock = SimClock()
    source = Source(host, flow.schema()(SAID)["sources"][0])
    source.begin()
    return source, host


def say(source: Source, host: FakeHost, v: object, ago_s: float, **more: object) -> int:
    """Hand in a record measured so long ago; return the quality of its report."""
    at = host.clock.wall_ns() / NS - ago_s
    source.take(json.dumps({"v": v, "t": at, **more}).encode())
    last = host.last("w", "wind")
    assert last is not None
    return int(last.quality)


def test_the_time_of_a_record_decides_what_it_is_worth() -> None:
    source, host = made()
    assert say(source, host, 5.0, 1) == GOOD
    assert say(source, host, 6.0, -60) == UNCERTAIN  # from the future
    assert say(source, host, 7.0, 0.5) == GOOD  # which did not shut out the present
    assert say(source, host, 95.0, 0.4) == UNCERTAIN  # beyond its range
    assert say(source, host, "much", 0.3) == FAULT
    fresh, other = made()
    assert say(fresh, other, 5.0, 31) == STALE


def test_a_record_that_comes_again_says_nothing() -> None:
    source, host = made()
    say(source, host, 5.0, 1)
    before = len(host.reports["w", "wind"])
    say(source, host, 9.0, 1)
    say(source, host, 9.0, 5)
    assert len(host.reports["w", "wind"]) == before
    assert host.counts["http.replayed"] == 1


def test_silence_loses_the_device_and_a_record_brings_it_back() -> None:
    source, host = made()
    say(source, host, 5.0, 1)
    clock = host.clock
    assert isinstance(clock, SimClock)
    clock.advance(26)
    source.look()
    assert host.links["w"] == (False, "http.silent")
    say(source, host, 5.0, 0)
    assert host.links["w"][0] is True


def test_an_event_is_told_once_it_is_durable_and_then_no_more() -> None:
    source, _ = made()
    record = b'{"v": 1, "t": 1, "e": "HELP", "n": 7}'
    (first,) = source.take(record)
    assert first[:2] == ("w", "sos")
    assert source.take(record) == [first]  # not durable yet: it is offered again
    source.told(first)
    assert source.take(record) == []
