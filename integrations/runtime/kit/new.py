"""``safehold new-integration``: a whole integration that passes, to begin from."""

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.api.errors import ConfigError
from core.api.packages import CUSTOM, packages
from core.api.said import Said
from core.texts.sentences import reader, say

_TEMPLATE = Path(__file__).parent / "template"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_ENDING = ".txt"


def main(argv: Sequence[str]) -> int:
    """Write the files; exit status 2 with the mend when they cannot be."""
    asked = _parser().parse_args(argv)
    try:
        folder = create(asked.name, asked.into, wheel=asked.wheel)
    except (ConfigError, OSError) as error:
        sys.stderr.write(f"safehold new-integration: {say(error, reader())}\n")
        return 2
    site = "" if asked.wheel else f" --site {asked.into}"
    first = f"pip install -e {asked.into}\n  " if asked.wheel else ""
    sys.stdout.write(
        f"{folder}: a whole integration; now prove it, and then make it yours:\n"
        f"  {first}safehold conformance {asked.name}{site}\n"
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="safehold new-integration",
        description="Write a whole integration that passes its conformance run.",
    )
    parser.add_argument("name", help="id: small letters, digits and _")
    parser.add_argument(
        "--into", type=Path, default=Path(), help="the site's folder, or the wheel's"
    )
    parser.add_argument("--wheel", action="store_true", help="a wheel of its own")
    return parser


def create(name: str, into: Path, *, wheel: bool = False) -> Path:
    """Write an integration and return its folder; raises ConfigError, OSError."""
    if not _NAME.fullmatch(name):
        raise ConfigError(
            Said(
                "{name!r} is no id: begin with a small letter; small "
                "letters, digits, _",
                name=name,
            )
        )
    if name in packages(None if wheel else into):
        raise ConfigError(
            Said("there is an integration {name!r} already; take another id", name=name)
        )
    package = f"safehold_{name}" if wheel else f"{CUSTOM}.{name}"
    folder = into / Path(*package.split("."))
    if folder.exists():
        raise ConfigError(
            Said("{folder}: is there already; nothing was written", folder=folder)
        )
    words = _words(name, package, wheel=wheel)
    for file in sorted((_TEMPLATE / "package").rglob(f"*{_ENDING}")):
        _write(file, folder / file.relative_to(_TEMPLATE / "package"), words)
    tests = into / "tests" if wheel else folder / "tests"
    _write(
        _TEMPLATE / "tests" / "test_name.py.txt", tests / f"test_{name}.py.txt", words
    )
    if wheel:
        _write(_TEMPLATE / "pyproject.toml.txt", into / "pyproject.toml.txt", words)
    return folder


def _words(name: str, package: str, *, wheel: bool) -> Mapping[str, str]:
    title = name.replace("_", " ").title()
    return {
        "@name@": name,
        "@package@": package,
        "@Class@": title.replace(" ", ""),
        "@Title@": title,
        "@mdns@": name.replace("_", "-"),
        "@above@": "1" if wheel else "3",
        "@more@": "[]" if wheel else '["--site", str(SITE)]',
    }


def _write(source: Path, target: Path, words: Mapping[str, str]) -> None:
    text = source.read_text("utf-8")
    for word, instead in words.items():
        text = text.replace(word, instead)
    target = target.with_name(target.name.removesuffix(_ENDING))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, "utf-8")
