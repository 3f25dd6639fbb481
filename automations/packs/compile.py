"""Read a pack and its overlays into typed structs; a broken one is refused whole."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from automations.packs import checks
from automations.packs.source import Path_, Source, documents
from automations.packs.types import Mistyped, check_condition
from core.api.documents import Document, read, together
from core.api.errors import ConfigError
from core.api.said import Said, sentence
from core.logic.parse import parse
from core.names import Names
from core.permits import pack as p
from core.permits.facts import FACTS
from core.permits.pack_rules import PARAMETERS

SHIPPED = Path(__file__).parents[2] / "blueprints" / "permits"

#: Section → the struct of its entries; ``pack`` is the head.
SECTIONS: dict[str, type[Any]] = {
    "settings": p.Setting,
    "roles": p.Role,
    "kinds": p.Kind,
    "rules": p.Rule,
    "forms": p.Form,
    "limits": p.GasLimit,
    "distances": p.Distance,
}
#: Reminders stand once for all kinds of a pack; a kind may change or add its own.
_REMINDERS = "reminders"
_FILES = ("pack", *SECTIONS, _REMINDERS, "base", "vectors", "gas_vectors")
_OVERLAY = ("overlay", *SECTIONS, _REMINDERS, "base", "vectors", "gas_vectors")
_CONDITIONS = ("when", "require", "test")
_KEYED = ("fields", "measures", "signatures", _REMINDERS)
_WHERE = re.compile(r"^(.*?)(?: - at `([^`]*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]")

T = TypeVar("T")


class Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The head of a pack's files."""

    id: str
    version: str
    names: Names
    source: str
    retention_days: int = 365


class Overlay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The head of an overlay: what it lies on, and who let it loosen."""

    id: str
    pack: str
    version: str = "1"
    loosened_by: tuple[str, ...] = ()
    reason: str = ""


def shipped() -> tuple[str, ...]:
    """Return the ids of the packs that come with the hub."""
    return tuple(sorted(file.parent.name for file in SHIPPED.glob("*/pack.yaml")))


def find(name: str) -> Path:
    """Return the folder of a pack given by id or path; raises ConfigError."""
    for folder in (Path(name), SHIPPED / name):
        if (folder / "pack.yaml").is_file():
            return folder
    raise ConfigError(
        Said(
            "{name}: no pack here; give a folder with pack.yaml, or one of {shipped}",
            name=name,
            shipped=list(shipped()),
        )
    )


def shown(file: Path) -> str:
    """Return a file's name as an error tells it."""
    if file.is_relative_to(SHIPPED):
        return f"permits/{file.relative_to(SHIPPED)}"
    return str(file)


def load_source(folder: Path) -> Source:
    """Read a pack's files; raises ConfigError."""
    name = shown(folder)
    source = Source(f"{name}/pack.yaml")
    for document in documents(folder, name):
        source.add(document, _FILES)
    return source


def compile_pack(source: Source) -> p.Pack:
    """Return the checked pack; raises ConfigError with every mistake, one a line."""
    return _Compiler(source).pack()


def load(folder: Path) -> p.Pack:
    """Read and check a pack's folder; raises ConfigError."""
    return compile_pack(load_source(folder))


def overlay_head(document: Document) -> Overlay:
    """Return an overlay's head; raises ConfigError."""
    given = document.data.get("overlay") if isinstance(document.data, dict) else None
    try:
        return msgspec.convert(given, Overlay)
    except msgspec.ValidationError as bad:
        raise document.error(("overlay",), sentence(str(bad))) from None


def lay(base: Source, file: Path) -> Overlay:
    """Lay one overlay file on a pack's source; return its head."""
    document = read(file, shown(file))
    head = overlay_head(document)
    pack_id = base.data.get("pack", {}).get("id")
    if head.pack != pack_id:
        raise document.error(
            ("overlay", "pack"),
            Said(
                "lies on {pack!r}, the pack is {pack_id!r}",
                pack=head.pack,
                pack_id=pack_id,
            ),
        )
    base.lay(document, _OVERLAY)
    base.data.pop("overlay", None)
    return head


class _Compiler:
    """Turn one source into a pack, gathering every mistake."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._bad: list[ConfigError] = []
        self._broken: set[Path_] = set()
        """Entries with an expression that was refused: one complaint is enough."""
        settings = source.data.get("settings", {})
        self._shared: set[str] = set()
        """Reminders of the pack that are sound."""
        self._names = {*FACTS, *PARAMETERS, *(f"settings.{each}" for each in settings)}

    def pack(self) -> p.Pack:
        given = self._prepare(self._source.data.get("pack", {}), ("pack",))
        head = self._convert(given, Head, ("pack",))
        self._inherit()
        self._shared = {r.id for r in self._entries(_REMINDERS, p.Reminder)}
        parts: dict[str, Any] = {
            section: tuple(self._entries(section, kind))
            for section, kind in SECTIONS.items()
        }
        self._raise()
        if head is None:
            raise self._source.error(("pack",), "the pack has no head")
        made = p.Pack(**{**msgspec.structs.asdict(head), **parts})
        self._bad += checks.problems(made, self._source)
        self._raise()
        return made

    def _raise(self) -> None:
        if self._bad:
            raise together(self._bad)

    def _inherit(self) -> None:
        kinds = self._source.data.get("kinds", {})
        for key in kinds:
            seen = {key}
            while isinstance(kinds[key], dict) and "like" in kinds[key]:
                origin = kinds[key].pop("like")
                path = ("kinds", key, "like")
                if origin not in kinds or origin in seen:
                    self._bad.append(
                        self._source.error(
                            path,
                            Said("there is no other kind {origin!r}", origin=origin),
                        )
                    )
                    break
                seen.add(origin)
                self._source.inherit("kinds", key, origin)

    def _entries(self, section: str, kind: type[T]) -> Iterator[T]:
        for key, body in self._source.data.get(section, {}).items():
            path = (section, key)
            if not isinstance(body, dict):
                self._bad.append(self._source.error(path, "expected key: value"))
                continue
            ready = self._prepare(self._reminded(section, body), path)
            ready["id"] = str(key)
            made = self._convert(ready, kind, path)
            if made is not None:
                yield made

    def _reminded(self, section: str, body: dict[Any, Any]) -> dict[Any, Any]:
        """Return a kind with the reminders of its pack; its own ones stand first."""
        given = self._source.data.get(_REMINDERS, {})
        shared = {key: given[key] for key in given if str(key) in self._shared}
        own = body.get(_REMINDERS, {})
        if section != "kinds" or not shared or not isinstance(own, dict):
            return body
        return {**body, _REMINDERS: {**shared, **own}}

    def _prepare(self, body: dict[Any, Any], path: Path_) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, value in body.items():
            here = (*path, key)
            if key in _CONDITIONS and isinstance(value, str):
                made[key] = self._condition(value, here)
            elif key in _KEYED and isinstance(value, dict):
                made[key] = [
                    {"id": str(k), **self._prepare(v, (*here, k))}
                    if isinstance(v, dict)
                    else v
                    for k, v in value.items()
                ]
            else:
                made[str(key)] = self._value(value, here)
        if {"zh", "en"} < set(made):
            made["names"] = {"zh": made.pop("zh"), "en": made.pop("en")}
        return made

    def _value(self, value: Any, path: Path_) -> Any:
        if isinstance(value, dict):
            return self._prepare(value, path)
        if isinstance(value, list):
            listed = [self._value(v, (*path, n)) for n, v in enumerate(value)]
            if path[-1] == "approvers":
                return [{"role": v} if isinstance(v, str) else v for v in listed]
            return listed
        return value

    def _condition(self, text: str, path: Path_) -> dict[str, Any] | None:
        file, line, column = self._source.where(path)
        try:
            node = parse(text, self._names, file=file, line=line, column=column)
            check_condition(node)
        except Mistyped as bad:
            self._bad.append(self._source.error(path, bad.args[0]))
        except ConfigError as bad:
            self._bad.append(self._with_clause(bad, path))
        else:
            return {"text": text, "node": msgspec.to_builtins(node)}
        self._broken.add(path[:2])
        return None

    def _with_clause(self, bad: ConfigError, path: Path_) -> ConfigError:
        clause = self._source.error(path, "").params["clause"]
        said = bad.message
        if clause:
            said = Said("{bad} ({clause})", bad=bad, clause=clause)
        return ConfigError(said, **{**bad.params, "clause": clause})

    def _convert(self, raw: Any, kind: type[T], path: Path_) -> T | None:
        try:
            return msgspec.convert(raw, kind)
        except msgspec.ValidationError as bad:
            if path[:2] not in self._broken:
                self._bad.append(self._explain(str(bad), path, raw))
            return None

    def _explain(self, said: str, path: Path_, raw: Any) -> ConfigError:
        match = _WHERE.match(said)
        text, inside = (match[1], match[2] or "") if match else (said, "")
        steps: list[Any] = [a or int(b) for a, b in _STEP.findall(inside)]
        steps = _source_steps(steps, raw)
        unknown = re.search(r"unknown field `(\w+)`", text)
        if unknown:
            steps.append(unknown[1])
            text = Said(
                "unknown key {key!r}; remove it or mend its spelling", key=unknown[1]
            )
        return self._source.error((*path, *steps), text)


def _source_steps(steps: list[Any], raw: Any) -> list[Any]:
    """Turn list positions of keyed parts back into the keys of the file."""
    made: list[Any] = []
    part: Any = raw
    for number, step in enumerate(steps):
        part = part[step] if isinstance(step, int) else part.get(step)
        keyed = number > 0 and steps[number - 1] in _KEYED
        if keyed and isinstance(part, dict):
            key = part.get("id", step)
            made.append(int(key) if str(key).isdigit() else key)
        elif step != "names":
            made.append(step)
    return made
