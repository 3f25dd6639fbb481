"""The OPC UA driver against an asyncua server: security, qualities, outputs, faults."""

import asyncio
from typing import Any

import pytest

from core.api import AuthError, CommandState, Quality, asking
from integrations.opcua import browse, flow
from integrations.opcua.integration import OpcUaIntegration
from integrations.opcua.simulator import Plc
from tests.support.host import FakeHost
from tests.support.plants import running
from tests.support.waiting import until

# Many waits for a real peer, each with a generous end of its own.
pytestmark = pytest.mark.timeout(240)
UID = "GC-4711"


def options(**server: Any) -> dict[str, Any]:
    """Return one unsecured server with one gas controller; keys of it may differ."""
    device = {
        "uid": UID,
        "namespace": "http://example.com/plc",
        "profile": "gas_controller",
        "base": "Area1.GD01",
        "heartbeat": {"node": "s=Area1.GD01.Heartbeat", "max_s": 3},
        "entities": {"gas": {"quantity": "ch4"}},
    }
    base = {"id": "plc", "host": "127.0.0.1", "port": 0, "path": "/plc"}
    return {
        "servers": [{**base, "interval_s": 0.8, "devices": [device], **server}],
    }


SECURE = {
    "security": {"policy": "basic256sha256", "mode": "sign_and_encrypt"},
    "username": "hub",
    "password": "opcua.plc",
}


def opcua(**server: Any) -> Any:
    return running(Plc, OpcUaIntegration, options(**server))


async def test_secured_values_arrive_and_outputs_are_read_back() -> None:
    """R16, requirement 1.15: encrypted, by password, confirmed by the state node."""
    async with opcua(**SECURE, interval_s=4) as site:
        await site.seen(UID, "siren", False)
        await site.tell(device=UID, set={"gas": 12.5})
        await site.seen(UID, "gas", 12.5)
        states = await site.switch(UID, "siren", True)
        assert [state for state, _ in states] == [
            CommandState.DELIVERED,
            CommandState.CONFIRMED,
        ]
        await site.seen(UID, "siren", True)
        assert {"event": "output", "device": UID, "entity": "siren", "value": True} in (
            site.said
        )
        assert (await site.switch(UID, "gas", True))[0][1] == "opcua.no_such_output"
        told = str(site.driver.diagnostics())
        assert "simulated" not in told
        assert "PRIVATE KEY" not in told


# A server takes a second or two of one core to start: what can be seen of one is.
STATES = {
    "BadSensorFailure": "opcua.sensor_failure",
    "UncertainLastUsableValue": "opcua.last_usable",
    "BadOutOfService": "opcua.out_of_service",
}
FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"frozen": True}, "opcua.heartbeat_frozen"),
    ({"replay": True}, "opcua.replayed"),
    ({"clock_s": 3600}, "opcua.future"),
    ({"silent": True}, "opcua.silent"),
]


async def test_status_codes_become_qualities() -> None:
    """R16: a quality is an axis of its own."""
    async with opcua() as site:
        for state, reason in STATES.items():
            await site.seen(UID, "gas", 0.0)
            await site.tell(device=UID, state=state)
            await site.judged(UID, "gas", reason)
            await site.tell(device=UID, state="normal")
        await site.seen(UID, "gas", 0.0)


async def test_a_fault_never_looks_good() -> None:
    """R7: no fault of line, source or clock leaves a GOOD value standing."""
    async with opcua() as site:
        await site.tell(device=UID, set={"gas": 5.0})
        await site.seen(UID, "gas", 5.0)
        await site.tell(device=UID, set={"gas": 7.0})
        for fault, reason in FAULTS:
            await site.seen(UID, "gas", 7.0)
            await site.tell(device=UID, fault=fault)
            await site.judged(UID, "gas", reason)
            await site.tell(device=UID, fault={})
        await site.seen(UID, "gas", 7.0)


async def test_a_broken_line_is_told_and_mended() -> None:
    """R16: bytes that are no frame, or half of one, end the session, not the driver."""
    async with opcua() as site:
        for name in ("garbage", "half", "slow"):
            await site.seen(UID, "gas", 0.0)
            await site.tell(device=UID, fault={name: 30})
            await until(lambda: site.host.links[UID][0] is False, "the loss")
            assert site.last(UID, "gas").quality is Quality.FAULT
            await site.tell(device=UID, fault={})
        await site.seen(UID, "gas", 0.0)


async def test_a_lost_server_comes_back_with_its_new_values() -> None:
    """R16: session loss, then a new session and new subscriptions."""
    async with opcua() as site:
        await site.seen(UID, "gas", 0.0)
        await site.tell(do="stop")
        await until(lambda: site.host.links[UID][0] is False, "the loss")
        assert site.last(UID, "gas").value is None
        states = await site.switch(UID, "siren", True)
        assert states == [(CommandState.FAILED, "opcua.link_down")]
        await site.tell(device=UID, set={"gas": 3.0})
        await site.tell(do="start")
        await site.seen(UID, "gas", 3.0)
        assert site.host.links[UID] == (True, "")


async def _refused(change: Any, secrets: dict[str, str]) -> tuple[FakeHost, str]:
    plant = Plc(options(**SECURE))
    ready = await plant.start()
    try:
        change(ready["options"]["servers"][0])
        host = FakeHost({**ready["options"], "secrets": ready["secrets"] | secrets})
        with pytest.raises(AuthError) as caught:
            async with asyncio.timeout(30):
                await OpcUaIntegration(host).run()
        return host, str(caught.value.params["reason"])
    finally:
        await plant.stop()


async def test_a_wrong_password_stops_the_driver() -> None:
    host, reason = await _refused(lambda _: None, {"opcua.plc": "wrong"})
    assert reason == "opcua.user"
    assert host.links[UID] == (False, "opcua.user")


async def test_without_an_identity_of_our_own_nothing_is_tried() -> None:
    _, reason = await _refused(lambda _: None, {"opcua.identity": ""})
    assert reason == "opcua.no_identity"


async def test_another_certificate_is_sent_nothing() -> None:
    """Design §5 Security: a pinned certificate, no trust on first use."""

    def repin(server: dict[str, Any]) -> None:
        server["security"]["fingerprint"] = "0" * 64

    _, reason = await _refused(repin, {})
    assert reason == "opcua.certificate"


async def tried(site: Any, secrets: dict[str, str], **changes: Any) -> Any:
    """Return what the set-up form's test answers: facts, or the error's code."""
    [server] = site.host.options["servers"]
    options = flow.schema()({"servers": [{**server, **changes}]})
    given = {"options": options, "secrets": {**site.plant.secrets, **secrets}}
    told = await asyncio.to_thread(asking.answer, flow, "schema", "probe", given)
    return told["errors"][0]["code"] if "errors" in told else told["facts"]


async def test_the_connection_is_tried_before_it_is_saved() -> None:
    """Design §5: the pinned certificate first; then our name, then the nodes."""
    async with opcua(**SECURE, interval_s=4) as site:
        await site.seen(UID, "siren", False)
        [server] = site.host.options["servers"]
        assert int((await tried(site, {}))["plc"]) > 3
        assert await tried(site, {"opcua.plc": "wrong"}) == "opcua.user"
        other = {**server["security"], "fingerprint": "0" * 64}
        assert await tried(site, {}, security=other) == "opcua.certificate"
        [device] = server["devices"]
        absent = {**device, "entities": {"gas": {"quantity": "ch4", "node": "s=No"}}}
        assert await tried(site, {}, devices=[absent]) == "opcua.no_such_node"
        await site.tell(do="stop")
        assert await tried(site, {}) == "opcua.link_down"


async def test_a_node_that_is_not_there_is_told_and_the_others_live() -> None:
    """R16: the map's mistake is that entity's alone."""

    def misspell(ready: dict[str, Any]) -> None:
        device = ready["options"]["servers"][0]["devices"][0]
        device["entities"]["gas"] = {**device["entities"]["gas"], "node": "s=No.Gas"}

    async with running(Plc, OpcUaIntegration, options(), misspell) as site:
        await site.seen(UID, "alarm", False)
        await site.judged(UID, "gas", "opcua.no_such_node")
        assert site.host.counts["opcua.node_refused"] == 1


async def test_another_application_at_the_address_is_not_believed() -> None:
    """R27: an address proves no identity."""

    def rename(ready: dict[str, Any]) -> None:
        ready["options"]["servers"][0]["application_uri"] = "urn:the:right:one"

    async with running(Plc, OpcUaIntegration, options(), rename) as site:
        await until(lambda: "opcua.other_server" in site.host.counts, "the refusal")
        assert site.last(UID, "gas").quality is Quality.NOT_PRESENT


async def test_browsing_tells_fingerprint_and_nodes_in_the_words_of_a_map() -> None:
    plant = Plc(options())
    ready = await plant.start()
    try:
        url = f"opc.tcp://127.0.0.1:{ready['options']['servers'][0]['port']}/plc"
        found = await browse.endpoints(url)
        assert [each.policy for each in found] == ["none"]
        assert found[0].application_uri == "urn:safehold:simulated-plc"
        nodes = {each.node: each for each in await browse.variables(url)}
        gas = nodes["nsu=http://example.com/plc;s=Area1.GD01.Value"]
        assert (gas.type, gas.writable) == ("Double", False)
        assert len(await browse.variables(url, 2)) == 2
    finally:
        await plant.stop()
