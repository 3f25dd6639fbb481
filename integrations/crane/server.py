"""The web server that recorders post to: a token, a bounded body, a short answer."""

import asyncio
import hmac
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from core.api import DeviceError, Host
from integrations.crane import profile
from integrations.crane.machine import Machine
from integrations.crane.profile import Profile
from integrations.crane.record import MAX_BYTES, RecordError, parse

#: A body must be here within so long; machines that nobody listed are so many at most.
BODY_S: Final = 10.0
MAX_MACHINES: Final = 500
#: Requests that are served at once.
MAX_REQUESTS: Final = 200


class Server:
    """Take posts; know every machine that ever posted with a good token."""

    def __init__(
        self, host: Host, options: Mapping[str, Any], secrets: Mapping[str, str]
    ) -> None:
        self.host, self._options, self._secrets = host, options, secrets
        self._listed = {each["id"]: each for each in options["cranes"]}
        self._profiles = {
            name: profile.load(name)
            for name in dict.fromkeys(
                (*options["profiles"], *(c["profile"] for c in options["cranes"]))
            )
        }
        self.machines: dict[str, Machine] = {}
        self._serving = 0
        for each in options["cranes"]:
            self._made(each["id"], self._profiles[each["profile"]]).declare()

    async def run(self) -> None:
        """Serve until cancelled; DeviceError when the port cannot be had."""
        app = web.Application(client_max_size=MAX_BYTES)
        for path in dict.fromkeys(each.path for each in self._profiles.values()):
            app.router.add_post(path, self._posted)
        runner = web.AppRunner(app, access_log=None, keepalive_timeout=75.0)
        await runner.setup()
        port = self._options["port"]
        try:
            await web.TCPSite(runner, self._options["host"], port).start()
            await self._watch()
        except OSError as error:
            raise DeviceError(f"port {port} cannot be opened: {error}") from error
        finally:
            await runner.cleanup()

    async def _watch(self) -> None:
        pause = max(0.1, self._options["interval_s"] / 4)
        while True:
            await self.host.timer.sleep(pause)
            now = self.host.clock.mono_ns()
            for machine in self.machines.values():
                machine.watch(now)

    # --- posts ----------------------------------------------------------------

    async def _posted(self, request: web.Request) -> web.Response:
        if self._serving >= MAX_REQUESTS:
            self.host.count("crane.too_many")
            raise web.HTTPServiceUnavailable
        self._serving += 1
        try:
            async with asyncio.timeout(BODY_S):
                data = await request.read()
        except TimeoutError:
            self.host.count("crane.slow_body", request.path)
            raise web.HTTPRequestTimeout from None
        except (ConnectionError, web.RequestPayloadError) as error:
            self.host.count("crane.bad_record", f"cut off: {error}"[:200])
            raise web.HTTPBadRequest from None
        finally:
            self._serving -= 1
        return self._answer(request.path, _token(request), data)

    def _answer(self, path: str, token: str, data: bytes) -> web.Response:
        status, reply = (
            200,
            next(p.reply for p in self._profiles.values() if p.path == path),
        )
        try:
            refused = self._take(path, token, data)
        except RecordError as error:
            # Before anything is proved no device is named.
            self.host.count(error.code, f"{error}: {data[:120]!r}")
            status, reply = 400, {"code": 400, "msg": "bad record"}
        else:
            if refused:
                status, reply = 401, {"code": 401, "msg": "wrong token"}
        return web.json_response(reply, status=status)

    def _take(self, path: str, token: str, data: bytes) -> bool:
        """Take a body's records; True when its token is wrong. Raises RecordError."""
        if not self._known(token):
            self.host.count("crane.wrong_token", path)
            self._tell_refused(path, data)
            return True
        for record in parse(data):
            told = self._of(path).read(record)
            machine = self._made(told.id, self._of(path))
            if machine is None or not self._proves(told.id, token):
                self.host.count("crane.wrong_token", told.id)
                return True
            if machine.profile.path != path:
                raise RecordError(f"{told.id} is listed with another profile")
            machine.take(machine.profile.read(record), str(record)[:200])
        return False

    def _of(self, path: str) -> Profile:
        return next(each for each in self._profiles.values() if each.path == path)

    def _made(self, number: str, found: Profile) -> Any:
        machine = self.machines.get(number)
        if machine is None:
            if len(self.machines) >= MAX_MACHINES:
                self.host.count("crane.too_many", number)
                return None
            mine = self._listed.get(number, {})
            machine = self.machines[number] = Machine(
                self.host,
                number,
                self._profiles.get(mine.get("profile", ""), found),
                mine.get("interval_s") or self._options["interval_s"],
                mine,
            )
        return machine

    # --- tokens ---------------------------------------------------------------

    def _known(self, token: str) -> bool:
        """Say whether a token is the site's or that of any machine."""
        names = [self._options["secret"], *(c["secret"] for c in self._listed.values())]
        return any([self._same(token, name) for name in names if name])

    def _proves(self, number: str, token: str) -> bool:
        """Say whether a token is this machine's: its own one, else the site's."""
        own = self._listed.get(number, {}).get("secret", "")
        return self._same(token, own or self._options["secret"])

    def _same(self, token: str, name: str) -> bool:
        secret = self._secrets.get(name, "")
        return bool(secret) and _alike(token, secret)

    def _tell_refused(self, path: str, data: bytes) -> None:
        """Say of a listed machine that is not there that its token is wrong."""
        try:
            told = self._of(path).read(parse(data)[0])
        except RecordError:
            return
        machine = self.machines.get(told.id)
        if machine is not None and told.id in self._listed and not machine.up:
            machine.lost("crane.auth")

    def diagnostics(self) -> dict[str, Any]:
        """Return what each machine did; tokens are absent."""
        return {
            "port": self._options["port"],
            "machines": [
                {
                    "uid": machine.uid,
                    "profile": machine.profile.id,
                    "up": machine.up,
                    **machine.counters,
                }
                for machine in list(self.machines.values())[:200]
            ],
        }


def _alike(token: str, secret: str) -> bool:
    """Compare without telling by the time it takes; headers may hold any bytes."""
    return hmac.compare_digest(token.encode("utf-8", "replace"), secret.encode())


def _token(request: web.Request) -> str:
    """Return the token of a request: recorders put it in one of four places."""
    said = request.headers.get("Authorization", "")
    kind, _, token = said.partition(" ")
    if kind.lower() == "bearer":
        return token.strip()
    for name in ("token", "X-Api-Key"):
        if name in request.headers:
            return request.headers[name].strip()
    return request.query.get("token", "")
