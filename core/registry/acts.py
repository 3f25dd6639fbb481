"""Acts on devices: enrol, zone, remove."""

from core.journal.envelope import Effect
from core.people.acts import Act, Id, Line, Word, act
from core.registry.facts import Facts, Possession


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
    facts: Facts = Facts()
    possession: Possession | None = None
    """How its owner showed it to be the one in front of them."""


@act("device.zone", "maintainer", "safety_officer", effect=Effect.PERMISSIVE)
class ZoneDevice(Act, frozen=True, kw_only=True):
    """Put a device into a zone, or with None take it out of one."""

    device_id: str
    zone_id: str | None = None


@act("device.amend", "maintainer", "safety_officer", effect=Effect.PERMISSIVE)
class AmendDevice(Act, frozen=True, kw_only=True):
    """State anew what the site knows of a device that was enrolled by hand."""

    device_id: Id
    name: Line = ""
    facts: Facts = Facts()


@act("device.replace", "maintainer", "safety_officer", effect=Effect.PERMISSIVE)
class ReplaceDevice(Act, frozen=True, kw_only=True):
    """Let a device that was found take the place and history of an enrolled one."""

    device_id: Id
    integration: Word
    uid: Line
    possession: Possession | None = None


@act(
    "device.replace_needed",
    "maintainer",
    "safety_officer",
    effect=Effect.PERMISSIVE,
    two=("safety_officer", "supervisor"),
)
class ReplaceNeeded(ReplaceDevice, frozen=True, kw_only=True):
    """Replace a device that open work needs; two persons sign, the work is held."""


@act("device.remove", "maintainer", "safety_officer", effect=Effect.PERMISSIVE)
class RemoveDevice(Act, frozen=True, kw_only=True):
    """Take a device out of the site for good."""

    device_id: str
