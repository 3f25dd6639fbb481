"""Tasks, plans, rounds and checklists in a browser, before the real kernel (2.24)."""

import re
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from core.link.messages import NoticeResult
from core.response.tasks_state import TaskRecord
from demo.pictures import picture
from tests.support.waiting import until
from tests.ui import stage
from tests.ui.duties import REGULATORS, armed
from tests.ui.screen import DESKTOP, PHONE, Screen
from tests.ui.stage import keyed, opened
from tests.ui.works_server import WorksServer

browser, server = stage.browser, stage.server
pytestmark = stage.pytestmark
RAIL = "临边护栏松动"


async def at(screen: Screen, server: WorksServer, path: str, shown: str) -> None:
    """Open a page, and wait until it is drawn."""
    server.flush()
    await screen.page.goto(server.url + path)
    await expect(screen.page.get_by_role("heading", name=shown).first).to_be_visible()


def only(server: WorksServer) -> TaskRecord:
    (task,) = server.works.hub.state.response.tasks.tasks.values()
    return task


async def checked(server: WorksServer, person: str) -> None:
    """Wait until a person's word is in the journal."""
    await until(lambda: person in only(server).checkers, f"{person}'s word")


async def picked(screen: Screen, data: bytes) -> None:
    """Take a picture with the phone."""
    shot = {"name": "shot.png", "mimeType": "image/png", "buffer": data}
    await screen.page.locator("input[type=file]").first.set_input_files(shot)  # type: ignore[arg-type]


async def reported(ann: Screen, server: WorksServer) -> None:
    """Report a major hazard with a picture."""
    await at(ann, server, "/tasks", ann.t("tasks.title"))
    await ann.sound("tasks-none")
    await ann.page.get_by_role("link", name=ann.t("task.report")).click()
    await expect(ann.button(ann.t("task.send"))).to_be_disabled()
    await picked(ann, picture(160, 60, 30))
    await expect(ann.page.locator("img.preview")).to_be_visible()
    await ann.page.get_by_label(ann.t("task.what")).fill(RAIL)
    await ann.button(ann.t("grade.major")).click()
    await ann.sound("report")
    await ann.button(ann.t("task.send")).click()
    await expect(ann.page.get_by_role("heading", name=RAIL)).to_be_visible()
    await expect(ann.page.locator("figure img")).to_be_visible()
    await ann.sound("found")
    await until(lambda: len(only(server).photos) == 1, "the photo in the journal")


async def fixed(bob: Screen, server: WorksServer) -> None:
    """Fix it; without a picture of after, the hub takes no word for it."""
    await at(bob, server, f"/tasks/{only(server).id}", RAIL)
    await bob.button(bob.t("task.start")).click()
    await bob.button(bob.t("task.fixed")).click()
    await expect(bob.page.get_by_role("alert")).to_be_visible()
    await picked(bob, picture(40, 140, 90))
    await expect(bob.page.locator("figure img")).to_have_count(2)
    await bob.sound("fixing")
    await bob.button(bob.t("task.fixed")).click()
    await expect(bob.page.get_by_text(bob.t("task.waits"))).to_be_visible()


async def accepted(lead: Screen, server: WorksServer) -> None:
    """Look at it again and find it right."""
    await at(lead, server, f"/tasks/{only(server).id}", RAIL)
    await expect(lead.button(lead.t("task.accept"))).to_be_visible()
    await lead.sound("recheck")
    await lead.button(lead.t("task.accept")).click()
    await checked(server, lead.person)


async def test_a_hazard_from_photo_to_a_second_person(
    server: WorksServer, browser: Browser
) -> None:
    """2.24: found with a photo on a phone, given, fixed, re-checked by another."""
    armed(server)
    uploads = server.gateway.attachments.uploads
    uploads.limits = uploads.limits._replace(floor_bytes=0)
    await reported(await opened(browser, server, "ann", PHONE, "zh"), server)
    sue = await keyed(browser, server, "sue", DESKTOP, "en")
    await at(sue, server, f"/tasks/{only(server).id}", RAIL)
    await sue.choose(sue.t("task.owner"), "bob")
    await sue.button(sue.t("task.dispatch")).click()
    await expect(sue.page.get_by_text(sue.t("task.dispatch_again"))).to_be_visible()
    await sue.sound("given")
    await fixed(await opened(browser, server, "bob", PHONE, "zh", look="dark"), server)
    await accepted(sue, server)
    sam = await keyed(browser, server, "sam", PHONE, "en")
    await accepted(sam, server)
    await until(lambda: only(server).state == "closed", "the task closed")
    await expect(sam.page.get_by_text(sam.t("task.closed_at"))).to_be_visible()
    await sam.sound("closed")


async def test_a_plan_is_driven_on_phones(
    server: WorksServer, browser: Browser
) -> None:
    """Issue §7: what now, who, how long; the notice is sent by a person."""
    armed(server)
    server.works.reading("h2s", 30.0)
    server.flush()
    (run,) = server.works.hub.state.response.plans.running()
    sue = await opened(browser, server, "sue", PHONE, "zh")
    await at(sue, server, "/plans", sue.t("plans.title"))
    await sue.sound("plans")
    await at(sue, server, f"/plans/{run.id}", "有毒气体")
    await expect(sue.page.locator(".now.mine").first).to_be_visible()
    await sue.sound("run")
    card = sue.page.locator("section.now", has_text="停止本区域")
    await sue.button(sue.t("plans.done"), card).click()
    await until(lambda: run.steps["stop"].state == "done", "the step in the journal")
    await expect(card).to_be_hidden()

    sam = await opened(browser, server, "sam", DESKTOP, "en")
    await at(sam, server, f"/plans/{run.id}", "Toxic gas")
    text = sam.page.get_by_label(sam.t("report.text"))
    await expect(sam.page.get_by_text(sam.t("report.nobody"))).to_be_visible()
    await expect(sam.button(sam.t("report.print"))).to_be_enabled()
    await expect(text).not_to_be_empty()
    await expect(text).to_have_value(re.compile("oxic gas"))
    await sam.sound("report-draft")
    await text.fill("H2S at the tank, nobody hurt.")
    await sam.button(sam.t("report.send")).click()
    await expect(sam.page.get_by_text(sam.t("report.read"))).to_be_visible()
    assert run.steps["report"].state == "done"
    assert len(run.reports) == 1
    await sam.sound("reported")


@pytest.mark.parametrize(
    ("form", "language"), [(PHONE, "zh"), (DESKTOP, "en")], ids=["phone", "desk"]
)
async def test_a_notice_goes_to_the_authorities_by_the_hub(
    server: WorksServer, browser: Browser, form: dict[str, Any], language: str
) -> None:
    """Issue §7: a person reads, mends and sends it; each recipient is followed."""
    armed(server, REGULATORS)
    server.works.reading("h2s", 30.0)
    server.flush()
    works = server.works
    (run,) = works.hub.state.response.plans.running()
    sam = await opened(browser, server, "sam", form, language)
    await at(
        sam, server, f"/plans/{run.id}", "有毒气体" if language == "zh" else "Toxic"
    )
    text = sam.page.get_by_label(sam.t("report.text"))
    await expect(text).not_to_be_empty()
    await text.fill("H2S 30 ppm, nobody hurt.")
    await sam.sound("report-ready")
    await sam.button(sam.t("report.deliver", count=2)).click()
    await until(lambda: len(run.reports) == 2, "both queued in the journal")
    bureau, housing = run.reports
    assert bureau.sha256 == housing.sha256 != bureau.draft
    result = works.kernel.notices.result
    result("notifier", NoticeResult(bureau.notice_id, "bureau-mail", "sent"))
    result("notifier", NoticeResult(housing.notice_id, "bureau-hook", "failed", "tls"))
    works.settle()
    server.flush()
    retry = sam.button(sam.t("report.retry"))
    await expect(retry).to_be_visible()
    sent = sam.page.locator(".tag.good", has_text=sam.t("told.state.sent"))
    await expect(sent).to_be_visible()
    assert run.steps["report"].state == "done"
    await sam.sound("report-followed")
    await retry.click()
    await until(lambda: len(run.reports) == 3, "sent again")


async def test_rounds_and_checklists(server: WorksServer, browser: Browser) -> None:
    """2.05, 2.61: coverage with proof of place; a hand-over signed by another."""
    armed(server)
    sue = await keyed(browser, server, "sue", PHONE, "zh")
    await at(sue, server, "/rounds", sue.t("rounds.title"))
    await sue.button(sue.t("rounds.start")).click()
    await expect(sue.button(sue.t("scan.send"))).to_be_visible()
    await sue.page.get_by_label(sue.t("scan.label"), exact=True).fill("pump-1")
    await sue.sound("scan")
    await sue.button(sue.t("scan.send")).click()
    await expect(sue.page.locator(".walk-points .proven")).to_have_count(1)
    await sue.page.get_by_label(sue.t("scan.label"), exact=True).fill("tank-1")
    await sue.button(sue.t("scan.send")).click()
    await expect(sue.page.locator(".walk-points .doubtful")).to_have_count(1)
    await sue.sound("doubtful")

    await at(sue, server, "/sheets", sue.t("sheets.title"))
    await sue.page.get_by_role("button", name="交接班记录").click()
    groups = sue.page.locator("fieldset.ask")
    await expect(groups.first).to_be_visible()
    for number in range(await groups.count()):
        answer = sue.t("tick.bad" if number == 3 else "tick.ok")
        await sue.button(answer, groups.nth(number)).click()
    await sue.sound("sheet")
    await sue.button(sue.t("sheet.sign_own")).click()
    await expect(sue.page.locator("details.fold")).to_be_visible()
    await sue.sound("sheet-owed")
    await until(lambda: only(server).grade == "general", "what was bad as a task")
