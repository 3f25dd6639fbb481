"""Which alarms of AQ 3064.2 A.4 an event of a permit begins, and which it ends."""

from collections.abc import Mapping

import msgspec

from core.journal.envelope import Envelope
from core.journal.events import Event
from core.permits.events import Hold, PermitClosed, PermitExpired, PermitHeld
from core.permits.events import PermitReleased as Released
from core.permits.life_events import (
    PermitCancelled,
    PermitDenied,
    PermitRejected,
    PermitSigned,
    PermitStarted,
)
from frontend_api.exchange import aq

#: Hold code → ALARMTYPE; a pack's rule names its own in the hold's ``aq``.
HOLDS = {"guardian": "31", "linked": "61", "valid": "10"}
_EXPIRED = "10"
#: What proves that the causes of a refused step are mended.
_DONE = (PermitSigned, PermitStarted, Released)
_REFUSED, _MENDED = "denied:", "已消除"


class OpenAlarm(msgspec.Struct):
    """Hold an alarm of a ticket that has not ended."""

    type: str
    start_ns: int
    by: str


Alarms = dict[str, OpenAlarm]


def begun(
    body: Event,
    envelope: Envelope,
    running: Mapping[str, OpenAlarm],
    kinds: Mapping[str, str],
    by: str,
) -> Alarms:
    """Return the alarms that an event begins; ``kinds``: the site's hold codes."""
    at_ns = envelope.act_ns or envelope.wall_ns
    if isinstance(body, PermitHeld):
        code = hold_type(body.hold, kinds)
        return {body.hold.id: OpenAlarm(code, at_ns, by)} if code else {}
    if isinstance(body, PermitExpired):
        return {f"{body.permit_id}:expired": OpenAlarm(_EXPIRED, at_ns, by)}
    if isinstance(body, PermitDenied):
        known = {a.type for key, a in running.items() if key.startswith(_REFUSED)}
        return {
            f"{_REFUSED}{code}:{envelope.id}": OpenAlarm(code, at_ns, by)
            for code in dict.fromkeys(body.aq)
            if code in aq.ALARM_TYPES and code not in known
        }
    return {}


def hold_type(hold: Hold, kinds: Mapping[str, str]) -> str:
    """Return a hold's ALARMTYPE; '' when the standard has none for it."""
    told = hold.params.get("aq", "")
    if told in aq.ALARM_TYPES:
        return str(told)
    return kinds.get(hold.code) or HOLDS.get(hold.code, "")


def over(body: Event, running: Mapping[str, OpenAlarm]) -> tuple[list[str], str]:
    """Return the alarms that an event ends, and how."""
    if isinstance(body, PermitCancelled | PermitRejected):
        return list(running), body.reason
    if isinstance(body, PermitClosed):
        return list(running), body.outcome
    if not isinstance(body, _DONE):
        return [], ""
    refused = [key for key in running if key.startswith(_REFUSED)]
    if isinstance(body, Released):
        return [*body.hold_ids, *refused], body.reason
    return refused, _MENDED
