"""Let a person align a camera: one picture, and the text that knows the view again.

    python -m integrations.camera.look FILE UID --picture gate.jpg

FILE holds the integration's options (YAML); the password is asked for, never an
argument. The picture is written where the person says and nowhere else, masked as the
options say; ``reference`` goes into the options, and another one for the night.
"""

import argparse
import asyncio
import getpass
import os
import sys
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import voluptuous as vol

from core.api import ConfigError, DeviceError, SafeholdError, documents
from core.api.clock import AsyncClock, RealClock
from core.api.said import Said
from integrations.camera import flow, judge, scene
from integrations.camera.fetch import Fetch
from integrations.camera.frame import Frame, Latest, Pixels
from integrations.camera.pictures import Pictures
from integrations.camera.source import Source

WAIT_S = 40.0
#: The first pictures of a stream may still be torn.
_SECOND = 2


async def take(options: Mapping[str, Any], password: str) -> Frame:
    """Return one picture of a camera; raises Auth-, DeviceError."""
    clock, latest = RealClock(), Latest()
    pictures = Pictures(
        clock,
        fps=options["fps"],
        width=options["width"],
        masks=options["masks"],
        took=latest.put,
    )
    async with Fetch(options, password) as fetch:
        source = Source(options, fetch, clock, AsyncClock(clock))
        await source.connect()
        loop = asyncio.get_running_loop()
        delivering = loop.create_task(source.deliver(pictures))
        waiting = loop.create_task(_second(latest))
        try:
            await asyncio.wait(
                [delivering, waiting],
                timeout=WAIT_S,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if waiting.done():
                return waiting.result()
            if delivering.done():
                await delivering
            raise DeviceError(f"no picture within {WAIT_S:g} s")
        finally:
            for task in (delivering, waiting):
                task.cancel()
            await asyncio.gather(delivering, waiting, return_exceptions=True)


async def _second(latest: Latest) -> Frame:
    frame = await latest.get()
    while frame.number < _SECOND:
        frame = await latest.get()
    return frame


def reference(pixels: Pixels) -> str:
    """Return the text by which this view is known again."""
    return scene.text_of(scene.edges(judge.luma_of(pixels)))


def jpeg(pixels: Pixels) -> bytes:
    """Return a picture as JPEG."""
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    codec = av.CodecContext.create("mjpeg", "w")
    if not isinstance(codec, av.VideoCodecContext):
        raise TypeError("mjpeg is no video")
    codec.width, codec.height, codec.pix_fmt = frame.width, frame.height, "yuvj420p"
    codec.time_base, codec.bit_rate = Fraction(1, 25), 40_000_000
    found = codec.encode(frame.reformat(format="yuvj420p"))
    return b"".join(bytes(each) for each in found)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def main() -> int:
    """Take the picture; exit status 1 when there is none, 2 for wrong options."""
    parser = argparse.ArgumentParser(prog="integrations.camera.look")
    parser.add_argument("options", type=Path)
    parser.add_argument("uid")
    parser.add_argument("--picture", type=Path, help="where to write a JPEG")
    asked = parser.parse_args()
    try:
        checked = documents.read(asked.options).check(flow.schema())
        found = [each for each in checked["cameras"] if each["uid"] == asked.uid]
        if not found:
            raise ConfigError(
                Said(
                    "{options}: there is no camera {uid!r}",
                    options=asked.options,
                    uid=asked.uid,
                )
            )
        password = getpass.getpass("Password: ") if found[0]["username"] else ""
        frame = asyncio.run(take(found[0], password))
    except (ConfigError, vol.Invalid) as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    except (SafeholdError, OSError) as problem:
        sys.stderr.write(f"no picture: {problem}\n")
        return 1
    if asked.picture is not None:
        with open(asked.picture, "wb", opener=_private) as file:
            file.write(jpeg(frame.pixels))
    sys.stdout.write(f"reference: [{reference(frame.pixels)}]\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
