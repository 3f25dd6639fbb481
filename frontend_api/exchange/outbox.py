"""Store and forward: what is owed to the platform, in a SQLite file of its own.

What is owed is derived from the journal up to a cursor (epoch, seq), kept in the
same transaction: a kill at any moment loses nothing and owes nothing twice. Names and
phones are sealed at rest, and leave with a letter: the body of what nobody sends
again is overwritten.
"""

import os
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from core.registry.boxes import Box, Unsealable
from core.registry.secrets import Secrets
from frontend_api.exchange.mapping import Owed

NAME = "outbox.db"
QUEUED, SENT, DEAD, SETTLED = "queued", "sent", "dead", "settled"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS letter (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL, id TEXT NOT NULL, updated TEXT NOT NULL,
  seq INTEGER NOT NULL, body BLOB NOT NULL, state TEXT NOT NULL,
  owed_ns INTEGER NOT NULL, due_ns INTEGER NOT NULL DEFAULT 0,
  tries INTEGER NOT NULL DEFAULT 0, detail TEXT NOT NULL DEFAULT '',
  done_ns INTEGER NOT NULL DEFAULT 0,
  UNIQUE (kind, id, seq));
CREATE INDEX IF NOT EXISTS letter_state ON letter (state, n);
CREATE TABLE IF NOT EXISTS place (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  kept_seq INTEGER NOT NULL, kept BLOB NOT NULL);
INSERT OR IGNORE INTO place VALUES (1, 0, 0, 0, x'');
"""


class Letter(NamedTuple):
    """One owed record as it is stored."""

    n: int
    kind: str
    id: str
    updated: str
    body: bytes
    state: str
    owed_ns: int
    due_ns: int
    tries: int
    detail: str


_COLUMNS = ", ".join(Letter._fields)


class Outbox:
    """Keep letters and the cursor; every method is one transaction."""

    def __init__(self, folder: Path, secrets: Secrets | None = None) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = folder / NAME
        # Created closed: a moment of 0644 would be enough to copy it.
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        self.path.chmod(0o600)
        self._box = Box(secrets or Secrets(folder.parent), "exchange outbox")
        self._db = sqlite3.connect(self.path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("PRAGMA secure_delete=ON")
        self._db.executescript(_SCHEMA)
        self._db.execute(  # an older release kept them
            "UPDATE letter SET body = x'' WHERE state IN (?, ?) AND body <> x''",
            (SENT, SETTLED),
        )
        self._check()

    def _check(self) -> None:
        """Begin anew where the site's secret is another: the journal has it all."""
        try:
            self.kept()
            self.listed(QUEUED, 1)
            self.listed(DEAD, 1)
        except Unsealable:
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                again = "DELETE FROM letter WHERE state IN (?, ?)"
                self._db.execute(again, (QUEUED, DEAD))
                self._db.execute(
                    "UPDATE place SET epoch = 0, seq = 0, kept_seq = 0, kept = x''"
                )

    def close(self) -> None:
        """Close the file; idempotent."""
        self._db.close()

    # --- what the journal makes owed ------------------------------------------

    def cursor(self) -> tuple[int, int]:
        """Return the (epoch, seq) up to which everything owed is stored."""
        row = self._db.execute("SELECT epoch, seq FROM place").fetchone()
        return int(row[0]), int(row[1])

    def kept(self) -> tuple[int, bytes]:
        """Return the seq and bytes of the mapper's last kept state."""
        row = self._db.execute("SELECT kept_seq, kept FROM place").fetchone()
        return int(row[0]), self._box.open(bytes(row[1]))

    def owe(self, owed: Iterable[Owed], cursor: tuple[int, int], wall_ns: int) -> None:
        """Store what one event makes owed, and the cursor with it."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            for each in owed:
                self._db.execute(
                    "INSERT OR IGNORE INTO letter"
                    " (kind, id, updated, seq, body, state, owed_ns, detail)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        each.kind,
                        each.id,
                        each.updated,
                        cursor[1],
                        self._box.seal(each.body),
                        DEAD if each.problem else QUEUED,
                        wall_ns,
                        each.problem,
                    ),
                )
            self._db.execute("UPDATE place SET epoch = ?, seq = ?", cursor)

    def keep(self, seq: int, data: bytes) -> None:
        """Keep the mapper's state at ``seq``, so that a start need not fold it all."""
        sealed = self._box.seal(data)
        self._db.execute("UPDATE place SET kept_seq = ?, kept = ?", (seq, sealed))

    # --- delivery -------------------------------------------------------------

    def next(self, now_ns: int, farthest_ns: int) -> Letter | None:
        """Return the first letter that is due; a record's updates go in order.

        One that is due later than ``farthest_ns`` from now was put off by a clock
        that has been set back since: it is due.
        """
        row = self._db.execute(
            f"SELECT {_COLUMNS} FROM letter AS a WHERE state = ?"  # noqa: S608
            " AND (due_ns <= ? OR due_ns > ?)"
            " AND NOT EXISTS (SELECT 1 FROM letter AS b WHERE b.state = ?"
            " AND b.kind = a.kind AND b.id = a.id AND b.n < a.n)"
            " ORDER BY n LIMIT 1",
            (QUEUED, now_ns, now_ns + farthest_ns, QUEUED),
        ).fetchone()
        return self._letter(row) if row else None

    def _letter(self, row: tuple[Any, ...]) -> Letter:
        letter = Letter(*row)
        return letter._replace(body=self._box.open(letter.body))

    def due_ns(self) -> int | None:
        """Return when the next letter falls due, or None when nothing is owed."""
        row = self._db.execute(
            "SELECT min(due_ns) FROM letter WHERE state = ?", (QUEUED,)
        ).fetchone()
        return None if row[0] is None else int(row[0])

    def oldest_ns(self) -> int | None:
        """Return since when the oldest queued letter is owed."""
        row = self._db.execute(
            "SELECT min(owed_ns) FROM letter WHERE state = ?", (QUEUED,)
        ).fetchone()
        return None if row[0] is None else int(row[0])

    def sent(self, n: int, wall_ns: int, detail: str = "") -> None:
        """Note that the platform has a letter."""
        self._done(n, SENT, wall_ns, detail)

    def dead(self, n: int, wall_ns: int, detail: str) -> None:
        """Keep a letter that the platform will never take; never deleted."""
        self._done(n, DEAD, wall_ns, detail)

    def _done(self, n: int, state: str, wall_ns: int, detail: str) -> None:
        self._db.execute(
            "UPDATE letter SET state = ?, done_ns = ?, detail = ?, tries = tries + 1,"
            " body = CASE WHEN ? THEN x'' ELSE body END WHERE n = ?",
            (state, wall_ns, detail[:500], state == SENT, n),
        )

    def again(self, n: int, due_ns: int, detail: str) -> None:
        """Try a letter again later."""
        self._db.execute(
            "UPDATE letter SET due_ns = ?, detail = ?, tries = tries + 1 WHERE n = ?",
            (due_ns, detail[:500], n),
        )

    # --- people ---------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        """Return how many letters stand in each state."""
        rows = self._db.execute("SELECT state, count(*) FROM letter GROUP BY state")
        return {str(state): int(count) for state, count in rows}

    def listed(self, state: str, last: int = 1000) -> Sequence[Letter]:
        """Return the last letters in a state, oldest first."""
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM letter WHERE state = ? ORDER BY n DESC LIMIT ?",  # noqa: S608
            (state, last),
        ).fetchall()
        return [self._letter(row) for row in reversed(rows)]

    def mend(self, n: int, owed: Owed) -> None:
        """Queue a record that the settings had kept from being sent, now whole.

        Older refused updates of the same record are told by this one.
        """
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(
                "UPDATE letter SET state = ?, body = x'',"
                " detail = 'told by a later one'"
                " WHERE state = ? AND kind = ? AND id = ? AND n < ? AND tries = 0",
                (SETTLED, DEAD, owed.kind, owed.id, n),
            )
            self._db.execute(
                "UPDATE letter SET state = ?, body = ?, updated = ?, detail = ''"
                " WHERE n = ?",
                (QUEUED, self._box.seal(owed.body), owed.updated, n),
            )

    def settle(self, n: int, *, requeue: bool, why: str) -> bool:
        """Send a dead letter again, or note that a person dealt with it.

        False when ``n`` is no dead letter.
        """
        done = self._db.execute(
            "UPDATE letter SET state = ?, due_ns = 0, detail = ? || ' | ' || detail,"
            " body = CASE WHEN ? THEN x'' ELSE body END WHERE n = ? AND state = ?",
            (QUEUED if requeue else SETTLED, why[:200], not requeue, n, DEAD),
        )
        return done.rowcount == 1
