"""A site of tags for the protocol tests: real doors, the real driver, a fake core."""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from core.api import Quality
from core.api.simulating import Desk
from integrations.positioning.integration import PositioningIntegration
from integrations.positioning.simulator import Positions
from tests.support.host import FakeHost, Report, Running
from tests.support.waiting import until

ANCHORS = {
    "022e": {"at": [0, 0, 3]},
    "9280": {"at": [20, 0, 3]},
    "dcae": {"at": [20, 15, 3]},
    "5431": {"at": [0, 15, 3]},
}
GATEWAY = {
    "id": "gateway",
    "kind": "dwm1001_mqtt",
    "broker": {"port": 0, "username": "hub", "password": "gw"},
    "accuracy_m": 0.5,
}
POZYX = {"id": "pozyx", "kind": "pozyx", "broker": {"port": 0}, "accuracy_m": 0.5}
SEWIO = {"id": "sewio", "kind": "sewio", "port": 0, "api_key": "key"}
SECRETS = {"gw": "gateway-word", "key": "studio-key"}


def wire(folder: Path, **more: Any) -> dict[str, Any]:
    """Return a source at a pty."""
    port = str(folder / "tty")
    return {"id": "wire", "kind": "dwm1001_uart", "port": port, **more}


class Site:
    """Hold simulator, host and driver of one test."""

    def __init__(self, plant: Positions, host: FakeHost, driver: Any) -> None:
        self.plant, self.host, self.driver = plant, host, driver
        self._desk = Desk(plant)

    async def tell(self, **request: Any) -> None:
        """Send the simulator one control line that must be accepted."""
        answer = await self._desk.control(json.dumps(request))
        assert answer == {"ok": True}, answer

    def last(self, device: str, entity: str = "location") -> Report | None:
        """Return an entity's newest reading."""
        return self.host.last(device, entity)

    async def shows(
        self, device: str, quality: Quality, reason: str = "", entity: str = "location"
    ) -> Report:
        """Wait until an entity shows this quality and reason."""

        def holds() -> bool:
            last = self.last(device, entity)
            if last is None or last.quality is not quality:
                return False
            return not reason or last.reason == f"positioning.{reason}"

        await until(holds, f"{device}/{entity} {quality.name} {reason}")
        last = self.last(device, entity)
        assert last is not None
        return last

    async def at(self, device: str, x: float, y: float, off: float = 0.6) -> None:
        """Wait until a tag is GOOD and near a place."""

        def holds() -> bool:
            last = self.last(device)
            if last is None or last.quality is not Quality.GOOD:
                return False
            px, py, _ = (float(part) for part in str(last.value).split(","))
            return abs(px - x) < off and abs(py - y) < off

        await until(holds, f"{device} at {x}, {y}: {self.last(device)}")


@contextlib.asynccontextmanager
async def running(
    *sources: Mapping[str, Any],
    secrets: Mapping[str, str] = SECRETS,
    rate_hz: float = 20,
    given: Mapping[str, str] | None = None,
    **more: Any,
) -> AsyncIterator[Site]:
    """Run simulator and driver for the length of a test."""
    plant = Positions(
        {
            "sources": [dict(each) for each in sources],
            "anchors": ANCHORS,
            "secrets": dict(secrets),
            "simulate": {"rate_hz": rate_hz},
            **more,
        }
    )
    plant.say = lambda _event: None
    ready = await plant.start()
    try:
        told = dict(secrets) if given is None else dict(given)
        host = FakeHost({**ready["options"], "secrets": told})
        driver = PositioningIntegration(host)
        async with Running(driver):
            yield Site(plant, host, driver)
    finally:
        await plant.stop()
