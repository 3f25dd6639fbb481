"""Messages a second through the MQTT integration, against a bare paho client.

Both hear the same JSON (100 detectors, three values each) through one mosquitto, as
fast as they take it: the publisher is never more than a window ahead of them, so
nothing is queued for long and nothing dropped. The bare client is paho's own loop with
json.loads and one comparison; the hub's is link, routes, judgement and reports into a
host that drops them. They take turns, in one run; the median of the paired ratios is
the result.

    python benchmarks/mqtt_rate.py [--rounds 5] [--count 20000]

Aim: the integration reaches 60 % of the bare client's rate. Exit status 1 when missed.
"""

import argparse
import asyncio
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.mqtt_host import (  # noqa: E402
    DETECTORS,
    VALUES,
    NullHost,
    announce,
    connect,
    packet,
)
from core.registry.secrets import Secrets  # noqa: E402
from integrations.mqtt.flow import OWN_SECRET  # noqa: E402
from integrations.mqtt.integration import MqttIntegration  # noqa: E402
from tests.support.broker import OwnBroker  # noqa: E402

AIM = 0.60
#: Messages between two words of the subject, and the most that are under way.
STEP, WINDOW = 500, 2_000


def say(word: str) -> None:
    """Tell the publisher."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


class Counting(NullHost):
    """Tell the publisher how far the integration has come."""

    def report(self, handle: int, value: object, *_: object) -> None:
        """Count a reading; a message holds one for each value."""
        if not self.reports:
            self.began = time.perf_counter()
        self.reports += 1
        if self.reports % (STEP * len(VALUES)) == 0:
            say("step")
        if self.reports == self.enough:
            self.done.set()


async def hub(port: int, password: str, count: int) -> float:
    """Return messages a second of the integration."""
    options = {"port": port, "secrets": {OWN_SECRET: password}}
    host = Counting(options, count * len(VALUES))
    integration = MqttIntegration(host)  # type: ignore[arg-type]
    running = asyncio.get_running_loop().create_task(integration.run())
    while not integration.client.hears(f"gas/gd{DETECTORS - 1:04d}/state"):
        await asyncio.sleep(0.01)
    say("ready")
    await host.done.wait()
    rate = count / (time.perf_counter() - host.began)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return rate


def bare(port: int, password: str, count: int) -> float:
    """Return messages a second of paho and json alone."""
    import paho.mqtt.client as mqtt
    from paho.mqtt.enums import CallbackAPIVersion

    heard, began = 0, 0.0

    def message(client: mqtt.Client, _: Any, msg: mqtt.MQTTMessage) -> None:
        nonlocal heard, began
        if not heard:
            began = time.perf_counter()
        heard += 1
        if json.loads(msg.payload)["h2s"] > 10:
            client.publish(f"siren/{msg.topic.split('/')[1]}/set", "ON")
        if heard % STEP == 0:
            say("step")
        if heard == count:
            client.disconnect()

    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set("hub", password)
    client.on_connect = lambda c, *_: c.subscribe("gas/+/state") and None
    client.on_subscribe = lambda *_: say("ready")
    client.on_message = message
    client.connect("127.0.0.1", port)
    client.loop_forever()
    return count / (time.perf_counter() - began)


def batches(count: int) -> list[bytes]:
    """Return ``count`` readings as bytes on the wire, a step in each."""
    rng = random.Random(7)
    found = []
    for first in range(0, count, STEP):
        batch = bytearray()
        for number in range(first, first + STEP):
            values = {
                "h2s": round(rng.uniform(0, 8), 2),
                "lel": round(rng.uniform(0, 9), 2),
                "o2": round(rng.uniform(20, 21), 3),
            }
            topic = f"gas/gd{number % DETECTORS:04d}/state"
            batch += packet(topic, json.dumps(values).encode())
        found.append(bytes(batch))
    return found


def measure(subject: str, broker: OwnBroker, load: list[bytes]) -> float:
    """Return the rate of one subject in a process of its own."""
    password = Secrets(broker.data).get_or_create(OWN_SECRET)
    args = [f"--subject={subject}", f"--count={len(load) * STEP}"]
    args += [f"--port={broker.port}", f"--data={broker.data}"]
    process = subprocess.Popen(
        [sys.executable, __file__, *args], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "ready"
    ahead = 0
    with connect(broker.port, password) as sock:
        for batch in load:
            while ahead * STEP >= WINDOW:
                assert process.stdout.readline().strip() == "step"
                ahead -= 1
            sock.sendall(batch)
            ahead += 1
        for line in process.stdout:
            if line.strip() != "step":
                break
    process.wait(10)
    return float(line)


def compare(broker: OwnBroker, rounds: int, count: int) -> bool:
    """Print the rates of each round and whether the aim was reached."""
    load, ratios = batches(count), []
    with connect(broker.port, Secrets(broker.data).get_or_create(OWN_SECRET)) as sock:
        announce(sock)
    for number in range(rounds):
        # By turns, and each first as often as the other: what else runs hits both.
        order = ("bare", "hub") if number % 2 == 0 else ("hub", "bare")
        rates = {subject: measure(subject, broker, load) for subject in order}
        ratios.append(rates["hub"] / rates["bare"])
        sys.stdout.write(
            f"bare paho {rates['bare']:8.0f}/s  integration {rates['hub']:8.0f}/s  "
            f"ratio {ratios[-1]:.2f}\n"
        )
    ratio = statistics.median(ratios)
    reached = ratio >= AIM
    word = "reached" if reached else "MISSED"
    sys.stdout.write(f"median ratio {ratio:.2f}, aim at least {AIM:.2f}: {word}\n")
    return reached


def main() -> int:
    """Measure, or be what is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--subject", choices=("bare", "hub"))
    parser.add_argument("--port", type=int)
    parser.add_argument("--data", type=Path)
    asked = parser.parse_args()
    if asked.subject:
        password = Secrets(asked.data).get_or_create(OWN_SECRET)
        if asked.subject == "bare":
            rate = bare(asked.port, password, asked.count)
        else:
            rate = asyncio.run(hub(asked.port, password, asked.count))
        say(f"{rate:.1f}")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        broker = OwnBroker(Path(folder))
        broker.start()
        try:
            return 0 if compare(broker, asked.rounds, asked.count) else 1
        finally:
            broker.stop()


if __name__ == "__main__":
    sys.exit(main())
