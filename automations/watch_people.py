"""People in zones as level triggers: how long, how many, how close together.

Whom nobody can place counts where that person was last seen: never as outside.
"""

import math
from collections.abc import Collection, Iterable, Iterator

from automations.selecting import (
    Catalogue,
    Lacking,
    kind_of,
    named_zones,
    number,
    words,
)
from automations.watching import FALSE, Interval, Judged, Params
from core.api.model import EntityKind
from core.clock import NS
from core.config import Trigger
from core.kernel import Kernel
from core.logic.truth import Truth, all_of, any_of
from core.permits.state import PermitRecord

#: Permits by which somebody is in a zone with leave, and those of work under way.
NAMED = frozenset({"active", "verifying", "held"})
AT_WORK = frozenset({"active", "verifying"})
#: Distance in metres within which people are together (AQ 3064.3 gathering).
TOGETHER_M = 15.0


class Who:
    """Choose people: by role, and by whether a permit names them."""

    def __init__(self, kernel: Kernel, trigger: Trigger) -> None:
        self._kernel = kernel
        self._roles = frozenset(words(trigger, "role"))
        self._permit = str(trigger.fields.get("permit", ""))

    def fits(self, person_id: str, zone_id: str) -> bool:
        """Say whether a person is meant, in a zone."""
        roles = self._kernel.access.roles(person_id)
        if self._roles and not self._roles & roles:
            return False
        if not self._permit:
            return True
        named = any(
            person_id in _people_of(permit)
            for permit in permits_of(self._kernel, zone_id, NAMED)
        )
        return named is (self._permit == "any")


class PresenceWatch:
    """Watch people in zones; one level a person or a zone."""

    def __init__(self, kernel: Kernel, trigger: Trigger) -> None:
        self._kernel, self.trigger = kernel, trigger
        self._event = str(trigger.fields["event"])
        self._who = Who(kernel, trigger)
        self._above, self._below = number(trigger, "above"), number(trigger, "below")
        self._together_m = number(trigger, "within") or TOGETHER_M
        self._at_work = trigger.fields.get("while") == "permit"

    def resolve(self, catalogue: Catalogue) -> list[Lacking]:
        """Find the zones that the plan no longer has."""
        zones = named_zones(self.trigger)
        known = [zone for zone in zones if self._kernel.site.zone(zone) is not None]
        if zones and not known:
            return [Lacking(None, "none")]
        return [Lacking(zone, "none") for zone in zones if zone not in known]

    def subjects(self) -> Iterable[str]:
        """Return the zones, or the people who are or were last in them."""
        if self.trigger.subject == "site":
            return ["site"]
        if self.trigger.subject == "zone":
            return [f"zone:{zone}" for zone in self._zones()]
        zones = set(self._zones())
        presence = self._kernel.hub.state.people.presence
        return [
            f"person:{person}"
            for person, where in presence.items()
            if (where.zone_id or where.last_zone_id) in zones
        ]

    def _zones(self) -> list[str]:
        zones = named_zones(self.trigger)
        return list(zones) or [zone.id for zone in self._kernel.site.zones()]

    def judge(self, subject: str, *, held: bool) -> Judged:
        """Say how it stands for a person, a zone or the site."""
        if subject.startswith("person:"):
            return self._person(subject.removeprefix("person:"))
        zones = self._zones() if subject == "site" else [subject.removeprefix("zone:")]
        if self._event == "dwell":
            return self._anybody(zones)
        zones = [zone for zone in zones if self._matters(zone)]
        if not zones:
            return FALSE
        if self.trigger.fields.get("around"):
            site = self._kernel.site
            near = [each for zone in zones for each in sorted(site.neighbours(zone))]
            zones = list(dict.fromkeys([*zones, *near]))
        found = self._together(zones) if self._event == "gather" else self._count(zones)
        params: Params = {
            "trigger_kind": kind_of(self.trigger, self._event),
            "trigger_value": int(found[0]),
            "source": subject,
            "value": int(found[0]),
            "uncertain": int(found[1] - found[0]),
            "limit": self._above if self._above is not None else self._below,
        }
        return Judged(self._beyond(found), params)

    def _matters(self, zone_id: str) -> bool:
        return not self._at_work or any(permits_of(self._kernel, zone_id, NAMED))

    # --- one person ---------------------------------------------------------------

    def _person(self, person_id: str) -> Judged:
        people, clock = self._kernel.people, self._kernel.hub.clock
        presence, zone = people.where(person_id), people.found(person_id)
        places = [zone] if zone is not None else people.may_be_in(person_id)
        place = next((each for each in places if each in self._zones()), None)
        if place is None:
            return FALSE
        if not self._who.fits(person_id, place) or not self._matters(place):
            return FALSE
        since = clock.mono_ns()
        if presence is not None:
            since -= max(clock.wall_ns() - presence.since_wall_ns, 0)
        return Judged(
            Truth.UNKNOWN if zone is None else Truth.TRUE,
            {
                "trigger_kind": kind_of(self.trigger, self._event),
                "trigger_value": round((clock.mono_ns() - since) / NS),
                "source": f"person:{person_id}",
                "person": person_id,
                "zone": place,
            },
            "" if zone is not None else "place",
            since if clock.synced() else None,
        )

    def _anybody(self, zones: list[str]) -> Judged:
        lines = self._kernel.people.inside(zones)
        judged = [self._person(line.person_id) for line in lines]
        if not judged:
            return FALSE
        truth = any_of([each.truth for each in judged])
        first = [each for each in judged if each.truth is truth]
        return min(first, key=lambda each: each.since_ns or 0)

    # --- many people --------------------------------------------------------------

    def _beyond(self, found: Interval) -> Truth:
        """Judge a count: above is more than, below is fewer than."""
        low, high = found
        sides = []
        if self._above is not None:
            sides.append(_between(low > self._above, high <= self._above))
        if self._below is not None:
            sides.append(_between(high < self._below, low >= self._below))
        return all_of(sides)

    def _meant(self, zones: list[str]) -> list[tuple[str, str, bool]]:
        return [
            (line.person_id, line.zone_id, line.certain)
            for line in self._kernel.people.inside(zones)
            if line.zone_id is not None and self._who.fits(line.person_id, line.zone_id)
        ]

    def _count(self, zones: list[str]) -> Interval:
        meant = self._meant(zones)
        sure = sum(certain for _, _, certain in meant)
        return float(sure), float(len(meant))

    def _together(self, zones: list[str]) -> Interval:
        meant = self._meant(zones)
        places = [self._place(person) for person, _, _ in meant]
        known = [place for place in places if place is not None]
        most = max((self._near(place, known) for place in known), default=0)
        return float(most), float(most + len(meant) - len(known))

    def _near(
        self, place: tuple[float, float, float], known: list[tuple[float, float, float]]
    ) -> int:
        return sum(math.dist(place, other) <= self._together_m for other in known)

    def _place(self, person_id: str) -> tuple[float, float, float] | None:
        presence = self._kernel.people.where(person_id)
        entity = self._kernel.registry.entity(presence.source) if presence else None
        if entity is None or entity.declared.kind is not EntityKind.LOCATION:
            return None
        reading = self._kernel.readings.get(entity.id)
        if self._kernel.people.found(person_id) is None:
            return None
        try:
            x, y, z = (float(part) for part in str(reading.value).split(","))
        except ValueError:
            return None
        return x, y, z


def _between(sure: bool, never: bool) -> Truth:
    if sure:
        return Truth.TRUE
    return Truth.FALSE if never else Truth.UNKNOWN


def permits_of(
    kernel: Kernel, zone_id: str | None, statuses: frozenset[str]
) -> Iterator[PermitRecord]:
    """Yield the permits of a zone (None: of the site) that have one of the statuses."""
    for permit in kernel.hub.state.permits.permits.values():
        if (zone_id is None or permit.zone_id == zone_id) and permit.status in statuses:
            yield permit


def is_kind(kernel: Kernel, permit: PermitRecord, kinds: Collection[str]) -> bool:
    """Say whether a permit is of one of the kinds, or of a family such as ``hot``."""
    if not kinds or permit.kind in kinds:
        return True
    ruled = kernel.packs.kind(permit) if permit.life.pack else None
    return ruled is not None and ruled.kind.family in kinds


def _people_of(permit: PermitRecord) -> set[str]:
    return {*permit.people(), permit.supervisor_id}
