"""Camera helmets of GB/T 28181 over real UDP and TCP: alarms, places, who is there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from core.api import Quality
from integrations.helmet import manscdp, sip
from integrations.helmet.integration import HelmetIntegration
from integrations.helmet.simulator import Helmets
from tests.support.host import FakeHost, Running
from tests.support.waiting import until

SERVER = "34020000002000000001"
HELMET = "34020000001180000001"
UID = f"gb28181-{HELMET}"
SECRETS = {"gb": "password-of-the-site"}


class Site:
    """Hold driver, host and the helmets that are played."""

    def __init__(self, host: FakeHost, plant: Helmets, port: int) -> None:
        self.host, self.plant, self.port = host, plant, port

    async def there(self) -> None:
        """Wait until the helmet is registered."""
        await until(lambda: self.host.links.get(UID) == (True, ""), "the helmet")


@asynccontextmanager
async def serving(password: str = SECRETS["gb"], **more: Any) -> AsyncIterator[Site]:
    """Run the driver on a free port, and one helmet that dials it."""
    part = {
        "host": "127.0.0.1",
        "port": 0,
        "id": SERVER,
        "secret": "gb",
        "heartbeat_s": 0.5,
        "position_s": 1.0,
        "devices": [{"id": HELMET, "name": "Camera"}],
        **more,
    }
    plant = Helmets({"gb28181": part, "secrets": {"gb": password}})
    port = (await plant.start())["options"]["gb28181"]["port"]
    host = FakeHost({"gb28181": {**part, "port": port}, "secrets": SECRETS})
    try:
        async with Running(HelmetIntegration(host)):
            yield Site(host, plant, port)
    finally:
        await plant.stop()


async def test_it_registers_and_tells_its_place() -> None:
    async with serving() as site:
        site.plant.put(UID, "location", "31.25,121.55")
        await until(lambda: site.host.last(UID, "location"), "a place")
        place = site.host.last(UID, "location")
        assert place is not None
        assert place.value == "31.2500000,121.5500000"


async def test_a_wrong_password_registers_nobody() -> None:
    async with serving(password="a guess") as site:
        await until(lambda: site.host.counts.get("helmet.wrong_code"), "a refusal")
        assert site.host.links[UID] == (False, "helmet.auth")
        site.plant.event(UID, "sos", {})
        assert not site.host.events


async def test_a_call_is_durable_before_it_is_answered() -> None:
    """Design §2: the device repeats it until it has its 200."""
    async with serving() as site:
        await site.there()
        answered: list[dict[str, Any]] = []
        camera = site.plant.devices[UID]
        camera._say = answered.append
        site.host.durable.clear()
        site.plant.event(UID, "sos", {})
        await until(lambda: site.host.events, "the call")
        assert not answered
        site.host.durable.set()
        await until(lambda: answered, "its answer")
        event = site.host.events[0]
        assert (event.kind, event.params["lat"]) == ("sos", 31.2)
        # Said again while nobody answered, it is the same call.
        assert len({each.event_id for each in site.host.events}) == 1


async def test_silence_is_told_and_heals() -> None:
    async with serving() as site:
        await site.there()
        site.plant.fault(UID, {"silent": True})
        gone = (False, "helmet.silent")
        await until(lambda: site.host.links.get(UID) == gone, "its loss")
        site.plant.fault(UID, {})
        await site.there()


@pytest.mark.parametrize(
    ("alarms", "method", "kind"),
    [({}, "2", "sos"), ({}, "6", ""), ({"5/2": "fall"}, "5", "fall")],
)
async def test_which_alarm_is_a_call(
    alarms: dict[str, str], method: str, kind: str
) -> None:
    """What nobody mapped is its wearer's call: unknown is never safe."""
    async with serving(alarms=alarms) as site:
        await site.there()
        camera = site.plant.devices[UID]
        said = manscdp.build(
            "Notify", "Alarm", "9", HELMET, AlarmMethod=method, AlarmType="2"
        )
        camera._out(camera._request("MESSAGE", said))  # type: ignore[union-attr]
        if kind:
            await until(lambda: site.host.events, "the event")
            assert site.host.events[0].kind == kind
        else:
            await until(lambda: site.host.counts.get("helmet.device_fault"), "a count")
            assert not site.host.events


async def test_a_stranger_is_refused_over_tcp_too() -> None:
    async with serving() as site:
        await site.there()
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        said = manscdp.build("Notify", "Alarm", "9", HELMET, AlarmMethod="2")
        headers = {
            "Via": "SIP/2.0/TCP x;branch=z9hG4bK1",
            "From": f"<sip:{HELMET}@x>;tag=1",
            "To": f"<sip:{SERVER}@x>",
            "Call-ID": "a",
            "CSeq": "1 MESSAGE",
            "Content-Type": "Application/MANSCDP+xml",
        }
        # The helmet's own number, from another place than it registered from.
        writer.write(sip.request(f"MESSAGE sip:{SERVER}@x", headers, said))
        async with asyncio.timeout(5):
            answer = sip.parse(await reader.readuntil(b"\r\n\r\n"))
        assert answer.status == 403
        assert not site.host.events
        writer.write(b"\x01" * 40_000)
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        assert site.host.counts["helmet.bad_sip"] == 1
        writer.close()


async def test_a_platform_speaks_for_its_children() -> None:
    child = "34020000001180000099"
    devices = [
        {"id": HELMET, "platform": True},
        {"id": child, "name": "Child", "via": HELMET},
    ]
    async with serving(devices=devices) as site:
        asked: list[str] = []
        camera = site.plant.devices[UID]
        await until(lambda: camera._registered, "the platform")  # type: ignore[union-attr]
        said = manscdp.build(
            "Notify",
            "MobilePosition",
            "4",
            child,
            Time=camera._now(),  # type: ignore[union-attr]
            Longitude="121.5",
            Latitude="31.2",
        )
        uid = f"gb28181-{child}"

        def again() -> bool:
            camera._out(camera._request("MESSAGE", said))  # type: ignore[union-attr]
            return site.host.last(uid, "location") is not None

        await until(again, "the child's place")
        assert UID not in site.host.devices
        assert not asked
        place = site.host.last(uid, "location")
        assert place is not None
        assert place.quality is Quality.GOOD  # the core makes a claim of it
