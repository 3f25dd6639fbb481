"""Compare two packs field by field: what is tighter, what is looser.

What cannot be shown to be tighter counts as looser. So an overlay without a second
person never permits what the pack denies.
"""

import enum
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from core.logic import tree
from core.names import Names
from core.permits import pack as p
from core.permits.gas_limits import acceptance, acceptance_lel


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


def compare(old: p.Pack, new: p.Pack) -> list[Change]:
    """Return every difference that matters; words alone are SAME."""
    found: list[Change] = []
    for section in ("settings", "roles", "forms", "distances", "limits"):
        found += _section(section, old, new)
    found += _section("kinds", old, new)
    found += _section("rules", old, new)
    if old.retention_days != new.retention_days:
        found += _leaf("retention_days", old.retention_days, new.retention_days, _more)
    return found


def loosened(changes: Iterable[Change]) -> list[Change]:
    """Return the changes that need a second person."""
    return [change for change in changes if change.way is Way.LOOSER]


# --- judges of single values ----------------------------------------------------


def _less(old: float | None, new: float | None) -> Way:
    """Lower is tighter; None is no limit at all."""
    if old is None:
        return Way.TIGHTER
    return Way.TIGHTER if new is not None and new < old else Way.LOOSER


def _more(old: float | None, new: float | None) -> Way:
    if old is None:
        return Way.TIGHTER
    return Way.TIGHTER if new is not None and new > old else Way.LOOSER


def _on(old: bool, new: bool) -> Way:
    return Way.TIGHTER if new else Way.LOOSER


def _words(_old: Any, _new: Any) -> Way:
    return Way.SAME


def _unclear(_old: Any, _new: Any) -> Way:
    return Way.LOOSER


def _superset(old: tuple[Any, ...], new: tuple[Any, ...]) -> Way:
    return Way.TIGHTER if all(each in new for each in old) else Way.LOOSER


def _subset(old: tuple[Any, ...], new: tuple[Any, ...]) -> Way:
    return Way.TIGHTER if all(each in old for each in new) else Way.LOOSER


def _chain(old: tuple[Any, ...], new: tuple[Any, ...]) -> Way:
    """More links are tighter, as long as the old ones stay in their order."""
    left = iter(new)
    return Way.TIGHTER if all(each in left for each in old) else Way.LOOSER


def _stronger(old: p.Action, new: p.Action) -> Way:
    return Way.TIGHTER if p.SEVERITY[new] > p.SEVERITY[old] else Way.LOOSER


def _demands(old: p.Condition | None, new: p.Condition | None) -> Way:
    """A condition of permission is tighter with more joined by ``and``."""
    if old is None:
        return Way.TIGHTER
    if new is None:
        return Way.LOOSER
    parts = _parts(new.node, tree.All)
    kept = all(each in parts for each in _parts(old.node, tree.All))
    return Way.TIGHTER if kept else _alternatives(old.node, new.node)


def _alternatives(old: tree.Node, new: tree.Node) -> Way:
    """``a or b`` is tighter with fewer ways to meet it."""
    fewer = all(e in _parts(old, tree.Any) for e in _parts(new, tree.Any))
    return Way.TIGHTER if fewer else Way.LOOSER


def _reach(old: p.Condition | None, new: p.Condition | None) -> Way:
    """When something is demanded: None is always, more joined by ``or`` is wider."""
    if new is None:
        return Way.TIGHTER
    if old is None:
        return Way.LOOSER
    parts = _parts(new.node, tree.Any)
    wider = all(each in parts for each in _parts(old.node, tree.Any))
    fewer = all(e in _parts(old.node, tree.All) for e in _parts(new.node, tree.All))
    return Way.TIGHTER if wider or fewer else Way.LOOSER


def _parts(
    node: tree.Node, kind: type[tree.All] | type[tree.Any]
) -> tuple[tree.Node, ...]:
    return node.items if isinstance(node, kind) else (node,)


def _cases(old: tuple[p.ValidityCase, ...], new: tuple[p.ValidityCase, ...]) -> Way:
    """Every special case of the new was there, and not shorter."""
    before = {each.when.node: each.hours for each in old}
    fine = all(
        each.when.node in before and each.hours <= before[each.when.node]
        for each in new
    )
    return Way.TIGHTER if fine else Way.LOOSER


# --- tables of fields -----------------------------------------------------------

_GAS: Final[dict[str, Judge]] = {
    "when": _reach,
    "gases": _superset,
    "places": _superset,
    "within_m": _unclear,
    "age_sign_min": _less,
    "age_start_min": _less,
    "retest_gap_min": _less,
    "continuous": _on,
    "record_every_min": _less,
    "daily": _on,
    "clause": _words,
}
_VALIDITY: Final[dict[str, Judge]] = {
    "hours": _less,
    "setting": _unclear,
    "cases": _cases,
    "cap_by_linked": _superset,
    "clause": _words,
}
_GUARDIAN: Final[dict[str, Judge]] = {
    "required": _on,
    "outside": _on,
    "duties": _superset,
    "clause": _words,
}
_VIDEO: Final = ("none", "optional", "full")
_TABLES: Final[dict[str, dict[str, Judge]]] = {
    "kinds": {
        "family": _unclear,
        "code": _unclear,
        "rank": _unclear,
        "grade": _words,
        "clause": _words,
        "certainty": _words,
        "test": _demands,
        "test_names": _words,
        "approvers": _chain,
        "trades": _superset,
        "upgrades": _superset,
        "safe_state": _unclear,
        "form": _unclear,
        "video": lambda a, b: _on(False, _VIDEO.index(b) > _VIDEO.index(a)),
        "reaction_s": _less,
        "retention_days": _more,
        "video_days": _more,
    },
    "rules": {
        "clause": _words,
        "certainty": _words,
        "applies": lambda a, b: Way.TIGHTER if "*" in b else _superset(a, b),
        "phases": _superset,
        "when": _reach,
        "require": _demands,
        "on_breach": _stronger,
        "on_unknown": _stronger,
        "alarm": lambda a, b: Way.TIGHTER if not a else Way.LOOSER,
    },
    "forms": {
        "clause": _words,
        "fields": _superset,
        "measures": _superset,
        "signatures": _chain,
    },
    "roles": {"acts_as": _subset},
    "distances": {"metres": _more, "vertical": _on, "clause": _words},
    "settings": {"certainty": _words, "clause": _words},
    "limits": {"clause": _words, "certainty": _words, "idlh": _words},
}
_NESTED: Final[dict[str, dict[str, Judge]]] = {
    "gas": _GAS,
    "validity": _VALIDITY,
    "guardian": _GUARDIAN,
}
#: An entry that only one of the packs has: (added, removed).
_ENTRIES: Final = {
    "settings": (Way.TIGHTER, Way.LOOSER),
    "roles": (Way.SAME, Way.LOOSER),
    "forms": (Way.SAME, Way.LOOSER),
    "distances": (Way.TIGHTER, Way.LOOSER),
    "limits": (Way.LOOSER, Way.LOOSER),
    "kinds": (Way.LOOSER, Way.LOOSER),
    "rules": (Way.TIGHTER, Way.LOOSER),
}


def _section(section: str, old: p.Pack, new: p.Pack) -> Iterator[Change]:
    before = {each.id: each for each in getattr(old, section)}
    after = {each.id: each for each in getattr(new, section)}
    added, removed = _ENTRIES[section]
    for key in {**before, **after}:
        path = f"{section}.{key}"
        if key not in after:
            yield Change(path=path, old="present", new="removed", way=removed)
        elif key not in before:
            yield Change(path=path, old="absent", new="added", way=added)
        elif before[key] != after[key]:
            yield from _entry(section, path, before[key], after[key])


def _entry(section: str, path: str, old: Any, new: Any) -> Iterator[Change]:
    if section == "settings":
        yield from _setting(path, old, new)
    elif section == "limits":
        yield from _limit(path, old, new)
    else:
        yield from _fields(path, old, new, _TABLES[section])


def _fields(path: str, old: Any, new: Any, table: dict[str, Judge]) -> Iterator[Change]:
    for name in old.__struct_fields__:
        a, b = getattr(old, name), getattr(new, name)
        if a == b:
            continue
        here = f"{path}.{name}"
        if name in _NESTED and a is not None and b is not None:
            yield from _fields(here, a, b, _NESTED[name])
        elif name == "gas":
            yield from _leaf(here, a, b, lambda a, _b: _on(True, a is None))
        else:
            yield from _leaf(here, a, b, _judge(table, name, a))


def _judge(table: dict[str, Judge], name: str, value: Any) -> Judge:
    if isinstance(value, Names):
        return _words
    return table.get(name, _unclear)


def _setting(path: str, old: p.Setting, new: p.Setting) -> Iterator[Change]:
    if old.value != new.value:
        judge = {"lower": _less, "higher": _more}.get(old.tighter, _unclear)
        yield from _leaf(f"{path}.value", old.value, new.value, judge)
    level = msgspec.structs.replace(new, value=old.value)
    yield from _fields(path, old, level, _TABLES["settings"])


def _limit(path: str, old: p.GasLimit, new: p.GasLimit) -> Iterator[Change]:
    for name in old.__struct_fields__:
        a, b = getattr(old, name), getattr(new, name)
        if a == b:
            continue
        way = _TABLES["limits"].get(name, lambda _a, _b: _gas_way(old, new))
        yield from _leaf(f"{path}.{name}", a, b, _judge({name: way}, name, a))


def _gas_way(old: p.GasLimit, new: p.GasLimit) -> Way:
    """Tighter only where no value in any unit passes that did not pass before."""
    if (old.gas_class, old.molar_mass) != (new.gas_class, new.molar_mass):
        return Way.LOOSER
    pairs = [(acceptance(old), acceptance(new))]
    if old.gas_class == "combustible":
        pairs.append((acceptance_lel(old), acceptance_lel(new)))
    if old.gas_class == "oxygen":
        pairs += [(new.low_vol, old.low_vol), (_most(old), _most(new))]
    fine = all(a is not None and b is not None and b <= a for a, b in pairs)
    return Way.TIGHTER if fine else Way.LOOSER


def _most(limit: p.GasLimit) -> float | None:
    """Return the highest oxygen that can ever pass."""
    return limit.high_vol if limit.rich_high_vol is None else limit.rich_high_vol


def _leaf(path: str, old: Any, new: Any, judge: Judge) -> Iterator[Change]:
    yield Change(path=path, old=_show(old), new=_show(new), way=judge(old, new))


def _show(value: Any) -> str:
    """Return a value as a person reads it."""
    if isinstance(value, p.Condition):
        return value.text
    if isinstance(value, Names):
        return value.en
    if isinstance(value, tuple):
        return "[" + ", ".join(_show(each) for each in value) + "]"
    if isinstance(value, msgspec.Struct):
        for name in ("id", "role", "alarm"):
            if getattr(value, name, ""):
                return str(getattr(value, name))
        return type(value).__name__
    return str(value) if value is not None else "none"
