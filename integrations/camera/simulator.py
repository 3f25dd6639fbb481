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

import argparse
import asyncio
import copy
import json
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import voluptuous as vol

from core.api import ConfigError, documents
from core.api.clock import Clock, RealClock
from integrations.camera import flow
from integrations.camera.simrtsp import Rtsp
from integrations.camera.simulated import SimulatedCamera
from integrations.camera.simweb import Web

Say = Callable[[dict[str, Any]], None]
#: Longest control line; a longer one is answered with an error and the end.
LINE_BYTES = 65_536


class Simulator:
    """Hold all simulated cameras of a site."""

    def __init__(
        self, options: Mapping[str, Any], say: Say, clock: Clock | None = None
    ) -> None:
        given = copy.deepcopy(dict(options))
        self.secrets: dict[str, str] = given.pop("secrets", {})
        self._free = [each.get("port") == 0 for each in given.get("cameras", ())]
        for each in given.get("cameras", ()):
            each["port"] = each.get("port") or 1  # the form knows no port 0
        self.options: dict[str, Any] = flow.schema()(given)
        self.done = asyncio.Event()
        self._say = say
        clock = clock or RealClock()
        self.cameras: dict[str, SimulatedCamera] = {}
        self.webs: list[Web] = []
        self.streams: list[Rtsp] = []
        for each, free in zip(self.options["cameras"], self._free, strict=True):
            port = 0 if free else each["port"]
            password = self.secrets.get(each.get("password", ""), "")
            camera = SimulatedCamera({**each, "port": port}, password, clock)
            self.cameras[camera.uid] = camera
            self.webs.append(Web(camera))
            if each["picture"] == "rtsp":
                self.streams.append(Rtsp(camera))

    async def start(self) -> None:
        """Serve every camera and say with which options it is reached."""
        await self._serve()
        told = copy.deepcopy(self.options)
        for each, web in zip(told["cameras"], self.webs, strict=True):
            each["port"], each["address"] = web.port, "127.0.0.1"
        streams = {stream.camera.uid: stream.port for stream in self.streams}
        for each in told["cameras"]:
            if each["uid"] in streams:
                each["rtsp_port"] = streams[each["uid"]]
        self._say({"event": "ready", "options": told, "secrets": self.secrets})
        self.told = told

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

    async def control(self, line: bytes | str) -> dict[str, Any]:
        """Carry out one control line; returns the answer, never raises."""
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise TypeError("expected a JSON object")
            await self._apply(request)
        except KeyError as problem:
            return {"error": f"unknown {problem}"}
        except (ValueError, TypeError, msgspec.ValidationError) as problem:
            return {"error": str(problem)}
        return {"ok": True}

    async def _apply(self, request: dict[str, Any]) -> None:
        if "device" in request:
            camera = self.cameras[request["device"]]
            for name, value in request.get("set", {}).items():
                camera.set(name, value)
            if "event" in request:
                camera.event(request["event"])
            if "state" in request:
                camera.enter(request["state"])
            if "fault" in request:
                camera.fault(request["fault"])
        else:
            await self._do(request["do"])

    async def _do(self, what: str) -> None:
        if what == "drop":
            for each in self._services:
                each.drop()
        elif what == "stop":
            await self.stop()
        elif what == "start":
            await self._serve()
        elif what == "quit":
            self.done.set()
        else:
            raise ValueError(f"cannot do {what!r}; expected drop, stop, start or quit")

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer the control lines of one peer until it leaves."""
        try:
            while line := await reader.readline():
                answer = await self.control(line)
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (ValueError, ConnectionError) as problem:
            self._say({"event": "control_lost", "why": str(problem)})
        finally:
            writer.close()


def _say(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event, ensure_ascii=False) + "\n")
    sys.stdout.flush()


async def _stdin(simulator: Simulator) -> None:
    """Take control lines from standard input; its end ends the simulator."""
    reader = asyncio.StreamReader(LINE_BYTES)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    try:
        while line := await reader.readline():
            _say(await simulator.control(line))
    finally:
        transport.close()
        simulator.done.set()


async def _main(options: Mapping[str, Any], arguments: argparse.Namespace) -> None:
    simulator = Simulator(options, _say)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, simulator.done.set)
    control = None
    if arguments.scenario_socket is not None:
        arguments.scenario_socket.unlink(missing_ok=True)
        control = await asyncio.start_unix_server(
            simulator.serve, arguments.scenario_socket, limit=LINE_BYTES
        )
    try:
        await simulator.start()
        async with asyncio.TaskGroup() as group:
            lines = group.create_task(_stdin(simulator)) if arguments.stdin else None
            await simulator.done.wait()
            if lines is not None:
                lines.cancel()
    finally:
        await simulator.stop()
        if control is not None:
            control.close()
            arguments.scenario_socket.unlink(missing_ok=True)


def main() -> int:
    """Run until quit, SIGTERM or the end of standard input (with --stdin)."""
    parser = argparse.ArgumentParser(prog="integrations.camera.simulator")
    parser.add_argument("--options", type=Path, required=True)
    parser.add_argument("--scenario-socket", type=Path)
    parser.add_argument("--stdin", action="store_true")
    arguments = parser.parse_args()
    try:
        options = documents.read(arguments.options).data
        asyncio.run(_main(options, arguments))
    except (ConfigError, vol.Invalid) as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
