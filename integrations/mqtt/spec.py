"""What discovery and topic maps both produce: devices as topics and judges."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from core.api import Device, Entity
from integrations.mqtt.line import LineSpec
from integrations.mqtt.points import Convert, Event
from integrations.mqtt.templates import Extract


class SpecError(Exception):
    """A discovery payload or topic map is wrong; the text names field and mend."""


@dataclass(frozen=True, slots=True)
class Presence:
    """One availability topic: which of its payloads say 'here' and 'gone'."""

    topic: str
    extract: Extract
    here: str = "online"
    gone: str = "offline"


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """How an output is told: payloads of on and off; never retained."""

    topic: str
    on: bytes
    off: bytes
    repeat: bool = True
    """False: said once; each more would queue behind it, as in a radio network."""


#: Takes (text, JSON, retained) of a message; None when it holds no event.
Take = Callable[[str, Any, bool], Event | None]


@dataclass(frozen=True, slots=True)
class EntitySpec:
    """One entity: where its state comes from and how it is judged."""

    entity: Entity
    topic: str | None = None
    extract: Extract | None = None
    convert: Convert | None = None
    presence: tuple[Presence, ...] = ()
    mode: str = "latest"
    command: CommandSpec | None = None
    take: Take | None = None
    event_topic: str | None = None
    also: tuple[tuple[str, Extract], ...] = ()
    """Other topics that tell the same state, when they tell it at all."""
    refresh: str | None = None
    """A topic whose every message says that the last state still holds."""


@dataclass(slots=True)
class DeviceSpec:
    """A device and its entities, by entity uid."""

    uid: str
    name: str
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    zone: str | None = None
    entities: dict[str, EntitySpec] = field(default_factory=dict)
    line: LineSpec | None = None

    def device(self) -> Device:
        """Return what the hub is told."""
        return Device(
            uid=self.uid,
            name=self.name,
            manufacturer=self.manufacturer,
            model=self.model,
            serial=self.serial,
            suggested_zone=self.zone,
            entities=tuple(spec.entity for spec in self.entities.values()),
        )
