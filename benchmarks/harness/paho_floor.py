"""The floor: a bare paho client that parses the same JSON and republishes.

python -m benchmarks.harness.paho_floor PORT
"""

import json
import sys
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.harness.work import LIMIT_PPM


def _up(client: Client, *_: Any) -> None:
    client.subscribe("gas/+/state")


def _heard(client: Client, _: Any, message: Any) -> None:
    if json.loads(message.payload)["h2s"] > LIMIT_PPM:
        client.publish(f"siren/{message.topic.split('/')[1]}/set", "ON")


def main(port: int) -> None:
    """Serve for ever."""
    client = Client(CallbackAPIVersion.VERSION2)
    client.on_connect = _up
    client.on_message = _heard
    client.connect("127.0.0.1", port)
    client.loop_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
