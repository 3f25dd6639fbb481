"""The hosts' side of the simulated site: meters, tags, relays, and their moods."""

import math
from collections.abc import Callable
from random import Random
from typing import Any

from core.api.model import Device
from core.api.quality import Quality
from core.api.reading import Value
from core.link import messages as m
from core.link.pair import PairLane
from tests.sim import site
from tests.sim.machine import Life

#: Row qualities whose value acts on a limit (design §5 Truth).
ACTS = (Quality.GOOD, Quality.UNCERTAIN, Quality.STALE)
MOODS = ("obedient", "slow", "stuck", "lying", "mute", "twice")
GARBAGE: tuple[Value, ...] = (
    math.nan,
    math.inf,
    -math.inf,
    None,
    "",
    "12.5",
    "NaN",
    True,
    -1e308,
    1e308,
    0,
    -40.0,
)
Later = Callable[[float, Callable[[], None]], None]


class Host:
    """Play one host process: it outlives the core and offers again what it owes."""

    def __init__(self, name: str, devices: list[Device], random: Random, later: Later):
        self.name, self.devices = name, devices
        self.random, self._later = random, later
        self.handles: dict[tuple[str, str], int] = {}
        for device in devices:
            for entity in device.entities:
                self.handles[device.uid, entity.uid] = len(self.handles) + 1
        self.ends: list[PairLane] = []
        self.alive, self.hanging = True, False
        self.owed: dict[str, m.DeviceEvent] = {}
        """Device events that the core has not called durable."""
        self.durable: list[str] = []
        """Ids of events that the core called durable."""
        self.values: dict[tuple[str, str], Value] = {}
        """What outputs and tags would report now."""
        self.moods: dict[tuple[str, str], str] = {}
        self.sent: Callable[[list[Any]], None] = lambda _rows: None
        """Who takes note of what was sent to a core that listens."""
        self._results: list[m.Result] = []
        self._events = 0

    @property
    def peer(self) -> str:
        """Return the name of its link."""
        return f"host:{self.name}"

    @property
    def heard(self) -> bool:
        """Say whether what it sends arrives."""
        return bool(self.ends) and self.alive and not self.hanging

    # --- link -----------------------------------------------------------------

    def connect(self, life: Life) -> None:
        """Open a session: announce the devices, offer what is owed."""
        if not self.alive:
            return
        self.hanging = False
        self.ends = life.connect(self.peer, self._receive, self._ended)
        self._say(m.Hello(self.peer, "host", "sim"))
        for device in self.devices:
            handles = {e.uid: self.handles[device.uid, e.uid] for e in device.entities}
            self._say(m.Declare(device, handles))
        for event in self.owed.values():
            self._say(event)
        kept, self._results = self._results, []
        for result in kept:
            self._say(result)

    def die(self) -> None:
        """End the process."""
        self.alive, ends, self.ends = False, self.ends, []
        for end in ends:
            end.close("died")
        self._results.clear()

    def _ended(self, _reason: str) -> None:
        self.ends = []

    def _say(self, message: m.Message) -> bool:
        if self.heard:
            self.ends[0].send(message)
            return True
        return False

    def _receive(self, message: m.Message) -> None:
        if self.hanging or not self.alive:
            return
        if isinstance(message, m.Ping):
            self._say(m.Alive(message.number))
        elif isinstance(message, m.EventDurable):
            self.owed.pop(message.event_id, None)
            self.durable.append(f"{self.peer}/{message.event_id}")
        elif isinstance(message, m.Execute):
            self._execute(message)

    # --- outputs --------------------------------------------------------------

    def _execute(self, message: m.Execute) -> None:
        command = message.command
        point = (command.device_uid, command.entity_uid)
        mood = self.moods.get(point, "obedient")
        if mood == "mute":
            return
        self._later(0.02, lambda: self._result(command.id, "delivered"))
        if mood == "stuck":
            self._later(1.5, lambda: self._result(command.id, "failed", "stuck"))
            return
        pause = self.random.uniform(3, 9) if mood == "slow" else 0.1

        def confirm() -> None:
            if mood != "lying":
                self.values[point] = command.value
            self._result(command.id, "confirmed")
            if mood == "twice":
                self._result(command.id, "confirmed")
                self._result(command.id, "delivered")
            self.report([(point, self.values.get(point), Quality.GOOD)])

        self._later(pause, confirm)

    def _result(self, command_id: str, state: str, detail: str = "") -> None:
        result = m.Result(command_id, state, detail)
        if self.alive and not self._say(result):
            self._results.append(result)

    # --- telemetry and events -------------------------------------------------

    def report(self, facts: list[tuple[tuple[str, str], Value, int]]) -> None:
        """Send plain readings: point, value, quality."""
        rows = [m.Row(self.handles[p], value, int(q)) for p, value, q in facts]
        if self.heard:
            self.sent(facts)
        self.send_rows(rows)

    def send_rows(self, rows: list[m.Row], coalesced: Any = ()) -> None:
        """Send one frame of rows; the host's clock is not told."""
        if self.heard:
            self.ends[1].send(m.Readings(0, rows, list(coalesced)))

    def tell_states(self, silent: set[str]) -> None:
        """Report every output and tag that is not silent."""
        self.report(
            [
                (point, value, Quality.GOOD)
                for point, value in self.values.items()
                if point[0] not in silent
            ]
        )

    def event(self, uid: str, kind: str, **params: Value) -> str:
        """Send a discrete event; it is offered again until it is durable."""
        self._events += 1
        event = m.DeviceEvent(uid, kind, dict(params), f"{kind}-{self._events}")
        self.owed[event.event_id] = event
        self._say(event)
        return event.event_id


class Gas:
    """Hold what the air is like, and what each meter makes of it."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.level: dict[tuple[str, str], float] = {}
        """(meter uid, gas) → what it measures."""
        self.quality: dict[tuple[str, str], Quality] = {}
        self.zone: dict[str, str] = {}
        self.silent: set[str] = set()
        """Uids of devices that say nothing."""
        for uid, (zone, device) in site.meters().items():
            self.zone[uid] = zone
            for entity in device.entities:
                self.level[uid, entity.uid] = site.CALM[zone][entity.uid]

    def points(self) -> list[tuple[str, str]]:
        """Return every (meter, gas)."""
        return list(self.level)

    def calm(self) -> None:
        """Let the air be good and every meter well."""
        self.silent.clear()
        self.quality.clear()
        for uid, gas in self.level:
            self.level[uid, gas] = site.CALM[self.zone[uid]][gas]

    def facts(self) -> list[tuple[tuple[str, str], Value, int]]:
        """Return what all meters report now."""
        return [
            ((uid, gas), value, self.quality.get((uid, gas), Quality.GOOD))
            for (uid, gas), value in self.level.items()
            if uid not in self.silent
        ]


def deadly(gas: str, value: Value, quality: int) -> bool:
    """Say whether a row must raise the alarm at once, under any bundle."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if quality not in ACTS or not math.isfinite(value):
        return False
    return value <= site.DEADLY[gas] if gas == "o2" else value >= site.DEADLY[gas]
