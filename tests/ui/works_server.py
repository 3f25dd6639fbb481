"""The real gateway before the real kernel: the works of cn-hazchem, in a browser.

The kernel runs in this process on virtual time that follows the wall; people in
the browser sign with WebCrypto, all others with the software phones of `Works`.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

from aiohttp import web

from core import config
from core.journal.envelope import Envelope
from core.journal.events import Event
from core.link import messages as m
from core.link.pair import connect
from core.people.keys_acts import RevokeKey
from frontend_api.app import Gateway
from frontend_api.guard import COOKIE
from frontend_api.static import DIST
from tests.support.works import Works

BEAT_S = 0.5
#: The web app under test; another build of it while one works on it.
APP = Path(os.environ.get("SAFEHOLD_UI", DIST))


class WorksServer:
    """Hold the works, their gateway and its address."""

    def __init__(self, data: Path) -> None:
        self.works = Works()
        self.gateway = Gateway(self.works.clock, data, APP)
        self.url = ""
        self._fresh: list[bytes] = []
        self._live = False
        self._timer: asyncio.TimerHandle | None = None
        self._told_at = time.monotonic()
        self.works.hub.on_everything(self._accepted)

    def link_up(self) -> None:
        """Join kernel and gateway by lanes, each message through its bytes."""
        loop = asyncio.get_running_loop()
        ours, theirs = connect(loop.call_soon)
        ours.bind(self._take, lambda _: None)
        theirs.bind(self.gateway.uplink.take, self.gateway.uplink.down)
        self.gateway.uplink.send = theirs.send
        recorded = self.works.links.send

        def send(peer: str, message: m.Message) -> None:
            recorded(peer, message)
            if peer == "gateway":
                self.flush()
                ours.send(message)

        self.works.links.send = send  # type: ignore[method-assign]
        self._send = ours.send
        theirs.send(self.gateway.uplink.hello())
        self._beat()

    def _accepted(self, _body: Event, _envelope: Envelope, data: bytes) -> None:
        if self._live:
            self._fresh.append(data)

    def _take(self, message: m.Message) -> None:
        if isinstance(message, m.Hello):
            self._snapshot()
        elif isinstance(message, m.ActRequest):
            self.works.kernel.access.receive("gateway", message)
            self.works.settle()
            self.flush()

    def _snapshot(self) -> None:
        hub = self.works.hub
        state, bundle = hub.snapshot(), config.dump(self.works.bundle)
        self._send(
            m.Snapshot(
                epoch=hub.state.epoch, seq=hub.state.seq, state=state, bundle=bundle
            )
        )
        self._send(m.Events([], hub.journal.durable_seq))
        self._send(m.HostStates(states={"core": "running"}, unmonitored=[]))
        self._send(m.Live(self.works.kernel.readings.drain_live(full=True), full=True))
        self._live = True

    def flush(self) -> None:
        """Send the events that were accepted meanwhile."""
        fresh, self._fresh = self._fresh, []
        if fresh:
            self._send(m.Events(fresh, self.works.hub.journal.durable_seq))

    def _beat(self) -> None:
        """Let the site's time follow the wall, with every device reporting."""
        now = time.monotonic()
        self.works.advance(now - self._told_at)
        self._told_at = now
        self.works.pulse()
        self.flush()
        if self._live:
            rows = self.works.kernel.readings.drain_live()
            self._send(m.Live(rows))
        self._timer = asyncio.get_running_loop().call_later(BEAT_S, self._beat)

    def stop(self) -> None:
        """Let time stand still."""
        if self._timer is not None:
            self._timer.cancel()

    def session(self, person_id: str) -> dict[str, str]:
        """Return the cookie of a person who is logged in."""
        accounts = self.gateway.accounts
        if not accounts.owner():
            accounts.claim("eve", "no password opens this")
        if person_id != "eve":
            accounts.enrol(accounts.invite(person_id), "no password opens this")
        secret = accounts.begin(person_id)
        return {"name": COOKIE, "value": secret, "url": self.url}

    def phone_lost(self, person_id: str) -> None:
        """Let a person lose the software phone: the browser takes its place."""
        phone = self.works.phones[person_id]
        self.works.ok(person_id, RevokeKey(key_id=phone.id))

    def new_key(self, person_id: str) -> str:
        """Return the id of a person's newest key."""
        keys = self.works.hub.state.people.keys.of(person_id)
        return keys[-1].id


ServerT = TypeVar("ServerT", bound=WorksServer)


@contextlib.asynccontextmanager
async def running(server: ServerT) -> AsyncIterator[ServerT]:
    """Serve a server's gateway on loopback."""
    runner = web.AppRunner(
        server.gateway.application(), access_log=None, shutdown_timeout=1
    )
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    server.url = f"http://{host}:{port}"
    server.link_up()
    try:
        yield server
    finally:
        server.stop()
        await runner.cleanup()
