"""CPU a message of the MQTT integration against a bare paho client, in one run.

Both hear the same stream through one mosquitto: 100 detectors with three values
each on a shared JSON topic. The bare client is paho's own loop with json.loads
and one comparison; the hub's is client, discovery, routes and reports into a host
that drops them. They take turns, and the medians' ratio is printed.

    python benchmarks/mqtt_host.py [--rounds 5] [--count 20000]
"""

import argparse
import asyncio
import json
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from core.clock import AsyncClock, RealClock  # noqa: E402
from core.registry.secrets import Secrets  # noqa: E402
from integrations.mqtt.broker import find_mosquitto  # noqa: E402
from integrations.mqtt.flow import OWN_SECRET  # noqa: E402
from integrations.mqtt.integration import MqttIntegration  # noqa: E402

DETECTORS = 100
VALUES = (("h2s", "ppm"), ("lel", "%"), ("o2", "%"))


class NullHost:
    """Take what the integration tells and drop it, counting readings."""

    def __init__(self, options: dict[str, Any], enough: int) -> None:
        self.clock = RealClock()
        self.timer = AsyncClock(self.clock)
        self.options = options
        self.enough = enough
        self.reports = 0
        self.began = 0.0
        self.done = asyncio.Event()
        self._handles: dict[tuple[str, str], int] = {}

    def handle(self, device_uid: str, entity_uid: str) -> int:
        """Return the entity's number."""
        return self._handles.setdefault((device_uid, entity_uid), len(self._handles))

    def report(self, handle: int, value: object, *_: object) -> None:
        """Count a reading."""
        if not self.reports:
            self.began = time.process_time()
        self.reports += 1
        if self.reports == self.enough:
            self.done.set()

    def nothing(self, *_: object) -> None:
        """Drop it."""

    declare = withdraw = result = link_state = count = nothing


async def hub(port: int, password: str, count: int) -> float:
    """Return the CPU seconds that the integration needs for ``count`` messages."""
    options = {"port": port, "secrets": {OWN_SECRET: password}}
    host = NullHost(options, count * len(VALUES))
    integration = MqttIntegration(host)  # type: ignore[arg-type]
    running = asyncio.get_running_loop().create_task(integration.run())
    while not integration.client.hears(f"gas/gd{DETECTORS - 1:04d}/state"):
        await asyncio.sleep(0.01)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await host.done.wait()
    spent = time.process_time() - host.began
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return spent


def bare(port: int, password: str, count: int) -> float:
    """Return the CPU seconds that paho and json need for ``count`` messages."""
    import paho.mqtt.client as mqtt
    from paho.mqtt.enums import CallbackAPIVersion

    heard = began = 0.0

    def message(client: mqtt.Client, _: Any, msg: mqtt.MQTTMessage) -> None:
        nonlocal heard, began
        if not heard:
            began = time.process_time()
        heard += 1
        if json.loads(msg.payload)["h2s"] > 10:
            client.publish(f"siren/{msg.topic.split('/')[1]}/set", "ON")
        if heard == count:
            client.disconnect()

    def ready(*_: object) -> None:
        sys.stdout.write("ready\n")
        sys.stdout.flush()

    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set("hub", password)
    client.on_connect = lambda c, *_: c.subscribe("gas/+/state") and None
    client.on_subscribe = ready
    client.on_message = message
    client.connect("127.0.0.1", port)
    client.loop_forever()
    return time.process_time() - began


def packet(topic: str, payload: bytes, retain: bool = False) -> bytes:
    """Return a PUBLISH of QoS 0 as it goes over the wire."""
    body = len(topic).to_bytes(2, "big") + topic.encode() + payload
    size, length = bytearray(), len(body)
    while True:
        size.append(length % 128 | (128 if length > 127 else 0))
        length //= 128
        if not length:
            return bytes([0x31 if retain else 0x30]) + bytes(size) + body


def connect(port: int, password: str) -> socket.socket:
    """Return a publisher's socket, past its CONNACK."""
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    parts = b"".join(
        len(p).to_bytes(2, "big") + p for p in (b"load", b"hub", password.encode())
    )
    body = b"\x00\x04MQTT\x04\xc2\x00\x00" + parts
    sock.sendall(bytes([0x10, len(body)]) + body)
    assert sock.recv(4)[3] == 0
    return sock


def stream(sock: socket.socket, count: int, rate: int) -> None:
    """Send ``count`` readings at ``rate`` a second in slices of 10 ms."""
    rng = random.Random(7)
    # What the broker sends a publisher is read and dropped.
    slice_ = max(1, rate // 100)
    start = time.monotonic()
    for first in range(0, count, slice_):
        batch = bytearray()
        for number in range(first, min(first + slice_, count)):
            values = {
                "h2s": round(rng.uniform(0, 8), 2),
                "lel": round(rng.uniform(0, 9), 2),
                "o2": round(rng.uniform(20, 21), 3),
            }
            topic = f"gas/gd{number % DETECTORS:04d}/state"
            batch += packet(topic, json.dumps(values).encode())
        sock.sendall(batch)
        ahead = start + (first + slice_) / rate - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)


def announce(sock: socket.socket) -> None:
    """Leave the detectors' discovery on the broker."""
    for number in range(DETECTORS):
        name = f"gd{number:04d}"
        for key, unit in VALUES:
            config = {
                "name": key,
                "unique_id": f"{name}_{key}",
                "state_topic": f"gas/{name}/state",
                "value_template": "{{ value_json." + key + " }}",
                "unit_of_measurement": unit,
                "device": {"identifiers": [name], "name": name},
            }
            topic = f"homeassistant/sensor/{name}_{key}/config"
            sock.sendall(packet(topic, json.dumps(config).encode(), retain=True))


def measure(subject: str, port: int, data: Path, count: int, rate: int) -> float:
    """Return CPU microseconds a message of one subject in a process of its own."""
    password = Secrets(data).get_or_create(OWN_SECRET)
    process = subprocess.Popen(
        [
            sys.executable,
            __file__,
            f"--subject={subject}",
            f"--count={count}",
            f"--port={port}",
            f"--data={data}",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "ready"
    with connect(port, password) as sock:
        sender = threading.Thread(target=stream, args=(sock, count, rate))
        sender.start()
        spent = float(process.stdout.readline())
        sender.join()
    process.wait(10)
    return spent / count * 1e6


def compare(port: int, data: Path, rounds: int, count: int) -> None:
    """Print medians and ratio at a quiet and at a busy rate."""
    for rate, messages in ((2_000, count // 4), (20_000, count)):
        found: dict[str, list[float]] = {"bare": [], "hub": []}
        for _ in range(rounds):
            for subject, values in found.items():
                values.append(measure(subject, port, data, messages, rate))
        medians = {name: statistics.median(v) for name, v in found.items()}
        ratio = statistics.median(
            h / b for h, b in zip(found["hub"], found["bare"], strict=True)
        )
        print(
            f"{rate:>6}/s  bare paho {medians['bare']:6.1f} us  "
            f"integration {medians['hub']:6.1f} us  ratio {ratio:.2f}"
        )


def main() -> int:
    """Run the comparison, or one subject of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subject", choices=("bare", "hub"))
    parser.add_argument("--port", type=int, default=18_893)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    if asked.subject:
        password = Secrets(asked.data).get_or_create(OWN_SECRET)
        if asked.subject == "bare":
            spent = bare(asked.port, password, asked.count)
        else:
            spent = asyncio.run(hub(asked.port, password, asked.count))
        print(spent)
        return 0
    if find_mosquitto() is None:
        print("mosquitto is not installed: apt install mosquitto")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        module = "integrations.mqtt.broker"
        broker = subprocess.Popen(
            [sys.executable, "-m", module, "--data", folder, f"--port={asked.port}"],
            cwd=ROOT,
        )
        try:
            time.sleep(1)
            with connect(asked.port, Secrets(data).get_or_create(OWN_SECRET)) as sock:
                announce(sock)
                time.sleep(0.5)
            compare(asked.port, data, asked.rounds, asked.count)
        finally:
            broker.send_signal(signal.SIGTERM)
            broker.wait(10)
    return 0


if __name__ == "__main__":
    sys.exit(main())
