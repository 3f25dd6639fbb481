"""A plant of an integration's simulator and its driver, both in the test's loop."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from core.api import Command, CommandState, Integration, Quality
from core.api.simulating import Desk, Plant
from tests.support.host import FakeHost, Report, Running
from tests.support.waiting import until

NS = 1_000_000_000


class Site(NamedTuple):
    """A running simulator and what its driver told."""

    plant: Plant
    host: FakeHost
    driver: Any
    said: list[dict[str, Any]]

    async def tell(self, **request: Any) -> None:
        """Send the simulator a control line that it must take."""
        answer = await Desk(self.plant).control(json.dumps(request))
        assert answer == {"ok": True}, answer

    def last(self, device: str, entity: str) -> Report:
        """Return the newest reading."""
        return self.host.last(device, entity) or Report(None, Quality.NOT_PRESENT, "")

    async def seen(
        self, device: str, entity: str, value: object, quality: Quality = Quality.GOOD
    ) -> None:
        """Wait until a reading has this value and quality."""
        await until(
            lambda: self.last(device, entity)[:2] == (value, quality),
            f"{device} {entity} = {value} ({quality.name})",
        )

    async def judged(self, device: str, entity: str, reason: str) -> Report:
        """Wait until a reading is not GOOD for this reason."""
        await until(lambda: self.last(device, entity).reason == reason, reason)
        assert self.last(device, entity).quality is not Quality.GOOD
        return self.last(device, entity)

    async def switch(self, device: str, entity: str, on: Any) -> list[Any]:
        """Order an output; return the states that it went through."""
        ident = f"c{len(self.host.results)}"
        await self.driver.command(
            Command(
                id=ident,
                device_uid=device,
                entity_uid=entity,
                value=on,
                deadline_ns=self.host.clock.mono_ns() + 5 * NS,
            )
        )
        terminal = (CommandState.CONFIRMED, CommandState.FAILED, CommandState.EXPIRED)
        await until(
            lambda: any(s in terminal for s in self.host.states(ident)), "an end"
        )
        return self.host.results[ident]


@asynccontextmanager
async def running(
    make: Callable[[Mapping[str, Any]], Plant],
    drive: Callable[[FakeHost], Integration],
    options: Mapping[str, Any],
    change: Callable[[dict[str, Any]], None] = lambda _ready: None,
) -> AsyncIterator[Site]:
    """Start a simulator and its driver; ``change`` what the driver is given."""
    plant = make(options)
    said: list[dict[str, Any]] = []
    plant.say = said.append
    ready = await plant.start()
    change(ready)
    try:
        host = FakeHost({**ready["options"], "secrets": ready.get("secrets", {})})
        driver = drive(host)
        async with Running(driver):
            yield Site(plant, host, driver, said)
    finally:
        await plant.stop()
