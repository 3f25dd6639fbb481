"""The Bluetooth driver by a gateway's feed, by an ESPHome proxy, and by BlueZ."""

import asyncio
import os
from typing import Any

import pytest
from aioesphomeapi.timezone import get_timezone

from core.api import AuthError, Quality
from integrations.ble import sources
from integrations.ble.integration import BleIntegration
from integrations.ble.simulated import SimulatedSensor
from integrations.ble.simulator import Radio
from integrations.esphome.simulator import Nodes
from tests.support.host import FakeHost, Running
from tests.support.plants import running
from tests.support.waiting import until

# Many waits for a real peer, each with a generous end of its own.
pytestmark = pytest.mark.timeout(240)
UID = "A4:C1:38:00:00:01"
KEY = "231d39c1d7cc1ab1aee224cd096db932"
NODE = "AA:BB:CC:DD:EE:01"
NODE_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#: A device that advertises BTHome v2 in clear within reach of the adapter hci0.
PERIPHERAL = os.environ.get("SAFEHOLD_BLE_PERIPHERAL", "")


@pytest.fixture(autouse=True)
async def _timezone() -> None:
    """Let the library look for the time zone now: its task outlives a connection."""
    await get_timezone(None)


def options(**more: Any) -> dict[str, Any]:
    """Return one encrypting CO₂ sensor with a door and a button, heard by a feed."""
    gas = {"kind": "gas", "quantity": "co2", "unit": "ppm", "critical": True}
    device = {
        "address": UID,
        "key": "ble.gas",
        "every_s": 0.4,
        "entities": {"carbon_dioxide": gas, "door": {"kind": "binary"}},
        "events": {"button:long_press": "sos"},
    }
    return {
        "sources": [{"feed": "127.0.0.1", "port": 0}],
        "devices": [{**device, **more}],
    }


def ble(**more: Any) -> Any:
    return running(Radio, BleIntegration, options(**more))


async def test_values_and_calls_for_help_arrive() -> None:
    """R16: encrypted packets become readings, a long press an event, once."""
    async with ble() as site:
        await site.seen(UID, "carbon_dioxide", 0.0)
        await site.tell(device=UID, set={"carbon_dioxide": 450, "temperature": -12.5})
        await site.seen(UID, "carbon_dioxide", 450.0)
        await site.seen(UID, "temperature", -12.5)
        assert site.host.devices[UID].entities[-1].unit == "°C"
        await site.tell(device=UID, event="sos")
        await until(lambda: site.host.events, "the call for help")
        assert site.host.events[0].params["what"] == "long_press"
        assert KEY not in str(site.driver.diagnostics())


@pytest.mark.parametrize(
    ("fault", "count"),
    [
        ({"silent": True}, ""),
        ({"slow": 30}, ""),
        ({"garbage": True}, "ble."),
        ({"half": True}, "ble.bad_frame"),
        ({"frozen": True}, ""),
        ({"replay": True}, "ble.replayed"),
    ],
)
async def test_a_fault_never_looks_good(fault: dict[str, Any], count: str) -> None:
    """R7: silence, rubbish and old packets lose the device; a new one brings it."""
    async with ble() as site:
        await site.tell(device=UID, set={"carbon_dioxide": 450})
        await site.seen(UID, "carbon_dioxide", 450.0)
        await site.tell(device=UID, set={"carbon_dioxide": 900})
        await site.seen(UID, "carbon_dioxide", 900.0)
        await site.tell(device=UID, fault=fault)
        report = await site.judged(UID, "carbon_dioxide", "ble.lost")
        assert report.quality is Quality.FAULT
        assert any(name.startswith(count) for name in site.host.counts) or not count
        await site.tell(device=UID, fault={})
        await site.seen(UID, "carbon_dioxide", 900.0)


async def test_the_last_source_gone_loses_every_device_at_once() -> None:
    async with ble(every_s=60) as site:
        await until(lambda: site.host.links.get(UID) == (True, ""), "the first packet")
        await site.tell(do="stop")
        await site.judged(UID, "carbon_dioxide", "ble.source_down")
        await site.tell(do="start")
        assert site.host.links[UID][0] is False


@pytest.mark.parametrize("key", ["00" * 16, "no key at all"])
async def test_a_wrong_key_is_told(key: str) -> None:
    def rekey(ready: dict[str, Any]) -> None:
        ready["secrets"]["ble.gas"] = key

    async with running(Radio, BleIntegration, options(), rekey) as site:
        report = await site.judged(UID, "carbon_dioxide", "ble.key")
        assert report.quality is Quality.NOT_PRESENT
        assert site.host.links[UID] == (False, "ble.key")


# --- an ESPHome proxy ---------------------------------------------------------


def _node() -> Nodes:
    node = {"mac": NODE, "host": "127.0.0.1", "port": 0, "key": "node.key"}
    return Nodes({"nodes": [node], "secrets": {"node.key": NODE_KEY}})


def _by_proxy(port: int, key: str) -> FakeHost:
    source = {"proxy": "127.0.0.1", "port": port, "mac": NODE, "key": "node.key"}
    told = {**options(), "sources": [source]}
    secrets = {"ble.gas": KEY, "node.key": key}
    return FakeHost({**told, "secrets": secrets})


async def test_an_esphome_proxy_relays_what_it_hears() -> None:
    """R16: the same packets, by the native API's raw advertisements."""
    plant = _node()
    ready = await plant.start()
    try:
        host = _by_proxy(ready["options"]["nodes"][0]["port"], NODE_KEY)
        sensor = SimulatedSensor(options()["devices"][0], bytes.fromhex(KEY))
        sensor.put("carbon_dioxide", 620)

        def relayed() -> bool:
            body = b"\xd2\xfc" + sensor.advertise()
            raw = bytes((len(body) + 1, 0x16)) + body
            plant.nodes[NODE].advertise(0xA4C138000001, -70, raw)
            last = host.last(UID, "carbon_dioxide")
            return last is not None and last[:2] == (620.0, Quality.GOOD)

        async with Running(BleIntegration(host)):
            await until(relayed, "the relayed packet")
            await plant.do("stop")
            await until(lambda: host.links[UID][0] is False, "the loss of the proxy")
    finally:
        await plant.stop()


async def test_a_proxy_is_not_spoken_to_with_another_key() -> None:
    plant = _node()
    ready = await plant.start()
    try:
        host = _by_proxy(ready["options"]["nodes"][0]["port"], NODE_KEY[::-1][1:] + "=")
        with pytest.raises(AuthError):
            async with asyncio.timeout(30):
                await BleIntegration(host).run()
        assert host.links[UID] == (False, "ble.key")
    finally:
        await plant.stop()


# --- BlueZ --------------------------------------------------------------------


async def test_no_adapter_is_told() -> None:
    """A machine without radio says so, and asks again: one may be plugged in."""
    host = FakeHost(
        {"sources": [{"adapter": "hci9"}], "devices": [{"address": UID, "every_s": 1}]}
    )
    async with Running(BleIntegration(host)):
        await until(lambda: host.counts.get("ble.no_adapter"), "the adapter's absence")
        assert host.links[UID] == (False, "ble.no_adapter")


@pytest.mark.skipif(
    not PERIPHERAL or not (sources.ADAPTERS / "hci0").exists(),
    reason="no adapter hci0 with a BTHome device near (SAFEHOLD_BLE_PERIPHERAL)",
)
async def test_bluez_hears_a_real_advertisement() -> None:
    """R16: the unmodified stack: kernel, bluetoothd, bleak."""
    device = {"address": PERIPHERAL, "every_s": 30}
    host = FakeHost({"sources": [{"adapter": "hci0"}], "devices": [device]})
    async with Running(BleIntegration(host)):
        await until(lambda: host.links.get(PERIPHERAL) == (True, ""), "an advert")
    assert any(
        report.quality is Quality.GOOD
        for told in host.reports.values()
        for report in told
    )
