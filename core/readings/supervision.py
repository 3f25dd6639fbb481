"""Supervision: a silent, faulty or cut-off detector is an alarm of its own (R4).

Silence is timed per critical point by one timer that moves lazily: readings cost
nothing, and the alarm comes exactly when the declared time has passed.
"""

from typing import TYPE_CHECKING

from core.api.reading import Value
from core.clock import NS
from core.hub import CORE, Hub
from core.readings.point import ACTS, FAULT, GOOD, STALE, Point
from core.readings.table import Table

if TYPE_CHECKING:
    from core.alarms.alarms import Alarms


class Supervision:
    """Watch critical points and the hosts that speak for them."""

    def __init__(self, hub: Hub, alarms: "Alarms", table: Table) -> None:
        self._hub = hub
        self._alarms = alarms
        self._points, self._table = table.points, table
        self.zone_of = table.zone_of
        self.lost_hosts: set[str] = set()
        self._owing: dict[tuple[str, str], set[str]] = {}
        """(host, zone) called unmonitored → critical points not heard GOOD since."""
        self._faulty: set[str] = set()

    # --- points ---------------------------------------------------------------

    def adopt(self, point: Point) -> None:
        """Take up a point: what the journal says of it, and its timer."""
        record = self._alarms.find(_source(point), "lost")
        point.lost = record is not None and record.active
        fault = self._alarms.find(_source(point), "fault")
        if fault is not None and fault.active:
            self._faulty.add(point.entity_id)
        if point.critical and not point.lost:
            self._wait(point)
        elif not point.critical:
            self._hub.timers.cancel(_key(point))

    def forget(self, point: Point) -> None:
        """Stop watching a point that has left the site."""
        self._hub.timers.cancel(_key(point))
        self._faulty.discard(point.entity_id)
        for owing in self._owing.values():
            owing.discard(point.entity_id)

    def heard(self, point: Point, quality: int) -> None:
        """Take a row's own quality: GOOD ends lost, fault and unmonitored."""
        if quality == GOOD:
            self._proven(point)
        elif quality == FAULT and point.critical:
            self._broken(point)

    def _proven(self, point: Point) -> None:
        if point.lost:
            point.lost = False
            self._alarms.clear(_source(point), "lost")
            self._wait(point)
        if point.entity_id in self._faulty:
            self._faulty.discard(point.entity_id)
            self._alarms.clear(_source(point), "fault")
        for key, owing in list(self._owing.items()):
            owing.discard(point.entity_id)
            if not owing and key[0] not in self.lost_hosts:
                del self._owing[key]
                self._alarms.clear(f"zone:{key[1]}", f"unmonitored.{key[0]}")

    def _broken(self, point: Point) -> None:
        if point.entity_id in self._faulty:
            return
        self._faulty.add(point.entity_id)
        self._alarms.raise_(
            _source(point),
            "fault",
            kind="fault.device",
            priority=2,
            zone_id=self.zone_of(point),
            params=_facts(point) | {"reason": point.reason},
        )

    def _wait(self, point: Point) -> None:
        due = max(point.stamp_ns, point.grace_ns) + point.lost_ns
        entity_id = point.entity_id
        self._hub.timers.at(due, _key(point), lambda: self._due(entity_id))

    def _due(self, entity_id: str) -> None:
        point = self._points.get(entity_id)
        if point is None or point.lost or point.host in self.lost_hosts:
            return
        now = self._hub.clock.mono_ns()
        if now < max(point.stamp_ns, point.grace_ns) + point.lost_ns:
            self._wait(point)
            return
        point.lost = True
        point.raw_quality = -1
        self._alarms.raise_(
            _source(point),
            "lost",
            kind="fault.lost",
            priority=2,
            zone_id=self.zone_of(point),
            params=_facts(point) | {"silent_s": (now - point.stamp_ns) // NS},
        )

    def setup(self, point: Point) -> None:
        """Raise or clear the alarm of a point whose configuration fits nothing."""
        if not point.broken:
            self._alarms.clear(_source(point), "setup")
            return
        self._alarms.raise_(
            _source(point),
            "setup",
            kind="fault.config",
            priority=2,
            zone_id=self.zone_of(point),
            params={
                "name": point.declared.name,
                "reason": point.broken,
                "unit": point.declared.unit,
            },
        )

    # --- hosts ----------------------------------------------------------------

    def host_lost(self, host: str) -> None:
        """Call every zone unmonitored that has a critical point of this host.

        The host's own alarm is its watcher's; lost detectors behind it stay
        quiet, so that one dead process is no flood.
        """
        self.lost_hosts.add(host)
        for point in list(self._points.values()):
            zone_id = self.zone_of(point)
            if point.host == host and point.critical and zone_id is not None:
                self._owing.setdefault((host, zone_id), set()).add(point.entity_id)
        for owed_by, zone_id in list(self._owing):
            if owed_by == host:
                self._alarms.raise_(
                    f"zone:{zone_id}",
                    f"unmonitored.{host}",
                    kind="fault.host",
                    priority=2,
                    zone_id=zone_id,
                    params={"host": host},
                )

    def host_back(self, host: str) -> None:
        """Hear that a host speaks again; its zones wait for GOOD readings."""
        self.lost_hosts.discard(host)
        now = self._hub.clock.mono_ns()
        for point in self._points.values():
            if point.host == host and point.critical and not point.lost:
                point.grace_ns = now
                self._wait(point)

    def recover(self) -> None:
        """Rebuild from the open alarms which hosts are lost and what they owe.

        Until `host_back` is called, a host that still owes counts as lost.
        """
        for record in self._alarms.active(kind_prefix="fault.host"):
            kind, _, name = record.source.partition(":")
            if kind != "zone" or not record.condition.startswith("unmonitored."):
                continue
            host = record.condition.removeprefix("unmonitored.")
            self.lost_hosts.add(host)
            self._owing[host, name] = {
                point.entity_id
                for point in self._points.values()
                if point.host == host and point.critical and self.zone_of(point) == name
            }

    # --- answers --------------------------------------------------------------

    def unmonitored(self, now: int) -> set[str]:
        """Return the zones in which a critical point cannot be believed at all."""
        blind = {zone_id for _, zone_id in self._owing}
        for point in self._points.values():
            if point.critical and (point.lost or point.quality_at(now) not in _LIVE):
                zone_id = self.zone_of(point)
                if zone_id is not None:
                    blind.add(zone_id)
        return blind

    def blind(self, zone_id: str, now: int) -> bool:
        """Say whether one zone is unmonitored; asks its own points alone."""
        if any(zone == zone_id for _, zone in self._owing):
            return True
        for point in self._table.critical(zone_id):
            old = now - point.stamp_ns > point.max_age_ns
            if point.lost or old or point.quality not in _LIVE:
                return True
        return False

    def stuck(self, point: Point, now: int) -> None:
        """Raise the alarm of a point whose value has not moved for too long."""
        if point.quality in ACTS and now - point.changed_ns > point.stuck_ns:
            self._alarms.raise_(
                _source(point),
                "stuck",
                kind="fault.stuck",
                priority=2,
                zone_id=self.zone_of(point),
                params=_facts(point),
                cause=CORE,
            )
        else:
            self._alarms.clear(_source(point), "stuck")


_LIVE = ACTS - {STALE}


def _key(point: Point) -> str:
    return f"readings.lost {point.entity_id}"


def _source(point: Point) -> str:
    return f"entity:{point.entity_id}"


def _facts(point: Point) -> dict[str, Value]:
    return {"name": point.declared.name, "quantity": point.declared.quantity}
