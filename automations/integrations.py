"""Check an integration's options with its own form, found by its manifest."""

import importlib
from pathlib import Path
from typing import Any

from core.api.documents import Document, read
from core.config import IntegrationConfig

_ROOT = Path(__file__).parent.parent / "integrations"


def known() -> list[str]:
    """Return the ids of the integrations that are installed."""
    return sorted(file.parent.name for file in _ROOT.glob("*/manifest.yaml"))


def manifest(integration: str) -> dict[str, Any]:
    """Return an integration's manifest."""
    found: dict[str, Any] = read(_ROOT / integration / "manifest.yaml").data
    return found


def check(document: Document, number: int, given: dict[str, Any]) -> IntegrationConfig:
    """Return the checked configuration; raises ConfigError with line and column.

    The form is loaded by name, as a host loads its driver: nothing here imports
    an integration.
    """
    name = given["integration"]
    if name not in known():
        raise document.error(
            ("integrations", number, "integration"),
            f"there is no integration {name!r}; known: {', '.join(known())}",
        )
    form = importlib.import_module(f"integrations.{name}.flow")
    base = ("integrations", number, "options")
    options = document.check_part(form.schema(), given.get("options", {}), base)
    companions = getattr(form, "companions", None)
    secrets = getattr(form, "secrets_of", None)
    return IntegrationConfig(
        id=given["id"],
        integration=name,
        options=options,
        secrets=(*given.get("secrets", ()), *(secrets(options) if secrets else ())),
        companions=tuple(companions(options)) if companions else (),
    )
