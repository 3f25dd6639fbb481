"""Simulated devices: what they say, when, and how they answer. No I/O here.

Each model publishes by ``say(topic, payload, retain)`` and is told of time by
`Model.turn`; the process in `simulator` gives both.
"""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

Say = Callable[[str, str, bool], None]
Point3 = tuple[float, float, float]
DISCOVERY = "homeassistant"


class CommandError(Exception):
    """The control line asks for something that this device cannot do."""


class Model:
    """One device: speaks each ``interval_s`` unless it is silent."""

    def __init__(self, ident: str, say: Say, interval_s: float) -> None:
        self.id = ident
        self.interval_s = interval_s
        self.silent = False
        self._say = say
        self._next = 0.0
        self._now = 0.0

    def announce(self) -> None:
        """Publish what is retained: discovery and availability."""

    def publish(self) -> None:
        """Publish the present state."""

    def listens(self) -> tuple[str, ...]:
        """Return the topics that the device hears."""
        return ()

    def heard(self, topic: str, payload: bytes) -> None:
        """Take a message on one of `listens`."""

    def turn(self, now: float) -> None:
        """Go on to ``now`` (seconds of the site's clock)."""
        span, self._now = max(0.0, now - self._now) if self._now else 0.0, now
        self.pass_time(span)
        if now >= self._next:
            self._next = now + self.interval_s
            if not self.silent:
                self.publish()

    def pass_time(self, span: float) -> None:
        """Let ``span`` seconds go by."""

    def do(self, verb: str, order: Mapping[str, Any]) -> None:
        """Carry out a control line; raises CommandError."""
        if verb != "silence":
            raise CommandError(f"{self.id} knows no {verb!r}")
        self.silent = order.get("on", True) is True

    def state(self) -> dict[str, Any]:
        """Return what a test or a scenario may look at."""
        return {"silent": self.silent}

    def say(self, topic: str, payload: Any, retain: bool = False) -> None:
        """Publish JSON, or a text as it is."""
        text = payload if isinstance(payload, str) else json.dumps(payload)
        self._say(topic, text, retain)


class Walker(Model):
    """Something that walks towards its goals, one after the other."""

    def __init__(
        self,
        ident: str,
        say: Say,
        interval_s: float,
        at: Point3 = (0.0, 0.0, 0.0),
        speed: float = 1.2,
    ) -> None:
        super().__init__(ident, say, interval_s)
        self.at: Point3 = at
        self.speed = speed
        self.goals: list[Point3] = []

    def pass_time(self, span: float) -> None:
        """Walk."""
        left = span * self.speed
        while self.goals and left > 0:
            goal = self.goals[0]
            far = math.dist(self.at, goal)
            if far <= left:
                self.at, left = goal, left - far
                self.goals.pop(0)
            else:
                x, y, z = (
                    a + (g - a) * left / far for a, g in zip(self.at, goal, strict=True)
                )
                self.at, left = (x, y, z), 0.0

    def do(self, verb: str, order: Mapping[str, Any]) -> None:
        """``move``: {to: [x, y, z]} or {path: [[x, y, z], …]}; ``place`` jumps."""
        if verb == "move":
            path = order.get("path", [order.get("to")])
            self.goals = [_point(goal) for goal in path]
        elif verb == "place":
            self.at, self.goals = _point(order.get("to")), []
        else:
            super().do(verb, order)

    def state(self) -> dict[str, Any]:
        """Return place and whether it still walks."""
        return {**super().state(), "at": list(self.at), "walking": bool(self.goals)}


class Helmet(Walker):
    """A helmet with SOS button, wear sensor, battery and position."""

    def __init__(
        self, ident: str, say: Say, interval_s: float = 2.0, **more: Any
    ) -> None:
        super().__init__(ident, say, interval_s, **more)
        self.battery = 90.0
        self.worn = True
        self.events = 0

    def announce(self) -> None:
        """Say that it is there."""
        self.say(f"helmet/{self.id}/online", "online", True)

    def publish(self) -> None:
        """Publish battery, wear and position."""
        x, y, z = (round(a, 3) for a in self.at)
        self.say(
            f"helmet/{self.id}/state",
            {
                "battery": round(self.battery, 1),
                "worn": self.worn,
                "position": {"x": x, "y": y, "z": z},
            },
        )

    def do(self, verb: str, order: Mapping[str, Any]) -> None:
        """``sos``, ``fall``, ``wear``: {worn}, ``battery``: {value}."""
        if verb in {"sos", "fall"}:
            self.events += 1
            body = {"type": verb, "id": f"{self.id}-{self.events}"}
            self.say(f"helmet/{self.id}/event", {**body, "battery": self.battery})
        elif verb == "wear":
            self.worn = order.get("worn", True) is True
            self.publish()
        elif verb == "battery":
            self.battery = float(order["value"])
        else:
            super().do(verb, order)

    def state(self) -> dict[str, Any]:
        """Return place, wear and battery."""
        return {**super().state(), "worn": self.worn, "battery": self.battery}


class Detector(Model):
    """A gas detector that announces itself by discovery; values may ramp."""

    def __init__(
        self,
        ident: str,
        say: Say,
        interval_s: float = 1.0,
        gases: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        super().__init__(ident, say, interval_s)
        self.gases = dict(gases or {"h2s": {"unit": "ppm", "value": 0.0}})
        self.values = {
            name: float(g.get("value", 0.0)) for name, g in self.gases.items()
        }
        self.faulty: set[str] = set()
        self._ramps: dict[str, tuple[float, float]] = {}

    def announce(self) -> None:
        """Publish discovery and availability."""
        for name, gas in self.gases.items():
            config = {
                "~": f"gas/{self.id}",
                "name": name,
                "uniq_id": f"{self.id}_{name}",
                "stat_t": "~/state",
                "val_tpl": "{{ value_json." + name + " }}",
                "unit_of_meas": gas.get("unit", "ppm"),
                "exp_aft": 5 * self.interval_s,
                "avty_t": "~/online",
                "dev": {"ids": [self.id], "name": self.id, "mf": "Simulated"},
            }
            topic = f"{DISCOVERY}/sensor/{self.id}/{name}/config"
            self.say(topic, config, True)
        self.say(f"gas/{self.id}/online", "online", True)

    def pass_time(self, span: float) -> None:
        """Follow the ramps."""
        for name, (target, pace) in list(self._ramps.items()):
            here = self.values[name]
            step = min(abs(target - here), pace * span)
            self.values[name] = here + math.copysign(step, target - here)
            if self.values[name] == target:
                del self._ramps[name]

    def publish(self) -> None:
        """Publish all gases in one message."""
        told = {
            name: None if name in self.faulty else round(value, 3)
            for name, value in self.values.items()
        }
        self.say(f"gas/{self.id}/state", told)

    def do(self, verb: str, order: Mapping[str, Any]) -> None:
        """``gas``: {quantity, value, over_s}; ``fault``: {quantity, on}."""
        if verb not in {"gas", "fault"}:
            super().do(verb, order)
            return
        name = order.get("quantity", next(iter(self.gases)))
        if name not in self.values:
            raise CommandError(f"{self.id} measures no {name!r}")
        if verb == "fault":
            (self.faulty.add if order.get("on", True) else self.faulty.discard)(name)
            return
        value, over_s = float(order["value"]), float(order.get("over_s", 0))
        self._ramps.pop(name, None)
        if over_s > 0:
            self._ramps[name] = (value, abs(value - self.values[name]) / over_s)
        else:
            self.values[name] = value

    def state(self) -> dict[str, Any]:
        """Return the present values."""
        return {**super().state(), "values": dict(self.values)}


class Output(Model):
    """A siren, lamp or fan with read-back; it may stick."""

    def __init__(
        self,
        ident: str,
        say: Say,
        interval_s: float = 30.0,
        component: str = "siren",
        safehold: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(ident, say, interval_s)
        self.component = component
        self.on = False
        self.stuck = False
        self.switched = 0
        self._safehold = dict(safehold or {})

    def announce(self) -> None:
        """Publish discovery and availability."""
        config = {
            "~": f"{self.component}/{self.id}",
            "name": self.id,
            "uniq_id": f"{self.id}_{self.component}",
            "stat_t": "~/state",
            "cmd_t": "~/set",
            "avty_t": "~/online",
            "dev": {"ids": [self.id], "name": self.id, "mf": "Simulated"},
            "safehold": self._safehold,
        }
        self.say(f"{DISCOVERY}/{self.component}/{self.id}/main/config", config, True)
        self.say(f"{self.component}/{self.id}/online", "online", True)

    def listens(self) -> tuple[str, ...]:
        """Return its command topic."""
        return (f"{self.component}/{self.id}/set",)

    def heard(self, topic: str, payload: bytes) -> None:
        """Switch, unless stuck, and say so."""
        if self.silent:
            return
        if not self.stuck and payload in {b"ON", b"OFF"}:
            self.switched += self.on is not (payload == b"ON")
            self.on = payload == b"ON"
        self.publish()

    def publish(self) -> None:
        """Publish the state."""
        self.say(f"{self.component}/{self.id}/state", "ON" if self.on else "OFF", True)

    def do(self, verb: str, order: Mapping[str, Any]) -> None:
        """``stuck``: {on}; ``switch``: {on} as a hand at the device would."""
        if verb == "stuck":
            self.stuck = order.get("on", True) is True
        elif verb == "switch":
            self.on = order.get("on", True) is True
            self.publish()
        else:
            super().do(verb, order)

    def state(self) -> dict[str, Any]:
        """Return whether it is on, and how often it switched."""
        return {**super().state(), "on": self.on, "switched": self.switched}


def _point(value: Any) -> Point3:
    if not isinstance(value, list | tuple) or len(value) not in {2, 3}:
        raise CommandError("expected a place [x, y] or [x, y, z]")
    x, y, z = (*map(float, value), 0.0)[:3]
    return x, y, z


KINDS: dict[str, type[Model]] = {
    "helmets": Helmet,
    "detectors": Detector,
    "outputs": Output,
}


def build(site: Mapping[str, Any], say: Say) -> dict[str, Model]:
    """Return the models of {helmets: [{id, …}], detectors: …, outputs: …}.

    Raises CommandError: an unknown kind or field, or an id that stands twice.
    """
    from integrations.mqtt.simulated_networks import NETWORKS

    kinds = {**KINDS, **NETWORKS}
    found: dict[str, Model] = {}
    for kind, entries in site.items():
        if kind not in kinds:
            raise CommandError(f"expected {', '.join(kinds)}, found {kind!r}")
        for entry in entries:
            fields = dict(entry)
            ident = fields.pop("id")
            if "at" in fields:
                fields["at"] = _point(fields["at"])
            if ident in found:
                raise CommandError(f"{ident!r} stands twice")
            try:
                found[ident] = kinds[kind](ident, say, **fields)
            except TypeError as error:
                raise CommandError(f"{ident}: {error}") from error
    return found
