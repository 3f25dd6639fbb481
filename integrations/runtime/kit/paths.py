"""Places in options, by dotted paths; ``*`` stands for each item of a list."""

import copy
from collections.abc import Callable, Mapping
from typing import Any


def found(value: Any, path: str) -> list[Any]:
    """Return what lies at a path: none, one or several."""
    here = [value]
    for part in path.split("."):
        step: list[Any] = []
        for each in here:
            if part == "*" and isinstance(each, list):
                step += each
            elif isinstance(each, dict) and part in each:
                step.append(each[part])
        here = step
    return here


def replaced(value: Any, path: str, change: Callable[[Any], Any]) -> Any:
    """Return a copy with ``change`` of whatever lies at a path in its place."""
    whole = copy.deepcopy(value)
    *above, last = path.split(".")
    for parent in found(whole, ".".join(above)) if above else [whole]:
        if last == "*" and isinstance(parent, list):
            parent[:] = [change(each) for each in parent]
        elif isinstance(parent, dict) and last in parent:
            parent[last] = change(parent[last])
    return whole


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return one mapping laid over another, mapping by mapping."""
    both = dict(below)
    for key, value in above.items():
        old = both.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            both[key] = laid_over(old, value)
        else:
            both[key] = value
    return both
