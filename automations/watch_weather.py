"""Weather as a level trigger: what sensors tell of a zone, and warnings of persons.

It goes by the facts that permits go by: the worst of the sensors that count, and
UNKNOWN while one of them is not GOOD (core.permits.weather).
"""

from collections.abc import Iterable

from automations.selecting import Catalogue, Lacking, kind_of, named_zones, number
from automations.watching import OPEN, Interval, Judged, beyond
from automations.weather_words import NUMBERS, WARNINGS
from core.api.reading import Value
from core.config import Trigger
from core.kernel import Kernel
from core.logic.truth import Truth


class WeatherWatch:
    """Watch one fact of the weather; one level a zone, or one for the site."""

    def __init__(self, kernel: Kernel, trigger: Trigger) -> None:
        self._kernel, self.trigger = kernel, trigger
        self._fact = str(trigger.fields["fact"])
        self._above, self._below = number(trigger, "above"), number(trigger, "below")

    def resolve(self, catalogue: Catalogue) -> list[Lacking]:
        """Lack a fact that no sensor tells; a warning is a person's word."""
        if self._fact in WARNINGS:
            return []
        surroundings = self._kernel.surroundings
        told = [zone for zone in self._zones() if surroundings.senses(self._fact, zone)]
        if not told:
            return [Lacking(None, "none")]
        named = named_zones(self.trigger)
        return [Lacking(zone, "none") for zone in named if zone not in told]

    def _zones(self) -> list[str]:
        named = named_zones(self.trigger)
        return list(named) or [zone.id for zone in self._kernel.site.zones()]

    def subjects(self) -> Iterable[str]:
        """Return the zones, or the site."""
        if self.trigger.subject == "site":
            return ["site"]
        return [f"zone:{zone}" for zone in self._zones()]

    def judge(self, subject: str, *, held: bool) -> Judged:
        """Say how the weather stands for a zone; for the site, the worst of all."""
        zones = self._zones() if subject == "site" else [subject.partition(":")[2]]
        judged = [self._one(zone, subject) for zone in zones]
        for truth in (Truth.TRUE, Truth.UNKNOWN):
            found = next((each for each in judged if each.truth is truth), None)
            if found is not None:
                return found
        return judged[0] if judged else Judged(Truth.FALSE, {})

    def _one(self, zone_id: str, subject: str) -> Judged:
        value = self._value(zone_id)
        return Judged(
            self._truth(value),
            {
                "trigger_kind": kind_of(self.trigger, self._fact),
                "trigger_value": value,
                "source": subject,
                "value": value,
                "unit": NUMBERS.get(self._fact, ""),
                "limit": self._above if self._above is not None else self._below,
                "quality": "GOOD" if value is not None else "UNKNOWN",
            },
        )

    def _value(self, zone_id: str) -> Value:
        surroundings = self._kernel.surroundings
        warning = WARNINGS.get(self._fact)
        if warning is not None:
            return surroundings.warned(warning)
        return surroundings.sensed(self._fact, zone_id)

    def _truth(self, value: Value) -> Truth:
        if self._fact not in NUMBERS:
            known = {True: Truth.TRUE, False: Truth.FALSE}
            return known[value] if isinstance(value, bool) else Truth.UNKNOWN
        whole: Interval = OPEN
        if isinstance(value, int | float) and not isinstance(value, bool):
            whole = (float(value), float(value))
        return beyond(whole, self._above, self._below)
