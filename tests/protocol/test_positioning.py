"""Positioning over real ptys, brokers and WebSockets: places, faults, recovery."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from core.api import Quality
from core.api.simulating import Desk
from integrations.positioning.integration import PositioningIntegration
from integrations.positioning.simulator import Positions
from integrations.positioning.studio import Studio
from integrations.positioning.uart import Shell
from tests.support import certificates
from tests.support.broker import OwnBroker
from tests.support.host import FakeHost, Report, Running
from tests.support.waiting import until

ANCHORS = {
    "022e": {"at": [0, 0, 3]},
    "9280": {"at": [20, 0, 3]},
    "dcae": {"at": [20, 15, 3]},
    "5431": {"at": [0, 15, 3]},
}
GATEWAY = {
    "id": "gateway",
    "kind": "dwm1001_mqtt",
    "broker": {"port": 0, "username": "hub", "password": "gw"},
    "accuracy_m": 0.5,
}
POZYX = {"id": "pozyx", "kind": "pozyx", "broker": {"port": 0}, "accuracy_m": 0.5}
SEWIO = {"id": "sewio", "kind": "sewio", "port": 0, "api_key": "key"}
SECRETS = {"gw": "gateway-word", "key": "studio-key"}


def wire(folder: Path, **more: Any) -> dict[str, Any]:
    """Return a source at a pty."""
    port = str(folder / "tty")
    return {"id": "wire", "kind": "dwm1001_uart", "port": port, **more}


class Site:
    """Hold simulator, host and driver of one test."""

    def __init__(self, plant: Positions, host: FakeHost, driver: Any) -> None:
        self.plant, self.host, self.driver = plant, host, driver
        self._desk = Desk(plant)

    async def tell(self, **request: Any) -> None:
        """Send the simulator one control line that must be accepted."""
        answer = await self._desk.control(json.dumps(request))
        assert answer == {"ok": True}, answer

    def last(self, device: str, entity: str = "location") -> Report | None:
        """Return an entity's newest reading."""
        return self.host.last(device, entity)

    async def shows(
        self, device: str, quality: Quality, reason: str = "", entity: str = "location"
    ) -> Report:
        """Wait until an entity shows this quality and reason."""

        def holds() -> bool:
            last = self.last(device, entity)
            if last is None or last.quality is not quality:
                return False
            return not reason or last.reason == f"positioning.{reason}"

        await until(holds, f"{device}/{entity} {quality.name} {reason}")
        last = self.last(device, entity)
        assert last is not None
        return last

    async def at(self, device: str, x: float, y: float, off: float = 0.6) -> None:
        """Wait until a tag is GOOD and near a place."""

        def holds() -> bool:
            last = self.last(device)
            if last is None or last.quality is not Quality.GOOD:
                return False
            px, py, _ = (float(part) for part in str(last.value).split(","))
            return abs(px - x) < off and abs(py - y) < off

        await until(holds, f"{device} at {x}, {y}: {self.last(device)}")


@contextlib.asynccontextmanager
async def running(
    *sources: Mapping[str, Any],
    secrets: Mapping[str, str] = SECRETS,
    rate_hz: float = 20,
    given: Mapping[str, str] | None = None,
    **more: Any,
) -> AsyncIterator[Site]:
    """Run simulator and driver for the length of a test."""
    plant = Positions(
        {
            "sources": [dict(each) for each in sources],
            "anchors": ANCHORS,
            "secrets": dict(secrets),
            "simulate": {"rate_hz": rate_hz},
            **more,
        }
    )
    plant.say = lambda _event: None
    ready = await plant.start()
    try:
        told = dict(secrets) if given is None else dict(given)
        host = FakeHost({**ready["options"], "secrets": told})
        driver = PositioningIntegration(host)
        async with Running(driver):
            yield Site(plant, host, driver)
    finally:
        await plant.stop()


async def test_four_makers_tell_one_kind_of_place(tmp_path: Path) -> None:
    """Requirement 1.12: one model of places, whoever made the tag."""
    uids = ("dwm-0f34", "dwm-3b5c", "pozyx-1000001", "sewio-18")
    async with running(wire(tmp_path), GATEWAY, POZYX, SEWIO) as site:
        for number, uid in enumerate(uids):
            await site.tell(device=uid, set={"location": f"{5 + 2 * number},6,1.2"})
        for number, uid in enumerate(uids):
            await site.at(uid, 5 + 2 * number, 6)
            kinds = {e.uid: e.kind for e in site.host.devices[uid].entities}
            assert kinds["location"] == "location" and kinds["accuracy"] == "sensor"
            accuracy = await site.shows(uid, Quality.GOOD, entity="accuracy")
            assert isinstance(accuracy.value, float) and 0 < accuracy.value <= 5
        for uid in ("dwm-3b5c", "pozyx-1000001", "sewio-18"):
            await site.shows(uid, Quality.GOOD, entity="battery")
        assert {f"anchor-{name}" for name in ANCHORS} <= set(site.host.devices)
        assert not site.host.counts


async def test_frames_of_a_source_are_turned_into_the_sites(tmp_path: Path) -> None:
    frame = {"offset": [3, -2, 0], "rotation_deg": 90}
    async with running(
        wire(tmp_path, frame=frame), {**POZYX, "frame": {**frame, "scale": 2.0}}
    ) as site:
        await site.tell(device="dwm-0f34", set={"location": "7,8,1.2"})
        await site.tell(device="pozyx-1000001", set={"location": "4,9,1.2"})
        await site.at("dwm-0f34", 7, 8)
        await site.at("pozyx-1000001", 4, 9)


async def test_module_at_the_wire_is_entered_again_after_it_was_unplugged(
    tmp_path: Path,
) -> None:
    async with running(wire(tmp_path)) as site:
        await site.at("dwm-0f34", 6, 5)
        await site.tell(do="stop")
        await site.shows("dwm-0f34", Quality.FAULT)
        assert site.host.links["dwm-0f34"][0] is False
        await site.tell(do="start")
        await site.shows("dwm-0f34", Quality.GOOD)
        assert site.host.links["dwm-0f34"][0] is True


async def test_module_that_starts_anew_is_entered_again(tmp_path: Path) -> None:
    async with running(wire(tmp_path, interval_s=0.3)) as site:
        await site.at("dwm-0f34", 6, 5)
        shell = site.driver.peers["wire"]
        assert isinstance(shell, Shell) and shell.entered == 1
        await site.tell(do="drop")
        await site.shows("dwm-0f34", Quality.FAULT)
        await site.shows("dwm-0f34", Quality.GOOD)
        assert shell.entered >= 2


async def test_stream_that_runs_already_is_not_switched_off(tmp_path: Path) -> None:
    """``lec`` is a switch: the word that starts the stream stops it too."""
    async with running(wire(tmp_path)) as site:
        await site.at("dwm-0f34", 6, 5)
        options = site.plant.sources[0].options
    plant = site.plant
    shell = plant.sources[0].shell
    assert shell is not None
    shell.start()
    shell.open, shell.streaming = True, "lec"
    again = Positions({**plant.options, "simulate": {"rate_hz": 20}})
    again.sources[0].shell = shell
    again._spawn(again._run())
    try:
        host = FakeHost({**plant.options, "sources": [options]})
        driver = PositioningIntegration(host)
        async with Running(driver):
            found = Site(again, host, driver)
            await found.shows("dwm-0f34", Quality.GOOD)
            assert shell.streaming == "lec"
    finally:
        again.sources[0].shell = None
        await again.stop()
        shell.stop()


async def test_places_alone_are_read_where_the_module_tells_no_ranges(
    tmp_path: Path,
) -> None:
    async with running(wire(tmp_path, mode="lep", accuracy_m=0.8)) as site:
        await site.tell(device="dwm-0f34", set={"location": "9,4,1.2"})
        await site.at("dwm-0f34", 9, 4)
        await site.tell(device="dwm-0f34", set={"quality": 10})
        await site.shows("dwm-0f34", Quality.UNCERTAIN, "low_quality")


async def test_source_that_stops_is_told_and_found_again() -> None:
    """R4: a broker or server that is gone is no silence."""
    uids = ("dwm-3b5c", "pozyx-1000001", "sewio-18")
    async with running(GATEWAY, POZYX, SEWIO) as site:
        for uid in uids:
            await site.shows(uid, Quality.GOOD)
        await site.tell(do="stop")
        for uid in uids:
            await site.shows(uid, Quality.FAULT)
            assert not site.host.links[uid][0]
        await site.tell(do="start")
        for uid in uids:
            await site.shows(uid, Quality.GOOD)
            assert site.host.links[uid][0]


@pytest.mark.parametrize(
    ("uid", "fault", "reason"),
    [
        ("dwm-3b5c", {"silent": True}, "tag_silent"),
        ("dwm-3b5c", {"garbage": True}, "tag_silent"),
        ("pozyx-1000001", {"half": True}, "tag_silent"),
        ("sewio-18", {"garbage": True}, "tag_silent"),
        ("dwm-3b5c", {"frozen": True}, "frozen"),
        ("pozyx-1000001", {"frozen": True}, "frozen"),
        ("sewio-18", {"frozen": True}, "frozen"),
        ("pozyx-1000001", {"clock_s": -3600}, "replayed"),
        ("sewio-18", {"clock_s": 3600}, "clock_leapt"),
    ],
)
async def test_fault_is_a_quality_and_heals(
    uid: str, fault: Mapping[str, Any], reason: str
) -> None:
    """R16: whatever a device does, no old or broken place is GOOD."""
    quick = {"interval_s": 0.2}
    async with running(
        {**GATEWAY, **quick}, {**POZYX, **quick}, {**SEWIO, **quick}
    ) as site:
        await site.shows(uid, Quality.GOOD)
        await site.tell(device=uid, fault=fault)
        await until(
            lambda: (
                (last := site.last(uid)) is not None
                and last.quality is not Quality.GOOD
                and last.reason == f"positioning.{reason}"
            ),
            reason,
        )
        await site.tell(device=uid, fault={})
        await site.shows(uid, Quality.GOOD)


async def test_bad_input_is_counted_with_its_frame() -> None:
    async with running(GATEWAY) as site:
        await site.shows("dwm-3b5c", Quality.GOOD)
        await site.tell(device="dwm-3b5c", fault={"garbage": True})
        await until(lambda: site.host.counts.get("positioning.unreadable"), "counted")
        assert "uplink/location" in site.host.details["positioning.unreadable"][0]


async def test_unresolved_place_is_no_place(tmp_path: Path) -> None:
    """A tag that its engine cannot find is never where it was."""
    quick = {"interval_s": 0.2}
    async with running(
        wire(tmp_path, **quick), {**GATEWAY, **quick}, {**POZYX, **quick}
    ) as site:
        for uid in ("dwm-0f34", "dwm-3b5c", "pozyx-1000001"):
            await site.shows(uid, Quality.GOOD)
            await site.tell(device=uid, state="unresolved")
        for uid in ("dwm-0f34", "dwm-3b5c", "pozyx-1000001"):
            last = await site.shows(uid, Quality.FAULT, "no_fix")
            assert last.value is None


async def test_anchor_that_moved_is_left_out_and_said_to_be_so(tmp_path: Path) -> None:
    """Residual bias: an anchor that tells too long ranges is found and left out."""
    extra = {**ANCHORS, "4242": {"at": [10, 7, 3]}}
    async with running(
        wire(tmp_path, interval_s=0.5), anchors=extra, rate_hz=100
    ) as site:
        await site.shows("dwm-0f34", Quality.GOOD)
        await site.tell(device="anchor-4242", set={"bias": 2.5})
        await site.shows("anchor-4242", Quality.FAULT, "anchor_biased", "bias")
        await site.at("dwm-0f34", 6, 5)
        await site.tell(device="anchor-4242", set={"bias": 0})
        await site.shows("anchor-4242", Quality.GOOD, entity="bias")


async def test_anchors_that_believe_to_stand_elsewhere_prove_nothing(
    tmp_path: Path,
) -> None:
    async with running(wire(tmp_path, interval_s=0.3)) as site:
        await site.shows("dwm-0f34", Quality.GOOD)
        await site.tell(device="dwm-0f34", fault={"swapped": True})
        await site.shows("dwm-0f34", Quality.UNCERTAIN, "few_anchors")
        moved = site.last("anchor-dcae", "bias")
        assert moved is not None and moved.reason == "positioning.anchor_moved"
        await site.tell(device="dwm-0f34", fault={})
        await site.shows("dwm-0f34", Quality.GOOD)


async def test_wrong_credentials_end_one_source_and_no_other() -> None:
    wrong = {"gw": "another-word", "key": "studio-key"}
    async with running(GATEWAY, SEWIO, given=wrong) as site:
        await site.shows("sewio-18", Quality.GOOD)
        await until(lambda: "gateway" in site.driver.refused, "refused")
        assert site.host.counts["positioning.auth"] == 1
        assert "dwm-3b5c" not in site.host.devices
        told = json.dumps(site.driver.diagnostics())
        assert "studio-key" not in told and "another-word" not in told


async def test_rest_stands_in_where_the_websocket_is_refused() -> None:
    async with running({**SEWIO, "poll_s": 0.3}) as site:
        studio = site.plant.sources[0].studio
        assert studio is not None
        studio.pushing = False
        studio.drop()
        peer = site.driver.peers["sewio"]
        assert isinstance(peer, Studio)
        await until(lambda: peer.door == "rest", "REST")
        await site.tell(device="sewio-18", set={"location": "9,9,1.2"})
        await site.at("sewio-18", 9, 9)


@pytest.mark.parametrize("tls", [False, True])
async def test_the_hubs_own_broker_carries_a_gateway(tls: bool, tmp_path: Path) -> None:
    """MQTT 5 against mosquitto with a password: a flood of places, none left behind."""
    import paho.mqtt.client as mqtt
    from paho.mqtt.enums import CallbackAPIVersion

    papers = certificates.make(tmp_path)
    more = ("--tls", str(papers.certificate), str(papers.key)) if tls else ()
    broker = OwnBroker(tmp_path / "data", devices=("gw=dwm/#",), more=more)
    broker.start()
    gateway = mqtt.Client(CallbackAPIVersion.VERSION2)
    gateway.username_pw_set("gw", broker.password("gw"))
    where: dict[str, Any] = {"host": "127.0.0.1", "port": broker.port}
    where |= {"username": "hub", "password": "mqtt.hub"}
    if tls:
        gateway.tls_set(ca_certs=str(papers.authority))
        where |= {"tls": True, "ca_file": str(papers.authority)}
    try:
        source = {"id": "gateway", "kind": "dwm1001_mqtt", "broker": where}
        secrets = {"mqtt.hub": broker.password()}
        host = FakeHost({"sources": [source], "secrets": secrets})
        driver = PositioningIntegration(host)
        gateway.connect("127.0.0.1", broker.port)
        gateway.loop_start()
        async with Running(driver):
            await until(lambda: driver.book.sources[0].up, "the link stands")
            for number in range(1, 301):
                place = {"x": 1.0, "y": 2.0, "z": 1.2, "quality": 80}
                said = {"position": place, "superFrameNumber": number}
                topic = "dwm/node/3B5C/uplink/location"
                gateway.publish(topic, json.dumps(said).ljust(800))
            counters = driver.book.sources[0].counters
            await until(lambda: counters.get("messages") == 300, "every message")
        last = host.last("dwm-3b5c", "location")
        assert last is not None and last.value == "1.000,2.000,1.200"
    finally:
        gateway.disconnect()
        gateway.loop_stop()
        broker.stop()


async def test_what_a_broker_kept_places_nobody() -> None:
    """A retained place was true once, and nobody knows when."""
    async with running(GATEWAY) as site:
        await site.shows("dwm-3b5c", Quality.GOOD)
        broker = site.plant.sources[0].broker
        assert broker is not None
        payload = b'{"position":{"x":1,"y":2,"z":1.2,"quality":90}}'
        broker.publish("dwm/node/0abc/uplink/location", b"{}", retain=True)
        broker._kept["dwm/node/0abc/uplink/location"] = payload
        broker._kept["dwm/node/0abc/uplink/status"] = b'{"present":true,"batt":9}'
        before = site.driver.peers["gateway"].sessions
        await site.tell(do="drop")
        peer = site.driver.peers["gateway"]
        await until(lambda: peer.sessions > before, "a new session")
        await site.shows("dwm-3b5c", Quality.GOOD)
        assert site.last("dwm-0abc") is None or site.last("dwm-0abc").value is None  # type: ignore[union-attr]
        assert site.last("dwm-0abc", "battery") is None


@pytest.mark.parametrize(
    "said",
    [
        b"\xff\xff\xff\xff\xff\xff",
        b"\x20\x02\x00\x00\x30\x04\x00\xffab",
        b"\x20\x02\x00\x00\x30\x02\x00\x00\x90\x00",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x20\x03\x00\x00\x00\x30\x05\x00\x01\xff\x00\x00",
    ],
)
async def test_broker_that_speaks_no_mqtt_is_left_and_tried_again(said: bytes) -> None:
    """Bounded and without an error of its own, whatever is at the other end."""
    calls = 0

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        nonlocal calls
        calls += 1
        await reader.read(1024)
        writer.write(said)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
            await reader.read(1024)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    source = {**GATEWAY, "broker": {"host": "127.0.0.1", "port": port}}
    driver = PositioningIntegration(FakeHost({"sources": [source]}))
    async with server, Running(driver):
        await until(lambda: calls >= 3, "tried again")
