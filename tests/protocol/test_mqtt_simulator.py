"""The MQTT simulator as the process it is, against broker and integration."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from core.api import Command, Quality
from core.clock import NS
from integrations.mqtt.integration import MqttIntegration
from tests.support.broker import OwnBroker
from tests.support.host import FakeHost, Running
from tests.support.waiting import until

SITE = {
    "helmets": [{"id": "h01", "at": [1, 2, 0], "speed": 100, "interval_s": 0.2}],
    "detectors": [
        {
            "id": "gd01",
            "interval_s": 0.2,
            "gases": {"h2s": {"unit": "ppm"}, "o2": {"unit": "%vol", "value": 20.9}},
        }
    ],
    "outputs": [
        {"id": "siren-a", "component": "siren", "safehold": {"ex_rated": True}}
    ],
}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[OwnBroker]:
    found = OwnBroker(tmp_path)
    found.start()
    yield found
    found.stop()


class Remote:
    """The simulator's standard input and output."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def __call__(self, **order: Any) -> dict[str, Any]:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        answer = json.loads(await asyncio.wait_for(self.process.stdout.readline(), 20))
        assert isinstance(answer, dict)
        return answer


@asynccontextmanager
async def simulator(broker: OwnBroker) -> AsyncIterator[Remote]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "integrations.mqtt.simulator"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    remote = Remote(process)
    where = {"port": broker.port, "username": "sim", "password": broker.password("sim")}
    try:
        assert await remote(connect=where) == {"ok": True}
        assert (await remote(site=SITE))["ok"]
        yield remote
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await asyncio.wait_for(process.wait(), 20)
        assert process.returncode == 0


async def test_every_device_is_found_and_obeys(broker: OwnBroker) -> None:
    host = FakeHost(broker.options(maps=["helmet"]))
    hub = MqttIntegration(host)

    def good(device: str, uid: str, value: object) -> bool:
        last = host.last(device, uid)
        return last is not None and last[:2] == (value, Quality.GOOD)

    async with simulator(broker) as remote, Running(hub):
        await until(lambda: good("helmet-h01", "wear", True), "the helmet")
        await until(lambda: good("gd01", "gd01_o2", 20.9), "the detector")
        await remote(do="move", id="h01", to=[10, 5, 0])
        arrived = "10.000,5.000,0.000"
        await until(lambda: good("helmet-h01", "location", arrived), "the walk")
        await remote(do="wear", id="h01", worn=False)
        await until(lambda: good("helmet-h01", "wear", False), "the helmet taken off")
        await remote(do="sos", id="h01")
        await until(lambda: host.events, "the SOS")
        assert (host.events[0].device_uid, host.events[0].kind) == ("helmet-h01", "sos")
        await remote(do="gas", id="gd01", quantity="h2s", value=25)
        await until(lambda: good("gd01", "gd01_h2s", 25), "the gas")
        await remote(do="fault", id="gd01", quantity="h2s")
        await until(lambda: absent(host), "the fault")
        await siren(host, hub, remote)
        answer = await remote(do="dance", id="h01")
        assert answer == {"ok": False, "error": "h01 knows no 'dance'"}


def absent(host: FakeHost) -> bool:
    last = host.last("gd01", "gd01_h2s")
    return last is not None and last[:2] == (None, Quality.NOT_PRESENT)


async def siren(host: FakeHost, hub: MqttIntegration, remote: Remote) -> None:
    """Sound it, then let it stick: only what it says itself confirms."""
    await until(lambda: hub.client.hears("siren/siren-a/state"), "its topic")
    for ident, stuck, state in (("c1", False, "confirmed"), ("c2", True, "failed")):
        await remote(do="stuck", id="siren-a", on=stuck)
        await hub.command(
            Command(
                id=ident,
                device_uid="siren-a",
                entity_uid="siren-a_siren",
                value=not stuck,
                deadline_ns=host.clock.mono_ns() + (2 * NS if not stuck else NS // 2),
            )
        )
        await until(lambda i=ident, s=state: s in host.states(i), state)  # type: ignore[misc]
    told = await remote(do="state")
    assert told["state"]["siren-a"]["on"] is True
