"""Blueprints: load, fill inputs, hash their content (R25)."""

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec
import voluptuous as vol

from automations import schema_rule, versions
from automations.schema_words import span
from core.api.documents import Document, Input
from core.api.documents import read as read_yaml
from core.api.errors import ConfigError
from core.api.said import Said, sentence
from core.config import Bundle, Names

SHIPPED = Path(__file__).parent.parent / "blueprints" / "automations"


class Blueprint(msgspec.Struct, frozen=True, kw_only=True):
    """Hold a checked blueprint with its positions and its content hash."""

    id: str
    version: str
    names: Names
    description: Names
    life_safety: bool
    clauses: tuple[str, ...]
    inputs: dict[str, Any]
    body: dict[str, Any]
    tests: tuple[dict[str, Any], ...]
    hash: str
    document: Any
    file: Path | None = None
    """Where it was read; its signature lies beside it."""
    min_hub: str = ""


def read(file: Path, shown: str | None = None) -> Blueprint:
    """Read and check one blueprint; raises ConfigError with line and column."""
    made = from_document(read_yaml(file, shown))
    return msgspec.structs.replace(made, file=file)


def from_document(document: Document) -> Blueprint:
    """Check a parsed blueprint."""
    data = document.check(schema_rule.BLUEPRINT)
    head = data["blueprint"]
    versions.check(document, head)
    _inputs_declared(document, data, set(head.get("input", {})))
    body = {key: data[key] for key in data if key not in ("blueprint", "tests")}
    return Blueprint(
        id=head["id"],
        version=head["version"],
        names=Names(**head["name"]),
        description=Names(**head["description"]),
        life_safety=head.get("life_safety", False),
        clauses=tuple(head.get("clauses", ())),
        inputs=head.get("input", {}),
        body=body,
        tests=tuple(data.get("tests", ())),
        hash=content_hash(data),
        document=document,
        min_hub=head.get("min_hub", ""),
    )


def content_hash(data: Any) -> str:
    """Return the hash of a blueprint's meaning: comments and order do not count."""
    text = json.dumps(data, sort_keys=True, ensure_ascii=False, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()


def find(name: str, folders: tuple[Path, ...]) -> Path | None:
    """Return the file of a blueprint id: a site's own folder goes first."""
    for folder in (*folders, SHIPPED):
        file = folder / f"{name}.yaml"
        if file.is_file():
            return file
    return None


def fill(blueprint: Blueprint, given: dict[str, Any]) -> dict[str, Any]:
    """Return the rule's body with inputs put in; raises ConfigError.

    Inputs are checked against their selectors here, on the hub (R25).
    """
    values: dict[str, Any] = {}
    unknown = sorted(set(given) - set(blueprint.inputs))
    if unknown:
        raise ConfigError(
            Said(
                "blueprint {id} has no input {unknown!r}; it knows {inputs}",
                id=blueprint.id,
                unknown=unknown[0],
                inputs=sorted(blueprint.inputs),
            )
        )
    for name, spec in blueprint.inputs.items():
        if name not in given and "default" not in spec:
            raise ConfigError(
                Said(
                    "blueprint {id} needs the input {name!r} ({title})",
                    id=blueprint.id,
                    name=name,
                    title=spec["name"],
                )
            )
        value = given.get(name, spec.get("default"))
        _check_selector(blueprint.id, name, spec["selector"], value)
        values[name] = value
    filled: dict[str, Any] = _put(blueprint.body, values)
    return filled


#: What an input chooses of a site, as an error names it.
_NOUNS = {"permit_kind": "permit kind", "notify_chain": "notify chain", "zone": "zone"}


def check_known(bundle: Bundle, blueprint: Blueprint, given: dict[str, Any]) -> None:
    """Refuse an input that names what the site does not have; raises ConfigError.

    Quantities may be those of a device's own; what its default names is always fine.
    """
    known = {
        "permit_kind": {kind.id for kind in bundle.permit_kinds},
        "notify_chain": {chain.id for chain in bundle.chains},
        "zone": {zone.id for zone in bundle.site.zones},
    }
    for name, value in given.items():
        spec = blueprint.inputs.get(name, {"selector": {"kind": ""}})
        kind, default = spec["selector"]["kind"], spec.get("default", ())
        usual = default if isinstance(default, list) else [default]
        for item in value if isinstance(value, list) else [value]:
            if (
                kind in known
                and item not in known[kind]
                and item not in ("all", *usual)
            ):
                raise ConfigError(
                    Said(
                        "input {name!r}: this site has no {kind} {item!r}; known: "
                        "{known}",
                        name=name,
                        kind=sentence(_NOUNS[kind]),
                        item=item,
                        known=sorted(known[kind]),
                    )
                )


def _put(part: Any, values: dict[str, Any]) -> Any:
    if isinstance(part, Input):
        return values[part.name]
    if isinstance(part, dict):
        return {key: _put(each, values) for key, each in part.items()}
    if isinstance(part, list):
        return [_put(each, values) for each in part]
    return part


def _inputs_declared(document: Document, data: Any, declared: set[str]) -> None:
    for name in schema_rule.inputs_left(data):
        if name not in declared:
            raise document.error(
                ("blueprint",),
                Said(
                    "!input {name} is used but not declared under blueprint.input",
                    name=name,
                ),
            )


def constants_of(blueprint: Blueprint, given: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs that expressions may name: numbers, spans in s, yes or no."""
    found: dict[str, Any] = {}
    for name, spec in blueprint.inputs.items():
        value = given.get(name, spec.get("default"))
        kind = spec["selector"]["kind"]
        if kind == "duration" and value is not None:
            found[name] = span(value)
        elif kind in ("number", "boolean") and isinstance(value, bool | int | float):
            found[name] = value
    return found


def _check_selector(
    where: str, name: str, selector: dict[str, Any], value: Any
) -> None:
    items = value if isinstance(value, list) else [value]
    if isinstance(value, list) and not selector.get("multiple"):
        raise ConfigError(
            Said(
                "{where}: input {name!r} takes one value, not a list",
                where=where,
                name=name,
            )
        )
    for item in items:
        _check_item(
            Said("{where}: input {name!r}", where=where, name=name), selector, item
        )


def _check_item(what: Said, selector: dict[str, Any], item: Any) -> None:
    kind = selector["kind"]
    check = schema_rule.SELECTORS[kind]
    try:
        if isinstance(check, type):
            wrong = not isinstance(item, check)
        else:
            check(item)
            wrong = False
    except vol.Invalid as bad:
        raise ConfigError(
            Said(
                "{what} must be a {kind}: {msg}",
                what=what,
                kind=kind,
                msg=sentence(bad.msg),
            )
        ) from None
    if wrong or isinstance(item, bool) is not (kind == "boolean"):
        raise ConfigError(
            Said(
                "{what} must be a {kind}, not {item!r}", what=what, kind=kind, item=item
            )
        )
    low, high = selector.get("min"), selector.get("max")
    if kind == "number" and (
        (low is not None and item < low) or (high is not None and item > high)
    ):
        raise ConfigError(
            Said(
                "{what} must lie between {low} and {high}",
                what=what,
                low=_said(low),
                high=_said(high),
            )
        )


def _said(limit: float | None) -> str:
    return "any" if limit is None else f"{limit:g}"
