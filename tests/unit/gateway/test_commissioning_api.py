"""What the page shows of sheets and of devices that wait, as the core has them."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from core import config
from core import state as states
from core.api.model import Device, Entity, EntityKind
from core.config import Contract, IntegrationConfig
from core.hub import CORE
from core.link.findings import Proposals
from core.registry.commissioning_acts import ApplyGas, BeginCommission, SignCommission
from core.registry.proposals import ProposalFeed
from core.registry.state import DeviceRecord
from frontend_api.commissioning import Commissioning
from frontend_api.devices import DeviceDesk, WaitingDeviceView
from frontend_api.inventory import Inventory
from frontend_api.paper import fonts
from frontend_api.paper.zone import zone_pages
from frontend_api.render import Renderer
from frontend_api.replica import Replica
from tests.support.yard import HOST, meter
from tests.unit.registry.test_commissioning import Site, proved


class Shown:
    """Hold a site, and the gateway's replica of it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.replica = Replica(site.clock)
        self.desk = Commissioning(self.replica)

    def look(self) -> None:
        """Bring the replica up to the core's state, by its bytes."""
        self.replica.state = states.load(self.site.hub.snapshot())
        self.replica.bundle = config.load(config.dump(self.site.hub.bundle))


@pytest.fixture
def shown() -> Iterator[Shown]:
    yield Shown(Site())


def test_the_sheet_is_shown_line_by_line(shown: Shown) -> None:
    site = shown.site
    shown.look()
    tank = shown.desk.shown("tank")
    assert (tank.state, tank.done, tank.total) == ("none", 0, 18)
    assert [step.step for step in tank.rows[0].steps] == [
        "gas", "reading", "alarm", "hold", "siren", "message"
    ]  # fmt: skip
    assert len(tank.outputs) == 1
    assert shown.desk.shown("gate").rows == []
    assert site.phone.act(BeginCommission(zone_id="tank")).ok
    gas = site.detector("h2s")
    assert site.phone.act(ApplyGas(zone_id="tank", entity_id=gas, gas="25 ppm")).ok
    site.reading("h2s", 30.0)
    shown.look()
    tank = shown.desk.shown("tank")
    (row,) = [each for each in tank.rows if each.under_test]
    assert (tank.state, row.gas, row.entity_id) == ("testing", "25 ppm", gas)
    alarm = next(each for each in row.steps if each.step == "alarm")
    assert (alarm.done, alarm.by_journal, alarm.by, alarm.value) == (
        True, True, None, 30.0
    )  # fmt: skip
    assert Renderer(shown.replica).zones()["tank"].protection == "testing"


def test_gateway_and_core_make_the_same_fingerprint() -> None:
    """What a person signs on the page is what the core checks it against."""
    site = proved()
    shown = Shown(site)
    shown.look()
    tank = shown.desk.shown("tank")
    assert tank.state == "ready"
    act = SignCommission(zone_id="tank", sheet=tank.sheet)
    assert site.phone.act(act).ok
    shown.look()
    tank = shown.desk.shown("tank")
    assert tank.state == "protected" and tank.signed_by is not None
    assert Renderer(shown.replica).zones()["tank"].protection == "protected"
    site.kernel.registry.remove(_record(site), CORE)
    site.advance(2)
    shown.look()
    tank = shown.desk.shown("tank")
    assert tank.state == "changed" and tank.why is not None
    assert len(tank.changed) == 3


def _record(site: Site) -> DeviceRecord:
    found = site.kernel.registry.find_device(HOST, "meter-tank")
    assert found is not None
    return found


def test_what_waits_is_shown_with_what_is_asked(shown: Shown) -> None:
    site = shown.site
    host = IntegrationConfig(
        id="line",
        integration="modbus",
        options={"buses": [{"tcp": "192.0.2.7:502"}]},
        contract=Contract(kinds=tuple(EntityKind), proof=("wired",)),
    )
    feed = ProposalFeed(site.kernel.registry)
    gases = tuple(
        Entity(uid=each.uid, name=each.uid, kind=each.kind, quantity=each.quantity)
        for each in meter().entities
    )
    site.declare("host:line", Device(uid="new", name="New", entities=gases))
    told = feed.changed()
    assert told is not None
    shown.look()
    shown.replica.receive(Proposals(told.items))
    shown.replica.bundle = config.Bundle(
        site=shown.replica.bundle.site, integrations=(host,)
    )
    (row,) = [DeviceDesk(shown.replica)._device(e) for e in shown.replica.proposed]
    assert isinstance(row, WaitingDeviceView)
    assert (row.proof, row.places) == (["wired"], ["192.0.2.7:502"])
    assert row.replaces == [_record(site).id]
    assert [each.kind for each in row.entities] == ["gas"] * 3


def test_devices_say_how_they_came(shown: Shown) -> None:
    shown.look()
    devices = Inventory(shown.replica).devices()
    assert all(each.configured for each in devices.values())


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_sheet_is_printed(language: str) -> None:
    try:
        faces = fonts.find()
    except fonts.FontMissing as missing:
        pytest.skip(str(missing))
    site = proved()
    shown = Shown(site)
    shown.look()
    now = datetime(2026, 3, 1, tzinfo=UTC)
    pdf = zone_pages(faces, shown.desk.shown("tank"), language, now)
    assert pdf.startswith(b"%PDF") and pdf.count(b"/Type /Page\n") == 1
    assert zone_pages(faces, shown.desk.shown("gate"), language, now)
