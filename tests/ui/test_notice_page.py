"""The notices page in Chromium: channels, tests with their states, quiet hours, push.

Gateway and kernel are the real ones; what the notifier reports is said for it.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.async_api import Browser, async_playwright, expect

from core import config
from core.channels.services import group_secret, secret_name
from core.link.messages import Armed, NoticeResult
from core.names import Names
from core.registry.secrets import Secrets
from core.response.notices_config import NoticeChannel, NoticePolicy
from core.response.state import NoticeRecord
from tests.support.waiting import until
from tests.ui.screen import DESKTOP, LIMIT, PHONE, Screen
from tests.ui.test_live_page import CHROMIUM, pytestmark
from tests.ui.works_server import WorksServer, running

__all__ = ["pytestmark"]

TEAM = NoticeChannel(id="team", names=Names(zh="一班群", en="Team one"), rate=20)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[WorksServer]:
    async with running(WorksServer(tmp_path)) as found:
        works = found.works
        policy = NoticePolicy(channels=(TEAM,), quiet=((1320, 360),))
        works.bundle = msgspec.structs.replace(works.bundle, notices=policy)
        works.hub.load(works.bundle)
        data = config.dump(works.bundle)
        found.gateway.replica.receive(Armed(config.digest(data), data))
        yield found


async def opened(
    browser: Any, server: WorksServer, person: str, shape: dict[str, Any], lang: str
) -> Screen:
    """Open the page for a person who is logged in."""
    context = await browser.new_context(
        **shape, timezone_id="Asia/Shanghai", reduced_motion="reduce"
    )
    return await on_page(context, server, person, shape, lang)


async def on_page(
    context: Any, server: WorksServer, person: str, shape: dict[str, Any], lang: str
) -> Screen:
    """Open the page in a browser's context."""
    await context.add_cookies([server.session(person)])
    await context.add_init_script(
        f"localStorage.setItem('safehold.language', '{lang}')"
    )
    page = await context.new_page()
    page.set_default_timeout(LIMIT)
    expect.set_options(timeout=LIMIT)
    await page.goto(server.url + "/notices")
    screen = Screen(page, lang, f"notices-{lang}-{shape['viewport']['width']}-{person}")
    title = page.get_by_role("heading", name=screen.t("told.channels"))
    await expect(title).to_be_visible()
    return screen


def newest(server: WorksServer) -> NoticeRecord:
    """Return the newest notice."""
    return list(server.works.hub.state.response.notices.values())[-1]


def tell(server: WorksServer, channel: str, state: str, detail: str = "") -> None:
    """Say what became of the newest notice, as the notifier does."""
    result = NoticeResult(newest(server).id, channel, state, detail)
    server.works.kernel.notices.result("notifier", result)
    server.works.settle()
    server.flush()


async def add(screen: Screen, kind: str, address: str, hint: str) -> None:
    """Give an address; from then on only a trace of it is shown."""
    page = screen.page
    await page.get_by_label(screen.t("told.kind")).select_option(kind)
    await page.get_by_label(screen.t(f"told.address.{kind}")).fill(address)
    await screen.button(screen.t("told.add")).click()
    await expect(page.get_by_text(hint)).to_be_visible()


async def see_each_state(screen: Screen, server: WorksServer) -> None:
    """Send a test and see each state."""
    page = screen.page
    name = screen.t("told.test_name", channel=screen.t("told.channel.sms"))
    await screen.button(name).click()
    shown = page.locator(".told-result").first
    await expect(shown).to_contain_text(screen.t("told.state.queued"))
    tell(server, "sms", "sent")
    await expect(shown).to_contain_text(screen.t("told.state.sent"))
    tell(server, "sms", "failed", "no_modem")
    await expect(shown).to_contain_text(screen.t("told.why.no_modem"))
    tell(server, "sms", "delivered")
    await expect(shown).to_contain_text(screen.t("told.state.delivered"))


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as driver:
        found = await driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        yield found
        await found.close()


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("shape", "lang"), [(DESKTOP, "en"), (PHONE, "zh")])
async def test_a_person_sets_how_they_are_told(
    server: WorksServer,
    browser: Browser,
    tmp_path: Path,
    shape: dict[str, Any],
    lang: str,
) -> None:
    """A number, a test with its states, quiet hours; nobody sees an address again."""
    screen = await opened(browser, server, "sue", shape, lang)
    page = screen.page
    await screen.sound("first")
    await add(screen, "sms", "+8613800138123", "···123")
    await add(screen, "mail", "sue@site.example", "s···@site.example")
    kept = Secrets(tmp_path).get(secret_name("sue", "sms"))
    assert kept == "+8613800138123"
    contacts = server.works.hub.state.response.contacts["sue"]
    assert contacts == {"sms": "sms", "mail": "mail"}
    await see_each_state(screen, server)
    await screen.sound("tested")
    await page.get_by_label(screen.t("quiet.from")).fill("21:30")
    await screen.button(screen.t("quiet.save")).click()
    await expect(page.get_by_text(screen.t("quiet.own"))).to_be_visible()
    assert server.works.hub.state.response.quiet["sue"] == [(1290, 360)]
    await screen.sound("quiet")
    channel = screen.t("told.channel.mail")
    await screen.button(screen.t("told.drop_name", channel=channel)).click()
    await expect(page.get_by_text("s···@site.example")).to_be_hidden()
    assert not Secrets(tmp_path).get(secret_name("sue", "mail"))


@pytest.mark.timeout(240)
async def test_a_safety_officer_keeps_the_groups_address(
    server: WorksServer, browser: Browser, tmp_path: Path
) -> None:
    screen = await opened(browser, server, "sam", PHONE, "zh")
    page = screen.page
    label = screen.t("groups.address", name="一班群")
    address = "wecombot://12345678-aaaa-bbbb-cccc-1234567890ab"
    await page.get_by_label(label).fill(address)
    row = page.get_by_role("listitem").filter(has_text="一班群")
    await screen.button(screen.t("groups.keep"), row).click()
    await expect(row.get_by_text("123···")).to_be_visible()
    await screen.sound("groups")
    assert Secrets(tmp_path).get(group_secret("team")) == address
    assert "12345678-aaaa" not in await page.content()


@pytest.mark.timeout(240)
async def test_a_push_is_shown_and_tells_that_it_came(
    server: WorksServer, tmp_path: Path
) -> None:
    """The worker shows what the hub pushed; the hub hears that it was delivered."""
    async with async_playwright() as driver:
        context = await driver.chromium.launch_persistent_context(
            str(tmp_path / "profile"),
            executable_path=CHROMIUM,
            args=["--no-sandbox"],
            permissions=["notifications"],
        )
        screen = await on_page(context, server, "sue", DESKTOP, "en")
        page = screen.page
        channel = await page.evaluate(SUBSCRIBE)
        assert server.works.hub.state.response.contacts["sue"] == {channel: "push"}
        await page.reload()
        heading = page.get_by_role("heading", name=screen.t("told.channels"))
        await expect(heading).to_be_visible()
        row = page.get_by_role("listitem").filter(has_text="push.example")
        await screen.button("Test Push " + channel[5:9], row).click()
        await until(lambda: server.works.hub.state.response.notices, "the test")
        notice = newest(server)
        said = {"id": notice.id, "channel": channel, "title": "Site", "body": "撤离"}
        await deliver(context, page, server.url + "/", said)
        shown = row.locator(".told-result")
        await expect(shown).to_contain_text(screen.t("told.state.delivered"))
        titles = await page.evaluate(
            "navigator.serviceWorker.ready.then(r => r.getNotifications())"
            ".then(all => all.map(n => n.title + ' ' + n.body))"
        )
        assert titles == ["Site 撤离"]
        await context.close()


async def deliver(context: Any, page: Any, origin: str, said: dict[str, str]) -> None:
    """Hand a message to the page's service worker, as a push service does."""
    tools = await context.new_cdp_session(page)
    found: list[Any] = []
    tools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: found.extend(told["registrations"]),
    )
    await tools.send("ServiceWorker.enable")
    await until(lambda: found, "the worker's registration")
    await tools.send(
        "ServiceWorker.deliverPushMessage",
        {
            "origin": origin,
            "registrationId": found[0]["registrationId"],
            "data": json.dumps(said),
        },
    )


#: A push service is out of reach here: what it would answer is given by hand.
SUBSCRIBE = """async () => {
  await navigator.serviceWorker.register('/sw.js');
  await navigator.serviceWorker.ready;
  const pair = await crypto.subtle.generateKey(
    {name: 'ECDH', namedCurve: 'P-256'}, true, ['deriveBits']);
  const text = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replace(/[+]/g, '-').replace(/[/]/g, '_').replace(/=/g, '');
  const body = {
    endpoint: 'https://push.example/send/abc',
    p256dh: text(await crypto.subtle.exportKey('raw', pair.publicKey)),
    auth: text(crypto.getRandomValues(new Uint8Array(16))),
  };
  const answer = await fetch('/api/v1/my/push', {
    method: 'POST', headers: {'Content-Type': 'application/json'},
    body: JSON.stringify(body)});
  return (await answer.json()).channel;
}"""
