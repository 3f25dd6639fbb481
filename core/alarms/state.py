"""Open alarms: one record per (source, condition)."""

from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from core.alarms.events import (
    AlarmAcknowledged,
    AlarmClosed,
    AlarmJudged,
    AlarmRaised,
    AlarmRepeated,
    AlarmReset,
    AlarmReturned,
    AlarmServed,
    AlarmServiceChanged,
    AlarmShelved,
    AlarmSuppressed,
    AlarmUnshelved,
    AlarmUnsuppressed,
    DeviceServed,
    DeviceServiceChanged,
)
from core.alarms.places import Places
from core.api.reading import Value
from core.deadlines import Deadline
from core.journal.envelope import Envelope
from core.journal.fold import folds

if TYPE_CHECKING:
    from core.state import SiteState


#: Closed alarms on which a verdict may still be given; the oldest goes first.
RECENT = 200


class Shelf(msgspec.Struct, frozen=True, kw_only=True):
    """Say who put an alarm or a device by, why, and until when."""

    person_id: str
    reason: str
    until: Deadline


class AlarmRecord(msgspec.Struct, kw_only=True):
    """Hold one open alarm: active × acknowledged, latched, shelved, out of service."""

    id: str
    source: str
    condition: str
    kind: str
    priority: int
    zone_id: str | None
    life_safety: bool
    latching: bool
    params: dict[str, Value]
    mark: str
    raised_wall_ns: int
    raised_mono_ns: int
    raised_seq: int
    active: bool = True
    acknowledged: bool = False
    latched: bool = False
    acknowledged_by: str = ""
    acknowledged_wall_ns: int = 0
    returned_wall_ns: int = 0
    count: int = 1
    shelf: Shelf | None = None
    out_of_service: str = ""
    """Reason, when a named person took it out of service."""
    service: Shelf | None = None
    """Who took it out of service, and when it is back."""
    suppressed: str = ""
    """Id of the declared design under which it calls nobody."""
    verdict: str = ""
    judged_by: str = ""

    @property
    def put_by(self) -> bool:
        """Say whether it calls nobody now; never so for life safety."""
        put = self.shelf is not None or self.out_of_service or self.suppressed
        return bool(put) and not self.life_safety

    @property
    def stands(self) -> bool:
        """Say whether it still warns: active, or latched until a person resets it."""
        return self.active or self.latched


class AlarmsState(msgspec.Struct, kw_only=True, dict=True):
    """Hold the open alarms, and counts for the metrics of domain.md §2.3."""

    open: dict[str, AlarmRecord] = {}
    by_key: dict[str, str] = {}
    """source + ' ' + condition → alarm id."""
    raised_total: int = 0
    recent: dict[str, AlarmRecord] = {}
    """The last closed ones by id, oldest first: people judge them afterwards."""
    serviced: dict[str, Shelf] = {}
    """Device id → who has it in maintenance, why, and until when."""

    @cached_property
    def places(self) -> Places:
        """Return the index of the open ones by zone and class; kept by the folds."""
        return Places(self.open.values())


def key_of(source: str, condition: str) -> str:
    """Return the key that one open record at most may have."""
    return f"{source} {condition}"


@folds(AlarmRaised)
def _raised(state: "SiteState", body: AlarmRaised, envelope: Envelope) -> None:
    alarms = state.alarms
    if body.alarm_id in alarms.open:
        alarms.places.drop(alarms.open[body.alarm_id])
    record = AlarmRecord(
        id=body.alarm_id,
        source=body.source,
        condition=body.condition,
        kind=body.kind,
        priority=body.priority,
        zone_id=body.zone_id,
        life_safety=body.life_safety,
        latching=body.latching,
        latched=body.latching,
        params=dict(body.params),
        mark=body.mark,
        suppressed=body.suppressed,
        raised_wall_ns=envelope.wall_ns,
        raised_mono_ns=envelope.mono_ns,
        raised_seq=envelope.seq,
    )
    alarms.open[body.alarm_id] = record
    alarms.places.put(record)
    alarms.by_key[key_of(body.source, body.condition)] = body.alarm_id
    alarms.raised_total += 1


@folds(AlarmRepeated)
def _repeated(state: "SiteState", body: AlarmRepeated, _: Envelope) -> None:
    record = state.alarms.open.get(body.alarm_id)
    if record is not None:
        record.active, record.acknowledged = True, False
        record.latched = record.latching
        record.count += 1
        record.params.update(body.params)


@folds(AlarmReturned)
def _returned(state: "SiteState", body: AlarmReturned, envelope: Envelope) -> None:
    record = state.alarms.open.get(body.alarm_id)
    if record is not None:
        record.active = False
        record.returned_wall_ns = envelope.wall_ns


@folds(AlarmAcknowledged)
def _acknowledged(
    state: "SiteState", body: AlarmAcknowledged, envelope: Envelope
) -> None:
    record = state.alarms.open.get(body.alarm_id)
    if record is not None:
        record.acknowledged = True
        record.acknowledged_by = body.person_id
        record.acknowledged_wall_ns = envelope.wall_ns


@folds(AlarmReset)
def _reset(state: "SiteState", body: AlarmReset, _: Envelope) -> None:
    record = state.alarms.open.get(body.alarm_id)
    if record is not None:
        record.latched = False


@folds(AlarmShelved)
def _shelved(state: "SiteState", body: AlarmShelved, _: Envelope) -> None:
    record = state.alarms.open.get(body.alarm_id)
    if record is not None:
        record.shelf = Shelf(
            person_id=body.person_id, reason=body.reason, until=body.until
        )


@folds(AlarmUnshelved)
def _unshelved(state: "SiteState", body: AlarmUnshelved, _: Envelope) -> None:
    record = state.alarms.open.get(body.alarm_id)
    if record is not None:
        record.shelf = None


@folds(AlarmServiceChanged)
def _service(state: "SiteState", body: AlarmServiceChanged, _: Envelope) -> None:
    record = state.alarms.open.get(body.alarm_id)
    if record is None:
        return
    record.out_of_service, record.service = body.reason if body.out else "", None
    if body.out and body.until is not None:
        record.service = Shelf(
            person_id=body.person_id, reason=body.reason, until=body.until
        )


@folds(AlarmServed)
def _served(state: "SiteState", body: AlarmServed, _: Envelope) -> None:
    record = state.alarms.open.get(body.alarm_id)
    if record is not None:
        record.out_of_service, record.service = "", None


@folds(AlarmSuppressed)
def _suppressed(state: "SiteState", body: AlarmSuppressed, _: Envelope) -> None:
    record = state.alarms.open.get(body.alarm_id)
    if record is not None:
        record.suppressed = body.rule


@folds(AlarmUnsuppressed)
def _unsuppressed(state: "SiteState", body: AlarmUnsuppressed, _: Envelope) -> None:
    record = state.alarms.open.get(body.alarm_id)
    if record is not None:
        record.suppressed = ""


@folds(AlarmJudged)
def _judged(state: "SiteState", body: AlarmJudged, _: Envelope) -> None:
    alarms = state.alarms
    record = alarms.open.get(body.alarm_id) or alarms.recent.get(body.alarm_id)
    if record is not None:
        record.verdict, record.judged_by = body.verdict, body.person_id


@folds(DeviceServiceChanged)
def _serviced(state: "SiteState", body: DeviceServiceChanged, _: Envelope) -> None:
    state.alarms.serviced[body.device_id] = Shelf(
        person_id=body.person_id, reason=body.reason, until=body.until
    )


@folds(DeviceServed)
def _device_back(state: "SiteState", body: DeviceServed, _: Envelope) -> None:
    state.alarms.serviced.pop(body.device_id, None)


@folds(AlarmClosed)
def _closed(state: "SiteState", body: AlarmClosed, _: Envelope) -> None:
    alarms = state.alarms
    record = alarms.open.pop(body.alarm_id, None)
    if record is None:
        return
    alarms.places.drop(record)
    alarms.by_key.pop(key_of(record.source, record.condition), None)
    if not record.mark:
        alarms.recent[record.id] = record
        while len(alarms.recent) > RECENT:
            del alarms.recent[next(iter(alarms.recent))]
