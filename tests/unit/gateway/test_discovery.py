"""One list of what waits: found by discovery, or declared by a host; each once."""

from hypothesis import given
from hypothesis import strategies as st

from core.clock import SimClock
from core.link.findings import Finding, Findings, Proposed, ScanState, Sign
from core.link.messages import HostStates
from core.registry.proposals_state import IgnoredRecord
from frontend_api.discovery import DiscoveryDesk
from frontend_api.replica import Replica
from tests.unit.gateway.conftest import Desk

MAC = "mac:246f28aabbcc"


def found(*keys: str, ignored: bool = False) -> Finding:
    return Finding(
        kind="mdns",
        key=keys[0],
        keys=keys,
        name="Gas node",
        address="10.0.0.7",
        port=6053,
        facts={"address": "10.0.0.7"},
        integration="esphome",
        why=(Sign("discovery.why.mdns", {"service": "_esphomelib._tcp"}),),
        ignored=ignored,
    )


def desk(*findings: Finding, proposed: tuple[Proposed, ...] = ()) -> DiscoveryDesk:
    made = DiscoveryDesk(Replica(SimClock()))
    made.replica.proposed = list(proposed)
    made.take(Findings(list(findings)))
    return made


def test_a_device_that_its_host_has_declared_is_listed_once() -> None:
    """Issue: one device never yields two proposals."""
    declared = Proposed(host="node-1", uid="esp-246f28aabbcc", name="Gas node")
    made = desk(found(MAC), found("uuid:1"), proposed=(declared,))
    views = made.proposals()
    assert list(views) == ["host:node-1/esp-246f28aabbcc", "uuid:1"]
    first = views["host:node-1/esp-246f28aabbcc"]
    assert first.waiting == "node-1/esp-246f28aabbcc"
    assert first.address == "10.0.0.7"
    assert MAC in first.keys
    assert [each.en for each in first.why] == [
        "The integration 'node-1' is connected to it",
        "It announces the service _esphomelib._tcp on the network (mDNS)",
    ]


def test_ignoring_takes_effect_at_once_by_any_key() -> None:
    made = desk(found("serial:gx004711", MAC), found("uuid:2", ignored=True))
    assert list(made.proposals()) == ["serial:gx004711"]
    made.replica.state.registry.ignored[MAC] = IgnoredRecord(key=MAC, keys=(MAC,))
    assert made.proposals() == {}


@given(
    st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9))
)
def test_no_device_is_listed_twice(
    seen: set[int], declared: set[int], ignored: set[int]
) -> None:
    macs = {number: f"{number:012x}" for number in range(10)}
    made = desk(
        *(found(f"mac:{macs[number]}") for number in seen),
        proposed=tuple(
            Proposed(host="h", uid=f"node-{macs[number]}", name="n")
            for number in declared
        ),
    )
    for number in ignored:
        key = f"mac:{macs[number]}"
        made.replica.state.registry.ignored[key] = IgnoredRecord(key=key)
    listed = [
        number
        for view in made.proposals().values()
        for number in range(10)
        if macs[number] in f"{view.id} {view.keys}"
    ]
    # What a host declares is ignored by the finding's key only where both are seen.
    hidden = {number for number in ignored if number in seen}
    wanted = (seen - ignored) | (declared - hidden)
    assert sorted(listed) == sorted(wanted)


async def test_the_whole_view_is_answered(owner: Desk) -> None:
    gateway = owner.fixture.gateway
    gateway.replica.hosts = HostStates({"discovery": "running"}, [])
    listeners = {"mdns": "on", "ble": "absent: no Bluetooth adapter"}
    gateway.discovery.take(Findings([found(MAC)], 3, listeners))
    scan = ScanState(
        id="S",
        kind="modbus_serial",
        target="/dev/ttyUSB0",
        state="refused",
        code="discovery.other_master",
        params={"target": "/dev/ttyUSB0", "count": 8},
        notes=(Sign("discovery.collision", {"unit": "3"}),),
    )
    gateway.discovery.take(scan)
    ignored = IgnoredRecord(key="mac:1", name="Old", by="person:p-chen", wall_ns=5)
    gateway.replica.state.registry.ignored["mac:1"] = ignored
    status, view = await owner.get("/api/v1/discovery")
    assert status == 200
    (item,) = view["items"]
    assert (item["id"], item["integration"], item["port"]) == (MAC, "esphome", 6053)
    assert item["facts"] == {"address": "10.0.0.7"}
    assert view["shed"] == 3
    assert view["running"]
    assert view["listeners"][1] == {
        "id": "ble",
        "state": "absent",
        "detail": "no Bluetooth adapter",
    }
    assert "8 bytes" in view["scan"]["why"]["en"]
    assert "一" in view["scan"]["notes"][0]["zh"]
    assert view["ignored"][0]["name"] == "Old"
    assert (view["may_ignore"], view["may_scan"]) == (True, True)


async def test_a_scan_of_a_process_that_died_is_over(owner: Desk) -> None:
    gateway = owner.fixture.gateway
    gateway.discovery.take(
        ScanState(id="S", kind="opcua", target="plc", state="running")
    )
    gateway.replica.hosts = HostStates({"discovery": "running"}, [])
    _, view = await owner.get("/api/v1/discovery")
    assert view["scan"]["state"] == "running"
    gateway.replica.hosts = HostStates({"discovery": "backoff"}, [])
    _, view = await owner.get("/api/v1/discovery")
    assert (view["scan"]["state"], view["scan"]["code"]) == (
        "failed",
        "discovery.restarted",
    )
