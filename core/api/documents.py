"""Read YAML and remember where everything stood, so that errors can say so.

For whatever reads files: publishing, integrations, scenarios. The safety process
never imports it, nor does ``core.api`` itself.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import voluptuous as vol
import yaml

from core.api.errors import ConfigError
from core.api.said import Said, lines, sentence

Path_ = tuple[Hashable, ...]
#: A configuration file larger than this is refused before it is parsed.
MAX_BYTES = 2_000_000
#: Aliases multiply a small file into a huge tree: this many nodes at most.
MAX_NODES = 200_000
#: What a list or a mapping may be: no tag makes an object of it.
_PLAIN_TAGS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
#: Deeper nesting would end the process inside the parser.
MAX_DEPTH = 60


class Input:
    """Stand for ``!input name`` until an instance fills it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"!input {self.name}"


class Document:
    """Hold a YAML file's plain data and the line and column of each path."""

    def __init__(self, file: str, data: Any, marks: Mapping[Path_, tuple[int, int]]):
        self.file = file
        self.data = data
        self.marks = marks

    def where(self, path: Sequence[Hashable]) -> tuple[int, int]:
        """Return line and column (from 1) of a path, or of its nearest parent."""
        key = tuple(path)
        while key and key not in self.marks:
            key = key[:-1]
        return self.marks.get(key, (1, 1))

    def error(self, path: Sequence[Hashable], message: str) -> ConfigError:
        """Return an error that names file, line, column and the mend."""
        line, column = self.where(path)
        where = ".".join(str(getattr(part, "schema", part)) for part in path)
        said = sentence(message)
        if where:
            said = Said("{where}: {said}", where=where, said=said)
        return placed(
            self.file, line, column, said, where=where, detail=sentence(message)
        )

    def check(
        self, schema: "vol.Schema | Callable[[Any], Any]", path: Path_ = ()
    ) -> Any:
        """Return the part at ``path`` as the schema makes it.

        Raises ConfigError with every problem found, one a line.
        """
        part = self.data
        for key in path:
            part = part[key]
        return self.check_part(schema, part, path)

    def check_part(
        self, schema: "vol.Schema | Callable[[Any], Any]", part: Any, path: Path_
    ) -> Any:
        """Return data that stands for ``path``, such as a body with inputs filled."""
        try:
            return schema(part)
        except vol.MultipleInvalid as bad:
            raise self._join(bad.errors, path) from None
        except vol.Invalid as bad:
            raise self._join([bad], path) from None

    def invalid(self, bad: vol.Invalid) -> ConfigError:
        """Return the error of one complaint of voluptuous."""
        return self._join([bad], ())

    def _join(self, errors: Sequence[vol.Invalid], base: Path_) -> ConfigError:
        found = [
            self.error((*base, *map(_plain, bad.path)), _explain(bad)) for bad in errors
        ]
        in_order = together(sorted(found, key=str)).message
        return ConfigError(in_order, **found[0].params)


def placed(
    file: str, line: int, column: int, message: str, **params: str | int | float | None
) -> ConfigError:
    """Return an error of a place in a file, such as ``site.yaml:3:1: …``."""
    said = Said(
        "{file}:{line}:{column}: {said}",
        file=file,
        line=line,
        column=column,
        said=sentence(message),
    )
    return ConfigError(said, file=file, line=line, column=column, **params)


def together(errors: Sequence[ConfigError]) -> ConfigError:
    """Return several errors as one at the place of the first: a line for each."""
    found = {str(each): each.message for each in errors}
    return ConfigError(lines(found.values()), **errors[0].params)


def _plain(step: Any) -> Hashable:
    return step if isinstance(step, int) else str(step)


def _explain(bad: vol.Invalid) -> str:
    if bad.msg == "extra keys not allowed":
        return Said(
            "unknown key {key!r}; remove it or mend its spelling", key=str(bad.path[-1])
        )
    if bad.msg == "required key not provided":
        return Said("the key {key!r} is missing here", key=str(bad.path[-1]))
    return _MENDS.get(bad.msg, bad.msg)


#: What the checker says of types, as an author would be told.
_MENDS = {
    "expected str": "expected text; put it in quotes",
    "expected int": "expected a whole number",
    "expected bool": "expected true or false",
    "expected a dictionary": "expected a mapping: lines of 'key: value'",
    "expected dict": "expected a mapping: lines of 'key: value'",
    "expected a list": "expected a list: lines that begin with '- '",
    "expected list": "expected a list: lines that begin with '- '",
}


def read(file: Path, shown: str | None = None) -> Document:
    """Read a YAML file with positions; raises ConfigError."""
    name = shown or str(file)
    try:
        if file.stat().st_size > MAX_BYTES:
            said = Said("larger than {most} bytes; split it", most=MAX_BYTES)
            raise placed(name, 1, 1, said)
        text = file.read_text("utf-8")
    except UnicodeDecodeError as bad:
        said = Said("not UTF-8 at byte {at}; save the file as UTF-8", at=bad.start)
        raise placed(name, 1, 1, said) from None
    return parse(text, name)


def shipped(folder: Path) -> tuple[str, ...]:
    """Return the ids of the files that come with the hub."""
    return tuple(sorted(file.stem for file in folder.glob("*.yaml")))


def find(name: str, folder: Path) -> Path:
    """Return a shipped file by its id, or a site's own by its path.

    Raises ConfigError for an unknown id, naming those there are.
    """
    if name.endswith((".yaml", ".yml")):
        return Path(name)
    known = shipped(folder)
    if name not in known:
        raise ConfigError(
            Said(
                "there is no {name!r}; expected one of {shipped} or the path of a "
                ".yaml file",
                name=name,
                shipped=list(known),
            ),
            name=name,
        )
    return folder / f"{name}.yaml"


def parse(text: str, name: str) -> Document:
    """Read YAML text with positions; raises ConfigError."""
    try:
        _probe(text, name)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        builder = _Builder(name)
        data = builder.build(node, ()) if node is not None else {}
    except yaml.MarkedYAMLError as bad:
        mark = bad.problem_mark or bad.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = sentence(str(bad.problem))
        said = Said("not YAML: {problem}", problem=problem)
        raise placed(name, line, column, said) from None
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as bad:
        raise placed(name, 1, 1, Said("not YAML: {bad}", bad=bad)) from None
    return Document(name, data, builder.marks)


def _probe(text: str, name: str) -> None:
    """Refuse deep nesting from the event stream, before anything recurses."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            mark = event.start_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            said = Said("nested more than {most} deep", most=MAX_DEPTH)
            raise placed(name, line, column, said)


class _Builder:
    """Turn composed nodes into plain data while noting positions."""

    def __init__(self, file: str) -> None:
        self.marks: dict[Path_, tuple[int, int]] = {}
        self._file = file
        self._nodes = 0
        self._scalars = yaml.SafeLoader("")

    def build(self, node: yaml.Node, path: Path_) -> Any:
        """Return plain data for a node."""
        self._nodes += 1
        mark = node.start_mark
        if self._nodes > MAX_NODES:
            said = Said("more than {most} values (aliases?)", most=MAX_NODES)
            raise self._error(mark, said)
        self.marks[path] = (mark.line + 1, mark.column + 1)
        if node.tag == "!input":
            return Input(str(node.value))
        if node.tag.startswith("!") or (
            isinstance(node, yaml.CollectionNode) and node.tag not in _PLAIN_TAGS
        ):
            said = Said("unknown tag {tag}; only !input is known", tag=node.tag)
            raise self._error(mark, said)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, i)) for i, item in enumerate(node.value)]
        return self._scalars.construct_object(node)

    def _mapping(self, node: yaml.MappingNode, path: Path_) -> dict[Any, Any]:
        built: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._error(key_node.start_mark, "a key must be a plain word")
            key = self._scalars.construct_object(key_node)
            if isinstance(key, bool):
                # YAML 1.1 reads the keys on and off as booleans: keep the word.
                key = key_node.value
            if key in built:
                said = Said("the key {key!r} stands here twice", key=key)
                raise self._error(key_node.start_mark, said)
            built[key] = self.build(value_node, (*path, key))
            if not isinstance(value_node, yaml.ScalarNode):
                # A block begins a line below its key, which people look for.
                mark = key_node.start_mark
                self.marks[*path, key] = (mark.line + 1, mark.column + 1)
        return built

    def _error(self, mark: yaml.Mark, message: str) -> ConfigError:
        return placed(self._file, mark.line + 1, mark.column + 1, message)
