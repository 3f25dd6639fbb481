"""Simulate cameras in a process of their own, steered by lines of JSON.

    python -m integrations.camera.simulator --options FILE --scenario-socket PATH

FILE (YAML or JSON) has the shape of the integration's options, with the test's secrets
under ``secrets``; each camera listens on its own port of this machine, 0 takes a free
one. Control lines, one JSON object each, answered by ``{"ok": true}`` or
``{"error": …}``:

    {"device": "cam-1", "set": {"brightness": 40, "motion": true}}
    {"device": "cam-1", "state": "normal" | "black" | "covered" | "moved"}
    {"device": "cam-1", "event": "flame", "params": {}}     for three seconds
    {"device": "cam-1", "fault": {"frozen": true}}          (see simulated.Faults)
    {"do": "drop" | "stop" | "start" | "quit"}
"""

import copy
import sys
from collections.abc import Mapping
from typing import Any

import voluptuous as vol

from core.api.simulating import Plant, main
from integrations.camera import flow
from integrations.camera.simrtsp import Rtsp
from integrations.camera.simulated import SimulatedCamera
from integrations.camera.simweb import Web


class Simulator(Plant):
    """Hold all simulated cameras of a site."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        given = copy.deepcopy(dict(options))
        self.secrets: dict[str, str] = given.pop("secrets", {})
        self._free = [each.get("port") == 0 for each in given.get("cameras", ())]
        for each in given.get("cameras", ()):
            each["port"] = each.get("port") or 1  # the form knows no port 0
        try:
            super().__init__(flow.schema()(given))
        except vol.Invalid as wrong:
            raise ValueError(f"options: {wrong}") from wrong
        self.cameras: dict[str, SimulatedCamera] = {}
        self.webs: list[Web] = []
        self.streams: list[Rtsp] = []
        for each, free in zip(self.options["cameras"], self._free, strict=True):
            port = 0 if free else each["port"]
            password = self.secrets.get(each.get("password", ""), "")
            camera = SimulatedCamera({**each, "port": port}, password, self.clock)
            self.cameras[camera.uid] = camera
            self.webs.append(Web(camera))
            if each["picture"] == "rtsp":
                self.streams.append(Rtsp(camera))

    async def start(self) -> dict[str, Any]:
        """Serve every camera, and return with which options it is reached."""
        await self._serve()
        self.told = copy.deepcopy(self.options)
        for each, web in zip(self.told["cameras"], self.webs, strict=True):
            each["port"], each["address"] = web.port, "127.0.0.1"
        streams = {stream.camera.uid: stream.port for stream in self.streams}
        for each in self.told["cameras"]:
            if each["uid"] in streams:
                each["rtsp_port"] = streams[each["uid"]]
        return {"options": self.told, "secrets": self.secrets}

    async def _serve(self) -> None:
        for each in self._services:
            await each.start()

    async def stop(self) -> None:
        """End every service."""
        for each in self._services:
            await each.stop()

    @property
    def _services(self) -> list[Web | Rtsp]:
        return [*self.webs, *self.streams]

    async def do(self, what: str) -> None:
        """Cut all connections, end every service, or begin it again."""
        if what == "drop":
            for each in self._services:
                each.drop()
        elif what == "stop":
            await self.stop()
        elif what == "start":
            await self._serve()
        else:
            raise ValueError(f"cannot do {what!r}; expected drop, stop, start or quit")

    def put(self, uid: str, entity: str, value: Any) -> None:
        """Set what a camera sees or reports."""
        self.cameras[uid].set(entity, value)

    def event(self, uid: str, kind: str, params: Mapping[str, Any]) -> None:
        """Report something for three seconds."""
        self.cameras[uid].event(kind)

    def enter(self, uid: str, state: str) -> None:
        """Enter a state of the picture."""
        self.cameras[uid].enter(state)

    def fault(self, uid: str, faults: Mapping[str, Any]) -> None:
        """Set faults, or clear all by none."""
        self.cameras[uid].fault(faults)


if __name__ == "__main__":
    sys.exit(main("camera", Simulator))
