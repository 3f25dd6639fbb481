"""Acts on devices: enrol, zone, remove."""

from core.journal.envelope import Effect
from core.people.acts import Act, act


@act("device.enrol", "maintainer", "safety_officer")
class EnrolDevice(Act, frozen=True, kw_only=True):
    """Take a proposed device into the site; ``integration`` is its host's id."""

    integration: str
    uid: str
    zone_id: str | None = None
    person_id: str | None = None
    name: str = ""
    critical: bool = False
    """True: the loss of any of its entities is a fault alarm."""


@act("device.zone", "maintainer", "safety_officer", effect=Effect.PERMISSIVE)
class ZoneDevice(Act, frozen=True, kw_only=True):
    """Put a device into a zone, or with None take it out of one."""

    device_id: str
    zone_id: str | None = None


@act("device.remove", "maintainer", "safety_officer", effect=Effect.PERMISSIVE)
class RemoveDevice(Act, frozen=True, kw_only=True):
    """Take a device out of the site for good."""

    device_id: str
