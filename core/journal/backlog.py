"""What is accepted and not yet durable: bounded, and counted when it overflows."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from core.journal.frame import Gap, Lost

#: Subjects that one gap names; the rest is added up under no name.
NAMED_SUBJECTS = 64


class Entry(NamedTuple):
    """One accepted event on its way to the disk."""

    seq: int
    payload: bytes
    protective: bool = False
    subject: str | None = None
    type: str = ""


class Bounds(NamedTuple):
    """Bound the backlog; beyond ``hard`` × these even protective ones merge."""

    events: int = 20_000
    bytes: int = 8 << 20
    hard: int = 2


Item = Entry | Gap
Keep = Callable[[Entry], bool]


class Backlog:
    """Hold items in order of seq; overflow is coalesced per subject.

    1. Over the bound: of the events that are not protective, with the same
       subject and type, the last one stays.
    2. Over the hard bound: the same for protective ones; the others go.
    3. Still over: the oldest half goes.
    What goes becomes a `Gap` that names range, subjects and counts.
    """

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._items: list[Item] = []
        self._events = 0
        self._bytes = 0
        self._coalesce_at = 0
        self.coalesced = 0
        """Events lost to overflow since the start."""

    def __len__(self) -> int:
        return len(self._items)

    @property
    def bytes(self) -> int:
        """Return the payload bytes held."""
        return self._bytes

    @property
    def events(self) -> int:
        """Return the events held."""
        return self._events

    def add(self, entry: Entry) -> None:
        """Append one event; coalesces when the bound is passed."""
        self._items.append(entry)
        self._events += 1
        self._bytes += len(entry.payload)
        if self._over(1) and self._events >= self._coalesce_at:
            self._coalesce(_newest(self._items, protective=False))
            # Looking again pays only after a quarter of the bound is new.
            self._coalesce_at = self._events + self._bounds.events // 4
        if self._over(self._bounds.hard):
            self._squeeze()

    def take(self, max_events: int, max_bytes: int) -> list[Item]:
        """Remove and return the next items for one group; at least one."""
        size = count = 0
        for item in self._items[:max_events]:
            size += len(item.payload) if isinstance(item, Entry) else 0
            if count and size > max_bytes:
                break
            count += 1
        group, self._items = self._items[:count], self._items[count:]
        entries = [item for item in group if isinstance(item, Entry)]
        self._events -= len(entries)
        self._bytes -= sum(len(entry.payload) for entry in entries)
        self._coalesce_at = 0
        return group

    def _over(self, times: int) -> bool:
        bound = self._bounds
        return self._events > bound.events * times or self._bytes > bound.bytes * times

    def _squeeze(self) -> None:
        newest = _newest(self._items, protective=True)
        self._coalesce(lambda entry: entry.protective and newest(entry))
        while self._over(1) and self._events > 1:
            seqs = [item.seq for item in self._items if isinstance(item, Entry)]
            self._coalesce(_since(seqs[len(seqs) // 2]))
        self._coalesce_at = 0

    def _coalesce(self, keep: Keep) -> None:
        items: list[Item] = []
        for item in self._items:
            if isinstance(item, Entry) and keep(item):
                items.append(item)
                continue
            if isinstance(item, Entry):
                self.coalesced += 1
                self._events -= 1
                self._bytes -= len(item.payload)
                item = _gap(item)  # noqa: PLW2901 - the event becomes its gap
            if items and isinstance(items[-1], Gap):
                items[-1] = _join(items[-1], item)
            else:
                items.append(item)
        self._items = items


def _since(seq: int) -> Keep:
    return lambda entry: entry.seq >= seq


def _newest(items: Iterable[Item], *, protective: bool) -> Keep:
    """Keep the last event per subject and type, and all that have no subject."""
    last: dict[tuple[str, str], int] = {}
    for item in items:
        if isinstance(item, Entry) and item.subject is not None:
            last[item.subject, item.type] = item.seq

    def keep(entry: Entry) -> bool:
        if entry.subject is None or (entry.protective and not protective):
            return True
        return last[entry.subject, entry.type] == entry.seq

    return keep


def _gap(entry: Entry) -> Gap:
    lost = Lost(
        subject=entry.subject or "",
        type=entry.type,
        count=1,
        protective=entry.protective,
    )
    return Gap(first=entry.seq, last=entry.seq, lost=(lost,))


def _join(left: Gap, right: Gap) -> Gap:
    counts: dict[tuple[str, str, bool], int] = {}
    for lost in left.lost + right.lost:
        key = (lost.subject, lost.type, lost.protective)
        if key not in counts and len(counts) >= NAMED_SUBJECTS:
            key = ("", "", lost.protective)
        counts[key] = counts.get(key, 0) + lost.count
    named = tuple(
        Lost(subject=subject, type=type_, count=count, protective=protective)
        for (subject, type_, protective), count in counts.items()
    )
    return Gap(first=left.first, last=right.last, lost=named)
