"""What the field knows by itself: which air was proven good, and who was heard.

It never asks the hub, so a room that believes too much cannot fool it.
"""

from typing import TYPE_CHECKING

from core.api.quality import Quality
from core.api.reading import Value
from core.clock import NS
from core.permits.lifecycle import PermitStatus
from core.permits.state import PermitRecord
from tests.sim import site
from tests.sim.machine import Life

if TYPE_CHECKING:
    from tests.sim.world import Simulation

GASES = {"confined": ("h2s", "o2"), "hot": ("lel",)}
#: The same under the law, and how long a kind of it may wait for its evidence.
LAWFUL = {"confined": ("h2s", "lel", "o2"), "hot-2": ("lel",)}
LAWFUL_S = 30.0
#: What may be accepted at most; the law takes 10 mg/m³ and 0.5 % of methane.
_MOST = {"h2s": 5.0, "lel": 5.0, "co": 20.0}
_MOST_LAWFUL = {"h2s": 7.2, "lel": 10.0, "co": 20.0}
#: A level is evaluated each second; a sample of the check is as old as that.
SLACK_S = 3.0
Point = tuple[str, str]


def proven(gas: str, value: Value, *, law: bool = False) -> bool:
    """Say whether a value may be accepted, under either bundle."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if gas == "o2":
        return 19.5 <= value <= 23.5
    return 0 <= value <= (_MOST_LAWFUL if law else _MOST)[gas]


class Oracle:
    """Remember what was sent to a core that could hear it."""

    def __init__(self, world: "Simulation") -> None:
        self._world = world
        self._good: dict[Point, int] = {}
        """Point → world time of the last GOOD and acceptable row."""
        self._heard: dict[Point, int] = {}
        """Point → world time of the last row of any kind."""
        self.born_ns = 0
        self._linked_ns: dict[str, int] = {}
        """Host → world time since when it is connected."""

    def born(self) -> None:
        """Begin a life: what an earlier one heard is forgotten."""
        self._good.clear()
        self._heard.clear()
        self.born_ns = self._world.now_ns

    def linked(self, host: str) -> None:
        """Take note that a host has connected."""
        self._linked_ns[host] = self._world.now_ns

    def sent(self, rows: list[tuple[Point, Value, int]]) -> None:
        """Take note of rows that are on their way to a core that listens."""
        for point, value, quality in rows:
            self._heard[point] = self._world.now_ns
            if point[1] not in site.UNITS:
                good = point[1] == "fix" and isinstance(value, str)
            else:
                good = proven(point[1], value, law=self._world.law)
            if good and quality == Quality.GOOD:
                self._good[point] = self._world.now_ns

    def _silent_s(self, known: dict[Point, int], point: Point, since: int = 0) -> float:
        last = max(known.get(point, 0), since, self.born_ns)
        return (self._world.now_ns - last) / NS

    # --- what must follow -----------------------------------------------------

    def unproven(self, permit: PermitRecord) -> str:
        """Return why a permit cannot be ACTIVE; '' when it may be."""
        if permit.status is not PermitStatus.ACTIVE:
            return ""
        limit = site.MAX_AGE_S + SLACK_S
        if permit.life.pack:
            limit, demanded = limit + LAWFUL_S, LAWFUL[permit.kind]
        else:
            limit += site.REACTION_S / (1 if permit.kind == "confined" else 2)
            demanded = GASES[permit.kind]
        for uid, (zone, device) in site.meters().items():
            gases = demanded if zone == permit.zone_id else ()
            for gas in [e.uid for e in device.entities if e.uid in gases]:
                if self._silent_s(self._good, (uid, gas)) > limit:
                    return f"{uid} {gas} has proven nothing for {limit} s"
        return ""

    def lost(self, life: Life) -> str:
        """Return a meter that fell silent without any alarm; '' when there is none."""
        active = life.kernel.alarms.active(kind_prefix="fault.")
        kinds = {(a.source, a.condition) for a in active}
        if any(a.source == f"host:{site.FIELD}" for a in active):
            return ""
        since = self._linked_ns.get(site.FIELD, 0)
        for uid, gas in self._world.gas.points():
            entity = life.kernel.registry.find(site.FIELD, uid, gas)
            silent = self._silent_s(self._heard, (uid, gas), since)
            told = (f"entity:{entity}", "lost") in kinds
            if entity and silent > site.LOST_S + SLACK_S and not told:
                return f"{uid} {gas} silent for {silent:.1f} s"
        return ""
