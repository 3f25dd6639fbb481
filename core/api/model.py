"""What a device says of itself: devices, entities, outputs."""

import enum
from collections.abc import Mapping
from typing import Final

import msgspec

from core.api.said import Said


class EntityKind(enum.StrEnum):
    """Name what an entity is, which decides how it is judged and shown."""

    GAS = "gas"
    SENSOR = "sensor"
    BINARY = "binary"
    LOCATION = "location"
    """Value is "x,y,z" in metres of the site's frame, or a zone id."""
    EVENT = "event"
    OUTPUT = "output"


class OutputKind(enum.StrEnum):
    """Name what an output moves; it decides the fail-safe that is allowed."""

    SIREN = "siren"
    STROBE = "strobe"
    VOICE = "voice"
    FAN = "fan"
    POWER_CUT = "power_cut"
    """ON means: power is cut. Trips on loss of the hub; never restored by itself."""
    BARRIER = "barrier"
    RECORDER = "recorder"
    """Keeps the picture of the last seconds, and of as many more as it is told."""
    LAMP = "lamp"
    """Heartbeat lamp (fail-safe off): dark means 'hub lost: stop work'. No-entry
    lamp (fail-safe on): lit means 'nobody goes in', also without the hub."""
    LIGHTING = "lighting"
    """ON means: light to work and to leave by."""
    HOIST = "hoist"
    """ON means: it may run. A load is landed, never frozen."""
    BREATHING_AIR = "breathing_air"
    """ON means: air is supplied to who breathes it."""
    EXIT = "exit"
    """ON means: the way out is open."""


#: What runs when all is well: found ON it needs no cause.
RUNNING = frozenset({OutputKind.LIGHTING, OutputKind.HOIST, OutputKind.BREATHING_AIR})
_NEVER_OFF = ("on", "hold_last")
#: Kind → what its device may do on loss of the hub. Only ignition sources trip;
#: what people need runs on; exits open; a call to leave never ends by itself.
FAIL_SAFES: Final[Mapping[OutputKind, tuple[str, ...]]] = {
    OutputKind.SIREN: _NEVER_OFF,
    OutputKind.STROBE: _NEVER_OFF,
    OutputKind.VOICE: _NEVER_OFF,
    OutputKind.FAN: _NEVER_OFF,
    OutputKind.POWER_CUT: _NEVER_OFF,
    OutputKind.BARRIER: ("on", "off", "hold_last"),
    OutputKind.RECORDER: ("on", "off", "hold_last"),
    OutputKind.LAMP: ("on", "off", "hold_last"),
    OutputKind.LIGHTING: _NEVER_OFF,
    OutputKind.HOIST: _NEVER_OFF,
    OutputKind.BREATHING_AIR: _NEVER_OFF,
    OutputKind.EXIT: ("on",),
}


def wrong_fail_safe(kind: OutputKind, fail_safe: str) -> str:
    """Return how to mend what an output would do on loss of the hub; '' when right.

    Source: design §5 Commands.
    """
    allowed = FAIL_SAFES[kind]
    if fail_safe in allowed:
        return ""
    best: list[str] = [f'"{each}"' for each in allowed]
    if len(best) > 1:
        best = [Said("{one} or {other}", one=best[0], other=best[1])]
    return Said(
        'an output of kind {kind} must not have fail_safe "{fail_safe}": without '
        "the hub it would fail unsafe; write fail_safe: {best} and wire it so",
        kind=kind,
        fail_safe=fail_safe,
        best=best,
    )


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """Declare an output: Ex rating, place of its contact, fail-safe.

    Source: design §5 Commands; requirement 1.15.
    """

    kind: OutputKind
    ex_rated: bool = False
    """True when the device may switch inside a combustible cloud."""
    contact_zone: str | None = None
    """Zone id where the switching contact sits; None means not declared."""
    outside_air: bool = False
    """Fan that blows clean air from outside the cloud."""
    fail_safe: str = "hold_last"
    """What the device does on loss of the hub: on, off or hold_last."""
    read_back: bool = True
    """False when the device cannot tell its state: commands never confirm."""
    phrases: tuple[str, ...] = ()
    """What a voice can say when its value is that word: no_rescue, leave, drill."""


class Entity(msgspec.Struct, frozen=True, kw_only=True):
    """Declare one entity of a device.

    ``uid`` is unique within the device and stable for its life.
    """

    uid: str
    name: str
    kind: EntityKind
    quantity: str = ""
    """Measured thing: h2s, ch4, co, o2, lel, wind, battery, wear, sos, …"""
    unit: str = ""
    max_age_s: float = 60.0
    """Age after which the core demotes the reading to STALE (R16)."""
    critical: bool = False
    """Loss of it is a fault alarm and makes its zone unmonitored."""
    full_scale: float | None = None
    output: Output | None = None


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """Declare a device; ``uid`` comes from a serial or key, never from an IP (R27)."""

    uid: str
    name: str
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    suggested_zone: str | None = None
    entities: tuple[Entity, ...] = ()
    key_id: str = ""
    """Fingerprint of the key by which the driver knows it; '' when there is none.
    A device that comes back under the same uid with another key is refused."""
    bump_every_h: float | None = None
    """Hours for which a bump test counts, where it cannot tell its own faults."""
