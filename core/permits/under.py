"""Who is seen under a load or in a machine's swing: evidence of a breach alone.

That nobody is seen proves nothing, for not everybody wears a tag: the statement
that the area is clear stays a person's.
"""

import math
from collections.abc import Iterable

from core.api.quality import NEVER_ACTS
from core.api.reading import Value
from core.geometry.shapes import Area, Disc, Point, Polygon
from core.people.events import OUTSIDE
from core.people.people import People
from core.permits.lifecycle import PermitStatus
from core.site.site import contains

#: Work goes on, or is about to; at other times people may stand there.
AT_WORK = (
    *(PermitStatus.BRIEFED, PermitStatus.ACTIVE),
    *(PermitStatus.HELD, PermitStatus.VERIFYING),
)


class Under:
    """Remember per permit whose tag was last read in what its work sweeps."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._seen: dict[str, tuple[str, ...]] = {}

    def look(self, swept: Iterable[tuple[str, Area]]) -> set[str]:
        """Look anew; return the permits whose answer changed. Once a second (R1)."""
        swept = list(swept)
        places = self._places() if swept else {}
        seen = {
            permit_id: found
            for permit_id, area in swept
            if (found := tuple(sorted(p for p in places if _in(area, places[p]))))
        }
        before, self._seen = self._seen, seen
        names = before.keys() | seen.keys()
        return {name for name in names if before.get(name) != seen.get(name)}

    def seen(self, permit_id: str) -> tuple[str, ...]:
        """Return who was last seen there, also when the fix has grown old since."""
        return self._seen.get(permit_id, ())

    def _places(self) -> dict[str, Point]:
        """Return where people are seen, by a fix of any quality that may act."""
        found: dict[str, tuple[int, Point]] = {}
        for entity_id, person_id in self._people.wearers().items():
            fix = self._people.readings.get(entity_id)
            place = _place(fix.value)
            if place is None or fix.quality in NEVER_ACTS:
                continue
            newer = person_id not in found or fix.received_ns > found[person_id][0]
            if newer and self._people.found(person_id) != OUTSIDE:
                found[person_id] = fix.received_ns, place
        return {person_id: place for person_id, (_, place) in found.items()}


def _place(value: Value) -> Point | None:
    """Return x and y of a fix "x,y,z"; None for a zone's id or anything else."""
    try:
        x, y, _ = (float(part) for part in str(value).split(","))
    except ValueError:
        return None
    return (x, y) if math.isfinite(x) and math.isfinite(y) else None


def _in(area: Area, place: Point) -> bool:
    if area.swept is not None:
        return area.swept.covers(*place)
    if isinstance(area.shape, Disc):
        return math.dist(area.shape.at, place) <= area.shape.radius_m
    return isinstance(area.shape, Polygon) and contains(area.shape.points, *place)
