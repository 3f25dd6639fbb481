"""The isolation register, uploads that are cut, and the site's time, in the browser."""

import hashlib
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Request, Route, expect

from core.permits.isolation_acts import ApplyLock
from tests.support.waiting import until
from tests.ui import stage
from tests.ui.screen import DESKTOP, PHONE, Screen
from tests.ui.stage import at_permit, keyed, starts, unfolded
from tests.ui.works_server import WorksServer

browser, server = stage.browser, stage.server
pytestmark = stage.pytestmark
MIB = 1 << 20


async def point_is_registered(screen: Screen, name: str, kind: str) -> None:
    """Put a point into the register."""
    dialog = screen.page.get_by_role("dialog")
    await screen.button(screen.t("isolation.new")).click()
    await dialog.get_by_label(screen.t("isolation.id")).fill(name)
    if kind != "valve":
        await screen.choose(
            screen.t("isolation.kind"), screen.t(f"isolation.kind.{kind}")
        )
    await dialog.get_by_label(screen.t("isolation.equipment")).fill("tank 1")
    await screen.button(screen.t("isolation.new_do"), dialog).click()
    await expect(dialog).to_be_hidden()


async def test_points_are_locked_checked_tried_and_opened_again(
    server: WorksServer, browser: Browser
) -> None:
    """GB 30871 4.2 b: locked by one, seen by another, tried; off at a count of zero."""
    works = server.works
    permit_id = works.applied(works.booked("confined"))
    sue = await keyed(browser, server, "sue", PHONE, "en")
    await at_permit(sue, server, permit_id)
    part = await unfolded(sue, "isolation.title")
    await planned_and_locked(sue, part)
    bob = await keyed(browser, server, "bob", DESKTOP, "zh", look="dark")
    await at_permit(bob, server, permit_id)
    own = await unfolded(bob, "isolation.title")
    await checked_and_tried(bob, own)
    plan = works.hub.state.permits.isolation.plans[permit_id]
    assert plan.tried == ["V-101"]

    lock = ApplyLock(
        permit_id=permit_id,
        point_id="V-101",
        lock_no="P-ann",
        key_holder="ann",
        personal=True,
    )
    works.ok("ann", lock)
    server.flush()
    await lock_stays_on(sue, part)
    await energy_is_found(bob, own)


async def planned_and_locked(sue: Screen, part: Any) -> None:
    """Register two points, plan one of them and lock it."""
    await sue.sound("empty")
    await point_is_registered(sue, "V-101", "valve")
    await point_is_registered(sue, "BOX-1", "box")
    dialog = sue.page.get_by_role("dialog")
    await sue.button(sue.t("isolation.plan"), part).click()
    await sue.choose(sue.t("isolation.points"), "V-101 · tank 1", many=True)
    await sue.button(sue.t("isolation.plan_do", count=1), dialog).click()
    await expect(dialog).to_be_hidden()
    await expect(part.locator(".iso > .open")).to_have_count(1)
    await sue.button(sue.t("isolation.lock"), part).click()
    await dialog.get_by_label(sue.t("isolation.lock_no")).fill("L-7")
    await sue.choose(sue.t("isolation.box"), "BOX-1 · tank 1")
    await sue.sound("lock")
    await sue.button(sue.t("isolation.lock_do"), dialog).click()
    await expect(dialog).to_be_hidden()
    # Whoever locked it does not check it.
    await expect(part.get_by_text(sue.t("isolation.second"))).to_be_visible()


async def checked_and_tried(bob: Screen, own: Any) -> None:
    """See the lock as the second person, and try that no energy is left."""
    await bob.button(bob.t("isolation.check_name", lock="L-7"), own).click()
    await expect(own.locator(".iso > .forced")).to_have_count(1)
    await bob.button(bob.t("isolation.try"), own).click()
    asked = bob.page.get_by_role("dialog")
    await asked.get_by_label(bob.t("isolation.method")).fill("验电笔")
    await bob.button(bob.t("isolation.try_do", count=1), asked).click()
    await expect(own.locator(".iso > .tried")).to_have_count(1)
    await bob.sound("cut-off")


async def lock_stays_on(sue: Screen, part: Any) -> None:
    """Try to open a point on which another person's lock hangs: it is refused."""
    await expect(part.get_by_text("P-ann")).to_be_visible()
    dialog = sue.page.get_by_role("dialog")
    await sue.button(sue.t("isolation.off_name", lock="L-7"), part).click()
    await sue.button(sue.t("ask.yes"), dialog).click()
    await sue.button(sue.t("isolation.off"), dialog).click()
    await expect(dialog.get_by_role("alert")).to_contain_text("ann")
    await sue.sound("refused")
    await sue.page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()


async def energy_is_found(bob: Screen, part: Any) -> None:
    """Say that energy is left: it shows at once."""
    await bob.button(bob.t("isolation.found"), part).click()
    dialog = bob.page.get_by_role("dialog")
    await dialog.get_by_label(bob.t("isolation.note")).fill("压力表有压力")
    await bob.button(bob.t("isolation.found"), dialog).click()
    await expect(part.locator(".iso > .energy")).to_have_count(1)
    await bob.sound("energy")


async def test_an_upload_goes_on_after_a_cut_and_after_a_reload(
    server: WorksServer, browser: Browser, tmp_path: Path
) -> None:
    """What had come is not sent again; the hash is taken in the browser."""
    uploads = server.gateway.attachments.uploads
    uploads.limits = uploads.limits._replace(floor_bytes=0)
    permit_id = server.works.applied(server.works.booked("confined"))
    sue = await keyed(browser, server, "sue", PHONE, "en")
    offsets: list[int] = []
    left = 2

    async def cut(route: Route, request: Request) -> None:
        nonlocal left
        offsets.append(int(request.headers["upload-offset"]))
        left -= 1
        if left < 0:
            await route.abort("connectionreset")
        else:
            await route.continue_()

    await sue.page.route("**/api/v1/uploads/*", cut_patches(cut))
    await at_permit(sue, server, permit_id)
    photo = tmp_path / "tank.jpg"
    photo.write_bytes(b"\xff\xd8\xff\xe0" + b"picture " * (4 * MIB // 8))
    await bring(sue, photo)
    await until(lambda: len(offsets) >= 4, "two pieces, and cuts")
    await expect(sue.page.get_by_text(sue.t("attach.cut"))).to_be_visible()
    await sue.sound("cut")
    await at_permit(sue, server, permit_id)
    left, before = 100, len(offsets)
    await bring(sue, photo)
    await expect(sue.page.locator(".attachments li")).to_have_count(1)
    assert offsets[before] == 2 * MIB
    (kept,) = server.works.permit(permit_id).attachments.items.values()
    assert kept.sha256 == hashlib.sha256(photo.read_bytes()).hexdigest()
    await sue.sound("uploaded")


def cut_patches(cut: Any) -> Any:
    """Hand pieces of an upload to ``cut``, and let everything else pass."""

    async def handle(route: Route, request: Request) -> None:
        if request.method == "PATCH":
            await cut(route, request)
        else:
            await route.continue_()

    return handle


async def bring(screen: Screen, photo: Path) -> None:
    """Choose a file of evidence."""
    part = await unfolded(screen, "attach.title")
    await part.get_by_label(screen.t("attach.evidence")).set_input_files(photo)


async def test_moments_are_the_sites_wherever_the_browser_stands(
    server: WorksServer, browser: Browser
) -> None:
    """A booking for nine is for nine at the site, also when made from New York."""
    sue = await keyed(browser, server, "sue", DESKTOP, "en", zone="America/New_York")
    await sue.page.goto(server.url + "/permits/new")
    await sue.page.locator(".kind", has_text="Confined space entry").click()
    begins = sue.page.get_by_label(sue.t("book.from"))
    await expect(begins).to_be_visible()
    note = sue.t("when.zone", zone="Asia/Shanghai")
    await expect(sue.page.get_by_text(note).first).to_be_visible()
    await sue.choose(sue.t("permit.zone"), "tank")
    await sue.page.get_by_label(sue.t("permit.title")).fill("clean the tank")
    await sue.page.get_by_label(sue.t("book.unit")).fill("workshop")
    await begins.fill("2026-09-24T09:00")
    await sue.page.get_by_label(sue.t("book.to")).fill("2026-09-24T12:00")
    await sue.sound("booking")
    await sue.button(sue.t("book.do")).click()
    await expect(sue.page.locator(".work-head")).to_contain_text("24 Sept, 09:00")
    (permit,) = server.works.hub.state.permits.permits.values()
    assert permit.life.from_wall_ns == 1_790_211_600 * 10**9


async def test_the_gases_of_the_analysis_are_named(
    server: WorksServer, browser: Browser
) -> None:
    """Each gas that is named has to be tested from then on."""
    works = server.works
    permit_id = works.applied(works.booked("confined"))
    sue = await keyed(browser, server, "sue", PHONE, "zh", look="dark")
    await at_permit(sue, server, permit_id)
    part = await unfolded(sue, "gas_test.title")
    await sue.choose(sue.t("gas_test.named"), "H2S", many=True)
    do = part.get_by_role("button", name=sue.t("gas_test.name_do", count=1))
    await do.click()
    await expect(do).to_be_hidden()
    assert works.permit(permit_id).gas.named == ["h2s"]
    await part.get_by_role("button", name=starts(sue.t("gas_test.take"))).click()
    await expect(part.locator(".gas-tests > li")).to_have_count(1)
    await sue.sound("gases")
