"""What a host tells of itself when it is asked: bounded, and without a secret."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

#: Bytes of one answer; what is more says so instead.
MAX_BYTES = 256 << 10
_DEPTH = 12
_SHORT = 4
"""A shorter secret would take half of all words with it."""
_HIDDEN = "•••"
#: Names under which a driver must not tell what it holds.
_NAMES = re.compile(r"(^|_)(password|passwd|secret|token|psk|pin|api_?key)s?$", re.I)
#: Words that say of a secret whether it is there, and no more.
_TELLING = frozenset({"", "set", "none", "missing", "refused", "unknown"})


def answer(facts: Mapping[str, Any], secrets: Iterable[str]) -> bytes:
    """Return facts as JSON of at most `MAX_BYTES`, with every secret taken out."""
    hidden = sorted((s for s in secrets if len(s) >= _SHORT), key=len, reverse=True)
    found = json.dumps(_clean(facts, hidden, _DEPTH), ensure_ascii=False).encode()
    if len(found) > MAX_BYTES:
        return json.dumps({"too_large": len(found)}).encode()
    return found


def _clean(value: Any, hidden: list[str], depth: int) -> Any:
    if depth <= 0:
        return "…"
    if isinstance(value, Mapping):
        return {
            _text(str(key), hidden): (
                _HIDDEN
                if _names_one(str(key), each)
                else _clean(each, hidden, depth - 1)
            )
            for key, each in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(each, hidden, depth - 1) for each in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _text(str(value), hidden)


def _names_one(key: str, value: Any) -> bool:
    """Say whether a field is a secret by its name, and tells more than that it is."""
    if _NAMES.search(key) is None or isinstance(value, bool | int | float):
        return False
    return not (value is None or str(value) in _TELLING)


def _text(text: str, hidden: list[str]) -> str:
    for each in hidden:
        text = text.replace(each, _HIDDEN)
    return text
