"""Profiles: which field of a maker's record is which word of ours, as data."""

import functools
from pathlib import Path
from typing import Any, Final, NamedTuple

import voluptuous as vol

from core.api import Entity, Value, documents
from integrations.crane import words
from integrations.crane.record import Record, RecordError, moment, number

FOLDER: Final = Path(__file__).parent / "profiles"
_ON = ("1", "true", "on", "yes", "work", "working")
_OFF = ("0", "false", "off", "no", "idle", "stop", "")


class Field(NamedTuple):
    """Say where a word's value lies: the first of ``names`` that a record has."""

    names: tuple[str, ...]
    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0
    bits: tuple[int, ...] = ()
    """Any of these bits of a code such as "00010000", or of a number; the last is 0."""
    none: tuple[float, ...] = ()
    """Numbers that say that nothing was measured."""


class Told(NamedTuple):
    """Hold what a record says."""

    id: str
    at: float | None
    seq: float | None
    values: dict[str, Value]
    """None: the record has the field, and no value in it."""


class Profile(NamedTuple):
    """Hold a checked profile."""

    id: str
    path: str
    certain: bool
    """False: its units are known by hearsay; a technician has to compare them."""
    device: tuple[str, ...]
    time: tuple[str, ...]
    seq: tuple[str, ...]
    fields: dict[str, Field]
    reply: dict[str, Any]

    def entities(self, max_age_s: float) -> tuple[Entity, ...]:
        """Return the entities of its words."""
        found = [
            words.entity(uid, max_age_s, field.unit)
            for uid, field in self.fields.items()
        ]
        if self.shares:
            found.append(words.entity("load_share", max_age_s))
        return tuple(found)

    @property
    def shares(self) -> bool:
        """Say whether the share is the hub's own sum of load and rated load."""
        return {"load", "rated"} <= self.fields.keys() and (
            "load_share" not in self.fields
        )

    def read(self, record: Record) -> Told:
        """Return what a record says; raises RecordError when it names no machine."""
        name = _first(record, self.device)
        number_ = str(name).strip() if name is not None else ""
        if isinstance(name, float) and name.is_integer():
            number_ = str(int(name))
        if not number_ or len(number_) > 64 or not number_.isprintable():
            raise RecordError(f"none of {', '.join(self.device)} names a machine")
        values: dict[str, Value] = {}
        for uid, field in self.fields.items():
            if any(each in record for each in field.names):
                values[uid] = _value(uid, field, _first(record, field.names))
        if self.shares:
            share = _share(values)
            if share is not None:
                values["load_share"] = share
        at = moment(_first(record, self.time))
        return Told(number_, at, number(_first(record, self.seq)), values)


def _share(values: dict[str, Value]) -> float | None:
    load, rated = values.get("load"), values.get("rated")
    if not isinstance(load, float) or not isinstance(rated, float) or rated <= 0:
        return None
    return 100.0 * load / rated


def _first(record: Record, names: tuple[str, ...]) -> str | float | bool | None:
    return next((record[each] for each in names if record.get(each) is not None), None)


def _value(uid: str, field: Field, told: object) -> Value:
    if field.bits:
        code = _code(told)
        on = code is not None and any(code >> bit & 1 for bit in field.bits)
        return None if code is None else float(on)
    if words.WORDS[uid].kind == "binary":
        said = str(told).strip().lower()
        if isinstance(told, float):
            said = f"{told:g}"
        return True if said in _ON else False if said in _OFF and said else None
    found = number(told)
    if found is None or found in field.none:
        return None
    return found * field.scale + field.offset


def _code(told: object) -> int | None:
    """Return a code's bits: of a text of noughts and ones, or of a number."""
    if isinstance(told, str) and told and set(told) <= {"0", "1"} and len(told) <= 32:
        return int(told, 2)
    found = number(told)
    if found is None or found < 0 or found >= 1 << 32 or not found.is_integer():
        return None
    return int(found)


# --- files --------------------------------------------------------------------


def _names(told: object) -> tuple[str, ...]:
    many = told if isinstance(told, list) else [told]
    if not many or not all(isinstance(each, str) and each for each in many):
        raise vol.Invalid("expected a field's name, or a list of them")
    return tuple(many)


def _finite(told: object) -> float:
    if isinstance(told, bool) or not isinstance(told, int | float):
        raise vol.Invalid("expected a number")
    if not abs(told) < 1e9:
        raise vol.Invalid("expected a number below 1e9")
    return float(told)


_FIELD = {
    vol.Required("field"): _names,
    vol.Optional("unit", default=""): str,
    vol.Optional("scale", default=1.0): _finite,
    vol.Optional("offset", default=0.0): _finite,
    vol.Optional("bits", default=[]): [vol.All(int, vol.Range(min=0, max=31))],
    vol.Optional("none", default=[]): [_finite],
}
SCHEMA = vol.Schema(
    {
        vol.Required("profile"): str,
        vol.Required("version"): int,
        vol.Required("names"): {"zh": str, "en": str},
        vol.Optional("source", default=""): str,
        vol.Required("path"): vol.All(str, vol.Match(r"^/[\w./-]{1,100}$")),
        vol.Optional("certain", default=False): bool,
        vol.Required("device"): _names,
        vol.Optional("time"): _names,
        vol.Optional("seq"): _names,
        vol.Required("entities"): {vol.In(sorted(words.WORDS)): _FIELD},
        vol.Optional("reply", default={"code": 200, "msg": "success"}): dict,
    }
)


@functools.cache
def load(name: str) -> Profile:
    """Return a shipped profile by its id, or one by its file's path; ConfigError."""
    document = documents.read(documents.find(name, FOLDER))
    checked = document.check(SCHEMA)
    fields = {
        uid: Field(
            each["field"],
            each["unit"],
            each["scale"],
            each["offset"],
            tuple(each["bits"]),
            tuple(each["none"]),
        )
        for uid, each in checked["entities"].items()
    }
    return Profile(
        checked["profile"],
        checked["path"],
        checked["certain"],
        checked["device"],
        checked.get("time", ()),
        checked.get("seq", ()),
        fields,
        checked["reply"],
    )
