"""The whole incident in Debian's Chromium against the real hub.

Real processes and protocols; the crew acts by the gateway's API where the page's
person may not. Screenshots lie in the test's temporary folder.
"""

import contextlib
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import (
    Browser,
    Locator,
    Page,
    async_playwright,
    expect,
)
from playwright.async_api import TimeoutError as Late

from core.journal.verify import verify
from demo import scenario as scenarios
from demo.crew import Crew
from demo.play import Player
from demo.scenario import Say, Scenario, Step
from demo.stage import HERE, Stage
from demo.watch import Watch
from frontend_api.static import DIST

CHROMIUM = os.environ.get("HUB_CHROMIUM", "/usr/bin/chromium")
PASSWORD = "correct horse battery"
SPEED = 4.0
DESKTOP: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
#: Milliseconds after which waiting for the page is hopeless.
LIMIT = 60_000
#: Milliseconds after which a row that was to be tapped is looked for anew.
MOVED_MS = 10_000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.serial,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        not Path(CHROMIUM).exists(), reason=f"no Chromium at {CHROMIUM}"
    ),
    pytest.mark.skipif(
        not (DIST / "index.html").exists(),
        reason="the web app is not built: python build_ui.py",
    ),
]


def chapters() -> list[list[Step]]:
    """Return the scripted day, cut where somebody says what comes now."""
    parts: list[list[Step]] = []
    for step in scenarios.read(HERE / "scenarios" / "h2s.yaml").steps:
        if isinstance(step, Say):
            parts.append([])
        parts[-1].append(step)
    return parts


class Site:
    """Hold the stage, those who act behind the scenes, and the pages."""

    def __init__(self, stage: Stage, browser: Browser, shots: Path) -> None:
        self.stage, self._browser, self._shots = stage, browser, shots
        self.crew = Crew(stage.address, stage.codes)
        self.watch = Watch(stage.data)
        self.player = Player(stage, self.watch, self.crew, lambda _: None)
        self.complaints: list[str] = []

    async def play(self, chapter: list[Step]) -> None:
        """Play one chapter of the day."""
        await self.player.play(Scenario(id="part", names={}, steps=chapter))

    async def open(self, shape: dict[str, Any], language: str) -> Page:
        """Open the page on a desk or a phone."""
        context = await self._browser.new_context(**shape)
        await context.add_init_script(
            "localStorage.getItem('safehold.language') ||"
            f" localStorage.setItem('safehold.language', '{language}')"
        )
        page = await context.new_page()
        page.set_default_timeout(LIMIT)
        expect.set_options(timeout=LIMIT)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._heard)
        await page.goto(self.stage.address)
        return page

    def _heard(self, line: Any) -> None:
        # Chromium itself notes each refusal (409); the page shows its words.
        refusal = "Failed to load resource" in line.text and " 4" in line.text
        if line.type == "error" and not refusal:
            self.complaints.append(line.text)

    async def shoot(self, page: Page, name: str) -> None:
        """Keep what the page shows."""
        await page.screenshot(path=self._shots / f"{name}.png")

    async def happened(self, event: str, **fields: str) -> None:
        """Wait until the journal tells of it."""
        seen = await self.watch.first(
            lambda one: (
                one[1].name_ == event
                and all(getattr(one[1], k) == v for k, v in fields.items())
            ),
            0,
            LIMIT / 1000,
        )
        assert seen is not None, f"no {event} {fields}"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Bring up simulators, hub and browser."""
    stage = Stage(tmp_path / "data", SPEED)
    try:
        await stage.start()
        async with async_playwright() as driver:
            browser = await driver.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox"]
            )
            site = Site(stage, browser, tmp_path)
            await site.watch.start()
            yield site
            site.watch.stop()
            await site.crew.close()
            await browser.close()
    finally:
        await stage.stop()


async def go(page: Page, place: str) -> None:
    """Follow the navigation; return when the page is there, not only its address."""
    link = page.locator(f"nav a[href='{place}']")
    await link.click()
    await expect(link).to_have_attribute("aria-current", "page", timeout=LIMIT)
    await expect(page.locator("main .skeleton")).to_have_count(0, timeout=LIMIT)
    await expect(page.locator("main h2").first).to_be_visible(timeout=LIMIT)


async def press(page: Page | Locator, name: str) -> None:
    """Press the button of this very name."""
    await page.get_by_role("button", name=name, exact=True).click()


async def claim(page: Page, code: str) -> None:
    """Claim the hub as the safety officer, with the code that was printed."""
    await page.get_by_label("认领码").fill(code)
    await press(page, "下一步")
    await page.get_by_role("combobox", name="我是").click()
    await page.get_by_role("option", name="赵安").click()
    for field in await page.locator("input[type=password]").all():
        await field.fill(PASSWORD)
    await press(page, "认领")
    await expect(page.locator(".planbox svg")).to_be_visible(timeout=LIMIT)


async def log_in(page: Page, account: str, password: str) -> None:
    """Log in on a phone whose person has an account already."""
    await page.get_by_label("Name or person id").fill(account)
    await page.locator("input[type=password]").fill(password)
    await press(page, "Log in")


async def with_reason(page: Page, button: str, words: str) -> None:
    """Answer the dialog that asks for a reason."""
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("textbox").fill(words)
    await press(dialog, button)


async def test_an_incident_from_leak_to_release(site: Site) -> None:
    """The scripted incident to its end in a real browser; journal verifies."""
    morning, leak, leaving, dies, *_ = chapters()
    desk = await site.open(DESKTOP, "zh")
    await claim(desk, site.stage.claim_code())
    await site.play(morning)
    await expect(desk.get_by_text("罐内清淤").first).to_be_visible(timeout=LIMIT)
    await site.shoot(desk, "1-normal")

    await site.play(leak)
    await alarm_is_seen_and_acknowledged(site, desk)
    phone = await site.open(PHONE, "en")
    await log_in(phone, "qian", site.crew.password("qian"))
    await expect(phone.locator(".banner")).to_be_visible(timeout=LIMIT)
    await site.shoot(phone, "3-phone-alarm")

    # A slow page may have used up the time to leave: then all of them are late.
    late = [one for one in leaving if getattr(one, "event", "") == "evacuation.late"]
    await site.play([step for step in leaving if step not in late])
    await site.happened("evacuation.late")
    await site.play(dies)
    await a_release_too_early_is_refused(site, phone)
    await everybody_is_accounted_for(site, desk)
    await the_alarms_are_closed(site, desk)
    await the_all_clear_is_given(site, desk)
    await the_work_is_released(site, phone)
    await the_day_ends(site, desk, phone)
    assert not site.complaints
    await site.stage.stop()
    assert verify(site.stage.data / "journal").ok


async def alarm_is_seen_and_acknowledged(site: Site, desk: Page) -> None:
    """The banner names gas, place and people; what was done is proved; one button."""
    banner = desk.locator(".banner")
    await expect(banner).to_contain_text("有毒气体超限 · 污水罐", timeout=LIMIT)
    await expect(banner).to_contain_text("周勇")
    await expect(banner).to_contain_text("已回读确认", timeout=LIMIT)
    await site.shoot(desk, "2-alarm")
    await desk.get_by_role("button", name="收到").first.click()
    await site.happened("notice.moved", state="acknowledged")
    await press(banner, "确认告警")
    await site.happened("alarm.acknowledged", person_id="zhao")
    await go(desk, "/permits")
    card = desk.get_by_role("article", name="罐内清淤")
    await expect(card).to_contain_text("硫化氢复测合格")
    await expect(card).to_contain_text("由授权人员署名解除")
    await site.shoot(desk, "3-permits")


async def a_release_too_early_is_refused(site: Site, phone: Page) -> None:
    """R1: while people are out and gas is there, no release; the page says why."""
    await go(phone, "/permits")
    card = phone.get_by_role("article", name="罐内清淤")
    await press(card, "Release")
    await with_reason(phone, "Release", "too early")
    refused = phone.get_by_role("dialog").get_by_role("alert")
    await expect(refused).to_contain_text(
        "The zone's evacuation has not been cleared", timeout=LIMIT
    )
    await site.shoot(phone, "4-phone-refused")
    await press(phone.get_by_role("dialog"), "Cancel")


async def everybody_is_accounted_for(site: Site, desk: Page) -> None:
    """The muster list: the late one stands first, and is ticked when he arrives."""
    await go(desk, "/muster")
    late = desk.locator(".roll li").first
    await expect(late).to_contain_text("吴涛")
    await expect(late).to_contain_text("超时")
    await site.shoot(desk, "5-muster")
    order = {"do": "move", "id": "wu", "path": [[24, 16, 0], [54, 22, 0]]}
    await site.stage.simulators["mqtt"].order(order)
    await expect(late).to_contain_text("定位卡已到集合点", timeout=LIMIT)
    await press(desk, "清点 吴涛")
    await site.happened(
        "evacuation.roll", person_id="wu", status="accounted", by="zhao"
    )


async def the_alarms_are_closed(site: Site, desk: Page) -> None:
    """The gas goes; each alarm is acknowledged, the latched one is reset."""
    order = {"device": "xnx-h2s", "set": {"gas": 0.5}, "fault": {"silent": False}}
    await site.stage.simulators["modbus"].order(order)
    await site.happened("alarm.returned")
    await go(desk, "/alarms")
    row = desk.locator(".alarm-row", has_text="有毒气体超限")
    await expect(row.filter(has_text="已锁存")).to_contain_text(
        "条件已消除", timeout=LIMIT
    )
    await site.shoot(desk, "6-alarms")
    await acknowledge_all(desk)
    await press(desk, "复位")
    await with_reason(desk, "复位", "复测合格")
    await expect(desk.get_by_role("dialog")).to_be_hidden(timeout=LIMIT)
    await site.happened("alarm.reset", person_id="zhao")


async def acknowledge_all(desk: Page) -> None:
    """Acknowledge every alarm of the page, each by its own button."""
    folded = desk.locator(".alarm-group-head[aria-expanded=false]")
    rows = desk.locator(".alarm-row.new")
    while True:
        while await folded.count():
            await folded.first.click()
        if not await rows.count():
            return
        alarm = await rows.first.get_attribute("data-alarm")
        row = desk.locator(f".alarm-row.new[data-alarm='{alarm}']")
        button = row.get_by_role("button", name="确认告警", exact=True)
        # A row may fold, or end by itself, under the finger: then look again.
        with contextlib.suppress(Late):
            await button.click(timeout=MOVED_MS)
            await expect(row).to_have_count(0, timeout=LIMIT)


async def the_all_clear_is_given(site: Site, desk: Page) -> None:
    """The all-clear waits for fresh evidence, and is a named person's."""
    await go(desk, "/muster")
    await press(desk, "宣布撤离结束")
    await press(desk, "确认结束")
    await expect(desk.get_by_text(re.compile("赵安 于 .* 宣布结束"))).to_be_visible(
        timeout=LIMIT
    )
    await site.shoot(desk, "7-cleared")


async def the_work_is_released(site: Site, phone: Page) -> None:
    """Nothing was released by itself; a re-test and a signature release it."""
    entry = phone.get_by_role("article", name="罐内清淤")
    await press(entry, "Re-test")
    await site.happened("permit.retested", person_id="qian")
    for title in ("管廊刷漆", "罐内清淤"):
        card = phone.get_by_role("article", name=title)
        await press(card, "Release")
        await with_reason(phone, "Release", "re-test passed")
        await expect(card.locator(".status.active")).to_be_visible(timeout=LIMIT)
    await site.happened("permit.released", person_id="qian")
    await site.shoot(phone, "8-phone-released")


async def the_day_ends(site: Site, desk: Page, phone: Page) -> None:
    """Sirens end by a person's word, the rule's run ends, the permits are closed."""
    for channel in ("ch1", "ch2", "ch3"):
        body = {"entity_id": f"$entity:relays-1/{channel}", "reason": "解除"}
        step = scenarios.Act(by="sun", verb="output.release", body=body)
        await site.play([step])
    await site.happened("run.finished", outcome="done")
    for title in ("罐内清淤", "管廊刷漆"):
        await press(phone.get_by_role("article", name=title), "Close")
    await site.happened("permit.closed")
    # Whoever did not answer in time has become an alarm of its own meanwhile.
    await go(desk, "/alarms")
    await acknowledge_all(desk)
    await go(desk, "/")
    await expect(desk.locator(".banner")).to_be_hidden(timeout=LIMIT)
    await site.shoot(desk, "9-calm")
    await go(phone, "/")
    await site.shoot(phone, "9-phone-calm")
