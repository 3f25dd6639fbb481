"""What the site consists of: devices, entities, their zones and wearers."""

from typing import TYPE_CHECKING

import msgspec

from core.api.model import Entity
from core.journal.envelope import Envelope
from core.journal.fold import folds
from core.registry.events import DeviceEnrolled, DeviceRemoved, DeviceZoned
from core.registry.meters_state import MeterRecord

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


class RegistryState(msgspec.Struct, kw_only=True):
    """Hold the registry as the journal tells it."""

    devices: dict[str, DeviceRecord] = {}
    entities: dict[str, EntityRecord] = {}
    meters: dict[str, MeterRecord] = {}
    """Device id → its calibration and bump tests."""


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
    )
    for entity in device.entities:
        registry.entities[ids[entity.uid]] = EntityRecord(
            id=ids[entity.uid], device_id=body.device_id, declared=entity
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
