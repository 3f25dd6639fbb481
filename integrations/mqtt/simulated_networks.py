"""Simulated devices of other worlds: Shelly relays, LoRaWAN sensors, Frigate. No I/O.

They say what `simulated` devices say in their own way; see there for `Say` and turns.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any

from integrations.mqtt.simulated import CommandError, Model, Say

_EPOCH_S = 1_766_000_000
_VOLTS = 230.0


class Shelly(Model):
    """A Gen2 relay box: answers RPC on its topic, tells changes, trips by its timer.

    ``id`` is its topic prefix, such as ``shellypro2-ec62608ab123``.
    """

    def __init__(
        self, ident: str, say: Say, interval_s: float = 60.0, channels: int = 1
    ) -> None:
        super().__init__(ident, say, interval_s)
        self.on = [False] * channels
        self.watts = [0.0] * channels
        self.trips_s: list[float | None] = [None] * channels
        self.stuck = False
        self.asked: list[dict[str, Any]] = []

    def announce(self) -> None:
        """Say that it is there, as its last will takes back."""
        self.say(f"{self.id}/online", "true", True)

    def listens(self) -> tuple[str, ...]:
        """Return its RPC topic."""
        return (f"{self.id}/rpc",)

    def heard(self, topic: str, payload: bytes) -> None:
        """Answer a request on ``<src>/rpc``."""
        if self.silent:
            return
        order = json.loads(payload)
        answer = {"id": order["id"], "src": self.id, "dst": order["src"]}
        number = order.get("params", {}).get("id", 0)
        if not 0 <= number < len(self.on):
            error = {"code": 404, "message": f"No handler for switch:{number}"}
            self.say(f"{order['src']}/rpc", {**answer, "error": error})
        elif order["method"] == "Switch.GetStatus":
            self.say(f"{order['src']}/rpc", {**answer, "result": self._status(number)})
        elif order["method"] == "Switch.Set":
            was = self.on[number]
            self._set(number, order["params"])
            self.say(f"{order['src']}/rpc", {**answer, "result": {"was_on": was}})

    def _set(self, number: int, params: Mapping[str, Any]) -> None:
        self.asked = [*self.asked[-99:], dict(params)]
        if self.stuck:
            return
        after = params.get("toggle_after")
        self.trips_s[number] = None if after is None else float(after)
        self._switch(number, bool(params["on"]))

    def _switch(self, number: int, on: bool) -> None:
        if self.on[number] is not on:
            self.on[number] = on
            self._notify(number)

    def _status(self, number: int) -> dict[str, Any]:
        watts = self.watts[number] if self.on[number] else 0.0
        return {
            "id": number,
            "source": "MQTT",
            "output": self.on[number],
            "apower": watts,
            "voltage": _VOLTS,
            "current": round(watts / _VOLTS, 3),
            "aenergy": {"total": 0.0},
            "temperature": {"tC": 41.0, "tF": 105.8},
        }

    def _notify(self, number: int) -> None:
        if not self.silent:
            changed = {"id": number, "output": self.on[number], "source": "timer"}
            said = {"ts": _EPOCH_S + self._now, f"switch:{number}": changed}
            note = {"src": self.id, "dst": f"{self.id}/events"}
            told = {**note, "method": "NotifyStatus", "params": said}
            self.say(f"{self.id}/events/rpc", told)

    def publish(self) -> None:
        """Tell the status of every channel, as it does each minute."""
        for number in range(len(self.on)):
            self.say(f"{self.id}/status/switch:{number}", self._status(number))

    def pass_time(self, span: float) -> None:
        """Let the device's own timers run."""
        for number, left in enumerate(self.trips_s):
            if left is None:
                continue
            self.trips_s[number] = left - span if left > span else None
            if left <= span:
                self._switch(number, not self.on[number])

    def do(self, verb: str, order: Mapping[str, Any]) -> None:
        """``set``: {entity: "switch:0", value}; ``stuck``; ``watts``: {value}."""
        if verb == "stuck":
            self.stuck = order.get("on", True) is True
        elif verb == "watts":
            self.watts = [float(order["value"])] * len(self.on)
        elif verb == "set":
            number = str(order["entity"]).removeprefix("switch:")
            self._switch(int(number), bool(order["value"]))
        else:
            super().do(verb, order)

    def state(self) -> dict[str, Any]:
        """Return what its relays are and what it was told last."""
        return {**super().state(), "on": list(self.on), "asked": list(self.asked)}


class Lora(Model):
    """A LoRaWAN sensor behind ChirpStack; ``id`` is its EUI."""

    def __init__(
        self,
        ident: str,
        say: Say,
        interval_s: float = 600.0,
        values: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(ident, say, interval_s)
        self.values: dict[str, Any] = dict(values or {})
        self.count = 0
        self._base = f"application/1/device/{ident}"

    def announce(self) -> None:
        """Join: its counter begins anew."""
        self.count = 0
        self.say(f"{self._base}/event/join", {**self._head(), "devAddr": "01a2b3c4"})

    def listens(self) -> tuple[str, ...]:
        """Return its downlink topic."""
        return (f"{self._base}/command/down",)

    def heard(self, topic: str, payload: bytes) -> None:
        """Take a downlink: the first byte switches; the radio acknowledges."""
        order = json.loads(payload)
        self.values["relay"] = base64.b64decode(order["data"])[:1] == b"\x01"
        taken = {**self._head(), "acknowledged": True, "fCntDown": self.count}
        self.say(f"{self._base}/event/ack", taken)
        self.publish()

    def publish(self) -> None:
        """Send an uplink."""
        self.count += 1
        said = {"fCnt": self.count, "fPort": 2, "object": self.values}
        radio = {"gatewayId": "0016c001f153a14c", "rssi": -97, "snr": 7.5}
        self.say(f"{self._base}/event/up", {**self._head(), **said, "rxInfo": [radio]})

    def _head(self) -> dict[str, Any]:
        seconds = int(self._now) % 86_400
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        millis = int(self._now * 1000) % 1000
        return {
            "deduplicationId": f"{self.id}-{self.count}",
            "time": f"2026-11-22T{clock}.{millis:03}+00:00",
            "deviceInfo": {"deviceName": self.id, "devEui": self.id},
        }

    def do(self, verb: str, order: Mapping[str, Any]) -> None:
        """``set``: {entity, value}; ``lose``: {number}; ``battery``: {value}."""
        if verb == "set":
            self.values[str(order["entity"])] = order["value"]
        elif verb == "lose":
            self.count += int(order["number"])
        elif verb == "battery":
            said = {"margin": 10, "batteryLevel": float(order["value"])}
            self.say(f"{self._base}/event/status", {**self._head(), **said})
        else:
            super().do(verb, order)

    def state(self) -> dict[str, Any]:
        """Return what it measures."""
        return {**super().state(), "values": dict(self.values), "count": self.count}


class Frigate(Model):
    """A camera system; ``id`` is its topic, by its own habit ``frigate``."""

    def __init__(self, ident: str, say: Say, interval_s: float = 60.0) -> None:
        super().__init__(ident, say, interval_s)

    def announce(self) -> None:
        """Say that it is there."""
        self.say(f"{self.id}/available", "online", True)

    def publish(self) -> None:
        """Tell its own figures, as it does each minute."""
        self.say(f"{self.id}/stats", {"detection_fps": 5.0})

    def do(self, verb: str, order: Mapping[str, Any]) -> None:
        """``see``: {id, camera, label, zones, score, type}; ``gone``."""
        if verb == "gone":
            self.say(f"{self.id}/available", "offline", True)
        elif verb != "see":
            super().do(verb, order)
        elif "id" not in order and "thing" not in order:
            raise CommandError("see: an id is wanted")
        else:
            self._see(order)

    def _see(self, order: Mapping[str, Any]) -> None:
        ends = order.get("type") == "end"
        seen = {
            "id": str(order.get("thing", order.get("id"))),
            "camera": order.get("camera", "gate"),
            "label": order.get("label", "person"),
            "score": order.get("score", 0.8),
            "top_score": order.get("score", 0.8),
            "current_zones": [] if ends else order.get("zones", []),
            "end_time": self._now if ends else None,
        }
        told = {"type": order.get("type", "new"), "before": seen, "after": seen}
        self.say(f"{self.id}/events", told)


NETWORKS: dict[str, type[Model]] = {
    "shellies": Shelly,
    "lora": Lora,
    "frigates": Frigate,
}
