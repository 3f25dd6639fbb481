"""Sentences of errors in the reader's language: their own English is the key.

``core/texts/config/<part>.json`` holds {English template: Chinese template} of what
we say ourselves, ``foreign.json`` of what libraries say: there a template is matched
against the finished English.
"""

import argparse
import functools
import json
import os
import re
import string
from collections.abc import Mapping
from pathlib import Path

from core.api.said import Said, fill
from core.names import Names
from core.texts import LANGUAGES

_FOLDER = Path(__file__).parent / "config"
_FOREIGN = "foreign.json"
#: Longer than this is no library's sentence; it is not looked up.
_LONGEST = 2_000
_COMMA, _NONE = "、", "无"


def reader() -> str:
    """Return zh or en, as the environment of a command asks for."""
    asked = (os.environ.get(each, "") for each in ("LC_ALL", "LC_MESSAGES", "LANG"))
    first = next((each for each in asked if each), "")
    return "zh" if first.lower().startswith("zh") else "en"


@functools.cache
def chinese() -> dict[str, str]:
    """Return our own sentences; raises ValueError on one that stands twice."""
    found: dict[str, str] = {}
    for file in sorted(_FOLDER.glob("*.json")):
        if file.name == _FOREIGN:
            continue
        for template, said in json.loads(file.read_text("utf-8")).items():
            if template in found:
                raise ValueError(f"{file.name}: {template!r} stands in another too")
            found[template] = said
    return found


def both(said: object) -> Names:
    """Return a message in both languages, for whom a struct carries it to."""
    return Names(zh=say(said, "zh"), en=say(said, "en"))


def add_option(parser: argparse.ArgumentParser, default: str = "") -> None:
    """Add ``--language`` to a command; without it the environment says which."""
    parser.add_argument("--language", choices=LANGUAGES, default=default or reader())


def say(said: object, language: str) -> str:
    """Return a message, or an exception's, in a language; never raises.

    What has no Chinese stays as it is: half a sentence is more than none.
    """
    return str(said) if language != "zh" else _say(said)


def _say(value: object) -> str:
    match value:
        case Said():
            return fill(_template(value.template), value.params, _param)
        case str():
            return _template(value)
        case BaseException():
            return _cause(value)
        case list() | tuple() | set() | frozenset():
            return _COMMA.join(map(_param, value)) or _NONE
        case Mapping() if "zh" in value and "en" in value:
            return str(value["zh"])
    return str(value)


def _param(value: object) -> str:
    """Say a parameter; a plain text there is data, such as an id."""
    return value if type(value) is str else _say(value)


def _template(english: str) -> str:
    return chinese().get(english) or _matched(english)


def _cause(error: BaseException) -> str:
    """Say an exception by the sentence it was made of, where it has one."""
    msg = getattr(error, "msg", None)
    given = error.args[0] if error.args else None
    if isinstance(msg, str) and not isinstance(error, SyntaxError):
        return _say(msg)
    if isinstance(given, str) and given == str(error):
        return _say(given)
    return _say(str(error))


def _matched(text: str) -> str:
    """Return what a library said, by the table of what libraries say."""
    if len(text) > _LONGEST:
        return text
    for pattern, said in _foreign():
        if found := pattern.fullmatch(text):
            return fill(said, found.groupdict(), str)
    return text


@functools.cache
def _foreign() -> tuple[tuple[re.Pattern[str], str], ...]:
    table: dict[str, str] = json.loads((_FOLDER / _FOREIGN).read_text("utf-8"))
    # What shows most of itself is asked first: another's place would swallow it.
    order = sorted(table, key=lambda each: -len(re.sub(r"{.*?}", "", each)))
    return tuple((_pattern(template), table[template]) for template in order)


def _pattern(template: str) -> re.Pattern[str]:
    """Return the pattern of an English template: each place takes what stands there."""
    made, seen = [], set[str]()
    for literal, name, _, _ in string.Formatter().parse(template):
        made.append(re.escape(literal))
        if name:
            made.append(f"(?P={name})" if name in seen else f"(?P<{name}>.+?)")
            seen.add(name)
    return re.compile("".join(made), re.DOTALL)
