"""The rules' pages in Chromium: a rule made without YAML, reviewed, in force.

Gateway, drafting worker, kernel and signatures are the real ones; Sue acts in the
browser with a WebCrypto key, Sam by his own software phone.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, FilePayload, expect

from automations import pages
from core.alarms.acts import AcknowledgeAlarm
from core.processes.acts import ApproveConfig, ArmConfig
from core.processes.drafts import every
from tests.ui import stage
from tests.ui.rules_server import GAS, RulesServer
from tests.ui.screen import DESKTOP, PHONE, Screen
from tests.ui.test_permit_pages import enrol
from tests.ui.works_server import running

browser, opened = stage.browser, stage.opened
pytestmark = stage.pytestmark
EARLY = "combustible-early-warning"


@pytest_asyncio.fixture(loop_scope="module")
async def server(tmp_path: Path, browser: Browser) -> AsyncIterator[RulesServer]:
    async with running(RulesServer(tmp_path)) as found:
        yield found
        for context in list(browser.contexts):
            await context.close()


def names(screen: Screen, blueprint: str) -> str:
    found = next(each for each in pages.blueprints() if each.id == blueprint)
    return found.names.zh if screen.language == "zh" else found.names.en


async def at_rules(screen: Screen, server: RulesServer) -> None:
    await screen.page.goto(server.url + "/rules")
    rule = screen.page.get_by_role("article", name="gas-response")
    await expect(rule.get_by_role("heading")).to_have_text(names(screen, GAS))


async def make(screen: Screen) -> None:
    """Make a rule of a blueprint by its form, and have it checked."""
    await screen.button(screen.t("rules.make")).click()
    await screen.page.get_by_label(screen.t("rules.seek")).fill(EARLY)
    card = screen.page.get_by_role("button").filter(has_text=names(screen, EARLY))
    await expect(card).to_have_count(1)
    await screen.sound("blueprints")
    await card.click()
    inputs = next(each for each in pages.blueprints() if each.id == EARLY).inputs
    await screen.choose(inputs["zones"]["name"][screen.language], "tank", many=True)
    await screen.choose(inputs["chain"]["name"][screen.language], "gas")
    await screen.sound("form")
    await screen.button(screen.t("rules.check")).click()
    await expect(screen.page.get_by_text(screen.t("rules.diff"))).to_be_visible()


async def test_a_rule_is_made_reviewed_and_armed_on_a_phone(
    server: RulesServer, browser: Browser
) -> None:
    """Issue §2: draft → check → review → armed, without YAML."""
    screen = await opened(browser, server, "sue", PHONE, "zh")
    await enrol(screen, server)
    await at_rules(screen, server)
    await screen.sound("rules")
    await make(screen)
    checked = screen.page.get_by_text(screen.t("rules.standing.checked"))
    await expect(checked).to_be_visible()
    await screen.sound("draft")
    await screen.button(screen.t("rules.submit")).click()
    waits = screen.page.get_by_text(screen.t("rules.waits"))
    await expect(waits).to_be_visible()
    (draft,) = every(server.data)
    server.works.ok("sam", ApproveConfig(hash=draft.hash))
    server.flush()
    approved = screen.page.get_by_text(screen.t("rules.standing.approved"))
    await expect(approved).to_be_visible()
    await screen.sound("approved")
    server.works.ok("sam", ArmConfig(hash=draft.hash))
    server.flush()
    armed = screen.page.get_by_text(screen.t("rules.standing.armed"))
    await expect(armed).to_be_visible()
    await screen.button(screen.t("rules.back")).click()
    made = screen.page.get_by_role("article", name=f"{EARLY}-1")
    await expect(made.get_by_role("heading")).to_have_text(names(screen, EARLY))
    assert {rule.id for rule in server.works.hub.bundle.rules} == {
        "gas-response",
        f"{EARLY}-1",
    }


@pytest.mark.parametrize(
    ("form", "language"), [(PHONE, "zh"), (DESKTOP, "en")], ids=["phone", "desk"]
)
async def test_a_rule_says_what_it_would_need_now(
    server: RulesServer, browser: Browser, form: dict[str, Any], language: str
) -> None:
    """R26: why it has not fired, with the readings that it looks at."""
    screen = await opened(browser, server, "sam", form, language)
    await at_rules(screen, server)
    rule = screen.page.get_by_role("article", name="gas-response")
    await rule.get_by_text(screen.t("rules.why"), exact=True).click()
    answer = rule.locator(".why-subject")
    await expect(answer).to_have_count(1)
    await expect(answer.locator(".why-inputs li").first).to_be_visible()
    await screen.sound("why")
    server.works.kernel.alarms.raise_(
        "zone:tank", "x", kind="gas.toxic", priority=1, zone_id="tank",
        life_safety=True,
    )  # fmt: skip
    server.flush()
    await screen.button(screen.t("rules.why_again"), rule).click()
    holds = screen.t("rules.truth.true")
    await expect(answer.get_by_text(holds, exact=True)).to_be_visible()
    await screen.sound("fired")


async def test_an_upgrade_shows_its_difference_at_a_desk(
    server: RulesServer, browser: Browser
) -> None:
    """Issue §2: upgrading is an explicit act with a diff of the compiled rule."""
    source = next(each for each in pages.blueprints() if each.id == GAS)
    assert source.file is not None
    text = source.file.read_text("utf-8")
    newer = text.replace("version: 1.0.0", "version: 1.1.0", 1)
    newer = newer.replace("default: 5s", "default: 4s", 1)
    screen = await opened(browser, server, "sam", DESKTOP, "en")
    await at_rules(screen, server)
    async with screen.page.expect_file_chooser() as chooser:
        await screen.button(screen.t("rules.bring")).click()
    await (await chooser.value).set_files(
        FilePayload(name="gas.yaml", mimeType="text/yaml", buffer=newer.encode())
    )
    upgrade = screen.button(screen.t("rules.upgrade", version="1.1.0"))
    await expect(upgrade).to_be_visible()
    await screen.sound("upgrade")
    await upgrade.click()
    line = screen.page.locator(".diff li.new").filter(has_text="within 4s").first
    await expect(line).to_be_visible()
    await expect(screen.page.get_by_text(screen.t("rules.two_help"))).to_be_visible()
    await screen.sound("upgrade-diff")
    (draft,) = every(server.data)
    assert (draft.kind, draft.was_version, draft.version) == (
        "upgrade",
        "1.0.0",
        "1.1.0",
    )


async def test_a_zone_in_shadow_says_so_on_the_live_page_too(
    server: RulesServer, browser: Browser
) -> None:
    """Issue §4: a zone whose life-safety rule only watches shows 'not protected'."""
    alarm = server.works.kernel.alarms.raise_(
        "zone:tank",
        "unprotected.gas-response",
        kind="fault.unprotected",
        priority=2,
        zone_id="tank",
        params={"rule": "gas-response", "mode": "shadow"},
    )
    server.works.ok("sam", AcknowledgeAlarm(alarm_id=alarm))
    screen = await opened(browser, server, "sam", PHONE, "zh")
    await screen.page.goto(server.url + "/")
    title = screen.t("rules.unprotected")
    shown = screen.page.get_by_role("region", name=title, exact=True)
    await expect(shown.get_by_role("listitem")).to_have_count(1)
    await expect(shown).to_contain_text("tank")
    await screen.sound("live-unprotected")
