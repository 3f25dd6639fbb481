"""Who is named on which open permit, and who was last found in which zone.

Kept up to date before any listener hears of an event, so that a fact costs what its
own permit and zone hold, and not what the whole site does.
"""

from collections.abc import Iterable
from typing import NamedTuple

from core.hub import Hub
from core.journal.events import about
from core.people.events import OUTSIDE, PersonMoved
from core.permits.state import PermitRecord

_NOBODY: frozenset[str] = frozenset()


class Named(NamedTuple):
    """Hold what of a permit may matter to others: place, people, their duties."""

    zone_id: str
    people: frozenset[str]
    duties: tuple[object, ...]
    linked: tuple[str, ...]
    job: str


class Roster:
    """Answer by person and by zone; derived from the state, never journalled."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._permits: dict[str, set[str]] = {}
        """Person id → open permits that name them."""
        self._zones: dict[str, set[str]] = {}
        """Zone id → its open permits."""
        self._jobs: dict[str, set[str]] = {}
        """Job → its open permits."""
        self._links: dict[str, set[str]] = {}
        """Permit → the open permits that name it as linked."""
        self._named: dict[str, Named] = {}
        """Open permit → its zone and its people."""
        self._there: dict[str, set[str]] = {}
        """Zone id → who was last found there, certain or not."""
        self._place: dict[str, str] = {}
        self._passed: dict[str, tuple[str, ...]] = {}
        """Person id → the zones between which they moved last."""
        self._near: dict[str, tuple[Named, ...]] = {}
        """Permit id → its people and zone before and after its last change."""
        hub.derive((PersonMoved,), lambda body: self._move(body.person_id))
        hub.derive(about("permit_id"), lambda body: self._take(body.permit_id))

    def rebuild(self) -> None:
        """Derive everything anew, after a replay."""
        self._permits, self._zones, self._named = {}, {}, {}
        self._jobs, self._links = {}, {}
        self._there, self._place, self._near = {}, {}, {}
        for permit_id in self._hub.state.permits.permits:
            self._take(permit_id)
        self._near.clear()
        for person_id in self._hub.state.people.presence:
            self._move(person_id)

    # --- answers --------------------------------------------------------------

    def permits_of(self, people: Iterable[str]) -> set[str]:
        """Return the open permits that name any of these people."""
        return {p for each in people for p in self._permits.get(each, _NOBODY)}

    def named(self) -> Iterable[str]:
        """Return everybody whom an open permit names."""
        return self._permits.keys()

    def in_zone(self, zone_id: str) -> frozenset[str]:
        """Return the open permits of a zone."""
        return frozenset(self._zones.get(zone_id, _NOBODY))

    def of_job(self, job: str) -> list[PermitRecord]:
        """Return the open permits of a job; none of no job."""
        permits = self._hub.state.permits.permits
        return [permits[each] for each in sorted(self._jobs.get(job, _NOBODY))]

    def naming(self, permit_id: str) -> list[str]:
        """Return the open permits that name one as linked, in order."""
        return sorted(self._links.get(permit_id, _NOBODY))

    def working(self, person_id: str) -> bool:
        """Say whether a person is a worker on any open permit."""
        permits = self._hub.state.permits.permits
        mine = self._permits.get(person_id, _NOBODY)
        return any(person_id in permits[each].workers for each in mine)

    def last_in(self, zone_id: str) -> Iterable[str]:
        """Return who was last found in a zone, wherever they may be now."""
        return tuple(self._there.get(zone_id, _NOBODY))

    def passed(self, person_id: str) -> tuple[str, ...]:
        """Return the zones between which a person moved last."""
        return self._passed.get(person_id, ())

    def open(self) -> Iterable[PermitRecord]:
        """Return every open permit."""
        permits = self._hub.state.permits.permits
        return [permits[each] for each in self._named]

    def touched(self, permit_id: str) -> set[str]:
        """Return the open permits that share people or zone with a changed one."""
        found: set[str] = set()
        for named in self._near.pop(permit_id, ()):
            found |= self.permits_of(named.people)
            found |= self._zones.get(named.zone_id, _NOBODY)
        return found

    # --- events ---------------------------------------------------------------

    def _take(self, permit_id: str) -> None:
        permit = self._hub.state.permits.permits.get(permit_id)
        before = self._named.get(permit_id)
        after = None if permit is None or permit.ended else _names(permit)
        if before == after:
            return
        if after is not None:
            self._named[permit_id] = after
        else:
            del self._named[permit_id]
        both = tuple(each for each in (before, after) if each is not None)
        self._near[permit_id] = (*self._near.get(permit_id, ()), *both)
        if before is not None:
            for table, key in self._keys(before):
                _drop(table, key, permit_id)
        if after is not None:
            for table, key in self._keys(after):
                table.setdefault(key, set()).add(permit_id)

    def _keys(self, named: Named) -> Iterable[tuple[dict[str, set[str]], str]]:
        yield self._zones, named.zone_id
        for person_id in named.people:
            yield self._permits, person_id
        for permit_id in named.linked:
            yield self._links, permit_id
        if named.job:
            yield self._jobs, named.job

    def _move(self, person_id: str) -> None:
        presence = self._hub.state.people.presence.get(person_id)
        place = ""
        if presence is not None and presence.zone_id != OUTSIDE:
            place = presence.zone_id or presence.last_zone_id or ""
        before = self._place.get(person_id, "")
        self._passed[person_id] = tuple({before, place} - {""})
        if before == place:
            return
        self._place[person_id] = place
        _drop(self._there, before, person_id)
        if place:
            self._there.setdefault(place, set()).add(person_id)


def _names(permit: PermitRecord) -> Named:
    lead = (permit.supervisor_id,) if permit.supervisor_id else ()
    life = permit.life
    duties = (permit.guardian_id, *life.guardians), tuple(permit.workers)
    return Named(
        permit.zone_id,
        frozenset((*permit.people(), *lead)),
        (permit.status, life.job, life.company, *duties, tuple(life.trades.items())),
        tuple(permit.linked),
        life.job,
    )


def _drop(table: dict[str, set[str]], key: str, value: str) -> None:
    found = table.get(key)
    if found is not None:
        found.discard(value)
        if not found:
            del table[key]
