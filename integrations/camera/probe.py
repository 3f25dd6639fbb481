"""Try what was typed before it is set up: who answers, and is there a picture."""

from collections.abc import Mapping
from typing import Any

from core.api import AuthError, DeviceError
from core.api.clock import AsyncClock, RealClock
from integrations.camera.fetch import Fetch
from integrations.camera.look import take
from integrations.camera.source import Source


async def answers(
    options: Mapping[str, Any], secrets: Mapping[str, str]
) -> dict[str, str]:
    """Return what each camera tells of itself; raises AuthError, DeviceError."""
    found = {}
    for camera in options["cameras"]:
        password = secrets.get(camera.get("password", ""), "")
        try:
            found[camera["uid"]] = await _one(camera, password)
        except AuthError as no:
            raise AuthError(f"{camera['uid']}: {no}") from no
        except DeviceError as no:
            raise DeviceError(f"{camera['uid']}: {no.code} {no}") from no
    return found


async def _one(camera: Mapping[str, Any], password: str) -> str:
    clock = RealClock()
    async with Fetch(camera, password) as fetch:
        info = await Source(camera, fetch, clock, AsyncClock(clock)).connect()
    told = [info.manufacturer, info.model, info.serial] if info else []
    if camera["picture"] != "none":
        frame = await take(camera, password)
        told.append(f"{frame.pixels.shape[1]}×{frame.pixels.shape[0]}")
    return " ".join(each for each in told if each)[:200]
