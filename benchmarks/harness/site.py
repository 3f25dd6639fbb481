"""Write the measured site as a person would: zones, detectors, sirens, one rule.

Each detector stands in a zone of its own with a siren of its own. The limit is a
plain one (not latching): a reading below it ends the alarm and with it the rule's
run, so that the next alarm starts another run and orders the siren again.
"""

import json
from pathlib import Path
from typing import Any

from benchmarks.harness import work


def _zone(number: int) -> str:
    return f"z{number:04d}"


def _site(count: int) -> dict[str, Any]:
    zones = []
    for number in range(count):
        x, y = number % 10 * 10, number // 10 * 10
        corners = [[x, y], [x + 9, y], [x + 9, y + 9], [x, y + 9]]
        zone = {"id": _zone(number), "names": _zone(number), "level": "ground"}
        zones.append({**zone, "polygon": corners})
    return {
        "site": {"id": "bench", "names": "Benchmark", "language": "en"},
        "levels": [{"id": "ground", "names": "Ground", "z": 0}],
        "zones": zones,
        "people": [{"id": "safe", "name": "Safe", "roles": ["safety_officer"]}],
    }


def _devices(count: int) -> dict[str, Any]:
    limit: dict[str, Any] = {"condition": "high", "kind": "gas.toxic", "unit": "ppm"}
    limit |= {"above": work.LIMIT_PPM, "priority": 2, "life_safety": True}
    devices: list[dict[str, Any]] = []
    for number in range(count):
        name, zone = work.detector(number), _zone(number)
        gas = f"{name}_h2s"
        devices.append(
            {
                "integration": "mqtt",
                "uid": name,
                "zone": zone,
                "critical": [gas],
                "limits": {gas: [limit]},
            }
        )
        siren = f"siren-{name}"
        output = {siren: {"kind": "siren", "ex_rated": True, "contact_zone": zone}}
        devices.append(
            {"integration": "mqtt", "uid": siren, "zone": zone, "outputs": output}
        )
    return {"devices": devices}


def _integrations(port: int) -> dict[str, Any]:
    options = {"broker": {"host": "127.0.0.1", "port": port}}
    return {"integrations": [{"id": "mqtt", "integration": "mqtt", "options": options}]}


def _response() -> dict[str, Any]:
    rule = {
        "on_unknown": "hold",
        "triggers": [
            {"trigger": "alarm", "kind": "gas.toxic", "zone": "all", "subject": "zone"}
        ],
        "actions": [
            {"id": "siren", "action": "command", "output": "siren", "value": True}
        ],
    }
    return {"automations": [{"id": "gas-siren", "rule": rule}]}


def write(folder: Path, port: int, count: int) -> None:
    """Write the configuration folder of ``count`` detectors; JSON is YAML."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in (
        ("site", _site(count)),
        ("devices", _devices(count)),
        ("integrations", _integrations(port)),
        ("response", _response()),
    ):
        (folder / f"{name}.yaml").write_text(json.dumps(part, indent=1))
