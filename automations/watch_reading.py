"""Readings and states as level triggers: limits, rates, stuck values, words."""

import math
from collections.abc import Iterable

from automations.selecting import (
    Catalogue,
    Lacking,
    Members,
    kind_of,
    number,
    votes_of,
    words,
)
from automations.tracks import Track
from automations.watching import (
    FALSE,
    OPEN,
    Interval,
    Judged,
    beyond,
    fold,
    folds,
    join,
)
from core.api.quality import NEVER_ACTS, Quality
from core.api.reading import Reading, is_on
from core.clock import NS
from core.config import Trigger
from core.kernel import Kernel
from core.logic.truth import Truth, of
from core.readings.units import SAME, Line, conversion
from core.registry.state import EntityRecord


class ReadingWatch:
    """Watch the readings of a selector; one level a subject."""

    def __init__(self, kernel: Kernel, trigger: Trigger) -> None:
        self._kernel, self.trigger = kernel, trigger
        self.members = Members(kernel, trigger)
        self._above = number(trigger, "above")
        self._below = number(trigger, "below")
        self._hysteresis = number(trigger, "hysteresis") or 0.0
        self._stuck_ns = int((number(trigger, "stuck") or 0.0) * NS)
        self._rate_s = number(trigger, "rate") or 0.0
        age = number(trigger, "max_age")
        self._max_age_ns = None if age is None else int(age * NS)
        self._fuse = str(trigger.fields.get("fuse", "any"))
        self._needed = votes_of(trigger)[0]
        self._wanted = frozenset(each.lower() for each in words(trigger, "to"))
        self._lines: dict[str, Line] = {}
        self.tracks: dict[str, Track] = {}

    # --- set-up -----------------------------------------------------------------

    def resolve(self, catalogue: Catalogue) -> list[Lacking]:
        """Look the entities up anew; what is left of a track goes on."""
        lacking = self.members.resolve(catalogue)
        ids = [each.id for each in self.members.found]
        if self._rate_s or self._stuck_ns:
            old = self.tracks
            self.tracks = {i: old.get(i) or Track(self._rate_s) for i in ids}
        unit = str(self.trigger.fields.get("unit", ""))
        self._lines = {}
        for each in self.members.found:
            line = self._line(each, unit) if unit else SAME
            if line is None:
                lacking.append(Lacking(None, "unit"))
            self._lines[each.id] = line or SAME
        return lacking

    def _line(self, entity: EntityRecord, unit: str) -> Line | None:
        """Return how the trigger's unit becomes the entity's."""
        point = self._kernel.readings.points.get(entity.id)
        quantity = point.quantity if point is not None else None
        return conversion(
            point.unit if point is not None else entity.declared.unit,
            unit,
            lel_vol=quantity.lel_vol if quantity else None,
            molar_mass=quantity.molar_mass if quantity else None,
        )

    @property
    def is_told(self) -> bool:
        """Say whether every change of it comes with a reading: time alone is none."""
        timed = self._max_age_ns is not None or self._stuck_ns or self._rate_s
        return not timed and not self.members.worn

    def hear(self, reading: Reading) -> None:
        """Take a reading for the windows."""
        track = self.tracks.get(reading.entity_id)
        if track is not None:
            track.hear(reading, self._kernel.hub.clock.mono_ns())

    def subjects(self) -> Iterable[str]:
        """Return the subjects that have members, or are named."""
        return self.members.subjects()

    # --- judging ----------------------------------------------------------------

    def judge(self, subject: str, *, held: bool) -> Judged:
        """Say how the readings of a subject stand."""
        members = self.members.subjects().get(subject, [])
        if not members:
            return FALSE
        readings = [self.reading(each.id) for each in members]
        if not folds(self._fuse):
            truths = [self._one(reading, held) for reading in readings]
            truth = join(self._fuse, self._needed, truths)
            return self._told(truth, truths, readings, members)
        whole = fold(self._fuse, [self._interval(reading) for reading in readings])
        truth = beyond(whole, *self._limits(held))
        return self._told(truth, [truth] * len(members), readings, members)

    def whole(self, subject: str) -> Interval:
        """Return the readings of a subject joined to one value, open where in doubt."""
        members = self.members.subjects().get(subject, [])
        exact = [
            self._interval(reading) if reading.quality is Quality.GOOD else OPEN
            for reading in (self.reading(each.id) for each in members)
        ]
        return fold(self._fuse, exact) if exact else OPEN

    def is_calm(self, reading: Reading) -> bool:
        """Say whether a reading alone proves its own side of the limit FALSE.

        Where the whole was FALSE before, it then stays so, whatever joins them.
        """
        if folds(self._fuse) or self._rate_s or self._stuck_ns:
            return False
        return self._one(reading, False) is Truth.FALSE

    def calm(self, entity_id: str) -> Interval | None:
        """Return the open interval in which an entity's numbers change nothing.

        In the entity's own unit; None: each of them has to be heard. A maximum,
        median or mean of numbers that all lie within lies within too.
        """
        line = self._lines.get(entity_id, SAME)
        if self._rate_s or self._stuck_ns or self._wanted or line.factor <= 0:
            return None
        above, below = self._limits(True)
        return (
            -math.inf if below is None else (below - line.offset) / line.factor,
            math.inf if above is None else (above - line.offset) / line.factor,
        )

    def reading(self, entity_id: str) -> Reading:
        """Return a reading with the trigger's own maximum age applied."""
        return fresh(self._kernel, entity_id, self._max_age_ns)

    def _limits(self, held: bool) -> tuple[float | None, float | None]:
        slack = self._hysteresis if held else 0.0
        above = None if self._above is None else self._above - slack
        return above, None if self._below is None else self._below + slack

    def _one(self, reading: Reading, held: bool) -> Truth:
        if self._wanted:
            return _matches(reading, self._wanted)
        if self._stuck_ns:
            return self._stuck(reading)
        return beyond(self._interval(reading), *self._limits(held))

    def _stuck(self, reading: Reading) -> Truth:
        if reading.quality is not Quality.GOOD:
            return Truth.UNKNOWN
        track = self.tracks.get(reading.entity_id)
        now = self._kernel.hub.clock.mono_ns()
        return of(track is not None and track.still_ns(now) >= self._stuck_ns)

    def _interval(self, reading: Reading) -> Interval:
        value = reading.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            return OPEN
        if reading.quality in NEVER_ACTS or not math.isfinite(value):
            return OPEN
        known = self._lines.get(reading.entity_id, SAME)(float(value))
        if self._rate_s:
            return self._rate(reading, float(value))
        if reading.quality is Quality.GOOD:
            return known, known
        # Beyond a limit acts whatever the quality; nothing else is proven by it.
        return (known, math.inf) if self._above is not None else (-math.inf, known)

    def _rate(self, reading: Reading, value: float) -> Interval:
        track = self.tracks.get(reading.entity_id)
        if track is None or reading.quality is not Quality.GOOD:
            return OPEN
        rate = track.rate(value, self._kernel.hub.clock.mono_ns())
        if rate is None:
            return OPEN
        rate *= self._lines.get(reading.entity_id, SAME).factor
        return rate, rate

    # --- telling ----------------------------------------------------------------

    def _told(
        self,
        truth: Truth,
        truths: list[Truth],
        readings: list[Reading],
        members: list[EntityRecord],
    ) -> Judged:
        chosen = _decisive(truth, truths, readings, self._below is not None)
        reading, entity = readings[chosen], members[chosen]
        why = ""
        if truth is not Truth.TRUE and Truth.TRUE in truths:
            why = "vote"
        elif truth is not Truth.TRUE and self._hidden(reading):
            why = "quality"
        return Judged(
            truth,
            {
                "trigger_kind": kind_of(self.trigger, entity.declared.quantity),
                "trigger_value": reading.value,
                "source": f"entity:{entity.id}",
                "name": entity.declared.name,
                "quantity": entity.declared.quantity,
                "value": reading.value,
                "unit": reading.unit,
                "quality": reading.quality.name,
                "limit": self._above if self._above is not None else self._below,
            },
            why,
        )

    def _hidden(self, reading: Reading) -> bool:
        """Say whether a value would have acted, had its quality let it."""
        if reading.quality not in NEVER_ACTS or self._rate_s or self._stuck_ns:
            return False
        value = reading.value
        if self._wanted:
            return value is not None and _word_in(value, self._wanted)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        known = self._lines.get(reading.entity_id, SAME)(float(value))
        return beyond((known, known), self._above, self._below) is Truth.TRUE


def fresh(kernel: Kernel, entity_id: str, max_age_ns: int | None) -> Reading:
    """Return a reading; one older than ``max_age_ns`` is STALE at best."""
    reading = kernel.readings.get(entity_id)
    if max_age_ns is None or reading.quality >= Quality.STALE:
        return reading
    if kernel.hub.clock.mono_ns() - reading.measured_ns <= max_age_ns:
        return reading
    return Reading(
        entity_id=reading.entity_id,
        value=reading.value,
        unit=reading.unit,
        quality=Quality.STALE,
        reason="max_age",
        measured_ns=reading.measured_ns,
        received_ns=reading.received_ns,
    )


def _matches(reading: Reading, wanted: frozenset[str]) -> Truth:
    if reading.value is None or reading.quality in NEVER_ACTS:
        return Truth.UNKNOWN
    if _word_in(reading.value, wanted):
        return Truth.TRUE
    return Truth.FALSE if reading.quality is Quality.GOOD else Truth.UNKNOWN


def _word_in(value: float | int | bool | str, wanted: frozenset[str]) -> bool:
    word = str(value).strip().lower()
    return word in wanted or ("on" if is_on(value) else "off") in wanted


def _decisive(
    truth: Truth, truths: list[Truth], readings: list[Reading], lowest: bool
) -> int:
    """Return the member that speaks for the group: as the whole, and the worst."""

    def weight(place: int) -> tuple[bool, float]:
        value = readings[place].value
        plain = isinstance(value, int | float) and not isinstance(value, bool)
        size = float(value) if plain and value is not None else -math.inf
        return truths[place] is truth, -size if lowest and plain else size

    return max(range(len(readings)), key=weight)
