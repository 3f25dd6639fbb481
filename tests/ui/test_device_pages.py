"""The pages of devices in Chromium: found, set up, enrolled, proved, looked after.

Gateway, set-up worker, kernel and signatures are the real ones; what discovery hears
is handed in as its process would.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser, expect

from core import texts
from core.api.model import Device, Entity, EntityKind, Output, OutputKind
from core.api.quality import Quality
from core.link import messages as m
from core.link.findings import Finding, Findings, Sign
from core.processes.drafts import every
from core.quality import sift
from core.quality.filters import Sample
from core.registry.commissioning_acts import STEPS
from core.registry.proposals import ProposalFeed
from tests.support.yard import HOST
from tests.ui import stage
from tests.ui.rules_server import RulesServer
from tests.ui.screen import DESKTOP, PHONE, Screen
from tests.ui.works_server import running

browser, opened = stage.browser, stage.opened
pytestmark = stage.pytestmark

NODE = Finding(
    kind="mdns",
    key="mac:246f28aabbcc",
    keys=("mac:246f28aabbcc",),
    name="Weather node",
    address="10.0.0.7",
    port=6053,
    facts={"address": "10.0.0.7", "port": "6053", "name": "Weather node"},
    integration="esphome",
    why=(Sign("discovery.why.mdns", {"service": "_esphomelib._tcp"}),),
)
PROBE = Device(
    uid="probe-9",
    name="Probe 9",
    manufacturer="Acme",
    serial="471100",
    entities=(
        Entity(
            uid="co",
            name="CO",
            kind=EntityKind.GAS,
            quantity="co",
            unit="ppm",
            full_scale=500.0,
        ),
        Entity(
            uid="horn",
            name="Horn",
            kind=EntityKind.OUTPUT,
            output=Output(kind=OutputKind.SIREN),
        ),
    ),
)


class DeviceServer(RulesServer):
    """Hold the works, what discovery hears, and a past with a spike in it."""

    def _take(self, message: m.Message) -> None:
        if not isinstance(message, m.Query):
            super()._take(message)
            self.waiting()
            return
        answer = {}
        for entity_id, entity in message.declared.items():
            last = message.to_ms
            part = [Sample(t, 20.9, 0) for t in range(last - 600_000, last - 1, 1000)]
            part[-5] = part[-5]._replace(value=3.0)
            answer[entity_id] = sift.sift([part], entity, last - 900_000, last)
        self._send(m.QueryReply(message.id, {}, sifted=sift.dump(answer)))

    def waiting(self) -> None:
        """Tell which devices wait, as the desk does."""
        feed = ProposalFeed(self.works.kernel.registry)
        feed.changed()
        self._send(feed.message)

    def hear(self, *findings: Finding) -> None:
        """Let discovery hear devices."""
        states = {"core": "running", "discovery": "running"}
        self._send(m.HostStates(states=states, unmonitored=[]))
        self.gateway.discovery.take(Findings(list(findings), listeners={"mdns": "on"}))

    def declare(self, device: Device) -> None:
        """Let the host announce a device that nobody has enrolled."""
        handles = {each.uid: 900 + n for n, each in enumerate(device.entities)}
        self.works.kernel.registry.declare("host:gateway-2", device, handles)
        self.works.settle()
        self.flush()
        self.waiting()


@pytest_asyncio.fixture(loop_scope="module")
async def server(tmp_path: Path, browser: Browser) -> AsyncIterator[DeviceServer]:
    async with running(DeviceServer(tmp_path)) as found:
        yield found
        for context in list(browser.contexts):
            await context.close()


async def says(screen: Screen, key: str) -> None:
    """Wait until the page says these words."""
    said = screen.page.get_by_text(screen.t(key), exact=True)
    await expect(said.first).to_be_visible()


async def at(screen: Screen, server: DeviceServer, path: str, title: str) -> None:
    """Open a page and see its heading."""
    await screen.page.goto(server.url + path)
    head = screen.page.locator("main").get_by_role("heading", name=screen.t(title))
    await expect(head.first).to_be_visible()


async def test_what_is_found_is_ignored_and_brought_back(
    server: DeviceServer, browser: Browser
) -> None:
    """Issue 5 §1: a finding is only a proposal; ignoring is remembered."""
    screen = await opened(browser, server, "sam", PHONE, "zh")
    await at(screen, server, "/devices/found", "devices.found")
    await expect(
        screen.page.get_by_text(screen.t("devices.nothing_found"))
    ).to_be_visible()
    await screen.sound("nothing-found")
    server.hear(NODE)
    found = screen.page.get_by_role("article", name=NODE.name)
    await expect(found).to_contain_text("_esphomelib._tcp")
    await screen.sound("found")
    await screen.button(screen.t("devices.ignore"), found).click()
    await expect(found).to_have_count(0)
    await expect(
        screen.page.get_by_text(screen.t("devices.ignored"), exact=True)
    ).to_be_visible()
    await screen.sound("ignored")
    await screen.button(screen.t("devices.recall")).click()
    await expect(found).to_be_visible()


async def test_a_device_is_enrolled_and_looked_after(
    server: DeviceServer, browser: Browser
) -> None:
    """Issue 5 §2 and §6: where it hangs, its outputs, its proof; then its quality."""
    server.declare(PROBE)
    screen = await opened(browser, server, "sam", PHONE, "en")
    await at(screen, server, "/devices", "nav.devices")
    await screen.sound("devices")
    await at(screen, server, "/devices/found", "devices.found")
    found = screen.page.get_by_role("article", name=PROBE.name)
    await expect(found).to_be_visible()
    await found.get_by_role("link", name=screen.t("devices.enrol")).click()
    name = screen.page.get_by_role("textbox", name=screen.t("devices.name"), exact=True)
    await expect(name).to_have_value(PROBE.name)
    await name.fill("Probe at the tank")
    await screen.choose(screen.t("devices.zone"), "tank")
    await screen.choose(screen.t("devices.contact"), "yard")
    await screen.sound("enrol")
    await screen.button(screen.t("devices.enrol")).click()
    heading = screen.page.get_by_role("heading", name="Probe at the tank")
    await expect(heading).to_be_visible()
    registry = server.works.hub.state.registry
    (device,) = [d for d in registry.devices.values() if d.uid == PROBE.uid]
    assert (device.zone_id, device.name) == ("tank", "Probe at the tank")
    outputs = [registry.entities[each].declared.output for each in device.entities]
    assert [o.contact_zone for o in outputs if o is not None] == ["yard"]
    await expect(screen.page.get_by_text("/ 100").first).to_be_visible()
    server._send(m.BadInput({device.id: {"crc": (3, "01 03 FF")}}))
    await screen.page.reload()
    await expect(screen.page.get_by_text("01 03 FF")).to_be_visible()
    co = next(e for e in device.entities if registry.entities[e].declared.uid == "co")
    server._send(m.Live([m.LiveRow(co, None, Quality.FAULT, 1, "modbus.silent")]))
    said = texts.render("modbus.silent", {}, "en")
    await expect(screen.page.get_by_text(said)).to_be_visible()
    await expect(screen.page.get_by_text("modbus.silent")).to_have_count(0)
    await screen.sound("device")


async def test_a_device_of_outputs_alone_says_what_it_switches(
    server: DeviceServer, browser: Browser
) -> None:
    """Issue 5: it measures nothing, and is there for something all the same."""
    devices = server.works.hub.state.registry.devices.values()
    (box,) = [each.id for each in devices if each.uid == "box-tank"]
    server.works.report(HOST, "box-tank", "siren", False)
    screen = await opened(browser, server, "sam", PHONE, "zh")
    await at(screen, server, f"/devices/{box}", "devices.now")
    siren = texts.render("gateway.output.siren", {}, "zh")
    moves = screen.t("devices.standing.switches", what=siren)
    await expect(screen.page.get_by_text(moves, exact=True)).to_be_visible()
    await screen.sound("outputs-alone")


async def test_an_integration_is_set_up_by_its_form(
    server: DeviceServer, browser: Browser
) -> None:
    """Issue 5 §2: flows are forms made of the schema; errors stand at their fields."""
    screen = await opened(browser, server, "sam", DESKTOP, "en")
    await at(screen, server, "/devices/integrations", "devices.integrations")
    card = screen.page.get_by_role("article", name="http", exact=True)
    await expect(card).to_be_visible()
    await screen.sound("integrations")
    await card.get_by_role("link").click()
    await screen.page.get_by_label(screen.t("devices.instance")).fill("services")
    await screen.button(screen.t("devices.begin")).click()
    await screen.button(screen.t("devices.add", name="sources")).first.click()
    source = screen.page.get_by_role("textbox", name="id", exact=True)
    await source.fill("weather")
    await screen.button(screen.t("devices.next")).click()
    wrong = screen.page.get_by_text("expected 'poll' or 'receive'")
    await expect(wrong).to_be_visible()
    await screen.sound("form-error")
    await screen.page.get_by_label("Address to ask").fill("http://127.0.0.1:9/now")
    await screen.page.get_by_label("Token").fill("a-token-that-nobody-may-see")
    await screen.button(screen.t("devices.next")).click()
    await expect(
        screen.page.get_by_text(screen.t("devices.tested.none"))
    ).to_be_visible()
    await screen.button(screen.t("devices.try")).click()
    await expect(
        screen.page.get_by_text(screen.t("devices.tested.failed"))
    ).to_be_visible()
    await screen.sound("tried")
    await screen.button(screen.t("devices.arm_anyway")).click()
    armed = screen.page.get_by_text(screen.t("devices.armed"))
    drafted = screen.page.get_by_text(screen.t("devices.drafted"))
    await expect(armed.or_(drafted)).to_be_visible()
    await screen.sound("armed")
    assert "a-token-that-nobody-may-see" not in repr(every(server.data))
    bundles = (server.data / "bundles").glob("*.bundle")
    assert not any(b"a-token-that" in file.read_bytes() for file in bundles)


async def test_a_zone_is_proved_line_by_line(
    server: DeviceServer, browser: Browser
) -> None:
    """Requirement 1.24: only a signed sheet makes a zone protected."""
    screen = await opened(browser, server, "sam", PHONE, "zh")
    await at(screen, server, "/devices/commissioning", "devices.commissioning")
    zone = screen.page.get_by_role("article", name="tank", exact=True)
    await expect(zone).to_contain_text(screen.t("devices.zone_state.none"))
    await screen.button(screen.t("devices.test"), zone).click()
    await expect(zone).to_contain_text(screen.t("devices.zone_state.testing"))
    row = zone.get_by_role("group").first
    await expect(row.get_by_role("listitem")).to_have_count(len(STEPS))
    await row.get_by_label(screen.t("devices.bottle")).fill("H2S 25 ppm")
    await screen.button(screen.t("devices.gas_now"), row).click()
    under = screen.t("devices.under_test", gas="H2S 25 ppm")
    await expect(row.get_by_text(under)).to_be_visible()
    server.works.reading("h2s", 30.0)
    server.flush()
    shown = row.get_by_text(screen.t("devices.by_journal"))
    await expect(shown.first).to_be_visible()
    saw = screen.button(screen.t("devices.i_saw"), row)
    before = await saw.count()
    await saw.last.click()
    await expect(saw).to_have_count(before - 1)
    await screen.sound("commissioning")
