"""The typed expression tree that rules, permits and limits share (design §6)."""

import msgspec

from core.api.reading import Value


class Literal(msgspec.Struct, frozen=True, tag="lit"):
    """A constant."""

    value: Value


class Name(msgspec.Struct, frozen=True, tag="name"):
    """A declared name of the evaluation's scope; may be UNKNOWN."""

    name: str


class Compare(msgspec.Struct, frozen=True, tag="cmp"):
    """Two operands and one of < <= > >= == != in not_in."""

    op: str
    left: "Node"
    right: "Node"


class All(msgspec.Struct, frozen=True, tag="all"):
    """Kleene and."""

    items: tuple["Node", ...]


class Any(msgspec.Struct, frozen=True, tag="any"):
    """Kleene or."""

    items: tuple["Node", ...]


class Not(msgspec.Struct, frozen=True, tag="not"):
    """Kleene not: not UNKNOWN is UNKNOWN."""

    item: "Node"


class Arithmetic(msgspec.Struct, frozen=True, tag="math"):
    """Two operands and one of + - * /; UNKNOWN when either is."""

    op: str
    left: "Node"
    right: "Node"


class Call(msgspec.Struct, frozen=True, tag="call"):
    """One of the allowed functions: min, max, abs, median, count, known, …"""

    name: str
    args: tuple["Node", ...]


class Sequence(msgspec.Struct, frozen=True, tag="seq"):
    """A literal list, for ``in`` and for functions."""

    items: tuple["Node", ...]


Node = Literal | Name | Compare | All | Any | Not | Arithmetic | Call | Sequence
