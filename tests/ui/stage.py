"""One browser for a module's tests, and people who sign with keys of their own.

A browser's start costs seconds on a small machine; a server with its kernel does not,
so each test has its own.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from core.people.keys_acts import ApproveKey
from tests.ui import test_live_page as live
from tests.ui.screen import LIMIT, Screen
from tests.ui.works_server import WorksServer, running

pytestmark = [*live.pytestmark, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Start Chromium once for all tests of a module."""
    async with async_playwright() as driver:
        found = await driver.chromium.launch(
            executable_path=live.CHROMIUM,
            args=["--no-sandbox", "--host-resolver-rules=MAP hub.lan 127.0.0.1"],
        )
        yield found
        await found.close()


@pytest_asyncio.fixture(loop_scope="module")
async def server(tmp_path: Path, browser: Browser) -> AsyncIterator[WorksServer]:
    """Serve the works; what a test opened of the browser is closed behind it."""
    async with running(WorksServer(tmp_path)) as found:
        yield found
        for context in list(browser.contexts):
            await context.close()


async def opened(
    browser: Browser,
    server: WorksServer,
    person: str,
    shape: dict[str, Any],
    lang: str,
    *,
    look: str = "light",
    zone: str = "Asia/Shanghai",
) -> Screen:
    """Open the app's settings for a person who is logged in."""
    # Colours that are half-way to another have no contrast to speak of.
    context = await browser.new_context(
        **shape, timezone_id=zone, reduced_motion="reduce"
    )
    await context.add_cookies([server.session(person)])  # type: ignore[list-item]
    await context.add_init_script(
        f"localStorage.setItem('safehold.language', '{lang}');"
        f"localStorage.setItem('safehold.look', '{look}')"
    )
    page = await context.new_page()
    page.set_default_timeout(LIMIT)
    expect.set_options(timeout=LIMIT)
    await page.goto(server.url + "/settings")
    await expect(page.locator(".device-key")).to_be_visible()
    name = f"{lang}-{shape['viewport']['width']}-{look}-{person}"
    return Screen(page, lang, name)


async def keyed(
    browser: Browser,
    server: WorksServer,
    person: str,
    shape: dict[str, Any],
    lang: str,
    **more: str,
) -> Screen:
    """Open the app for a person whose key is this browser's."""
    server.phone_lost(person)
    server.flush()
    screen = await opened(browser, server, person, shape, lang, **more)
    await screen.button(screen.t("device.enrol")).click()
    await expect(screen.page.get_by_text(screen.t("device.pending"))).to_be_visible()
    phones, lost = server.works.phones, server.works.hub.state.people.keys.keys
    by = "eve" if lost[phones["sam"].id].revoked else "sam"
    server.works.ok(by, ApproveKey(key_id=server.new_key(person)))
    server.flush()
    await expect(screen.page.get_by_text(screen.t("device.active"))).to_be_visible()
    return screen


async def at_permit(screen: Screen, server: WorksServer, permit_id: str) -> None:
    """Open a permit's page, and wait until it is drawn."""
    server.flush()
    await screen.page.goto(f"{server.url}/permits/{permit_id}")
    await expect(screen.page.locator(".work-head")).to_be_visible()


async def unfolded(screen: Screen, title: str) -> Any:
    """Open a part of the page, where it is folded; return it."""
    name = screen.t(title)
    heading = screen.page.get_by_role("heading", name=name, exact=True)
    part = screen.page.locator("details", has=heading)
    await expect(part).to_be_visible()
    # A click would close what opened by itself in this very moment.
    await part.evaluate("part => { part.open = true }")
    await expect(part.locator(".fold-body")).to_be_visible()
    return part


def starts(text: str) -> re.Pattern[str]:
    """Match what begins with a sentence's part before its first place."""
    return re.compile("^" + re.escape(text.partition("{{")[0]))
