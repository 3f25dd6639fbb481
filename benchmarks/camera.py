"""What one camera costs: 1080p at 25 pictures a second, two of them a second judged.

The film is made once, in the simulator's encoder, and played by its RTSP server in a
process of its own. Measured over the same seconds: the decoder's process, the host (its
share of loop, pipe and judging), and beside them PyAV alone, which decodes the pictures
that the decoder had to, and does nothing with them. Two films: a key picture twice a
second, which is all that must be decoded, and one every four seconds, where all must.

    python benchmarks/camera.py [--seconds 20] [--cameras 1]
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import av
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.harness.machine import cpu_seconds, pss_mb, tree  # noqa: E402
from core.clock import AsyncClock, RealClock  # noqa: E402
from integrations.camera.flow import schema  # noqa: E402
from integrations.camera.integration import CameraIntegration  # noqa: E402
from integrations.camera.simrtsp import Rtsp, encoder, units_of  # noqa: E402
from integrations.camera.simscene import Scene  # noqa: E402
from integrations.camera.simulated import SimulatedCamera  # noqa: E402

WIDTH, HEIGHT, FPS, LENGTH_S = 1920, 1080, 25, 4
FILMS = {"a key picture each 0.48 s": 12, "a key picture each 4 s": 100}
JUDGED = 2.0


def film(key_every: int) -> list[bytes]:
    """Return a film's pictures as H.264, four seconds of a camera that pans."""
    scene, found = Scene("film", WIDTH, HEIGHT), []
    codec = encoder(WIDTH, HEIGHT, FPS, key_every=key_every)
    # Flat walls cost no decoder anything: give them the grain of gravel and leaves.
    grain = np.random.default_rng(1).normal(0, 14, (HEIGHT, WIDTH, 1))
    for number in range(FPS * LENGTH_S):
        place = np.clip(scene.pixels() + grain, 0, 255).astype(np.uint8)
        pixels = np.roll(place, number * 6, axis=1)
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame = frame.reformat(format="yuv420p")
        frame.pts = number
        found.append(b"".join(bytes(packet) for packet in codec.encode(frame)))
    return found


class Player(Rtsp):
    """Play a film again and again."""

    fps = FPS
    pictures: list[list[bytes]] = []

    def units(self, number: int) -> list[bytes]:
        """Return the units of the next picture."""
        return self.pictures[number % len(self.pictures)]


def options(cameras: int, port: int) -> dict[str, Any]:
    """Return the options of so many cameras on one server."""
    each = {"protocol": "rtsp", "path": "/film", "address": "127.0.0.1", "fps": JUDGED}
    checked: dict[str, Any] = schema()(
        {
            "cameras": [
                {**each, "uid": f"c{number}", "rtsp_port": port or 1}
                for number in range(cameras)
            ]
        }
    )
    return checked


async def serve(key_every: int) -> None:
    """Play until the input ends."""
    Player.pictures = [units_of(picture) for picture in film(key_every)]
    camera = SimulatedCamera(
        {**options(1, 0)["cameras"][0], "rtsp_port": 0}, "", RealClock()
    )
    player = Player(camera)
    await player.start()
    sys.stdout.write(f"{player.port}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await player.stop()


class NullHost:
    """Take what the integration tells and drop it."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.clock = RealClock()
        self.timer = AsyncClock(self.clock)
        self.options = given

    def handle(self, *_: object) -> int:
        """Return some number."""
        return 0

    def nothing(self, *_: object) -> None:
        """Drop it."""

    declare = report = withdraw = result = link_state = count = nothing


def decoders() -> list[int]:
    """Return the decoders that this process has started."""
    found = []
    for pid in tree(os.getpid()):
        if b"integrations.camera.decoder" in Path(f"/proc/{pid}/cmdline").read_bytes():
            found.append(pid)
    return found


async def measure(cameras: int, port: int, seconds: float) -> dict[str, float]:
    """Return shares of one core, in %, of all cameras together."""
    host = NullHost(options(cameras, port))
    driver = CameraIntegration(host)  # type: ignore[arg-type]
    running = asyncio.get_running_loop().create_task(driver.run())
    while any(each.pictures.number < 4 for each in driver.cameras):
        await asyncio.sleep(0.05)
    pids = decoders()
    seen = sum(each.pictures.number for each in driver.cameras)
    own, theirs, began = time.process_time(), cpu_seconds(pids), time.perf_counter()
    await asyncio.sleep(seconds)
    span = time.perf_counter() - began
    found = {
        "host": (time.process_time() - own) / span * 100,
        "decoder": (cpu_seconds(pids) - theirs) / span * 100,
        "pictures": (sum(e.pictures.number for e in driver.cameras) - seen) / span,
        "decoder_mb": pss_mb(pids) / len(pids),
    }
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return found


def alone(pictures: list[bytes], key_every: int) -> float:
    """Return what decoding alone costs, in % of a core for one camera.

    All pictures where keys are rare, else two key pictures a second.
    """
    every = key_every / FPS > 1.5 / JUDGED
    chosen = pictures if every else pictures[::key_every]
    codec = av.CodecContext.create("h264", "r")
    codec.thread_count = 1
    began, count = time.process_time(), 0
    for _ in range(8):
        for picture in chosen:
            codec.decode(av.Packet(picture))
            count += 1
    cost = (time.process_time() - began) / count
    return cost * (FPS if every else min(JUDGED, FPS / key_every)) * 100


def main() -> int:
    """Print a table, or play a film for it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--cameras", type=int, default=1)
    parser.add_argument("--serve", type=int, default=0)
    asked = parser.parse_args()
    if asked.serve:
        asyncio.run(serve(asked.serve))
        return 0
    for name, key_every in FILMS.items():
        command = [sys.executable, __file__, "--serve", str(key_every)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:
            port = int(server.stdout.readline()) if server.stdout else 0
            found = asyncio.run(measure(asked.cameras, port, asked.seconds))
            if server.stdin:
                server.stdin.close()
        found["decode_alone"] = alone(film(key_every), key_every) * asked.cameras
        rounded = {key: round(value, 2) for key, value in found.items()}
        print(json.dumps({"film": name, "cameras": asked.cameras, **rounded}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
