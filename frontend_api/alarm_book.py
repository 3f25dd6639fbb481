"""The alarms' book: what the journal tells of alarms, in a file of its own.

Figures and cases are read from it, outside the safety process. It is only a cache:
deleted, damaged or of another journal, it is written anew from the journal.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path

import msgspec

from core.journal import envelope as envelopes
from core.journal.events import Event as Body
from core.journal.events import decode_body
from core.journal.reader import Event as Stored
from core.journal.reader import Mark, events, holds
from core.journal.segment import RealDisk
from frontend_api.alarm_entries import HANDLED, TABLES, Entries

NAME = "alarms.db"
#: Raise it when the tables or their meaning change: older books are written anew.
VERSION = 1
MS = 1_000_000
#: Events between two commits while it catches up.
_BATCH = 20_000
#: Activations and deeds are kept so long; alarms, and so the cases, for good.
_KEEP_MS = 3 * 366 * 86_400_000

__all__ = ["NAME", "AlarmRow", "Book", "Deed"]


class AlarmRow(msgspec.Struct, array_like=True):
    """Hold one alarm of the book; times are wall ms, 0 is 'not yet'."""

    id: str
    source: str
    condition: str
    kind: str
    priority: int
    zone: str
    life_safety: int
    mark: str
    device: str
    model: str
    quantity: str
    works: str
    """Kinds of permits that were running in its zone, joined by spaces."""
    raised_ms: int
    seq: int
    synced: int
    acknowledged_ms: int
    acknowledged_by: str
    returned_ms: int
    closed_ms: int
    count: int
    quiet: int
    """1: it was suppressed by design when it was raised."""
    verdict: str
    judged_by: str
    outcome: str
    root: str
    classified_by: str
    note: str
    params: str


class Deed(msgspec.Struct, array_like=True):
    """Hold one thing that was done about a danger: a hold, an evacuation, …"""

    ms: int
    what: str
    zone: str
    ref: str
    serves: str
    """Alarm or run id that it serves, as far as the journal names one."""


class Book:
    """Keep the book in step with a data folder's journal, and answer from it.

    One thread at a time; call it in a thread. Raises sqlite3.Error and OSError.
    """

    def __init__(self, data: Path, path: Path | None = None) -> None:
        self._folder = data / "journal"
        self._path = path
        self._lock = threading.Lock()
        self.stopped = False
        """True: a look that runs ends soon; the next one goes on from there."""
        self._db = self._open()

    def _open(self) -> sqlite3.Connection:
        where = ":memory:" if self._path is None else str(self._path)
        try:
            return _connect(where)
        except sqlite3.DatabaseError:
            if self._path is None:
                raise
            for end in ("", "-wal", "-shm"):
                Path(f"{self._path}{end}").unlink(missing_ok=True)
            return _connect(where)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    # --- writing --------------------------------------------------------------

    def catch_up(self) -> None:
        """Take in what the journal tells since the last time; often is cheap."""
        if not self._folder.is_dir():
            return
        with self._lock, contextlib.closing(RealDisk(self._folder)) as disk:
            mark = self._mark()
            if mark is not None and not holds(disk, mark):
                self._empty()
                mark = None
            entries, taken = Entries(self._db), 0
            for stored in events(disk, mark or 0):
                if not isinstance(stored, Stored):
                    continue
                self._take(entries, stored.payload)
                mark, taken = stored.mark, taken + 1
                if taken % _BATCH == 0:
                    self._commit(mark)
                if self.stopped:
                    break
            if taken and mark is not None:
                self._commit(mark)

    def _take(self, entries: Entries, payload: bytes) -> None:
        envelope = envelopes.decode(payload)
        if envelope.type in HANDLED:
            body: Body = decode_body(envelope)
            entries.take(body, envelope)

    def _mark(self) -> Mark | None:
        row = self._db.execute("SELECT value FROM meta WHERE name = 'mark'").fetchone()
        return None if row is None else msgspec.msgpack.decode(row[0], type=Mark)

    def _commit(self, mark: Mark) -> None:
        old = "ms < (SELECT value FROM span WHERE name = 'last') - ?"
        self._db.execute(f"DELETE FROM activations WHERE {old}", [_KEEP_MS])  # noqa: S608
        self._db.execute(f"DELETE FROM deeds WHERE {old}", [_KEEP_MS])  # noqa: S608
        self._db.execute(
            "INSERT OR REPLACE INTO meta VALUES ('mark', ?)",
            [msgspec.msgpack.encode(mark)],
        )
        self._db.commit()

    def _empty(self) -> None:
        for table in TABLES:
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608  our own names
        self._db.commit()

    # --- reading --------------------------------------------------------------

    def alarms(
        self, from_ms: int = 0, to_ms: int = 1 << 60, where: str = "1"
    ) -> list[AlarmRow]:
        """Return the alarms of a span, oldest first, those that still stood too."""
        rows = self._ask(
            f"SELECT * FROM alarms WHERE raised_ms < ? AND ({where})"  # noqa: S608
            " AND (raised_ms >= ? OR closed_ms = 0 OR closed_ms >= ?)"
            " ORDER BY raised_ms, seq",
            [to_ms, from_ms, from_ms],
        )
        return [msgspec.convert(row, AlarmRow) for row in rows]

    def alarm(self, alarm_id: str) -> AlarmRow | None:
        """Return one alarm."""
        rows = self._ask("SELECT * FROM alarms WHERE id = ?", [alarm_id])
        return msgspec.convert(rows[0], AlarmRow) if rows else None

    def activations(self, from_ms: int, to_ms: int) -> list[tuple[int, str]]:
        """Return (ms, alarm id) of all that called an operator in a span."""
        return self._ask(
            "SELECT a.ms, a.alarm FROM activations a JOIN alarms r ON r.id = a.alarm"
            " WHERE a.ms >= ? AND a.ms < ? AND r.mark = '' AND r.quiet = 0"
            " ORDER BY a.ms",
            [from_ms, to_ms],
        )

    def deeds(self, from_ms: int, to_ms: int) -> list[Deed]:
        """Return what was done in a span, oldest first."""
        rows = self._ask(
            "SELECT ms, what, zone, ref, serves FROM deeds WHERE ms >= ? AND ms < ?"
            " ORDER BY ms",
            [from_ms, to_ms],
        )
        return [msgspec.convert(row, Deed) for row in rows]

    def shelved(self, from_ms: int, to_ms: int) -> list[tuple[str, str, str, int]]:
        """Return (alarm, person, reason, ms) of what was put by in a span."""
        return self._ask(
            "SELECT alarm, person, reason, ms FROM shelves WHERE ms >= ? AND ms < ?"
            " ORDER BY ms",
            [from_ms, to_ms],
        )

    def runs(self) -> list[tuple[str, str]]:
        """Return (alarm, rule) of every run that an alarm started."""
        return self._ask("SELECT alarm, rule FROM runs", [])

    def span(self) -> tuple[int, int]:
        """Return wall ms of the first and the last event in the book; 0, 0: empty."""
        rows = self._ask("SELECT min(value), max(value) FROM span", [])
        return (rows[0][0] or 0, rows[0][1] or 0) if rows else (0, 0)

    def weather(self, case: str) -> list[tuple[str, float, int]] | None:
        """Return (quantity, value, quality) kept with a case; None: never asked."""
        rows = self._ask(
            "SELECT quantity, value, quality FROM weather WHERE alarm = ?", [case]
        )
        return [row for row in rows if row[0]] if rows else None

    def keep_weather(self, case: str, rows: Iterable[tuple[str, float, int]]) -> None:
        """Keep the weather of a case; none is kept too, so nobody asks again."""
        with self._lock:
            self._db.executemany(
                "INSERT OR REPLACE INTO weather VALUES (?, ?, ?, ?)",
                [(case, *row) for row in [*rows, ("", 0.0, 0)]],
            )
            self._db.commit()

    def _ask(self, question: str, given: list[object]) -> list[tuple]:  # type: ignore[type-arg]
        with self._lock:
            return self._db.execute(question, given).fetchall()


def _connect(where: str) -> sqlite3.Connection:
    db = sqlite3.connect(where, timeout=5.0, check_same_thread=False)
    try:
        found = db.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, VERSION):
            raise sqlite3.DatabaseError("a book of another version")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA cache_size = -2000")
        for name, columns in TABLES.items():
            db.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns})")
        db.execute("CREATE INDEX IF NOT EXISTS by_raised ON alarms (raised_ms)")
        db.execute("CREATE INDEX IF NOT EXISTS by_ms ON activations (ms)")
        db.execute("CREATE INDEX IF NOT EXISTS by_deed ON deeds (ms)")
        db.execute(f"PRAGMA user_version = {VERSION}")
        db.commit()
    except sqlite3.Error:
        db.close()
        raise
    return db
