"""The gateway put together: one table of routes on one aiohttp application."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from core.clock import Clock, RealClock
from core.registry.secrets import Secrets
from core.response.plans_acts import DeliverReport, SendReport
from frontend_api import claim, guard, openapi
from frontend_api.accounts import Accounts, Session
from frontend_api.acts import Acts
from frontend_api.alarm_desk import AlarmDesk
from frontend_api.alarm_groups import Groups
from frontend_api.alarmfeed import AlarmFeed
from frontend_api.attachments import Attachments
from frontend_api.auth import Auth
from frontend_api.backtests import Trials
from frontend_api.changes import Changes
from frontend_api.commissioning import Commissioning
from frontend_api.devices import DeviceDesk
from frontend_api.diagnostics import DiagnosticsDesk
from frontend_api.discovery import DiscoveryDesk
from frontend_api.drills import Drills
from frontend_api.explain import Explain
from frontend_api.forgetting import Forgetting
from frontend_api.gate import Gate
from frontend_api.guard import Call, Guard, Route
from frontend_api.law import Law
from frontend_api.link import Uplink
from frontend_api.loop_desk import LoopDesk
from frontend_api.notices import NoticeDesk
from frontend_api.past import Past
from frontend_api.problems import Problem
from frontend_api.quality import QualityDesk
from frontend_api.render import Renderer
from frontend_api.replica import Kept, Replica
from frontend_api.rest import Reads
from frontend_api.rules import Rules
from frontend_api.seconds import Seconds
from frontend_api.setup import Setup
from frontend_api.signing import Signers
from frontend_api.static import DIST, WebApp
from frontend_api.stream import SCREENS, Screens
from frontend_api.unknown_map import UnknownMap
from frontend_api.vouching import Vouching

#: Events that an empty timeline is filled with.
REMEMBERED = 200


class Gateway:
    """Join the link's replica to REST, streams, logins and the web app."""

    def __init__(self, clock: Clock, data: Path, web_app: Path = DIST) -> None:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.replica = Replica(clock)
        self.renderer = Renderer(self.replica)
        self.uplink = Uplink(self.replica)
        self.accounts = Accounts(data / "gateway.db", clock)
        if not self.accounts.owner():
            claim.ensure(data)
        self.acts = Acts(self.replica, self.uplink)
        self.auth = Auth(self.replica, self.accounts, self.acts, data)
        self.signers = Signers(self.replica, self.accounts, self.auth.hashing)
        self.acts.may_bring = self.signers.may_bring
        self.attachments = Attachments(self.replica, self.acts, data)
        forgetting = Forgetting(self.accounts, Secrets(data))
        self.attachments.destruction.forget = forgetting.person
        self.law = Law(self.replica, self.acts)
        self.vouching = Vouching(self.attachments)
        self.loops = LoopDesk(self.renderer, data)
        self.past = Past(data)
        self.rules = Rules(self.replica, self.past, data)
        self.explain = Explain(self.replica, self.acts, self.past)
        self.trials = Trials(self.replica, data)
        self.drills = Drills(self.replica, data)
        self._make_devices(data)
        self.reads = Reads(self.renderer, self.uplink, self.past)
        self.notices = NoticeDesk(self.replica, self.acts, self.past, data)
        self.changes = Changes(self.replica, self.renderer)
        self.seconds = Seconds(self.replica, self.acts)
        self.renderer.waiting = self.seconds.views
        self.seconds.changed = lambda: self.changes.touch(("seconds",))
        self._make_screens()
        self.alarm_desk = AlarmDesk(
            self.renderer, self.uplink, data, self.changes.touch
        )
        self.replica.on_reset.append(self._remember)
        self.web_app = WebApp(web_app)
        self.guard = Guard(self.accounts)
        self._document: bytes = b""
        self.table = self._routes()

    def _make_devices(self, data: Path) -> None:
        """Make what finds, sets up and proves devices."""
        self.setup = Setup(self.replica, self.acts, data, self.rules.shown)
        self.commissioning = Commissioning(self.replica)
        self.waiting = DeviceDesk(self.replica)
        self.discovery = DiscoveryDesk(self.replica)
        self.renderer.extra["proposals"] = self.discovery.proposals
        self.unknown_map = UnknownMap(self.replica, data)
        self.quality = QualityDesk(self.replica, self.uplink)

    def _make_screens(self) -> None:
        """Make the two streams, and what they send."""
        # Before the feed: what it gathers depends on whether a flood is on.
        groups = Groups(self.renderer, lambda: len(self.alarm_screens.watching()))
        self.alarms = AlarmFeed(self.replica, self.renderer, groups)
        now = self.replica.now_ms
        self.screens = Screens(
            self.changes,
            now,
            since=self.changes.since,
            changed=lambda: self.changes.touch(("hub",)),
        )
        self.alarm_screens = Screens(self.alarms, now)
        self.renderer.watching = self.screens.watching
        self.changes.screens = lambda: len(self.screens)

    def _routes(self) -> list[Route]:
        return [
            *self.auth.routes(),
            *self.signers.routes(),
            *self.seconds.routes(),
            *self.law.routes(),
            *self.rules.routes(),
            *self.explain.routes(),
            *Gate(self.replica).routes(),
            *self.trials.routes(),
            *self.loops.routes(),
            *self.reads.routes(),
            *self.drills.routes(),
            *self.setup.routes(),
            *self.discovery.routes(),
            *self.commissioning.routes(),
            *self.waiting.routes(),
            *self.unknown_map.routes(),
            *self.quality.routes(),
            *DiagnosticsDesk(self.replica, self.uplink).routes(),
            *self.attachments.routes(),
            *self.alarm_desk.routes(),
            *self.notices.routes(),
            Route("GET", "/api/openapi.json", self.document, "This document"),
            Route("GET", "/api/websocket", self.websocket, "Live screens (WebSocket)"),
            Route("GET", "/api/alarms", self.alarm_stream, "Alarms (WebSocket)"),
            Route("POST", "/api/v1/acts/{tail}", self.act, "Ask for an act"),
            Route("*", "/api/{tail:.*}", self.missing, "Everything else"),
            Route("GET", "/{path:.*}", self.web_app.serve, "The web app", open=True),
        ]

    def application(self) -> web.Application:
        """Return the aiohttp application; its link runs while it does."""
        app = web.Application(
            middlewares=[guard.outermost], client_max_size=guard.BODY_BYTES
        )
        for route in self.table:
            app.router.add_route(route.method, route.path, self.guard.wrap(route))
        app.on_response_prepare.append(guard.harden)
        app.cleanup_ctx.append(self._life)
        app.cleanup_ctx.append(self.attachments.life)
        app.cleanup_ctx.append(self.alarm_desk.life)
        return app

    async def _life(self, _: web.Application) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        # Two threads serve files and SQLite; the default would keep many more.
        pool = ThreadPoolExecutor(2, "asyncio_gateway")
        loop.set_default_executor(pool)
        yield
        await self.trials.stop()
        self.seconds.stop()
        self.changes.stop()
        self.alarms.stop()
        self.accounts.close()

    def _remember(self) -> None:
        """Fill an empty timeline from the journal: the gateway may have restarted."""
        if not self.replica.events and self.replica.state.seq:
            loop = asyncio.get_running_loop()
            seq = self.replica.state.seq + 1
            reading = loop.run_in_executor(None, self.past.before, seq, REMEMBERED)
            reading.add_done_callback(self._remembered)

    def _remembered(self, reading: "asyncio.Future[list[Kept]]") -> None:
        if reading.cancelled() or reading.exception() is not None:
            return
        events = self.replica.events
        first = events[0].envelope.seq if events else self.replica.state.seq + 1
        events.extendleft(k for k in reading.result() if k.envelope.seq < first)
        self.changes.reset()

    # --- handlers -----------------------------------------------------------------

    async def document(self, _: Call) -> web.Response:
        """Answer with the OpenAPI document."""
        if not self._document:
            self._document = msgspec.json.encode(openapi.document(self.table))
        return web.Response(body=self._document, content_type="application/json")

    async def act(self, call: Call) -> Any:
        """Carry an act to the core."""
        verb = call.request.match_info["tail"]
        if verb in (SendReport.verb_, DeliverReport.verb_):
            await self.loops.vouch(verb, call.request)
        else:
            await self.vouching.check(verb, call.request, call.session)
        return await self.acts.handle(call.request, call.session, verb)

    async def missing(self, _: Call) -> None:
        """Answer what is not there, to those who are logged in."""
        raise Problem("gateway.not_found")

    async def websocket(self, call: Call) -> web.WebSocketResponse:
        """Run a live screen."""
        return await self._stream(self.screens, call)

    async def alarm_stream(self, call: Call) -> web.WebSocketResponse:
        """Run an alarm stream; it shares no queue with telemetry."""
        return await self._stream(self.alarm_screens, call)

    async def _stream(self, screens: Screens, call: Call) -> web.WebSocketResponse:
        if len(screens) >= SCREENS:
            raise Problem("gateway.busy")
        if not web.WebSocketResponse().can_prepare(call.request):
            raise Problem("gateway.bad_request", reason="a WebSocket is expected")
        session = call.session
        return await screens.serve(
            call.request, session, lambda: self._valid(call.request, session)
        )

    def _valid(self, request: web.Request, session: Session) -> bool:
        now = self.guard.session(request)
        return now is not None and now.person_id == session.person_id


def described() -> dict[str, Any]:
    """Return the OpenAPI document without a running gateway, for tools and tests."""
    with tempfile.TemporaryDirectory() as folder:
        gateway = Gateway(RealClock(), Path(folder))
        document = openapi.document(gateway.table)
        gateway.accounts.close()
    return document
