"""The port that webhooks come to: a token each, bounded bodies, durable before 200."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from aiohttp import web

from core.api import DeviceError, Host
from integrations.http import body
from integrations.http.body import BodyError
from integrations.http.source import Source

#: Longest time that a sender is given for its body.
READ_S: Final = 10.0
Take = Callable[[Source, bytes], Awaitable[None]]


class Hooks:
    """Serve one path for each receiving source."""

    def __init__(
        self,
        host: Host,
        sources: Mapping[str, Source],
        secrets: Mapping[str, str],
        take: Take,
    ) -> None:
        self._host, self._sources, self._secrets = host, sources, secrets
        self._take = take
        self._runner: web.AppRunner | None = None

    async def start(self, listen: Mapping[str, Any]) -> None:
        """Listen; raises DeviceError where the port is taken."""
        app = web.Application(client_max_size=body.MAX_BYTES)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, listen["address"], listen["port"]).start()
        except OSError as taken:
            place = f"{listen['address']}:{listen['port']}"
            raise DeviceError(f"cannot listen on {place}: {taken.strerror}") from taken

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        source = self._sources.get(request.path)
        if source is None or request.method not in ("POST", "PUT"):
            self._host.count("http.no_such_hook", request.path[:80])
            return web.json_response({"error": "there is no such hook"}, status=404)
        if not self._may(request, source.said):
            for uid in source.devices or [""]:
                self._host.count("http.token", source.id, uid)
            return web.json_response({"error": "the token is wrong"}, status=401)
        try:
            async with asyncio.timeout(READ_S):
                data = await request.read()
            await self._take(source, data)
        except TimeoutError:
            self._host.count("http.slow", source.id)
            return web.json_response({"error": "the body came too slowly"}, status=408)
        except web.HTTPRequestEntityTooLarge:
            self._host.count("http.too_long", source.id)
            return web.json_response({"error": "the body is too long"}, status=413)
        except BodyError as wrong:
            return web.json_response({"error": str(wrong)}, status=422)
        except DeviceError as busy:
            # Not durable: the sender keeps it and sends it again.
            return web.json_response({"error": str(busy)}, status=503)
        return web.json_response({"ok": True})

    def _may(self, request: web.Request, said: Mapping[str, Any]) -> bool:
        wanted = self._secrets.get(said["token"], "")
        given = request.headers.get(said["header"], "").removeprefix("Bearer ")
        return bool(wanted) and hmac.compare_digest(given.encode(), wanted.encode())
