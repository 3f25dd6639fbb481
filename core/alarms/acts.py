"""Acts on alarms: acknowledge, reset, shelve, unshelve, take out of service."""

from core.journal.envelope import Effect
from core.people.acts import Act, act


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
    """Take an alarm out of service; life-safety alarms stay in."""

    alarm_id: str
    reason: str


@act("alarm.in_service", "safety_officer", "maintainer")
class PutInService(Act, frozen=True, kw_only=True):
    """Put an alarm back into service; protective, so it never waits."""

    alarm_id: str
