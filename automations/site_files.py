"""Join a site's folder of YAML files to one document."""

from pathlib import Path
from typing import Any

from core.api.documents import Document, read
from core.api.errors import ConfigError
from core.api.said import Said


def gather(folder: Path) -> Document:
    """Join a folder's YAML files; each top-level key stands in one file only."""
    if not folder.is_dir():
        raise ConfigError(
            Said("{folder}: no such folder; name the one with site.yaml", folder=folder)
        )
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise ConfigError(
            Said(
                "{folder}: no .yaml file here; begin with a copy of demo/site",
                folder=folder,
            )
        )
    joined: dict[str, Any] = {}
    owner: dict[str, Document] = {}
    for file in files:
        document = read(file)
        if not isinstance(document.data, dict):
            raise document.error((), "expected keys such as 'site:' and 'zones:'")
        for key, value in document.data.items():
            if key in joined:
                raise document.error(
                    (key,),
                    Said(
                        "{key!r} stands in {file} too; keep one",
                        key=key,
                        file=owner[key].file,
                    ),
                )
            joined[key], owner[key] = value, document
    return _Joined(joined, owner)


class _Joined(Document):
    """A document of several files: an error names the file that holds the key."""

    def __init__(self, data: dict[str, Any], owner: dict[str, Document]) -> None:
        marks = {
            path: mark
            for key, document in owner.items()
            for path, mark in document.marks.items()
            if path and path[0] == key
        }
        super().__init__("site.yaml", data, marks)
        self._owner = owner

    def error(self, path: Any, message: str) -> ConfigError:
        """Return an error that names the right file."""
        held = self._owner.get(str(path[0])) if path else None
        if held is None:
            return super().error(path, message)
        return held.error(path, message)
