"""Simulate ESPHome nodes in a process of their own (see core.api.simulating).

FILE has the shape of the integration's options; port 0 takes a free port, and a key
that has no secret is made. Entities are those of the options, and ``uptime``, which
moves with each cycle. ``null`` as a value is 'missing'.
"""

import asyncio
import base64
import copy
import os
import sys
from collections.abc import Mapping
from typing import Any

import voluptuous as vol

from core.api.simulating import Plant, main
from integrations.esphome import flow
from integrations.esphome.simulated import SimulatedNode

#: Sensors speak as often as the options say, else once a second.
_PERIOD_S = 1.0


class Nodes(Plant):
    """Hold the simulated nodes."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(copy.deepcopy(dict(options)))
        self.secrets: dict[str, str] = dict(self.options.pop("secrets", {}))
        free = [n for n in self.options.get("nodes", ()) if n.get("port") == 0]
        for node in free:
            node["port"] = flow.PORT
        try:
            self.options = flow.schema()(self.options)
        except vol.Invalid as wrong:
            raise ValueError(f"options: {wrong}") from wrong
        self.nodes: dict[str, SimulatedNode] = {}
        for said, given in zip(
            self.options["nodes"], options.get("nodes", ()), strict=True
        ):
            said["port"] = given.get("port", flow.PORT)
            key = None
            if "key" in said:
                made = base64.b64encode(os.urandom(32)).decode()
                key = self.secrets.setdefault(said["key"], made)
            node = SimulatedNode(said, key, self.timer, self.tell_all)
            self.nodes[node.mac] = node
        self._cycles: list[asyncio.Task[None]] = []

    def tell_all(self, told: dict[str, Any]) -> None:
        """Say what a node did, by whatever voice the simulator has by then."""
        self.say(told)

    async def start(self) -> dict[str, Any]:
        """Serve every node of the options."""
        loop = asyncio.get_running_loop()
        for node, said in zip(self.nodes.values(), self.options["nodes"], strict=True):
            await node.start()
            said["port"] = node.port
            self._cycles.append(loop.create_task(self._cycle(node)))
        return {"options": self.options, "secrets": self.secrets}

    async def _cycle(self, node: SimulatedNode) -> None:
        every = [e.get("every_s", _PERIOD_S) for e in node.said["entities"].values()]
        period_s = min([_PERIOD_S, *every])
        while True:
            node.tick()
            rate = float(node.faults.get("rate", 1))
            await self.timer.sleep(period_s / max(rate, 1.0))

    async def stop(self) -> None:
        """Stop every cycle and node."""
        for cycle in self._cycles:
            cycle.cancel()
        await asyncio.gather(*self._cycles, return_exceptions=True)
        for node in self.nodes.values():
            node.stop()

    async def do(self, what: str) -> None:
        """Cut, close or open every node."""
        if what not in ("drop", "stop", "start"):
            raise ValueError(f"cannot do {what!r}; expected drop, stop, start or quit")
        for node in self.nodes.values():
            if what == "drop":
                node.drop()
            elif what == "stop":
                node.stop()
            else:
                await node.start()

    def put(self, uid: str, entity: str, value: Any) -> None:
        """Let an entity have a value."""
        self.nodes[uid].put(entity, value)

    def fault(self, uid: str, faults: Mapping[str, Any]) -> None:
        """Let exactly these faults stand."""
        self.nodes[uid].faults = dict(faults)

    def event(self, uid: str, kind: str, params: Mapping[str, Any]) -> None:
        """Press the button whose event this is."""
        node = self.nodes[uid]
        for entity, said in node.said["entities"].items():
            if said.get("event") == kind:
                node.put(entity, False)
                node.put(entity, True)
                node.put(entity, False)
                return
        raise ValueError(f"{uid} knows no event {kind!r}")


if __name__ == "__main__":
    sys.exit(main("esphome", Nodes))
