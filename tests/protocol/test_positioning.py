"""Positioning over real ptys, brokers and WebSockets: places, faults, recovery."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from core.api import Quality
from integrations.positioning.integration import PositioningIntegration
from integrations.positioning.simulator import Positions
from integrations.positioning.studio import Studio
from integrations.positioning.uart import Shell
from tests.protocol.positioning_site import (
    ANCHORS,
    GATEWAY,
    POZYX,
    SEWIO,
    Site,
    running,
    wire,
)
from tests.support.host import FakeHost, Running
from tests.support.waiting import until


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
