"""Hear serial adapters that are plugged in and pulled out."""

import asyncio
import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

import pyudev
from serial.tools import list_ports

from core.api.identity import key
from integrations.runtime.discovery.board import Board
from integrations.runtime.discovery.match import Signs
from integrations.runtime.discovery.sighting import Sighting, clean, clean_facts

#: Names here last as long as the adapter, whichever number the kernel gives it.
BY_ID = Path("/dev/serial/by-id")
LOOK_S = 1.0
#: Makers leave these in thousands of adapters.
_NO_SERIAL = ("", "0", "0001", "00000000", "123456", "0123456789abcdef")


class Port(Protocol):
    """What is known of a port of this machine."""

    device: str
    vid: int | None
    pid: int | None
    serial_number: str | None
    manufacturer: str | None
    product: str | None
    location: str | None


def by_id(folder: Path) -> dict[str, str]:
    """Return the lasting names of serial ports: name → real path."""
    try:
        names = sorted(os.listdir(folder))[:200]
    except OSError:
        return {}
    return {name: os.path.realpath(folder / name) for name in names}


def sightings(
    ports: Iterable[Port], names: dict[str, str], folder: Path, signs: Signs
) -> list[Sighting]:
    """Return a sighting per adapter: what is on USB, or has a lasting name."""
    known = {path: name for name, path in names.items()}
    on_usb = {os.path.realpath(p.device): p for p in ports if p.vid is not None}
    found = []
    for path in sorted({*on_usb, *known}):
        name = known.get(path, "")
        shown = str(folder / name) if name else path
        facts = {"interface": "serial", "device": shown, "tty": path}
        facts |= _usb_facts(on_usb[path]) if path in on_usb else {}
        found.append((facts, name or Path(path).name))
    lasting = Counter(_key(facts, name) for facts, name in found)
    return list(_sightings(found, lasting, signs))


def _sightings(
    found: Iterable[tuple[dict[str, str], str]], lasting: Counter[str], signs: Signs
) -> Iterator[Sighting]:
    for facts, name in found:
        own = _key(facts, name)
        if lasting[own] > 1:  # twins: only their sockets tell them apart
            own = f"{own}@{facts.get('location', facts['tty'])}"
        yield Sighting(
            source=f"usb:{own}",
            kind="usb",
            slot="usb",
            name=clean(facts.get("description", "") or name),
            keys=(own,),
            facts=clean_facts(facts),
            matches=signs.usb(facts),
        )


def _usb_facts(port: Port) -> dict[str, str]:
    said = f"{port.manufacturer or ''} {port.product or ''}".strip()
    facts = {
        "vid": f"{port.vid or 0:04x}",
        "pid": f"{port.pid or 0:04x}",
        "serial": port.serial_number or "",
        "description": said,
        "location": port.location or "",
    }
    return {name: clean(value) for name, value in facts.items() if value}


def _key(facts: dict[str, str], name: str) -> str:
    serial = facts.get("serial", "")
    if "vid" in facts and serial.lower() not in _NO_SERIAL:
        return key("usb", f"{facts['vid']}:{facts['pid']}:{serial}")
    return key("usb", name)


class SerialListener:
    """Look each second, and at once when the kernel says that something came.

    ``folder``: where the lasting names are; ``ports`` lists the machine's ports.
    """

    name = "usb"

    def __init__(
        self,
        signs: Signs,
        board: Board,
        folder: Path = BY_ID,
        ports: Callable[[], Iterable[Port]] = list_ports.comports,
    ) -> None:
        self._signs, self._board = signs, board
        self._folder, self._ports = folder, ports
        self._woken = asyncio.Event()

    async def run(self) -> None:
        """Look until cancelled."""
        monitor = _monitor()
        loop = asyncio.get_running_loop()
        if monitor is not None:
            loop.add_reader(monitor.fileno(), self._told, monitor)
        try:
            while True:
                self.look()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        await self._woken.wait()
                self._woken.clear()
        finally:
            if monitor is not None:
                loop.remove_reader(monitor.fileno())
            self._board.forget("usb:")

    def _told(self, monitor: pyudev.Monitor) -> None:
        with contextlib.suppress(OSError):
            while monitor.poll(timeout=0) is not None:
                self._woken.set()

    def look(self) -> None:
        """Compare what is plugged in with what was."""
        names = by_id(self._folder)
        found = sightings(self._ports(), names, self._folder, self._signs)
        for sighting in found:
            self._board.seen(sighting)
        here = {sighting.source for sighting in found}
        for source in self._board.sources("usb") - here:
            self._board.gone(source)


def _monitor() -> pyudev.Monitor | None:
    """Return the kernel's news of terminals; None where it gives none."""
    try:
        monitor = pyudev.Monitor.from_netlink(pyudev.Context(), source="kernel")
        monitor.filter_by("tty")
        monitor.start()
    except (OSError, ImportError):
        return None
    return monitor
