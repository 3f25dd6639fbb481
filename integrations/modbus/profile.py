"""What a register profile says, as typed structs; decode.py judges with them."""

import enum
from collections.abc import Mapping

import msgspec

from core.api import EntityKind, OutputKind, Quality


class Function(enum.IntEnum):
    """Name the four tables of a Modbus device by their read function."""

    COILS = 1
    DISCRETE = 2
    HOLDING = 3
    INPUT = 4


#: Registers (16 bit) that each type takes; a coil or discrete input is one bit.
WORDS = {
    "u16": 1,
    "i16": 1,
    "u32": 2,
    "i32": 2,
    "f32": 2,
    "u8hi": 1,
    "u8lo": 1,
    "u8dec": 1,
    "bcd": 1,
    "bit": 1,
}
#: Orders of the words, and of the bytes within each: ABCD, CDAB, BADC, DCBA.
ORDERS = ("big", "little", "big_swapped", "little_swapped")
#: (function, wire address) → register or bit as it was read.
Image = dict[tuple[int, int], int]
#: Most that one request may ask for (Modbus application protocol 1.1b3 §6).
MAX_REGISTERS = 125
MAX_BITS = 2000


class Register(msgspec.Struct, frozen=True, kw_only=True):
    """Say where one number lies and how it is written there.

    ``bits`` is (first, last) of a field within a u16; ``u8dec`` is a whole number
    in the high byte and tenths in the low one.
    """

    name: str
    function: int
    address: int
    type: str
    little: bool = False
    """Low word first."""
    swapped: bool = False
    """Low byte first within each word."""
    bits: tuple[int, int] | None = None

    @property
    def words(self) -> int:
        """Return how many addresses it takes."""
        return WORDS[self.type]


class Verdict(msgspec.Struct, frozen=True):
    """Say what a state of the device makes of its readings; reason is a code."""

    quality: Quality
    reason: str = ""


GOOD = Verdict(Quality.GOOD)


class Judge(msgspec.Struct, frozen=True, kw_only=True):
    """Turn one register's value into a verdict on entities (empty: all judged)."""

    register: str
    verdicts: Mapping[int, Verdict]
    otherwise: Verdict
    entities: tuple[str, ...] = ()


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Take a unit or a scale from a register of the device."""

    register: str
    values: Mapping[int, str | float]


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """Watch a register that must change; a frozen one taints every reading."""

    register: str
    period_s: float
    max_interval_s: float
    verdict: Verdict


class Coil(msgspec.Struct, frozen=True, kw_only=True):
    """Say how an output is written (FC05) and where its state is read back."""

    address: int
    on_state: bool = True
    read_function: int = Function.COILS
    read_address: int = 0
    proof: str = ""
    """How often and how the output is proven: shown to whoever tests it."""


class Derive(msgspec.Struct, frozen=True, kw_only=True):
    """Say what is made of a number's history (`window.Window`)."""

    kind: str
    """mean, peak (the greatest bucket), rise (per cent above its own mean), band."""
    over_s: float = 0.0
    of_s: float = 0.0
    """Length of one bucket; 0: a sixtieth of the window."""
    floor: float = 0.1
    """Least mean that a rise is a share of."""
    bands: tuple[float, ...] = ()
    """Edges between the bands A, B, C, …; a site may set its own (`bands`)."""


class EntityMap(msgspec.Struct, frozen=True, kw_only=True):
    """Say what one entity of the device is and which registers make it."""

    uid: str
    names: Mapping[str, str]
    kind: EntityKind
    register: str = ""
    quantity: str = ""
    unit: str | None = ""
    """None: neither map nor device tells it, so the site must (`units`)."""
    scale: float = 1.0
    offset: float = 0.0
    scale_from: Choice | None = None
    unit_from: Choice | None = None
    valid_when: Judge | None = None
    range: tuple[float, float] | None = None
    over_raw: int | None = None
    """Raw value by which the device says 'above my range'."""
    critical: bool = False
    judged: bool = True
    coil: Coil | None = None
    output: OutputKind | None = None
    derive: Derive | None = None


class SerialDefaults(msgspec.Struct, frozen=True, kw_only=True):
    """Hold the line settings that the maker ships."""

    baudrate: int = 9600
    parity: str = "N"
    stopbits: int = 1
    bytesize: int = 8


class Vector(msgspec.Struct, frozen=True, kw_only=True):
    """Hold one test vector: registers in, readings out."""

    name: str
    image: Mapping[tuple[int, int], int]
    expect: Mapping[str, Mapping[str, object]]
    heartbeat_age_s: float = 0.0


class Block(msgspec.Struct, frozen=True):
    """Name one request: a contiguous run of one table."""

    function: int
    address: int
    count: int


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Describe a device type; made by `load.load`, never by hand."""

    id: str
    version: int
    names: Mapping[str, str]
    manufacturer: str
    model: str
    source: str
    registers: Mapping[str, Register]
    judges: tuple[Judge, ...]
    entities: Mapping[str, EntityMap]
    blocks: tuple[Block, ...]
    serial: SerialDefaults
    poll_s: float
    timeout_s: float
    evidence: bool = True
    """False: no status is known, so a reading is UNCERTAIN at best (R16)."""
    bump_every_h: float | None = None
    """Hours for which a bump test counts, where it cannot tell its own faults."""
    beat: Beat | None = None
    simulate: Mapping[str, Mapping[str, float]] = {}
    vectors: tuple[Vector, ...] = ()

    @property
    def outputs(self) -> tuple[EntityMap, ...]:
        """Return the entities that can be commanded."""
        return tuple(e for e in self.entities.values() if e.coil is not None)


def plan(cells: set[tuple[int, int]], max_gap: int) -> tuple[Block, ...]:
    """Return the fewest requests that read every cell of (function, address).

    Cells of one table are joined when at most ``max_gap`` unwanted addresses lie
    between them and the run fits one request.
    """
    blocks: list[Block] = []
    for function, address in sorted(cells):
        limit = MAX_BITS if function <= Function.DISCRETE else MAX_REGISTERS
        if blocks and blocks[-1].function == function:
            last = blocks[-1]
            gap = address - (last.address + last.count)
            count = address - last.address + 1
            if gap <= max_gap and count <= limit:
                blocks[-1] = Block(function, last.address, count)
                continue
        blocks.append(Block(function, address, 1))
    return tuple(blocks)
