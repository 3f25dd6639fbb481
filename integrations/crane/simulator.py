"""Simulate recorders of cranes in a process of their own: they post to the hub.

    python -m integrations.crane.simulator --options FILE --scenario-socket PATH

FILE has the shape of the integration's options; every crane that is listed is played.
Port 0 takes a free one, which the driver is to serve.
"""

import asyncio
import copy
import json
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import aiohttp
import voluptuous as vol

from core.api import simulating
from core.api.clock import NS
from integrations.crane import flow, profile, words

POST_S = 5.0


class SimulatedCrane:
    """Post one machine's record again and again."""

    def __init__(
        self, options: Mapping[str, Any], mine: Mapping[str, Any], token: str
    ) -> None:
        self.number: str = mine["id"]
        self.uid = f"crane-{self.number}"
        self.profile = profile.load(mine["profile"])
        self.interval_s = (mine.get("interval_s") or options["interval_s"]) / 2
        self.token = token
        self.faults: dict[str, Any] = {}
        self.values: dict[str, Any] = {
            uid: 0.0 for uid in self.profile.fields if words.WORDS[uid].unit
        }
        self.seq = 0
        self.kept: bytes = b"{}"

    def put(self, entity: str, value: Any) -> None:
        """Let an entity have a value."""
        if entity not in self.profile.fields:
            raise KeyError(entity)
        self.values[entity] = value

    def record(self, wall_s: float) -> bytes:
        """Return the body to be posted now; faults that repeat keep the last one."""
        if self.faults.get("garbage"):
            return b"\x00\xff this is no record {"
        if self.faults.get("frozen") or self.faults.get("replay"):
            return self.kept
        self.seq += 1
        told: dict[str, Any] = {self.profile.device[0]: self.number}
        at = wall_s + float(self.faults.get("clock_s", 0))
        if self.profile.time:
            told[self.profile.time[0]] = int(at * 1000)
        if self.profile.seq:
            told[self.profile.seq[0]] = self.seq
        for uid, value in self.values.items():
            field = self.profile.fields[uid]
            if isinstance(value, bool) and not field.bits:
                told[field.names[0]] = int(value)
            elif field.bits:
                code = int(told.get(field.names[0], "0"), 2)
                code |= (1 << field.bits[0]) if value else 0
                told[field.names[0]] = f"{code:08b}"
            else:
                told[field.names[0]] = (float(value) - field.offset) / field.scale
        self.kept = json.dumps(told).encode()
        return self.kept


class Cranes(simulating.Plant):
    """Play every crane of the options."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        self._given, self._secrets = _checked(options)
        self.devices: dict[str, SimulatedCrane] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._stopped = False

    async def start(self) -> dict[str, Any]:
        """Let all of them post; return what the driver is to be given."""
        for each in self._given["cranes"]:
            token = self._secrets.get(each["secret"] or self._given["secret"], "")
            crane = SimulatedCrane(self._given, each, token)
            self.devices[crane.uid] = crane
            loop = asyncio.get_running_loop()
            self._tasks.append(loop.create_task(self._run(crane), name=crane.uid))
        return {"options": self._given, "secrets": self._secrets}

    async def stop(self) -> None:
        """End all posts."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def do(self, what: str) -> None:
        """Stop posting, or start again; a drop cuts what is under way."""
        if what not in ("drop", "stop", "start"):
            raise ValueError(f"cannot do {what!r}; expected drop, stop or start")
        if what != "drop":
            self._stopped = what == "stop"

    def put(self, uid: str, entity: str, value: Any) -> None:
        """Let a crane's entity have a value."""
        self.devices[uid].put(entity, value)

    def fault(self, uid: str, faults: Mapping[str, Any]) -> None:
        """Let exactly these faults stand."""
        self.devices[uid].faults = dict(faults)

    async def _run(self, crane: SimulatedCrane) -> None:
        limit = aiohttp.ClientTimeout(total=POST_S)
        async with aiohttp.ClientSession(timeout=limit) as session:
            while True:
                if not self._stopped and not crane.faults.get("silent"):
                    with suppress(OSError, TimeoutError, aiohttp.ClientError):
                        await self._post(session, crane)
                pause = crane.interval_s / float(crane.faults.get("rate", 1))
                await self.timer.sleep(pause + float(crane.faults.get("slow", 0)))

    async def _post(
        self, session: aiohttp.ClientSession, crane: SimulatedCrane
    ) -> None:
        body = crane.record(self.clock.wall_ns() / NS)
        port, path = self._given["port"], crane.profile.path
        if crane.faults.get("half"):
            await _half(port, path, crane.token, body)
            return
        url = f"http://127.0.0.1:{port}{path}"
        headers = {"Authorization": f"Bearer {crane.token}"}
        async with session.post(url, data=body, headers=headers) as answer:
            await answer.read()


async def _half(port: int, path: str, token: str, body: bytes) -> None:
    """Send a request whose body ends in the middle, and hang up."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST {path} HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {token}\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body[: len(body) // 2])
    await writer.drain()
    writer.close()


def _checked(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return checked options with a free port for 0, and the secrets apart."""
    wanted = copy.deepcopy(dict(options))
    secrets = wanted.pop("secrets", {})
    if wanted.get("port") == 0:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            wanted["port"] = probe.getsockname()[1]
    try:
        return flow.schema()(wanted), secrets
    except vol.MultipleInvalid as problem:
        raise ValueError(str(problem)) from problem


if __name__ == "__main__":
    sys.exit(simulating.main("crane", Cranes))
