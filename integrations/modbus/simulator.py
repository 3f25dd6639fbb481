"""Simulate Modbus devices in a process of their own, steered by lines of JSON.

    python -m integrations.modbus.simulator --options FILE --scenario-socket PATH

FILE (YAML or JSON) has the shape of the integration's options; port 0 takes a free
port, and a serial ``port`` becomes a symlink to a pty. Control lines, one JSON object
each, answered by ``{"ok": true}`` or ``{"error": …}``:

    {"device": "xnx-1", "set": {"gas": 12.5}, "state": "normal"}
    {"device": "xnx-1", "fault": {"silent": true}}      (see simulated.Faults)
    {"do": "drop" | "stop" | "start" | "quit"}

Standard output tells ``ready`` with the options that reach it, and each change of an
output. `core.api.simulating` has the rest.
"""

import copy
import sys
from collections.abc import Mapping
from typing import Any

import msgspec
import voluptuous as vol

from core.api.simulating import Plant, main
from integrations.modbus import flow
from integrations.modbus.simbus import SerialBus, TcpBus, free_port
from integrations.modbus.simulated import Faults, SimulatedDevice


def prepare(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return checked options with free ports for 0; raises vol.Invalid."""
    wanted = copy.deepcopy(dict(options))
    for bus in wanted.get("buses", ()):
        host, _, port = str(bus.get("tcp", "")).rpartition(":")
        if port == "0":
            bus["tcp"] = f"{host}:{free_port(host)}"
    checked: dict[str, Any] = flow.schema()(wanted)
    return checked


class Simulator(Plant):
    """Hold all simulated buses and devices of a site."""

    own_faults = frozenset(each.name for each in msgspec.structs.fields(Faults))

    def __init__(self, options: Mapping[str, Any], speed: float = 1.0) -> None:
        super().__init__(prepare(options), speed)
        self.devices: dict[str, SimulatedDevice] = {}
        self.buses: dict[str, TcpBus | SerialBus] = {}
        for bus in self.options["buses"]:
            devices = [SimulatedDevice(d, speed, self._tell) for d in bus["devices"]]
            self.devices |= {d.uid: d for d in devices}
            self.buses[bus["id"]] = (
                TcpBus(bus["tcp"], devices)
                if "tcp" in bus
                else SerialBus(bus["serial"]["port"], devices)
            )

    def _tell(self, event: dict[str, Any]) -> None:
        """Say what an output did, by whatever voice the simulator has by then."""
        self.say(event)

    async def start(self) -> dict[str, Any]:
        """Serve every bus."""
        for bus in self.buses.values():
            await bus.start()
        return {"options": self.options}

    async def stop(self) -> None:
        """Close every bus."""
        for bus in self.buses.values():
            await bus.stop()

    async def do(self, what: str) -> None:
        """Cut, close or serve every bus."""
        if what not in ("drop", "stop", "start"):
            raise ValueError(f"cannot do {what!r}; expected drop, stop, start or quit")
        for bus in self.buses.values():
            if what == "drop":
                bus.drop()
            else:
                await (bus.stop() if what == "stop" else bus.start())

    def put(self, uid: str, entity: str, value: Any) -> None:
        """Set an entity, in its unit, or a register."""
        self.devices[uid].set(entity, float(value))

    def enter(self, uid: str, state: str) -> None:
        """Enter a state that the profile names."""
        self.devices[uid].enter(state)

    def fault(self, uid: str, faults: Mapping[str, Any]) -> None:
        """Set faults; none given clears all."""
        self.devices[uid].fault(faults)


if __name__ == "__main__":
    sys.exit(main("modbus", Simulator, vol.Schema(prepare), paced=True))
