"""Signing without a phone, and by two: PIN and witness, card, second person, keys."""

from typing import Any

import pytest
from playwright.async_api import Browser, expect

from core.people.keys_acts import ApproveKey
from core.permits.life_acts import AnalysePermit, BriefPeople
from core.permits.life_events import Hazard, Mark
from tests.support.signer import Phone
from tests.support.waiting import until
from tests.support.works import pack
from tests.ui import stage
from tests.ui.screen import DESKTOP, PHONE, Screen
from tests.ui.stage import at_permit, keyed, opened, unfolded
from tests.ui.works_server import WorksServer

browser, server = stage.browser, stage.server
pytestmark = stage.pytestmark
PIN = "482913"


def briefed(server: WorksServer) -> str:
    """Return a permit whose people were told, and have not signed for it."""
    works = server.works
    permit_id = works.applied(works.booked("confined"))
    permit = works.permit(permit_id)
    form = pack().form(works.kind(permit).form)
    assert form is not None
    analysed = AnalysePermit(
        permit_id=permit_id,
        hazards=(Hazard(text="no air", control="fan"),),
        measures={each.id: Mark(involved=True) for each in form.measures},
    )
    works.ok("sue", analysed)
    works.ok("sue", BriefPeople(permit_id=permit_id, people=permit.people()))
    server.flush()
    return permit_id


async def person_is_asked(screen: Screen, person: str) -> None:
    """Open the dialog in which a person signs who has no phone."""
    part = await unfolded(screen, "for.title")
    await screen.button(person, part).click()
    await expect(screen.page.get_by_role("dialog")).to_be_visible()


async def test_pin_and_witness(server: WorksServer, browser: Browser) -> None:
    """A worker without a phone signs by PIN; the witness is somebody else."""
    permit_id = briefed(server)
    ann = await opened(browser, server, "ann", PHONE, "zh")
    pin = ann.page.get_by_label(ann.t("pin.new"), exact=True)
    await pin.fill("111111")
    await ann.page.get_by_label(ann.t("pin.again"), exact=True).fill("111111")
    await ann.button(ann.t("pin.do")).click()
    await expect(ann.page.get_by_role("alert")).to_be_visible()
    await pin.fill(PIN)
    await ann.page.get_by_label(ann.t("pin.again"), exact=True).fill(PIN)
    await ann.button(ann.t("pin.do")).click()
    await expect(ann.page.get_by_text(ann.t("pin.kept")).last).to_be_visible()
    await ann.sound("pin")

    sue = await keyed(browser, server, "sue", PHONE, "en", look="dark")
    await at_permit(sue, server, permit_id)
    await person_is_asked(sue, "ann")
    dialog = sue.page.get_by_role("dialog")
    secret = dialog.get_by_label(sue.t("for.pin_of", name="ann"))
    await secret.fill("135790")
    await sue.button(sue.t("for.do", name="ann"), dialog).click()
    await expect(dialog.get_by_role("alert")).to_be_visible()
    await sue.sound("witness")
    await secret.fill(PIN)
    await sue.button(sue.t("for.do", name="ann"), dialog).click()
    await expect(dialog).to_be_hidden()
    assert "ann" in server.works.permit(permit_id).life.briefed
    mine = server.new_key("sue")
    proofs = [one.cause.proof for one in server.works.envelopes() if one.cause.proof]
    told = [proof.data for proof in proofs if proof.key == mine]
    assert b'"person":"ann"' in told[-1]
    assert b'"witness":"sue"' in told[-1]


async def test_a_card_at_the_gates_terminal(
    server: WorksServer, browser: Browser
) -> None:
    """The owner makes a terminal, another person agrees, a worker's card signs."""
    permit_id = briefed(server)
    eve = await keyed(browser, server, "eve", DESKTOP, "zh")
    await eve.button(eve.t("terminal.begin")).click()
    form = eve.page.get_by_role("form", name=eve.t("terminal.begin"))
    await form.get_by_label(eve.t("device.label")).fill("一号门")
    await eve.choose(eve.t("terminal.zone"), "yard")
    await eve.sound("terminal")
    await eve.button(eve.t("terminal.do")).click()
    await expect(eve.page.get_by_text(eve.t("terminal.pending"))).to_be_visible()
    server.works.ok("sam", ApproveKey(key_id=server.new_key("")))
    server.flush()
    await expect(eve.page.get_by_text(eve.t("terminal.active"))).to_be_visible()
    await at_permit(eve, server, permit_id)
    await person_is_asked(eve, "bob")
    dialog = eve.page.get_by_role("dialog")
    card = dialog.get_by_label(eve.t("for.card_of", name="bob"))
    await card.fill("tag-ann")
    await card.press("Enter")
    await expect(dialog.get_by_role("alert")).to_be_visible()
    await eve.sound("card")
    await card.fill("tag-bob")
    await card.press("Enter")
    await expect(dialog).to_be_hidden()
    assert "bob" in server.works.permit(permit_id).life.briefed


GATE: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "has_touch": True}


async def held(screen: Screen, card: str) -> None:
    """Hold a card to a reader that types like a keyboard."""
    await screen.page.keyboard.type(card)
    await screen.page.keyboard.press("Enter")


async def at_gate(screen: Screen, server: WorksServer) -> None:
    """Make a terminal of a device and open its home."""
    await screen.button(screen.t("terminal.begin")).click()
    form = screen.page.get_by_role("form", name=screen.t("terminal.begin"))
    await form.get_by_label(screen.t("device.label")).fill("一号门")
    await screen.button(screen.t("terminal.do")).click()
    pending = screen.page.get_by_text(screen.t("terminal.pending"))
    await expect(pending).to_be_visible()
    server.works.ok("sam", ApproveKey(key_id=server.new_key("")))
    server.flush()
    await screen.page.get_by_role("link", name=screen.t("gate.open")).click()
    await expect(screen.page.get_by_role("heading")).to_contain_text("请刷卡")
    await expect(screen.page.get_by_role("heading")).to_contain_text("Hold your card")


@pytest.mark.parametrize("form", [GATE, PHONE], ids=["terminal", "phone"])
async def test_the_home_of_a_gates_terminal(
    server: WorksServer, browser: Browser, form: dict[str, Any]
) -> None:
    """Issue 3 §5: no worker needs a phone; the next one sees nothing of the last."""
    permit_id = briefed(server)
    eve = await keyed(browser, server, "eve", form, "zh")
    await at_gate(eve, server)
    page, stage_ = eve.page, eve.page.locator("main.gate")
    await eve.sound("gate-home")
    await expect(page.locator("nav")).to_have_count(0)
    await held(eve, "tag-nobody")
    await expect(page.get_by_role("alert")).to_contain_text("This card is not known")
    await eve.sound("gate-unknown")
    await held(eve, "tag-bob")
    await expect(stage_).to_have_attribute("data-stage", "who")
    await expect(stage_.locator(".gate-name")).to_have_text("bob")
    await eve.sound("gate-who")
    await held(eve, "tag-ann")
    await expect(stage_.locator(".gate-name")).to_have_text("ann")
    assert "bob" not in await stage_.inner_text()
    words = eve.t("next.permit.take_briefing")
    await stage_.get_by_role("button").filter(has_text=words).click()
    await until(
        lambda: "ann" in server.works.permit(permit_id).life.briefed, "ann's word"
    )
    await expect(stage_).to_have_attribute("data-stage", "done")
    await eve.sound("gate-done")
    await expect(stage_).to_have_attribute("data-stage", "home")
    assert "ann" not in await stage_.inner_text()


async def test_a_gate_forgets_who_walks_away(
    server: WorksServer, browser: Browser
) -> None:
    """What was read goes with time alone, and never stands in the address."""
    briefed(server)
    eve = await keyed(browser, server, "eve", GATE, "en")
    await at_gate(eve, server)
    await eve.page.clock.install()
    await held(eve, "tag-bob")
    stage_ = eve.page.locator("main.gate")
    await expect(stage_.locator(".gate-name")).to_have_text("bob")
    assert eve.page.url.endswith("/gate")
    await eve.page.clock.fast_forward(26_000)
    await expect(stage_).to_have_attribute("data-stage", "home")
    assert "bob" not in await stage_.inner_text()


async def test_two_persons_on_their_own_devices(
    server: WorksServer, browser: Browser
) -> None:
    """Design §5: asked by one, shown to the other, signed by both, done."""
    switch = server.works.hub.state.permits
    sam = await keyed(browser, server, "sam", DESKTOP, "zh")
    form = sam.page.get_by_role("form", name=sam.t("oxygen.title"))
    await form.get_by_label(sam.t("dialog.reason")).fill("分析仪漂移")
    await sam.button(sam.t("oxygen.allow"), form).click()
    mine = sam.page.locator(".second")
    await expect(mine).to_be_visible()
    await sam.sound("asked")
    assert not switch.gas.oxygen_check

    ivy = await keyed(browser, server, "ivy", PHONE, "en", look="dark")
    asked = ivy.page.locator(".second")
    await expect(asked).to_contain_text("分析仪漂移")
    await ivy.sound("second")
    await ivy.button(ivy.t("second.decline"), asked).click()
    await expect(asked).to_be_hidden()
    await expect(sam.page.locator(".second.declined")).to_be_visible()
    assert not switch.gas.oxygen_check

    await form.get_by_label(sam.t("dialog.reason")).fill("分析仪已校准")
    await sam.button(sam.t("oxygen.allow"), form).click()
    await expect(asked).to_contain_text("分析仪已校准")
    await ivy.button(ivy.t("second.sign"), asked).click()
    await until(lambda: switch.gas.oxygen_check, "the switch to be on")
    await expect(sam.page.locator(".second.done")).to_be_visible()
    on = sam.t("oxygen.on", reason="分析仪已校准")
    await expect(form.get_by_text(on)).to_be_visible()
    await sam.sound("done")
    told = server.works.envelopes()
    (allowed,) = [e for e in told if e.type == "gas.oxygen_check_allowed"]
    assert allowed.cause.proof is not None
    assert allowed.cause.second is not None
    assert allowed.cause.second.key == server.new_key("ivy")
    await form.get_by_label(sam.t("dialog.reason")).fill("不再需要")
    await sam.button(sam.t("oxygen.end"), form).click()
    await until(lambda: not switch.gas.oxygen_check, "the switch to be off")


async def test_another_persons_key_is_approved_and_a_lost_one_revoked(
    server: WorksServer, browser: Browser
) -> None:
    """A new phone waits for a second person; a lost one is revoked in two taps."""
    fresh = Phone(server.works, "bob", "bob's new phone").enrol()
    keys = server.works.hub.state.people.keys.keys
    assert keys[fresh.id].pending
    sam = await keyed(browser, server, "sam", PHONE, "en")
    row = sam.page.locator(".keys li", has_text="bob's new phone")
    await expect(row).to_be_visible()
    await sam.sound("waiting-keys")
    await sam.button(sam.t("device.approve"), row).click()
    await until(lambda: not keys[fresh.id].pending, "the key to stand")
    name = sam.t("device.lost_name", label="bob's new phone")
    await sam.button(name).click()
    await sam.button(sam.t("device.revoke_name", label="bob's new phone")).click()
    await until(lambda: keys[fresh.id].revoked == "lost", "the key to be revoked")
    await expect(row).to_be_hidden()
