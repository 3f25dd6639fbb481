"""Alarm events (ISA-18.2 life cycle; design §5 Alarms)."""

from core.api.reading import Value
from core.deadlines import Deadline
from core.journal.envelope import Effect
from core.journal.events import Event, event


@event("alarm.raised", effect=Effect.PROTECTIVE)
class AlarmRaised(Event, frozen=True, kw_only=True):
    """A condition became active for a source that had no open alarm."""

    alarm_id: str
    source: str
    """entity:<id>, device:<id>, zone:<id>, rule:<id>, person:<id> or hub:<part>."""
    condition: str
    """Name within the source: high, high_high, low, lost, sos, fault, …"""
    kind: str
    """Text code and class: gas.toxic, gas.combustible, gas.oxygen, sos, fault.lost."""
    priority: int
    """1 critical, 2 major, 3 minor, 4 advice."""
    zone_id: str | None = None
    life_safety: bool = False
    """Never shelvable."""
    latching: bool = False
    """Stays until a named person resets it."""
    params: dict[str, Value] = {}
    mark: str = ""
    """TEST or DRILL: shown everywhere, never evidence."""
    suppressed: str = ""
    """Id of the declared design under which it calls nobody; '' while it does."""


@event("alarm.repeated", effect=Effect.PROTECTIVE)
class AlarmRepeated(Event, frozen=True, kw_only=True):
    """An open alarm's condition became active again, or got markedly worse."""

    alarm_id: str
    params: dict[str, Value] = {}


@event("alarm.returned")
class AlarmReturned(Event, frozen=True, kw_only=True):
    """The condition is proven gone by GOOD evidence; the record may stay open."""

    alarm_id: str


@event("alarm.acknowledged")
class AlarmAcknowledged(Event, frozen=True, kw_only=True):
    """A named person has seen it; never silences, never resets."""

    alarm_id: str
    person_id: str


@event("alarm.reset", effect=Effect.PERMISSIVE)
class AlarmReset(Event, frozen=True, kw_only=True):
    """A named person reset a latched alarm whose condition is gone."""

    alarm_id: str
    person_id: str
    reason: str


@event("alarm.shelved", effect=Effect.PERMISSIVE)
class AlarmShelved(Event, frozen=True, kw_only=True):
    """A named person shelved it with a reason until a deadline."""

    alarm_id: str
    person_id: str
    reason: str
    until: Deadline


@event("alarm.unshelved", effect=Effect.PROTECTIVE)
class AlarmUnshelved(Event, frozen=True, kw_only=True):
    """Shelving ended: by a person, by its deadline, or by a worse state."""

    alarm_id: str
    why: str
    """person, expired, late_unknown or escalated."""
    person_id: str = ""


@event("alarm.service", effect=Effect.PERMISSIVE)
class AlarmServiceChanged(Event, frozen=True, kw_only=True):
    """An alarm was taken out of service; in old journals also put back."""

    alarm_id: str
    person_id: str
    reason: str
    out: bool
    until: Deadline | None = None
    """When it is back by itself; None in old journals."""


@event("alarm.served", effect=Effect.PROTECTIVE)
class AlarmServed(Event, frozen=True, kw_only=True):
    """An alarm is back in service: it calls again."""

    alarm_id: str
    why: str
    """person, expired, late_unknown or not_durable."""
    person_id: str = ""


@event("alarm.suppressed", effect=Effect.PERMISSIVE)
class AlarmSuppressed(Event, frozen=True, kw_only=True):
    """A declared condition began under which this alarm calls nobody (ISA-18.2)."""

    alarm_id: str
    rule: str


@event("alarm.unsuppressed", effect=Effect.PROTECTIVE)
class AlarmUnsuppressed(Event, frozen=True, kw_only=True):
    """The condition ended, or can be proven no more: the alarm calls again."""

    alarm_id: str
    rule: str
    why: str
    """ended or not_durable."""


@event("alarm.judged")
class AlarmJudged(Event, frozen=True, kw_only=True):
    """A named person said afterwards what an alarm was worth; it moves nothing."""

    alarm_id: str
    person_id: str
    verdict: str
    """true, nuisance or unsure."""
    note: str = ""


@event("incident.classified")
class IncidentClassified(Event, frozen=True, kw_only=True):
    """A named person said how an incident ended; its first alarm names it."""

    alarm_id: str
    person_id: str
    outcome: str
    """averted (held or cleared before harm), near_miss, harm, damage or none."""
    root: str = ""
    """Code of the cause that was found; '' while nobody has found it."""
    note: str = ""


@event("device.service", effect=Effect.PERMISSIVE)
class DeviceServiceChanged(Event, frozen=True, kw_only=True):
    """A named person took a device into maintenance until a date."""

    device_id: str
    person_id: str
    reason: str
    until: Deadline


@event("device.served", effect=Effect.PROTECTIVE)
class DeviceServed(Event, frozen=True, kw_only=True):
    """A device is back from maintenance: what it says counts again."""

    device_id: str
    why: str
    """person, expired, late_unknown or not_durable."""
    person_id: str = ""


@event("alarm.closed")
class AlarmClosed(Event, frozen=True, kw_only=True):
    """Returned, acknowledged and not latched: the record leaves the open set."""

    alarm_id: str
