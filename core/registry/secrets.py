"""The site's secrets: one 0600 file, written whole, never logged."""

import json
import os
import secrets
from pathlib import Path

NAME = "secrets.json"
_BYTES = 24


class Secrets:
    """Hold named secrets; what is missing is made at random on first use."""

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
            self.put(name, secrets.token_urlsafe(_BYTES))
        return known[name]

    def get(self, name: str) -> str | None:
        """Return a secret, or None when nobody has set it."""
        return self._load().get(name)

    def put(self, name: str, value: str) -> None:
        """Store a secret durably; raises OSError."""
        known = self._load()
        known[name] = value
        self._save(known)

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
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
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
