"""``history.db``: readings in chunks, one row per point and flush (R21).

Telemetry, not evidence: WAL with NORMAL sync may lose the last seconds on a
power cut. What was lost, and why, is a row of its own.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from core.api.reading import Value
from core.link.messages import HistoryRow

NAME = "history.db"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS points (id INTEGER PRIMARY KEY, entity TEXT UNIQUE);
CREATE TABLE IF NOT EXISTS chunks (
    point INTEGER, start_ms INTEGER, end_ms INTEGER, count INTEGER,
    low REAL, high REAL, worst INTEGER, data BLOB,
    PRIMARY KEY (point, start_ms)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_age ON chunks (end_ms);
CREATE TABLE IF NOT EXISTS losses (wall_ms INTEGER, rows INTEGER, why TEXT);
PRAGMA user_version = 1;
"""
#: A value that stays the same makes its chunk longer, up to this.
STEADY_MS = 300_000
#: A longer silence ends a chunk: what nobody said is never filled in.
SILENT_MS = 15_000
#: Rows deleted at once, so that retention never holds the file for long.
_TRIM = 2_000
_SCRUB_BYTES = 64 << 20
_encode = msgspec.msgpack.Encoder().encode

Point = tuple[int, float | None, float | None, Value, int]
"""wall_ms, low, high, last, worst quality."""


class Chunk(msgspec.Struct, array_like=True):
    """Samples of one point: milliseconds from the start, values, qualities."""

    at: list[int]
    values: list[Value]
    qualities: list[int]


_decode = msgspec.msgpack.Decoder(Chunk).decode


class _Steady(NamedTuple):
    start_ms: int
    end_ms: int
    value: Value
    quality: int

    def goes_on(self, row: HistoryRow) -> bool:
        """Say whether a row continues the stretch, in time and in what it says."""
        same = (self.value, self.quality) == (row.value, row.quality)
        near = row.wall_ms - self.end_ms <= SILENT_MS
        return same and near and row.wall_ms - self.start_ms <= STEADY_MS


class HistoryFile:
    """Write and read the file; one thread at a time. Raises sqlite3.Error."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self.damaged = ""
        """Where a damaged file was put aside at opening; '' when none was."""
        self._ids: dict[str, int] = {}
        self._steady: dict[int, _Steady] = {}
        try:
            self._db = self._open()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise  # full, locked or read-only: the file itself is sound
            self.damaged = put_aside(self.path)
            self._db = self._open()

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=5.0, check_same_thread=False)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA cache_size = -2000")
            db.executescript(_SCHEMA)
            self._ids = dict(db.execute("SELECT entity, id FROM points"))
            if self.path.stat().st_size <= _SCRUB_BYTES:
                found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
                if found != "ok":
                    raise sqlite3.DatabaseError(found)
        except sqlite3.Error:
            db.close()
            raise
        return db

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    # --- writing --------------------------------------------------------------

    def point(self, entity: str) -> int:
        """Return the number of an entity in this file."""
        number = self._ids.get(entity)
        if number is None:
            cursor = self._db.execute(
                "INSERT INTO points (entity) VALUES (?)", [entity]
            )
            number = self._ids[entity] = int(cursor.lastrowid or 0)
        return number

    def write(self, rows: dict[str, list[HistoryRow]], lost: int, wall_ms: int) -> None:
        """Store rows by entity, and what was lost, in one transaction."""
        try:
            for entity, samples in rows.items():
                self._chunk(self.point(entity), samples)
            if lost:
                self._db.execute(
                    "INSERT INTO losses VALUES (?, ?, 'shed')", [wall_ms, lost]
                )
            self._db.commit()
        except sqlite3.Error:
            self._ids.clear()
            self._steady.clear()
            with contextlib.suppress(sqlite3.Error):
                self._db.rollback()
                self._ids = dict(self._db.execute("SELECT entity, id FROM points"))
            raise

    def _chunk(self, point: int, rows: list[HistoryRow]) -> None:
        rows = _changes(rows)
        first, last = rows[0], rows[-1]
        steady = first.value == last.value and len(rows) <= 2
        steady = steady and first.quality == last.quality
        known = self._steady.get(point)
        if steady and known is not None and known.goes_on(first):
            self._longer(point, known, last)
            return
        self._insert(point, rows)
        self._steady.pop(point, None)
        if steady:
            self._steady[point] = _Steady(
                first.wall_ms, last.wall_ms, first.value, first.quality
            )

    def _longer(self, point: int, known: _Steady, last: HistoryRow) -> None:
        span = max(last.wall_ms - known.start_ms, 0)
        self._steady[point] = known._replace(end_ms=known.start_ms + span)
        chunk = Chunk([0, span], [known.value] * 2, [known.quality] * 2)
        self._db.execute(
            "UPDATE chunks SET end_ms = ?, count = 2, data = ?"
            " WHERE point = ? AND start_ms = ?",
            [known.start_ms + span, _encode(chunk), point, known.start_ms],
        )

    def _insert(self, point: int, rows: list[HistoryRow]) -> None:
        start = min(row.wall_ms for row in rows)
        # Two flushes may meet in one millisecond, or wall time may step back.
        while self._taken(point, start):
            start += 1
        numbers = [n for row in rows if (n := number(row.value)) is not None]
        qualities = [row.quality for row in rows]
        chunk = Chunk(
            [row.wall_ms - start for row in rows],
            [row.value for row in rows],
            qualities,
        )
        self._db.execute(
            "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                point,
                start,
                max(row.wall_ms for row in rows),
                len(rows),
                min(numbers, default=None),
                max(numbers, default=None),
                max(qualities),
                _encode(chunk),
            ],
        )

    def _taken(self, point: int, start_ms: int) -> bool:
        found = self._db.execute(
            "SELECT 1 FROM chunks WHERE point = ? AND start_ms = ?", [point, start_ms]
        )
        return found.fetchone() is not None

    def trim(self, before_ms: int, max_bytes: int) -> int:
        """Delete a few of the oldest chunks beyond age or size; returns how many."""
        cursor = self._db.execute(
            "DELETE FROM chunks WHERE (point, start_ms) IN (SELECT point, start_ms"
            " FROM chunks WHERE end_ms < ? ORDER BY end_ms LIMIT ?)",
            [before_ms, _TRIM],
        )
        gone = cursor.rowcount
        if self._used() > max_bytes:
            cursor = self._db.execute(
                "DELETE FROM chunks WHERE (point, start_ms) IN (SELECT point,"
                " start_ms FROM chunks ORDER BY end_ms LIMIT ?)",
                [_TRIM],
            )
            gone += cursor.rowcount
        self._db.commit()
        return gone

    def _used(self) -> int:
        ask = self._db.execute
        pages = ask("PRAGMA page_count").fetchone()[0]
        free = ask("PRAGMA freelist_count").fetchone()[0]
        size: int = ask("PRAGMA page_size").fetchone()[0]
        return int(pages - free) * size

    # --- reading --------------------------------------------------------------

    def read(self, entity: str, from_ms: int, to_ms: int, points: int) -> list[Point]:
        """Return the span thinned to at most ``points`` rows; extremes survive."""
        number = self._ids.get(entity)
        if number is None or to_ms <= from_ms:
            return []
        width = max((to_ms - from_ms) // max(points, 1), 1)
        samples = _samples(self._of(number, from_ms, to_ms), from_ms, to_ms)
        return thin(samples, from_ms, width)

    def chunks(
        self, entity: str, from_ms: int, to_ms: int
    ) -> Iterable[list[tuple[int, Value, int]]]:
        """Yield the samples of each chunk; within one nobody was silent for long."""
        number = self._ids.get(entity)
        for row in self._of(number, from_ms, to_ms) if number is not None else ():
            found = list(_samples([row], from_ms, to_ms))
            if found:
                yield found

    def _of(self, number: int, from_ms: int, to_ms: int) -> sqlite3.Cursor:
        return self._db.execute(
            "SELECT start_ms, data FROM chunks WHERE point = ? AND start_ms < ?"
            " AND end_ms >= ? ORDER BY start_ms",
            [number, to_ms, from_ms],
        )

    def lost(self, from_ms: int = 0) -> int:
        """Return how many readings were lost since a moment."""
        row = self._db.execute(
            "SELECT coalesce(sum(rows), 0) FROM losses WHERE wall_ms >= ?", [from_ms]
        ).fetchone()
        return int(row[0])


def number(value: Value) -> float | None:
    """Return a value as a number, or None for words and gaps."""
    if value is None or isinstance(value, str):
        return None
    return float(value)


def _changes(rows: list[HistoryRow]) -> list[HistoryRow]:
    """Leave out the middle of every stretch in which nothing changed."""
    kept: list[HistoryRow] = []
    for row in rows:
        if len(kept) > 1 and _same(kept[-2], row) and _same(kept[-1], row):
            kept[-1] = row
        else:
            kept.append(row)
    return kept


def _same(one: HistoryRow, two: HistoryRow) -> bool:
    return one.value == two.value and one.quality == two.quality


def _samples(
    rows: Iterable[Sequence[int | bytes]], from_ms: int, to_ms: int
) -> Iterable[tuple[int, Value, int]]:
    for start, data in rows:
        chunk = _decode(bytes(data) if not isinstance(data, bytes) else data)
        for at, value, quality in zip(
            chunk.at, chunk.values, chunk.qualities, strict=True
        ):
            moment = int(start) + at
            if from_ms <= moment < to_ms:
                yield moment, value, quality


def thin(
    samples: Iterable[tuple[int, Value, int]], from_ms: int, width: int
) -> list[Point]:
    """Fold samples into spans of ``width``: last time, low, high, last, worst."""
    spans: dict[int, Point] = {}
    for moment, value, quality in samples:
        span = (moment - from_ms) // width
        own = number(value)
        old = spans.get(span)
        if old is None:
            spans[span] = (moment, own, own, value, quality)
            continue
        low = own if old[1] is None or (own is not None and own < old[1]) else old[1]
        high = own if old[2] is None or (own is not None and own > old[2]) else old[2]
        late = moment >= old[0]
        spans[span] = (
            max(moment, old[0]),
            low,
            high,
            value if late else old[3],
            max(quality, old[4]),
        )
    return [spans[key] for key in sorted(spans)]


def put_aside(path: Path) -> str:
    """Rename a damaged file and its companions; returns the new name."""
    tried = 1
    while (target := path.with_name(f"{path.name}.damaged-{tried}")).exists():
        tried += 1
    os.replace(path, target)
    for end in ("-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.replace(f"{path}{end}", f"{target}{end}")
    return target.name
