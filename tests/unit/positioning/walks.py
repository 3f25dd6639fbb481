"""A book of tags on a clock of the test's own, fed by the simulated world."""

import math
from collections.abc import Callable
from typing import Any

from core.api import Quality
from core.clock import SimClock
from integrations.positioning import dwm
from integrations.positioning.acceptance import Fix
from integrations.positioning.book import Book
from integrations.positioning.flow import schema
from integrations.positioning.frame import Frame
from integrations.positioning.model import Sighting
from integrations.positioning.simulated import SimTag, Teller, World
from tests.support.host import FakeHost

#: A hall of 30 m by 30 m with an anchor at each corner and side.
ANCHORS = {
    "0001": {"at": [0, 0, 4]},
    "0002": {"at": [15, 0, 4]},
    "0003": {"at": [30, 0, 4]},
    "0004": {"at": [30, 15, 4]},
    "0005": {"at": [30, 30, 4]},
    "0006": {"at": [15, 30, 4]},
    "0007": {"at": [0, 30, 4]},
    "0008": {"at": [0, 15, 4]},
}
Steer = Callable[[str, float], tuple[float, float]]


def options(**more: Any) -> dict[str, Any]:
    """Return checked options of a gateway of ranges."""
    wire = {"id": "w", "kind": "dwm1001_uart", "port": "/dev/null", "interval_s": 0.5}
    given = {"sources": [wire], "anchors": ANCHORS, **more}
    checked: dict[str, Any] = schema()(given)
    return checked


class Hall:
    """Walk tags through the hall and write down what the hub is told."""

    def __init__(
        self, noise_m: float = 0.1, nlos_share: float = 0.0, seed: int = 7, **more: Any
    ) -> None:
        self.host = FakeHost({})
        self.clock = SimClock()
        self.host.clock = self.clock
        self.book = Book(self.host, options(**more))
        self.source = self.book.sources[0]
        self.world = World(self.book.anchors.survey, noise_m, seed)
        self.world.nlos_share = nlos_share
        self.teller = Teller(self.world, Frame())
        self.fixes: list[Fix] = []
        self._read: dict[str, int] = {}

    def tag(self, node: str) -> SimTag:
        """Return a tag of the world, made on first use."""
        uid = f"dwm-{node}"
        return self.world.tags.setdefault(uid, SimTag(uid=uid, node=node))

    def now(self) -> float:
        """Return seconds of the test's clock."""
        return self.clock.mono_ns() / 1e9

    def walk(self, nodes: list[str], seconds: float, hz: float, steer: Steer) -> None:
        """Let tags go where ``steer(node, t)`` says, and be heard."""
        for _ in range(int(seconds * hz)):
            self.clock.advance(1 / hz)
            for node in nodes:
                self.hear(node, *steer(node, self.now()))
            self.book.sweep()

    def hear(self, node: str, x: float, y: float) -> None:
        """Let one tag be heard at a place."""
        tag = self.tag(node)
        tag.at = x, y, 1.2
        found = dwm.line(self.teller.line(tag, 0.0))
        assert isinstance(found, Sighting)
        told = Sighting(node=node, ranges=found.ranges, raw=found.raw)
        self.book.take(self.source, told)
        self._write(tag)

    def _write(self, tag: SimTag) -> None:
        reports = self.host.reports.get((tag.uid, "location"), [])
        for report in reports[self._read.get(tag.uid, 0) :]:
            if report.quality is Quality.GOOD:
                x, y, _ = (float(part) for part in str(report.value).split(","))
                circle = self.host.last(tag.uid, "accuracy")
                accuracy = circle.value if circle is not None else None
                assert isinstance(accuracy, float)
                fix = Fix(t=self.now(), tag=tag.uid, x=x, y=y, accuracy=accuracy)
                self.fixes.append(fix)
        self._read[tag.uid] = len(reports)


def circle(radius: float, pace: float = 1.3, turn: float = 0.0) -> Steer:
    """Return a way round the hall's middle (15, 15)."""

    def steer(_: str, t: float) -> tuple[float, float]:
        angle = turn + pace * t / radius
        return 15 + radius * math.cos(angle), 15 + radius * math.sin(angle)

    return steer
