"""Messages in time: old ones told again, lost ones counted, silence told (R16)."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api import ConfigError
from integrations.mqtt import mapping
from integrations.mqtt.catalogue import Catalogue
from integrations.mqtt.line import NO_COUNT, REPLAYED, Line, LineSpec, Sequence
from integrations.mqtt.split import Split
from integrations.mqtt.templates import TemplateError, by_path, compile_template
from tests.support.host import FakeHost

SEQUENCE = {"path": by_path(("fCnt",)), "time": by_path(("time",))}


def counting(absent: int | None = 0) -> Sequence:
    return Sequence(SEQUENCE["path"], SEQUENCE["time"], absent)


def uplink(count: Any, minute: int = 0) -> dict[str, Any]:
    return {"fCnt": count, "time": f"2026-11-22T08:{minute:02}:00.123456789+00:00"}


def test_a_gap_is_a_share_of_lost_messages() -> None:
    line = counting()
    for count in (1, 2, 5, 6):
        assert line.admit(uplink(count)) == ""
    assert line.loss(None) == (33.3, 0, "")


def test_an_old_message_makes_no_reading() -> None:
    line = counting()
    assert [line.admit(uplink(n, 5)) for n in (7, 7, 6)] == ["", REPLAYED, REPLAYED]
    assert line.admit(uplink(8, 5)) == ""


def test_a_device_that_counts_anew_is_believed_when_its_time_went_on() -> None:
    line = counting()
    line.admit(uplink(900, 5))
    assert line.admit(uplink(0, 4)) == REPLAYED
    assert line.admit(uplink(0, 6)) == ""
    assert line.loss(None)[0] == 0.0


def test_a_counter_that_stands_still_is_no_new_message() -> None:
    """A frozen device answers with what it said before."""
    line = counting()
    line.admit(uplink(3, 1))
    assert line.admit(uplink(3, 2)) == REPLAYED


@pytest.mark.parametrize("count", [None, "7", 1.5, -1, True, 1 << 60])
def test_what_is_no_counter(count: Any) -> None:
    assert counting(absent=None).admit(uplink(count)) == NO_COUNT


def test_a_zero_that_is_left_out_counts_where_the_map_says_so() -> None:
    assert counting().admit({}) == ""
    assert counting(absent=None).admit({}) == NO_COUNT


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_no_payload_breaks_the_counter(data: Any) -> None:
    assert counting().admit(data) in ("", REPLAYED, NO_COUNT)
    assert counting().admit({"fCnt": data, "time": data}) in ("", REPLAYED, NO_COUNT)


@given(st.lists(st.integers(0, 50), min_size=1))
def test_whatever_is_replayed_the_newest_stays_the_newest(counts: list[int]) -> None:
    """R16: of messages without a time only rising counters are ever admitted."""
    line = Sequence(SEQUENCE["path"])
    admitted = [n for n in counts if line.admit({"fCnt": n}) == ""]
    assert admitted == sorted(set(admitted))


class Clockwork(FakeHost):
    """A host whose timers are turned by hand."""

    def __init__(self) -> None:
        super().__init__({})
        self.due: list[tuple[float, Callable[[], None]]] = []
        self.timer = self  # type: ignore[assignment]

    def call_later(self, delay: float, callback: Callable[[], None]) -> "Clockwork":
        self.due.append((delay, callback))
        return self

    def cancel(self) -> None:
        self.due = self.due[:-1]


def test_silence_is_told_within_three_intervals() -> None:
    host = Clockwork()
    line = Line(host, "lora-1", LineSpec("t", None, 600.0), lambda *_: None)
    assert line.hear({}, "")
    ((delay, lost),) = host.due
    assert delay <= 1800.0
    lost()
    assert line.hear({}, "")
    assert host.link_history == [
        ("lora-1", True, ""),
        ("lora-1", False, "mqtt.silent"),
        ("lora-1", True, ""),
    ]


def test_what_the_broker_kept_is_no_sign_of_life() -> None:
    host = Clockwork()
    line = Line(host, "lora-1", LineSpec("t", None, 600.0), lambda *_: None)
    assert line.hear({}, "mqtt.retained")
    assert host.link_history == [] and host.due == []


def test_a_device_is_asked_again_and_again() -> None:
    host, asked = Clockwork(), []
    spec = LineSpec("t", polls=(("rpc", b"{}"),), poll_s=5.0)
    line = Line(host, "s", spec, lambda topic, said: asked.append((topic, said)))
    host.due[-1][1]()
    assert asked == [("rpc", b"{}")] * 2
    line.close()


# --- one topic that tells of many things ------------------------------------------


def watching() -> Split:
    return Split(
        "seen",
        by_path(("id",)),
        (by_path(("camera",)), by_path(("zones",))),
        compile_template("{{ value_json.type == 'end' }}"),
    )


def told(split: Split, **said: Any) -> dict[str, tuple[int, bool]]:
    found = split.take(json.dumps(said).encode())
    parts = {topic: json.loads(payload) for topic, payload in found}
    return {topic: (part["count"], part["on"]) for topic, part in parts.items()}


def test_who_leaves_a_zone_is_not_in_it_any_more() -> None:
    split = watching()
    new = {"id": "a", "camera": "gate", "type": "new"}
    assert told(split, **new, zones=["x", "y"]) == {
        "seen/gate/x": (1, True),
        "seen/gate/y": (1, True),
    }
    assert told(split, **new, zones=["y"]) == {
        "seen/gate/y": (1, True),
        "seen/gate/x": (0, False),
    }


def test_the_last_one_out_empties_the_zone() -> None:
    split = watching()
    for one in "ab":
        told(split, id=one, camera="gate", zones=["x"], type="new")
    assert told(split, id="a", camera="gate", zones=["x"], type="end") == {
        "seen/gate/x": (1, True)
    }
    assert told(split, id="b", camera="gate", zones=[], type="end") == {
        "seen/gate/x": (0, False)
    }


@given(st.binary(max_size=64) | st.just(b'{"id": {"a": 1}, "zones": [[1]]}'))
def test_no_payload_breaks_the_split(payload: bytes) -> None:
    try:
        watching().take(payload)
    except TemplateError:
        pass


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.lists(st.sampled_from("xyz"), max_size=3),
            st.booleans(),
        )
    )
)
def test_counts_are_those_that_are_there(
    moves: list[tuple[str, list[str], bool]],
) -> None:
    split, here = watching(), dict[str, set[str]]()
    for one, zones, gone in moves:
        said = told(
            split, id=one, camera="g", zones=zones, type="end" if gone else "update"
        )
        here[one] = set() if gone else set(zones)
        for topic, (count, on) in said.items():
            zone = topic.rpartition("/")[2]
            assert count == sum(zone in zones for zones in here.values())
            assert on is (count > 0)


# --- shipped maps with the site's own words ---------------------------------------

SHELLY = "shellypro2-ec62608ab123"


def placed(found: mapping.Map, topic: str, payload: bytes = b"{}") -> Any:
    for pattern in found.topics:
        device = pattern.match(topic, payload)
        if device is not None:
            return device[1]
    return None


def reply(channel: int = 0) -> tuple[str, bytes]:
    return f"safehold/shelly/{SHELLY}/switch:{channel}/rpc", b'{"result": {}}'


def test_a_channel_that_nobody_gave_a_meaning_moves_nothing() -> None:
    device = placed(mapping.load("shelly"), *reply())
    spec = device.entities["switch:0"]
    assert spec.command is None and spec.entity.kind == "binary"


def test_a_siren_is_never_given_a_time_after_which_it_ends() -> None:
    """Design §5: sirens never use a self-timed off."""
    outputs: dict[str, Any] = {"switch:0": "siren"}
    found = mapping.inline({"use": "shelly", "outputs": outputs})
    command = placed(found, *reply()).entities["switch:0"].command
    assert b"toggle_after" not in command.on + command.off
    assert f"{SHELLY}/rpc" == command.topic


def test_an_ignition_source_is_told_to_wait_and_trips_by_itself() -> None:
    cut = {"kind": "power_cut", "fail_safe": "on", "inverted": True}
    found = mapping.inline({"use": "shelly", "outputs": {"switch:1": cut}})
    spec = placed(found, *reply(1)).entities["switch:1"]
    # Inverted: power is there while the relay is held, so 'not cut' is relay on.
    assert b'"on":true,"toggle_after":30' in spec.command.off
    assert b"toggle_after" not in spec.command.on
    assert spec.convert("True") == (False, 0, "")


def test_a_channel_that_a_device_has_not_is_not_declared() -> None:
    topic, _ = reply(3)
    assert placed(mapping.load("shelly"), topic, b'{"error": {"code": 404}}') is None


def test_only_the_devices_that_a_site_names() -> None:
    found = mapping.inline({"use": "chirpstack", "only": {"2": "a840*"}})
    topic = "application/1/device/{}/event/up"
    assert placed(found, topic.format("a84041000181c061"))
    assert placed(found, topic.format("0016c001f153a14c")) is None


CO: dict[str, Any] = {
    "uid": "co",
    "kind": "gas",
    "path": "object.co",
    "quantity": "co",
    "unit": "ppm",
}


def test_the_sites_own_values_join_the_map_and_age_by_the_interval() -> None:
    found = mapping.inline({"use": "chirpstack", "interval_s": 600, "entities": [CO]})
    device = placed(found, "application/1/device/a84041000181c061/event/up")
    assert device.entities["co"].entity.max_age_s == 1800.0


def test_no_work_is_held_by_what_speaks_each_ten_minutes() -> None:
    """Requirement: a slow radio link is told at publish as too slow for holds."""
    slow = {
        "use": "chirpstack",
        "interval_s": 600,
        "entities": [{**CO, "critical": True}],
    }
    with pytest.raises(ConfigError, match="too slow to hold work by; take 'critical'"):
        mapping.inline(slow)
    mapping.inline({**slow, "interval_s": 20})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"use": "shelley"}, "there is no 'shelley'"),
        ({"use": "shelly", "outputs": {"switch:0": "syren"}}, "expected one of"),
        (
            {
                "use": "shelly",
                "outputs": {"switch:0": {"kind": "fan", "fail_safe": "off"}},
            },
            "fail unsafe",
        ),
        ({"use": "shelly", "onyl": {}}, "unknown key"),
        ({"use": "shelly", "only": {"1": "a*b*"}}, "ends in"),
    ],
)
def test_a_fault_in_the_sites_words_is_told(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        mapping.inline(given)


REFRESHED = {
    "map": "m",
    "version": 1,
    "names": {"zh": "甲", "en": "A"},
    "topics": [
        {
            "topic": "eye/+/seen",
            "device": {"uid": "eye-{1}"},
            "refresh": "eye/alive",
            "entities": [
                {"uid": "v", "kind": "binary", "path": "v"},
                {
                    "uid": "at",
                    "kind": "location",
                    "path": "at",
                    "optional": True,
                    "least_quality": {"key": "q", "at_least": 50},
                },
            ],
        }
    ],
}


class Unheard:
    """A broker link that is asked and does nothing."""

    def subscribe(self, filters: Any) -> None:
        list(filters)

    unsubscribe = subscribe


@pytest.mark.parametrize(
    ("said", "doubt", "again"),
    [
        (b'{"v": true}', "", [True]),
        (b'{"v": true}', "mqtt.retained", []),
        (b'{"v": "odd"}', "", []),
    ],
)
async def test_a_sign_of_life_proves_only_what_was_good(
    said: bytes, doubt: str, again: list[bool]
) -> None:
    """R16: what the broker kept, or was no value, is not made GOOD by a heartbeat."""
    host = FakeHost({})
    catalogue = Catalogue(host, Unheard(), lambda *_: None)
    placed_ = mapping.inline(REFRESHED).topics[0].match("eye/1/seen", said)
    assert placed_ is not None
    catalogue.place(*placed_, subscribe=False)
    catalogue.flush()
    catalogue.routes[b"eye/1/seen"].take(said, doubt)
    before = len(host.reports["eye-1", "v"])
    catalogue.routes[b"eye/alive"].take(b"{}", "")
    catalogue.routes[b"eye/alive"].take(b"{}", "mqtt.retained")
    assert [r.value for r in host.reports["eye-1", "v"][before:]] == again
    catalogue.close()
