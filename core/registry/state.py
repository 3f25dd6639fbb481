"""What the site consists of: devices, entities, their zones and wearers."""

from typing import TYPE_CHECKING

import msgspec

from core.api.model import Entity
from core.journal.envelope import Envelope
from core.journal.fold import folds
from core.registry.commissioning_state import ZoneSheet
from core.registry.events import (
    DeviceEnrolled,
    DeviceRemoved,
    DeviceReplaced,
    DeviceZoned,
)
from core.registry.facts import Facts, Possession
from core.registry.meters_state import MeterRecord
from core.registry.proposals_state import IgnoredRecord

if TYPE_CHECKING:
    from core.state import SiteState


class EntityRecord(msgspec.Struct, kw_only=True):
    """Hold one enrolled entity; its zone is its device's."""

    id: str
    device_id: str
    declared: Entity


class DeviceRecord(msgspec.Struct, kw_only=True):
    """Hold one enrolled device."""

    id: str
    integration: str
    uid: str
    name: str
    manufacturer: str
    model: str
    zone_id: str | None
    person_id: str | None
    entities: list[str]
    serial: str = ""
    key_id: str = ""
    """Fingerprint of the key that it was enrolled with; '' when it had none."""
    bump_every_h: float | None = None
    """What it demands itself, for it cannot tell its own faults."""
    facts: Facts | None = None
    """What a person stated; None: the configuration does, or nobody."""
    proof: Possession | None = None
    known_as: tuple[str, str] | None = None
    """Integration and uid under which the site's files know it; None: its own."""


class RegistryState(msgspec.Struct, kw_only=True):
    """Hold the registry as the journal tells it."""

    devices: dict[str, DeviceRecord] = {}
    entities: dict[str, EntityRecord] = {}
    meters: dict[str, MeterRecord] = {}
    """Device id → its calibration and bump tests."""
    ignored: dict[str, IgnoredRecord] = {}
    """Key → a finding of discovery that nobody wants to see."""
    commissioning: dict[str, ZoneSheet] = {}
    """Zone id → what was shown of it, and who signed that."""


@folds(DeviceEnrolled)
def _enrolled(state: "SiteState", body: DeviceEnrolled, _: Envelope) -> None:
    registry, device = state.registry, body.device
    known = registry.devices.get(body.device_id)
    for gone in known.entities if known else ():
        registry.entities.pop(gone, None)
    ids = {pair.uid: pair.entity_id for pair in body.entities}
    registry.devices[body.device_id] = DeviceRecord(
        id=body.device_id,
        integration=body.integration,
        uid=device.uid,
        name=device.name,
        manufacturer=device.manufacturer,
        model=device.model,
        zone_id=body.zone_id,
        person_id=body.person_id,
        entities=[ids[entity.uid] for entity in device.entities],
        serial=device.serial,
        key_id=device.key_id,
        bump_every_h=device.bump_every_h,
        facts=body.facts or (known.facts if known else None),
        proof=body.proof or (known.proof if known else None),
        known_as=known.known_as if known else None,
    )
    for entity in device.entities:
        registry.entities[ids[entity.uid]] = EntityRecord(
            id=ids[entity.uid], device_id=body.device_id, declared=entity
        )


@folds(DeviceReplaced)
def _replaced(state: "SiteState", body: DeviceReplaced, _: Envelope) -> None:
    known = state.registry.devices.get(body.device_id)
    if known is None:
        return
    state.registry.meters.pop(body.device_id, None)
    device = body.device
    state.registry.devices[body.device_id] = msgspec.structs.replace(
        known,
        integration=body.integration,
        uid=device.uid,
        manufacturer=device.manufacturer,
        model=device.model,
        serial=device.serial,
        key_id=device.key_id,
        proof=body.proof,
        known_as=known.known_as or (known.integration, known.uid),
    )


@folds(DeviceZoned)
def _zoned(state: "SiteState", body: DeviceZoned, _: Envelope) -> None:
    device = state.registry.devices.get(body.device_id)
    if device is not None:
        device.zone_id = body.zone_id


@folds(DeviceRemoved)
def _removed(state: "SiteState", body: DeviceRemoved, _: Envelope) -> None:
    device = state.registry.devices.pop(body.device_id, None)
    state.registry.meters.pop(body.device_id, None)
    for gone in device.entities if device else ():
        state.registry.entities.pop(gone, None)
