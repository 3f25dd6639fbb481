"""What a person may write down about a meter."""

from core.journal.envelope import Effect
from core.people.acts import Act, Day, Id, act

_TESTERS = ("maintainer", "guardian", "supervisor", "issuer", "safety_officer")


@act("meter.calibrated", "maintainer", "safety_officer", effect=Effect.PERMISSIVE)
class CalibrateMeter(Act, frozen=True, kw_only=True):
    """Record a device's calibration; it also ends a failed bump test (D1)."""

    device_id: Id
    valid_to: Day
    """Last day that it counts."""
    certificate: Id
    by: Id
    """Laboratory or person that calibrated."""


@act("meter.bump_passed", *_TESTERS, effect=Effect.PERMISSIVE)
class PassBump(Act, frozen=True, kw_only=True):
    """Record that a device's sensor answered to test gas."""

    device_id: Id
    gas: Id


@act("meter.bump_failed", *_TESTERS, effect=Effect.PROTECTIVE)
class FailBump(Act, frozen=True, kw_only=True):
    """Record that a device's sensor did not answer: it is out of use at once."""

    device_id: Id
    gas: Id
