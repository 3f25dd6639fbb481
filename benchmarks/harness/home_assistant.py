"""Home Assistant as one more system: one automation for each detector."""

import json
import shutil
from collections.abc import Iterator
from typing import Any

from benchmarks.harness import machine, work
from benchmarks.harness.systems import System

#: The MQTT integration is set up by its stored entry, as its own form writes it.
_ENTRIES = ".storage/core.config_entries"


class HomeAssistant(System):
    """Home Assistant without its recorder, if ``hass`` is on the PATH."""

    name = "home-assistant"
    about = "Home Assistant: MQTT discovery, numeric_state → mqtt.publish"
    patience_s = 300.0
    settle_s = 10.0

    @classmethod
    def missing(cls) -> str:
        """Return why it cannot run here."""
        return "" if shutil.which("hass") else "not installed"

    def prepare(self) -> None:
        """Write its configuration, its broker's entry and the automations."""
        (self.folder / ".storage").mkdir(parents=True, exist_ok=True)
        core = {
            "homeassistant": {
                "name": "bench",
                "time_zone": "UTC",
                "unit_system": "metric",
            },
            "http": {"server_host": "127.0.0.1", "server_port": machine.free_port()},
            "logger": {"default": "warning"},
            "automation": [self._automation(n) for n in range(self.detectors)],
        }
        # JSON is YAML, and nothing in it needs quoting rules.
        (self.folder / "configuration.yaml").write_text(json.dumps(core))
        (self.folder / _ENTRIES).write_text(json.dumps(self._entries()))

    def retained(self) -> Iterator[tuple[str, bytes]]:
        """Yield the detectors' discovery with the entity ids that the rules name."""
        for topic, payload in work.announcements(self.detectors):
            fields = json.loads(payload)
            fields["default_entity_id"] = f"sensor.{fields['object_id']}"
            yield topic, json.dumps(fields).encode()

    def command(self) -> list[str]:
        """Return how it is started."""
        return ["hass", "--skip-pip", "--config", str(self.folder)]

    def _automation(self, number: int) -> dict[str, Any]:
        return {
            "id": f"alarm_{number}",
            "alias": f"alarm {number}",
            "triggers": [
                {
                    "trigger": "numeric_state",
                    "entity_id": f"sensor.{work.detector(number)}_h2s",
                    "above": work.LIMIT_PPM,
                }
            ],
            "actions": [
                {
                    "action": "mqtt.publish",
                    "data": {"topic": work.order_topic(number), "payload": "ON"},
                }
            ],
        }

    def _entries(self) -> dict[str, Any]:
        entry = {
            "entry_id": "benchmarkmqtt",
            "domain": "mqtt",
            "title": "broker",
            "version": 1,
            "minor_version": 2,
            "source": "user",
            "unique_id": None,
            "disabled_by": None,
            "data": {"broker": "127.0.0.1", "port": self.port},
            "options": {"discovery": True, "discovery_prefix": "homeassistant"},
            "created_at": "2026-01-01T00:00:00+00:00",
            "modified_at": "2026-01-01T00:00:00+00:00",
            "discovery_keys": {},
            "subentries": [],
            "pref_disable_new_entities": False,
            "pref_disable_polling": False,
        }
        return {
            "version": 1,
            "minor_version": 5,
            "key": "core.config_entries",
            "data": {"entries": [entry]},
        }
