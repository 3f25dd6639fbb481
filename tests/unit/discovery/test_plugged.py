"""Serial adapters come and go; each is one finding under its lasting name."""

import asyncio
import os
import tty
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core.clock import RealClock, SimClock
from integrations.runtime.discovery import plugged
from integrations.runtime.discovery.board import Board
from integrations.runtime.discovery.plugged import SerialListener, sightings
from integrations.runtime.discovery.radio import NotHere, RadioListener
from integrations.runtime.discovery.radio import sighting_of as of_radio
from tests.support.waiting import until
from tests.unit.discovery.sightings import SIGNS

BY_ID = "usb-FTDI_FT232R_USB_UART_A10K{}-if00-port0"


def port(device: str, **more: Any) -> Any:
    base: dict[str, Any] = {
        "device": device,
        "vid": 0x0403,
        "pid": 0x6001,
        "serial_number": "A10KZZ17",
        "manufacturer": "FTDI",
        "product": "FT232R",
        "location": "1-1.2",
    }
    return SimpleNamespace(**{**base, **more})


@pytest.fixture
def pty() -> Iterator[str]:
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    yield os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


def test_an_adapter_is_known_by_its_serial_number(tmp_path: Path) -> None:
    (made,) = sightings([port("/dev/ttyUSB0")], {}, tmp_path, SIGNS)
    assert made.keys == ("usb:0403:6001:A10KZZ17",)
    assert made.facts["device"] == "/dev/ttyUSB0"
    assert (made.name, made.matches[0].integration) == ("FTDI FT232R", "modbus")


def test_twins_without_a_number_are_told_apart_by_their_sockets(
    tmp_path: Path,
) -> None:
    """Makers leave 0001 in thousands of adapters."""
    twins = [
        port("/dev/ttyUSB0", serial_number="A1", location="1-1"),
        port("/dev/ttyUSB1", serial_number="A1", location="1-2"),
    ]
    keys = {key for each in sightings(twins, {}, tmp_path, SIGNS) for key in each.keys}
    assert keys == {"usb:0403:6001:A1@1-1", "usb:0403:6001:A1@1-2"}


def test_a_port_of_the_board_itself_is_none(tmp_path: Path) -> None:
    """It is always there: nobody plugged it in."""
    assert not sightings([port("/dev/ttyS0", vid=None)], {}, tmp_path, SIGNS)


async def test_a_plugged_adapter_is_found_and_a_pulled_one_goes(
    tmp_path: Path, pty: str
) -> None:
    board = Board(RealClock())
    listener = SerialListener(SIGNS, board, tmp_path / "by-id", list)
    running = asyncio.create_task(listener.run())
    (tmp_path / "by-id").mkdir()
    name = tmp_path / "by-id" / BY_ID.format(1)
    name.symlink_to(pty)
    await until(board.findings, "the adapter is found")
    (found,) = board.findings()
    assert (found.facts["device"], found.facts["tty"]) == (str(name), pty)
    assert found.key == f"usb:{name.name}"
    name.unlink()
    await until(lambda: not board.findings(), "the adapter is gone")
    running.cancel()
    await asyncio.wait([running])
    assert len(board) == 0


async def test_it_listens_where_the_kernel_gives_no_news(
    tmp_path: Path, pty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugged, "_monitor", lambda: None)
    monkeypatch.setattr(plugged, "LOOK_S", 0.02)
    board = Board(RealClock())
    listener = SerialListener(SIGNS, board, tmp_path, list)
    running = asyncio.create_task(listener.run())
    (tmp_path / BY_ID.format(2)).symlink_to(pty)
    await until(board.findings, "the adapter is found")
    running.cancel()
    await asyncio.wait([running])


def test_an_adapter_is_one_by_id_and_by_the_kernels_name(
    tmp_path: Path, pty: str
) -> None:
    (tmp_path / BY_ID.format(3)).symlink_to(pty)
    board = Board(SimClock())
    SerialListener(SIGNS, board, tmp_path, lambda: [port(pty)]).look()
    assert [each.key for each in board.findings()] == ["usb:0403:6001:A10KZZ17"]


# --- Bluetooth ---------------------------------------------------------------------


async def test_a_machine_without_an_adapter_says_so(tmp_path: Path) -> None:
    board = Board(SimClock())
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(NotHere):
            await RadioListener(SIGNS, board, folder).run()


def test_an_advertisement_is_a_sighting() -> None:
    made = of_radio(
        "A4:C1:38:11:22:33",
        "ATC 112233",
        ("0000fcd2-0000-1000-8000-00805f9b34fb",),
        {0x0BA9: b"\x01"},
        SIGNS,
    )
    assert made.keys == ("mac:a4c138112233",)
    assert {each.integration for each in made.matches} == {"bthome", "shelly"}
