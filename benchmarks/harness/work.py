"""The work that every system is given: detectors, their topics, the rule's limit."""

import json
import random
from collections.abc import Iterator

LIMIT_PPM = 10
VALUES = (("h2s", "ppm"), ("lel", "%"), ("o2", "%"))


def detector(number: int) -> str:
    """Return a detector's name."""
    return f"gd{number:04d}"


def reading_topic(number: int) -> str:
    """Return where a detector publishes its three values as one JSON object."""
    return f"gas/{detector(number)}/state"


def order_topic(number: int) -> str:
    """Return where the siren of a detector hears its command."""
    return f"siren/{detector(number)}/set"


def state_topic(number: int) -> str:
    """Return where the siren of a detector tells its state."""
    return f"siren/{detector(number)}/state"


def quiet(dice: random.Random) -> bytes:
    """Return a reading below the limit."""
    return _reading(dice, dice.uniform(0, 8))


def alarming(dice: random.Random) -> bytes:
    """Return a reading beyond the limit."""
    return _reading(dice, dice.uniform(12, 40))


def _reading(dice: random.Random, h2s: float) -> bytes:
    return json.dumps(
        {
            "h2s": round(h2s, 2),
            "lel": round(dice.uniform(0, 9), 2),
            "o2": round(dice.uniform(20, 21), 3),
        }
    ).encode()


def announcements(count: int) -> Iterator[tuple[str, bytes]]:
    """Yield the detectors' discovery: three sensors on one shared JSON topic each."""
    for number in range(count):
        name = detector(number)
        for key, unit in VALUES:
            config = {
                "name": key,
                "unique_id": f"{name}_{key}",
                "object_id": f"{name}_{key}",
                "state_topic": reading_topic(number),
                "value_template": "{{ value_json." + key + " }}",
                "unit_of_measurement": unit,
                "state_class": "measurement",
                "device": {"identifiers": [name], "name": name},
            }
            yield (
                f"homeassistant/sensor/{name}_{key}/config",
                json.dumps(config).encode(),
            )


def siren_announcements(count: int) -> Iterator[tuple[str, bytes]]:
    """Yield the sirens' discovery, with the state topic that confirms a command."""
    for number in range(count):
        name = f"siren-{detector(number)}"
        config = {
            "name": name,
            "unique_id": name,
            "command_topic": order_topic(number),
            "state_topic": state_topic(number),
            "device": {"identifiers": [name], "name": name},
        }
        yield f"homeassistant/siren/{name}/config", json.dumps(config).encode()
