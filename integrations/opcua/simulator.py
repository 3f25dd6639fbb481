"""Simulate OPC UA servers in a process of their own (see core.api.simulating).

FILE has the shape of the integration's options; port 0 takes a free port. Where a
server has security, its certificate and the hub's identity are made at each start and
told by the ready line. States are names of OPC UA status codes, such as
``BadSensorFailure``; ``normal`` ends them.
"""

import asyncio
import copy
import socket
import sys
from collections.abc import Mapping
from typing import Any

import voluptuous as vol

from core.api.simulating import Plant, main
from integrations.opcua import flow
from integrations.opcua.front import Front
from integrations.opcua.identity import fingerprint, make
from integrations.opcua.simulated import SimulatedDevice, SimulatedServer

_FRONT = ("silent", "slow", "garbage", "half")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Plc(Plant):
    """Hold the simulated servers, each behind its front door."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(copy.deepcopy(dict(options)))
        self.secrets: dict[str, str] = dict(self.options.pop("secrets", {}))
        for server in self.options.get("servers", ()):
            if server.get("port") == 0:
                server["port"] = _free_port()
            security = server.get("security", {})
            if security.get("policy", "none") != "none":
                security.setdefault("fingerprint", "0" * 64)
                name = security.setdefault("identity", "opcua.identity")
                self.secrets.setdefault(name, make("urn:safehold:hub"))
            if "password" in server:
                self.secrets.setdefault(server["password"], "simulated")
        try:
            self.options = flow.schema()(self.options)
        except vol.Invalid as wrong:
            raise ValueError(f"options: {wrong}") from wrong
        self._servers: list[SimulatedServer] = []
        self._fronts: list[Front] = []
        self._places: dict[str, Front] = {}
        self.devices: dict[str, SimulatedDevice] = {}
        self._cycles: list[asyncio.Task[None]] = []

    async def start(self) -> dict[str, Any]:
        """Serve every server of the options."""
        loop = asyncio.get_running_loop()
        for said in self.options["servers"]:
            server = SimulatedServer(said, self.secrets, _free_port())
            devices = [
                SimulatedDevice(each, self.clock, self.say) for each in said["devices"]
            ]
            await server.start(devices)
            front = Front(said["host"], said["port"], server.port, self.timer)
            await front.start()
            if said["security"]["policy"] != "none":
                said["security"]["fingerprint"] = fingerprint(
                    server.identity.certificate
                )
            self._servers.append(server)
            self._fronts.append(front)
            for device in devices:
                self.devices[device.uid] = device
                self._places[device.uid] = front
                self._cycles.append(
                    loop.create_task(self._cycle(device, said["interval_s"] / 4))
                )
        return {"options": self.options, "secrets": self.secrets}

    async def _cycle(self, device: SimulatedDevice, period_s: float) -> None:
        while True:
            await device.tick()
            rate = float(device.faults.get("rate", 1))
            await self.timer.sleep(period_s / max(rate, 1.0))

    async def stop(self) -> None:
        """Stop every cycle, door and server."""
        for cycle in self._cycles:
            cycle.cancel()
        await asyncio.gather(*self._cycles, return_exceptions=True)
        for front in self._fronts:
            await front.stop()
        for server in self._servers:
            await server.stop()

    async def do(self, what: str) -> None:
        """Cut, close or open every front door."""
        if what not in ("drop", "stop", "start"):
            raise ValueError(f"cannot do {what!r}; expected drop, stop, start or quit")
        for front in self._fronts:
            if what == "drop":
                front.drop()
            else:
                await (front.stop() if what == "stop" else front.start())

    def put(self, uid: str, entity: str, value: Any) -> None:
        """Let a node have a value."""
        self.devices[uid].put(entity, value)

    def enter(self, uid: str, state: str) -> None:
        """Let a device's nodes carry a status code."""
        self.devices[uid].enter(state)

    def fault(self, uid: str, faults: Mapping[str, Any]) -> None:
        """Let faults stand: of the line at the door, of the source in its cycle."""
        self.devices[uid].faults = dict(faults)
        self._places[uid].fault({k: v for k, v in faults.items() if k in _FRONT})


if __name__ == "__main__":
    sys.exit(main("opcua", Plc))
