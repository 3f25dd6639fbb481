"""Setting up integrations: what the gateway asks the drafting worker, and its answers.

A flow ends in a draft: the bundle in force with one integration added, changed or
removed. Secrets go to the worker on its input only; a bundle holds their names.
"""

from typing import Any

import msgspec

from core.names import Names
from core.processes.drafts import Draft

Where = tuple[str | int, ...]
KINDS = ("add", "change", "remove")


class FormError(msgspec.Struct, frozen=True, kw_only=True):
    """Say what is wrong with one field; no path: with the whole."""

    path: Where = ()
    message: Names = Names(zh="", en="")
    code: str = ""
    """Text code, where the trouble has one: device.auth, device.failed."""


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """Describe one step's form as JSON Schema (see `core.api.forms`)."""

    step: str
    zh: str
    en: str
    form: dict[str, Any]


class PackageCard(msgspec.Struct, frozen=True, kw_only=True):
    """Describe an integration as a person chooses it."""

    id: str
    zh: str
    en: str
    version: str
    iot_class: str
    grade: str
    safety_scale: str
    ours: bool
    tests: bool
    """True: it can try a connection before it is set up."""
    proof: tuple[str, ...]
    kinds: tuple[str, ...]


class SetupAsk(msgspec.Struct, kw_only=True):
    """Hold one question of the gateway's."""

    op: str
    """packages, forms, check, probe or draft."""
    data: str
    base: str = ""
    bundle: bytes = b""
    by: str = ""
    kind: str = "add"
    integration: str = ""
    instance: str = ""
    step: str = ""
    options: dict[str, Any] = {}
    """What was typed at this step, or all options."""
    kept: dict[str, Any] = {}
    """Options in force: a secret that was not typed anew stays."""
    facts: dict[str, str] = {}
    """Of the finding that it begins with."""
    secrets: dict[str, str] = {}


class SetupAnswer(msgspec.Struct, kw_only=True):
    """Hold the answer: cards, forms, checked options, facts, a draft, or errors."""

    problem: Names | None = None
    packages: list[PackageCard] = []
    forms: list[Form] = []
    options: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    """Name → value of what was typed as a secret."""
    hidden: list[Where] = []
    """Where in the options a secret's name stands."""
    errors: list[FormError] = []
    facts: dict[str, str] = {}
    draft: Draft | None = None
