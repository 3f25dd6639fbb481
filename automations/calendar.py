"""The site's calendar: holidays, days of rest, swapped days, special periods."""

from datetime import date
from typing import Any

import voluptuous as vol

from core.api.documents import Document
from core.api.said import Said
from core.config import Calendar, Names, Period

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def day(value: Any) -> str:
    """Accept a day such as 2026-10-01."""
    text = value.isoformat() if isinstance(value, date) else str(value)
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise vol.Invalid(
            Said("{value!r} is no day; write for example 2026-10-01", value=value)
        ) from None


def _names(value: Any) -> dict[str, str]:
    if isinstance(value, str) and value:
        return {"zh": value, "en": value}
    both = vol.Schema({vol.Required("zh"): str, vol.Required("en"): str})
    checked: dict[str, str] = both(value)
    return checked


_PERIOD = {
    vol.Required("names"): _names,
    vol.Required("from"): day,
    vol.Required("to"): day,
}

CALENDAR = {
    vol.Required("known"): {vol.Required("from"): day, vol.Required("to"): day},
    "rest_days": [vol.In(_WEEKDAYS, msg=f"expected one of {', '.join(_WEEKDAYS)}")],
    "work_days": [day],
    "holidays": [_PERIOD],
    "special_periods": [_PERIOD],
}


def compile_calendar(document: Document, data: dict[str, Any]) -> Calendar | None:
    """Return a site's calendar, None when it gives none; raises ConfigError."""
    given = data.get("calendar")
    if given is None:
        return None
    known = given["known"]
    if known["to"] < known["from"]:
        raise document.error(("calendar", "known"), _crossed(known))
    rest = given.get("rest_days", ["sat", "sun"])
    return Calendar(
        known_from=known["from"],
        known_to=known["to"],
        rest_days=tuple(sorted({_WEEKDAYS.index(each) + 1 for each in rest})),
        work_days=tuple(sorted(set(given.get("work_days", ())))),
        holidays=_periods(document, "holidays", given),
        special_periods=_periods(document, "special_periods", given),
    )


def _periods(document: Document, key: str, given: dict[str, Any]) -> tuple[Period, ...]:
    made = []
    for number, each in enumerate(given.get(key, ())):
        if each["to"] < each["from"]:
            raise document.error(("calendar", key, number), _crossed(each))
        made.append(
            Period(names=Names(**each["names"]), first=each["from"], last=each["to"])
        )
    return tuple(made)


def _crossed(given: dict[str, Any]) -> str:
    return Said(
        "it begins on {from_}, after its last day {to}; swap them",
        from_=given["from"],
        to=given["to"],
    )
