"""The ESPHome driver against a node that speaks the native API over TCP."""

import asyncio
from typing import Any

import pytest
from aioesphomeapi.timezone import get_timezone

from core.api import AuthError, CommandState, Quality, asking
from integrations.esphome import flow
from integrations.esphome.integration import EspHomeIntegration
from integrations.esphome.simulator import Nodes
from tests.support.host import FakeHost
from tests.support.plants import running
from tests.support.waiting import until

# Many waits for a real peer, each with a generous end of its own.
pytestmark = pytest.mark.timeout(240)
UID = "AA:BB:CC:DD:EE:01"
OTHER_KEY = "AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.fixture(autouse=True)
async def _timezone() -> None:
    """Let the library look for the time zone now: its task outlives a connection."""
    await get_timezone(None)


def options(**more: Any) -> dict[str, Any]:
    """Return one node with a gas sensor, a button, a siren and a relay."""
    gas = {"kind": "gas", "quantity": "ch4", "unit": "%LEL", "every_s": 0.3}
    entities = {
        "ch4": {**gas, "critical": True},
        "door": {"kind": "binary"},
        "button": {"event": "sos"},
        "siren": {"output": {"kind": "siren"}},
        "relay": {"output": {"kind": "power_cut"}},
        "fan": {"output": {"kind": "fan"}},
    }
    node = {"mac": UID, "host": "127.0.0.1", "port": 0, "interval_s": 0.8}
    return {"nodes": [{**node, "entities": entities, **more}]}


def esphome(**more: Any) -> Any:
    return running(Nodes, EspHomeIntegration, options(**more))


@pytest.mark.parametrize("more", [{}, {"key": "esphome.node"}])
async def test_values_events_and_outputs(more: dict[str, Any]) -> None:
    """R16, requirement 1.15: in clear and by noise; confirmed by the node's word."""
    async with esphome(**more, interval_s=4) as site:
        await site.seen(UID, "ch4", 0.0)
        await site.tell(device=UID, set={"ch4": 12.5, "door": True})
        await site.seen(UID, "ch4", 12.5)
        await site.seen(UID, "door", True)
        for entity in ("siren", "relay", "fan"):
            for on in (True, True, False):
                states = await site.switch(UID, entity, on)
                assert states[-1] == (CommandState.CONFIRMED, "")
        assert (await site.switch(UID, "door", True))[-1][1] == "esphome.no_such_output"
        await site.tell(device=UID, event="sos")
        await until(lambda: site.host.events, "the call for help")
        assert site.host.events[0].kind == "sos"
        assert site.host.devices[UID].entities[0].critical
        assert site.plant.nodes[UID].key is None or (
            site.plant.nodes[UID].key not in str(site.driver.diagnostics())
        )


async def test_what_a_node_calls_missing_is_not_present() -> None:
    """R16: NaN is no value."""
    async with esphome() as site:
        await site.seen(UID, "ch4", 0.0)
        await site.tell(device=UID, set={"ch4": None})
        report = await site.judged(UID, "ch4", "esphome.missing")
        assert report.quality is Quality.NOT_PRESENT


@pytest.mark.parametrize(
    ("fault", "more"),
    [
        ({"silent": True}, {}),
        ({"garbage": True}, {}),
        ({"garbage": True}, {"key": "esphome.node"}),
        ({"half": True}, {}),
        ({"slow": 30}, {}),
        ({"replay": True}, {"key": "esphome.node"}),
    ],
)
async def test_a_broken_line_is_told_and_mended(
    fault: dict[str, Any], more: dict[str, Any]
) -> None:
    """R7: no fault of the line leaves a GOOD value standing."""
    async with esphome(**more) as site:
        await site.tell(device=UID, set={"ch4": 5.0})
        await site.seen(UID, "ch4", 5.0)
        await site.tell(device=UID, fault=fault)
        await until(lambda: site.host.links[UID][0] is False, "the loss")
        assert site.last(UID, "ch4").quality is Quality.FAULT
        await site.tell(device=UID, fault={})
        await site.seen(UID, "ch4", 5.0)


async def test_a_node_that_answers_but_measures_no_more_is_stale() -> None:
    """R16: three declared intervals without a word, whatever the link says."""
    async with esphome() as site:
        await site.seen(UID, "ch4", 0.0)
        await site.tell(device=UID, fault={"frozen": True})
        await site.judged(UID, "ch4", "esphome.late")
        assert site.host.links[UID][0] is True


async def test_a_heartbeat_that_stands_still_faults_everything() -> None:
    async with esphome(heartbeat={"entity": "uptime", "max_s": 1.2}) as site:
        await site.seen(UID, "door", False)
        await site.tell(device=UID, fault={"frozen": True})
        await site.judged(UID, "door", "esphome.heartbeat_frozen")
        await site.tell(device=UID, fault={})
        await site.seen(UID, "door", False)


async def test_a_lost_node_comes_back_with_its_new_values() -> None:
    async with esphome() as site:
        await site.seen(UID, "ch4", 0.0)
        await site.tell(do="stop")
        await until(lambda: site.host.links[UID][0] is False, "the loss")
        states = await site.switch(UID, "siren", True)
        assert states == [(CommandState.FAILED, "esphome.link_down")]
        await site.tell(device=UID, set={"ch4": 3.0})
        await site.tell(do="start")
        await site.seen(UID, "ch4", 3.0)
        assert site.host.links[UID] == (True, "")


async def _refused(key: str | None, more: dict[str, Any]) -> str:
    plant = Nodes(options(**more))
    ready = await plant.start()
    try:
        if key is None:
            del ready["options"]["nodes"][0]["key"]
        secrets = {"esphome.node": key} if key else {}
        host = FakeHost({**ready["options"], "secrets": secrets})
        with pytest.raises(AuthError) as caught:
            async with asyncio.timeout(30):
                await EspHomeIntegration(host).run()
        assert host.links[UID] == (False, "esphome.key")
        return str(caught.value.params["reason"])
    finally:
        await plant.stop()


@pytest.mark.parametrize("key", [OTHER_KEY, "no key", None])
async def test_a_wrong_or_missing_key_stops_the_driver(key: str | None) -> None:
    """Design §5 Security: a node with a key is never spoken to without it."""
    assert await _refused(key, {"key": "esphome.node"}) == "esphome.key"


async def test_another_node_at_the_address_is_not_believed() -> None:
    """R27: the hardware address is the identity, the network's is not."""

    def replace(ready: dict[str, Any]) -> None:
        ready["options"]["nodes"][0]["mac"] = "AA:BB:CC:DD:EE:02"

    async with running(Nodes, EspHomeIntegration, options(), replace) as site:
        await until(lambda: "esphome.other_device" in site.host.counts, "the refusal")
        assert site.host.devices == {}


async def tried(site: Any, key: str | None, **changes: Any) -> Any:
    """Return what the set-up form's test answers: facts, or the error's code."""
    [node] = site.host.options["nodes"]
    options = flow.schema()({"nodes": [{**node, **changes}]})
    given = {"options": options, "secrets": {} if key is None else {"node.key": key}}
    told = await asyncio.to_thread(asking.answer, flow, "schema", "probe", given)
    return told["errors"][0]["code"] if "errors" in told else told["facts"]


async def test_the_connection_is_tried_before_it_is_saved() -> None:
    """Design §5: a node is one of that address that holds the key, or it is none."""
    async with esphome(key="node.key") as site:
        await site.seen(UID, "ch4", 0.0)
        key = site.plant.nodes[UID].key
        assert await tried(site, key) == {UID: "simulated (7)"}
        assert await tried(site, OTHER_KEY) == "esphome.key"
        assert await tried(site, None) == "esphome.key"
        other = await tried(site, key, mac="AA:BB:CC:DD:EE:99")
        assert other == "esphome.other_device"
        absent = await tried(site, key, entities={"h2s": {"kind": "binary"}})
        assert absent == "esphome.no_such_entity"
        await site.tell(do="stop")
        assert await tried(site, key) == "esphome.link_down"


async def test_a_node_with_a_key_is_not_tried_in_clear() -> None:
    async with esphome(key="node.key") as site:
        await site.seen(UID, "ch4", 0.0)
        [node] = site.host.options["nodes"]
        del node["key"]
        assert await tried(site, None) == "esphome.key"
