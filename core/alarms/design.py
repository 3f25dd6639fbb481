"""Suppression by design: declared causes, and devices that are not in use.

ISA-18.2; domain.md §2.3. Only proof suppresses: a cause that cannot be proven now,
or a disk that keeps nothing, lets the alarm call. Life safety in use never is.
"""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from core.alarms.alarms import IDLE, Alarms
from core.alarms.events import (
    AlarmRaised,
    AlarmSuppressed,
    AlarmUnsuppressed,
)
from core.alarms.maintenance import Maintenance
from core.alarms.policy import Cause as Because
from core.alarms.policy import Suppression
from core.alarms.prompt import Prompt
from core.alarms.state import AlarmRecord
from core.api.quality import NEVER_ACTS, Quality
from core.api.reading import Reading, Value, is_on
from core.hub import CORE, Hub
from core.people.access import Access
from core.readings.evidence import as_number
from core.readings.readings import Readings
from core.registry.registry import Registry

#: Kinds that only say that a device is silent: expected of one not in use.
_QUIET = ("fault.lost", "fault.device", "fault.stuck")
#: Why a device is not in use, and by that its silence is expected.
_AWAY = ("racked", "maintenance")
#: How a binding ended that leaves the device on a head: nobody brought it back.
_STILL_ON = ("expired", "not_durable")


class _Said(Protocol):
    """What an alarm says of itself, before it is raised and afterwards."""

    @property
    def source(self) -> str:
        """Return who it is about."""

    @property
    def kind(self) -> str:
        """Return its class."""

    @property
    def zone_id(self) -> str | None:
        """Return its place."""

    @property
    def params(self) -> dict[str, Value]:
        """Return its figures."""


class _Use(NamedTuple):
    """What tells whether a device is in use, made before any alarm asks."""

    rack: str = ""
    """Entity that proves it racked."""
    wear: tuple[str, ...] = ()
    """Entities that tell that somebody wears it."""
    carried: bool = False


_FIXED = _Use()


class ByDesign:
    """Say which alarms call nobody now, and why; journal when it begins and ends."""

    def __init__(
        self,
        hub: Hub,
        access: Access,
        registry: Registry,
        readings: Readings,
        alarms: Alarms,
    ) -> None:
        self._hub, self._registry = hub, registry
        self._readings, self._alarms = readings, alarms
        self._tags: frozenset[str] = frozenset()
        self._uses: dict[str, _Use] = {}
        self._tells: dict[str, str] = {}
        """Entity that tells of a device's use → that device."""
        self._lately: set[str] = set()
        """Alarms suppressed since the last tick: causes that hang on each other in a
        ring let each one change once a second, not for ever."""
        self._prompt = Prompt(hub, registry, readings, self._judge_all)
        alarms.idle, alarms.designed = self._idle, self._designed
        registry.listen(self)
        readings.on_change(self._use_changed)
        self._maintenance = Maintenance(hub, access, registry, readings, alarms, self)
        hub.undo(AlarmSuppressed, self._call_again)

    # --- room -----------------------------------------------------------------

    def arm(self) -> None:
        """Derive who wears what, and which devices are carried."""
        people = self._hub.bundle.people
        self._tags = frozenset(tag for person in people for tag in person.tags)
        self._derive()

    def recover(self, clean: bool) -> None:
        """Take up the deadlines of devices in maintenance."""
        self._derive()
        self._maintenance.recover()

    def tick(self) -> None:
        """Judge the levels: what is suppressed now, what is in use again."""
        self._lately.clear()
        alarms = self._hub.state.alarms
        kinds = "" if self._hub.bundle.alarms.suppress else "fault."
        for record in self._alarms.active(kind_prefix=kinds):
            self._judge(record)
        for record in [r for r in alarms.open.values() if r.suppressed]:
            self._judge(record)
        for record in self._alarms.active(kind_prefix=IDLE):
            self._in_use(record)

    # --- registry's listener --------------------------------------------------

    def device_changed(self, device_id: str) -> None:
        """Judge at once what a device raised while nobody wore it."""
        if self._registry.device(device_id) is None:
            self._uses.pop(device_id, None)
        else:
            self._take(device_id)
        self._prompt.arm()
        self.use_told(device_id)

    def device_gone(self, device_id: str) -> None:
        """Do nothing: a device that is not announced stays what it is."""

    def handles_changed(self, host: str) -> None:
        """Do nothing: devices are known here by their ids."""

    # --- devices not in use ---------------------------------------------------

    def _derive(self) -> None:
        self._uses.clear()
        self._tells.clear()
        for device_id in self._hub.state.registry.devices:
            self._take(device_id)
        self._prompt.arm()

    def _take(self, device_id: str) -> None:
        use = self._uses[device_id] = self._use(device_id)
        for entity_id in filter(None, (use.rack, *use.wear)):
            self._tells[entity_id] = device_id

    def _use_changed(self, entity_id: str, _: Reading) -> None:
        device_id = self._tells.get(entity_id)
        if device_id is not None:
            self.use_told(device_id)

    def use_told(self, device_id: str) -> None:
        """Judge at once what hangs on whether a device is in use."""
        for record in list(self._hub.state.alarms.places.of("fault")):
            if record.active and self._device(record) == device_id:
                self._judge(record)
                if record.kind == IDLE:
                    self._in_use(record)

    def _idle(self, said: _Said) -> str:
        """Return why the device behind an alarm is not in use; '' while it is.

        Racked or in maintenance has to be proven. A call for help by hand counts
        even from a device that nobody is known to wear.
        """
        device_id = self._device(said)
        if device_id is None:
            return ""
        if device_id in self._hub.state.alarms.serviced:
            return "maintenance"
        use = self._uses.get(device_id, _FIXED)
        if use.rack and self._racked(use.rack):
            return "racked"
        if not use.carried or said.kind == "sos" or said.source.startswith("person:"):
            return ""
        return "unbound" if self._unbound(device_id, use) else ""

    def _device(self, said: _Said) -> str | None:
        kind, _, name = said.source.partition(":")
        if kind == "entity":
            entity = self._registry.entity(name)
            return entity.device_id if entity is not None else None
        device_id = name if kind == "device" else str(said.params.get("device", ""))
        return device_id if self._registry.device(device_id) is not None else None

    def _racked(self, entity_id: str) -> bool:
        reading = self._readings.get(entity_id)
        return reading.quality is Quality.GOOD and is_on(reading.value)

    def _unbound(self, device_id: str, use: _Use) -> bool:
        device = self._registry.device(device_id)
        if device is None or device.person_id is not None or device.uid in self._tags:
            return False
        last = self._hub.state.people.worn.get(device_id)
        if last is not None and last.ended in _STILL_ON:
            return False
        return not any(self._worn(each) for each in use.wear)

    def _worn(self, entity_id: str) -> bool:
        """Say whether a device tells that somebody wears it, whoever that is."""
        reading = self._readings.get(entity_id)
        return reading.quality not in NEVER_ACTS and is_on(reading.value)

    def _use(self, device_id: str) -> _Use:
        """Derive how a device tells of its use: of its rule and its entities."""
        device, rule = self._registry.device(device_id), self._registry.rule(device_id)
        known = self._hub.state.registry.entities
        told = device.entities if device is not None else ()
        mine = [known[each] for each in told if each in known]
        rack = rule.rack if rule is not None else ""
        wear = tuple(each.id for each in mine if each.declared.quantity == "wear")
        carried = rule.carried if rule is not None else None
        return _Use(
            rack=next((e.id for e in mine if rack and e.declared.uid == rack), ""),
            wear=wear,
            carried=bool(wear) if carried is None else carried,
        )

    def _in_use(self, record: AlarmRecord) -> None:
        """Raise in earnest what a device that is in use now still reads."""
        point = self._readings.points.get(record.source.removeprefix("entity:"))
        if self._idle(_as_was(record)) or point is None:
            return
        self._alarms.end(record, CORE)
        value, now = as_number(point.value), self._hub.clock.mono_ns()
        if value is not None:
            zone_id = self._readings.table.zone_of(point)
            quality = point.quality_at(now)
            self._readings.limits.judge(
                point, value, value, quality, zone_id, now, proven=False
            )

    # --- declared causes ------------------------------------------------------

    def _designed(self, said: _Said) -> str:
        """Return the id of what suppresses an alarm now; '' for nothing."""
        if not self._hub.journal.healthy():
            return ""
        if said.kind in _QUIET and self._idle(said) in _AWAY:
            return "idle"
        for rule in self._hub.bundle.alarms.suppress:
            if self._fits(rule, said) and self._stands(rule.cause, said):
                return rule.id
        return ""

    def _fits(self, rule: Suppression, said: _Said) -> bool:
        if not f"{said.kind}.".startswith(tuple(f"{kind}." for kind in rule.kinds)):
            return False
        if rule.zones and said.zone_id not in rule.zones:
            return False
        if not rule.uids:
            return True
        device = self._registry.device(self._device(said) or "")
        return device is not None and any(_named(u, device.uid) for u in rule.uids)

    def _stands(self, cause: Because, said: _Said) -> bool:
        if cause.alarm:
            return any(
                record.active
                and not record.mark
                and record.source != said.source
                and not record.suppressed
                and record.kind.startswith(cause.alarm)
                for record in self._hub.state.alarms.places.of(
                    cause.alarm.partition(".")[0], said.zone_id, None
                )
            )
        entity_id = self._registry.find(cause.integration, cause.uid, cause.entity)
        if entity_id is None:
            return False
        reading = self._readings.get(entity_id)
        if reading.quality is not Quality.GOOD:
            return False
        if cause.on is not None:
            return is_on(reading.value) is cause.on
        number = as_number(reading.value)
        if number is None:
            return False
        if cause.above is not None:
            return number >= cause.above
        return cause.below is not None and number <= cause.below

    def _judge_all(self, rule: Suppression, records: Iterable[AlarmRecord]) -> None:
        for record in records:
            if record.suppressed == rule.id or self._fits(rule, record):
                self._judge(record)

    def _judge(self, record: AlarmRecord) -> None:
        quiet = record.active and not record.life_safety and not record.mark
        rule = self._designed(record) if quiet else ""
        if record.suppressed and not rule:
            healthy = self._hub.journal.healthy()
            self._call(record, "ended" if healthy else "not_durable")
        elif rule and not record.suppressed and record.id not in self._lately:
            self._lately.add(record.id)
            self._hub.emit(AlarmSuppressed(alarm_id=record.id, rule=rule))

    def _call(self, record: AlarmRecord, why: str) -> None:
        self._hub.emit(
            AlarmUnsuppressed(alarm_id=record.id, rule=record.suppressed, why=why)
        )
        self._alarms.close_if_done(record)

    def _call_again(self, body: AlarmSuppressed) -> None:
        record = self._hub.state.alarms.open.get(body.alarm_id)
        if record is not None and record.suppressed:
            self._call(record, "not_durable")


def _as_was(record: AlarmRecord) -> AlarmRaised:
    """Return what a fault of a device not in use would have been."""
    return AlarmRaised(
        alarm_id=record.id,
        source=record.source,
        condition=record.condition,
        kind=str(record.params.get("would_be", record.kind)),
        priority=record.priority,
        zone_id=record.zone_id,
        params=record.params,
    )


def _named(pattern: str, uid: str) -> bool:
    if pattern.endswith("*"):
        return uid.startswith(pattern[:-1])
    return pattern == uid
