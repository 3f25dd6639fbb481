"""Discovery payloads: what they become, and that nothing else can happen."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api import EntityKind, OutputKind, Quality
from integrations.mqtt import discovery, words
from integrations.mqtt.discovery import Found, address, parse
from integrations.mqtt.points import Point, Route
from integrations.mqtt.spec import SpecError
from integrations.mqtt.templates import WHOLE_TEXT
from tests.support.host import FakeHost


def found(component: str, config: dict[str, Any], object_id: str = "obj") -> Found:
    where = discovery.Address(component, object_id)
    return parse(where, json.dumps(config).encode())


def only(component: str, **config: Any) -> Any:
    device = found(component, config).device
    assert len(device.entities) == 1
    return next(iter(device.entities.values()))


def test_topics_are_taken_apart() -> None:
    at = address("homeassistant", "homeassistant/sensor/node/obj/config")
    assert at == discovery.Address("sensor", "node_obj")
    for wrong in (
        "homeassistant/config",
        "homeassistant/a/b/state",
        "x/a/b/c/d/config",
    ):
        assert address("homeassistant", wrong) is None


def test_abbreviations_and_base_are_written_out() -> None:
    """Issue: abbreviations and ``~``."""
    spec = only(
        "switch",
        **{
            "~": "base",
            "stat_t": "~/state",
            "cmd_t": "set/~",
            "pl_on": "1",
            "pl_off": "0",
            "uniq_id": "u",
            "name": "Extractor fan",
            "avty": {"t": "~/up", "pl_avail": "yes"},
        },
    )
    assert (spec.topic, spec.command.topic) == ("base/state", "set/base")
    assert (spec.command.on, spec.command.off) == (b"1", b"0")
    assert spec.entity.output.kind is OutputKind.FAN
    assert (spec.presence[0].topic, spec.presence[0].here) == ("base/up", "yes")
    assert spec.convert("1") == (True, Quality.GOOD, "")


@pytest.mark.parametrize(
    ("config", "quantity", "unit"),
    [
        ({"name": "H2S", "unit_of_meas": "ppm"}, "h2s", "ppm"),
        (
            {"name": "Gas", "dev_cla": "carbon_monoxide", "unit_of_meas": "ppm"},
            "co",
            "ppm",
        ),
        ({"name": "LEL", "unit_of_meas": "%"}, "lel", "%LEL"),
        ({"name": "Oxygen", "unit_of_meas": "%"}, "o2", "%vol"),
        (
            {"name": "x", "val_tpl": "{{ value_json.ch4 }}", "unit_of_meas": "%"},
            "ch4",
            "%vol",
        ),
        (
            {"name": "x", "safehold": {"quantity": "ph3"}, "unit_of_meas": "ppm"},
            "ph3",
            "ppm",
        ),
    ],
)
def test_gases_are_known_by_class_name_or_word(
    config: dict[str, Any], quantity: str, unit: str
) -> None:
    entity = only("sensor", stat_t="t", uniq_id="u1", **config).entity
    assert (entity.kind, entity.quantity, entity.unit) == (
        EntityKind.GAS,
        quantity,
        unit,
    )


def test_a_meter_of_consumption_is_no_gas_detector() -> None:
    entity = only(
        "sensor", name="Gas", dev_cla="gas", unit_of_meas="m³", stat_t="t"
    ).entity
    assert entity.kind is EntityKind.SENSOR


def test_a_switch_of_unknown_use_is_no_output() -> None:
    spec = only("switch", name="Channel 1", stat_t="t", cmd_t="c")
    assert spec.entity.kind is EntityKind.BINARY and spec.entity.output is None
    assert spec.command is not None


def test_outputs_without_a_state_topic_cannot_confirm() -> None:
    spec = only("siren", cmd_t="c", safehold={"ex_rated": True, "contact_zone": "z1"})
    output = spec.entity.output
    assert (output.read_back, output.ex_rated, output.contact_zone) == (
        False,
        True,
        "z1",
    )


def test_command_templates_and_json_lights() -> None:
    siren = only("siren", cmd_t="c", cmd_tpl='{"state": "{{ value }}"}')
    assert siren.command.on == b'{"state": "ON"}'
    light = only("light", cmd_t="c", stat_t="s", schema="json")
    assert light.command.off == b'{"state":"OFF"}'
    assert light.extract.path == ("state",)
    assert light.entity.output.kind is OutputKind.LAMP


def test_identity_is_never_an_address() -> None:
    """R27: a uid comes from a serial or key, never from an IP."""
    device = {
        "ids": ["192.0.2.7", "192.0.2.7:1883"],
        "cns": [["mac", "02:00:5e:00:00:01"]],
    }
    assert (
        found("sensor", {"stat_t": "t", "dev": device}).device.uid
        == "02:00:5e:00:00:01"
    )
    with pytest.raises(SpecError, match="R27"):
        found("sensor", {"stat_t": "t", "dev": {"ids": "fe80::1"}})
    assert found("sensor", {"stat_t": "t", "uniq_id": "u"}).device.uid == "u"
    assert found("sensor", {"stat_t": "t"}, "plc_7").device.uid == "plc_7"


def test_ages() -> None:
    """``exp_aft`` is the maximum age; silence after ``off_dly`` is stale, not off."""
    assert only("sensor", stat_t="t", exp_aft=12).entity.max_age_s == 12
    assert only("sensor", stat_t="t", exp_aft=0).entity.max_age_s == 60
    assert only("binary_sensor", stat_t="t", off_dly=5).entity.max_age_s == 5
    assert only("binary_sensor", stat_t="t").entity.max_age_s == 600
    assert only("binary_sensor", stat_t="t", avty_t="a").entity.max_age_s == 3600


def test_fields_that_the_hub_does_not_use_are_named() -> None:
    result = found("sensor", {"stat_t": "t", "qos": 2, "ic": "mdi:x", "lrst_t": "r"})
    assert result.ignored == ["sensor.qos", "sensor.last_reset_topic"]


def test_events_and_triggers() -> None:
    spec = only("event", stat_t="t", name="Panic button", event_types=["press"])
    event = spec.take("", {"event_type": "press", "seq": 7}, False)
    assert (event.kind, event.id) == ("sos", "7")
    assert spec.take("", {"event_type": "other"}, False) is None
    press = only("device_automation", topic="t", type="button_long_press", payload="L")
    assert press.take("L", None, False).kind == "button_long_press"
    assert press.take("S", None, False) is None


@pytest.mark.parametrize(
    ("component", "config", "names"),
    [
        ("sensor", {}, "state_topic"),
        ("sensor", {"stat_t": "a/+/b"}, "state_topic"),
        ("sensor", {"stat_t": 5}, "state_topic"),
        ("sensor", {"stat_t": "t", "val_tpl": "{{ x }}"}, "value_template"),
        ("sensor", {"stat_t": "t", "exp_aft": -1}, "expire_after"),
        ("siren", {"stat_t": "t"}, "command_topic"),
        ("siren", {"cmd_t": "t", "safehold": {"output": "bomb"}}, "safehold.output"),
        ("sensor", {"stat_t": "t", "avty_mode": "most"}, "availability_mode"),
        ("event", {"stat_t": "t"}, "event_types"),
        ("climate", {}, "climate"),
        ("device", {"dev": {"ids": "x"}}, "components"),
        ("device", {"dev": {"ids": "x"}, "cmps": {}}, "origin"),
    ],
)
def test_errors_name_the_field(
    component: str, config: dict[str, Any], names: str
) -> None:
    with pytest.raises(SpecError, match=names):
        found(component, config)


# --- nothing else can happen ------------------------------------------------------

LEAF = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False)
    | st.sampled_from(
        ["t", "~/s", "a/+", "{{ value_json.a }}", "{{ value_json", "ON", ""]
    )
    | st.text(max_size=8)
)
OURS = ["output", "kind", "fail_safe", "quantity", "zone", "full_scale", "contact_zone"]
KEYS = st.sampled_from(
    [*words.ABBREVIATIONS, *words.DEVICE_ABBREVIATIONS, *OURS, "~", "safehold", "name"]
)
VALUE = st.recursive(
    LEAF, lambda v: st.lists(v, max_size=3) | st.dictionaries(KEYS, v, max_size=4)
)
CONFIG = st.dictionaries(KEYS, VALUE, max_size=10).flatmap(
    lambda drawn: st.sampled_from(
        [{}, {"stat_t": "t"}, {"stat_t": "t", "cmd_t": "c"}]
    ).map(lambda base: {**drawn, **base})
)
COMPONENT = st.sampled_from([*words.COMPONENTS, "device", "climate"])


@given(COMPONENT, CONFIG, st.lists(VALUE, max_size=3))
def test_no_payload_raises_anything_else(
    component: str, config: dict[str, Any], states: list[Any]
) -> None:
    """Issue: fuzzing of every parser that meets the network."""
    try:
        device = found(component, config).device
    except SpecError:
        return
    host = FakeHost({})
    for spec in device.entities.values():
        if spec.convert is None or spec.extract is None:
            continue
        handle = host.handle(device.uid, spec.entity.uid)
        route = Route("t", host)
        route.points.append(
            Point(device.uid, spec.entity, handle, spec.extract, spec.convert)
        )
        route.listeners += [(p.extract, lambda _, __: None) for p in spec.presence]
        route.arrange()
        for state in states:
            route.take(json.dumps(state).encode(), "")
            route.take(
                json.dumps({"a": state, "state": state}).encode(), "mqtt.retained"
            )
    for reports in host.reports.values():
        for report in reports:
            assert report.value is None or report.quality < Quality.FAULT
            if isinstance(report.value, int | float):
                assert abs(report.value) < 1e300


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(payload: bytes) -> None:
    for component in ("sensor", "device"):
        try:
            parse(discovery.Address(component, "o"), payload)
        except SpecError:
            continue
    route = Route("t", FakeHost({}))
    spec = only("binary_sensor", stat_t="t")
    handle = route.host.handle("d", "e")
    route.points.append(Point("d", spec.entity, handle, WHOLE_TEXT, spec.convert))
    route.arrange()
    route.take(payload, "")
