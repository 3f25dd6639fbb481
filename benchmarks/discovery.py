"""Time from a device's announcement to its proposal: mDNS, WS-Discovery, USB.

The discovery service runs as in the hub, listeners, board and list included; the time
is taken when the gateway would be told. For mDNS and WS-Discovery it runs in one
network namespace and the device in another (as root, with iproute2); where that is not
possible those rows say why. The clock starts before the device's first packet.

    python benchmarks/discovery.py [--rounds 5]
"""

import argparse
import asyncio
import contextlib
import json
import os
import pty
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from core import config  # noqa: E402
from core import state as states  # noqa: E402
from core.link import messages as m  # noqa: E402
from core.link.findings import Findings  # noqa: E402
from integrations.runtime.discovery.plugged import SerialListener  # noqa: E402
from integrations.runtime.discovery.service import (  # noqa: E402
    LISTENERS,
    Discovery,
    Make,
)
from tests.support.two_hosts import Wire, inside, why_not, wire  # noqa: E402

AIM_S = 3.0
ANNOUNCE = "tests.support.discovery.announce"


class Told:
    """Hear what the gateway is told."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self.news = asyncio.Event()

    def take(self, message: m.Message) -> None:
        """Take a message of discovery."""
        if isinstance(message, Findings):
            self.keys = {each.key for each in message.items}
            self.news.set()

    async def until(self, there: bool) -> None:
        """Wait until something is listed, or nothing."""
        while bool(self.keys) != there:
            self.news.clear()
            await self.news.wait()


@contextlib.asynccontextmanager
async def service(listeners: Mapping[str, Make]) -> AsyncIterator[Told]:
    """Run the discovery service with some of its listeners."""
    told, made, stopping = Told(), Discovery(listeners), asyncio.Event()
    made.send = told.take
    async with asyncio.TaskGroup() as group:
        group.create_task(made.run(stopping))
        await asyncio.sleep(0)
        empty = states.dump(states.SiteState())
        made.receive(m.Snapshot(0, 0, empty, config.dump(config.EMPTY)))
        yield told
        stopping.set()


async def usb(rounds: int) -> list[float]:
    """Return seconds from the link of a port to the proposal."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = pty.openpty()
        names = Path(folder)
        make: Make = lambda signs, board: SerialListener(signs, board, names, list)  # noqa: E731
        async with service({"usb": make}) as told:
            await asyncio.sleep(1.0)
            for number in range(rounds):
                name = names / f"usb-Adapter_{number:06d}-if00-port0"
                begin = time.perf_counter()
                name.symlink_to(os.ttyname(theirs))
                await told.until(True)
                found.append(time.perf_counter() - begin)
                name.unlink()
                await told.until(False)
        os.close(ours)
        os.close(theirs)
    return found


async def network(kind: str, rounds: int) -> list[float]:
    """Return seconds from before a device speaks on another host to its proposal."""
    found = []
    with wire() as laid:
        me = ["--listen", kind.partition("-")[0]]
        async with inside(laid, "hub", "benchmarks.discovery", *me) as hub:
            await hub.line()
            for _ in range(rounds):
                place = (kind, Wire.addresses["device"])
                async with inside(laid, "device", ANNOUNCE, *place) as device:
                    begin = (await device.line())["at"]
                    while not (line := await hub.line())["there"]:
                        continue
                    found.append(line["at"] - begin)
                    device.say("bye")
                    while (await hub.line())["there"]:
                        continue
    return found


async def listen(name: str) -> None:
    """Serve as the hub in a namespace: a line whenever the list changes."""
    async with service({name: LISTENERS[name]}) as told:
        sys.stdout.write(json.dumps({"there": False, "at": 0}) + "\n")
        sys.stdout.flush()
        while True:
            there = bool(told.keys)
            await told.until(not there)
            # One machine, so one monotonic clock for both hosts.
            line = {"there": not there, "at": time.monotonic()}
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()


def row(name: str, seconds: list[float]) -> str:
    """Return one line of the table."""
    worst = max(seconds)
    verdict = "met" if worst <= AIM_S else "MISSED"
    middle = statistics.median(seconds)
    return (
        f"{name:<34} median {middle:5.2f} s   worst {worst:5.2f} s"
        f"   of {len(seconds)}   aim ≤ {AIM_S:g} s: {verdict}"
    )


async def main(rounds: int) -> None:
    """Measure and print all."""
    sys.stdout.write(row("USB serial adapter", await usb(rounds)) + "\n")
    reason = why_not()
    for kind, name in (
        ("mdns", "mDNS, another host"),
        ("wsd-hello", "WS-Discovery hello, another host"),
    ):
        if reason:
            sys.stdout.write(f"{name:<34} not measured: {reason}\n")
        else:
            sys.stdout.write(row(name, await network(kind, rounds)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--listen", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    asyncio.run(listen(options.listen) if options.listen else main(options.rounds))
