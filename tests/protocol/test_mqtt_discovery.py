"""MQTT discovery against a real mosquitto (issue: any device is plug and play)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.api import EntityKind, OutputKind, Quality
from integrations.mqtt.integration import MqttIntegration
from tests.support.broker import OwnBroker
from tests.support.host import FakeHost, Running
from tests.support.mqtt_device import MqttDevice
from tests.support.waiting import until


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[OwnBroker]:
    found = OwnBroker(tmp_path)
    found.start()
    yield found
    found.stop()


DETECTOR = {
    "~": "gas/gd1",
    "name": "h2s",
    "uniq_id": "gd1_h2s",
    "stat_t": "~/state",
    "val_tpl": "{{ value_json.h2s }}",
    "unit_of_meas": "ppm",
    "exp_aft": 12,
    "avty_t": "~/online",
    "dev": {"ids": ["gd1"], "name": "GD 1", "mf": "Maker", "mdl": "X", "sn": "77"},
}
CONFIG = "homeassistant/sensor/gd1_h2s/config"


def use(broker: OwnBroker, **more: object) -> tuple[FakeHost, MqttIntegration]:
    host = FakeHost(broker.options(**more))
    return host, MqttIntegration(host)


async def test_a_retained_single_component_becomes_a_device(broker: OwnBroker) -> None:
    host, hub = use(broker)
    with MqttDevice(broker) as device:
        device.say(CONFIG, json.dumps(DETECTOR), retain=True)
        device.say("gas/gd1/online", "online", retain=True)
        device.say("gas/gd1/state", '{"h2s": 1.5}', retain=True)
        async with Running(hub):
            await until(lambda: host.last("gd1", "gd1_h2s"), "the retained state")
            found = host.devices["gd1"]
            entity = found.entities[0]
            assert (found.name, found.manufacturer, found.serial) == (
                "GD 1",
                "Maker",
                "77",
            )
            assert (entity.kind, entity.quantity, entity.unit, entity.max_age_s) == (
                EntityKind.GAS,
                "h2s",
                "ppm",
                12.0,
            )
            # What lay on the broker proves nothing (design §5 Truth).
            first = host.last("gd1", "gd1_h2s")
            assert first is not None
            assert first[:3] == (1.5, Quality.UNCERTAIN, "mqtt.retained")
            device.say("gas/gd1/state", '{"h2s": 2}')
            await until(lambda: is_good(host, 2), "the live state")
            device.say("gas/gd1/online", "offline", retain=True)
            await until(
                lambda: host.links.get("gd1") == (False, "mqtt.unavailable"), ""
            )
            last = host.last("gd1", "gd1_h2s")
            assert last is not None
            assert last[:3] == (None, Quality.FAULT, "mqtt.unavailable")
            device.say(CONFIG, b"", retain=True)
            await until(lambda: host.withdrawn == ["gd1"], "the withdrawal")


def is_good(
    host: FakeHost, value: float, device: str = "gd1", uid: str = "gd1_h2s"
) -> bool:
    last = host.last(device, uid)
    return last is not None and last.value == value and last.quality == Quality.GOOD


PANEL: dict[str, Any] = {
    "dev": {"ids": "panel-9", "name": "Panel"},
    "o": {"name": "firmware"},
    "~": "panel/9",
    "avty": [
        {"t": "~/online"},
        {"t": "~/link", "pl_avail": "1", "pl_not_avail": "0"},
    ],
    "avty_mode": "all",
    "cmps": {
        "o2": {
            "p": "sensor",
            "name": "Oxygen",
            "uniq_id": "p9_o2",
            "stat_t": "~/o2",
            "unit_of_meas": "%",
        },
        "horn": {
            "p": "siren",
            "uniq_id": "p9_horn",
            "stat_t": "~/horn",
            "cmd_t": "~/horn/set",
        },
        "door": {"p": "climate", "uniq_id": "p9_door"},
    },
}


async def test_the_device_form_brings_all_components_at_once(broker: OwnBroker) -> None:
    host, hub = use(broker)
    config: dict[str, Any] = {**PANEL, "cmps": dict(PANEL["cmps"])}
    with MqttDevice(broker) as device:
        async with Running(hub):
            await until(lambda: hub.client.connected, "the session")
            device.say("homeassistant/device/panel9/config", json.dumps(config))
            await until(lambda: "panel-9" in host.devices, "the device")
            kinds = {e.uid: e for e in host.devices["panel-9"].entities}
            assert kinds["p9_o2"].quantity == "o2" and kinds["p9_o2"].unit == "%vol"
            output = kinds["p9_horn"].output
            assert output is not None
            assert output.kind is OutputKind.SIREN and output.read_back
            assert "climate" in host.details["mqtt.discovery_refused"][0]
            await until(lambda: hub.client.hears("panel/9/link"), "the subscription")
            device.say("panel/9/o2", "20.9")
            await until(lambda: host.last("panel-9", "p9_o2"), "a reading")
            last = host.last("panel-9", "p9_o2")
            assert last is not None
            assert last.reason == "mqtt.availability_unknown"
            device.say("panel/9/online", "online")
            device.say("panel/9/o2", "20.8")
            device.say("panel/9/link", "1")
            device.say("panel/9/o2", "20.7")
            await until(lambda: is_good(host, 20.7, "panel-9", "p9_o2"), "good at last")
            reasons = [r.reason for r in host.reports["panel-9", "p9_o2"]]
            assert reasons[:2] == ["mqtt.availability_unknown"] * 2
            # One component goes, the device stays.
            config["cmps"]["horn"] = {"p": "siren"}
            device.say("homeassistant/device/panel9/config", json.dumps(config))
            await until(lambda: len(host.devices["panel-9"].entities) == 1, "one less")
            assert host.withdrawn == []


async def test_bad_payloads_are_counted_and_the_last_good_one_stays(
    broker: OwnBroker,
) -> None:
    host, hub = use(broker)
    with MqttDevice(broker) as device:
        async with Running(hub):
            await until(lambda: hub.client.connected, "the session")
            device.say(CONFIG, json.dumps({**DETECTOR, "avty_t": None}))
            await until(lambda: "gd1" in host.devices, "the device")
            await until(lambda: hub.client.hears("gas/gd1/state"), "the subscription")
            for bad in (b"{", b"[1]", b'{"stat_t": 5}', b"\xff\xfe", b"7" * 70_000):
                device.say(CONFIG, bad)
            device.say("gas/gd1/state", b"\xff{")
            device.say("gas/gd1/state", '{"h2s": "high"}')
            device.say("gas/gd1/state", "{}")
            device.say("gas/gd1/state", '{"h2s": 3.25}')
            await until(lambda: is_good(host, 3.25), "a reading after all that")
            told = [r[:3] for r in host.reports["gd1", "gd1_h2s"]]
            assert told == [
                (None, Quality.FAULT, "mqtt.payload"),
                (None, Quality.FAULT, "mqtt.not_a_number"),
                (None, Quality.FAULT, "mqtt.template"),
                (3.25, Quality.GOOD, ""),
            ]
            assert host.counts["mqtt.discovery_refused"] == 5
            bad_payloads = hub.diagnostics()["bad_payloads"]
            assert bad_payloads == {"gas/gd1/state": "{}"}
