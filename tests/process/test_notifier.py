"""Notices leave by real channels, and what became of them is in the journal (R13)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from core import config
from core.channels.services import secret_name
from core.registry.secrets import Secrets
from core.response.state import NoticeRecord
from tests.support.site import NAMES, Loop, RunningHub, Viewer, small_site
from tests.support.waiting import until

ARGS = ("--without", "gateway", "--without", "archive", "--without", "discovery")


class Sink:
    """Take what the channel delivers, as a chat's web hook would."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.port = 0

    async def take(self, request: web.Request) -> web.Response:
        self.got.append(await request.json())
        return web.Response(text="ok")


@asynccontextmanager
async def sink() -> AsyncIterator[Sink]:
    """Serve a sink on loopback."""
    taken = Sink()
    app = web.Application()
    app.router.add_post("/", taken.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    taken.port = runner.addresses[0][1]
    try:
        yield taken
    finally:
        await runner.cleanup()


def bundle(loop: Loop, data: Path, port: int) -> config.Bundle:
    """Return a site whose officer has a hook, a dead channel and one unknown."""
    officer = config.Person(id="sam", name="Sam", roles=("safety_officer",))
    secrets = Secrets(data)
    secrets.put(secret_name("sam", "hook"), f"json://127.0.0.1:{port}/")
    secrets.put(secret_name("sam", "dead"), "json://127.0.0.1:9/")
    step = config.Step(
        path="actions/0",
        action="notify",
        fields={
            "roles": ("safety_officer",),
            "channels": ("hook", "dead", "pager"),
            "code": "notice.gas_alarm",
        },
    )
    rule = config.Rule(
        id="tell",
        names=NAMES,
        version="1",
        hash="h",
        triggers=(
            config.Trigger(platform="alarm", fields={"kind": ("gas",)}, subject="zone"),
        ),
        steps=(step,),
    )
    return msgspec.structs.replace(
        small_site(loop.config()), people=(officer,), rules=(rule,)
    )


def told(viewer: Viewer) -> NoticeRecord | None:
    """Return the officer's gas notice."""
    for notice in viewer.state.response.notices.values():
        if notice.code == "notice.gas_alarm":
            return notice
    return None


async def test_a_notice_is_sent_and_failures_are_written_down(tmp_path: Path) -> None:
    """Sent, refused by nobody there, and without address: three different ends."""
    loop = Loop(tmp_path)
    async with sink() as taken:
        data = tmp_path / "data"
        hub = RunningHub(data, bundle(loop, data, taken.port), args=ARGS)
        async with hub:
            viewer = await hub.attach()
            await until(lambda: viewer.hears, "reading")
            loop.tell(value=25.0)
            await until(lambda: told(viewer), "notice")
            notice = told(viewer)
            assert notice is not None
            channels = notice.channels
            await until(lambda: channels["hook"] == "sent", "sent by the hook")
            await until(lambda: channels["pager"] == "failed", "no address")
            await until(
                lambda: channels["dead"] == "failed", "dead channel", limit_s=40
            )
        assert len(taken.got) == 1
        assert "25" in taken.got[0]["message"]
        log = hub.log.read_text()
        assert "json://" not in log, "an address is a secret"
        moved = [body for body, _ in hub.journal() if body.name_ == "notice.moved"]
        assert all("json://" not in str(body) for body in moved)


async def test_what_is_owed_is_sent_after_the_notifier_died(tmp_path: Path) -> None:
    """R30: outbox first; a notifier killed before it sent is followed by another."""
    loop = Loop(tmp_path)
    async with sink() as taken:
        data = tmp_path / "data"
        hub = RunningHub(data, bundle(loop, data, taken.port), args=ARGS)
        async with hub:
            viewer = await hub.attach()
            await until(lambda: viewer.hears, "reading")
            hub.kill("notifier")
            loop.tell(value=25.0)
            await until(lambda: taken.got, "delivered by the next one", limit_s=40)
            notice = told(viewer)
            assert notice is not None
            channels = notice.channels
            await until(lambda: channels["hook"] == "sent", "sent")
