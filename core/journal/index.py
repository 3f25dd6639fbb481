"""An SQLite index of the journal: a cache that answers queries, rebuilt at will.

For gateway, archive and command line; the safety process never loads it.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from core.journal.envelope import Envelope, decode
from core.journal.events import decode_body
from core.journal.frame import TAIL_BYTES
from core.journal.reader import DAMAGED, Event, Mark, events, holds, name_of
from core.journal.segment import Disk

SCHEMA = 1
BATCH = 1_000
_TABLES = """
PRAGMA user_version = 1;
CREATE TABLE events (
    seq INTEGER PRIMARY KEY, type TEXT, wall_ns INTEGER, subject TEXT,
    segment INTEGER, offset INTEGER, length INTEGER
) WITHOUT ROWID;
CREATE INDEX by_type ON events (type, seq);
CREATE INDEX by_wall ON events (wall_ns);
CREATE INDEX by_subject ON events (subject, seq) WHERE subject != '';
CREATE TABLE place (segment INTEGER, offset INTEGER, seq INTEGER, chain BLOB);
"""


class Query(NamedTuple):
    """Choose events; what is None does not narrow the choice."""

    after_seq: int = 0
    until_seq: int | None = None
    types: Sequence[str] = ()
    subject: str | None = None
    since_ns: int | None = None
    until_ns: int | None = None
    newest_first: bool = False
    limit: int = 500


def subject_of(envelope: Envelope) -> str:
    """Return what an event says it is about."""
    with contextlib.suppress(msgspec.MsgspecError, KeyError):
        return decode_body(envelope).index_key()
    return ""


class Index:
    """Follow a journal and answer queries; one thread, one connection.

    A damaged or foreign index file is deleted and built anew.
    """

    def __init__(
        self,
        disk: Disk,
        path: Path,
        subject: Callable[[Envelope], str] = subject_of,
    ) -> None:
        self._disk, self._path, self._subject = disk, path, subject
        self._db = self._open()

    def update(self, progress: Callable[[int], None] | None = None) -> int:
        """Take in what the journal has gained; returns the last seq."""
        mark = self._mark()
        if mark.seq and not holds(self._disk, mark):
            self._rebuild()
            mark = self._mark()
        batch: list[Event] = []
        for event in events(self._disk, mark.seq):
            if isinstance(event, Event):
                batch.append(event)
            if len(batch) >= BATCH:
                self._add(batch)
                if progress is not None:
                    progress(batch[-1].seq)
                batch.clear()
        self._add(batch)
        return self._mark().seq

    def query(self, query: Query) -> Iterator[Envelope]:
        """Yield the chosen events in order, read from the journal itself."""
        where, values = _where(query)
        order = "DESC" if query.newest_first else "ASC"
        rows = self._db.execute(
            "SELECT segment, offset, length FROM events"  # noqa: S608 - own words only
            f" WHERE {where} ORDER BY seq {order} LIMIT ?",
            (*values, query.limit),
        )
        number, data = 0, b""
        for segment, offset, length in rows.fetchall():
            if segment != number:
                number, data = segment, self._segment(segment)
            yield decode(data[offset : offset + length])

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def _segment(self, number: int) -> bytes:
        try:
            return self._disk.read(name_of(number))
        except FileNotFoundError:
            return self._disk.read(f"{number:08d}{DAMAGED}")

    def _add(self, batch: list[Event]) -> None:
        if not batch:
            return
        with self._db:
            self._db.executemany(
                "INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?, ?, ?, ?)",
                [self._row(event) for event in batch],
            )
            self._db.execute("DELETE FROM place")
            mark = batch[-1].mark
            self._db.execute(
                "INSERT INTO place VALUES (?, ?, ?, ?)",
                (mark.segment, mark.offset, mark.seq, mark.chain),
            )

    def _row(self, event: Event) -> tuple[int, str, int, str, int, int, int]:
        envelope = decode(event.payload)
        length = len(event.payload)
        offset = event.mark.offset - TAIL_BYTES - length
        return (
            event.seq,
            envelope.type,
            envelope.wall_ns,
            self._subject(envelope),
            event.mark.segment,
            offset,
            length,
        )

    def _mark(self) -> Mark:
        row = self._db.execute("SELECT segment, offset, seq, chain FROM place")
        found = row.fetchone()
        return Mark(*found) if found else Mark(0, 0, 0, b"")

    def _rebuild(self) -> None:
        self._db.close()
        self._path.unlink(missing_ok=True)
        self._db = self._open()

    def _open(self) -> sqlite3.Connection:
        for _ in range(2):
            db = sqlite3.connect(self._path)
            try:
                version = db.execute("PRAGMA user_version").fetchone()[0]
                if version == 0:
                    db.executescript(_TABLES)
                if version in (0, SCHEMA):
                    # A cache: after a power cut it is built anew at worst.
                    db.execute("PRAGMA synchronous = OFF")
                    return db
            except sqlite3.DatabaseError:
                pass
            db.close()
            self._path.unlink(missing_ok=True)
        raise sqlite3.DatabaseError(f"{self._path}: cannot be made an index")


def _where(query: Query) -> tuple[str, list[object]]:
    parts: list[str] = ["seq > ?"]
    values: list[object] = [query.after_seq]
    bounds = (
        ("seq <= ?", query.until_seq),
        ("subject = ?", query.subject),
        ("wall_ns >= ?", query.since_ns),
        ("wall_ns < ?", query.until_ns),
    )
    for words, value in bounds:
        if value is not None:
            parts.append(words)
            values.append(value)
    if query.types:
        parts.append(f"type IN ({', '.join('?' * len(query.types))})")
        values.extend(query.types)
    return " AND ".join(parts), values
