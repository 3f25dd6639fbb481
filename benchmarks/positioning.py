"""Measure how many places a second one core makes of what tags say.

200 tags at 10 Hz in a hall of eight anchors, as lines of ranges (the hub places them)
and as a gateway's payloads (the engine has). The floor is reading the same bytes and
nothing more. The bound is 2,000 places a second. Run: python benchmarks/positioning.py
"""

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core.clock import AsyncClock, RealClock, SimClock
from integrations.positioning import dwm
from integrations.positioning.book import Book
from integrations.positioning.flow import schema
from integrations.positioning.frame import Frame
from integrations.positioning.model import Sighting
from integrations.positioning.simulated import SimTag, Teller, World

BOUND = 2_000
HZ = 10.0
CORNERS = ((0, 0), (15, 0), (30, 0), (30, 15), (30, 30), (15, 30), (0, 30), (0, 15))


class Host:
    """Take what the book tells, and do nothing with it."""

    def __init__(self) -> None:
        self.clock = SimClock()
        self.timer = AsyncClock(RealClock())
        self.options: dict[str, object] = {}
        self.rows = 0

    def handle(self, _device: str, _entity: str) -> int:
        """Return one number for all."""
        return 0

    def report(self, *_: object) -> None:
        """Count a row."""
        self.rows += 1

    def declare(self, *_: object) -> None:
        """Take it."""
        return

    link_state = count = withdraw = result = declare

    async def event(self, *_: object) -> None:
        """Take it."""
        return


def main(argv: list[str]) -> int:
    """Print places a second; exit status 1 below the bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tags", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=3, help="of the hall's time")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args(argv)
    print("source           places/s  floor/s  share of it  µs a place  rows a place")
    slow = False
    for kind in ("ranges", "gateway"):
        floor, made, rows = measure(kind, options)
        print(
            f"{kind:<14} {made:>10,.0f} {floor:>8,.0f} {made / floor:>12.1%} "
            f"{1e6 / made:>11.1f} {rows:>13.2f}"
        )
        slow |= made < BOUND
    print(f"bound: {BOUND:,} places a second on one core: {'no' if slow else 'yes'}")
    return int(slow)


def measure(kind: str, options: argparse.Namespace) -> tuple[float, float, float]:
    """Return messages a second of reading alone, of placing, and rows a place."""
    world, messages = script(kind, options.tags, int(options.seconds * HZ))
    count = sum(map(len, messages))
    floors, whole, rows = [], [], 0.0
    for _ in range(options.runs):
        floors.append(count / clocked(lambda: parse(kind, messages)))
        host = Host()
        book = Book(host, settings(world))  # type: ignore[arg-type]
        whole.append(count / clocked(partial(place, kind, messages, book, host)))
        rows = host.rows / count
    return statistics.median(floors), statistics.median(whole), rows


def clocked(work: Callable[[], None]) -> float:
    """Return the processor seconds of some work."""
    began = time.process_time()
    work()
    return time.process_time() - began


def settings(world: World) -> dict[str, object]:
    """Return the options of a site with these anchors."""
    anchors = {name: {"at": list(at[:3])} for name, at in world.anchors.items()}
    source = {"id": "w", "kind": "dwm1001_uart", "port": "/dev/null", "interval_s": 0.2}
    checked: dict[str, object] = schema()({"sources": [source], "anchors": anchors})
    return checked


Message = tuple[str, bytes]


def script(kind: str, tags: int, turns: int) -> tuple[World, list[list[Message]]]:
    """Return what all tags say in each turn, as they walk."""
    from integrations.positioning.solve import Anchor

    anchors = {f"{n:04x}": Anchor(x, y, 4.0) for n, (x, y) in enumerate(CORNERS, 1)}
    world = World(anchors, noise_m=0.1, size=(30.0, 30.0))
    world.nlos_share = 0.05
    some = random.Random(1)
    teller = Teller(world, Frame())
    for number in range(tags):
        node = f"{0x1000 + number:04x}"
        at = some.uniform(2, 28), some.uniform(2, 28), 1.2
        speed = some.uniform(-1.5, 1.5), some.uniform(-1.5, 1.5)
        world.tags[node] = SimTag(uid=f"dwm-{node}", node=node, at=at, speed=speed)
    found = []
    for turn in range(turns):
        world.step(1 / HZ)
        row = []
        for node, tag in world.tags.items():
            tag.counter = turn + 1
            form = teller.line if kind == "ranges" else teller.dwm
            row.append((node, form(tag, 0.0)))
        found.append(row)
    return world, found


def read(kind: str, node: str, data: bytes) -> Sighting | None:
    """Read one message as the driver does."""
    if kind == "gateway":
        return dwm.message(f"dwm/node/{node}/uplink/location", data)
    found = dwm.line(data)
    return found if isinstance(found, Sighting) else None


def parse(kind: str, messages: list[list[Message]]) -> None:
    """Read all messages: the floor."""
    for turn in messages:
        for _, data in turn:
            if kind == "gateway":
                json.loads(data)
            else:
                data.decode("ascii").split(",")


def place(kind: str, messages: list[list[Message]], book: Book, host: Host) -> None:
    """Read and place all messages."""
    source = book.sources[0]
    for turn in messages:
        host.clock.advance(1 / HZ)
        for node, data in turn:
            found = read(kind, node, data)
            if found is not None:
                found = found if found.node else _named(found, node)
                book.take(source, found)
        book.sweep()


def _named(found: Sighting, node: str) -> Sighting:
    return Sighting(
        node=node,
        at=found.at,
        ranges=found.ranges,
        quality=found.quality,
        raw=found.raw,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
