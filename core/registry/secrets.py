"""The site's secrets: one 0600 file, written whole, never logged."""

import base64
import contextlib
import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

NAME = "secrets.json"
_BYTES = 24


class Secrets:
    """Hold named secrets; what is missing is made at random on first use.

    ``data`` is the hub's data folder. Several processes may ask at once: one
    of them makes the secret, and all get the same.
    """

    def __init__(self, data: Path) -> None:
        self._folder = data / "keys"
        self._path = self._folder / NAME

    def __repr__(self) -> str:
        return f"Secrets({self._path})"

    def get_or_create(self, name: str) -> str:
        """Return a secret; a new one of 192 random bits is stored first."""
        found = self.get(name)
        if found is not None:
            return found
        with self._alone():
            known = self._load()
            if name not in known:
                known[name] = base64.urlsafe_b64encode(os.urandom(_BYTES)).decode()
                self._save(known)
            return known[name]

    def get(self, name: str) -> str | None:
        """Return a secret, or None when nobody has set it."""
        return self._load().get(name)

    def put(self, name: str, value: str) -> None:
        """Store a secret durably; raises OSError."""
        with self._alone():
            self._save({**self._load(), name: value})

    def names(self, prefix: str) -> list[str]:
        """Return the names of stored secrets that begin so."""
        return [name for name in self._load() if name.startswith(prefix)]

    def drop(self, names: Iterable[str]) -> None:
        """Forget secrets durably; unknown names are fine. Raises OSError."""
        gone = set(names)
        with self._alone():
            known = self._load()
            left = {name: value for name, value in known.items() if name not in gone}
            if left != known:
                self._save(left)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from writing meanwhile."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def _load(self) -> dict[str, str]:
        try:
            fields = json.loads(self._path.read_bytes())
            if not isinstance(fields, dict):
                raise ValueError("no table of secrets")
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise OSError(
                f"{self._path} is damaged: restore it from a backup, or delete "
                "it to have new secrets made"
            ) from error
        return {str(k): str(v) for k, v in fields.items()}

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
