"""Registers → readings, and back for the simulator; pure, and never raises.

Inhibit, warm-up, fault, calibration, simulation and a frozen heartbeat are
qualities, never values: a value that the device cannot vouch for is None.
"""

import math
import struct
from collections.abc import Callable, Mapping
from typing import NamedTuple

from core.api import EntityKind, Quality, Value
from integrations.modbus.profile import (
    GOOD,
    EntityMap,
    Image,
    Judge,
    Profile,
    Register,
    Verdict,
)

#: Qualities that carry no value at all: nothing was measured.
VALUELESS = frozenset({Quality.INHIBITED, Quality.FAULT, Quality.NOT_PRESENT})
MISSING = Verdict(Quality.FAULT, "modbus.missing_register")
NOT_A_NUMBER = Verdict(Quality.FAULT, "modbus.not_a_number")
BAD_SCALE = Verdict(Quality.FAULT, "modbus.unknown_scale")
UNKNOWN_UNIT = Verdict(Quality.FAULT, "modbus.unknown_unit")
UNIT_MISMATCH = Verdict(Quality.FAULT, "modbus.unit_mismatch")
OVER_RANGE = Verdict(Quality.UNCERTAIN, "modbus.over_range")
UNDER_RANGE = Verdict(Quality.UNCERTAIN, "modbus.under_range")
HEARTBEAT_UNPROVEN = Verdict(Quality.UNCERTAIN, "modbus.heartbeat_unproven")
UNPROVEN = Verdict(Quality.UNCERTAIN, "modbus.status_unknown")
#: The least normal float of 32 bits.
_LEAST_F32 = 2.0**-126


class Decoded(NamedTuple):
    """One judged value as the driver reports it."""

    value: Value
    quality: Quality
    reason: str


Cells = Mapping[tuple[int, int], int]


def _words(register: Register, image: Cells) -> list[int] | None:
    words = [
        image.get((register.function, register.address + i), -1)
        for i in range(register.words)
    ]
    if any(not 0 <= w <= 0xFFFF for w in words):
        return None
    if register.swapped:
        words = [_flipped(word) for word in words]
    return words[::-1] if register.little else words


def _flipped(word: int) -> int:
    return (word & 0xFF) << 8 | word >> 8


def number(register: Register, image: Cells) -> float | int | None:
    """Return a register's number; None when it was not read or is no number."""
    words = _words(register, image)
    if words is None:
        return None
    if register.bits is not None:
        first, last = register.bits
        return (words[0] >> first) & ((1 << (last - first + 1)) - 1)
    data = struct.pack(f">{len(words)}H", *words)
    return _TYPES[register.type](data)


def _f32(data: bytes) -> float | None:
    """Return the number; none that no transmitter measures.

    Below the normal range lie the bits of a number whose words were swapped.
    """
    value: float = struct.unpack(">f", data)[0]
    tiny = value != 0 and abs(value) < _LEAST_F32
    return None if tiny or not math.isfinite(value) else value


def _bcd(data: bytes) -> int | None:
    text = data.hex()
    return int(text) if text.isdecimal() else None


def _u8dec(data: bytes) -> float | None:
    return round(data[0] + data[1] / 10, 1) if data[1] < 10 else None


_TYPES: Mapping[str, Callable[[bytes], float | int | None]] = {
    "u16": lambda d: int.from_bytes(d, "big"),
    "i16": lambda d: int.from_bytes(d, "big", signed=True),
    "u32": lambda d: int.from_bytes(d, "big"),
    "i32": lambda d: int.from_bytes(d, "big", signed=True),
    "f32": _f32,
    "u8hi": lambda d: d[0],
    "u8lo": lambda d: d[1],
    "u8dec": _u8dec,
    "bcd": _bcd,
    "bit": lambda d: d[1] & 1,
}


def _judge(profile: Profile, judge: Judge, image: Cells) -> Verdict:
    found = number(profile.registers[judge.register], image)
    if found is None:
        return MISSING
    return judge.verdicts.get(int(found), judge.otherwise)


def _worst(verdicts: list[Verdict]) -> Verdict:
    return max(verdicts, key=lambda v: v.quality, default=GOOD)


def unit_of(profile: Profile, entity: EntityMap, image: Cells) -> str | None:
    """Return the unit that the device says it uses; None when it cannot be told."""
    if entity.unit_from is None:
        return entity.unit
    register = profile.registers[entity.unit_from.register]
    code = number(register, image)
    found = None if code is None else entity.unit_from.values.get(int(code))
    return None if found is None else str(found)


def _scaled(
    profile: Profile, entity: EntityMap, image: Cells
) -> tuple[float | int | None, Verdict]:
    """Return a value in its unit and the worst that can be said of it."""
    register = profile.registers[entity.register]
    raw = number(register, image)
    if raw is None:
        complete = _words(register, image) is not None
        return None, NOT_A_NUMBER if complete else MISSING
    if entity.over_raw is not None and int(raw) == entity.over_raw:
        return entity.range[1] if entity.range else None, OVER_RANGE
    scale = entity.scale
    if entity.scale_from is not None:
        code = number(profile.registers[entity.scale_from.register], image)
        found = None if code is None else entity.scale_from.values.get(int(code))
        if found is None:
            return None, BAD_SCALE
        scale *= float(found)
    if scale == 1.0 and entity.offset == 0.0:
        value: float | int = raw
    else:
        # Ten digits are more than any transmitter has; 209 × 0.1 reads 20.9.
        value = float(f"{raw * scale + entity.offset:.10g}")
    if entity.range is not None and value > entity.range[1]:
        return value, OVER_RANGE
    if entity.range is not None and value < entity.range[0]:
        return value, UNDER_RANGE
    return value, GOOD


def _output(entity: EntityMap, image: Cells) -> Decoded:
    coil = entity.coil
    state = image.get((coil.read_function, coil.read_address)) if coil else None
    if coil is None or state is None:
        return Decoded(None, MISSING.quality, MISSING.reason)
    return Decoded(bool(state) == coil.on_state, Quality.GOOD, "")


def _entity(
    profile: Profile,
    entity: EntityMap,
    image: Cells,
    common: list[tuple[Judge, Verdict]],
    unit: str | None,
) -> Decoded:
    value, own = _scaled(profile, entity, image)
    verdicts = [own]
    if entity.judged:
        verdicts += [v for j, v in common if not j.entities or entity.uid in j.entities]
        if not profile.evidence:
            verdicts.append(UNPROVEN)
    if entity.valid_when is not None:
        verdicts.append(_judge(profile, entity.valid_when, image))
    if entity.unit_from is not None:
        said = unit_of(profile, entity, image)
        if said is None:
            verdicts.append(UNKNOWN_UNIT)
        elif unit is not None and said != unit:
            verdicts.append(UNIT_MISMATCH)
    worst = _worst(verdicts)
    shown: Value = None if worst.quality in VALUELESS else value
    if shown is not None and entity.kind is EntityKind.BINARY:
        shown = bool(shown)
    elif shown is not None and entity.kind is EntityKind.GAS:
        shown = float(shown)
    return Decoded(shown, worst.quality, worst.reason)


def _beat(profile: Profile, age_s: float | None) -> list[tuple[Judge, Verdict]]:
    beat = profile.beat
    if beat is None or (age_s is not None and age_s <= beat.max_interval_s):
        return []
    verdict = HEARTBEAT_UNPROVEN if age_s is None else beat.verdict
    return [(Judge(register=beat.register, verdicts={}, otherwise=verdict), verdict)]


def decode(
    profile: Profile,
    image: Cells,
    *,
    heartbeat_age_s: float | None = 0.0,
    units: Mapping[str, str] | None = None,
) -> dict[str, Decoded]:
    """Return entity uid → judged value for what was read; never raises.

    ``heartbeat_age_s`` is how long the heartbeat register has stood still; None
    means that it was never seen to move, which proves nothing yet.
    ``units`` are the declared units that the device must agree with.
    """
    common = [(j, _judge(profile, j, image)) for j in profile.judges]
    common += _beat(profile, heartbeat_age_s)
    declared = units or {}
    return {
        uid: _output(entity, image)
        if entity.coil is not None
        else _entity(profile, entity, image, common, declared.get(uid))
        for uid, entity in profile.entities.items()
    }


def put(register: Register, value: float, image: Image) -> None:
    """Write a number into an image as the device would: the inverse of `number`.

    Raises ValueError when the type cannot hold it.
    """
    where = (register.function, register.address)
    if register.bits is not None:
        first, last = register.bits
        mask = (1 << (last - first + 1)) - 1
        if not 0 <= int(value) <= mask:
            raise ValueError(f"{register.name}: {value} does not fit its bits")
        kept = image.get(where, 0) & ~(mask << first) & 0xFFFF
        image[where] = kept | (int(value) << first)
        return
    if register.type in {"u8hi", "u8lo"}:
        shift = 8 if register.type == "u8hi" else 0
        kept = image.get(where, 0) & ~(0xFF << shift) & 0xFFFF
        image[where] = kept | (int(value).to_bytes(1, "big")[0] << shift)
        return
    words = struct.unpack(f">{register.words}H", _bytes(register, value))
    for index, word in enumerate(words[::-1] if register.little else words):
        at = register.function, register.address + index
        image[at] = _flipped(word) if register.swapped else word


def _bytes(register: Register, value: float) -> bytes:
    """Return the big-endian bytes of a number; raises ValueError."""
    size = 2 * register.words
    try:
        if register.type == "f32":
            return struct.pack(">f", value)
        if register.type == "bcd":
            return bytes.fromhex(f"{int(value):04d}")
        if register.type == "u8dec":
            tenths = round(value * 10)
            return bytes(divmod(tenths, 10))
        signed = register.type.startswith("i")
        return round(value).to_bytes(size, "big", signed=signed)
    except (OverflowError, struct.error, ValueError) as problem:
        raise ValueError(f"{register.name}: {value} does not fit") from problem
