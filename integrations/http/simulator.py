"""Simulate other systems: services that are asked, and senders of webhooks.

FILE has the shape of the integration's options. A polled source is a service of its
own on a free port where its address has port 0; a receiving one posts to the port of
``listen`` each interval. Outputs live under /out/UID: POST {"on": true}, GET.
"""

import asyncio
import copy
import json
import socket
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import voluptuous as vol
from aiohttp import web

from core.api.simulating import Plant, main
from integrations.http import fetch, flow
from integrations.http.simulated import SimulatedSource

#: A device that the simulator makes where a source names many.
KEY = "1"


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


class Systems(Plant):
    """Hold the simulated systems of a site."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        given = copy.deepcopy(dict(options))
        super().__init__(given)
        self.secrets: dict[str, str] = dict(given.pop("secrets", {}))
        self._port = _free()
        listen = given.get("listen")
        if listen is not None and listen.get("port") == 0:
            listen["port"] = _free()
        for source in given.get("sources", ()):
            self._place(source)
        try:
            self.options = flow.schema()(given)
        except vol.Invalid as wrong:
            raise ValueError(f"options: {wrong}") from wrong
        for name in flow.secrets_of(self.options):
            self.secrets.setdefault(name, "a-token-of-the-simulator")
        self.sources: dict[str, SimulatedSource] = {}
        self._paths: dict[str, SimulatedSource] = {}
        for said in self.options["sources"]:
            uid = said["uid"] + (f":{KEY}" if "device" in said else "")
            made = self.sources[uid] = SimulatedSource(said, self.clock, uid)
            if "poll" in said:
                self._paths[urlsplit(said["poll"]).path] = made
        self._runner: web.AppRunner | None = None
        self._open: set[asyncio.Transport] = set()
        self._telling: list[asyncio.Task[None]] = []
        self._sending = True

    def _place(self, source: dict[str, Any]) -> None:
        """Give every address of port 0 the simulator's own port."""
        if "poll" in source:
            source["poll"] = self._moved(source["poll"])
        for output in source.get("outputs", ()):
            for part in ("on", "off", "confirm"):
                if part in output:
                    output[part]["url"] = self._moved(output[part]["url"])

    def _moved(self, url: str) -> str:
        parts = urlsplit(url)
        if parts.port != 0:
            return url
        return urlunsplit(parts._replace(netloc=f"{parts.hostname}:{self._port}"))

    async def start(self) -> dict[str, Any]:
        """Serve what is asked, and begin to tell."""
        await self._listen()
        for source in self.sources.values():
            if "receive" in source.said:
                task = asyncio.get_running_loop().create_task(self._tell(source))
                self._telling.append(task)
        return {"options": self.options, "secrets": self.secrets}

    async def _listen(self) -> None:
        if self._runner is not None:
            return
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()

    async def stop(self) -> None:
        """Stop serving and telling."""
        for task in self._telling:
            task.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)
        await self._close()

    async def _close(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            self._drop()
            await runner.cleanup()

    async def do(self, what: str) -> None:
        """Cut, close or open the service; senders fall silent with it."""
        if what == "drop":
            self._drop()
        elif what == "stop":
            self._sending = False
            await self._close()
        elif what == "start":
            self._sending = True
            await self._listen()
        else:
            raise ValueError(f"cannot do {what!r}; expected drop, stop, start or quit")

    def _drop(self) -> None:
        for transport in list(self._open):
            transport.abort()

    def put(self, uid: str, entity: str, value: Any) -> None:
        """Let an entity have a value."""
        self.sources[uid].put(entity, value)

    def fault(self, uid: str, faults: Mapping[str, Any]) -> None:
        """Let exactly these faults stand."""
        self.sources[uid].faults = dict(faults)

    def event(self, uid: str, kind: str, params: Mapping[str, Any]) -> None:
        """Let an event be told from now on."""
        self.sources[uid].press(kind)

    # --- asked ----------------------------------------------------------------

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        transport = request.transport
        if transport is not None:
            self._open.add(transport)
        try:
            if request.path.startswith("/out/"):
                return await self._output(request)
            source = self._paths.get(request.path)
            if source is None:
                return web.Response(status=404)
            return await self._said(request, source)
        finally:
            if transport is not None:
                self._open.discard(transport)

    async def _said(
        self, request: web.Request, source: SimulatedSource
    ) -> web.StreamResponse:
        wanted = fetch.headers(source.said, self.secrets)
        if any(request.headers.get(name) != value for name, value in wanted.items()):
            return web.Response(status=401)
        if "silent" in source.faults:
            await asyncio.Event().wait()
        await self.timer.sleep(float(source.faults.get("slow") or 0))
        return web.Response(body=source.body())

    async def _output(self, request: web.Request) -> web.StreamResponse:
        uid = request.path.removeprefix("/out/")
        owner = next((s for s in self.sources.values() if uid in s.outputs), None)
        if owner is None:
            return web.Response(status=404)
        if request.method != "GET":
            told = json.loads(await request.read())
            owner.outputs[uid] = bool(told["on"])
            self.say({"event": "output", "uid": uid, "on": owner.outputs[uid]})
        return web.json_response({"on": owner.outputs[uid]})

    # --- telling --------------------------------------------------------------

    async def _tell(self, source: SimulatedSource) -> None:
        """Post the source's body each interval, whatever becomes of it."""
        listen, said = self.options["listen"], source.said
        url = f"http://{listen['address']}:{listen['port']}{said['receive']}"
        head = fetch.headers(said, self.secrets)
        async with aiohttp.ClientSession() as session:
            while True:
                rate = max(float(source.faults.get("rate", 1)), 1.0)
                pause = said["every_s"] / rate + float(source.faults.get("slow") or 0)
                await self.timer.sleep(pause / 2)
                if self._sending and "silent" not in source.faults:
                    await self._post(session, url, source.body(), head)

    async def _post(
        self,
        session: aiohttp.ClientSession,
        url: str,
        data: bytes,
        head: dict[str, str],
    ) -> None:
        limit = aiohttp.ClientTimeout(total=5)
        try:
            async with session.post(url, data=data, headers=head, timeout=limit):
                pass
        except (aiohttp.ClientError, TimeoutError, OSError) as wrong:
            self.say({"event": "not_taken", "why": type(wrong).__name__})


if __name__ == "__main__":
    sys.exit(main("http", Systems))
