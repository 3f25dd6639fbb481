"""Every way in which registers may be read, and which of them a display agrees with.

Pure. A technician compares them with the device's own display at zero and with span
gas; one point proves little, for a register that stands still agrees with it too.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

from core.api.unknown_map import Decoding, Point
from integrations.modbus.decode import number
from integrations.modbus.profile import ORDERS, WORDS, Function, Register

WHOLE = ("u16", "i16", "u32", "i32")
SCALES = (1.0, 0.1, 0.01, 0.001, 10.0)
TABLES = {"holding": Function.HOLDING, "input": Function.INPUT}
#: A display rounds, and a transmitter's last digit moves: this share of what it shows,
#: and so many of its last digits.
SHARE, DIGITS = 0.02, 1.5
_F32_NEAR = 0.05
#: Decodings of one answer; beyond them a person sees nothing.
MOST = 400


def name(address: int, kind: str, order: str, scale: float) -> str:
    """Return the id of a decoding."""
    return f"{address}:{kind}:{order or '-'}:{scale:g}"


def register(decoding: str, table: str) -> tuple[Register, float]:
    """Return the register and the scale of a decoding's id; raises ValueError."""
    address, kind, order, scale = decoding.split(":")
    order = "big" if order == "-" else order
    if kind not in WORDS or order not in ORDERS or float(scale) not in SCALES:
        raise ValueError(f"no decoding {decoding!r}")
    found = Register(
        name="value",
        function=TABLES[table],
        address=int(address),
        type=kind,
        little=order.startswith("little"),
        swapped=order.endswith("_swapped"),
    )
    return found, float(scale)


def every(
    first: int, registers: Sequence[int], table: str, points: Mapping[str, Point]
) -> list[Decoding]:
    """Return the decodings of live registers, those that agree with more points first.

    ``registers``: from wire address ``first`` on; -1 could not be read.
    """
    found = [
        each
        for index, raw in enumerate(registers)
        if raw >= 0
        for each in _at(first, index, registers, table, points)
    ]
    found.sort(key=lambda each: (-len(each.matches), each.address))
    return found[:MOST]


def _at(
    first: int,
    index: int,
    registers: Sequence[int],
    table: str,
    points: Mapping[str, Point],
) -> Iterator[Decoding]:
    for kind in (*WHOLE, "f32"):
        words = WORDS[kind]
        if index + words > len(registers):
            continue
        for order in ORDERS if words > 1 else ("-",):
            for scale in SCALES if kind != "f32" else (1.0,):
                known = name(first + index, kind, order, scale)
                value = read(known, first, registers, table)
                if value is None:
                    continue
                at = {
                    each: then
                    for each, point in points.items()
                    if (then := read(known, first, point.registers, table)) is not None
                }
                yield Decoding(
                    id=known,
                    address=first + index,
                    type=kind,
                    order=order.strip("-"),
                    scale=scale,
                    raw=" ".join(
                        f"{each:04X}" for each in registers[index : index + words]
                    ),
                    value=value,
                    at=at,
                    matches=_matches(at, points, kind, scale),
                )


def _matches(
    at: Mapping[str, float], points: Mapping[str, Point], kind: str, scale: float
) -> tuple[str, ...]:
    """Return the points that agree; what stood still between them agrees with none."""
    if len(at) > 1 and len(set(at.values())) == 1:
        return ()
    return tuple(
        each
        for each, then in at.items()
        if agrees(then, points[each].shown, kind, scale)
    )


def read(
    decoding: str, first: int, registers: Sequence[int], table: str
) -> float | None:
    """Return what registers mean by a decoding; None where they mean nothing."""
    where, scale = register(decoding, table)
    image = {
        (where.function, first + index): raw for index, raw in enumerate(registers)
    }
    found = number(where, image)
    value = None if found is None else float(f"{found * scale:.10g}")
    return value if value is None or math.isfinite(value) else None


def agrees(value: float, shown: float, kind: str, scale: float) -> bool:
    """Say whether a reading is what a display shows, as far as it rounds."""
    digit = _F32_NEAR if kind == "f32" else DIGITS * scale
    return abs(value - shown) <= max(abs(shown) * SHARE, digit)


def matched(decoding: str, found: Sequence[Decoding]) -> bool:
    """Say whether a decoding agrees with the display at zero and with span gas."""
    return any(e.id == decoding and {"zero", "span"} <= set(e.matches) for e in found)
