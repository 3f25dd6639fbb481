"""Compare two packs field by field: what is tighter, what is looser.

What cannot be shown to be tighter counts as looser. So an overlay without a second
person never permits what the pack denies.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from core.logic import tree
from core.permits import pack as p
from core.permits.gas_limits import acceptance, acceptance_lel
from core.permits.ways import (
    Change,
    Judge,
    Way,
    chain,
    fields,
    judge_of,
    leaf,
    less,
    more,
    on,
    subset,
    superset,
    unclear,
    words,
)


def compare(old: p.Pack, new: p.Pack) -> list[Change]:
    """Return every difference that matters; words alone are SAME."""
    found: list[Change] = []
    for section in ("settings", "roles", "forms", "distances", "limits"):
        found += _section(section, old, new)
    found += _section("kinds", old, new)
    found += _section("rules", old, new)
    if old.retention_days != new.retention_days:
        found += leaf("retention_days", old.retention_days, new.retention_days, more)
    return found


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
    "gases": superset,
    "places": superset,
    "within_m": unclear,
    "age_sign_min": less,
    "age_start_min": less,
    "retest_gap_min": less,
    "continuous": on,
    "record_every_min": less,
    "daily": on,
    "clause": words,
}
_VALIDITY: Final[dict[str, Judge]] = {
    "hours": less,
    "setting": unclear,
    "cases": _cases,
    "cap_by_linked": superset,
    "clause": words,
}
_GUARDIAN: Final[dict[str, Judge]] = {
    "required": on,
    "outside": on,
    "duties": superset,
    "clause": words,
}
_VIDEO: Final = ("none", "optional", "full")
_TABLES: Final[dict[str, dict[str, Judge]]] = {
    "kinds": {
        # A test that was not needed before; the way back is looser.
        "gas": lambda a, _b: on(True, a is None),
        "family": unclear,
        "code": unclear,
        "rank": unclear,
        "grade": words,
        "clause": words,
        "certainty": words,
        "test": _demands,
        "test_names": words,
        "approvers": chain,
        "trades": superset,
        "reminders": superset,
        "upgrades": superset,
        "safe_state": unclear,
        "form": unclear,
        "video": lambda a, b: on(False, _VIDEO.index(b) > _VIDEO.index(a)),
        "reaction_s": less,
        "retention_days": more,
        "video_days": more,
    },
    "rules": {
        "clause": words,
        "certainty": words,
        "applies": lambda a, b: Way.TIGHTER if "*" in b else superset(a, b),
        "phases": superset,
        "when": _reach,
        "require": _demands,
        "on_breach": _stronger,
        "on_unknown": _stronger,
        "alarm": lambda a, b: Way.TIGHTER if not a else Way.LOOSER,
    },
    "forms": {
        "clause": words,
        "fields": superset,
        "measures": superset,
        "signatures": chain,
    },
    "roles": {"acts_as": subset},
    "distances": {"metres": more, "vertical": on, "clause": words},
    "settings": {"certainty": words, "clause": words},
    "limits": {"clause": words, "certainty": words, "idlh": words},
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
    yield from fields(path, old, new, table, _NESTED)


def _setting(path: str, old: p.Setting, new: p.Setting) -> Iterator[Change]:
    if old.value != new.value:
        judge = {"lower": less, "higher": more}.get(old.tighter, unclear)
        yield from leaf(f"{path}.value", old.value, new.value, judge)
    level = msgspec.structs.replace(new, value=old.value)
    yield from _fields(path, old, level, _TABLES["settings"])


def _limit(path: str, old: p.GasLimit, new: p.GasLimit) -> Iterator[Change]:
    for name in old.__struct_fields__:
        a, b = getattr(old, name), getattr(new, name)
        if a == b:
            continue
        way = _TABLES["limits"].get(name, lambda _a, _b: _gas_way(old, new))
        yield from leaf(f"{path}.{name}", a, b, judge_of({name: way}, name, a))


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
