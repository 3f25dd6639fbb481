"""Tags and anchors: doubts are held back a moment, silence is told, moves are found."""

import pytest
import voluptuous as vol

from core.api import Quality
from integrations.positioning import flow
from integrations.positioning.book import MAX_TAGS
from integrations.positioning.model import Sighting
from integrations.positioning.tag import GRACE, SILENT
from tests.unit.positioning.walks import ANCHORS, Hall, options


def stand(node: str, t: float) -> tuple[float, float]:
    """Stand in the hall's middle."""
    return 15.0, 15.0


def test_silence_is_told_within_three_intervals() -> None:
    """R4: loss is told within 3 × the declared interval."""
    hall = Hall()
    hall.walk(["a"], 5, 5, stand)
    assert hall.host.links["dwm-a"] == (True, "")
    interval = hall.source.interval_s
    for _ in range(int(3 * interval / 0.05)):
        hall.clock.advance(0.05)
        hall.book.sweep()
    assert hall.host.links["dwm-a"] == (False, "positioning.tag_silent")
    last = hall.host.last("dwm-a", "location")
    assert last is not None and last.quality is Quality.FAULT and last.value is None
    assert SILENT < 3


def test_doubt_of_a_moment_takes_nobody_off_the_plan() -> None:
    hall = Hall()
    hall.walk(["a"], 5, 5, stand)
    few = Sighting(node="a", ranges=(), raw=b"x")
    hall.clock.advance(GRACE * hall.source.interval_s * 0.9)
    hall.book.take(hall.source, few)
    last = hall.host.last("dwm-a", "location")
    assert last is not None and last.quality is Quality.GOOD
    hall.clock.advance(GRACE * hall.source.interval_s * 0.2)
    hall.book.take(hall.source, Sighting(node="a", ranges=(), raw=b"y"))
    last = hall.host.last("dwm-a", "location")
    assert last is not None and last.quality is Quality.FAULT


def test_circle_is_told_before_its_place() -> None:
    """A place is never judged by a smaller circle than its own."""
    hall = Hall(noise_m=0.2, nlos_share=0.2)
    order: list[str] = []
    told = hall.host.report

    def spy(handle: int, *rest: object, **more: object) -> None:
        order.append(hall.host._points[handle][1])
        told(handle, *rest, **more)  # type: ignore[arg-type]

    hall.host.report = spy  # type: ignore[method-assign]
    hall.walk(["a"], 20, 5, stand)
    assert order[:2] == ["accuracy", "location"]
    good = [r for r in hall.host.reports["dwm-a", "accuracy"] if r.value is not None]
    assert all(isinstance(r.value, float) and r.value > 0 for r in good)


def test_anchor_that_was_knocked_aside_is_found_and_left_out() -> None:
    hall = Hall(noise_m=0.05)
    spots = {f"t{n}": (4.0 + n * 3, 15.0) for n in range(8)}
    hall.walk(list(spots), 10, 5, lambda node, _: spots[node])
    hall.world.bias["0003"] = 2.0
    hall.walk(list(spots), 30, 5, lambda node, _: spots[node])
    health = hall.book.anchors.health
    assert health["0003"].why == "anchor_biased"
    assert [n for n, h in health.items() if h.why] == ["0003"]
    last = hall.host.last("anchor-0003", "bias")
    assert last is not None and last.reason == "positioning.anchor_biased"
    hall.world.bias.clear()
    hall.walk(list(spots), 60, 5, lambda node, _: spots[node])
    assert not hall.book.anchors.health["0003"].why


def test_anchor_that_fell_silent_is_told() -> None:
    few = {name: ANCHORS[name] for name in ("0001", "0003", "0005", "0007")}
    near = {**few, "00aa": {"at": [14, 14, 4]}}
    hall = Hall(anchors=near)
    hall.walk(["a"], 10, 5, stand)
    assert hall.host.links["anchor-00aa"] == (True, "")
    hall.world.dead.add("00aa")
    hall.world.dead.add("0001")
    hall.walk(["a"], 60, 5, stand)
    assert hall.host.links["anchor-00aa"] == (False, "positioning.anchor_silent")
    assert hall.host.links["anchor-0003"][0] is True


def test_gateways_word_of_an_anchor_and_a_tag() -> None:
    hall = Hall()
    gone = Sighting(node="0002", located=False, present=False)
    hall.book.take(hall.source, gone)
    assert hall.host.links["anchor-0002"] == (False, "positioning.anchor_silent")
    assert "dwm-0002" not in hall.host.devices
    hall.book.take(hall.source, Sighting(node="b", located=False, battery=31.0))
    assert "dwm-b" not in hall.host.devices
    hall.walk(["b"], 1, 5, stand)
    battery = hall.host.last("dwm-b", "battery")
    assert battery is not None and battery.value == 31.0
    hall.book.take(hall.source, Sighting(node="b", located=False, present=False))
    assert hall.host.links["dwm-b"] == (False, "positioning.tag_absent")


def test_more_tags_than_can_be_kept_are_counted() -> None:
    hall = Hall()
    for n in range(MAX_TAGS + 3):
        at = Sighting(node=f"{n:05x}", at=(1.0, 1.0, 1.0), quality=99.0, counter=n)
        hall.book.take(hall.source, at)
    assert len(hall.host.devices) == MAX_TAGS
    assert hall.host.counts["positioning.too_many_tags"] == 3


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"sources": []}, "at least one"),
        ({"sources": [{"id": "a", "kind": "gps"}]}, "kind"),
        ({"anchors": {"0001": {"at": [1, 2]}}}, "x, y, z"),
        ({"anchors": {1: {"at": [1, 2, 3]}}}, "quote"),
        ({"no_such": 1}, "extra keys"),
    ],
)
def test_options_are_checked_with_their_mend(
    wrong: dict[str, object], said: str
) -> None:
    with pytest.raises(vol.MultipleInvalid) as caught:
        options(**wrong)
    assert said in str(caught.value)


def test_secrets_are_named_and_findings_become_options() -> None:
    checked = flow.schema()(
        {
            "sources": [
                {"id": "a", "kind": "dwm1001_mqtt"},
                {"id": "b", "kind": "pozyx",
                 "broker": {"host": "h", "password": "pozyx.password"}},
                {"id": "c", "kind": "sewio", "host": "h", "api_key": "sewio.key"},
            ]
        }
    )  # fmt: skip
    names = ("mqtt.hub", "pozyx.password", "sewio.key")
    assert flow.secrets_of(checked) == names
    for facts in (
        {"device": "/dev/serial/by-id/usb-SEGGER_J-Link"},
        {"topic": "dwm/node/3b5c/uplink/location"},
        {"topic": "tags/1000001"},
    ):
        flow.schema()(flow.prefill(facts))
    assert flow.prefill({"address": "h", "port": "80"})["sources"][0]["host"] == "h"
