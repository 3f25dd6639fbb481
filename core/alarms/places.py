"""Where the open alarms are: an index of the records that the folds keep.

Whoever asks about one zone pays for that zone's alarms, not for all of a flood.
It is no part of a snapshot: after one it is made anew of the open records.
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.alarms.state import AlarmRecord

_Zone = str | None
_Found = dict[str, "AlarmRecord"]


class Places:
    """Find open alarms by zone, by class and by whether they are life safety.

    Each list is in the order in which the alarms were raised.
    """

    def __init__(self, records: Iterable["AlarmRecord"]) -> None:
        self._zones: dict[_Zone, _Found] = {}
        self._vital: dict[_Zone, _Found] = {}
        self._classes: dict[str, dict[_Zone, _Found]] = {}
        for record in records:
            self.put(record)

    def put(self, record: "AlarmRecord") -> None:
        """Take up an alarm that was raised."""
        for places in self._of(record):
            places.setdefault(record.zone_id, {})[record.id] = record

    def drop(self, record: "AlarmRecord") -> None:
        """Forget an alarm that is closed."""
        for places in self._of(record):
            there = places.get(record.zone_id, {})
            there.pop(record.id, None)
            if not there:
                places.pop(record.zone_id, None)

    def at(self, zone_id: _Zone) -> Collection["AlarmRecord"]:
        """Return the open alarms of a zone; None: those whose place is unknown."""
        return self._zones.get(zone_id, {}).values()

    def vital(self, *zones: _Zone) -> Iterator["AlarmRecord"]:
        """Return the open life-safety alarms of some zones; none named: of all."""
        return _of(self._vital, zones)

    def of(self, kind: str, *zones: _Zone) -> Iterator["AlarmRecord"]:
        """Return those of a kind (gas.toxic), or of a whole class of them (gas)."""
        return _of(self._classes.get(kind, {}), zones)

    def _of(self, record: "AlarmRecord") -> Iterator[dict[_Zone, _Found]]:
        yield self._zones
        for name in {record.kind, record.kind.partition(".")[0]}:
            yield self._classes.setdefault(name, {})
        if record.life_safety:
            yield self._vital


def _of(
    places: dict[_Zone, _Found], zones: tuple[_Zone, ...]
) -> Iterator["AlarmRecord"]:
    named = dict.fromkeys(zones) if zones else places
    return chain.from_iterable(
        places[zone].values() for zone in named if zone in places
    )
