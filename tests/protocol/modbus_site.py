"""A Modbus site for the protocol tests: real servers, the real driver, a fake core."""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from core.api import Command, Quality
from core.api.simulating import Desk
from integrations.modbus.integration import ModbusIntegration
from integrations.modbus.simulator import Simulator
from tests.support.host import FakeHost, Report, Running
from tests.support.waiting import until

#: Site seconds per real second: heartbeats of 5 s beat four times a second.
FAST = 20.0
XNX = {
    "unit": 1,
    "profile": "honeywell-xnx",
    "uid": "xnx-1",
    "quantities": {"gas": "h2s"},
}
RELAY = {
    "unit": 2,
    "profile": "relay-coil-8",
    "uid": "relay-1",
    "outputs": {
        "ch1": "siren",
        "ch2": {"kind": "fan", "outside_air": True},
        "ch3": {"kind": "power_cut", "fail_safe": "on", "inverted": True},
    },
}


class Site:
    """Hold simulator, host and driver of one test."""

    def __init__(
        self, simulator: Simulator, host: FakeHost, driver: ModbusIntegration
    ) -> None:
        self.simulator = simulator
        self.host = host
        self.driver = driver
        self.said: list[dict[str, Any]] = []

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
            return not reason or last.reason == f"modbus.{reason}"

        await until(holds, f"{device}/{entity} {quality.name} {reason}")
        last = self.host.last(device, entity)
        assert last is not None
        return last

    def order(
        self,
        entity: str,
        value: bool | float | str,
        *,
        device: str = "relay-1",
        left_s: float = 5.0,
    ) -> Command:
        """Return a command with its deadline in so many site seconds."""
        return Command(
            id=f"{device}/{entity}={value}",
            device_uid=device,
            entity_uid=entity,
            value=value,
            deadline_ns=self.host.clock.mono_ns() + int(left_s * 1e9),
        )


@contextlib.asynccontextmanager
async def running(
    place: Mapping[str, Any], *devices: Mapping[str, Any], speed: float = 1.0
) -> AsyncIterator[Site]:
    """Run simulator and driver on one bus for the length of a test."""
    said: list[dict[str, Any]] = []
    options = {"buses": [{"id": "b1", **place, "devices": list(devices)}]}
    simulator = Simulator(options, speed)
    simulator.say = said.append
    await simulator.start()
    try:
        # The simulator has chosen the port; the driver finds it in its options.
        host = FakeHost(simulator.options, speed)
        driver = ModbusIntegration(host)
        site = Site(simulator, host, driver)
        site.said = said
        async with Running(driver):
            yield site
    finally:
        await simulator.stop()
