"""The real gateway on loopback with the fixture core behind an in-process link.

By hand: `python -m tests.ui.fixture_server [--calm]` prints its address and code.
"""

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from core.clock import RealClock
from core.link.messages import Message
from core.link.pair import PairLane, connect
from frontend_api import claim
from frontend_api.app import Gateway
from tests.ui.fixture_core import FixtureCore


class Fixture:
    """Hold a running gateway, its core and its address."""

    def __init__(self, data: Path, web_app: Path | None = None) -> None:
        clock = RealClock()
        self.core = FixtureCore(clock)
        self.core.start()
        self.gateway = (
            Gateway(clock, data, web_app) if web_app else Gateway(clock, data)
        )
        self.code = claim.ensure(data)
        self.url = ""
        self._beat = 0
        self._timer: asyncio.TimerHandle | None = None
        self._lane: PairLane | None = None

    def link_up(self) -> None:
        """Join core and gateway by a fresh pair of lanes."""
        loop = asyncio.get_running_loop()
        ours, theirs = connect(loop.call_soon)
        uplink = self.gateway.uplink
        ours.bind(self.core.receive, lambda _: None)
        theirs.bind(uplink.take, uplink.down)
        self.core.deliver = ours.send
        uplink.send = theirs.send
        self._lane = ours
        hello: Message = uplink.hello()
        theirs.send(hello)

    def link_down(self) -> None:
        """Cut the link, as a core that dies does."""
        self.core.connected = False
        if self._lane is not None:
            self._lane.close("lost")

    def pulse(self) -> None:
        """Send live readings twice a second."""
        self._beat += 1
        self.core.live(beat=self._beat)
        self._timer = asyncio.get_running_loop().call_later(0.5, self.pulse)

    def stop(self) -> None:
        """Send no more live readings."""
        if self._timer is not None:
            self._timer.cancel()


@contextlib.asynccontextmanager
async def running(
    data: Path, port: int = 0, web_app: Path | None = None, pulse: bool = True
) -> AsyncIterator[Fixture]:
    """Serve the fixture on loopback."""
    fixture = Fixture(data, web_app)
    runner = web.AppRunner(
        fixture.gateway.application(), access_log=None, shutdown_timeout=1
    )
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    host, bound = runner.addresses[0][:2]
    fixture.url = f"http://{host}:{bound}"
    fixture.link_up()
    if pulse:
        fixture.pulse()
    try:
        yield fixture
    finally:
        fixture.stop()
        await runner.cleanup()


async def _main() -> None:
    port = int(sys.argv[sys.argv.index("--port") + 1]) if "--port" in sys.argv else 0
    with tempfile.TemporaryDirectory() as folder:
        async with running(Path(folder), port) as fixture:
            sys.stdout.write(f"{fixture.url} {fixture.code}\n")
            sys.stdout.flush()
            if "--calm" not in sys.argv:
                loop = asyncio.get_running_loop()
                loop.call_later(1, fixture.core.incident)
                loop.call_later(5, fixture.core.leave, "p-zhou")
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main())
