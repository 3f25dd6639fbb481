"""Acts on alarms: answer, put by, judge afterwards; devices in maintenance."""

from typing import Annotated, Literal

import msgspec

from core.journal.envelope import Effect
from core.people.acts import Act, Id, act

#: Hours until something that was put by is back: at most ninety days.
Hours = Annotated[float, msgspec.Meta(gt=0, le=90 * 24)]
Note = Annotated[str, msgspec.Meta(max_length=500)]


@act(
    "alarm.acknowledge",
    "safety_officer",
    "issuer",
    "supervisor",
    "guardian",
    "marshal",
    "maintainer",
)
class AcknowledgeAlarm(Act, frozen=True, kw_only=True):
    """Say that one has seen it; never silences, never resets.

    The expected version is the record's ``count``: an alarm that came again
    since the person looked is not acknowledged by mistake.
    """

    alarm_id: str


@act("alarm.reset", "safety_officer", "supervisor", effect=Effect.PERMISSIVE)
class ResetAlarm(Act, frozen=True, kw_only=True):
    """Reset a latched alarm whose condition is gone, or can be judged no more."""

    alarm_id: str
    reason: str


@act("alarm.shelve", "safety_officer", effect=Effect.PERMISSIVE)
class ShelveAlarm(Act, frozen=True, kw_only=True):
    """Shelve for at most a shift; life-safety alarms cannot be shelved."""

    alarm_id: str
    reason: str
    minutes: float


@act("alarm.unshelve", "safety_officer", "supervisor", "maintainer")
class UnshelveAlarm(Act, frozen=True, kw_only=True):
    """End shelving before its time."""

    alarm_id: str


@act("alarm.out_of_service", "safety_officer", "maintainer", effect=Effect.PERMISSIVE)
class TakeOutOfService(Act, frozen=True, kw_only=True):
    """Take an alarm out of service until a date; life-safety alarms stay in."""

    alarm_id: str
    reason: str
    hours: Hours
    """After these it is back by itself."""


@act("alarm.in_service", "safety_officer", "maintainer")
class PutInService(Act, frozen=True, kw_only=True):
    """Put an alarm back into service; protective, so it never waits."""

    alarm_id: str


@act(
    "alarm.judge",
    *("safety_officer", "issuer", "supervisor", "guardian", "marshal", "maintainer"),
)
class JudgeAlarm(Act, frozen=True, kw_only=True):
    """Say what an alarm was worth, by one tap, also when it is closed.

    It moves nothing but figures: neither the alarm nor what it caused.
    """

    alarm_id: Id
    verdict: Literal["true", "nuisance", "unsure"]
    note: Note = ""


@act("incident.classify", "safety_officer", "supervisor")
class ClassifyIncident(Act, frozen=True, kw_only=True):
    """Say how an incident ended; its first alarm names it."""

    alarm_id: Id
    outcome: Literal["averted", "near_miss", "harm", "damage", "none"]
    root: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_.]{0,40}$")] = ""
    note: Note = ""


@act("device.out_of_service", "maintainer", "safety_officer", effect=Effect.PERMISSIVE)
class ServiceDevice(Act, frozen=True, kw_only=True):
    """Take a device into maintenance: it is no evidence, and no alarm but a fault.

    Refused while an open permit needs it.
    """

    device_id: Id
    reason: str
    hours: Hours


@act("device.in_service", "maintainer", "safety_officer")
class ReturnDevice(Act, frozen=True, kw_only=True):
    """Put a device back into service before its date."""

    device_id: Id
