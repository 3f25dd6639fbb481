"""Checks of single fields that the forms of several integrations share.

Each raises vol.Invalid that says what was expected and what was found.
"""

from collections.abc import Callable, Mapping

import voluptuous as vol

from core.api.said import Said


def text(value: object) -> str:
    """Return a text of 1 to 200 signs."""
    if not isinstance(value, str) or not 0 < len(value) <= 200:
        raise vol.Invalid(
            Said("expected a text, found {value!r} (quote it: '…')", value=value)
        )
    return value


def flag(value: object) -> bool:
    """Return true or false; no word and no number stands for it."""
    if not isinstance(value, bool):
        raise vol.Invalid(Said("expected true or false, found {value!r}", value=value))
    return value


def port(value: object) -> int:
    """Return a port."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 65536:
        raise vol.Invalid(Said("expected a port 1-65535, found {value!r}", value=value))
    return value


def within(low: float, high: float) -> Callable[[object], float]:
    """Return the check of a number between two others."""

    def check(value: object) -> float:
        plain = isinstance(value, int | float) and not isinstance(value, bool)
        if not plain or not low <= value <= high:  # type: ignore[operator]
            raise vol.Invalid(
                Said(
                    "expected {low:g} to {high:g}, found {value!r}",
                    low=low,
                    high=high,
                    value=value,
                )
            )
        return float(value)  # type: ignore[arg-type]

    return check


def span(value: object) -> tuple[float, float]:
    """Return the lowest and the highest of a range."""
    number = within(-1e12, 1e12)
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise vol.Invalid("expected [lowest, highest]")
    low, high = number(value[0]), number(value[1])
    if low >= high:
        raise vol.Invalid("expected [lowest, highest], the lowest first")
    return low, high


def without_secrets(options: object) -> object:
    """Leave out the values that the host was handed beside the options."""
    if isinstance(options, Mapping):
        return {name: value for name, value in options.items() if name != "secrets"}
    return options
