"""YAML with positions: every value knows the line and column it was written at."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import voluptuous as vol
import yaml

from core.api import ConfigError

#: libyaml's loader is five times as fast; a hub without it still starts.
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

#: Largest file and most values: a profile has a hundredth of it, a bomb has not.
MAX_CHARACTERS = 200_000
MAX_VALUES = 20_000
MAX_DEPTH = 30

Path_ = tuple[Hashable, ...]
Place = tuple[int, int]


class Document:
    """Hold the data of one YAML file and where each value stands in it."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self._places: dict[Path_, Place] = {(): (1, 1)}
        self._values = 0
        if len(text) > MAX_CHARACTERS:
            raise self.error((), f"longer than {MAX_CHARACTERS} characters")
        loader = _Loader(text)
        try:
            self._probe(text)
            self.data: Any = self._construct(loader)
        except yaml.MarkedYAMLError as problem:
            mark = problem.problem_mark or problem.context_mark
            self._places[()] = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            raise self.error((), f"not YAML: {problem.problem}") from problem
        except (yaml.YAMLError, ValueError, OverflowError) as problem:
            # PyYAML hands on what Python says of an impossible date or number.
            raise self.error((), f"not YAML: {problem}") from problem
        finally:
            loader.dispose()

    def _probe(self, text: str) -> None:
        """Refuse deep nesting: libyaml's composer would end the process by it."""
        depth = 0
        for event in yaml.parse(text, Loader=_Loader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > MAX_DEPTH:
                mark = event.start_mark
                self._places[()] = (mark.line + 1, mark.column + 1) if mark else (1, 1)
                raise self.error((), f"nested more than {MAX_DEPTH} deep")

    def _construct(self, loader: yaml.SafeLoader) -> Any:
        node = loader.get_single_node()
        if node is None:
            raise self.error((), "the file is empty; expected a mapping")
        self._note(loader, node, ())
        return loader.construct_document(node)

    def error(self, path: Path_, what: str) -> ConfigError:
        """Return the error that names file, line, column and what was expected."""
        found = path
        while found not in self._places:
            found = found[:-1]
        line, column = self._places[found]
        where = ".".join(str(getattr(part, "schema", part)) for part in path)
        text = f"{self.file}:{line}:{column}: {where + ': ' if where else ''}{what}"
        return ConfigError(
            text, file=self.file, line=line, column=column, where=where, what=what
        )

    def check(self, schema: vol.Schema) -> Any:
        """Return the data as the schema gives it; raises ConfigError with a place."""
        try:
            return schema(self.data)
        except vol.MultipleInvalid as problem:
            raise self.invalid(problem.errors[0]) from problem
        except vol.Invalid as problem:
            raise self.invalid(problem) from problem

    def invalid(self, problem: vol.Invalid) -> ConfigError:
        """Return the error of a voluptuous complaint."""
        return self.error(tuple(problem.path), problem.error_message)

    def _note(self, loader: yaml.SafeLoader, node: yaml.Node, path: Path_) -> None:
        self._places[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
        self._values += 1
        if self._values > MAX_VALUES:
            raise self.error((), f"more than {MAX_VALUES} values (an alias repeated?)")
        if isinstance(node, yaml.MappingNode):
            seen: set[Hashable] = set()
            for key_node, value in node.value:
                key = loader.construct_object(key_node)
                place = key_node.start_mark
                if not isinstance(key, str | int | float) or key in seen:
                    self._places[path] = (place.line + 1, place.column + 1)
                    what = f"{key!r} is no name, or stands here twice"
                    raise self.error(path, what)
                seen.add(key)
                self._note(loader, value, (*path, key))
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self._note(loader, item, (*path, index))


def read(path: Path) -> Document:
    """Return the document of a file; raises ConfigError when it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigError(
            f"{path}: cannot be read: {problem}", file=str(path), line=0, column=0
        ) from problem
    return Document(str(path), text)
