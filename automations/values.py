"""Named values of a rule: readings joined to one number, permits counted."""

from collections.abc import Callable

import msgspec

from automations.selecting import words
from automations.watch_people import AT_WORK, is_kind, permits_of
from automations.watch_reading import ReadingWatch
from core.api.quality import Quality
from core.api.reading import Value
from core.config import Trigger
from core.kernel import Kernel

Known = tuple[Value, int]
_DOUBT: Known = (None, int(Quality.NOT_PRESENT))


class ReadingValue:
    """Join the readings of a selector, in the subject's zone or in named ones.

    Only GOOD readings make a value: one that is missing leaves it UNKNOWN, unless
    the rest decide it whatever the missing one says.
    """

    def __init__(self, kernel: Kernel, trigger: Trigger) -> None:
        zones = words(trigger, "zone")
        self._here = not zones or "subject" in zones
        fields = {k: v for k, v in trigger.fields.items() if k != "zone"}
        if not self._here:
            fields["zone"] = zones
        subject = "zone" if self._here else "site"
        made = msgspec.structs.replace(trigger, fields=fields, subject=subject)
        self.watched = ReadingWatch(kernel, made)

    def __call__(self, zone_id: str | None) -> Known:
        """Return the value for a subject in a zone."""
        if self._here and zone_id is None:
            return _DOUBT
        low, high = self.watched.whole(f"zone:{zone_id}" if self._here else "site")
        return (low, int(Quality.GOOD)) if low == high else _DOUBT


def permits_value(kernel: Kernel, trigger: Trigger) -> Callable[[str | None], Known]:
    """Return the count of permits of some kinds by which work may go on."""
    kinds = frozenset(words(trigger, "permits")) - {"all"}
    zones = words(trigger, "zone")

    def count(zone_id: str | None) -> Known:
        places = [zone_id] if not zones or "subject" in zones else list(zones)
        wanted: list[str | None] = [None] if "all" in places else list(places)
        found = [
            permit
            for place in wanted
            for permit in permits_of(kernel, place, AT_WORK)
            if is_kind(kernel, permit, kinds)
        ]
        return len(found), int(Quality.GOOD)

    return count
