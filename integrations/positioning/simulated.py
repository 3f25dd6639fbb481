"""A simulated world: anchors and tags that walk, and what each maker's kit says."""

import json
import math
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from integrations.positioning.frame import Frame
from integrations.positioning.model import Point
from integrations.positioning.solve import Anchor

#: Frames kept for the fault 'replay'.
KEPT = 40
#: A node ranges with this many anchors at most.
RANGED = 4
_GARBAGE = b"\xfe\x00\xff{]garbage"


@dataclass(slots=True, kw_only=True)
class SimTag:
    """Hold one tag: where it truly is (site frame), its health, its faults."""

    uid: str
    node: str
    at: Point = (6.0, 5.0, 1.2)
    speed: tuple[float, float] = (0.0, 0.0)
    battery: float = 80.0
    resolved: bool = True
    quality: float = 90.0
    faults: dict[str, Any] = field(default_factory=dict)
    counter: int = 0
    kept: deque[bytes] = field(default_factory=lambda: deque(maxlen=KEPT))
    last: bytes = b""
    frozen: tuple[int, float] | None = None
    anchor: bool = False


class World:
    """Keep tags and anchors; times are seconds of the simulator's clock."""

    def __init__(
        self,
        anchors: Mapping[str, Anchor],
        noise_m: float = 0.03,
        seed: int = 1,
        size: tuple[float, float] = (20.0, 15.0),
    ) -> None:
        self.anchors = dict(anchors)
        self.tags: dict[str, SimTag] = {}
        self.bias: dict[str, float] = {}
        """Metres by which an anchor's ranges are too long."""
        self.dead: set[str] = set()
        self.noise_m = noise_m
        self.nlos_share = 0.0
        """Share of ranges that go around something."""
        self.nlos_m = (0.3, 2.0)
        self.chance = random.Random(seed)  # noqa: S311 - a simulator's noise
        self.size = size

    def step(self, seconds: float) -> None:
        """Let everybody walk on; walls turn them back."""
        for tag in self.tags.values():
            vx, vy = tag.speed
            if not vx and not vy:
                continue
            x, y = tag.at[0] + vx * seconds, tag.at[1] + vy * seconds
            if not 0 < x < self.size[0]:
                vx, x = -vx, min(max(x, 0.0), self.size[0])
            if not 0 < y < self.size[1]:
                vy, y = -vy, min(max(y, 0.0), self.size[1])
            tag.at, tag.speed = (x, y, tag.at[2]), (vx, vy)

    def ranges(self, tag: SimTag) -> dict[str, float]:
        """Return distances to the nearest living anchors, noise and walls in them."""
        found = {}
        for name, anchor in self.anchors.items():
            if name in self.dead:
                continue
            far = math.dist(tag.at, anchor[:3]) + self.bias.get(name, 0.0)
            far += self.chance.gauss(0, self.noise_m)
            if self.chance.random() < self.nlos_share:
                far += self.chance.uniform(*self.nlos_m)
            found[name] = max(far, 0.01)
        return dict(sorted(found.items(), key=lambda each: each[1])[:RANGED])

    def seen(self, tag: SimTag) -> Point:
        """Return where an engine computes a tag to be."""
        x, y, z = tag.at
        noise = self.noise_m
        return x + self.chance.gauss(0, noise), y + self.chance.gauss(0, noise), z


Form = Callable[[SimTag, float], bytes]


class Teller:
    """Turn tags into one maker's frames, spoilt by their faults."""

    def __init__(self, world: World, frame: Frame) -> None:
        self.world, self.frame = world, frame
        self.mode = "lec"

    def frames(self, tag: SimTag, stamp: float, form: Form) -> list[bytes]:
        """Return the frames of one turn; none for a silent tag."""
        faults = tag.faults
        if faults.get("silent"):
            return []
        if faults.get("replay"):
            if tag.kept:
                tag.kept.rotate(-1)
                return [tag.kept[-1]]
            return []
        found = []
        for _ in range(max(1, int(faults.get("rate", 1)))):
            data = self._one(tag, stamp + float(faults.get("clock_s", 0)), form)
            if faults.get("garbage"):
                data = _GARBAGE
            elif faults.get("half"):
                data = data[: len(data) // 2]
            else:
                tag.kept.append(data)
            found.append(data)
            stamp += 0.001
        return found

    def _one(self, tag: SimTag, stamp: float, form: Form) -> bytes:
        if tag.faults.get("frozen"):
            if tag.frozen is None:
                tag.frozen = tag.counter, stamp
            tag.counter, stamp = tag.frozen
            tag.last = tag.last or form(tag, stamp)
            return tag.last if form == self.line else form(tag, stamp)
        tag.frozen = None
        tag.counter += 1
        tag.last = form(tag, stamp)
        return tag.last

    # --- DWM1001 ------------------------------------------------------------------

    def line(self, tag: SimTag, _stamp: float) -> bytes:
        """Return a line of ``lec`` or ``lep``."""
        swapped = bool(tag.faults.get("swapped"))
        x, y, z = self.frame.source(self.world.seen(tag))
        at = (y, x, z) if swapped else (x, y, z)
        position = f"POS,{at[0]:.2f},{at[1]:.2f},{at[2]:.2f},{tag.quality:.0f}"
        if not tag.resolved:
            position = ""
        if self.mode == "lep":
            return position.encode()
        ranges = self.world.ranges(tag) if tag.resolved else {}
        parts = [f"DIST,{len(ranges)}"]
        for index, (name, far) in enumerate(ranges.items()):
            ax, ay, az = self.frame.source(self.world.anchors[name][:3])
            ax, ay = (ay, ax) if swapped else (ax, ay)
            parts.append(
                f"AN{index},{name.upper()},{ax:.2f},{ay:.2f},{az:.2f},{far:.2f}"
            )
        return ",".join(parts + ([position] if position else [])).encode()

    def dwm(self, tag: SimTag, _stamp: float) -> bytes:
        """Return the gateway's payload of a location."""
        x, y, z = self.frame.source(self.world.seen(tag))
        where: dict[str, Any] = {"x": x, "y": y, "z": z, "quality": int(tag.quality)}
        if not tag.resolved:
            where = {"x": "NaN", "y": "NaN", "z": "NaN", "quality": 0}
        told = {"position": where, "superFrameNumber": tag.counter}
        return json.dumps(told).encode()

    # --- Pozyx --------------------------------------------------------------------

    def pozyx(self, tag: SimTag, stamp: float) -> bytes:
        """Return a packet of the local stream: millimetres."""
        told: dict[str, Any] = {"version": "2.0", "tagId": tag.node, "timestamp": stamp}
        data: dict[str, Any] = {
            "metrics": {"latency": 20, "rates": {"success": 1, "packetLoss": 0}},
            "tagData": {"batteryLevel": tag.battery},
            "anchorData": [{"anchorId": n, "rss": -80} for n in self.world.anchors],
        }
        told["success"] = tag.resolved
        if tag.resolved:
            x, y, z = self.frame.source(self.world.seen(tag))
            data["coordinates"] = {
                "x": round(x * 1000),
                "y": round(y * 1000),
                "z": round(z * 1000),
            }
        else:
            told["errorCode"] = "101"
        return json.dumps([{**told, "data": data}]).encode()

    # --- Sewio --------------------------------------------------------------------

    def feed(self, tag: SimTag, stamp: float) -> dict[str, Any]:
        """Return a feed as the REST interface and the pushes tell it."""
        at = datetime.fromtimestamp(stamp, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        x, y, z = self.frame.source(self.world.seen(tag))
        values = {
            "posX": f" {x:.2f}",
            "posY": f" {y:.2f}",
            "posZ": f" {z:.2f}",
            "clr": " 0.30",
            "battery_level": f"{tag.battery:.0f}%",
        }
        if not tag.resolved:
            values = {"battery_level": values["battery_level"]}
        streams = [{"id": k, "current_value": v, "at": at} for k, v in values.items()]
        return {"id": tag.node, "type": "tag", "datastreams": streams}

    def push(self, tag: SimTag, stamp: float) -> bytes:
        """Return a pushed change of a feed."""
        told = {"body": self.feed(tag, stamp), "resource": f"/feeds/{tag.node}"}
        return json.dumps(told).encode()
