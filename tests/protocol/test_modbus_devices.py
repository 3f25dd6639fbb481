"""Detectors over real Modbus TCP and RTU: what goes wrong is a quality, and heals."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from core.api import Quality
from integrations.modbus.bus import Bus, LinkError, Serial
from integrations.modbus.port import REOPEN_AFTER
from tests.protocol.modbus_site import FAST, RELAY, XNX, Site, running
from tests.support.waiting import until

QUICK = {**XNX, "timeout_s": 0.1}


@pytest.fixture(params=["tcp", "rtu"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Mapping[str, Any]:
    """Return where the bus of this test is: each test runs on both kinds."""
    if request.param == "tcp":
        return {"tcp": "127.0.0.1:0"}
    return {"serial": {"port": str(tmp_path / "ttyRS485")}}


async def healed(site: Site) -> None:
    """Clear every fault and wait until the detector is believed again."""
    clear = {
        "silent": False,
        "slow_s": 0.0,
        "bad_crc": False,
        "exception": 0,
        "garbage": "",
        "answer_as": None,
    }
    await site.tell(device="xnx-1", fault=clear)
    assert (await site.shows("xnx-1", "gas", Quality.GOOD)).value == 12.5
    assert site.host.links["xnx-1"] == (True, "")


async def test_reading_with_the_unit_that_the_device_tells(
    place: Mapping[str, Any],
) -> None:
    """Value, unit and quality come from the registers."""
    async with running(place, XNX, speed=FAST) as site:
        await site.tell(device="xnx-1", set={"gas": 12.5})
        assert (await site.shows("xnx-1", "gas", Quality.GOOD)).value == 12.5
        gas = next(e for e in site.host.devices["xnx-1"].entities if e.uid == "gas")
        assert (gas.unit, gas.quantity, gas.critical) == ("ppm", "h2s", True)
        # Declared anew with its unit before any value was told.
        assert len(site.host.declared) == 2
        valued = [r for r in site.host.reports["xnx-1", "gas"] if r.value is not None]
        assert all(r.reason != "modbus.unit_unknown" for r in valued)


@pytest.mark.parametrize(
    ("state", "quality", "reason"),
    [
        ("warm_up", Quality.INHIBITED, "warm_up"),
        ("inhibit", Quality.INHIBITED, "inhibit"),
        ("calibration", Quality.INHIBITED, "calibration"),
        ("fault", Quality.FAULT, "device_fault"),
    ],
)
async def test_state_is_a_quality_and_never_a_value(
    place: Mapping[str, Any], state: str, quality: Quality, reason: str
) -> None:
    """R16: the transmitter reads 0 in these states; no reading carries it."""
    async with running(place, XNX, speed=FAST) as site:
        await site.tell(device="xnx-1", set={"gas": 12.5})
        await site.shows("xnx-1", "gas", Quality.GOOD)
        await site.tell(device="xnx-1", state=state)
        assert (await site.shows("xnx-1", "gas", quality, reason)).value is None
        assert 0.0 not in [r.value for r in site.host.reports["xnx-1", "gas"]]
        await site.tell(device="xnx-1", state="normal")
        await healed(site)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"silent": True}, "silent"),
        ({"slow_s": 0.3}, "silent"),
        ({"bad_crc": True}, "bad_frame"),
        ({"answer_as": 9}, "wrong_unit"),
    ],
)
async def test_device_that_does_not_answer_rightly_is_lost_and_comes_back(
    place: Mapping[str, Any], fault: Mapping[str, Any], reason: str
) -> None:
    """Fault: silent, slow, wrong CRC, another unit's answer."""
    async with running(place, QUICK, speed=FAST) as site:
        await site.tell(device="xnx-1", set={"gas": 12.5})
        await site.shows("xnx-1", "gas", Quality.GOOD)
        await site.tell(device="xnx-1", fault=fault)
        reading = await site.shows("xnx-1", "gas", Quality.FAULT, reason)
        assert reading.value is None
        assert site.host.links["xnx-1"] == (False, f"modbus.{reason}")
        await healed(site)


async def test_exception_answer_is_a_fault_of_a_device_that_lives(
    place: Mapping[str, Any],
) -> None:
    """Fault: exception replies carry their code."""
    async with running(place, XNX, speed=FAST) as site:
        await site.tell(device="xnx-1", set={"gas": 12.5})
        await site.shows("xnx-1", "gas", Quality.GOOD)
        await site.tell(device="xnx-1", fault={"exception": 4})
        await site.shows("xnx-1", "gas", Quality.FAULT, "exception_4")
        assert site.host.links["xnx-1"] == (True, "")
        await healed(site)


async def test_garbage_before_an_answer_costs_nothing(
    place: Mapping[str, Any],
) -> None:
    """Fault: leading garbage; the answer behind it still counts."""
    async with running(place, XNX, speed=FAST) as site:
        await site.tell(device="xnx-1", set={"gas": 12.5}, fault={"garbage": "ff0013"})
        assert (await site.shows("xnx-1", "gas", Quality.GOOD)).value == 12.5
        assert not site.host.counts


async def test_frozen_heartbeat_is_stale_though_the_value_reads_well(
    place: Mapping[str, Any],
) -> None:
    """Fault: a frozen heartbeat is a quality."""
    async with running(place, XNX, speed=FAST) as site:
        await site.tell(device="xnx-1", set={"gas": 12.5})
        await site.shows("xnx-1", "gas", Quality.GOOD)
        await site.tell(device="xnx-1", fault={"freeze": True})
        reading = await site.shows("xnx-1", "gas", Quality.STALE, "heartbeat_frozen")
        assert reading.value == 12.5
        await site.tell(device="xnx-1", fault={"freeze": False})
        await healed(site)


async def test_heartbeat_that_was_frozen_before_the_hub_came_proves_nothing(
    place: Mapping[str, Any],
) -> None:
    """R16: a reading is evidence only after its heartbeat was seen to move."""
    async with running(place, XNX, speed=FAST) as site:
        await site.tell(device="xnx-1", set={"gas": 1.0}, fault={"freeze": True})
        await site.shows("xnx-1", "gas", Quality.STALE, "heartbeat_frozen")
        qualities = {r.quality for r in site.host.reports["xnx-1", "gas"]}
        assert Quality.GOOD not in qualities


async def test_silent_device_never_heard_is_not_present_and_others_go_on(
    place: Mapping[str, Any],
) -> None:
    """R16: one dead device does not hide the living ones on its bus."""
    other = {**QUICK, "unit": 7, "uid": "xnx-7"}
    async with running(place, QUICK, other, speed=FAST) as site:
        await site.tell(device="xnx-7", fault={"silent": True})
        await site.tell(device="xnx-1", set={"gas": 12.5})
        await site.shows("xnx-7", "gas", Quality.NOT_PRESENT, "silent")
        assert (await site.shows("xnx-1", "gas", Quality.GOOD)).value == 12.5


async def test_unit_that_changes_later_is_a_fault(place: Mapping[str, Any]) -> None:
    """Design §5: nobody re-scales a detector behind the hub's back."""
    async with running(place, XNX, speed=FAST) as site:
        await site.shows("xnx-1", "gas", Quality.GOOD)
        await site.tell(device="xnx-1", set={"unit": 5})
        await site.shows("xnx-1", "gas", Quality.FAULT, "unit_mismatch")


async def test_server_that_restarts_is_found_again(place: Mapping[str, Any]) -> None:
    """Fault: reconnect after the server was away."""
    async with running(place, QUICK, RELAY, speed=FAST) as site:
        await site.tell(device="xnx-1", set={"gas": 12.5})
        await site.shows("xnx-1", "gas", Quality.GOOD)
        await site.tell(bus="b1", do="stop")
        await site.shows("xnx-1", "gas", Quality.FAULT)
        await site.shows("relay-1", "ch1", Quality.FAULT)
        await until(lambda: not site.host.links["xnx-1"][0], "link down")
        await site.tell(bus="b1", do="start")
        await healed(site)


async def test_dropped_connection_heals_by_itself() -> None:
    """Fault: the gateway closes every connection."""
    async with running({"tcp": "127.0.0.1:0"}, XNX, speed=FAST) as site:
        await site.tell(device="xnx-1", set={"gas": 12.5})
        await site.shows("xnx-1", "gas", Quality.GOOD)
        before = site.driver.ports[0].connects
        await site.tell(bus="b1", do="drop")
        await until(lambda: site.driver.ports[0].connects > before, "reconnect")
        await healed(site)


async def test_port_on_which_nobody_answers_is_reopened() -> None:
    """A half-open connection looks like silence: reopen it now and then."""
    async with running({"tcp": "127.0.0.1:0"}, QUICK, speed=FAST) as site:
        await site.tell(device="xnx-1", fault={"silent": True})
        port = site.driver.ports[0]
        await until(lambda: port.connects > 1, "reopened")
        assert port.bus.requests >= REOPEN_AFTER


async def test_missing_port_is_named_with_what_to_do(tmp_path: Path) -> None:
    """Errors name the place: a serial port that is not plugged in."""
    where = {"serial": {"port": str(tmp_path / "tty")}}
    async with running(where, XNX, speed=FAST) as site:
        await site.shows("xnx-1", "gas", Quality.GOOD)
        await site.tell(bus="b1", do="stop")
        await site.shows("xnx-1", "gas", Quality.FAULT, "serial_missing")
        assert str(tmp_path / "tty") in site.host.details["modbus.serial_missing"][0]


async def test_serial_port_is_held_alone(tmp_path: Path) -> None:
    """Two masters on one line would garble both."""
    where = {"serial": {"port": str(tmp_path / "tty")}}
    async with running(where, XNX, speed=FAST) as site:
        await site.shows("xnx-1", "gas", Quality.GOOD)
        second = Bus(Serial(port=str(tmp_path / "tty")))
        with pytest.raises(LinkError, match="serial_busy"):
            await second.connect()
