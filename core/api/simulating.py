"""What the simulators of all integrations share: start, ready line, control lines.

    python -m integrations.NAME.simulator --options FILE --scenario-socket PATH

The first line of standard output is ``{"event": "ready", "options": …, "secrets": …}``:
what the driver is to be given. Control lines, one JSON object each, are answered by
``{"ok": true}`` or ``{"error": …}``:

    {"device": UID, "set": {ENTITY: VALUE}}     {"device": UID, "state": NAME}
    {"device": UID, "event": KIND, "params": {}} {"device": UID, "fault": {NAME: VALUE}}
    {"do": "drop" | "stop" | "start" | "quit"}

``"fault": {}`` clears all. Neither core nor a driver imports this.
"""

import abc
import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from core.api import documents
from core.api.errors import ConfigError
from core.clock import AsyncClock, RealClock
from core.texts.sentences import reader, say

#: Longest control line; a longer one is answered by the end of the connection.
LINE_BYTES = 65_536
FAULTS = frozenset(
    "silent garbage slow half frozen replay swapped clock_s rate".split()
)
#: What a request that cannot be carried out ends in.
_WRONG = (
    *(ValueError, TypeError, AttributeError, ArithmeticError),
    *(LookupError, RecursionError, OSError, msgspec.MsgspecError),
)


class Plant(abc.ABC):
    """Play the devices of one integration; every method but `start` may raise
    KeyError, ValueError or TypeError, which the control line is answered with.
    """

    own_faults: frozenset[str] = frozenset()
    """Names of faults that its protocol has beside FAULTS."""

    def __init__(self, options: Mapping[str, Any], speed: float = 1.0) -> None:
        self.options = dict(options)
        self.clock = RealClock(speed)
        self.timer = AsyncClock(self.clock)
        self.say: Callable[[dict[str, Any]], None] = _say

    @abc.abstractmethod
    async def start(self) -> dict[str, Any]:
        """Serve, and return what the ready line holds: options, secrets."""

    @abc.abstractmethod
    async def stop(self) -> None:
        """Close everything."""

    @abc.abstractmethod
    async def do(self, what: str) -> None:
        """Carry out drop, stop or start for all connections."""

    @abc.abstractmethod
    def put(self, uid: str, entity: str, value: Any) -> None:
        """Let an entity have a value."""

    @abc.abstractmethod
    def fault(self, uid: str, faults: Mapping[str, Any]) -> None:
        """Let exactly these faults stand; names are checked."""

    def enter(self, uid: str, state: str) -> None:
        """Enter a named state."""
        raise ValueError(f"{uid} has no state {state!r}")

    def event(self, uid: str, kind: str, params: Mapping[str, Any]) -> None:
        """Let a discrete event happen."""
        raise ValueError(f"{uid} knows no event {kind!r}")

    async def apply(self, request: Mapping[str, Any]) -> None:
        """Carry out one checked request."""
        if "device" not in request:
            await self.do(str(request["do"]))
            return
        uid = str(request["device"])
        for entity, value in request.get("set", {}).items():
            self.put(uid, entity, value)
        if "state" in request:
            self.enter(uid, str(request["state"]))
        if "fault" in request:
            faults = dict(request["fault"])
            unknown = faults.keys() - FAULTS - self.own_faults
            if unknown:
                raise ValueError(f"unknown fault {min(unknown)!r}")
            self.fault(uid, faults)
        if "event" in request:
            self.event(uid, str(request["event"]), request.get("params", {}))


class Desk:
    """Take control lines for a plant."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.done = asyncio.Event()

    async def control(self, line: bytes | str) -> dict[str, Any]:
        """Carry out one control line; returns the answer, never raises."""
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise TypeError("expected a JSON object")
            if request.get("do") == "quit":
                self.done.set()
            else:
                await self.plant.apply(request)
        except KeyError as problem:
            return {"error": f"unknown {problem}"}
        except _WRONG as problem:
            return {"error": str(problem) or type(problem).__name__}
        return {"ok": True}

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
            self.plant.say({"event": "control_lost", "why": str(problem)})
        finally:
            writer.close()

    async def stdin(self) -> None:
        """Take control lines from standard input; its end ends the simulator."""
        reader = asyncio.StreamReader(LINE_BYTES)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
        try:
            while line := await reader.readline():
                self.plant.say(await self.control(line))
        finally:
            transport.close()
            self.done.set()


def _say(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event, ensure_ascii=False) + "\n")
    sys.stdout.flush()


async def _main(plant: Plant, arguments: argparse.Namespace) -> None:
    desk = Desk(plant)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, desk.done.set)
    control = None
    try:
        ready = await plant.start()
        if arguments.scenario_socket is not None:
            arguments.scenario_socket.unlink(missing_ok=True)
            control = await asyncio.start_unix_server(
                desk.serve, arguments.scenario_socket, limit=LINE_BYTES
            )
        plant.say({"event": "ready", **ready})
        async with asyncio.TaskGroup() as group:
            lines = group.create_task(desk.stdin()) if arguments.stdin else None
            await desk.done.wait()
            if lines is not None:
                lines.cancel()
    finally:
        await plant.stop()
        if control is not None:
            control.close()
            arguments.scenario_socket.unlink(missing_ok=True)


def main(
    name: str,
    make: Callable[..., Plant],
    schema: Any = None,
    *,
    paced: bool = False,
) -> int:
    """Run until quit, SIGTERM or the end of standard input (with --stdin).

    ``make`` is called within the loop, with the options and, if ``paced``, the speed
    of its clock; it may raise ConfigError or ValueError for options that it does not
    take. What ``schema`` refuses is told by line and column.
    """
    parser = argparse.ArgumentParser(prog=f"integrations.{name}.simulator")
    parser.add_argument("--options", type=Path, required=True)
    parser.add_argument("--scenario-socket", type=Path)
    parser.add_argument("--stdin", action="store_true")
    if paced:
        parser.add_argument("--speed", type=float, default=1.0)
    arguments = parser.parse_args()

    async def serve() -> None:
        given = documents.read(arguments.options)
        options = given.data if schema is None else given.check(schema)
        pace = {"speed": arguments.speed} if paced else {}
        await _main(make(options, **pace), arguments)

    try:
        asyncio.run(serve())
    except (ConfigError, ValueError) as problem:
        sys.stderr.write(f"{say(problem, reader())}\n")
        return 2
    return 0
