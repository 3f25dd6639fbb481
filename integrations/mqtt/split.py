"""One topic that tells of many things, taken apart: who is where, by the things' ids.

A camera system says on one topic what it sees: an object with an id, its camera, its
zones, its label, and at last that it has gone. A map names the keys; the hub keeps
which ids are in which group and goes on as if each group had a topic of its own,
``<topic>/<key>/<key>``, with ``{"count": 2, "on": true, "last": …}``.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import msgspec

from integrations.mqtt.templates import (
    Extract,
    SilentError,
    TemplateError,
    text_of,
)

#: Things that are followed at a time; beyond it the oldest is forgotten.
MAX_THINGS = 1_000
#: Groups that one message may name.
MAX_GROUPS = 64
_TRUE = frozenset({"True", "true", "1"})


class Split:
    """Follow the things of one topic by the keys of one map."""

    def __init__(
        self, prefix: str, ident: Extract, keys: Sequence[Extract], end: Extract
    ) -> None:
        self._prefix, self._ident, self._keys, self._end = prefix, ident, keys, end
        self._groups: dict[str, tuple[str, ...]] = {}
        """Thing → the groups that it is in, oldest thing first."""
        self._counts: dict[str, int] = {}

    def take(self, payload: bytes) -> list[tuple[str, bytes]]:
        """Return topic and payload of every group that a message changes.

        Raises TemplateError when it tells of no thing.
        """
        try:
            data = msgspec.json.decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise TemplateError("no JSON") from error
        thing = _one(self._ident, data)
        if thing is None:
            raise TemplateError("no id")
        gone = text_of(_one(self._end, data)) in _TRUE
        before = self._groups.pop(thing, ())
        now = () if gone else self._named(data)
        self._move(before, -1)
        self._move(now, 1)
        if now:
            self._groups[thing] = now
        forgotten = self._forget()
        # Also the groups that a thing ends in, so that its end is told there.
        told = dict.fromkeys((*self._named(data), *now, *before, *forgotten))
        return [(group, self._said(group, data)) for group in told]

    def _named(self, data: Any) -> tuple[str, ...]:
        parts = []
        for extract in self._keys:
            found = _raw(extract, data)
            many = found if isinstance(found, list) else [found]
            parts.append([text_of(each) for each in many if each is not None])
        named = itertools.islice(itertools.product(*parts), MAX_GROUPS)
        return tuple(dict.fromkeys("/".join((self._prefix, *each)) for each in named))

    def _move(self, groups: Sequence[str], by: int) -> None:
        for group in groups:
            count = self._counts.get(group, 0) + by
            if count > 0:
                self._counts[group] = count
            else:
                self._counts.pop(group, None)

    def _forget(self) -> tuple[str, ...]:
        if len(self._groups) <= MAX_THINGS:
            return ()
        oldest = next(iter(self._groups))
        groups = self._groups.pop(oldest)
        self._move(groups, -1)
        return groups

    def _said(self, group: str, data: Any) -> bytes:
        count = self._counts.get(group, 0)
        return msgspec.json.encode({"count": count, "on": count > 0, "last": data})


def _raw(extract: Extract, data: Any) -> Any:
    try:
        return extract.fn("", data)
    except (TemplateError, SilentError):
        return None


def _one(extract: Extract, data: Any) -> str | None:
    found = _raw(extract, data)
    return None if found is None else text_of(found)[:128]
