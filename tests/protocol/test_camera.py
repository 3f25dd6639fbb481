"""Cameras over real sockets: seen, judged, heard, lost, and never stuck."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.api import AuthError, DeviceError, Quality
from integrations.camera import flow, look, pictures, scene
from integrations.camera.camera import BEAT_S
from integrations.camera.integration import CameraIntegration
from integrations.camera.judge import Judge
from tests.protocol.camera_site import (
    SECRET,
    Site,
    camera,
    decoders,
    running,
    simulated,
)
from tests.support.host import FakeHost, Running
from tests.support.waiting import until

SOURCES = {
    "onvif, snapshots": camera("c", picture="snapshot", events=[]),
    "onvif, rtsp": camera("c", picture="rtsp", events=[]),
    "isapi, mjpeg": camera("c", protocol="isapi", picture="mjpeg", events=[]),
    "isapi, snapshots": camera("c", protocol="isapi", picture="snapshot", events=[]),
    "a page": camera("c", protocol="http", path="/snapshot"),
    "mjpeg on a page": camera("c", protocol="http", picture="mjpeg", path="/mjpeg"),
}
NULL = "/dev/null"
PLAIN = SOURCES["onvif, snapshots"]


def _bright(site: Site, value: float) -> bool:
    """Say whether the picture is told to be so bright; it may be late, or lost."""
    last = site.host.last("c", "brightness")
    told = last.value if last is not None else None
    return isinstance(told, int | float) and abs(told - value) < 3


@pytest.mark.parametrize("name", SOURCES)
async def test_every_source_yields_pictures_that_are_judged(name: str) -> None:
    """Issue §5: ONVIF, RTSP, MJPEG, snapshot and ISAPI are one thing to the hub."""
    async with running(SOURCES[name]) as site:
        await site.becomes("c", "health", False)
        await site.tell(device="c", set={"brightness": 60})
        await until(lambda: _bright(site, 60.0), "the brightness that was set")
        # On a busy machine a picture may be late, and the camera lost for a moment.
        await until(lambda: site.host.links["c"] == (True, ""), "the link is up")
    assert decoders() == []


async def test_a_camera_says_who_it_is() -> None:
    async with running(PLAIN) as site:
        told = site.host.declared
        await until(lambda: told and told[-1].serial == "SIM-c", "its serial")
        assert site.host.devices["c"].model == "SIM-CAM"


async def test_frozen_and_black_are_faults_with_their_reason() -> None:
    """Issue §5: frozen, black, moved and lost are health alarms."""
    async with running(PLAIN) as site:
        await site.becomes("c", "health", False)
        await site.tell(device="c", fault={"frozen": True})
        await site.shows("c", "health", Quality.FAULT, "camera.frozen")
        await site.becomes("c", "health.frozen", True)
        assert (await site.shows("c", "brightness", Quality.FAULT)).value is None
        await site.tell(device="c", fault={})
        await site.becomes("c", "health", False)
        await site.tell(device="c", state="black")
        await site.shows("c", "health", Quality.FAULT, "camera.black")
        await site.tell(device="c", state="normal")
        await site.becomes("c", "health", False)


async def test_a_turned_camera_is_known_by_the_reference_that_a_person_took() -> None:
    async with simulated(PLAIN) as simulator:
        options = simulator.told["cameras"][0]
        frame = await look.take(options, SECRET)
        reference = look.reference(frame.pixels)
        assert look.jpeg(frame.pixels).startswith(b"\xff\xd8")
        told = {"cameras": [{**options, "reference": [reference]}]}
        secrets = {"camera.password": SECRET}
        host = FakeHost({**told, "secrets": secrets})
        site = Site(simulator, host)
        async with Running(site.driver):
            await site.becomes("c", "health.moved", False)
            await site.tell(device="c", state="moved")
            await site.shows("c", "health", Quality.FAULT, "camera.moved")
            shift = host.last("c", "shift")
            assert shift is not None and 9 < float(shift.value or 0) < 18
    assert scene.compare(
        scene.reference(reference), scene.reference(reference)
    ).share == pytest.approx(1.0)
    assert Judge(5.0, (), (reference,)).proven


async def test_a_lost_camera_is_lost_and_comes_back_by_itself() -> None:
    async with running(PLAIN) as site:
        await site.becomes("c", "health", False)
        await site.tell(do="stop")
        await site.shows("c", "health", Quality.FAULT)
        await site.becomes("c", "health.lost", True)
        assert site.host.links["c"][0] is False
        await site.tell(do="start")
        await site.becomes("c", "health", False)
        await until(lambda: site.host.links["c"] == (True, ""), "the link is up")


async def test_a_decoder_that_hangs_is_killed_and_stops_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Brief: a stuck decoder must never hang the host."""
    monkeypatch.setattr(pictures, "STUCK_S", 2.0)
    async with running(
        SOURCES["onvif, rtsp"], camera("other", picture="none", events=["motion"])
    ) as site:
        await site.becomes("c", "health", False)
        (stuck,) = decoders()
        os.kill(stuck, signal.SIGSTOP)
        await site.shows("c", "health", Quality.FAULT)
        await site.tell(device="other", set={"motion": True})
        await site.becomes("other", "motion", True)
        await site.becomes("c", "health", False)
        assert stuck not in decoders()
        facts = site.driver.diagnostics()["cameras"][0]
        assert facts["killed"] == 1
        assert facts["started"] == 2


async def test_wrong_credentials_are_told_and_not_tried_again() -> None:
    """Driver rules: cameras lock out whoever goes on asking."""
    async with simulated(PLAIN) as simulator:
        host = FakeHost({**simulator.told, "secrets": {"camera.password": "wrong"}})
        with pytest.raises(AuthError):
            async with asyncio.timeout(30):
                await CameraIntegration(host).run()
    assert host.links["c"] == (False, "device.auth")
    last = host.last("c", "health")
    assert last is not None and last.quality is Quality.NOT_PRESENT
    assert all(r.quality is not Quality.GOOD for r in host.reports["c", "health"])


@pytest.mark.parametrize("source", ["onvif, rtsp", "isapi, mjpeg"])
async def test_one_wrong_password_stops_no_other_camera(source: str) -> None:
    wrong = {**SOURCES[source], "uid": "wrong", "password": "camera.wrong"}
    async with simulated(PLAIN, wrong) as simulator:
        secrets = {"camera.password": SECRET, "camera.wrong": "no"}
        simulator.cameras["wrong"].password = SECRET
        site = Site(simulator, FakeHost({**simulator.told, "secrets": secrets}))
        async with Running(site.driver):
            await site.becomes("c", "health", False)
            await until(
                lambda: site.host.links.get("wrong") == (False, "device.auth"),
                "told that its credentials are wrong",
            )
            assert site.driver.diagnostics()["cameras"][1]["reason"] == "device.auth"


async def test_another_camera_at_the_address_is_not_believed() -> None:
    """R27: an address proves nothing; the serial number does."""
    async with simulated(PLAIN) as simulator:
        told = {"cameras": [{**simulator.told["cameras"][0], "serial_number": "X-1"}]}
        secrets = {"camera.password": SECRET}
        site = Site(simulator, FakeHost({**told, "secrets": secrets}))
        async with Running(site.driver):
            await site.shows("c", "health", Quality.NOT_PRESENT, "camera.other_device")
            assert site.host.links["c"] == (False, "camera.other_device")


@pytest.mark.parametrize("seconds", [3_600.0, -86_400.0])
async def test_a_camera_whose_clock_is_wrong_is_reached_all_the_same(
    seconds: float,
) -> None:
    """ONVIF: a UsernameToken is judged by the camera's clock, which may step."""
    async with simulated(camera("c", picture="none", events=["motion"])) as simulator:
        simulator.cameras["c"].fault({"clock_s": seconds})
        site = Site(
            simulator,
            FakeHost({**simulator.told, "secrets": {"camera.password": SECRET}}),
        )
        async with Running(site.driver):
            await site.becomes("c", "motion", False)
            await site.tell(device="c", fault={})  # the clock steps back
            await site.tell(device="c", set={"motion": True})
            await site.becomes("c", "motion", True)


async def test_reports_of_onvif_are_heard_again_after_a_break() -> None:
    options = camera("c", picture="none", events=["motion", "input.1"])
    async with running(options) as site:
        await site.becomes("c", "input.1", False)
        await site.tell(device="c", set={"input.1": True})
        await site.becomes("c", "input.1", True)
        await site.tell(do="drop")  # every pull point is forgotten as well
        await site.tell(device="c", set={"input.1": False})
        await site.becomes("c", "input.1", False)


async def test_alerts_of_isapi_end_by_silence_and_are_gone_with_the_stream() -> None:
    options = camera("c", protocol="isapi", picture="none", events=["flame"])
    async with running(options) as site:
        await site.becomes("c", "flame", False)
        await site.tell(device="c", set={"flame": True})
        await site.becomes("c", "flame", True)
        await site.tell(device="c", set={"flame": False})
        await site.becomes("c", "flame", False)
        await site.tell(do="stop")
        await site.shows("c", "flame", Quality.FAULT)
        flame = next(e for e in site.host.devices["c"].entities if e.uid == "flame")
        assert flame.critical


async def test_a_report_that_nobody_expected_becomes_an_entity() -> None:
    options = camera("c", protocol="isapi", picture="none", events=["motion"])
    async with running(options) as site:
        await site.becomes("c", "motion", False)
        await site.tell(device="c", set={"heat": True, "temperature.1": 71.5})
        await site.becomes("c", "heat", True)
        await site.becomes("c", "temperature.1", 71.5)


async def test_noise_is_counted_and_never_a_value() -> None:
    """Issue, tests: bad input is counted, with its device, and is no value."""
    async with running(PLAIN) as site:
        await site.becomes("c", "health", False)
        await site.tell(device="c", fault={"garbage": True})
        await site.shows("c", "health", Quality.FAULT)
        assert site.host.counts["camera.bad_picture"] >= 1
        await site.tell(device="c", fault={"half": True, "garbage": False})
        await until(lambda: "camera.cut_short" in site.host.counts, "cut short")


async def test_the_cameras_own_recorder_tells_how_far_it_has_come() -> None:
    """H15: the gap of a recording is the recorder's own word, never ours."""
    options = camera("c", picture="none", events=["motion"], recorder=True)
    async with running(options) as site:
        await until(lambda: site.host.events, "a beat of its recorder")
        event = site.host.events[0]
        assert event.kind == "recording.beat"
        now_ms = site.host.clock.wall_ns() // 1_000_000
        assert abs(now_ms - int(event.params["until_ms"] or 0)) < 60_000


async def test_pictures_are_masked_and_leave_no_trace_on_the_machine() -> None:
    """Privacy: masked before anything else; no file, no credential to be read."""
    left = [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]]
    options: dict[str, Any] = {**SOURCES["onvif, rtsp"], "masks": [left]}
    async with running(options) as site:
        await site.becomes("c", "health", False)
        (decoder,) = decoders()
        root = Path(f"/proc/{decoder}")
        assert SECRET.encode() not in (root / "cmdline").read_bytes()
        assert SECRET.encode() not in (root / "environ").read_bytes()
        opened = [os.readlink(each) for each in (root / "fd").iterdir()]
        written = [each for each in opened if each.startswith("/") and each != NULL]
        assert written == []
        limits = (root / "limits").read_text()
        core = next(line for line in limits.splitlines() if "core file" in line)
        assert core.split()[4] == "0"
        frame = await look.take(
            flow.schema()(site.simulator.told)["cameras"][0], SECRET
        )
    half = frame.pixels.shape[1] // 2
    assert not np.any(frame.pixels[:, :half])
    assert np.any(frame.pixels[:, half:])


async def test_what_was_typed_is_tried_before_it_is_set_up() -> None:
    other = camera("other", picture="none", events=["motion"])
    async with simulated(SOURCES["onvif, rtsp"], other) as simulator:
        options, secrets = simulator.told, {"camera.password": SECRET}
        facts = await flow.probe(options, secrets)
        assert facts["c"] == "Simulated SIM-CAM SIM-c 640×360"
        assert facts["other"] == "Simulated SIM-CAM SIM-other"
        with pytest.raises(AuthError):
            await flow.probe(options, {"camera.password": "wrong"})
    with pytest.raises(DeviceError, match=r"^c: camera\.unreachable"):
        await flow.probe(options, secrets)


async def test_a_beat_tells_every_entity_though_nothing_changes() -> None:
    async with running(camera("c", picture="none", events=["motion"])) as site:
        await site.becomes("c", "motion", False)
        before = len(site.host.reports["c", "motion"])
        await until(
            lambda: len(site.host.reports["c", "motion"]) >= before + 2,
            f"two beats of {BEAT_S:g} s",
        )
