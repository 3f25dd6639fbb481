"""What a node says becomes a reading or a fault; its frames are read or refused."""

import base64
import math
from typing import Any

import aioesphomeapi
import pytest
import voluptuous as vol
from hypothesis import given
from hypothesis import strategies as st

from core.api import EntityKind, Quality
from integrations.esphome import flow, wire
from integrations.esphome.points import NS, arrange

# Its models take their fields at run time: no types are known of them.
api: Any = aioesphomeapi
ANY = [api.SensorInfo, api.SwitchInfo, api.BinarySensorInfo, api.ButtonInfo]
MAC = "AA:BB:CC:DD:EE:01"
KEY = base64.b64encode(bytes(range(32))).decode()


def node(entities: dict[str, Any] | None = None, **more: Any) -> Any:
    options = {
        "nodes": [{"mac": MAC, "host": "192.0.2.8", "entities": entities or {}, **more}]
    }
    return flow.schema()(options)["nodes"][0]


def one(info: Any, said: dict[str, Any] | None = None) -> Any:
    return arrange([info], node({info.object_id: said or {}})).points[info.object_id]


GAS = {
    "kind": "gas",
    "quantity": "ch4",
    "unit": "%LEL",
    "every_s": 1,
    "critical": True,
    "range": [0, 100],
}


@given(st.floats(), st.booleans())
def test_a_number_is_finite_or_nothing(value: float, missing: bool) -> None:
    """R16: NaN and 'missing' are no value; a value beyond the range is no proof."""
    point = one(api.SensorInfo(object_id="ch4", key=1), GAS)
    point.take(api.SensorState(key=1, state=value, missing_state=missing), 5)
    if missing or math.isnan(value):
        assert (point.value, point.quality) == (None, Quality.NOT_PRESENT)
    elif point.quality is Quality.GOOD:
        assert 0 <= point.value <= 100
        assert point.value == pytest.approx(value, rel=1e-6)
    else:
        assert point.quality in (Quality.UNCERTAIN, Quality.FAULT)


def test_seven_digits_are_what_a_float_of_32_bits_holds() -> None:
    point = one(api.SensorInfo(object_id="o2", key=1))
    point.take(api.SensorState(key=1, state=20.899999618530273), 5)
    assert point.value == 20.9


def test_other_types_are_taken_as_what_they_are() -> None:
    door = one(api.BinarySensorInfo(object_id="door", key=1))
    door.take(api.BinarySensorState(key=1, state=True), 5)
    assert (door.value, door.quality, door.held) == (True, Quality.GOOD, True)
    text = one(api.TextSensorInfo(object_id="mode", key=1))
    text.take(api.TextSensorState(key=1, state="x" * 999), 5)
    assert text.value == "x" * 256


def test_a_declared_interval_is_late_after_three() -> None:
    """R16: silence of a critical sensor is told within three intervals."""
    point = one(api.SensorInfo(object_id="ch4", key=1), GAS)
    point.take(api.SensorState(key=1, state=1.0), 10 * NS)
    assert not point.late(13 * NS)
    assert point.late(13 * NS + 1)
    assert point.entity.max_age_s == 3


def test_outputs_are_only_what_the_site_or_the_node_calls_so() -> None:
    """A switch may be anything: it is an output only by the site's word (1.15)."""
    infos: list[Any] = [
        api.SwitchInfo(object_id="lamp", key=1),
        api.SwitchInfo(object_id="cut", key=2),
        api.SirenInfo(object_id="siren", key=3),
        api.FanInfo(object_id="fan", key=4),
        api.ButtonInfo(object_id="restart", key=5),
        api.SwitchInfo(object_id="guess", key=6, assumed_state=True),
    ]
    said = {
        "cut": {"output": {"kind": "power_cut", "fail_safe": "on"}},
        "guess": {"output": {"kind": "strobe"}},
    }
    points: Any = arrange(infos, node(said)).points
    assert sorted(points) == ["cut", "fan", "guess", "siren"]
    assert points["cut"].entity.output.fail_safe == "on"
    assert points["cut"].state_of == "cut"
    assert points["guess"].entity.output.read_back is False
    assert points["guess"].state_of == ""


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [api.SensorInfo, api.SwitchInfo, api.BinarySensorInfo, api.ButtonInfo]
            ),
            st.text(max_size=140),
            st.integers(0, 3),
        ),
        max_size=400,
    )
)
def test_a_listing_of_any_size_and_names_is_bounded(
    listed: list[tuple[Any, str, int]],
) -> None:
    """R36: a node cannot make more of itself than its manifest allows."""
    infos = [
        kind(object_id=name, key=at, device_id=device)
        for at, (kind, name, device) in enumerate(listed)
    ]
    found = arrange(infos, node())
    assert len(found.points) <= 256
    for uid, point in found.points.items():
        assert uid == point.entity.uid
        assert len(uid) < 160
        assert point.entity.kind is not EntityKind.OUTPUT


@pytest.mark.parametrize(
    ("entity", "told"),
    [
        ({"kind": "gas"}, "what a gas is"),
        (
            {"kind": "gas", "quantity": "co", "unit": "ppm", "critical": True},
            "every_s",
        ),
        ({"kind": "binary", "output": {"kind": "siren"}}, "no 'kind'"),
        ({"range": [3, 1]}, "lowest first"),
    ],
)
def test_options_that_cannot_be_are_told(entity: dict[str, Any], told: str) -> None:
    with pytest.raises(vol.Invalid, match=told):
        node({"x": entity})


def test_macs_and_keys_of_every_spelling() -> None:
    assert flow.mac("aabb.ccdd.ee01") == flow.mac("aa-bb-cc-dd-ee-01") == MAC
    assert flow.key(KEY) == KEY
    for wrong in ("", "x", base64.b64encode(b"short").decode()):
        with pytest.raises(vol.Invalid):
            flow.key(wrong)


@given(st.text(max_size=40))
def test_a_mac_is_one_or_refused(text: str) -> None:
    try:
        found = flow.mac(text)
    except vol.Invalid:
        return
    assert len(found) == 17


def test_a_finding_fills_the_form() -> None:
    filled = flow.prefill({"name": "gas.local", "address": "x", "mac": "aabbccddee01"})
    assert filled["nodes"][0] == {
        "host": "x",
        "port": 6053,
        "mac": MAC,
        "name": "gas",
    }
    assert flow.schema()(filled)


@given(st.lists(st.binary(max_size=80), max_size=8))
def test_frames_are_read_or_refused(parts: list[bytes]) -> None:
    """Fuzz: neither reader raises anything but its own error, however cut."""
    for reader in (wire.Plain(), wire.Noise(KEY, "n", MAC)):
        try:
            for part in parts:
                reader.receive(part)
        except wire.WireError:
            pass


@given(st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=300)), max_size=5))
def test_frames_in_clear_come_back_whole(messages: list[tuple[int, bytes]]) -> None:
    data = b"".join(wire.Plain().frame(kind, body) for kind, body in messages)
    reader, found = wire.Plain(), []
    for at in range(len(data)):
        found += reader.receive(data[at : at + 1])[0]
    assert found == messages
