"""Which way a change goes: shown to be tighter, or else looser.

Used for packs and for whole bundles; what takes two persons is decided from it.
"""

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from core.names import Names


class Way(enum.StrEnum):
    """Say which way a change goes."""

    SAME = "same"
    TIGHTER = "tighter"
    LOOSER = "looser"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One difference: where, from what to what, which way."""

    path: str
    old: str
    new: str
    way: Way


Judge = Callable[[Any, Any], Way]
Table = Mapping[str, Judge]


def loosened(changes: Iterable[Change]) -> list[Change]:
    """Return the changes that need a second person."""
    return [change for change in changes if change.way is Way.LOOSER]


# --- judges of single values ----------------------------------------------------


def less(old: float | None, new: float | None) -> Way:
    """Lower is tighter; None is no limit at all."""
    if old is None:
        return Way.TIGHTER
    return Way.TIGHTER if new is not None and new < old else Way.LOOSER


def more(old: float | None, new: float | None) -> Way:
    """Higher is tighter; None is no limit at all."""
    if old is None:
        return Way.TIGHTER
    return Way.TIGHTER if new is not None and new > old else Way.LOOSER


def on(_old: bool, new: bool) -> Way:
    """Demanded is tighter than not demanded."""
    return Way.TIGHTER if new else Way.LOOSER


def words(_old: Any, _new: Any) -> Way:
    """Say that words protect nobody."""
    return Way.SAME


def unclear(_old: Any, _new: Any) -> Way:
    """Call looser what cannot be shown to be tighter."""
    return Way.LOOSER


def superset(old: tuple[Any, ...], new: tuple[Any, ...]) -> Way:
    """All that was there is still there."""
    return Way.TIGHTER if all(each in new for each in old) else Way.LOOSER


def subset(old: tuple[Any, ...], new: tuple[Any, ...]) -> Way:
    """Nothing is there that was not."""
    return Way.TIGHTER if all(each in old for each in new) else Way.LOOSER


def chain(old: tuple[Any, ...], new: tuple[Any, ...]) -> Way:
    """More links are tighter, as long as the old ones stay in their order."""
    left = iter(new)
    return Way.TIGHTER if all(each in left for each in old) else Way.LOOSER


def leaf(path: str, old: Any, new: Any, judge: Judge) -> Iterator[Change]:
    """Yield the change of one value."""
    yield Change(path=path, old=show(old), new=show(new), way=judge(old, new))


def show(value: Any) -> str:
    """Return a value as a person reads it."""
    if isinstance(value, Names):
        return value.en
    if isinstance(value, tuple):
        return "[" + ", ".join(show(each) for each in value) + "]"
    if isinstance(value, msgspec.Struct):
        for name in ("text", "id", "role", "alarm"):
            if getattr(value, name, ""):
                return str(getattr(value, name))
        return type(value).__name__
    return str(value) if value is not None else "none"


def fields(
    path: str,
    old: Any,
    new: Any,
    table: Table,
    nested: Mapping[str, Table] | None = None,
) -> Iterator[Change]:
    """Compare two structs of one type; a field without a judge is looser."""
    for name in old.__struct_fields__:
        a, b = getattr(old, name), getattr(new, name)
        if a == b:
            continue
        here = f"{path}.{name}"
        inner = (nested or {}).get(name)
        if inner is not None and a is not None and b is not None:
            yield from fields(here, a, b, inner)
        else:
            yield from leaf(here, a, b, judge_of(table, name, a))


def judge_of(table: Table, name: str, value: Any) -> Judge:
    """Return who judges a field; names are words."""
    return words if isinstance(value, Names) else table.get(name, unclear)
