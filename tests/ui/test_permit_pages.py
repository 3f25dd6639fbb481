"""The permit pages in Chromium: a confined-space permit booked, signed, started.

Gateway, kernel, rules and signatures are the real ones; Sue acts in the browser with
a WebCrypto key, everybody else by their own software phone.
"""

import hashlib
import re
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from core.people.keys_acts import ApproveKey, VerifyPerson
from core.permits.entries_acts import OpenEntryLog
from core.permits.life_acts import SignPermit, TakeBriefing
from core.permits.lifecycle import PermitStatus
from tests.support.waiting import until
from tests.support.works import CALM, STANDS
from tests.ui import stage
from tests.ui.screen import DESKTOP, LIMIT, PHONE, WORDS, Screen
from tests.ui.stage import opened
from tests.ui.works_server import WorksServer

browser, server = stage.browser, stage.server
pytestmark = stage.pytestmark


async def enrol(screen: Screen, server: WorksServer) -> None:
    """Enrol this browser; a later key waits for a second person."""
    await screen.button(screen.t("device.enrol")).click()
    await expect(screen.page.get_by_text(screen.t("device.pending"))).to_be_visible()
    await screen.sound("device-pending")
    server.works.ok("sam", ApproveKey(key_id=server.new_key("sue")))
    server.flush()
    await expect(screen.page.get_by_text(screen.t("device.active"))).to_be_visible()
    await screen.sound("device-active")


async def book(screen: Screen) -> str:
    """Book by the kind's card; return the permit's id."""
    page = screen.page
    await page.locator("nav a[href='/permits']").click()
    await page.get_by_role("link", name=screen.t("book.title")).click()
    await expect(page.locator(".kind").first).to_be_visible()
    await screen.sound("kinds")
    confined = "受限空间作业" if screen.language == "zh" else "Confined space entry"
    await page.locator(".kind", has_text=confined).click()
    await screen.choose(screen.t("permit.zone"), "tank")
    await page.get_by_label(screen.t("permit.title")).fill("clean the tank")
    await page.get_by_label(screen.t("book.unit")).fill("workshop")
    await page.get_by_role("switch", name=screen.t("book.emergency")).click()
    await screen.sound("book")
    await screen.button(screen.t("book.do")).click()
    await page.wait_for_url(re.compile(r"/permits/(?!new)"))
    return page.url.rpartition("/")[2]


async def apply(screen: Screen) -> None:
    """Fill in people, fields and facts."""
    page = screen.page
    for name in ("ann", "bob"):
        await screen.choose(screen.t("permit.workers"), name, many=True)
    await screen.choose(screen.t("permit.guardian"), "gil", many=True)
    labels = {
        "zh": ("受限空间名称", "空间内原有介质"),
        "en": ("Name of the space", "What it held before"),
    }[screen.language]
    await page.get_by_label(labels[0]).fill("tank 1")
    await page.get_by_label(labels[1]).fill("water")
    for fact in await asked(screen):
        await screen.answer(fact, CALM[fact])
    await screen.sound("apply")
    await screen.button(screen.t("apply.do")).click()
    await expect(
        page.get_by_role("heading", name=screen.t("analyse.title"))
    ).to_be_visible()


async def asked(screen: Screen) -> list[str]:
    """Return the facts that the page asks for now."""
    legends = await screen.page.locator("fieldset.ask legend").all_inner_texts()
    told = {screen.fact(name): name for name in (*CALM, *STANDS)}
    return [told[legend] for legend in legends]


async def analyse(screen: Screen, server: WorksServer, permit_id: str) -> None:
    """Name a hazard and answer every measure; return once the hub has it."""
    page = screen.page
    await page.get_by_label(screen.t("analyse.hazard"), exact=True).fill("no air")
    await page.get_by_label(screen.t("analyse.control"), exact=True).fill("fan")
    for one in await page.get_by_role(
        "button", name=screen.t("analyse.done"), exact=True
    ).all():
        await one.click()
    await screen.sound("analyse")
    await screen.button(screen.t("analyse.do")).click()
    permit = server.works.permit
    # Its questions stand on the page already: they do not say that it was signed.
    await until(
        lambda: permit(permit_id).status is PermitStatus.ANALYSED, "the analysis"
    )
    await expect(page.locator(".asks").first).to_be_visible()


async def state(screen: Screen) -> None:
    """Answer what the rules still ask, until nothing is asked any more."""
    await screen.page.reload()
    await expect(screen.page.locator(".work-head")).to_be_visible()
    for _ in range(4):
        if not await screen.page.locator(".asks").count():
            return
        facts = await asked(screen)
        for fact in facts:
            await screen.answer(fact, STANDS[fact])
        await screen.shoot("asks")
        said = screen.t("ask.send", given=len(facts), all=len(facts))
        await screen.button(said).click()
        first = screen.page.get_by_role("group", name=screen.fact(facts[0]), exact=True)
        await expect(first).to_be_hidden()
    raise AssertionError("it asks for ever")


async def sign(screen: Screen, slot: str) -> None:
    """Sign what is due in this browser."""
    await screen.button(screen.t("next.sign", slot=slot)).click()
    await expect(screen.button(screen.t("next.sign", slot=slot))).to_be_hidden()


def others_brief_and_test(server: WorksServer, permit_id: str) -> None:
    """Let everybody who was told say so, and the guardian test the gas."""
    works = server.works
    for person in works.permit(permit_id).people():
        works.ok(person, TakeBriefing(permit_id=permit_id))
    works.tested(permit_id)
    server.flush()


def approver_signs(server: WorksServer, permit_id: str) -> None:
    """Let the unit's issuer sign with her own phone."""
    content = server.works.permit(permit_id).life.content
    act = SignPermit(permit_id=permit_id, slot="site", content=content)
    server.works.ok("ivy", act)
    server.flush()


async def ready_to_start(screen: Screen, server: WorksServer, permit_id: str) -> None:
    """Let everyone prove to be there, the gas be fresh and the log be open."""
    works = server.works
    people = works.permit(permit_id).people()
    before = dict(works.places)
    works.places |= dict.fromkeys((*people, "sue"), "tank")
    works.live(4)
    for person in people:
        works.ok(person, VerifyPerson(zone_id="tank"))
    server.flush()
    here = screen.button(screen.t("guard.here"))
    await opened_fold(screen, "guard.title")
    await here.click()
    await until(
        lambda: "sue" in works.hub.state.people.keys.verified, "Sue to be verified"
    )
    works.places = before
    works.live(4)
    works.tested(permit_id)
    works.ok("gil", OpenEntryLog(permit_id=permit_id))
    server.flush()


async def opened_fold(screen: Screen, title: str) -> None:
    """Open a part of the page, where it is folded."""
    part = screen.page.locator(
        "details",
        has=screen.page.get_by_role("heading", name=screen.t(title), exact=True),
    )
    await expect(part).to_be_visible()
    # A click would close what opened by itself in this very moment.
    await part.evaluate("part => { part.open = true }")


@pytest.mark.parametrize(
    ("shape", "lang"), [(PHONE, "zh"), (DESKTOP, "en")], ids=["phone-zh", "desktop-en"]
)
async def test_a_confined_space_permit_from_booking_to_work(
    server: WorksServer, browser: Browser, shape: dict[str, Any], lang: str
) -> None:
    """The six steps by hand in a browser that signs each of them."""
    server.phone_lost("sue")
    sue = await opened(browser, server, "sue", shape, lang)
    await enrol(sue, server)
    permit_id = await book(sue)
    await apply(sue)
    await analyse(sue, server, permit_id)
    await state(sue)

    brief = sue.t("brief.do", people="{{people}}").split("{{people}}")[0]
    await sue.page.get_by_role("button", name=re.compile(f"^{brief}")).click()
    await expect(sue.page.locator(".people-list .told")).to_have_count(3)
    others_brief_and_test(server, permit_id)
    await expect(sue.page.locator(".people-list .taken")).to_have_count(3)
    await sue.sound("signing")
    slots = {
        "zh": ("编制人", "作业负责人意见"),
        "en": ("Compiled by", "Person in charge"),
    }
    for slot in slots[lang]:
        await sign(sue, slot)
    approver_signs(server, permit_id)
    await expect(sue.page.locator(".chain .signed")).to_have_count(3)

    await ready_to_start(sue, server, permit_id)
    await state(sue)
    await sue.sound("ready")
    await sue.button(sue.t("next.permit.start")).click()
    await expect(sue.page.locator(".work-head.active")).to_be_visible()
    await sue.sound("active")
    assert server.works.permit(permit_id).status is PermitStatus.ACTIVE
    await stopped_at_once(sue, server, permit_id)
    await a_photo_is_brought(sue, server, permit_id)
    await found_by_search(sue)


async def stopped_at_once(screen: Screen, server: WorksServer, permit_id: str) -> None:
    """Anyone stops the work; the page shows why, and nobody releases it untested."""
    await screen.button(screen.t("end.permit.hold")).click()
    dialog = screen.page.get_by_role("dialog")
    await dialog.get_by_role("textbox").fill("smoke")
    await screen.button(screen.t("end.permit.hold"), dialog).click()
    await expect(screen.page.locator(".work-holds")).to_be_visible()
    await screen.sound("held")
    assert server.works.permit(permit_id).status is PermitStatus.HELD
    held = [one for one in server.works.envelopes() if one.type == "permit.held"]
    signed = held[-1].cause.proof
    assert signed is not None
    assert signed.key == server.new_key("sue")


async def a_photo_is_brought(
    screen: Screen, server: WorksServer, permit_id: str
) -> None:
    """Upload a photo; its hash, taken in the browser, is what the journal tells."""
    uploads = server.gateway.attachments.uploads
    uploads.limits = uploads.limits._replace(floor_bytes=0)
    await opened_fold(screen, "attach.title")
    photo = b"\xff\xd8\xff\xe0" + b"picture " * 200_000
    chosen = {"name": "tank.jpg", "mimeType": "image/jpeg", "buffer": photo}
    await screen.page.get_by_label(screen.t("attach.evidence")).set_input_files(
        chosen  # type: ignore[arg-type]
    )
    await expect(screen.page.locator(".attachments li")).to_have_count(1)
    (kept,) = server.works.permit(permit_id).attachments.items.values()
    assert kept.sha256 == hashlib.sha256(photo).hexdigest()
    await screen.sound("attached")


async def found_by_search(screen: Screen) -> None:
    """Find a permit by its worker's name, and nothing by nonsense."""
    await screen.page.locator("nav a[href='/permits']").click()
    search = screen.page.get_by_role("searchbox")
    await search.fill("ANN")
    await expect(screen.page.get_by_role("article")).to_have_count(1)
    await screen.sound("list")
    await search.fill("zzz")
    await expect(screen.page.get_by_text(screen.t("permits.no_match"))).to_be_visible()


async def test_plain_http_says_that_it_cannot_sign(
    server: WorksServer, browser: Browser
) -> None:
    """Ui conventions: without HTTPS nothing fails silently; the way out is named."""
    cookie = server.session("sue")
    address = server.url.replace("127.0.0.1", "hub.lan")
    context = await browser.new_context(**PHONE, reduced_motion="reduce")
    await context.add_cookies([cookie | {"url": address}])  # type: ignore[list-item]
    page = await context.new_page()
    await page.goto(address + "/settings")
    said = page.locator(".device-key")
    await expect(said).to_contain_text(WORDS["zh"]["device.insecure"], timeout=LIMIT)
    await expect(said).to_contain_text("HTTPS")
    screen = Screen(page, "zh", "zh-insecure")
    await screen.sound("device")
    permit_id = server.works.booked("confined")
    server.flush()
    await page.goto(f"{address}/permits/{permit_id}")
    await (
        screen.button(screen.t("end.title"))
        .or_(page.locator("summary", has_text=screen.t("end.title")))
        .first.click()
    )
    await screen.button(screen.t("end.permit.reject")).click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("textbox").fill("no")
    await screen.button(screen.t("end.permit.reject"), dialog).click()
    refused = dialog.get_by_role("alert")
    await expect(refused).to_contain_text(screen.t("mend.insecure"), timeout=LIMIT)


async def test_a_lost_device_is_revoked_in_two_taps(
    server: WorksServer, browser: Browser
) -> None:
    """A lost key: one tap asks, the second one revokes; it signs no more."""
    server.phone_lost("sue")
    sue = await opened(browser, server, "sue", PHONE, "en")
    await sue.button(sue.t("device.enrol")).click()
    await expect(sue.page.get_by_text(sue.t("device.pending"))).to_be_visible()
    await sue.page.get_by_role("button", name=re.compile("^Revoke ")).click()
    key_id = server.new_key("sue")
    keys = server.works.hub.state.people.keys.keys
    assert keys[key_id].revoked == ""
    await sue.page.get_by_role("button", name=re.compile("^Tap again")).click()
    await expect(sue.page.get_by_text(sue.t("device.revoked"))).to_be_visible()
    assert [key.revoked for key in keys.values() if key.id == key_id] == ["lost"]
