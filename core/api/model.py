"""What a device says of itself: devices, entities, outputs."""

import enum

import msgspec


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
