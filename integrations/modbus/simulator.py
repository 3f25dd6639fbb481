"""Simulate Modbus devices in a process of their own, steered by lines of JSON.

    python -m integrations.modbus.simulator --options FILE --scenario-socket PATH

FILE (YAML or JSON) has the shape of the integration's options; port 0 takes a free
port, and a serial ``port`` becomes a symlink to a pty. Control lines, one JSON object
each, answered by ``{"ok": true}`` or ``{"error": …}``:

    {"device": "xnx-1", "set": {"gas": 12.5}, "state": "normal"}
    {"device": "xnx-1", "fault": {"silent": true}}      (see simulated.Faults)
    {"bus": "b1", "do": "drop" | "stop" | "start"}      (without bus: every one)
    {"do": "quit"}

Standard output tells ``ready`` with every place, and each change of an output.
"""

import argparse
import asyncio
import copy
import json
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import voluptuous as vol

from core.api import ConfigError, documents
from integrations.modbus import flow
from integrations.modbus.simbus import SerialBus, TcpBus, free_port
from integrations.modbus.simulated import Say, SimulatedDevice

#: Longest control line; a longer one is answered with an error and the end.
LINE_BYTES = 65_536


def prepare(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return checked options with free ports for 0; raises vol.Invalid."""
    wanted = copy.deepcopy(dict(options))
    for bus in wanted.get("buses", ()):
        host, _, port = str(bus.get("tcp", "")).rpartition(":")
        if port == "0":
            bus["tcp"] = f"{host}:{free_port(host)}"
    checked: dict[str, Any] = flow.schema()(wanted)
    return checked


class Simulator:
    """Hold all simulated buses and devices of a site."""

    def __init__(
        self, options: Mapping[str, Any], say: Say, *, speed: float = 1.0
    ) -> None:
        self.options = prepare(options)
        self.devices: dict[str, SimulatedDevice] = {}
        self.buses: dict[str, TcpBus | SerialBus] = {}
        self.done = asyncio.Event()
        self._say = say
        for bus in self.options["buses"]:
            devices = [SimulatedDevice(d, speed, say) for d in bus["devices"]]
            self.devices |= {d.uid: d for d in devices}
            self.buses[bus["id"]] = (
                TcpBus(bus["tcp"], devices)
                if "tcp" in bus
                else SerialBus(bus["serial"]["port"], devices)
            )

    async def start(self) -> None:
        """Serve every bus and say where."""
        for bus in self.buses.values():
            await bus.start()
        places = [{"id": name, **bus.place} for name, bus in self.buses.items()]
        self._say({"event": "ready", "buses": places, "options": self.options})

    async def stop(self) -> None:
        """Close every bus."""
        for bus in self.buses.values():
            await bus.stop()

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
            device = self.devices[request["device"]]
            for name, value in request.get("set", {}).items():
                device.set(name, float(value))
            if "state" in request:
                device.enter(request["state"])
            if "fault" in request:
                device.fault(request["fault"])
        elif "bus" in request:
            await self._bus(self.buses[request["bus"]], request["do"])
        elif request["do"] == "quit":
            self.done.set()
        else:
            for bus in self.buses.values():
                await self._bus(bus, request["do"])

    async def _bus(self, bus: TcpBus | SerialBus, what: str) -> None:
        if what == "drop":
            bus.drop()
        elif what == "stop":
            await bus.stop()
        elif what == "start":
            await bus.start()
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
    simulator = Simulator(options, _say, speed=arguments.speed)
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
    parser = argparse.ArgumentParser(prog="integrations.modbus.simulator")
    parser.add_argument("--options", type=Path, required=True)
    parser.add_argument("--scenario-socket", type=Path)
    parser.add_argument("--stdin", action="store_true")
    parser.add_argument("--speed", type=float, default=1.0)
    arguments = parser.parse_args()
    try:
        options = documents.read(arguments.options).check(vol.Schema(prepare))
        asyncio.run(_main(options, arguments))
    except ConfigError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
