"""The keeper's one file: the last list of children, so that all start at once."""

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

from core.processes.spec import Spec

NAME = "keeper.json"


def load(data: Path) -> list[Spec]:
    """Return the children of the last run; none when the file tells nothing."""
    try:
        fields = json.loads((data / NAME).read_bytes())
        return [Spec.parse(child) for child in fields]
    except (OSError, KeyError, TypeError, ValueError):
        return []  # core tells the list anew as soon as it is armed


def save(data: Path, specs: Sequence[Spec]) -> None:
    """Keep the list; a disk that refuses costs only the head start."""
    text = json.dumps([spec.plain() for spec in specs], indent=1)
    part = data / f".{NAME}.part"
    with contextlib.suppress(OSError):
        part.write_text(text)
        os.replace(part, data / NAME)
