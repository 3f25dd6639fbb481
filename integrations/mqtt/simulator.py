"""A site's MQTT devices as one process: ``python -m integrations.mqtt.simulator``.

It is steered by lines of JSON on standard input (or ``--control SOCKET``) and
answers each by one line. The first two lines are

    {"connect": {"host": …, "port": …, "username": …, "password": …}}
    {"site": {"helmets": [{"id": "h01"}], "detectors": […], …}}

so that no password stands in an argument list. Then ``{"do": VERB, "id": ID, …}``
as `simulated` describes, ``{"do": "state"}`` and ``{"do": "stop"}``.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from integrations.mqtt import simulated

STEP_S = 0.1
CONNECT_S = 10.0
MAX_LINE = 1 << 20


class Simulator:
    """Run models against a broker; thread of paho, loop of ours."""

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self.models: dict[str, simulated.Model] = {}
        self.stopped = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._client: mqtt.Client | None = None
        self._up = asyncio.Event()
        self._refused = ""

    def now(self) -> float:
        """Return seconds of the site's clock since the start, from 1 on."""
        return 1.0 + (self._loop.time() - self._began) * self.speed

    async def connect(self, where: Mapping[str, Any]) -> None:
        """Open the connection; raises CommandError when it is refused."""
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5
        )
        client.username_pw_set(where.get("username"), where.get("password"))
        if where.get("ca_file"):
            client.tls_set(where["ca_file"])
        client.on_connect = self._connected
        client.on_message = self._message
        client.reconnect_delay_set(1, 5)
        client.connect_async(where.get("host", "127.0.0.1"), int(where["port"]))
        client.loop_start()
        self._client = client
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._up.wait()
        except TimeoutError as error:
            raise simulated.CommandError("the broker does not answer") from error
        if self._refused:
            raise simulated.CommandError(f"the broker refused: {self._refused}")

    def _connected(
        self, client: mqtt.Client, _: Any, __: Any, reason: Any, ___: Any
    ) -> None:
        def told() -> None:
            self._refused = str(reason) if reason.is_failure else ""
            self._up.set()
            if not reason.is_failure:
                self.announce()

        self._loop.call_soon_threadsafe(told)

    def _message(self, _: mqtt.Client, __: Any, message: mqtt.MQTTMessage) -> None:
        self._loop.call_soon_threadsafe(
            self._heard, message.topic, bytes(message.payload)
        )

    def _heard(self, topic: str, payload: bytes) -> None:
        for model in self.models.values():
            if topic in model.listens():
                model.heard(topic, payload)

    def say(self, topic: str, payload: str, retain: bool) -> None:
        """Publish for a device."""
        if self._client is not None:
            self._client.publish(topic, payload, 1, retain)

    def announce(self) -> None:
        """Let every device say what it is, and how it stands."""
        for model in self.models.values():
            if self._client is not None:
                for topic in model.listens():
                    self._client.subscribe(topic, 1)
            model.announce()
            model.publish()

    def site(self, site: Mapping[str, Any]) -> None:
        """Take a site's devices and announce them."""
        self.models = simulated.build(site, self.say)
        self.announce()

    async def order(self, line: str | bytes) -> dict[str, Any]:
        """Carry out one line; return the answer to it."""
        try:
            order = json.loads(line)
            if not isinstance(order, dict):
                raise simulated.CommandError("expected an object")
            return {"ok": True, **await self._carry_out(order)}
        except simulated.CommandError as error:
            return {"ok": False, "error": str(error)}
        except (ValueError, KeyError, TypeError) as error:
            return {"ok": False, "error": f"{type(error).__name__}: {error}"}

    async def _carry_out(self, order: dict[str, Any]) -> dict[str, Any]:
        if "connect" in order:
            await self.connect(order["connect"])
            return {}
        if "site" in order:
            self.site(order["site"])
            return {"devices": sorted(self.models)}
        verb = order.get("do")
        if verb == "state":
            return {"state": {name: m.state() for name, m in self.models.items()}}
        if verb == "stop":
            self.stopped.set()
            return {}
        model = self.models.get(str(order.get("id")))
        if model is None:
            raise simulated.CommandError(f"no device {order.get('id')!r}")
        model.do(str(verb), order)
        return {}

    async def run(self) -> None:
        """Let time pass for every model until stopped."""
        while not self.stopped.is_set():
            now = self.now()
            for model in self.models.values():
                model.turn(now)
            with suppress(TimeoutError):
                async with asyncio.timeout(STEP_S / self.speed):
                    await self.stopped.wait()

    async def close(self) -> None:
        """Hang up and end paho's thread."""
        if self._client is not None:
            self._client.disconnect()
            await asyncio.to_thread(self._client.loop_stop)


async def _serve_lines(
    simulator: Simulator, reader: asyncio.StreamReader, write: Any
) -> None:
    while line := await reader.readline():
        answer = json.dumps(await simulator.order(line)) + "\n"
        write(answer.encode())


async def _stdin(simulator: Simulator) -> None:
    reader = asyncio.StreamReader(MAX_LINE)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )

    def write(answer: bytes) -> None:
        sys.stdout.write(answer.decode())
        sys.stdout.flush()

    await _serve_lines(simulator, reader, write)
    # Whoever steers it has gone.
    simulator.stopped.set()


async def _serve(speed: float, control: Path | None) -> None:
    simulator = Simulator(speed)
    server = None
    try:
        async with asyncio.TaskGroup() as group:
            if control is not None:
                server = await asyncio.start_unix_server(
                    lambda r, w: _serve_lines(simulator, r, w.write),
                    control,
                    limit=MAX_LINE,
                )
            else:
                steering = group.create_task(_stdin(simulator))
            await simulator.run()
            if control is None:
                steering.cancel()
    finally:
        if server is not None:
            server.close()
        await simulator.close()


def _scenario(options: Path, control: Path) -> int:
    """Play the options' devices for the conformance kit."""
    from core.api import ConfigError, documents
    from integrations.mqtt import scenario

    try:
        scenario.serve(documents.read(options).data, control)
    except ConfigError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until told to stop, or until standard input ends."""
    parser = argparse.ArgumentParser(prog="integrations.mqtt.simulator")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--control", type=Path, help="Unix socket instead of stdin")
    parser.add_argument("--options", type=Path, help="with a broker of its own")
    parser.add_argument("--scenario-socket", type=Path)
    asked = parser.parse_args(arguments)
    if asked.options is not None and asked.scenario_socket is not None:
        return _scenario(asked.options, asked.scenario_socket)
    os.umask(0o077)
    asyncio.run(_serve(asked.speed, asked.control))
    return 0


if __name__ == "__main__":
    sys.exit(main())
