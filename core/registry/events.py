"""Enrolment events and what devices report on the safety lane."""

import msgspec

from core.api.model import Device
from core.api.reading import Value
from core.journal.envelope import Effect
from core.journal.events import Event, event
from core.registry.facts import Facts, Possession


class EntityIds(msgspec.Struct, frozen=True):
    """Pair an entity's uid within its device with its lasting id."""

    uid: str
    entity_id: str


@event("device.enrolled")
class DeviceEnrolled(Event, frozen=True, kw_only=True):
    """A device, or its changed declaration, is part of the site."""

    device_id: str
    integration: str
    device: Device
    entities: tuple[EntityIds, ...]
    zone_id: str | None = None
    person_id: str | None = None
    """Wearer, for helmets and tags; set by configuration or by a scan."""
    facts: Facts | None = None
    """What a person stated of it; None: as it was, or by configuration."""
    proof: Possession | None = None
    """How that person proved it theirs; None: as it was, or by configuration."""


@event("device.loosened", effect=Effect.PROTECTIVE)
class DeviceLoosened(Event, frozen=True, kw_only=True):
    """A device that is known promises less from now on: work that needs it is held."""

    device_id: str
    what: tuple[str, ...]
    """Entity uid and field: a wider range, a longer age, another Ex rating, …"""
    zone_id: str | None = None
    person_id: str | None = None


@event("device.replaced")
class DeviceReplaced(Event, frozen=True, kw_only=True):
    """Another device of the same kind took the place, name and history of one.

    What was calibrated and bump-tested was the other one's sensor.
    """

    device_id: str
    integration: str
    device: Device
    was_uid: str
    proof: Possession | None = None


@event("device.zoned")
class DeviceZoned(Event, frozen=True, kw_only=True):
    """A device was put into a zone, or taken out of one."""

    device_id: str
    zone_id: str | None


@event("device.removed")
class DeviceRemoved(Event, frozen=True, kw_only=True):
    """A device left the site for good."""

    device_id: str


@event("device.reported", effect=Effect.PROTECTIVE)
class DeviceReported(Event, frozen=True, kw_only=True):
    """A device reported a discrete event: sos, fall, gate, scan."""

    device_id: str
    kind: str
    params: dict[str, Value] = {}
    event_id: str = ""
