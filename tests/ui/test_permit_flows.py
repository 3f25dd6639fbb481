"""The permit pages at work: entry, gas, hand-over, shift, the end, and breaking off.

Gateway, kernel, rules and signatures are the real ones; whoever acts in the browser
signs with a WebCrypto key, everybody else with a software phone.
"""

from playwright.async_api import Browser, expect

from core.people.acts import SetRoles
from core.permits import entries_acts as entries
from core.permits.lifecycle import PermitStatus
from tests.support.waiting import until
from tests.ui import stage
from tests.ui.screen import DESKTOP, PHONE, Screen
from tests.ui.stage import at_permit, keyed, starts, unfolded
from tests.ui.works_server import WorksServer

browser, server = stage.browser, stage.server
pytestmark = stage.pytestmark


def at_work(server: WorksServer) -> str:
    """Return a confined-space permit at work, its people outside."""
    works = server.works
    works.ok("eve", SetRoles(person_id="max", roles=("guardian", "marshal")))
    works.ok("eve", SetRoles(person_id="ivy", roles=("issuer", "supervisor")))
    permit_id = works.started("confined")
    works.places |= {"ann": "yard", "bob": "yard"}
    works.live(5)
    server.flush()
    return permit_id


def status(server: WorksServer, permit_id: str) -> PermitStatus:
    return server.works.permit(permit_id).status


async def test_the_guardian_counts_and_rescues(
    server: WorksServer, browser: Browser
) -> None:
    """Two taps a person; tools counted; a rescuer never without protection."""
    permit_id = at_work(server)
    gil = await keyed(browser, server, "gil", PHONE, "en", look="dark")
    await at_permit(gil, server, permit_id)
    count = gil.page.locator(".entry-count strong").first
    for person in ("ann", "bob"):
        out = gil.button(gil.t("entry.out_name", name=person))
        if await out.count():
            await out.click()
            await expect(out).to_be_hidden()
    await expect(count).to_have_text("0")
    await gil.page.get_by_label(gil.t("entry.with")).fill("lamp, wrench")
    await gil.button(gil.t("entry.in_name", name="ann")).click()
    await expect(count).to_have_text("1")
    await gil.sound("entry")

    await gil.button(gil.t("rescue.title")).click()
    dialog = gil.page.get_by_role("dialog")
    await gil.choose(gil.t("rescue.who"), "max")
    await gil.button(gil.t("rescue.do"), dialog).click()
    await expect(dialog.get_by_role("alert")).to_be_visible()
    await gil.sound("rescue")
    await dialog.get_by_label(gil.t("rescue.ppe")).check()
    await gil.button(gil.t("rescue.do"), dialog).click()
    await expect(dialog).to_be_hidden()
    await expect(count).to_have_text("2")

    for person in ("ann", "max"):
        await gil.button(gil.t("entry.out_name", name=person)).click()
    await expect(count).to_have_text("0")
    for tool in ("lamp", "wrench"):
        await gil.button(gil.t("entry.tool_out", tool=tool)).click()
        await expect(gil.button(gil.t("entry.tool_out", tool=tool))).to_be_hidden()
    await gil.sound("out")
    assert server.works.permit(permit_id).entries.tools == {}


async def test_gas_hand_over_shift_and_the_end(
    server: WorksServer, browser: Browser
) -> None:
    """A test by meter and by hand; two scans; a shift; complete, accept, close."""
    permit_id = at_work(server)
    for person in ("ann", "bob"):
        if person in server.works.permit(permit_id).entries.people:
            out = entries.LogOut(permit_id=permit_id, person_id=person)
            server.works.ok("gil", out)
    gil = await keyed(browser, server, "gil", PHONE, "en")
    await at_permit(gil, server, permit_id)
    await gas_is_tested(gil, server, permit_id)
    await handed_over(gil, browser, server, permit_id)
    ivy = await shift_changes(browser, server, permit_id)
    await work_ends(ivy, browser, server, permit_id)


async def gas_is_tested(screen: Screen, server: WorksServer, permit_id: str) -> None:
    """Record one test by the meters, and one value by hand."""
    part = await unfolded(screen, "gas_test.title")
    tests = part.locator(".gas-tests > li")
    before = await tests.count()
    await part.get_by_role("button", name=starts(screen.t("gas_test.take"))).click()
    await expect(tests).to_have_count(before + 1)
    await screen.button(screen.t("gas_test.by_hand"), part).click()
    await part.get_by_label(screen.t("gas_test.value")).fill("20.8")
    await part.get_by_label(screen.t("gas_test.instrument")).fill("X-am 5600 nr 7")
    await screen.choose(screen.t("gas_test.gas"), "O2")
    await screen.button(screen.t("gas_test.send"), part).click()
    # A meter of the hub measures there: nobody types over it.
    await expect(part.get_by_role("alert")).to_be_visible()
    await screen.sound("gas")
    (newest,) = server.works.permit(permit_id).gas.tests[before:]
    assert newest.person_id == screen.person
    assert not any(sample.typed for sample in newest.samples)


async def test_a_value_is_typed_only_where_no_meter_measures(
    server: WorksServer, browser: Browser
) -> None:
    """A marked fallback: who, which instrument, never mistaken for a meter's."""
    works = server.works
    permit_id = works.applied(works.booked("confined", zone_id="yard"))
    gil = await keyed(browser, server, "gil", PHONE, "zh")
    await at_permit(gil, server, permit_id)
    part = await unfolded(gil, "gas_test.title")
    await expect(part.get_by_text(gil.t("gas_test.no_meter"))).to_be_visible()
    await gil.button(gil.t("gas_test.by_hand"), part).click()
    await part.get_by_label(gil.t("gas_test.value")).fill("20.8")
    await part.get_by_label(gil.t("gas_test.instrument")).fill("X-am 5600 nr 7")
    await gil.choose(gil.t("gas_test.gas"), "O2")
    await gil.button(gil.t("gas_test.send"), part).click()
    await expect(part.locator(".gas-tests .typed").first).to_be_visible()
    await gil.sound("typed")
    (sample,) = works.permit(permit_id).gas.tests[-1].samples
    assert (sample.typed, sample.value) == (True, 20.8)


async def handed_over(
    gil: Screen, browser: Browser, server: WorksServer, permit_id: str
) -> None:
    """Let the guardian hand over, and the next one take over on their own phone."""
    await unfolded(gil, "guard.title")
    await gil.choose(gil.t("guard.to"), "max")
    await gil.button(gil.t("guard.scan_one")).click()
    await expect(gil.page.get_by_text(gil.t("guard.waits", name="max"))).to_be_visible()
    next_one = await keyed(browser, server, "max", PHONE, "zh")
    await at_permit(next_one, server, permit_id)
    await next_one.sound("take-over")
    await next_one.button(next_one.t("next.guardian.take_over")).click()
    await until(
        lambda: server.works.permit(permit_id).guardian_id == "max", "max to guard"
    )


async def shift_changes(
    browser: Browser, server: WorksServer, permit_id: str
) -> Screen:
    """Let the lead hand over; the next one tests the gas, signs and releases."""
    sue = await keyed(browser, server, "sue", DESKTOP, "zh")
    await at_permit(sue, server, permit_id)
    await unfolded(sue, "guard.title")
    await sue.choose(sue.t("shift.to"), "ivy")
    await sue.page.get_by_label(sue.t("shift.notes")).fill("法兰还没装")
    await sue.sound("shift")
    await sue.button(sue.t("shift.offer")).click()
    await expect(sue.page.locator(".work-head.held")).to_be_visible()

    ivy = await keyed(browser, server, "ivy", DESKTOP, "en", look="dark")
    await at_permit(ivy, server, permit_id)
    part = await unfolded(ivy, "gas_test.title")
    await part.get_by_role("button", name=starts(ivy.t("gas_test.take"))).click()
    await ivy.sound("shift-offered")
    await ivy.button(ivy.t("next.permit.take_shift")).click()
    await until(
        lambda: server.works.permit(permit_id).supervisor_id == "ivy", "ivy to lead"
    )
    await ivy.sound("shift-taken")
    return ivy


async def work_ends(
    screen: Screen, browser: Browser, server: WorksServer, permit_id: str
) -> None:
    """Complete, say how the place was left, accept and close."""
    if status(server, permit_id) is PermitStatus.HELD:
        server.works.released(permit_id)
        server.flush()
    await expect(screen.page.locator(".work-head.active")).to_be_visible()
    await screen.button(screen.t("next.complete")).click()
    await expect(screen.page.locator(".work-head.completed")).to_be_visible()
    await screen.sound("completed")
    asks = screen.page.locator(".asks")
    await expect(asks).to_be_visible()
    groups = await asks.locator("fieldset.ask").all()
    for group in groups:
        await screen.button(screen.t("ask.yes"), group).click()
    said = screen.t("ask.send", given=len(groups), all=len(groups))
    await screen.button(said, asks).click()
    await expect(asks).to_be_hidden()
    # Whoever leads the work does not accept it, and is not asked to.
    sign = screen.page.get_by_role("button", name=starts(screen.t("next.sign")))
    await expect(screen.page.locator(".next")).to_be_visible()
    await expect(sign).to_have_count(0)
    await screen.sound("not-accepted")
    sam = await keyed(browser, server, "sam", PHONE, "zh")
    await at_permit(sam, server, permit_id)
    sign = sam.page.get_by_role("button", name=starts(sam.t("next.sign")))
    await sign.click()
    await expect(sam.page.locator(".work-head.accepted")).to_be_visible()
    await sam.sound("accepted")
    await screen.button(screen.t("next.permit.close")).click()
    await expect(screen.page.locator(".work-head.closed")).to_be_visible()
    await screen.sound("closed")
    assert status(server, permit_id) is PermitStatus.CLOSED


async def test_breaking_off_in_every_way(server: WorksServer, browser: Browser) -> None:
    """Reject, cancel, replace, withdraw: each by its own word, with a reason."""
    works = server.works
    sam = await keyed(browser, server, "sam", PHONE, "zh", look="dark")
    for way, told in (
        ("reject", "rejected"),
        ("cancel", "cancelled"),
        ("withdraw", "withdrawn"),
    ):
        permit_id = works.applied(works.booked("confined"))
        await at_permit(sam, server, permit_id)
        part = await unfolded(sam, "end.title")
        if way == "reject":
            await sam.sound("ways")
        await sam.button(sam.t(f"end.permit.{way}"), part).click()
        dialog = sam.page.get_by_role("dialog")
        await dialog.get_by_role("textbox").fill("明天再做")
        await sam.button(sam.t(f"end.permit.{way}"), dialog).click()
        await expect(sam.page.locator(f".work-head.{told}")).to_be_visible()
        assert str(status(server, permit_id)) == told

    permit_id = works.applied(works.booked("confined"))
    await at_permit(sam, server, permit_id)
    part = await unfolded(sam, "end.title")
    await sam.button(sam.t("end.permit.supersede"), part).click()
    dialog = sam.page.get_by_role("dialog")
    await dialog.get_by_role("textbox").fill("换了位置")
    await sam.button(sam.t("end.permit.supersede"), dialog).click()
    await expect(
        sam.page.get_by_role("link", name=sam.t("permit.replaces"))
    ).to_be_visible()
    await sam.sound("replaced")
    assert str(status(server, permit_id)) == "superseded"


async def test_held_work_goes_on_after_its_test_and_a_release(
    server: WorksServer, browser: Browser
) -> None:
    """Design §5: released by an authorised person, with the re-test it demands."""
    permit_id = at_work(server)
    sam = await keyed(browser, server, "sam", DESKTOP, "en")
    await at_permit(sam, server, permit_id)
    await sam.button(sam.t("end.permit.hold")).click()
    dialog = sam.page.get_by_role("dialog")
    await dialog.get_by_role("textbox").fill("smell of gas")
    await sam.button(sam.t("end.permit.hold"), dialog).click()
    await expect(sam.page.locator(".work-head.held")).to_be_visible()
    await expect(sam.page.locator(".work-holds")).to_be_visible()
    server.works.tested(permit_id)
    server.flush()
    await sam.button(sam.t("permit.release")).click()
    await dialog.get_by_role("textbox").fill("a valve leaked; closed and tested")
    await sam.sound("release")
    await sam.button(sam.t("permit.release"), dialog).click()
    await expect(sam.page.locator(".work-head.active")).to_be_visible()
    assert status(server, permit_id) is PermitStatus.ACTIVE
