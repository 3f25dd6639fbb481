"""Where the Chinese font is: from the system's package, never from this project."""

from pathlib import Path
from typing import NamedTuple

PACKAGE = "fonts-noto-cjk"
_FOLDERS = (
    Path("/usr/share/fonts/opentype/noto"),
    Path("/usr/share/fonts/noto-cjk"),
    Path("/usr/share/fonts/google-noto-cjk"),
)
#: Simplified Chinese within the collection: its Latin letters are the same.
SIMPLIFIED = 2


class FontMissing(Exception):
    """The font is not installed; the message names the package."""


class Fonts(NamedTuple):
    """Hold the files of the regular and the bold face."""

    regular: Path
    bold: Path


def find(folders: tuple[Path, ...] = _FOLDERS) -> Fonts:
    """Return the font's files; raises FontMissing."""
    for folder in folders:
        found = Fonts(
            folder / "NotoSansCJK-Regular.ttc", folder / "NotoSansCJK-Bold.ttc"
        )
        if found.regular.exists() and found.bold.exists():
            return found
    raise FontMissing(
        "no Chinese font for printing: install it with"
        f" 'sudo apt-get install {PACKAGE}'"
    )
