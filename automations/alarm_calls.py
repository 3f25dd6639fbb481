"""When an alarm begins to call rules, and when it calls nobody any more.

Shelving, suppression by design and service begin and end between two ticks: rules
hear of it as they hear of what is raised.
"""

from collections.abc import Callable

from core.alarms.events import (
    AlarmRaised,
    AlarmRepeated,
    AlarmServed,
    AlarmServiceChanged,
    AlarmShelved,
    AlarmSuppressed,
    AlarmUnshelved,
    AlarmUnsuppressed,
)
from core.alarms.state import AlarmRecord
from core.hub import Hub
from core.journal.envelope import Envelope

_Calls = AlarmRaised | AlarmRepeated | AlarmUnshelved | AlarmUnsuppressed | AlarmServed
_Put = AlarmShelved | AlarmSuppressed | AlarmServiceChanged
Told = Callable[[AlarmRecord], None]


def listen(hub: Hub, calls: Told, put_by: Told) -> None:
    """Tell of every open alarm that calls, and of every active one that is put by."""

    def called(body: _Calls, _: Envelope) -> None:
        record = hub.state.alarms.open.get(body.alarm_id)
        raised = isinstance(body, AlarmRaised | AlarmRepeated)
        if record is not None and (raised or (record.active and not record.put_by)):
            calls(record)

    def put(body: _Put, _: Envelope) -> None:
        record = hub.state.alarms.open.get(body.alarm_id)
        if record is not None and record.active and record.put_by:
            put_by(record)

    hub.on(AlarmRaised, called, ahead=True)
    hub.on(AlarmRepeated, called, ahead=True)
    hub.on(AlarmUnshelved, called, ahead=True)
    hub.on(AlarmUnsuppressed, called, ahead=True)
    hub.on(AlarmServed, called, ahead=True)
    hub.on(AlarmShelved, put)
    hub.on(AlarmSuppressed, put)
    hub.on(AlarmServiceChanged, put)
