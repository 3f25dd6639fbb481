"""Semantic versions of blueprints, and the least hub that they need (R25)."""

import functools
import re
from importlib.metadata import version
from typing import Any

from core.api.documents import Document
from core.api.said import Said

_VERSION = re.compile(
    r"^(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})(?:-([0-9A-Za-z.-]{1,40}))?$"
)

Version = tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]


def parse(text: str) -> Version | None:
    """Return a version that compares by semver's order, or None.

    A pre-release comes before its release; its numbers compare as numbers.
    """
    match = _VERSION.match(text)
    if match is None:
        return None
    parts = tuple(
        (not each.isdigit(), int(each) if each.isdigit() else 0, each)
        for each in (match[4] or "").split(".")
        if each
    )
    return int(match[1]), int(match[2]), int(match[3]), match[4] is None, parts


def newer(one: str, other: str) -> bool:
    """Say whether a version comes after another; what is none comes first."""
    a, b = parse(one), parse(other)
    return a is not None and (b is None or a > b)


@functools.cache
def hub() -> str:
    """Return this hub's version."""
    return version("safehold")


def check(document: Document, head: dict[str, Any]) -> None:
    """Refuse a version that is none, and a hub that is too old; ConfigError."""
    if parse(head["version"]) is None:
        raise document.error(
            ("blueprint", "version"),
            Said(
                "{version!r} is no semantic version; write for example 1.0.0",
                version=head["version"],
            ),
        )
    least = head.get("min_hub", "")
    if least and parse(least) is None:
        raise document.error(
            ("blueprint", "min_hub"),
            Said(
                "{least!r} is no semantic version; write for example {hub}",
                least=least,
                hub=hub(),
            ),
        )
    if least and newer(least, hub()):
        raise document.error(
            ("blueprint", "min_hub"),
            Said(
                "it needs hub {least} or newer, and this one is {hub}; "
                "update the hub, or use an earlier version of the blueprint",
                least=least,
                hub=hub(),
            ),
        )
