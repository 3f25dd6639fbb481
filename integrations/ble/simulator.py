"""Simulate Bluetooth sensors behind a gateway's feed (see core.api.simulating).

FILE has the shape of the integration's options. Every source becomes one feed, a
TCP server of JSON lines as docs/ble.md describes it; port 0 takes a free port. A
device with a key encrypts; a key that has no secret is made.
"""

import asyncio
import copy
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

import voluptuous as vol

from core.api.simulating import Plant, main
from integrations.ble import flow
from integrations.ble.simulated import SimulatedSensor


class Gateway:
    """Tell everybody who listens each advertisement as a line."""

    def __init__(self, place: str, port: int) -> None:
        self.place, self.port = place, port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen; a second start changes nothing."""
        if self._server is None:
            self._server = await asyncio.start_server(
                self._serve, self.place, self.port
            )
            self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Stop listening and cut all connections."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self.drop()

    def drop(self) -> None:
        """Cut all connections, without a word."""
        for writer in list(self._open):
            writer.transport.abort()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._open.add(writer)
        try:
            while await reader.read(1024):
                pass
        except OSError:
            pass  # cut on either side
        finally:
            self._open.discard(writer)
            writer.close()

    def tell(self, line: bytes) -> None:
        """Write a line to whoever listens; who does not read is cut off."""
        for writer in list(self._open):
            if writer.transport.get_write_buffer_size() > 1 << 20:
                writer.transport.abort()
            else:
                writer.write(line)


class Radio(Plant):
    """Hold the simulated sensors and the gateways that hear them all."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(copy.deepcopy(dict(options)))
        self.secrets: dict[str, str] = dict(self.options.pop("secrets", {}))
        ports = [source.get("port") for source in self.options.get("sources", ())]
        for source in self.options.get("sources", ()):
            if source.get("port") == 0:
                source["port"] = flow.FEED_PORT
        try:
            self.options = flow.schema()(self.options)
        except vol.Invalid as wrong:
            raise ValueError(f"options: {wrong}") from wrong
        self.gateways: list[Gateway] = []
        for source, port in zip(self.options["sources"], ports, strict=True):
            if "feed" not in source:
                raise ValueError("only feeds are simulated: sources: [{feed: …}]")
            wanted = source["port"] if port is None else port
            self.gateways.append(Gateway(source["feed"], wanted))
        self.sensors: dict[str, SimulatedSensor] = {}
        for said in self.options["devices"]:
            key = None
            if "key" in said:
                made = self.secrets.setdefault(said["key"], os.urandom(16).hex())
                key = flow.key(made)
            self.sensors[said["address"]] = SimulatedSensor(said, key)
        self._cycles: list[asyncio.Task[None]] = []

    async def start(self) -> dict[str, Any]:
        """Serve every feed."""
        loop = asyncio.get_running_loop()
        for gateway, source in zip(self.gateways, self.options["sources"], strict=True):
            await gateway.start()
            source["port"] = gateway.port
        for sensor in self.sensors.values():
            self._cycles.append(loop.create_task(self._cycle(sensor)))
        return {"options": self.options, "secrets": self.secrets}

    async def _cycle(self, sensor: SimulatedSensor) -> None:
        while True:
            if not sensor.faults.get("silent"):
                self.tell(sensor.uid, sensor.advertise())
            rate = float(sensor.faults.get("rate", 1))
            pause = sensor.period_s / max(rate, 1.0)
            waited = 0.0
            while waited < pause + float(sensor.faults.get("slow") or 0):
                await self.timer.sleep(min(pause, 0.1))
                waited += min(pause, 0.1)

    def tell(self, address: str, data: bytes) -> None:
        """Let every gateway hear an advertisement."""
        said = {"address": address, "rssi": -60, "service_data": {"fcd2": data.hex()}}
        line = json.dumps(said).encode() + b"\n"
        for gateway in self.gateways:
            gateway.tell(line)

    async def stop(self) -> None:
        """Stop every cycle and feed."""
        for cycle in self._cycles:
            cycle.cancel()
        await asyncio.gather(*self._cycles, return_exceptions=True)
        for gateway in self.gateways:
            gateway.stop()

    async def do(self, what: str) -> None:
        """Cut, close or open every feed."""
        if what not in ("drop", "stop", "start"):
            raise ValueError(f"cannot do {what!r}; expected drop, stop, start or quit")
        for gateway in self.gateways:
            if what == "drop":
                gateway.drop()
            elif what == "stop":
                gateway.stop()
            else:
                await gateway.start()

    def put(self, uid: str, entity: str, value: Any) -> None:
        """Let an object have a value."""
        self.sensors[uid].put(entity, value)

    def fault(self, uid: str, faults: Mapping[str, Any]) -> None:
        """Let exactly these faults stand."""
        self.sensors[uid].faults = dict(faults)

    def event(self, uid: str, kind: str, params: Mapping[str, Any]) -> None:
        """Press the button whose event this is."""
        self.sensors[uid].press(kind)


if __name__ == "__main__":
    sys.exit(main("ble", Radio))
