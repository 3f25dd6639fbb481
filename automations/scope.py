"""The names that a rule's expressions may use, and where their values come from."""

from functools import cached_property
from typing import TYPE_CHECKING

from automations.clockwork import local
from automations.watch_people import AT_WORK, permits_of
from core.api.quality import Quality
from core.api.reading import Value
from core.logic.state import RunRecord
from core.logic.truth import Truth
from core.permits.lifecycle import PermitStatus

if TYPE_CHECKING:
    from automations.compiled import Compiled
    from core.kernel import Kernel

NAMES: dict[str, str] = {
    "active_alarms": "number of active alarms in the subject's zone that match",
    "unacknowledged": "open alarms of the zone that nobody has acknowledged",
    "open_holds": "number of permits that this run held and that are still held",
    "evacuating": "true while an evacuation of the zone runs",
    "people_inside": "people in the zone; UNKNOWN while anybody's place is uncertain",
    "triggered": "true while a level trigger of the rule holds for the subject",
    "permits_in_force": "permits of the subject's zone by which work may go on",
    "permit_open": "true while the permit that the run is about is not over",
    "hour": "local time of day in hours: 22.5 is half past ten; UNKNOWN if untrusted",
    "weekday": "1 is Monday … 7 is Sunday; UNKNOWN while the clock is untrusted",
    "trigger_kind": "kind of the alarm or event that started the run",
    "trigger_priority": "its priority: 1 critical … 4 advice",
    "trigger_value": "its measured value, where it has one",
}

Known = tuple[Value, int]
_UNKNOWN: Known = (None, Quality.NOT_PRESENT)
GOOD = int(Quality.GOOD)


def depending(kernel: "Kernel", subject: str) -> list[str]:
    """Return the permits in force that may depend on a rule's subject.

    A subject whose place nobody knows may be anywhere: then it is all of them.
    """
    kind, _, number = subject.partition(":")
    state = kernel.hub.state
    permits = [p for p in state.permits.permits.values() if not p.ended]
    if kind == "permit":
        return [permit.id for permit in permits if permit.id == number]
    zone = _place(kernel, kind, number)
    found = [
        permit.id
        for permit in permits
        if permit.zone_id == zone or (kind == "person" and number in permit.workers)
    ]
    return found if zone is not None or found else [permit.id for permit in permits]


def place(kernel: "Kernel", subject: str) -> str | None:
    """Return the zone that a subject is in, or was last known in; None: nobody knows.

    A person's is where the fix was, a permit's is its own.
    """
    kind, _, number = subject.partition(":")
    if kind == "zone":
        return number
    if kind == "permit":
        permit = kernel.hub.state.permits.permits.get(number)
        return permit.zone_id if permit else None
    return _place(kernel, kind, number)


def _place(kernel: "Kernel", kind: str, number: str) -> str | None:
    if kind == "zone":
        return number
    if kind == "site":
        return None
    if kind == "person":
        presence = kernel.people.where(number)
        return (presence.zone_id or presence.last_zone_id) if presence else None
    registry = kernel.registry
    device = registry.device_of(number) if kind == "entity" else registry.device(number)
    return device.zone_id if device else None


class Scope:
    """Answer names for one rule and subject: (value, quality)."""

    def __init__(
        self,
        kernel: "Kernel",
        rule: "Compiled",
        subject: str,
        params: dict[str, Value],
        run: RunRecord | None,
    ) -> None:
        self._kernel = kernel
        self._rule = rule
        self._params = params
        self._run = run
        self._subject = subject

    @cached_property
    def _zone(self) -> str | None:
        return place(self._kernel, self._subject)

    def __call__(self, name: str) -> Known:
        """Return a name's value and quality; not GOOD makes the answer UNKNOWN."""
        source = self._rule.sources.get(name)
        if source is not None:
            return source(self._zone)
        if name.startswith("trigger_"):
            value = self._params.get(name)
            return (value, Quality.GOOD) if value is not None else _UNKNOWN
        found: Known = getattr(self, f"_{name}")()
        return found

    def _active_alarms(self) -> Known:
        return self._rule.active(self._kernel).get(self._subject, 0), Quality.GOOD

    def _unacknowledged(self) -> Known:
        here = self._kernel.hub.state.alarms.places.at(self._zone)
        return sum(not each.acknowledged for each in here), Quality.GOOD

    def _open_holds(self) -> Known:
        permits = self._kernel.hub.state.permits.permits
        source = f"rule:{self._rule.id}"
        held = [
            permit_id
            for permit_id in set(self._run.holds if self._run else ())
            if permit_id in permits
            and permits[permit_id].status is not PermitStatus.CLOSED
            and any(h.hold.source == source for h in permits[permit_id].holds.values())
        ]
        return len(held), Quality.GOOD

    def _evacuating(self) -> Known:
        running = self._kernel.evacuations.running(self._zone)
        return bool(running), Quality.GOOD

    def _people_inside(self) -> Known:
        people, site = self._kernel.people, self._kernel.site
        zones = [self._zone] if self._zone else [zone.id for zone in site.zones()]
        lines = people.inside(zones)
        if any(not line.certain for line in lines):
            return _UNKNOWN
        if not lines and any(people.may_be_inside(zone) for zone in zones):
            return _UNKNOWN
        return len(lines), Quality.GOOD

    def _triggered(self) -> Known:
        truth = self._rule.standing(self._subject)
        return _UNKNOWN if truth is Truth.UNKNOWN else (truth is Truth.TRUE, GOOD)

    def _permits_in_force(self) -> Known:
        return len(list(permits_of(self._kernel, self._zone, AT_WORK))), GOOD

    def _permit_open(self) -> Known:
        kind, _, number = self._subject.partition(":")
        permit = self._kernel.hub.state.permits.permits.get(number)
        if kind != "permit":
            return _UNKNOWN
        return permit is not None and not permit.ended, GOOD

    def _hour(self) -> Known:
        now = local(self._kernel)
        return (now.hour + now.minute / 60.0, GOOD) if now else _UNKNOWN

    def _weekday(self) -> Known:
        now = local(self._kernel)
        return (now.isoweekday(), GOOD) if now else _UNKNOWN
