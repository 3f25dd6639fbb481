"""Shelly, LoRaWAN and Frigate over a real broker: TLS, passwords and ACL."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from core.api import KEEP, AuthError, Command, CommandState, ConfigError, Quality
from core.clock import NS
from integrations.mqtt import simulated
from integrations.mqtt.integration import MqttIntegration
from integrations.mqtt.simulator import Simulator
from integrations.mqtt.spoil import Spoil
from tests.support import certificates
from tests.support.broker import OwnBroker
from tests.support.host import FakeHost, Report, Running
from tests.support.waiting import until

SHELLY = "shellypro2-ec62608ab123"
EUI = "a84041000181c061"
BOX = f"shelly-{SHELLY}"
LORA = f"lora-{EUI}"
#: What each device may use, beside topics that bear its user's name.
GRANTS = {
    "shelly": f"{SHELLY}/#,safehold/shelly/{SHELLY}/#",
    "lora": "application/#",
    "frigate": "frigate/#",
}
SITE: dict[str, dict[str, list[dict[str, Any]]]] = {
    "shelly": {"shellies": [{"id": SHELLY, "channels": 2}]},
    "lora": {"lora": [{"id": EUI, "interval_s": 0.3, "values": {"co": 3.5}}]},
    "frigate": {"frigates": [{"id": "frigate"}]},
}
CUT = {"kind": "power_cut", "fail_safe": "on", "inverted": True}
MAPS: list[Any] = [
    {
        "use": "shelly",
        "only": {1: SHELLY},
        "outputs": {"switch:0": "siren", "switch:1": CUT},
    },
    {
        "use": "chirpstack",
        "only": {2: "a84041*"},
        "interval_s": 1,
        "entities": [
            {"uid": "co", "kind": "gas", "path": "object.co", "quantity": "co"},
            {
                "uid": "relay",
                "kind": "output",
                "path": "object.relay",
                "on": "True",
                "off": "False",
                "optional": True,
                "output": "strobe",
                "command": {
                    "topic": "application/{1}/device/{2}/command/down",
                    "on": '{"devEui":"{2}","confirmed":true,"fPort":2,"data":"AQ=="}',
                    "off": '{"devEui":"{2}","confirmed":true,"fPort":2,"data":"AA=="}',
                    "repeat": False,
                },
            },
        ],
    },
    "frigate",
]


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> certificates.Paths:
    return certificates.make(tmp_path_factory.mktemp("papers"))


@pytest.fixture
def broker(tmp_path: Path, papers: certificates.Paths) -> Iterator[OwnBroker]:
    devices = [f"{user}={filters}" for user, filters in GRANTS.items()]
    tls = ("--tls", str(papers.certificate), str(papers.key))
    found = OwnBroker(tmp_path, devices, tls)
    found.start()
    yield found
    found.stop()


class World:
    """One hub, its broker, and a simulator for each network."""

    def __init__(self, broker: OwnBroker, papers: certificates.Paths) -> None:
        self.broker, self.papers = broker, papers
        self.host = FakeHost({})
        self.hub: MqttIntegration
        self.spoil: dict[str, Spoil] = {}
        self.models: dict[str, simulated.Model] = {}

    def where(self, user: str, **more: Any) -> dict[str, Any]:
        """Return how a user reaches the broker."""
        return {
            "host": "127.0.0.1",
            "port": self.broker.port,
            "username": user,
            "password": self.broker.password(user),
            "ca_file": str(self.papers.authority),
            **more,
        }

    def options(self, **more: Any) -> dict[str, Any]:
        """Return the hub's options."""
        place = self.where("hub", tls=True, **more)
        password = place.pop("password")
        secrets = {"mqtt.password": password}
        return {"broker": place, "maps": MAPS, "secrets": secrets}

    def device(self, name: str) -> Any:
        """Return a simulated device."""
        return self.models[name]

    async def shows(self, device: str, entity: str, **wanted: Any) -> Report:
        """Wait for a reading with these fields."""

        def holds() -> bool:
            last = self.host.last(device, entity)
            return last is not None and all(
                getattr(last, name) == value for name, value in wanted.items()
            )

        await until(holds, f"{device} {entity} {wanted}")
        found = self.host.last(device, entity)
        assert found is not None
        return found

    async def order(self, device: str, entity: str, value: bool, **more: Any) -> str:
        """Order an output; return the command's id."""
        ident = f"c{len(self.host.results)}-{entity}-{value}-{more}"
        await self.hub.command(
            Command(
                id=ident,
                device_uid=device,
                entity_uid=entity,
                value=value,
                deadline_ns=self.host.clock.mono_ns() + 8 * NS,
                **more,
            )
        )
        return ident


@asynccontextmanager
async def world(broker: OwnBroker, papers: certificates.Paths) -> AsyncIterator[World]:
    found = World(broker, papers)
    found.host = FakeHost(found.options())
    found.hub = MqttIntegration(found.host)
    loop = asyncio.get_running_loop()
    simulators = []
    async with Running(found.hub), asyncio.TaskGroup() as group:
        for user, site in SITE.items():
            simulator = Simulator()
            simulators.append(simulator)
            await simulator.connect(found.where(user))
            spoil = found.spoil[user] = Spoil(simulator.say, loop.call_later)
            simulator.models = simulated.build(site, spoil)
            found.models |= simulator.models
            simulator.announce()
            group.create_task(simulator.run())
        try:
            yield found
        finally:
            for simulator in simulators:
                simulator.stopped.set()
                await simulator.close()


async def test_a_shelly_is_found_by_its_last_will_and_confirms_by_what_it_says(
    broker: OwnBroker, papers: certificates.Paths
) -> None:
    """Requirement 1.15: the answer to a command is no proof, the status is."""
    async with world(broker, papers) as site:
        await site.shows(BOX, "online", value=True)
        await site.shows(BOX, "switch:0", value=False, quality=Quality.GOOD)
        assert "switch:2" not in {e.uid for e in site.host.devices[BOX].entities}
        done = await site.order(BOX, "switch:0", True)
        await until(
            lambda: CommandState.CONFIRMED in site.host.states(done), "the siren"
        )
        box = site.device(SHELLY)
        assert box.on[0] and box.asked == [{"id": 0, "on": True}]
        box.do("watts", {"value": 46})
        await site.shows(BOX, "switch:0.power", value=46.0, quality=Quality.GOOD)


async def test_a_relay_that_is_stuck_is_never_confirmed(
    broker: OwnBroker, papers: certificates.Paths
) -> None:
    async with world(broker, papers) as site:
        await site.shows(BOX, "switch:0", value=False, quality=Quality.GOOD)
        site.device(SHELLY).do("stuck", {})
        command = Command(
            id="stuck",
            device_uid=BOX,
            entity_uid="switch:0",
            value=True,
            deadline_ns=site.host.clock.mono_ns() + NS,
        )
        await site.hub.command(command)
        await until(lambda: site.host.states("stuck")[-1:] == ["failed"], "failure")


async def test_an_ignition_source_trips_when_the_hub_no_longer_asks_it_to_wait(
    broker: OwnBroker, papers: certificates.Paths
) -> None:
    """Design §5: trip on loss of the hub; power is never restored by itself."""
    async with world(broker, papers) as site:
        box = site.device(SHELLY)
        await site.shows(BOX, "switch:1", value=True, quality=Quality.GOOD)
        armed = await site.order(BOX, "switch:1", False)
        await until(
            lambda: CommandState.CONFIRMED in site.host.states(armed), "power on"
        )
        assert box.asked[-1] == {"id": 1, "on": True, "toggle_after": 30}
        await site.order(BOX, "switch:1", False, priority=KEEP)
        await until(lambda: len(box.asked) == 2, "the word that holds it back")
        box.trips_s[1] = 0.1
        await site.shows(BOX, "switch:1", value=True, quality=Quality.GOOD)
        assert not box.on[1]
        late = await site.order(BOX, "switch:1", False, priority=KEEP)
        assert site.host.states(late) == [CommandState.FAILED]
        assert len(box.asked) == 2


async def test_a_shelly_that_vanishes_is_lost(
    broker: OwnBroker, papers: certificates.Paths
) -> None:
    async with world(broker, papers) as site:
        await site.shows(BOX, "switch:0", quality=Quality.GOOD)
        site.device(SHELLY).say(f"{SHELLY}/online", "false", True)
        await site.shows(BOX, "switch:0", value=None, quality=Quality.FAULT)
        await until(lambda: site.host.links.get(BOX, (True,))[0] is False, "the loss")


async def test_lora_uplinks_by_the_sites_own_names_and_their_losses(
    broker: OwnBroker, papers: certificates.Paths
) -> None:
    async with world(broker, papers) as site:
        await site.shows(LORA, "co", value=3.5, quality=Quality.GOOD)
        sensor = site.device(EUI)
        sensor.do("battery", {"value": 81})
        await site.shows(LORA, "battery", value=81.0)
        sensor.do("lose", {"number": 3})

        def told() -> bool:
            last = site.host.last(LORA, "link_loss")
            return last is not None and isinstance(last.value, float) and last.value > 5

        await until(told, "the losses")
        done = await site.order(LORA, "relay", True)
        await until(
            lambda: CommandState.CONFIRMED in site.host.states(done), "the strobe"
        )
        await site.shows(LORA, "downlink_taken", value=True)


@pytest.mark.parametrize("fault", ["replay", "frozen", "garbage", "half"])
async def test_a_spoilt_uplink_is_never_a_good_new_value(
    broker: OwnBroker, papers: certificates.Paths, fault: str
) -> None:
    """R16: an old or broken message makes no reading; GOOD again when it is over."""
    async with world(broker, papers) as site:
        sensor, spoil = site.device(EUI), site.spoil["lora"]
        await site.shows(LORA, "co", value=3.5, quality=Quality.GOOD)
        spoil.fault({fault: True})
        sensor.do("set", {"entity": "co", "value": 9.0})
        code = (
            "mqtt.bad_payload" if fault in {"garbage", "half"} else "mqtt.old_message"
        )
        await until(lambda: site.host.counts.get(code, 0) >= 2, code)
        good = {r.value for r in site.host.reports[LORA, "co"] if not r.quality}
        assert good == {3.5}
        spoil.fault({})
        await site.shows(LORA, "co", value=9.0, quality=Quality.GOOD)


async def test_a_silent_sensor_is_lost_within_three_intervals(
    broker: OwnBroker, papers: certificates.Paths
) -> None:
    async with world(broker, papers) as site:
        await until(lambda: site.host.links.get(LORA) == (True, ""), "its first word")
        site.spoil["lora"].fault({"silent": True})
        await until(
            lambda: site.host.links[LORA] == (False, "mqtt.silent"), "its silence"
        )
        site.spoil["lora"].fault({})
        await until(lambda: site.host.links[LORA] == (True, ""), "its return")


async def test_frigate_says_who_is_in_which_zone(
    broker: OwnBroker, papers: certificates.Paths
) -> None:
    async with world(broker, papers) as site:
        eye = site.device("frigate")
        eye.do("see", {"id": "a", "zones": ["yard", "road"]})
        await site.shows(
            "frigate-gate", "yard.person", value=True, quality=Quality.GOOD
        )
        await site.shows("frigate-gate", "person.score", value=0.8)
        seen = [e for e in site.host.events if e.kind == "detection"]
        assert [e.params["label"] for e in seen] == ["person"]
        eye.do("see", {"id": "a", "zones": ["road"], "type": "update"})
        await site.shows("frigate-gate", "yard.person", value=False)
        eye.do("see", {"id": "a", "type": "end"})
        await site.shows("frigate-gate", "road.person", value=False)
        await site.shows("frigate-gate", "person", value=False)
        told = len(site.host.reports["frigate-gate", "person"])
        eye.publish()
        await until(
            lambda: len(site.host.reports["frigate-gate", "person"]) > told, "its life"
        )
        await site.shows("frigate-gate", "person", value=False, quality=Quality.GOOD)
        eye.do("gone", {})
        await site.shows("frigate-gate", "person", quality=Quality.FAULT)


async def test_nobody_speaks_for_another(
    broker: OwnBroker, papers: certificates.Paths
) -> None:
    """The ACL: a camera system cannot say that a siren sounds."""
    async with world(broker, papers) as site:
        await site.shows(BOX, "switch:0", value=False, quality=Quality.GOOD)
        topic = f"safehold/shelly/{SHELLY}/switch:0/rpc"
        site.device("frigate").say(topic, {"result": {"output": True}})
        site.device("frigate").do("see", {"id": "a", "zones": ["yard"]})
        await site.shows("frigate-gate", "yard.person", value=True)
        told = site.host.reports[BOX, "switch:0"]
        assert {report.value for report in told} <= {False, None}


async def test_a_wrong_password_is_told_and_plain_text_is_no_way_in(
    broker: OwnBroker, papers: certificates.Paths
) -> None:
    site = World(broker, papers)
    options = site.options()
    options["secrets"] = {"mqtt.password": "wrong"}
    with pytest.raises(AuthError):
        async with asyncio.timeout(20):
            await MqttIntegration(FakeHost(options)).run()
    plain = site.options()
    plain["broker"] = {**plain["broker"], "tls": False}
    host = FakeHost(plain)
    hub = MqttIntegration(host)
    async with Running(hub):
        await until(lambda: hub.client.counters.last_error, "the refusal")
        assert not hub.client.connected


def test_the_maps_are_checked_when_a_site_is_published() -> None:
    wrong = {"use": "shelly", "outputs": {"switch:0": {"kind": "exit"}}}
    with pytest.raises(ConfigError, match="fail unsafe"):
        MqttIntegration(FakeHost({"maps": [wrong]}))
