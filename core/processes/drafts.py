"""Drafts of rules: made and checked outside the safety process, read by the page.

The gateway asks the drafting worker (`Ask`) and gets an `Answer`.

One JSON file each under ``DATA/drafts``. A draft arms nothing: it names a bundle
that persons submit, review and arm by acts of their own.
"""

import contextlib
import os
from pathlib import Path
from typing import Any

import msgspec

from core.names import Names

FOLDER = "drafts"
#: Kind of a draft of an integration, which has a page of its own.
HOST = "integration"
#: Drafts that are kept; the oldest goes first.
KEPT = 200


class DiffLine(msgspec.Struct, frozen=True):
    """Hold one line of a rule's difference: ``+`` new, ``-`` gone, '' as before."""

    sign: str
    zh: str
    en: str


class TestRun(msgspec.Struct, frozen=True):
    """Say how one of the blueprint's own tests ended; no problems: it passed."""

    zh: str
    en: str
    problems: tuple[Names, ...] = ()


class Looser(msgspec.Struct, frozen=True):
    """Name one thing that the draft loosens; its text is ``loosening.<part>``."""

    part: str
    about: str
    path: str
    old: str
    new: str


class Looks(msgspec.Struct, frozen=True):
    """Say which devices a trigger looks at in a zone; none: it is not armed there."""

    zone_id: str
    zh: str
    en: str
    devices: tuple[str, ...] = ()


class Draft(msgspec.Struct, kw_only=True):
    """Hold one draft with its checks."""

    id: str
    kind: str
    """add, change, upgrade, rollback, remove, files, or integration."""
    rule: str
    by: str
    made_ms: int
    base: str
    """Bundle in force that it was compared with."""
    hash: str = ""
    """Bundle that it would arm; '' while its checks fail."""
    note: str = ""
    blueprint: str = ""
    version: str = ""
    was_version: str = ""
    signer: str = ""
    life_safety: bool = False
    mode: str = "enforce"
    given: dict[str, object] = {}
    problems: tuple[Names, ...] = ()
    tests: tuple[TestRun, ...] = ()
    diff: tuple[DiffLine, ...] = ()
    looser: tuple[Looser, ...] = ()
    two: bool = False
    """True: two persons must sign it, for it loosens or is life safety."""
    looks: tuple[Looks, ...] = ()


class Wish(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Hold what a person wants of one rule."""

    kind: str
    rule: str
    blueprint: str = ""
    given: dict[str, Any] | None = None
    """None: the inputs that it has."""
    mode: str = "enforce"
    zone_modes: dict[str, str] = {}
    note: str = ""


class Ask(msgspec.Struct, kw_only=True):
    """Hold one question of the gateway's."""

    op: str
    """book, draft or import."""
    data: str
    base: str
    bundle: bytes
    state: bytes = b""
    by: str = ""
    wish: Wish | None = None
    text: str = ""
    signature: str = ""


class InputCard(msgspec.Struct, kw_only=True):
    """Describe one input, so that a form can be made of it."""

    id: str
    zh: str
    en: str
    help_zh: str = ""
    help_en: str = ""
    section_zh: str = ""
    section_en: str = ""
    kind: str
    multiple: bool = False
    min: float | None = None
    max: float | None = None
    unit: str = ""
    required: bool = False
    default: Any = None


class Card(msgspec.Struct, kw_only=True):
    """Describe one blueprint as a person chooses it."""

    id: str
    version: str
    hash: str
    zh: str
    en: str
    about_zh: str
    about_en: str
    life_safety: bool
    clauses: tuple[str, ...]
    signer: str
    tests: int
    inputs: list[InputCard]


class RuleLines(msgspec.Struct, kw_only=True):
    """Tell what an armed rule does, line by line, and which version is there."""

    id: str
    zh: list[str]
    en: list[str]
    newer: str = ""
    """Newest version of its blueprint, where that is another one."""


class Answer(msgspec.Struct, kw_only=True):
    """Hold the answer: cards, a draft, or what is wrong."""

    problem: Names | None = None
    cards: list[Card] = []
    rules: list[RuleLines] = []
    draft: Draft | None = None


def save(data: Path, draft: Draft) -> None:
    """Write a draft; the oldest beyond the bound go."""
    folder = data / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = folder / f".{draft.id}.part"
    with part.open("wb") as file:
        file.write(msgspec.json.encode(draft))
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / f"{draft.id}.json")
    for old in sorted(folder.glob("*.json"), key=_age)[:-KEPT]:
        old.unlink(missing_ok=True)


def every(data: Path) -> list[Draft]:
    """Return all drafts, the newest first; files that cannot be read are left out."""
    found = []
    for file in (data / FOLDER).glob("*.json"):
        with contextlib.suppress(OSError, msgspec.MsgspecError, ValueError):
            found.append(msgspec.json.decode(file.read_bytes(), type=Draft))
    return sorted(found, key=lambda draft: -draft.made_ms)


def remove(data: Path, draft_id: str) -> bool:
    """Delete a draft; False when there was none."""
    known = [draft for draft in every(data) if draft.id == draft_id]
    for draft in known:
        (data / FOLDER / f"{draft.id}.json").unlink(missing_ok=True)
    return bool(known)


def _age(file: Path) -> float:
    with contextlib.suppress(OSError):
        return file.stat().st_mtime
    return 0.0
