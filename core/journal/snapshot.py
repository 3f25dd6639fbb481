"""Snapshots of the folded state: only a cache, used when its key still fits."""

from hashlib import sha256
from typing import NamedTuple

import msgspec

from core.journal.reader import Mark, holds
from core.journal.segment import Disk

SUFFIX = ".snap"
KEPT = 2


class Snapshot(NamedTuple):
    """A state, and the place in the journal behind which folding goes on."""

    mark: Mark
    state: bytes


class _Stored(msgspec.Struct, frozen=True, kw_only=True):
    fold: int
    mark: Mark
    state: bytes
    digest: bytes


def save(disk: Disk, fold: int, mark: Mark, state: bytes) -> None:
    """Store the state behind ``mark``; keeps the newest two. Raises OSError.

    The mark of a durable seq comes from `reader.locate`.
    """
    digest = sha256(state).digest()
    stored = _Stored(fold=fold, mark=mark, state=state, digest=digest)
    disk.put(f"{mark.seq:020d}{SUFFIX}", msgspec.msgpack.encode(stored))
    for name in _names(disk)[:-KEPT]:
        disk.remove(name)


def load(disk: Disk, fold: int) -> Snapshot | None:
    """Return the newest snapshot of this fold version that fits the journal."""
    for name in reversed(_names(disk)):
        try:
            stored = msgspec.msgpack.decode(disk.read(name), type=_Stored)
        except (msgspec.MsgspecError, OSError):
            continue
        sound = sha256(stored.state).digest() == stored.digest
        if stored.fold == fold and sound and holds(disk, stored.mark):
            return Snapshot(stored.mark, stored.state)
    return None


def _names(disk: Disk) -> list[str]:
    return [name for name in disk.list() if name.endswith(SUFFIX)]
