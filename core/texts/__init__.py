"""Sentences for codes, in Chinese and English, rendered at the edge only.

Each room keeps ``core/texts/<room>.json``: {code: {"zh": …, "en": …}} with
``{name}`` places for parameters. Events and errors carry codes, never sentences.
"""

import functools
import json
import string
from collections.abc import Mapping
from pathlib import Path

LANGUAGES = ("zh", "en")
_FOLDER = Path(__file__).parent


@functools.cache
def catalogue() -> dict[str, dict[str, str]]:
    """Return every code with its sentences; raises ValueError on a double code."""
    found: dict[str, dict[str, str]] = {}
    for file in sorted(_FOLDER.glob("*.json")):
        for code, sentences in json.loads(file.read_text("utf-8")).items():
            if code in found:
                raise ValueError(f"{file.name}: {code} stands in another file too")
            found[code] = sentences
    return found


class _Lenient(string.Formatter):
    """Leave a place without a parameter readable rather than fail a message."""

    def get_value(
        self, key: int | str, args: object, kwargs: Mapping[str, object]
    ) -> object:
        return kwargs.get(str(key), f"{{{key}}}")


def render(code: str, params: Mapping[str, object], language: str) -> str:
    """Return the sentence of ``code``; an unknown code shows itself and its facts.

    Codes in the parameter ``first`` are said before it, those in ``then`` behind.
    """
    said = _sentence(code, params, language)
    for other in reversed(str(params.get("first") or "").split()):
        before = _sentence(other, params, language)
        said = said if said.startswith(before) else _join(before, said, language)
    for other in str(params.get("then") or "").split():
        said = _join(said, _sentence(other, params, language), language)
    return said


def _join(one: str, other: str, language: str) -> str:
    return f"{one}{other}" if language == "zh" else f"{one} {other}"


def _sentence(code: str, params: Mapping[str, object], language: str) -> str:
    sentences = catalogue().get(code)
    if sentences is None:
        facts = ", ".join(f"{name}={value}" for name, value in params.items())
        return f"{code} ({facts})" if facts else code
    template = sentences.get(language) or sentences["en"]
    return _Lenient().vformat(template, (), dict(params))
