"""The statutory form of a kind of permit: its measures and who signs, from packs."""

from pathlib import Path
from typing import Any, NamedTuple

import core
from core import texts
from core.api.documents import read
from core.api.errors import ConfigError
from core.config import Bundle
from core.names import Names
from core.permits import pack as packs

_PACKS = Path(core.__file__).resolve().parents[1] / "blueprints" / "permits"
#: Blank measures where no pack describes the form.
_BLANKS = 10
_COMMON = frozenset(
    {"number", "unit", "applied_at", "content", "place", "work_unit", "lead"}
    | {"workers", "guardian", "linked", "risk", "from", "to"}
)
#: Types of fields that have room on paper.
_WRITTEN = frozenset({"text", "number", "choice", "person"})
_STANDING = ("compiler", "briefer", "briefed", "lead", "site", "approver", "accept")


class Form(NamedTuple):
    """Hold a form in one language."""

    title: str
    clause: str
    measures: tuple[str, ...]
    signatures: tuple[str, ...]
    extras: tuple[tuple[str, str], ...] = ()
    """Ids and names of the fields that this form has beside the common ones."""
    linked: bool = True
    gas: bool = True
    measure_ids: tuple[str, ...] = ()
    slots: tuple[str, ...] = ()
    """Ids of the signatures, side by side with their names."""


def load(name: str, fallback: str, language: str, folder: Path = _PACKS) -> Form:
    """Return the form ``name`` of the first pack that has it.

    Without one, a general form with ``fallback`` as its title and empty measures.
    Raises ConfigError when a pack's file is wrong.
    """
    for file in sorted(folder.glob(f"*/form-{name}.yaml")):
        found = read(file).data.get("forms", {}).get(name)
        if isinstance(found, dict):
            return _typed(found, language)
    signatures = tuple(_said(f"sign.{each}", language) for each in _STANDING)
    clause = "GB 30871-2022 4"
    return Form(fallback, clause, ("",) * _BLANKS, signatures, slots=_STANDING)


def of_pack(found: packs.Form, language: str) -> Form:
    """Return the form of the pack that a permit pins: shipped, or a site's own."""

    def said(names: Names) -> str:
        return names.zh if language == "zh" else names.en

    extras = tuple(
        (field.id, said(field.names))
        for field in found.fields
        if _written(field.id, field.type)
    )
    fields = {field.id for field in found.fields}
    return Form(
        said(found.names),
        found.clause,
        tuple(said(each.names) for each in found.measures),
        tuple(said(each.names) for each in found.signatures),
        extras,
        linked="linked" in fields,
        gas="gas_value" in fields,
        measure_ids=tuple(each.id for each in found.measures),
        slots=tuple(each.id for each in found.signatures),
    )


def of_site(bundle: Bundle, name: str) -> packs.Form | None:
    """Return the form ``name`` of a pack in force; None: only shipped ones have it."""
    return next((f for pack in bundle.packs if (f := pack.form(name))), None)


def names(folder: Path = _PACKS) -> list[str]:
    """Return the names of all forms, the longest first."""
    found = {file.stem.removeprefix("form-") for file in folder.glob("*/form-*.yaml")}
    return sorted(found, key=lambda name: (-len(name), name))


def of_kind(kind: str, folder: Path = _PACKS) -> str:
    """Return the form's name for a permit kind: hot-special → hot."""
    return next((name for name in names(folder) if kind.startswith(name)), "")


def _typed(found: dict[str, Any], language: str) -> Form:
    def said(part: dict[str, Any]) -> str:
        return str(part.get(language) or part.get("zh", ""))

    fields: dict[str, Any] = found.get("fields", {})
    extras = tuple(
        (name, said(field))
        for name, field in fields.items()
        if _written(name, field["type"])
    )
    return Form(
        said(found),
        str(found.get("clause", "")),
        tuple(said(each) for each in found.get("measures", {}).values()),
        tuple(said(each) for each in found.get("signatures", {}).values()),
        extras,
        linked="linked" in fields,
        gas="gas_value" in fields,
        measure_ids=tuple(map(str, found.get("measures", {}))),
        slots=tuple(map(str, found.get("signatures", {}))),
    )


def _written(name: str, kind: str) -> bool:
    return name not in _COMMON and kind in _WRITTEN and not name.startswith("gas_")


def _said(code: str, language: str) -> str:
    return texts.render(f"paper.{code}", {}, language)


__all__ = ["ConfigError", "Form", "load", "names", "of_kind", "of_pack", "of_site"]
