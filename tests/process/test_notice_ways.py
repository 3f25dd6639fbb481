"""Notices through the whole hub: an SMS and its reply, a dead core, a test by hand."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from core import config
from core.channels.services import group_secret, secret_name
from core.channels.words import reply_code
from core.registry.secrets import Secrets
from core.response.notices_config import Modem, NoticeChannel, NoticePolicy
from core.response.state import NoticeRecord
from tests.process.test_notifier import sink
from tests.protocol.notice_modem import FakeModem
from tests.support.site import NAMES, Loop, RunningHub, Viewer, small_site
from tests.support.waiting import until

ARGS = ("--without", "gateway", "--without", "archive", "--without", "discovery")
NUMBER = "+8613800138000"


def site(
    loop: Loop, policy: NoticePolicy, people: int, *channels: str
) -> config.Bundle:
    """Return a site whose gas alarm tells some officers by some channels."""
    step = config.Step(
        path="actions/0",
        action="notify",
        fields={
            "roles": ("safety_officer",),
            "channels": channels,
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
    officers = tuple(
        config.Person(id=f"sam{n}", name=f"Sam {n}", roles=("safety_officer",))
        for n in range(people)
    )
    return msgspec.structs.replace(
        small_site(loop.config()), people=officers, rules=(rule,), notices=policy
    )


def told(viewer: Viewer) -> list[NoticeRecord]:
    """Return the officers' gas notices."""
    found = viewer.state.response.notices.values()
    return [notice for notice in found if notice.code == "notice.gas_alarm"]


def all_are(viewer: Viewer, channel: str, state: str) -> Callable[[], bool]:
    return lambda: (
        bool(told(viewer))
        and all(notice.channels[channel] == state for notice in told(viewer))
    )


@pytest.mark.timeout(180)
async def test_an_sms_is_delivered_and_its_reply_answers(tmp_path: Path) -> None:
    """R13: sent, delivered, acknowledged; each is in the journal."""
    loop, data = Loop(tmp_path), tmp_path / "data"
    Secrets(data).put(secret_name("sam0", "sms"), NUMBER)
    with FakeModem() as modem:
        policy = NoticePolicy(modem=Modem(port=modem.port))
        hub = RunningHub(data, site(loop, policy, 1, "sms"), args=ARGS)
        async with hub:
            viewer = await hub.attach()
            await until(lambda: viewer.hears, "reading")
            await until(lambda: "AT+CPIN?" in modem.commands, "modem", limit_s=40)
            loop.tell(value=25.0)
            await until(all_are(viewer, "sms", "sent"), "sent", limit_s=40)
            (notice,) = told(viewer)
            (sms,) = modem.sent()
            assert sms.number == NUMBER
            assert sms.text.endswith(f"回复{reply_code(notice.id)}确认")
            for part in range(sms.parts):
                modem.report(41 + part, NUMBER)
            await until(all_are(viewer, "sms", "delivered"), "delivered")
            modem.receive("+8613900000000", reply_code(notice.id))
            modem.receive_plain(NUMBER, f"ok {reply_code(notice.id)}")
            await until(lambda: told(viewer)[0].acknowledged, "answer")
        log = hub.log.read_text()
        assert NUMBER not in log
        assert all(NUMBER not in str(body) for body, _ in hub.journal())


@pytest.mark.timeout(180)
async def test_a_group_gets_one_message_and_a_core_that_dies_sends_no_second(
    tmp_path: Path,
) -> None:
    """R30, and devices.md §7: five officers, one bot, one message."""
    loop, data = Loop(tmp_path), tmp_path / "data"
    async with sink() as taken:
        address = f"json://127.0.0.1:{taken.port}/"
        Secrets(data).put(group_secret("team"), address)
        team = NoticeChannel(id="team", names=NAMES, rate=20)
        policy = NoticePolicy(channels=(team,))
        hub = RunningHub(data, site(loop, policy, 5, "team", "screen"), args=ARGS)
        async with hub:
            viewer = await hub.attach()
            await until(lambda: viewer.hears, "reading")
            loop.tell(value=25.0)
            await until(all_are(viewer, "team", "sent"), "sent", limit_s=40)
            old = hub.kill("core")
            await until(
                lambda: hub.ready() and hub.child("core")["pid"] != old,
                "core back",
                limit_s=40,
            )
            again = await hub.attach()
            await until(all_are(again, "team", "sent"), "sent still", limit_s=40)
            await until(lambda: again.live, "reading again", limit_s=40)
        assert len(taken.got) == 1
        assert "Sam 0、Sam 1、Sam 2、Sam 3、Sam 4" in taken.got[0]["message"]


@pytest.mark.timeout(180)
async def test_a_test_from_the_command_line_shows_each_state(tmp_path: Path) -> None:
    """Address by the input alone, a test with its states, figures; no address shown."""
    loop, data = Loop(tmp_path), tmp_path / "data"
    async with sink() as taken:
        hub = RunningHub(data, site(loop, NoticePolicy(), 1, "screen"), args=ARGS)
        async with hub:
            await hub.attach()
            address = f"json://127.0.0.1:{taken.port}/?+X-Key=secret-path"
            common = ("--data", str(data), "--by", "sam0")
            await notice("set", "sam0", "hook", *common, said=address)
            listed = await notice("list", *common)
            assert listed.startswith("sam0 hook json 127···")
            shown = await notice("test", "sam0", "hook", "--wait", "20", *common)
            assert "queued" in shown
            assert "sent" in shown
            figures = await notice("stats", *common)
            assert figures.splitlines()[1].split()[:3] == ["hook", "1", "1"]
            await notice("drop", "sam0", "hook", *common)
            assert "hook" not in await notice("list", *common)
        assert "secret-path" not in listed + shown + hub.log.read_text()


async def notice(*args: str, said: str = "") -> str:
    """Run ``safehold notice``; return what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "core.cli",
        "notice",
        *args,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await process.communicate(f"{said}\n".encode())
    assert process.returncode == 0, out.decode() + error.decode()
    return out.decode()
