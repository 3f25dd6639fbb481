"""What the gateway asks the worker that reads a Modbus unit of unknown map."""

import msgspec

from core.names import Names


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """Hold what a display showed, and what the registers held then."""

    shown: float
    registers: list[int]


class MapAsk(msgspec.Struct, kw_only=True):
    """Hold one question; ``op``: read, decode or profile."""

    op: str
    data: str
    place: str
    unit: int
    table: str = "holding"
    first: int = 0
    count: int = 32
    baudrate: int = 9600
    parity: str = "N"
    registers: list[int] = []
    points: dict[str, Point] = {}
    """zero and span."""
    decoding: str = ""
    profile: str = ""
    zh: str = ""
    en: str = ""
    quantity: str = ""
    unit_text: str = ""
    full_scale: float = 0.0
    status: int | None = None
    status_good: int = 0


class Decoding(msgspec.Struct, frozen=True, kw_only=True):
    """Hold one way to read registers."""

    id: str
    address: int
    type: str
    order: str
    scale: float
    raw: str
    value: float
    at: dict[str, float] = {}
    matches: tuple[str, ...] = ()


class MapAnswer(msgspec.Struct, kw_only=True):
    """Hold the answer: live registers with every decoding, or a profile's name."""

    problem: Names | None = None
    registers: list[int] = []
    decodings: list[Decoding] = []
    profile: str = ""
    evidence: bool = False
    bump_every_h: float | None = None
