"""The ``retention:`` part of a site: how long it keeps beyond what the law asks."""

import math
from collections.abc import Callable
from typing import Any

import voluptuous as vol

from automations.schema_words import span
from core.api.said import Said
from core.response.retention_policy import (
    LEAST_DAYS,
    LEAST_FILM_DAYS,
    RetentionPolicy,
)

_DAY_S = 86_400.0
#: Longer than this is a slip of the pen, and personal data kept for ever.
_MOST_DAYS = 36_500


def _days(least: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        days = math.ceil(span(value) / _DAY_S)
        if not least <= days <= _MOST_DAYS:
            raise vol.Invalid(
                Said(
                    "{value!r} is not between {least}d, the least that GB 30871 B.3"
                    " and AQ 3064.2 4.2 ask for, and {most}d",
                    value=value,
                    least=least,
                    most=_MOST_DAYS,
                )
            )
        return days

    return check


RETENTION = {
    "permits": _days(LEAST_DAYS),
    "films": _days(LEAST_FILM_DAYS),
    "hazards": _days(LEAST_DAYS),
}


def compile_retention(data: dict[str, Any]) -> RetentionPolicy:
    """Return how long a site keeps; the law's least where it says nothing."""
    given = data.get("retention", {})
    return RetentionPolicy(
        permit_days=given.get("permits", LEAST_DAYS),
        film_days=given.get("films", LEAST_FILM_DAYS),
        task_days=given.get("hazards", LEAST_DAYS),
    )
