"""The site's secrets: one 0600 file, written whole, never logged."""

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

NAME = "secrets.json"
_BYTES = 24


class Secrets:
    """Hold named secrets; what is missing is made at random on first use."""

    @classmethod
    def of(cls, data: Path) -> "Secrets":
        """Return the one store of a hub's data folder."""
        return cls(data / "keys")

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / NAME
        self._known: dict[str, str] | None = None

    def __repr__(self) -> str:
        return f"Secrets({self._path})"

    def get_or_create(self, name: str) -> str:
        """Return a secret; a new one of 192 random bits is stored first."""
        known = self._load()
        if name not in known:
            with self._alone():
                known = self._load()
                if name not in known:
                    known[name] = secrets.token_urlsafe(_BYTES)
                    self._save(known)
        return known[name]

    def get(self, name: str) -> str | None:
        """Return a secret, or None when nobody has set it."""
        return self._load().get(name)

    def put(self, name: str, value: str) -> None:
        """Store a secret durably; raises OSError."""
        with self._alone():
            known = self._load()
            known[name] = value
            self._save(known)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes out, and forget what they may have changed."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(self._folder / f".{NAME}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            self._known = None
            yield
        finally:
            os.close(fd)

    def _load(self) -> dict[str, str]:
        if self._known is None:
            try:
                fields = json.loads(self._path.read_bytes())
            except FileNotFoundError:
                fields = {}
            except ValueError as error:
                raise OSError(
                    f"{self._path} is damaged: restore it from a backup, or delete "
                    "it to have new secrets made"
                ) from error
            self._known = {str(k): str(v) for k, v in fields.items()}
        return self._known

    def _save(self, known: dict[str, str]) -> None:
        part = self._folder / f".{NAME}.part"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        fd = os.open(part, flags, 0o600)
        with os.fdopen(fd, "w") as file:
            json.dump(known, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, self._path)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
