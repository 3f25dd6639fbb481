"""The first page in Debian's Chromium: an incident seen, answered, and refused.

The gateway is the real one; the core behind it plays an incident.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from core.api.reading import Value
from frontend_api.static import DIST
from tests.ui.fixture_server import Fixture, running

CHROMIUM = os.environ.get("HUB_CHROMIUM", "/usr/bin/chromium")
AXE = DIST.parent / "ui" / "node_modules" / "axe-core" / "axe.min.js"
PASSWORD = "correct horse battery"
DESKTOP = {"viewport": {"width": 1440, "height": 900}}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}

#: Milliseconds after which waiting for the page is hopeless.
LIMIT = 60_000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(180),
    pytest.mark.skipif(
        not Path(CHROMIUM).exists(), reason=f"no Chromium at {CHROMIUM}"
    ),
    pytest.mark.skipif(
        not (DIST / "index.html").exists(),
        reason="the web app is not built: python build_ui.py",
    ),
]
Opener = Callable[..., Awaitable[Page]]


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[Fixture]:
    async with running(tmp_path) as running_one:
        yield running_one


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        yield browser
        await browser.close()


@pytest.fixture
async def complaints() -> AsyncIterator[list[str]]:
    """Fail a test whose page wrote an error on its console."""
    found: list[str] = []
    yield found
    assert not found


@pytest.fixture
async def opened(
    fixture: Fixture, browser: Browser, complaints: list[str]
) -> AsyncIterator[Opener]:
    """Open a page as the first owner, who claims the hub by its code."""

    async def open_page(shape: dict[str, Any], language: str = "zh") -> Page:
        context = await browser.new_context(**shape)
        await context.add_init_script(
            "localStorage.getItem('safehold.language') ||"
            f" localStorage.setItem('safehold.language', '{language}')"
        )
        page = await context.new_page()
        page.set_default_timeout(LIMIT)
        expect.set_options(timeout=LIMIT)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda line: complaints.append(line.text) if line.type == "error" else None,
        )
        await page.goto(fixture.url)
        return page

    yield open_page


async def claim(page: Page, fixture: Fixture, words: tuple[str, str, str]) -> None:
    """Claim the hub through the page."""
    label, onward, finish = words
    await page.get_by_label(label).fill(fixture.code)
    await page.get_by_role("button", name=onward).click()
    secrets = page.locator("input[type=password]")
    await secrets.nth(0).fill(PASSWORD)
    await secrets.nth(1).fill(PASSWORD)
    await page.get_by_role("button", name=finish, exact=True).click()
    await expect(page.locator(".planbox svg")).to_be_visible()


ZH = ("认领码", "下一步", "认领")
EN = ("Claim code", "Next", "Claim")


async def axe(page: Page) -> list[str]:
    """Return what axe finds wrong with the page, each with its element."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci in frontend_api/ui")
    # The page's own policy forbids injected scripts; the test's world does not.
    await page.evaluate(AXE.read_text("utf-8"))
    found = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


async def drawn(page: Page, address: str) -> None:
    """Open a page and wait until it is there, its lazy parts too."""
    await page.goto(address)
    await expect(page.locator("main h2").first).to_be_visible()
    await expect(page.locator("main .skeleton")).to_have_count(0)


async def acknowledge(page: Page, fixture: Fixture) -> None:
    """See the alarm with all that counts, and acknowledge it."""
    fixture.core.incident()
    banner = page.locator(".banner")
    await expect(banner).to_contain_text("有毒气体超限 · 污水池")
    await expect(banner).to_contain_text("限值 13.2 ppm")
    await expect(banner).to_contain_text("孙伟")
    await expect(banner).to_contain_text("SIREN-1")
    await expect(page.locator("[data-zone=pit]")).to_have_attribute(
        "data-state", "evacuating"
    )
    await expect(page.get_by_role("alert")).to_have_count(1)

    await banner.get_by_role("button", name="确认告警").click()
    await expect(banner).to_contain_text("陈建国 已确认")
    assert fixture.core.state.alarms.open["al-1"].acknowledged_by == "p-chen"


async def tick(page: Page, fixture: Fixture) -> None:
    """Account for one person who reached the muster point."""
    await page.get_by_role("link", name="清点", exact=False).first.click()
    lines = page.locator(".roll li .who b")
    await expect(lines).to_have_count(3)
    fixture.core.leave("p-zhou")
    await expect(lines.nth(2)).to_have_text("周涛")
    await page.get_by_role("button", name="清点 周涛").click()
    await expect(page.locator(".roll li.accounted")).to_contain_text("周涛")
    await expect(page.locator(".muster-sum")).to_contain_text("1")


async def release(page: Page, fixture: Fixture) -> None:
    """Try to release a permit, and read why not."""
    refused: dict[str, Value] = {"gases": "h2s, o2"}
    fixture.core.refuse["permit.release"] = ("permit.retest_missing", refused)
    await page.get_by_role("link", name="作业票").first.click()
    permit = page.get_by_role("article", name="污水池清淤")
    await expect(permit).to_contain_text("已暂停")
    await expect(permit).to_contain_text("硫化氢复测合格")
    await permit.get_by_role("button", name="解除暂停").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("原因").fill("气体已散")
    await dialog.get_by_role("button", name="解除暂停").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("硫化氢、氧气")
    request = fixture.core.requests[-1]
    assert (request.verb, request.expected_version) == ("permit.release", 2)


@pytest.mark.parametrize("shape", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_an_incident_from_alarm_to_refused_release(
    fixture: Fixture, opened: Opener, shape: dict[str, Any], complaints: list[str]
) -> None:
    """Alarm → acknowledge → muster tick → release refused."""
    page = await opened(shape)
    await claim(page, fixture, ZH)
    await expect(page.locator("[data-zone=pit]")).to_have_attribute(
        "data-state", "normal"
    )
    await expect(page.locator("[data-zone=gallery]")).to_have_attribute(
        "data-state", "unmonitored"
    )
    await expect(page.locator("[data-person=p-sun]")).to_be_visible()

    await acknowledge(page, fixture)
    await tick(page, fixture)
    await release(page, fixture)
    # A refusal is an answer with an error status, which Chromium always logs.
    complaints[:] = [line for line in complaints if "409" not in line]


async def test_the_phone_fits_and_its_targets_are_big(
    fixture: Fixture, opened: Opener
) -> None:
    """Ui conventions: 390 px without sideways scrolling, targets of 44 px."""
    page = await opened(PHONE)
    await claim(page, fixture, ZH)
    fixture.core.incident()
    await expect(page.locator(".banner")).to_be_visible()
    for path in ("/", "/permits", "/muster", "/alarms", "/hub", "/settings"):
        await drawn(page, fixture.url + path)
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390, path
        small = await page.evaluate(
            """[...document.querySelectorAll('button, a.btn, nav a')]
               .filter(e => e.offsetParent && e.getBoundingClientRect().height < 44)
               .filter(e => !e.closest('.mantine-PasswordInput-root'))
               .map(e => e.outerHTML.slice(0, 120))"""
        )
        assert small == [], path


@pytest.mark.parametrize("look", ["light", "dark", "contrast"])
async def test_axe_finds_nothing(fixture: Fixture, opened: Opener, look: str) -> None:
    """WCAG 2.2 AA as far as axe can tell, on every page and in every look."""
    page = await opened(DESKTOP, "en")
    await page.evaluate(f"localStorage.setItem('safehold.look', '{look}')")
    await page.reload()
    await expect(page.get_by_label(EN[0])).to_be_visible()
    assert await axe(page) == []
    await claim(page, fixture, EN)
    fixture.core.incident()
    await expect(page.locator(".banner")).to_be_visible()
    for path in ("/", "/permits", "/muster", "/alarms", "/hub", "/settings"):
        await drawn(page, fixture.url + path)
        assert await axe(page) == [], path


async def test_a_lost_hub_is_said_and_nothing_is_shown_as_normal(
    fixture: Fixture, opened: Opener, complaints: list[str]
) -> None:
    """Design §5: unknown is never safe, on a screen neither."""
    page = await opened(DESKTOP, "en")
    await claim(page, fixture, EN)
    await expect(page.locator("[data-zone=tank]")).to_have_attribute(
        "data-state", "normal"
    )
    fixture.link_down()
    await expect(page.get_by_role("alert")).to_contain_text("unreachable since")
    await expect(page.locator("[data-state=normal]")).to_have_count(0)
    fixture.link_up()
    await expect(page.get_by_role("alert")).to_have_count(0)
    await expect(page.locator("[data-zone=tank]")).to_have_attribute(
        "data-state", "normal"
    )
    # History that was asked for when the hub went is answered with a 503.
    complaints[:] = [line for line in complaints if "503" not in line]


async def test_the_language_changes_every_word_of_the_hub_too(
    fixture: Fixture, opened: Opener
) -> None:
    page = await opened(DESKTOP)
    await claim(page, fixture, ZH)
    fixture.core.incident()
    await expect(page.locator(".banner")).to_contain_text("有毒气体超限")
    await page.get_by_role("button", name="EN", exact=True).click()
    await expect(page.locator(".banner")).to_contain_text("Toxic gas above limit")
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await page.reload()
    await expect(page.locator(".banner")).to_contain_text("Wastewater pit")
