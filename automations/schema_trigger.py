"""The shape of triggers and of named values: what may start a rule, and its fields."""

import re
from collections.abc import Callable
from typing import Any

import voluptuous as vol

from automations.schema_words import ident, number, roles, span, words
from automations.weather_words import FACTS, NUMBERS
from core.api.model import OutputKind
from core.api.said import Said, known_words, sentence
from core.people.acts import ROLES

SUBJECTS = ("zone", "person", "permit", "device", "site")
FUSIONS = ("any", "all", "median", "max", "min", "mean")
OUTPUT_KINDS = tuple(str(kind) for kind in OutputKind)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_VOTES = re.compile(r"^([1-9]\d?)oo([1-9]\d?)$")
_CLOCK = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)$")

#: What people of other systems would write, and what to write here.
INSTEAD = {
    "numeric_state": "write 'reading'",
    "mqtt": "map the topic; write 'mqtt' with the device and entity of its map",
    "template": "write a 'reading' or 'state' trigger and a condition",
    "event": "write 'device' for what devices report, 'permit' for permits",
    "homeassistant": "rules look at levels when the hub starts; leave it out",
    "calendar": "write 'time' with days, or 'shift'",
    "schedule": "write 'time' with at and days",
    "tag": "write 'presence' or 'device'",
}


def one_of(*known: str) -> Any:
    """Accept one of the words, and name them all when it is another."""
    return vol.In(known, msg=Said("expected one of {known}", known=known))


def fusion(value: Any) -> str:
    """Accept any, all, median, max, min, mean, or a vote such as 2oo3."""
    text = str(value)
    match = _VOTES.match(text)
    if text not in FUSIONS and (match is None or int(match[1]) > int(match[2])):
        raise vol.Invalid(
            Said(
                "{text!r} joins nothing; write {fusions}, or a vote like 2oo3",
                text=text,
                fusions=list(FUSIONS),
            )
        )
    return text


def state_words(value: Any) -> tuple[str, ...]:
    """Accept words of a state; YAML's on and off, which it reads as booleans, too."""
    listed = value if isinstance(value, list) else [value]
    plain = [("off", "on")[each] if isinstance(each, bool) else each for each in listed]
    return words([str(each) for each in plain])


def clock_times(value: Any) -> tuple[str, ...]:
    """Accept one or several times of day such as ``"08:00"``."""
    found = words(value)
    for each in found:
        if not _CLOCK.match(each):
            raise vol.Invalid(
                Said("{each!r} is no time of day; write for example '08:00'", each=each)
            )
    return found


def offset(value: Any) -> float:
    """Accept a span that may be negative, such as ``-15min``; seconds."""
    text = str(value).strip()
    return -span(text[1:]) if text.startswith("-") else span(text)


def _many(*known: str) -> Callable[[Any], tuple[str, ...]]:
    def check(value: Any) -> tuple[str, ...]:
        found = words(value)
        for each in found:
            if each not in known:
                raise vol.Invalid(
                    Said(
                        "{each!r}: expected one of {known}",
                        each=each,
                        known=list(known),
                    )
                )
        return found

    return check


#: Readings are chosen by their part (role or quantity) and place, never by name.
SELECT: dict[Any, Any] = {
    vol.Required("of"): words,
    "zone": words,
    "around": one_of("neighbours", "upstream"),
    "max_age": span,
    "fuse": fusion,
}
_SIDES: dict[Any, Any] = {
    vol.Exclusive("above", "side"): number,
    vol.Exclusive("below", "side"): number,
    "hysteresis": number,
    "for": span,
}
_COUNT: dict[Any, Any] = {"above": number, "below": number}

FIELDS: dict[str, dict[Any, Any]] = {
    "alarm": {
        "kind": words,
        "priority": vol.All(int, vol.Range(1, 4)),
        "zone": words,
    },
    "supervision": {
        "kind": words,
        "priority": vol.All(int, vol.Range(1, 4)),
        "zone": words,
    },
    "reading": {
        **SELECT,
        **_SIDES,
        vol.Exclusive("stuck", "side"): span,
        "rate": span,
        "unit": str,
    },
    "state": {**SELECT, vol.Required("to"): state_words, "for": span},
    "detection": {**SELECT, "to": state_words, "for": span},
    "mqtt": {
        vol.Required("device"): vol.All(str, vol.Length(min=1, max=128)),
        vol.Required("entity"): vol.All(str, vol.Length(min=1, max=128)),
        **_SIDES,
        vol.Exclusive("to", "side"): state_words,
        "unit": str,
        "max_age": span,
    },
    "weather": {
        vol.Required("fact"): one_of(*FACTS),
        "zone": words,
        vol.Exclusive("above", "side"): number,
        vol.Exclusive("below", "side"): number,
        "for": span,
    },
    "webhook": {vol.Required("hook"): ident, "zone": words},
    "presence": {
        vol.Required("event"): one_of("enter", "leave", "dwell", "count", "gather"),
        "zone": words,
        "role": roles,
        "permit": one_of("none", "any"),
        "while": one_of("permit"),
        "within": number,
        "around": one_of("neighbours"),
        "for": span,
        **_COUNT,
    },
    "permit": {
        "to": words,
        "status": words,
        "kind": words,
        "zone": words,
        "for": span,
        "expires_within": span,
        "running_for": span,
    },
    "command": {
        "to": _many("delivered", "confirmed", "failed", "expired"),
        "output": _many(*OUTPUT_KINDS),
        "zone": words,
    },
    "device": {"event": words, "zone": words},
    "time": {
        "at": clock_times,
        "sun": one_of("sunrise", "sunset"),
        "latitude": vol.All(number, vol.Range(-66, 66)),
        "longitude": vol.All(number, vol.Range(-180, 180)),
        "days": _many(*DAYS),
        "except": words,
        "offset": offset,
        "catch_up": span,
    },
    "shift": {
        vol.Exclusive("starts", "when"): clock_times,
        vol.Exclusive("roster", "when"): words,
        "event": one_of("begins", "ends"),
        "days": _many(*DAYS),
        "except": words,
        "offset": offset,
        "catch_up": span,
    },
    "manual": {"zone": words},
    "drill": {"zone": words},
}
FIELDS["zone"] = FIELDS["presence"]
TRIGGERS = tuple(FIELDS)
#: Whom a run is about when its trigger does not say.
DEFAULT_SUBJECT = {
    "presence": "person",
    "permit": "permit",
    "state": "device",
    "mqtt": "device",
    "time": "site",
    "shift": "site",
}


def trigger(value: Any) -> dict[str, Any]:
    """Check one trigger; raises vol.Invalid that says what to write instead."""
    if not isinstance(value, dict) or "trigger" not in value:
        raise vol.Invalid(
            Said(
                "a trigger starts with 'trigger:', one of {triggers}",
                triggers=list(TRIGGERS),
            )
        )
    word = str(value["trigger"])
    if word not in FIELDS:
        advice = sentence(INSTEAD.get(word, "")) or known_words(TRIGGERS)
        raise vol.Invalid(
            Said("{word!r} starts no rule here; {advice}", word=word, advice=advice),
            path=["trigger"],
        )
    checked: dict[str, Any] = vol.Schema(
        {
            vol.Required("trigger"): str,
            "id": ident,
            "subject": one_of(*SUBJECTS),
            **FIELDS[word],
        }
    )(value)
    if word == "zone":
        checked["trigger"] = word = "presence"
    if word == "detection":
        checked.setdefault("to", ("on",))
    _whole(word, checked)
    checked.setdefault("subject", _subject(word, checked))
    return checked


def _subject(word: str, checked: dict[str, Any]) -> str:
    if word == "presence" and checked["event"] in ("count", "gather"):
        return "zone"
    if word in ("weather", "webhook") and "zone" not in checked:
        return "site"
    return DEFAULT_SUBJECT.get(word, "zone")


def _whole(word: str, checked: dict[str, Any]) -> None:
    """Refuse a trigger whose fields say nothing together."""
    if word == "reading" and not {"above", "below", "stuck"} & checked.keys():
        raise vol.Invalid("a reading needs above, below or stuck")
    if word == "reading" and "stuck" in checked and "rate" in checked:
        raise vol.Invalid("a reading is stuck, or changes at a rate; keep one")
    if word == "presence":
        _whole_presence(checked)
    if word == "mqtt" and not {"above", "below", "to"} & checked.keys():
        raise vol.Invalid("mqtt needs above, below or to")
    if word == "weather":
        _whole_weather(checked)
    if word == "shift" and not {"starts", "roster"} & checked.keys():
        raise vol.Invalid("a shift needs starts, or roster with the ids of shifts")
    if word == "shift" and "event" in checked and "roster" not in checked:
        raise vol.Invalid("event goes with roster: write when the shift starts")
    if word == "permit" and not (
        {"to", "status", "expires_within", "running_for"} & checked.keys()
    ):
        raise vol.Invalid("a permit needs to, status, expires_within or running_for")
    if word == "time":
        _whole_time(checked)


def _whole_weather(checked: dict[str, Any]) -> None:
    fact = checked["fact"]
    limited = bool({"above", "below"} & checked.keys())
    if (fact in NUMBERS) != limited:
        raise vol.Invalid(
            Said("{fact} is a number: write above or below", fact=fact)
            if fact in NUMBERS
            else Said("{fact} is yes or no: leave out above and below", fact=fact)
        )


def _whole_presence(checked: dict[str, Any]) -> None:
    event = checked["event"]
    sides = {"above", "below"} & checked.keys()
    if event in ("count", "gather") and not sides:
        raise vol.Invalid(Said("{event} needs above or below", event=event))
    if event == "dwell" and "for" not in checked:
        raise vol.Invalid("dwell needs for, such as 'for: 10min'; 0s is 'being in'")
    if event not in ("count", "gather") and sides:
        raise vol.Invalid(
            Said(
                "{event} is about one person; above and below count people", event=event
            )
        )
    if event in ("enter", "leave") and "for" in checked:
        raise vol.Invalid(
            Said("{event} is a moment; write dwell for a time inside", event=event)
        )


def _whole_time(checked: dict[str, Any]) -> None:
    if ("at" in checked) == ("sun" in checked):
        raise vol.Invalid("a time needs at, or sun: sunrise or sunset; one of them")
    if "sun" in checked and not {"latitude", "longitude"} <= checked.keys():
        raise vol.Invalid("sun needs latitude and longitude in degrees")


def value_of(given: Any) -> dict[str, Any]:
    """Check a named value: readings joined to one number, or a count of permits."""
    if isinstance(given, dict) and "permits" in given:
        counted: dict[str, Any] = vol.Schema(
            {vol.Required("permits"): words, "zone": words}
        )(given)
        return counted
    joined = one_of("max", "min", "median", "mean")
    checked: dict[str, Any] = vol.Schema(
        {**SELECT, "unit": str, "rate": span, "fuse": joined}
    )(given)
    return {"fuse": "max", **checked}


def role_of(value: Any) -> str:
    """Accept one of the hub's roles."""
    return str(one_of(*ROLES)(ident(value)))
