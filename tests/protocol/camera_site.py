"""Cameras for the protocol tests: real sockets, the real driver, a fake core."""

import contextlib
import json
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from core.api import Quality
from core.api.simulating import Desk
from integrations.camera.integration import CameraIntegration
from integrations.camera.simulator import Simulator
from tests.support.host import FakeHost, Report, Running
from tests.support.waiting import until

SECRET = "camera-pass-of-the-test"
#: Two pictures a second, and quick verdicts: a test waits for each of them.
QUICK = {
    "address": "127.0.0.1",
    "port": 0,
    "username": "hub",
    "password": "camera.password",
    "fps": 2.0,
    "lost_s": 3.0,
    "frozen_s": 3.0,
}


def camera(uid: str, **options: Any) -> dict[str, Any]:
    """Return one camera's options."""
    return {"uid": uid, **QUICK, **options}


class Site:
    """Hold simulator, host and driver of one test."""

    def __init__(self, simulator: Simulator, host: FakeHost) -> None:
        self.simulator, self.host = simulator, host
        self.driver = CameraIntegration(host)

    async def tell(self, **request: Any) -> None:
        """Send the simulator one control line that must be accepted."""
        answer = await Desk(self.simulator).control(json.dumps(request))
        assert answer == {"ok": True}, answer

    async def shows(
        self, device: str, entity: str, quality: Quality, reason: str = ""
    ) -> Report:
        """Wait until an entity shows this quality and reason; return the reading."""

        def holds() -> bool:
            last = self.host.last(device, entity)
            if last is None or last.quality is not quality:
                return False
            return not reason or last.reason == reason

        what = f"{device}/{entity} {quality.name} {reason}"
        await until(holds, what, 50.0)
        last = self.host.last(device, entity)
        assert last is not None
        return last

    async def becomes(self, device: str, entity: str, value: object) -> None:
        """Wait until an entity is GOOD with a value."""

        def holds() -> bool:
            last = self.host.last(device, entity)
            good = last is not None and last.quality is Quality.GOOD
            return good and last is not None and last.value == value

        await until(holds, f"{device}/{entity} is {value}", 50.0)


@contextlib.asynccontextmanager
async def simulated(*cameras: Mapping[str, Any]) -> AsyncIterator[Simulator]:
    """Run simulated cameras for the length of a test."""
    given = {"cameras": list(cameras), "secrets": {"camera.password": SECRET}}
    simulator = Simulator(given)
    await simulator.start()
    try:
        yield simulator
    finally:
        await simulator.stop()


@contextlib.asynccontextmanager
async def running(
    *cameras: Mapping[str, Any], secret: str = SECRET
) -> AsyncIterator[Site]:
    """Run simulator and driver for the length of a test."""
    async with simulated(*cameras) as simulator:
        host = FakeHost({**simulator.told, "secrets": {"camera.password": secret}})
        site = Site(simulator, host)
        async with Running(site.driver):
            yield site


def decoders() -> list[int]:
    """Return the decoders that this process has started, by their pids."""
    found = []
    for task in Path(f"/proc/{os.getpid()}/task").iterdir():
        for pid in (task / "children").read_text().split():
            with contextlib.suppress(OSError):
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
                if b"integrations.camera.decoder" in command:
                    found.append(int(pid))
    return found
