"""The geometry engine: which works stand too near each other, or to a hazard.

Only the worker imports it. A change is measured against its neighbours alone,
which an index finds; `everything` does the same without one, for the tests.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import numpy as np
import shapely
from shapely import STRtree

from core.geometry import measure
from core.geometry.measure import Body, Box
from core.geometry.shapes import (
    ENCLOSURES,
    HAZARD,
    Area,
    Found,
    Hazard,
    Pair,
    Rule,
    Work,
)

#: Pairs of one work that are told; of the others only how many.
KEPT: Final = 20
#: Works beside the index before it is made anew.
LOOSE: Final = 64
#: A count that says: could not be measured, so unknown.
UNMEASURED: Final = -1
ANY: Final = "any_work"

Known = dict[str, tuple[Pair, ...]]
_BAD = (shapely.errors.ShapelyError, ValueError)


class Engine:
    """Hold the plan's hazards and all works; tell whose pairs a change touched."""

    def __init__(self) -> None:
        self.begin({}, {})

    def begin(
        self, levels: Mapping[str, float], rules: Mapping[str, tuple[Rule, ...]]
    ) -> None:
        """Forget everything; take the levels' heights and the lists of rules."""
        self._levels = dict(levels)
        self._rules = {
            (name, rule.work): tuple(r for r in listed if r.work == rule.work)
            for name, listed in rules.items()
            for rule in listed
        }
        reaches = [measure.reach(r) for listed in rules.values() for r in listed]
        self._reach = max(reaches, default=0.0) + measure.SLACK_M
        self._works: dict[str, Work] = {}
        self._bodies: dict[str, Body] = {}
        self._hazards: dict[str, tuple[str, Body]] = {}
        """Name → kind and body."""
        self._enclosures: dict[str, Body] = {}
        self._pairs: dict[str, Known] = {}
        """Work → who it has pairs with → which; hazards have no entry of their own."""
        self._groups: dict[str, set[str]] = {}
        self._index, self._dangers = _Index(), _Index()

    def furnish(self, hazards: Iterable[Hazard]) -> None:
        """Add hazards of the plan; tell them before the works."""
        for hazard in hazards:
            area = Area(
                level=hazard.level,
                shape=hazard.shape,
                z_low_m=hazard.z_low_m,
                z_high_m=hazard.z_high_m,
            )
            name = f"{HAZARD}{hazard.id}"
            made = measure.body(name, area, self._levels, frozenset())
            if hazard.kind in ENCLOSURES:
                self._enclosures[name] = made
            else:
                self._hazards[name] = hazard.kind, made
                self._dangers.add(name, made.box())

    def update(self, changed: Iterable[Work], gone: Iterable[str]) -> list[Found]:
        """Take changed and ended works; return everybody whose pairs that touched."""
        changed = list(changed)
        touched: set[str] = set()
        for name in [*gone, *(work.id for work in changed)]:
            touched |= self._forget(name)
        bad = [work.id for work in changed if not self._enter(work)]
        for work in changed:
            if work.id in self._bodies:
                touched |= self._judge(work)
        touched |= {work.id for work in changed}
        found = [self.of(name) for name in sorted(touched & self._works.keys())]
        return found + [Found(name, UNMEASURED) for name in bad]

    def of(self, name: str) -> Found:
        """Return how a work stands now."""
        pairs = [pair for known in self._pairs[name].values() for pair in known]
        return Found(name, len(pairs), tuple(sorted(pairs)[:KEPT]))

    def everything(self) -> set[Pair]:
        """Return every pair, found without an index or what is remembered."""
        return {pair for name in self._works for pair in self.against_all(name)}

    def against_all(self, name: str) -> set[Pair]:
        """Return the pairs of one work, measured against all others and hazards."""
        work = self._works[name]
        found = set(self._beside(work, self._hazards))
        for other in self._works.values():
            if other.id != name:
                found.update(self._between(work, other))
        return found

    def pairs(self) -> set[Pair]:
        """Return every pair that is remembered."""
        return {
            pair
            for known in self._pairs.values()
            for pairs in known.values()
            for pair in pairs
        }

    # --- inside ---------------------------------------------------------------

    def _forget(self, name: str) -> set[str]:
        """Take a work out; return whose pairs that changed."""
        self._works.pop(name, None)
        body = self._bodies.pop(name, None)
        if body is None:
            return set()
        self._index.remove(name)
        for group in self._keys(body):
            self._groups[group].discard(name)
            if not self._groups[group]:
                del self._groups[group]
        others = self._pairs.pop(name).keys() & self._pairs.keys()
        for other in others:
            del self._pairs[other][name]
        return set(others)

    def _enter(self, work: Work) -> bool:
        """Take a work in; False where it cannot be measured."""
        try:
            made = measure.body(work.id, work.area, self._levels, frozenset())
            groups = {
                name
                for name, room in self._enclosures.items()
                if measure.same_floor(made, room) and not made.foot.away(room.foot)
            }
        except _BAD:
            return False
        made = made._replace(groups=frozenset(groups | {f"zone:{work.zone}"}))
        self._works[work.id], self._bodies[work.id] = work, made
        self._pairs[work.id] = {}
        for group in self._keys(made):
            self._groups.setdefault(group, set()).add(work.id)
        self._index.add(work.id, made.box())
        return True

    def _keys(self, made: Body) -> Iterator[str]:
        yield from made.groups
        if made.line:
            yield f"line:{made.line}"

    def _judge(self, work: Work) -> set[str]:
        """Measure a work against all that may be near; return whom it has pairs with.

        Those of one zone, dyke or pipe are near each other wherever they are.
        """
        made = self._bodies[work.id]
        box = made.box(self._reach)
        others = self._index.near(box)
        for group in self._keys(made):
            others |= self._groups[group]
        others.discard(work.id)
        mine = self._pairs[work.id]
        for other in others:
            pairs = tuple(self._between(work, self._works[other]))
            if pairs:
                mine[other] = self._pairs[other][work.id] = pairs
        met = set(mine) & self._works.keys()
        for pair in self._beside(work, self._dangers.near(box)):
            mine[pair.other] = (*mine.get(pair.other, ()), pair)
        return met

    def _between(self, one: Work, two: Work) -> Iterator[Pair]:
        if one.from_ns < two.to_ns and two.from_ns < one.to_ns:
            yield from self._directed(one, two)
            yield from self._directed(two, one)

    def _directed(self, work: Work, other: Work) -> Iterator[Pair]:
        names = (other.family, *other.area.also)
        kin = other.id in work.linked or work.id in other.linked
        for rule in self._ruled(work):
            # Another work is one of another job; what it does is forbidden anyhow.
            named = rule.other in names or (rule.other == ANY and not kin)
            if named:
                yield from self._pair(work, rule, self._bodies[other.id])

    def _beside(self, work: Work, hazards: Iterable[str]) -> Iterator[Pair]:
        rules = tuple(self._ruled(work))
        for name in hazards:
            kind, made = self._hazards[name]
            for rule in rules:
                if rule.other == kind:
                    yield from self._pair(work, rule, made)

    def _ruled(self, work: Work) -> Iterator[Rule]:
        for family in dict.fromkeys((work.family, *work.area.also)):
            yield from self._rules.get((work.rules, family), ())

    def _pair(self, work: Work, rule: Rule, other: Body) -> Iterator[Pair]:
        found = measure.near(rule, self._bodies[work.id], other)
        if found is not None:
            measured, needed = (round(metres, 3) for metres in found)
            yield Pair(work.rules, rule.id, work.id, other.id, measured, needed)


class _Index:
    """Find boxes: a tree, and beside it what has changed since it was made."""

    def __init__(self) -> None:
        self._boxes: dict[str, Box] = {}
        self._loose: set[str] = set()
        self._names: list[str] = []
        self._tree: STRtree | None = None

    def add(self, name: str, box: Box) -> None:
        """Take a box in."""
        self._boxes[name] = box
        self._loose.add(name)

    def remove(self, name: str) -> None:
        """Take a box out; its place in the tree is void, also when it comes back."""
        del self._boxes[name]
        self._loose.add(name)

    def near(self, box: Box) -> set[str]:
        """Return the names of the boxes that touch one."""
        if len(self._loose) > LOOSE:
            self._plant()
        found: set[str] = set()
        if self._tree is not None:
            hits = self._tree.query(shapely.box(*box)).tolist()
            found = {self._names[hit] for hit in hits} - self._loose
        beside = self._loose & self._boxes.keys()
        return found | {name for name in beside if _touch(self._boxes[name], box)}

    def _plant(self) -> None:
        self._names = list(self._boxes)
        boxes = np.array(list(self._boxes.values()), dtype=float).reshape(-1, 4)
        self._tree = STRtree(shapely.box(*boxes.T))
        self._loose.clear()


def _touch(one: Box, two: Box) -> bool:
    return (
        one[0] <= two[2] and two[0] <= one[2] and one[1] <= two[3] and two[1] <= one[3]
    )
