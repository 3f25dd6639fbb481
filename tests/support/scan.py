"""The parsed source of every room: read once for all checks that scan it."""

import ast
import functools
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("core", "automations", "integrations", "frontend_api")


@functools.cache
def sources() -> tuple[tuple[Path, ast.Module], ...]:
    """Return the parsed source of all rooms."""
    files = [file for room in ROOMS for file in (ROOT / room).glob("*.py")]
    for room in ROOMS:
        # The web app's folder holds thousands of files, and none of Python.
        inner = [d for d in (ROOT / room).iterdir() if d.is_dir() and d.name != "ui"]
        files += [file for folder in inner for file in folder.rglob("*.py")]
    return tuple((file, ast.parse(file.read_text("utf-8"))) for file in sorted(files))
