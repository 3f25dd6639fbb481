"""Two hosts on one wire: what one announces the other finds, and forgets (issue)."""

import os
from collections.abc import Iterator

import pytest

from tests.support.discovery.announce import MAC, UUID
from tests.support.two_hosts import BadWire, Process, Wire, inside, why_not, wire

_WHY_NOT = why_not()
pytestmark = [
    pytest.mark.skipif(bool(_WHY_NOT), reason=_WHY_NOT),
    pytest.mark.xdist_group("two_hosts"),
]
LISTEN, ANNOUNCE = "tests.support.discovery.listen", "tests.support.discovery.announce"
ADDRESS = Wire.addresses["device"]


@pytest.fixture
def laid() -> Iterator[Wire]:
    with wire() as made:
        yield made


async def found(listening: Process) -> list[dict[str, object]]:
    """Return the next list that is not empty."""
    while not (shown := (await listening.line())["found"]):
        continue
    return list(shown)


async def nothing(listening: Process) -> None:
    """Return when the list is empty again."""
    while (await listening.line())["found"]:
        continue


async def test_a_node_on_another_host_is_found_at_the_address_that_answers(
    laid: Wire,
) -> None:
    """mDNS: of several announced addresses the reachable one is proposed."""
    async with (
        inside(laid, "hub", LISTEN, "mdns") as hub,
        inside(laid, "device", ANNOUNCE, "mdns", ADDRESS) as device,
    ):
        assert await found(hub) == [
            {
                "key": f"mac:{MAC}",
                "name": "Gas node",
                "address": ADDRESS,
                "port": 6053,
            }
        ]
        device.say("bye")
        await nothing(hub)


@pytest.mark.parametrize("how", ["wsd-hello", "wsd-silent"])
async def test_a_camera_on_another_host_is_found_and_its_bye_is_heard(
    laid: Wire, how: str
) -> None:
    """WS-Discovery: by its hello, and by its answer to a probe."""
    if how == "wsd-silent":  # it was there before, and says nothing by itself
        async with inside(laid, "device", ANNOUNCE, how, ADDRESS) as device:
            await device.line()
            async with inside(laid, "hub", LISTEN, "wsd") as hub:
                await _camera(hub, device)
        return
    async with inside(laid, "hub", LISTEN, "wsd") as hub:
        await hub.line()
        async with inside(laid, "device", ANNOUNCE, how, ADDRESS) as device:
            await _camera(hub, device)


async def _camera(hub: Process, device: Process) -> None:
    (only,) = await found(hub)
    assert only["key"] == f"uuid:{UUID}"
    assert (only["name"], only["address"], only["port"]) == ("Gate", ADDRESS, 80)
    device.say("bye")
    await nothing(hub)


@pytest.mark.parametrize(("listener", "how"), [("mdns", "mdns"), ("wsd", "wsd-hello")])
async def test_noise_on_the_wire_hides_no_device(
    laid: Wire, listener: str, how: str
) -> None:
    """Issue: 0 unhandled exceptions of what meets the network."""
    async with inside(laid, "hub", LISTEN, listener) as hub:
        await hub.line()
        async with inside(laid, "device", ANNOUNCE, how, ADDRESS, "--noise"):
            (only,) = await found(hub)
            assert only["key"] in (f"mac:{MAC}", f"uuid:{UUID}")


# --- a wire that loses, repeats and reorders ---------------------------------------

_NETEM = ("loss", "15%", "duplicate", "20%", "delay", "30ms", "reorder", "40%")


@pytest.fixture(params=["netem", "own"])
def bad(request: pytest.FixtureRequest) -> Iterator[Wire]:
    if request.param == "netem":
        with wire() as made:
            why = made.netem(*_NETEM)
            if why:
                pytest.skip(why)
            yield made
        return
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        pytest.skip("no /dev/net/tun: no wire of our own")
    with wire(BadWire(seed=7, lose=0.15, repeat=0.2, late=0.4)) as made:
        yield made


async def test_a_node_is_found_over_a_bad_wire(bad: Wire) -> None:
    """Issue: a link cut, slowed, duplicated and reordered."""
    if isinstance(bad, BadWire):
        bad.carry()
    async with (
        inside(bad, "hub", LISTEN, "mdns") as hub,
        inside(bad, "device", ANNOUNCE, "mdns", ADDRESS),
    ):
        (only,) = await found(hub)
        assert only["key"] == f"mac:{MAC}"


async def test_a_camera_is_found_over_a_bad_wire(bad: Wire) -> None:
    """Many probes are sent at the start: one gets through, and its answer."""
    if isinstance(bad, BadWire):
        bad.carry()
    async with inside(bad, "device", ANNOUNCE, "wsd-silent", ADDRESS) as device:
        await device.line()
        async with inside(bad, "hub", LISTEN, "wsd") as hub:
            (only,) = await found(hub)
            assert only["key"] == f"uuid:{UUID}"
