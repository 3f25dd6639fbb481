"""Suppression begins and ends with what it hangs on, not by the next tick.

A cause's reading, an alarm that is a cause, a rack, a wear contact: each is heard
of at once, so that rules know of it as they know of what is raised.
"""

from collections.abc import Callable, Iterable

from core.alarms.events import (
    AlarmRaised,
    AlarmRepeated,
    AlarmReturned,
    AlarmSuppressed,
    AlarmUnsuppressed,
)
from core.alarms.policy import Suppression
from core.alarms.state import AlarmRecord
from core.api.reading import Reading
from core.hub import Hub
from core.journal.envelope import Envelope
from core.readings.readings import Readings
from core.registry.registry import Registry

_Told = (
    AlarmRaised | AlarmRepeated | AlarmReturned | AlarmSuppressed | AlarmUnsuppressed
)
Judge = Callable[[Suppression, Iterable[AlarmRecord]], None]


class Prompt:
    """Let every alarm be judged that a declared cause may concern."""

    def __init__(
        self, hub: Hub, registry: Registry, readings: Readings, judge: Judge
    ) -> None:
        self._hub, self._registry = hub, registry
        self._readings, self._judge = readings, judge
        self._by_entity: dict[str, list[Suppression]] = {}
        self._by_alarm: list[Suppression] = []
        self._heard: set[str] = set()
        """Entities whose readings are followed; there is no way to stop that."""
        hub.on(AlarmRaised, self._alarm)
        hub.on(AlarmRepeated, self._alarm)
        hub.on(AlarmReturned, self._alarm)
        hub.on(AlarmSuppressed, self._alarm)
        hub.on(AlarmUnsuppressed, self._alarm)

    def arm(self) -> None:
        """Find the entities that the declared causes read; asked again when new."""
        self._by_entity, self._by_alarm = {}, []
        for rule in self._hub.bundle.alarms.suppress:
            cause = rule.cause
            if cause.alarm:
                self._by_alarm.append(rule)
                continue
            entity_id = self._registry.find(cause.integration, cause.uid, cause.entity)
            if entity_id is not None:
                self._by_entity.setdefault(entity_id, []).append(rule)
        for entity_id in self._by_entity.keys() - self._heard:
            self._heard.add(entity_id)
            self._readings.watch(entity_id, self._read)

    def _read(self, reading: Reading) -> None:
        for rule in self._by_entity.get(reading.entity_id, ()):
            self._judge(rule, self._concerned(rule, rule.zones))

    def _alarm(self, body: _Told, _: Envelope) -> None:
        if not self._by_alarm:
            return
        alarms = self._hub.state.alarms
        record = alarms.open.get(body.alarm_id) or alarms.recent.get(body.alarm_id)
        if record is None:
            return
        for rule in self._by_alarm:
            if not record.kind.startswith(rule.cause.alarm):
                continue
            if record.zone_id is None:
                self._judge(rule, self._concerned(rule, rule.zones))
            elif not rule.zones or record.zone_id in rule.zones:
                self._judge(rule, self._concerned(rule, (record.zone_id,)))

    def _concerned(
        self, rule: Suppression, zones: tuple[str, ...]
    ) -> list[AlarmRecord]:
        """Return the open alarms of a rule's kinds there; no zone is everywhere."""
        places = self._hub.state.alarms.places
        roots = {kind.partition(".")[0] for kind in rule.kinds}
        return [
            record
            for root in sorted(roots)
            for record in places.of(root, *zones)
            if record.active or record.suppressed
        ]
