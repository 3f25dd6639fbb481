"""A pack's raw data from many files, each value with the place it came from."""

from collections.abc import Hashable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from core.api.documents import Document, placed, read
from core.api.errors import ConfigError
from core.api.said import Said, sentence

Path_ = tuple[Hashable, ...]
Place = tuple[str, int, int]


class Source:
    """Hold merged data and, for each path in it, file, line and column."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.data: dict[str, Any] = {}
        self._places: dict[Path_, Place] = {}

    def where(self, path: Path_) -> Place:
        """Return the place of a path, or of its nearest parent."""
        while path and path not in self._places:
            path = path[:-1]
        return self._places.get(path, (self.name, 1, 1))

    def error(self, path: Path_, message: str) -> ConfigError:
        """Return an error that names file, line, column, clause and the mend."""
        file, line, column = self.where(path)
        shown = ".".join(str(part) for part in path)
        clause = self._clause(path)
        told = sentence(message)
        said = Said("{where}: {told}", where=shown, told=told)
        if clause:
            said = Said("{said} ({clause})", said=said, clause=clause)
        return placed(file, line, column, said, where=shown, detail=told, clause=clause)

    def add(self, document: Document, allowed: tuple[str, ...]) -> None:
        """Join a file's sections; an id stands in one file only."""
        for section, body in self._sections(document, allowed):
            held = self.data.setdefault(section, {})
            self._mark(document, (section,))
            for key in body:
                if key in held:
                    first = self.where((section, key))
                    raise document.error(
                        (section, key),
                        Said(
                            "{key!r} stands in {first}:{first2} too; keep one",
                            key=key,
                            first=first[0],
                            first2=first[1],
                        ),
                    )
            held.update(deepcopy(body))
            for key in body:
                self._mark(document, (section, key), deep=True)

    def lay(self, document: Document, allowed: tuple[str, ...]) -> None:
        """Lay an overlay on: mappings merge, all else replaces."""
        for section, body in self._sections(document, allowed):
            held = self.data.setdefault(section, {})
            self.merge(held, body, (section,), document)

    def merge(
        self, held: dict[Any, Any], laid: Any, path: Path_, document: Document
    ) -> None:
        """Merge one mapping into another and take its places over."""
        for key, value in laid.items():
            here = (*path, key)
            if isinstance(value, dict) and isinstance(held.get(key), dict):
                self.merge(held[key], value, here, document)
                continue
            for old in [p for p in self._places if p[: len(here)] == here]:
                del self._places[old]
            held[key] = deepcopy(value)
            self._mark(document, here, deep=True)

    def forget(self, section: str) -> None:
        """Drop a section and its places."""
        self.data.pop(section, None)
        for path in [path for path in self._places if path[0] == section]:
            del self._places[path]

    def inherit(self, section: str, key: str, origin: str) -> None:
        """Fill what an entry does not say from another of its section."""
        own, other = self.data[section][key], self.data[section][origin]
        for name, value in other.items():
            if name in own:
                continue
            own[name] = deepcopy(value)
            old = (section, origin, name)
            for path, place in list(self._places.items()):
                if path[: len(old)] == old:
                    self._places[(section, key, name, *path[len(old) :])] = place

    def _sections(
        self, document: Document, allowed: tuple[str, ...]
    ) -> list[tuple[str, Mapping[Any, Any]]]:
        if not isinstance(document.data, dict):
            raise document.error(
                (), Said("expected sections: {allowed}", allowed=list(allowed))
            )
        for section, body in document.data.items():
            if section not in allowed:
                raise document.error(
                    (section,),
                    Said(
                        "unknown section {section!r}; known: {allowed}",
                        section=section,
                        allowed=list(allowed),
                    ),
                )
            if not isinstance(body, dict):
                raise document.error((section,), "expected entries by their id")
        return list(document.data.items())

    def _mark(self, document: Document, path: Path_, *, deep: bool = False) -> None:
        for other in document.marks if deep else (path,):
            if other[: len(path)] == path:
                self._places[other] = (document.file, *document.where(other))

    def _clause(self, path: Path_) -> str:
        """Return the nearest clause above a path."""
        for end in range(len(path), 0, -1):
            part: Any = self.data
            for key in path[:end]:
                if isinstance(part, dict):
                    part = part.get(key)
                elif isinstance(part, list) and isinstance(key, int):
                    part = part[key] if key < len(part) else None
                else:
                    part = None
            if isinstance(part, dict) and isinstance(part.get("clause"), str):
                return str(part["clause"])
        return ""


def documents(folder: Path, shown: str) -> list[Document]:
    """Read every YAML file under a folder, in the order of their names."""
    return [
        read(file, f"{shown}/{file.relative_to(folder)}")
        for file in sorted(folder.rglob("*.yaml"))
    ]
