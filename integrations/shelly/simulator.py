"""Shelly relays over real HTTP and WebSocket: see docs/conformance.md.

    python -m integrations.shelly.simulator --options FILE --scenario-socket PATH

FILE holds the integration's options; port 0 takes a free one for each relay, and
``secrets`` beside them holds passwords by name.
"""

import argparse
import asyncio
import json
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

from integrations.shelly.simulated import SimulatedRelay

STEP_S = 0.05
MAX_LINE = 1 << 16


class Station:
    """One relay on its own port."""

    def __init__(self, options: Mapping[str, Any], password: str) -> None:
        self.relay = SimulatedRelay(options, password)
        self.port = int(options.get("port", 0))
        self._sockets: set[web.WebSocketResponse] = set()
        self._site: web.TCPSite | None = None
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Serve on the same port as before; idempotent."""
        if self._runner is not None:
            return
        app = web.Application()
        app.router.add_get("/rpc", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", self.port))
        self.port = sock.getsockname()[1]
        await web.SockSite(self._runner, sock).start()

    async def stop(self) -> None:
        """End the service; idempotent."""
        runner, self._runner = self._runner, None
        self.drop()
        if runner is not None:
            await runner.cleanup()

    def drop(self) -> None:
        """Cut every connection as a pulled plug does."""
        for each in list(self._sockets):
            transport = each._req.transport if each._req is not None else None
            if transport is not None:
                transport.abort()

    async def notify(self) -> None:
        """Tell every connection of a change."""
        if self.relay.faults.silent:
            return
        for each in list(self._sockets):
            with suppress(ConnectionError, aiohttp.ClientError):
                await each.send_str(self.relay.notification())

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        found = web.WebSocketResponse(max_msg_size=MAX_LINE)
        await found.prepare(request)
        self._sockets.add(found)
        try:
            async for message in found:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    break
                if self.relay.faults.slow:
                    await asyncio.sleep(self.relay.faults.slow)
                answer = self.relay.answer(message.data)
                if answer is not None:
                    await found.send_str(answer)
        except (ConnectionError, aiohttp.ClientError):
            pass
        finally:
            self._sockets.discard(found)
        return found


class Simulator:
    """All relays of the options, and the lines that steer them."""

    def __init__(self, options: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
        self.options, self.secrets = options, secrets
        self.stations = {
            each["mac"]: Station(each, secrets.get(each.get("password", ""), ""))
            for each in options["devices"]
        }
        self.stopped = asyncio.Event()

    async def start(self) -> dict[str, Any]:
        """Begin to serve; return the options of a driver that reaches it."""
        for station in self.stations.values():
            await station.start()
        devices = [
            {
                **{k: v for k, v in each.items() if k != "channels"},
                "host": "127.0.0.1",
                "port": self.stations[each["mac"]].port,
            }
            for each in self.options["devices"]
        ]
        return {**self.options, "devices": devices}

    async def run(self) -> None:
        """Let time pass until stopped."""
        while not self.stopped.is_set():
            for station in self.stations.values():
                faults = station.relay.faults
                moved = station.relay.turn(STEP_S)
                if moved or faults.rate > 1 or faults.replay:
                    await station.notify()
            with suppress(TimeoutError):
                async with asyncio.timeout(STEP_S):
                    await self.stopped.wait()

    async def close(self) -> None:
        """End every service."""
        for station in self.stations.values():
            await station.stop()

    async def order(self, line: str | bytes) -> dict[str, Any]:
        """Carry out one line; return the answer to it."""
        try:
            return await self._carry_out(json.loads(line))
        except (ValueError, KeyError, IndexError, TypeError) as error:
            return {"error": f"{type(error).__name__}: {error}"}
        except msgspec.ValidationError as error:
            return {"error": str(error)}

    async def _carry_out(self, order: dict[str, Any]) -> dict[str, Any]:
        verb = order.get("do")
        if verb == "quit":
            self.stopped.set()
        for station in self.stations.values() if verb else ():
            if verb == "drop":
                station.drop()
            elif verb == "stop":
                await station.stop()
            elif verb == "start":
                await station.start()
        if verb is None:
            station = self.stations[order["device"]]
            for entity, value in order.get("set", {}).items():
                station.relay.set(entity, value)
            if "set" in order:
                await station.notify()
            if "fault" in order:
                station.relay.fault(order["fault"])
        return {"ok": True}

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer the lines of one control connection."""
        try:
            while line := await reader.readline():
                writer.write((json.dumps(await self.order(line)) + "\n").encode())
                await writer.drain()
        finally:
            writer.close()


async def _play(options: Mapping[str, Any], control: Path) -> None:
    given = dict(options)
    simulator = Simulator(given, given.pop("secrets", {}))
    ready = await simulator.start()
    server = await asyncio.start_unix_server(simulator.serve, control, limit=MAX_LINE)
    said = {"event": "ready", "options": ready, "secrets": dict(simulator.secrets)}
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()
    try:
        await simulator.run()
    finally:
        server.close()
        await simulator.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until told to quit."""
    parser = argparse.ArgumentParser(prog="integrations.shelly.simulator")
    parser.add_argument("--options", type=Path, required=True)
    parser.add_argument("--scenario-socket", type=Path, required=True)
    parser.add_argument("--stdin", action="store_true")
    asked = parser.parse_args(arguments)
    os.umask(0o077)
    options = json.loads(asked.options.read_text("utf-8"))
    asyncio.run(_play(options, asked.scenario_socket))
    return 0


if __name__ == "__main__":
    sys.exit(main())
