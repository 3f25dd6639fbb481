"""Simulate helmets in a process of their own: they dial the hub.

    python -m integrations.helmet.simulator --options FILE --scenario-socket PATH

FILE has the shape of the integration's options; every terminal and device that is
listed there is played. Port 0 takes a free one, which the driver is to serve. A phone
number that begins with 0000 speaks the header of 2019, others that of 2013.
"""

import asyncio
import copy
import socket
import sys
from collections.abc import Mapping
from typing import Any

import voluptuous as vol

from core.api import simulating
from integrations.helmet import flow
from integrations.helmet.simsip import SimulatedCamera
from integrations.helmet.simulated import SimulatedTerminal


class Helmets(simulating.Plant):
    """Play every helmet of the options."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        self._given, self._secrets = _checked(options)
        self.devices: dict[str, SimulatedTerminal | SimulatedCamera] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> dict[str, Any]:
        """Let all of them dial; return what the driver is to be given."""
        jt808 = self._given.get("jt808", {"terminals": ()})
        for each in jt808["terminals"]:
            code = self._secrets.get(each["secret"] or jt808["secret"], "")
            self._add(SimulatedTerminal(jt808, each, code, self.timer, self.say))
        gb28181 = self._given.get("gb28181", {"devices": ()})
        for each in gb28181["devices"]:
            word = self._secrets.get(each["secret"] or gb28181["secret"], "")
            self._add(SimulatedCamera(gb28181, each, word, self.timer, self.say))
        return {"options": self._given, "secrets": self._secrets}

    def _add(self, one: SimulatedTerminal | SimulatedCamera) -> None:
        self.devices[one.uid] = one
        loop = asyncio.get_running_loop()
        self._tasks.append(loop.create_task(one.run(), name=one.uid))

    async def stop(self) -> None:
        """Hang up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def do(self, what: str) -> None:
        """Drop every connection; stop dialling, or start again."""
        if what not in ("drop", "stop", "start"):
            raise ValueError(f"cannot do {what!r}; expected drop, stop or start")
        for one in self.devices.values():
            if what != "drop":
                one.stopped = what == "stop"
            if what != "start":
                one.drop()

    def put(self, uid: str, entity: str, value: Any) -> None:
        """Let a helmet's entity have a value."""
        self.devices[uid].put(entity, value)

    def event(self, uid: str, kind: str, params: Mapping[str, Any]) -> None:
        """Let a helmet call."""
        self.devices[uid].event(kind)

    def fault(self, uid: str, faults: Mapping[str, Any]) -> None:
        """Let exactly these faults stand."""
        self.devices[uid].faults = dict(faults)


def _checked(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return checked options with free ports for 0, and the secrets apart."""
    wanted = copy.deepcopy(dict(options))
    secrets = wanted.pop("secrets", {})
    for door in ("jt808", "gb28181"):
        part = wanted.get(door)
        if part is not None and part.get("port") == 0:
            part["port"] = _free_port()
    try:
        return flow.schema()(wanted), secrets
    except vol.MultipleInvalid as problem:
        raise ValueError(str(problem)) from problem


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(simulating.main("helmet", Helmets))
