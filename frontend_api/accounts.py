"""Accounts, sessions and tokens in one 0600 SQLite file; only hashes of secrets."""

import hashlib
import os
import secrets
import sqlite3
import threading
from pathlib import Path

import msgspec

from core.clock import NS, Clock

SESSION_S = 12 * 3600
CODE_S = 24 * 3600
TOKEN_S = 365 * 24 * 3600
#: Sessions of one person; the oldest ends when one more begins.
SESSIONS_EACH = 10
#: Memory in KiB, rounds and lanes of argon2id (OWASP's least, with one round more).
_ARGON = (19_456, 3, 1)
#: Letters of codes that people type: none that look alike.
_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

_TABLES = """
CREATE TABLE IF NOT EXISTS accounts (
  person_id TEXT PRIMARY KEY, password TEXT NOT NULL DEFAULT '',
  code_hash TEXT NOT NULL DEFAULT '', code_until INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS pins (
  person_id TEXT PRIMARY KEY, pin TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS owner (
  one INTEGER PRIMARY KEY CHECK (one = 1), person_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sessions (
  hash TEXT PRIMARY KEY, person_id TEXT NOT NULL, until INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (
  id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
  person_id TEXT NOT NULL, scopes TEXT NOT NULL, created INTEGER NOT NULL,
  until INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0);
"""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Hold who speaks: by cookie (no scopes, may do all) or by token."""

    person_id: str
    until_s: int
    scopes: tuple[str, ...] | None = None
    key: str = ""

    def may_read(self) -> bool:
        """Say whether reads are in scope."""
        return self.scopes is None or "read" in self.scopes

    def may_act(self, verb: str) -> bool:
        """Say whether a verb is in scope: act, act:permit or act:permit.hold."""
        if self.scopes is None:
            return True
        room = verb.partition(".")[0]
        return bool({"act", f"act:{room}", f"act:{verb}"} & set(self.scopes))

    def is_terminal(self) -> bool:
        """Say whether this is a gate's terminal, which brings what it signed."""
        return self.scopes is not None and "terminal" in self.scopes


class TokenRow(msgspec.Struct, frozen=True, kw_only=True):
    """Hold one long-lived token; its secret is not kept."""

    id: str
    hash: str
    name: str
    person_id: str
    scopes: tuple[str, ...]
    created_s: int
    until_s: int
    used_s: int


def digest(secret: str) -> str:
    """Hash a secret of full entropy; argon2 is for what people choose."""
    return hashlib.sha256(secret.encode()).hexdigest()


def typed_code(groups: int = 3) -> str:
    """Return a code to type by hand: 4 letters a group, 20 bits each."""
    letters = [secrets.choice(_LETTERS) for _ in range(4 * groups)]
    return "-".join("".join(letters[i : i + 4]) for i in range(0, len(letters), 4))


def plain(code: str) -> str:
    """Return a typed code as it is compared: no dashes, no spaces, capitals."""
    return "".join(code.upper().replace("-", " ").split())


class Accounts:
    """Keep accounts; every method is short and may run in a worker thread."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.clock = clock
        self._lock = threading.RLock()
        # Created closed: a moment of 0644 would be enough to copy it.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        path.chmod(0o600)
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("PRAGMA secure_delete=ON")
        self._db.execute("PRAGMA cache_size=-256")
        self._db.executescript(_TABLES)
        self._sessions: dict[str, Session] = {}
        self._tokens: dict[str, TokenRow] = {}
        self._load()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def now_s(self) -> int:
        """Return the site's wall time in seconds."""
        return self.clock.wall_ns() // NS

    def _load(self) -> None:
        self._db.execute("DELETE FROM sessions WHERE until < ?", (self.now_s(),))
        for key, person, until in self._db.execute("SELECT * FROM sessions"):
            self._sessions[key] = Session(person_id=person, until_s=until, key=key)
        for row in self._db.execute("SELECT * FROM tokens"):
            token = TokenRow(
                id=row[0],
                hash=row[1],
                name=row[2],
                person_id=row[3],
                scopes=tuple(row[4].split()),
                created_s=row[5],
                until_s=row[6],
                used_s=row[7],
            )
            self._tokens[token.hash] = token

    # --- the owner -----------------------------------------------------------------

    def owner(self) -> str:
        """Return the person who claimed the hub here, or ''."""
        with self._lock:
            row = self._db.execute("SELECT person_id FROM owner").fetchone()
        return row[0] if row else ""

    def claim(self, person_id: str, password_hash: str) -> bool:
        """Make the owner's account; False when another was first (one row at most)."""
        with self._lock:
            cursor = self._db.execute(
                "INSERT OR IGNORE INTO owner VALUES (1, ?)", (person_id,)
            )
            if cursor.rowcount != 1:
                return False
            self._set_password(person_id, password_hash)
        return True

    # --- accounts --------------------------------------------------------------------

    def _set_password(self, person_id: str, password_hash: str) -> None:
        self._db.execute(
            "INSERT INTO accounts (person_id, password) VALUES (?, ?)"
            " ON CONFLICT (person_id) DO UPDATE SET password = excluded.password,"
            " code_hash = '', code_until = 0",
            (person_id, password_hash),
        )

    def password(self, person_id: str) -> str:
        """Return a person's password hash, or ''."""
        with self._lock:
            row = self._db.execute(
                "SELECT password FROM accounts WHERE person_id = ?", (person_id,)
            ).fetchone()
        return row[0] if row else ""

    def set_pin(self, person_id: str, pin_hash: str) -> None:
        """Keep the PIN with which a person signs beside a witness."""
        with self._lock:
            self._db.execute(
                "INSERT INTO pins VALUES (?, ?)"
                " ON CONFLICT (person_id) DO UPDATE SET pin = excluded.pin",
                (person_id, pin_hash),
            )

    def pin(self, person_id: str) -> str:
        """Return the hash of a person's PIN, or ''."""
        with self._lock:
            row = self._db.execute(
                "SELECT pin FROM pins WHERE person_id = ?", (person_id,)
            ).fetchone()
        return row[0] if row else ""

    def invite(self, person_id: str) -> str:
        """Return a one-time code with which a person makes an account."""
        code = typed_code()
        with self._lock:
            self._db.execute(
                "INSERT INTO accounts (person_id, code_hash, code_until)"
                " VALUES (?, ?, ?) ON CONFLICT (person_id) DO UPDATE SET"
                " code_hash = excluded.code_hash, code_until = excluded.code_until",
                (person_id, digest(plain(code)), self.now_s() + CODE_S),
            )
        return code

    def invited(self, code: str) -> str:
        """Return whom a one-time code is for, or ''."""
        with self._lock:
            row = self._db.execute(
                "SELECT person_id FROM accounts WHERE code_hash = ? AND code_until > ?",
                (digest(plain(code)), self.now_s()),
            ).fetchone()
        return row[0] if row else ""

    def enrol(self, code: str, password_hash: str) -> str:
        """Use a one-time code; returns the person, or '' when it was used already."""
        with self._lock:
            person_id = self.invited(code)
            if person_id:
                self._end_sessions(person_id)
                self._set_password(person_id, password_hash)
        return person_id

    def remove(self, person_id: str) -> bool:
        """Remove an account with its sessions and tokens; False: there was none."""
        mine = (person_id,)
        with self._lock:
            delete = self._db.execute
            gone = delete("DELETE FROM accounts WHERE person_id = ?", mine).rowcount
            gone += delete("DELETE FROM pins WHERE person_id = ?", mine).rowcount
            self._end_sessions(person_id)
            for token in [t for t in self._tokens.values() if t.person_id == person_id]:
                self.revoke(token.id)
                gone += 1
        return gone > 0

    def listed(self) -> list[tuple[str, bool, int]]:
        """Return (person, has a password, code valid until) of every account."""
        with self._lock:
            rows = self._db.execute(
                "SELECT person_id, password != '', code_until FROM accounts"
            ).fetchall()
        return [(person, bool(enrolled), until) for person, enrolled, until in rows]

    # --- sessions --------------------------------------------------------------------

    def begin(self, person_id: str) -> str:
        """Begin a session and return its secret, for the cookie."""
        secret = secrets.token_urlsafe(32)
        session = Session(
            person_id=person_id, until_s=self.now_s() + SESSION_S, key=digest(secret)
        )
        with self._lock:
            mine = [s for s in self._sessions.values() if s.person_id == person_id]
            for old in sorted(mine, key=lambda s: s.until_s)[: 1 - SESSIONS_EACH]:
                self.end(old.key)
            self._db.execute(
                "INSERT INTO sessions VALUES (?, ?, ?)",
                (session.key, person_id, session.until_s),
            )
            self._sessions[session.key] = session
        return secret

    def session(self, secret: str) -> Session | None:
        """Return the running session of a cookie."""
        found = self._sessions.get(digest(secret))
        return found if found and found.until_s > self.now_s() else None

    def end(self, key: str) -> None:
        """End one session."""
        with self._lock:
            self._sessions.pop(key, None)
            self._db.execute("DELETE FROM sessions WHERE hash = ?", (key,))

    def _end_sessions(self, person_id: str) -> None:
        for session in list(self._sessions.values()):
            if session.person_id == person_id:
                self.end(session.key)

    # --- tokens ----------------------------------------------------------------------

    def mint(
        self, person_id: str, name: str, scopes: tuple[str, ...]
    ) -> tuple[str, TokenRow]:
        """Make a long-lived token; its secret is returned once and not kept."""
        secret = f"sfh_{secrets.token_urlsafe(32)}"
        now = self.now_s()
        token = TokenRow(
            id=secrets.token_hex(8),
            hash=digest(secret),
            name=name,
            person_id=person_id,
            scopes=scopes,
            created_s=now,
            until_s=now + TOKEN_S,
            used_s=0,
        )
        with self._lock:
            self._db.execute(
                "INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
                (
                    token.id,
                    token.hash,
                    name,
                    person_id,
                    " ".join(scopes),
                    now,
                    token.until_s,
                ),
            )
            self._tokens[token.hash] = token
        return secret, token

    def token(self, secret: str) -> Session | None:
        """Return who a bearer token speaks for, and its scopes."""
        found = self._tokens.get(digest(secret))
        if found is None or found.until_s <= self.now_s():
            return None
        return Session(
            person_id=found.person_id,
            until_s=found.until_s,
            scopes=found.scopes,
            key=found.id,
        )

    def tokens(self, person_id: str = "") -> list[TokenRow]:
        """Return the tokens of a person, or all."""
        return [
            t
            for t in self._tokens.values()
            if not person_id or t.person_id == person_id
        ]

    def revoke(self, token_id: str) -> None:
        """Revoke a token."""
        with self._lock:
            self._tokens = {k: t for k, t in self._tokens.items() if t.id != token_id}
            self._db.execute("DELETE FROM tokens WHERE id = ?", (token_id,))


def hash_password(password: str) -> str:
    """Hash a chosen password by argon2id; takes 50 ms or more, so off the loop."""
    from argon2 import PasswordHasher

    memory, rounds, lanes = _ARGON
    return PasswordHasher(rounds, memory, lanes).hash(password)


def check_password(stored: str, password: str) -> bool:
    """Compare a password; takes as long when there is no account."""
    from argon2 import PasswordHasher
    from argon2.exceptions import Argon2Error, InvalidHashError

    if not stored:
        hash_password(password)
        return False
    try:
        return PasswordHasher().verify(stored, password)
    except (Argon2Error, InvalidHashError):
        return False
