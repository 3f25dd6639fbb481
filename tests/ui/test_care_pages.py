"""Outputs are proved by ear, helmets taken and brought back: in Chromium on a phone."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest_asyncio
from playwright.async_api import Browser, expect

from automations.publish import store
from core import config
from core.api.command import CommandState
from core.api.model import Device, Entity, EntityKind
from core.config import DeviceRule
from core.hub import CORE
from core.registry.state import DeviceRecord
from tests.support.yard import HOST
from tests.ui import stage
from tests.ui.screen import PHONE
from tests.ui.test_device_pages import DeviceServer, at
from tests.ui.works_server import running

browser, keyed = stage.browser, stage.keyed
pytestmark = stage.pytestmark

HELMET = Device(
    uid="helmet-7",
    name="Helmet 7",
    entities=(
        Entity(uid="location", name="Place", kind=EntityKind.LOCATION),
        Entity(uid="wear", name="Worn", kind=EntityKind.BINARY),
    ),
)


@pytest_asyncio.fixture(loop_scope="module")
async def server(tmp_path: Path, browser: Browser) -> AsyncIterator[DeviceServer]:
    async with running(DeviceServer(tmp_path)) as found:
        yield found
        for context in list(browser.contexts):
            await context.close()


def device(server: DeviceServer, uid: str) -> DeviceRecord:
    """Return what the registry holds of a device."""
    found = server.works.kernel.registry.find_device(HOST, uid)
    assert found is not None
    return found


def demand(server: DeviceServer, uid: str, hours: float) -> None:
    """Arm a site that has a device's outputs proved every so many hours."""
    rule = DeviceRule(
        integration="field", uid=uid, zone="tank", proof_every_h={"*": hours}
    )
    bundle = server.works.bundle
    bundle = msgspec.structs.replace(bundle, devices=(rule, *bundle.devices))
    digest = store(config.dump(bundle), server.data)
    server.arming.arm(digest, "os:root", CORE)
    server.works.settle()


async def test_a_siren_is_proved_by_who_hears_it(
    server: DeviceServer, browser: Browser
) -> None:
    """Design §5 Commands: read-back is one half of a proof, an ear the other."""
    relays = device(server, "box-tank")
    demand(server, relays.uid, 168.0)
    screen = await keyed(browser, server, "sam", PHONE, "en", look="dark")
    await at(screen, server, f"/devices/{relays.id}", "outputs.proof_tests")
    test = screen.page.locator(".proof-test").first
    await expect(test).to_contain_text(screen.t("outputs.proof.overdue"))
    await screen.button(screen.t("outputs.test_now"), test).click()
    await screen.sound("begin")
    await screen.button(screen.t("outputs.test_begin"), test).click()
    heard = screen.button(screen.t("outputs.heard"), test)
    await expect(heard).to_be_disabled()
    (record,) = server.works.hub.state.response.proofs.values()
    assert record.run is not None
    server.works.result(record.run.command_id, CommandState.CONFIRMED)
    server.flush()
    await expect(heard).to_be_enabled()
    await screen.sound("answered")
    await heard.click()
    await expect(test).to_contain_text(screen.t("outputs.proof.proven"))
    await screen.page.goto(server.url + "/hub")
    card = screen.page.locator("section.card", has_text=screen.t("outputs.title"))
    await expect(card).to_contain_text(screen.t("outputs.proof.proven"))
    await screen.sound("hub")


async def test_a_helmet_is_taken_handed_on_and_brought_back(
    server: DeviceServer, browser: Browser
) -> None:
    """R10: who wears what is known for one shift, and unknown after it."""
    server.works.declare(HOST, HELMET)
    server.works.settle()
    server.flush()
    helmet = device(server, HELMET.uid)
    worn = server.works.hub.state.people.worn
    screen = await keyed(browser, server, "gil", PHONE, "zh")
    await screen.page.goto(server.url + "/muster")
    await screen.page.get_by_role("link", name=screen.t("wear.rack")).click()
    row = screen.page.get_by_role("article", name=HELMET.name)
    await expect(row).to_contain_text(screen.t("wear.free"))
    await screen.button(screen.t("wear.choose"), row).click()
    await screen.choose(screen.t("wear.other"), "ann")
    await screen.sound("rack")
    await screen.button(screen.t("wear.hand", name="ann"), row).click()
    await expect(row.locator(".tag", has_text="ann")).to_be_visible()
    assert worn[helmet.id].person_id == "ann"
    await screen.page.goto(f"{server.url}/devices/{helmet.id}")
    await screen.button(screen.t("wear.take")).click()
    await expect(screen.page.locator(".wearing .tag")).to_have_text("gil")
    await screen.sound("worn")
    await screen.button(screen.t("wear.return")).click()
    free = screen.page.locator(".wearing").get_by_text(screen.t("wear.free"))
    await expect(free).to_be_visible()
    assert worn[helmet.id].ended == "returned"
