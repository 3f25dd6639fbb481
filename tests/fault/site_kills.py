"""Kill -9 of every process of a whole site, the broker too, while alarms arrive.

``script/kills --count 200`` runs it; the suite runs a short one.
"""

import argparse
import asyncio
import json
import random
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from core import config
from core.processes.guest import ask
from core.registry.secrets import Secrets
from integrations.mqtt.broker import DEVICE_SECRET
from integrations.mqtt.flow import OWN_SECRET
from tests.process.test_kills import KIND, PEOPLE, alarms_arrive, burden, check_journal
from tests.support.broker import OwnBroker, free_port
from tests.support.mqtt_device import MqttDevice
from tests.support.site import Loop, RunningHub, Viewer, small_site
from tests.support.waiting import pause, until

BROKER = "companion:mqtt:0"
VICTIMS = (
    "core",
    "core",
    "host:loop",
    "host:mqtt",
    "archive",
    "gateway",
    "notifier",
    BROKER,
)
_DETECTOR = {
    "name": "h2s",
    "uniq_id": "gd1_h2s",
    "stat_t": "gas/gd1/state",
    "unit_of_meas": "ppm",
    "exp_aft": 60,
    "dev": {"ids": ["gd1"], "name": "GD 1"},
}


def whole_site(loop: Loop, port: int) -> config.Bundle:
    """Return a site with a loopback host, and MQTT by the hub's own broker."""
    broker = ("integrations.mqtt.broker", "--data", "{data}", "--port", str(port))
    mqtt = config.IntegrationConfig(
        id="mqtt",
        integration="mqtt",
        options={"broker": "own", "port": port, "users": {"sim": ["#"]}},
        secrets=(OWN_SECRET,),
        companions=((*broker, "--device", "sim=#"),),
    )
    return msgspec.structs.replace(
        small_site(loop.config(), mqtt), people=PEOPLE, permit_kinds=(KIND,)
    )


def listens(port: int) -> bool:
    """Say whether somebody listens on a port of loopback."""
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def values(viewer: Viewer) -> list[object]:
    """Return all live values."""
    return [row.value for row in viewer.live.values()]


def in_alarm(viewer: Viewer, integration: str) -> bool:
    """Say whether a device of an integration has an active gas alarm."""
    registry = viewer.state.registry
    for alarm in viewer.state.alarms.open.values():
        entity = registry.entities.get(alarm.source.removeprefix("entity:"))
        device = registry.devices.get(entity.device_id) if entity else None
        if alarm.active and alarm.kind == "gas.toxic" and device is not None:
            if device.integration == integration:
                return True
    return False


async def tell(device: MqttDevice, value: str) -> None:
    """Announce and publish; what meets a dead broker is lost, and more follows.

    A broker that is killed forgets what it retained: a device announces itself
    again when it connects, as this one does before each value.
    """
    topic = "homeassistant/sensor/gd1_h2s/config"
    try:
        await asyncio.to_thread(device.say, topic, json.dumps(_DETECTOR), True)
        await asyncio.to_thread(device.say, "gas/gd1/state", value, True)
    except RuntimeError:
        await pause(0.2)


async def tell_until(
    device: MqttDevice, value: str, holds: Callable[[], bool], what: str
) -> None:
    """Publish a value until something holds."""
    for _ in range(300):
        if holds():
            return
        await tell(device, value)
        await pause(0.2)
    raise AssertionError(f"told in vain for: {what}")


async def swing(device: MqttDevice, stop: asyncio.Event) -> None:
    """Let the MQTT detector go over its limit and back until told to stop."""
    number = 0
    while not stop.is_set():
        number += 1
        value = "25" if number % 2 else "1"
        await tell(device, value)
        await pause(0.1)


async def kill(hub: RunningHub, rng: random.Random) -> str:
    """Kill one process at a random moment; return it when it runs again."""
    await pause(rng.random() * 0.4)
    victim = rng.choice(VICTIMS)
    before = hub.child(victim)["starts"]
    ask(hub.data, {"op": "restart", "name": victim})
    await until(lambda: hub.child(victim)["starts"] > before, f"{victim} again")
    await until(hub.ready, "armed")
    return victim


class Told:
    """Show how far a campaign has come; quiet under the tests."""

    def __init__(self, total: int, *, show: bool) -> None:
        self._total, self._show, self.counts = total, show, dict[str, int]()

    def killed(self, victim: str) -> None:
        """Count one kill."""
        self.counts[victim] = self.counts.get(victim, 0) + 1
        if self._show:
            done = sum(self.counts.values())
            bar = "#" * (done * 30 // self._total)
            sys.stderr.write(f"\r[{bar:<30}] {done}/{self._total} kills ")
            sys.stderr.flush()


async def campaign(folder: Path, seed: int, kills: int, told: Told) -> None:
    """Kill ``kills`` processes, then hold what was told against what is stored."""
    rng, loop, stop = random.Random(seed), Loop(folder), asyncio.Event()
    data, port = folder / "data", free_port()
    data.mkdir()
    broker = OwnBroker(data)
    broker.port = port
    Secrets(data).get_or_create(DEVICE_SECRET + "sim")
    args = ("--host", "127.0.0.1", "--port", str(free_port()))
    async with RunningHub(data, whole_site(loop, port), args=args) as hub:
        viewer = await hub.attach()
        await until(lambda: hub.child(BROKER).get("pid"), "the broker runs")
        await until(lambda: listens(port), "the broker listens")
        with MqttDevice(broker) as device:
            await tell_until(device, "1.5", lambda: 1.5 in values(viewer), "MQTT")
            await until(lambda: 1.0 in values(viewer), "a reading by the other host")
            permit, evacuation = await burden(viewer)
            await tell_until(device, "25", lambda: in_alarm(viewer, "mqtt"), "alarm")
            notices = {
                n.id
                for n in viewer.state.response.notices.values()
                if n.about in (permit, evacuation) and not n.acknowledged
            }
            async with asyncio.TaskGroup() as group:
                group.create_task(alarms_arrive(loop, stop))
                group.create_task(swing(device, stop))
                for _ in range(kills):
                    told.killed(await kill(hub, rng))
                await until(lambda: "durable" in " ".join(loop.notes()), "an event")
                stop.set()
            again = await hub.attach()
            assert str(again.state.permits.permits[permit].status) == "held"
            assert not again.state.response.evacuations[evacuation].cleared_wall_ns
            assert notices <= set(again.state.response.notices), "notices were lost"
            await tell_until(device, "2.5", lambda: 2.5 in values(again), "MQTT again")
            await tell_until(device, "25", lambda: in_alarm(again, "mqtt"), "alarm")
    check_journal(hub, loop)


def main() -> int:
    """Run the campaign that the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="script/kills", description="Kill processes of a real hub at random."
    )
    parser.add_argument("--count", type=int, default=200, help="kills in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, default=50, help="kills of one hub")
    options = parser.parse_args()
    told = Told(options.count, show=sys.stderr.isatty())
    left, seed = options.count, options.seed
    while left > 0:
        kills = min(left, options.each)
        with tempfile.TemporaryDirectory(prefix="kills-") as folder:
            asyncio.run(campaign(Path(folder), seed, kills, told))
        sys.stdout.write(f"seed {seed}: {kills} kills, nothing lost\n")
        sys.stdout.flush()
        left, seed = left - kills, seed + 1
    sys.stdout.write(f"{options.count} kills: {told.counts}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
