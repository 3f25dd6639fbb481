"""A disk that fails on purpose: the disk door of the simulation.

It keeps what is synced apart from what is only written, and a seed decides
what a power cut leaves of the latter: all, nothing, a beginning, or sectors.
"""

import errno
import os
from collections.abc import Callable, Iterable
from random import Random

from core.journal.frame import SECTOR

Change = tuple[int, bytes] | int  # bytes at an offset, or a new size


class PowerCut(BaseException):
    """The machine lost power; nothing may catch it but the test."""


class SimDisk:
    """Hold files in memory; `ops` counts every change and sync asked for.

    ``crash_at``: the op that the power cut interrupts. ``fail_at``: op → errno.
    ``deny(code)``: every op fails until `heal`. ``capacity``: bytes before
    ENOSPC. ``op_ns``: virtual time of one op, handed to ``spend``.
    """

    def __init__(self, seed: int = 0, *, capacity: int | None = None) -> None:
        self.random = Random(seed)  # noqa: S311 - reproducible, not secret
        self.capacity = capacity
        self.files: dict[str, SimFile] = {}
        self.ops = 0
        self.crash_at: int | None = None
        self.fail_at: dict[int, int] = {}
        self.op_ns = 0
        self.spend: Callable[[int], None] | None = None
        self.generation = 0
        self._denied: int | None = None
        self._deny_reads = False

    def deny(self, code: int, *, reads: bool = False) -> None:
        """Fail every change (and read) with errno ``code`` until `heal`."""
        self._denied, self._deny_reads = code, reads

    def heal(self) -> None:
        """End what `deny`, `fail_at` and `crash_at` asked for."""
        self._denied, self._deny_reads = None, False
        self.fail_at.clear()
        self.crash_at = None

    def restart(self) -> None:
        """Come back after a power cut with what the seed left on disk."""
        self.heal()
        self.generation += 1
        for file in self.files.values():
            file.lose_power(self.random)

    def flip(self, name: str, bit: int) -> None:
        """Flip one bit of a file behind everyone's back."""
        file = self.files[name]
        for data in (file.live, file.durable):
            data[bit // 8] ^= 1 << bit % 8

    def step(self, name: str) -> bool:
        """Count one op; returns True when the power goes during it."""
        self.ops += 1
        if self.spend is not None and self.op_ns:
            self.spend(self.op_ns)
        code = self._denied or self.fail_at.get(self.ops)
        if code is not None:
            raise OSError(code, os.strerror(code), name)
        return self.ops == self.crash_at

    def room(self, extra: int, name: str) -> None:
        """Refuse growth beyond the capacity."""
        if extra > 0 and self.free() < extra:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)

    def list(self) -> list[str]:
        """Return the names of all files, sorted."""
        self._reading("")
        return sorted(self.files)

    def open(self, name: str, *, create: bool = False) -> "SimSegmentFile":
        """Open a file; creating one is an op."""
        if name not in self.files:
            if not create:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
            self._name_op(name, lambda: self.files.update({name: SimFile()}))
        return SimSegmentFile(self, name, self.files[name])

    def put(self, name: str, data: bytes) -> None:
        """Replace a small file: one op, all or nothing."""
        old = len(self.files[name].live) if name in self.files else 0
        self.room(len(data) - old, name)
        file = SimFile()
        file.live, file.durable = bytearray(data), bytearray(data)
        self._name_op(name, lambda: self.files.update({name: file}))

    def read(self, name: str, limit: int = -1) -> bytes:
        """Return a whole file, or its beginning."""
        self._reading(name)
        if name not in self.files:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        live = self.files[name].live
        return bytes(live if limit < 0 else live[:limit])

    def remove(self, name: str) -> None:
        """Delete a file if it exists."""
        if name in self.files:
            self._name_op(name, lambda: self.files.pop(name))

    def retire(self, name: str, new: str) -> None:
        """Rename a file."""
        self._name_op(name, lambda: self.files.update({new: self.files.pop(name)}))

    def free(self) -> int:
        """Return the bytes left of the capacity."""
        used = sum(len(file.live) for file in self.files.values())
        return (1 << 40 if self.capacity is None else self.capacity) - used

    def _reading(self, name: str) -> None:
        if self._denied is not None and self._deny_reads:
            raise OSError(self._denied, os.strerror(self._denied), name)

    def _name_op(self, name: str, act: Callable[[], object]) -> None:
        """Do what a folder sync makes durable; a cut leaves before or after."""
        crash = self.step(name)
        if not crash or self.random.random() < 0.5:
            act()
        if crash:
            raise PowerCut(name)


class SimFile:
    """Keep the live and the durable bytes of one file, and what lies between."""

    def __init__(self) -> None:
        self.live = bytearray()
        self.durable = bytearray()
        self.pending: list[Change] = []

    def change(self, change: Change) -> None:
        """Change the live bytes; the durable ones follow at a sync."""
        apply(self.live, change)
        self.pending.append(change)

    def sync(self) -> None:
        """Make all changes durable."""
        for change in self.pending:
            apply(self.durable, change)
        self.pending.clear()

    def lose_power(self, random: Random) -> None:
        """Keep of the unsynced changes what chance allows."""
        for change in self.pending:
            for part in survivors(change, random):
                apply(self.durable, part)
        self.pending.clear()
        self.live = bytearray(self.durable)

    def fail_sync(self, random: Random) -> None:
        """Forget the unsynced changes, as a kernel does after a failed sync."""
        for change in self.pending:
            if random.random() < 0.5:
                apply(self.durable, change)
        self.pending.clear()


class SimSegmentFile:
    """Open handle of a `SimFile`; stale after a restart."""

    def __init__(self, disk: SimDisk, name: str, file: SimFile) -> None:
        self._disk, self._name, self._file = disk, name, file
        self._generation = disk.generation

    def write(self, offset: int, data: bytes) -> None:
        """Write; on failure or power cut a part may have been written."""
        self._grow(offset + len(data))
        self._change((offset, bytes(data)))

    def allocate(self, size: int) -> None:
        """Grow with zeros to ``size`` bytes."""
        self._grow(size)
        if size > len(self._file.live):
            self._change(size)

    def truncate(self, size: int) -> None:
        """Set the size."""
        self._change(size)

    def sync(self) -> None:
        """Make the written bytes durable."""
        self._alive()
        try:
            crash = self._disk.step(self._name)
        except OSError:
            self._file.fail_sync(self._disk.random)
            raise
        if crash:
            raise PowerCut(self._name)
        self._file.sync()

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""

    def _alive(self) -> None:
        if self._generation != self._disk.generation:
            raise OSError(errno.EBADF, "handle from before the power cut", self._name)

    def _grow(self, size: int) -> None:
        self._disk.room(size - len(self._file.live), self._name)

    def _change(self, change: Change) -> None:
        self._alive()
        try:
            crash = self._disk.step(self._name)
        except OSError:
            if isinstance(change, tuple) and self._disk.random.random() < 0.5:
                cut = self._disk.random.randrange(len(change[1]) + 1)
                self._file.change((change[0], change[1][:cut]))
            raise
        self._file.change(change)
        if crash:
            raise PowerCut(self._name)


def apply(data: bytearray, change: Change) -> None:
    """Write bytes at an offset, or set the size."""
    if isinstance(change, int):
        del data[change:]
        data.extend(bytes(change - len(data)))
        return
    offset, piece = change
    data.extend(bytes(max(0, offset + len(piece) - len(data))))
    data[offset : offset + len(piece)] = piece


def survivors(change: Change, random: Random) -> Iterable[Change]:
    """Return the parts of one unsynced change that reached the disk."""
    fate = random.choice(("kept", "dropped", "cut", "sectors"))
    if fate == "dropped":
        return []
    if fate == "kept" or isinstance(change, int):
        return [change]
    offset, data = change
    if fate == "cut":
        return [(offset, data[: random.randrange(len(data) + 1)])]
    parts: list[Change] = []
    at = 0
    while at < len(data):
        stop = min(len(data), at + SECTOR - (offset + at) % SECTOR)
        if random.random() < 0.5:
            parts.append((offset + at, data[at:stop]))
        at = stop
    return parts
