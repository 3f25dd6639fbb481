"""Profiles: what a maker's alarm bits and additional items mean, as data."""

import functools
from pathlib import Path
from typing import Any, Final, NamedTuple

import voluptuous as vol

from core.api import Entity, documents
from core.api.said import Said
from integrations.helmet import words

FOLDER: Final = Path(__file__).parent / "profiles"
_TYPES: Final = {
    **{"u8": (1, False), "i8": (1, True), "u16": (2, False)},
    **{"i16": (2, True), "u32": (4, False), "i32": (4, True)},
}


class Item(NamedTuple):
    """Say where in an additional item an entity's value lies."""

    entity: str
    type: str
    at: int = 0
    scale: float = 1.0
    offset: float = 0.0
    bit: int | None = None
    unit: str = ""
    none: int | None = None
    """The raw value that says that nothing was measured."""


class Profile(NamedTuple):
    """Hold a checked profile."""

    id: str
    alarms: dict[int, str]
    items: dict[int, tuple[Item, ...]]

    def entities(self, max_age_s: float) -> tuple[Entity, ...]:
        """Return the entities that its items tell, each once."""
        found: dict[str, Entity] = {}
        for each in (item for items in self.items.values() for item in items):
            known = words.state(each.entity, max_age_s)
            made = known or words.gas(each.entity, each.unit, max_age_s)
            found.setdefault(each.entity, made)
        return tuple(found.values())

    def events(self) -> tuple[str, ...]:
        """Return the events that its alarm bits make, SOS always."""
        return tuple(dict.fromkeys(("sos", *self.alarms.values())))


def value(item: Item, data: bytes) -> float | bool | None:
    """Return an item's value; None when it is too short or says 'nothing'."""
    size, signed = _TYPES[item.type]
    raw = data[item.at : item.at + size]
    if len(raw) < size:
        return None
    number = int.from_bytes(raw, "big", signed=signed)
    if number == item.none:
        return None
    if item.bit is not None:
        return bool(number >> item.bit & 1)
    return number * item.scale + item.offset


def _number(low: int, high: int) -> Any:
    def check(told: object) -> int:
        if (
            isinstance(told, bool)
            or not isinstance(told, int)
            or not low <= told <= high
        ):
            raise vol.Invalid(
                Said("expected a whole number from {low} to {high}", low=low, high=high)
            )
        return told

    return check


def _finite(told: object) -> float:
    if isinstance(told, bool) or not isinstance(told, int | float):
        raise vol.Invalid("expected a number")
    if not abs(told) < 1e9:
        raise vol.Invalid("expected a number below 1e9")
    return float(told)


def _entity(told: object) -> str:
    if not isinstance(told, str) or not told.isidentifier() or len(told) > 40:
        raise vol.Invalid("expected a word such as battery, wear, hook or a gas")
    return told


_ITEM = {
    vol.Required("entity"): _entity,
    vol.Required("type"): vol.In(sorted(_TYPES)),
    vol.Optional("at", default=0): _number(0, 254),
    vol.Optional("scale", default=1.0): _finite,
    vol.Optional("offset", default=0.0): _finite,
    vol.Optional("bit"): _number(0, 31),
    vol.Optional("unit", default=""): str,
    vol.Optional("none"): _number(-(1 << 31), (1 << 32) - 1),
}
SCHEMA = vol.Schema(
    {
        vol.Required("profile"): str,
        vol.Required("version"): int,
        vol.Required("names"): {"zh": str, "en": str},
        vol.Optional("source", default=""): str,
        vol.Optional("alarms", default={}): {_number(0, 31): vol.In(words.EVENTS)},
        vol.Optional("items", default={}): {_number(0, 255): [_ITEM]},
    }
)


@functools.cache
def load(name: str) -> Profile:
    """Return a shipped profile by its id, or one by its file's path; ConfigError."""
    document = documents.read(documents.find(name, FOLDER))
    checked = document.check(SCHEMA)
    for number, items in checked["items"].items():
        for each in items:
            if not words.state(each["entity"], 1.0) and not each["unit"]:
                raise document.error(
                    ("items", number),
                    Said("the gas {entity!r} needs a unit", entity=each["entity"]),
                )
    return Profile(
        checked["profile"],
        checked["alarms"],
        {
            number: tuple(Item(**each) for each in items)
            for number, items in checked["items"].items()
        },
    )
