"""Simultaneous work: what stands too near a permit's work, and what that means.

The worker measures; which pair counts, and which a protection lifts, is judged here
from the state of now (GB 30871 4.7). What nobody knows is absent, which refuses.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from core.alarms.alarms import Alarms
from core.api.errors import Refused
from core.api.reading import Value
from core.clock import NS
from core.geometry.shapes import HAZARD, Area, Pair, Rule, Work, drawn
from core.hub import Hub
from core.journal.envelope import Cause
from core.journal.events import about
from core.link import messages as m
from core.names import Names
from core.people.people import People
from core.permits.areas import read_area
from core.permits.conflicts_acts import ShowConflicts
from core.permits.lifecycle import PermitStatus
from core.permits.pack import Distance, Kind, Pack
from core.permits.packs import Packs
from core.permits.state import PermitRecord
from core.permits.survey import Ground, Survey
from core.permits.under import AT_WORK, Under

#: A worker that is needed and does not come on for so long is started afresh: a fault.
HUNG_S: Final = 15.0
_FOR_EVER: Final = (1 << 63) - 1
#: Not signed by everybody yet: it gives way, and holds up nobody else.
_DRAFTS: Final = (PermitStatus.BOOKED, PermitStatus.APPLIED, PermitStatus.ANALYSED)
#: Nothing is left of the work.
_OVER: Final = (PermitStatus.ACCEPTED, PermitStatus.REJECTED, PermitStatus.CLOSED)
_PLANNED: Final = (
    *_DRAFTS,
    *(PermitStatus.APPROVED, PermitStatus.BRIEFED),
    *(PermitStatus.ACTIVE, PermitStatus.HELD, PermitStatus.VERIFYING),
)
#: A protection as a distance names it → the fact that says it is there.
_SAID: Final = {"isolated": "equipment_isolated", "hand_digging": "hand_digging"}
_SOURCE: Final = "hub:geometry"

Values = dict[str, Value]
Tell = Callable[[PermitRecord, Kind, Pack, frozenset[str]], Values]


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """One pair as it is shown: the rule, how near it is, and both shapes."""

    rule: str
    names: Names
    clause: str
    work: str
    other: str
    """A permit's id, ``hazard:<id>`` or ``person:<id>``."""
    shape: str
    measured_m: float
    needed_m: float
    unless: str
    """The protection that lifts it where both state it; '': none does."""
    counts: bool
    """False: lifted, or the other one has to give way."""
    work_shape: dict[str, object]
    other_shape: dict[str, object] = {}


class Conflicts:
    """Tell how many conflicts a permit has, and which; absent is UNKNOWN."""

    names: Final = frozenset({"conflicts"})

    def __init__(self, hub: Hub, packs: Packs, people: People, alarms: Alarms) -> None:
        self._hub, self._packs, self._alarms = hub, packs, alarms
        self.changed: Callable[[Iterable[str]], None] = lambda _permits: None
        """Who hears of permits whose answer may have changed."""
        self.tell: Tell = _declared
        """Who knows the facts that say whether a protection is there."""
        self.restart: Callable[[], None] = lambda: None
        """Who starts a silent worker afresh."""
        self._under = Under(people)
        self._survey = Survey(
            hub, self._ground, self._everything, self._work, self._tell_changed
        )
        self._distances: dict[tuple[str, str], Distance] = {}
        self._clear: dict[tuple[str, str], Distance] = {}
        """Version and family → the distance that keeps people from under it."""
        self._lived = False
        self._well_ns = 0
        hub.derive(about("permit_id"), self._happened)
        people.access.bind(ShowConflicts, self._show)

    # --- room -----------------------------------------------------------------

    def arm(self) -> None:
        """Begin anew: levels, hazards or distances may be others."""
        self._survey.void()

    def recover(self, clean: bool) -> None:
        """Begin with the permits that the journal tells of."""
        self._well_ns = self._hub.clock.mono_ns()
        self._survey.void()

    def tick(self) -> None:
        """Look whether the worker still answers, and who stands under a load."""
        changed = self._under.look(self._swept())
        lives = self._survey.lives()
        if lives != self._lived:
            self._lived = lives
            changed |= set(self._everything())
        self._watch(lives)
        if changed:
            self.changed(sorted(changed))

    @property
    def wanted(self) -> bool:
        """Say whether a pack in force has distances, so that a worker is needed."""
        return any(pack.distances for pack in self._hub.bundle.packs)

    def _watch(self, lives: bool) -> None:
        now = self._hub.clock.mono_ns()
        if lives or not self.wanted:
            self._well_ns = now
            self._alarms.clear(_SOURCE, "silent")
        # One that is only behind is left to its work.
        elif now - max(self._well_ns, self._survey.moved_ns) >= int(HUNG_S * NS):
            self._well_ns = now
            why: Values = {"host": "geometry", "why": "silent"}
            self._alarms.raise_(
                _SOURCE, "silent", kind="fault.host", priority=2, params=why
            )
            self.restart()

    # --- the worker -----------------------------------------------------------

    def hello(self, peer: str) -> None:
        """Hear that the worker opened its session."""
        self._survey.hello(peer)

    def lost(self, peer: str) -> None:
        """Hear that a link ended: what the worker said is worth nothing now."""
        if self._survey.lost(peer):
            self._hub.after(0.0, "conflicts.lost", self.tick)

    def receive(self, peer: str, message: m.Checked) -> None:
        """Take the worker's answer."""
        self._survey.receive(peer, message)

    def _happened(self, body: Any) -> None:
        if body.permit_id:
            self._survey.mark(body.permit_id)

    def _tell_changed(self, permits: Iterable[str]) -> None:
        self.changed(permits)

    # --- answers --------------------------------------------------------------

    def facts(self, permit: PermitRecord, kind: Kind, pack: Pack) -> Values:
        """Return the number of conflicts that stand against a permit, if known."""
        count = self.count(permit)
        return {} if count is None else {"conflicts": count}

    def count(self, permit: PermitRecord) -> int | None:
        """Return how many conflicts stand against a permit; None: nobody knows."""
        found = self._survey.found(permit.id)
        if found is None:
            return None
        beyond = found.count - len(found.pairs)
        here = sum(self._counts(permit, pair) for pair in found.pairs)
        return here + beyond + len(self._under.seen(permit.id))

    def known(self, permit_id: str) -> bool:
        """Say whether a permit was measured as it is now, by a worker that lives."""
        return self._survey.found(permit_id) is not None

    def of(self, permit_id: str) -> list[Conflict]:
        """Return what was found of a permit, what counts first; see `known`."""
        permit = self._get(permit_id)
        found = self._survey.found(permit_id)
        if permit is None or found is None:
            return []
        shown = [self._shown(permit, pair) for pair in found.pairs]
        shown += self._shown_people(permit)
        return sorted(shown, key=lambda each: (not each.counts, each.rule, each.other))

    def _get(self, permit_id: str) -> PermitRecord | None:
        return self._hub.state.permits.permits.get(permit_id)

    def _counts(self, permit: PermitRecord, pair: Pair) -> bool:
        """Say whether a pair stands against a permit; what is unknown does."""
        distance = self._distances.get((pair.rules, pair.rule))
        other_id = pair.work if pair.other == permit.id else pair.other
        other = self._get(other_id)
        if other is not None and other.status in _DRAFTS and other.life.pack:
            return False
        if distance is None or not distance.unless:
            return True
        both = [permit] if other is None else [permit, other]
        return not all(self._protected(each, distance.unless) for each in both)

    def _protected(self, permit: PermitRecord, word: str) -> bool:
        work = self._survey.work(permit.id)
        stated = work.area.protections if work else ()
        if word in stated or (word == "protective_layer" and "double_layer" in stated):
            return True
        fact, ruled = _SAID.get(word), self._packs.kind(permit)
        if fact is None or ruled is None:
            return False
        asked = frozenset({fact})
        return self.tell(permit, ruled.kind, ruled.pack, asked).get(fact) is True

    # --- people ---------------------------------------------------------------

    def _swept(self) -> Iterator[tuple[str, Area]]:
        """Yield the works that go on and that nobody may be under."""
        for permit_id in self._survey.works():
            permit, work = self._get(permit_id), self._survey.work(permit_id)
            if permit is None or work is None or permit.status not in AT_WORK:
                continue
            if (work.rules, work.family) in self._clear:
                yield permit_id, work.area

    # --- showing --------------------------------------------------------------

    def _shown(self, permit: PermitRecord, pair: Pair) -> Conflict:
        distance = self._distances.get((pair.rules, pair.rule))
        swept = distance is not None and distance.shape == "swept"
        return Conflict(
            rule=pair.rule,
            names=distance.names if distance else Names(zh=pair.rule, en=pair.rule),
            clause=distance.clause if distance else "",
            work=pair.work,
            other=pair.other,
            shape=distance.shape if distance else "",
            measured_m=pair.measured_m,
            needed_m=pair.needed_m,
            unless=distance.unless if distance else "",
            counts=self._counts(permit, pair),
            work_shape=self._drawn(pair.work, swept=swept),
            other_shape=self._drawn(pair.other, swept=False),
        )

    def _shown_people(self, permit: PermitRecord) -> Iterator[Conflict]:
        work = self._survey.work(permit.id)
        distance = self._clear.get((work.rules, work.family)) if work else None
        if distance is None:
            return
        for person_id in self._under.seen(permit.id):
            yield Conflict(
                rule=distance.id,
                names=distance.names,
                clause=distance.clause,
                work=permit.id,
                other=f"person:{person_id}",
                shape=distance.shape,
                measured_m=0.0,
                needed_m=0.0,
                unless="",
                counts=True,
                work_shape=self._drawn(permit.id, swept=True),
            )

    def _drawn(self, name: str, *, swept: bool) -> dict[str, object]:
        if name.startswith(HAZARD):
            hazards = {each.id: each for each in self._hub.bundle.site.hazards}
            hazard = hazards.get(name.removeprefix(HAZARD))
            return drawn(hazard.shape) if hazard else {}
        work = self._survey.work(name)
        if work is None:
            return {}
        area = work.area
        return drawn(area.swept if swept and area.swept else area.shape)

    def _show(
        self, _actor: str, act: ShowConflicts, _version: int | None, _cause: Cause
    ) -> Values:
        permit = self._get(act.permit_id)
        if permit is None:
            raise Refused("permit.unknown", permit=act.permit_id)
        count, shown = self.count(permit), self.of(permit.id)
        told = msgspec.json.encode(shown).decode()
        return {"known": count is not None, "count": count, "conflicts": told}

    # --- what the worker is told ----------------------------------------------

    def _ground(self) -> Ground:
        site = self._hub.bundle.site
        permits = self._hub.state.permits.permits.values()
        rules: dict[str, list[Rule]] = {"": []}
        self._distances.clear()
        self._clear.clear()
        for version in {permit.life.pack for permit in permits} - {""}:
            pack = self._packs.pack(version)
            rules[version] = []
            for each in pack.distances if pack is not None else ():
                self._distances[version, each.id] = each
                if (each.other, each.shape) == ("people", "swept"):
                    self._clear[version, each.work] = each
                rules[version].append(as_rule(each))
        levels = {level.id: level.z_m for level in site.levels}
        return Ground(levels, rules, site.hazards)

    def _everything(self) -> list[str]:
        return list(self._hub.state.permits.permits)

    def _work(self, permit_id: str) -> Work | None:
        """Return a permit as a work; None where it is over or cannot be described."""
        permit = self._get(permit_id)
        if permit is None or permit.ended or permit.status in _OVER:
            return None
        ruled = self._packs.kind(permit) if permit.life.pack else None
        zones = self._hub.bundle.site.zones
        zone = next((zone for zone in zones if zone.id == permit.zone_id), None)
        try:
            area = read_area(permit.life.area, zone)
        except ValueError:
            return None
        from_ns, to_ns = _window(permit)
        return Work(
            id=permit.id,
            rules=permit.life.pack,
            family=ruled.kind.family if ruled else permit.kind,
            zone=permit.zone_id,
            area=area,
            from_ns=from_ns,
            to_ns=to_ns,
            linked=tuple(permit.linked),
        )


def _window(permit: PermitRecord) -> tuple[int, int]:
    """Return from when to when people may be at work, wall ns."""
    life = permit.life
    if not life.pack:
        return permit.issued_wall_ns, _FOR_EVER
    begin = life.from_wall_ns
    if life.started is not None:
        begin = min(begin, life.started.start_wall_ns)
    # Past its end it lasts until it is accepted: somebody may still be there.
    return begin, life.to_wall_ns if permit.status in _PLANNED else _FOR_EVER


def as_rule(each: Distance) -> Rule:
    """Return a distance without its words, as the worker needs it."""
    return Rule(
        id=each.id,
        work=each.work,
        other=each.other,
        shape=each.shape,
        metres=each.metres,
        vertical=each.vertical,
        from_height_m=each.from_height_m,
    )


def _declared(
    permit: PermitRecord, _kind: Kind, _pack: Pack, asked: frozenset[str]
) -> Values:
    said = permit.life.declared
    return {name: said[name].value for name in asked & said.keys()}
