"""The shape of a register profile file, as voluptuous checks it.

Numbers of registers are written as the manual prints them (``register: 40003``)
or as they go over the wire (``address: 2``). A verdict is written
``quality:reason``, as in ``inhibited:warm_up``.
"""

import itertools
from typing import Any

import voluptuous as vol

from core.api import EntityKind, OutputKind, Quality, checks
from core.api.said import Said
from integrations.modbus.profile import ORDERS, WORDS, Verdict

#: Prefix of every reason code, so that core.texts knows them.
REASON = "modbus."
_TABLES = ((400001, 3), (300001, 4), (100001, 2), (40001, 3), (30001, 4), (10001, 2))
QUALITIES = {q.name.lower(): q for q in Quality}


def wire(printed: int) -> tuple[int, int]:
    """Return (function, wire address) of a number as manuals print it.

    Raises vol.Invalid when the number belongs to no table.
    """
    for first, function in _TABLES:
        if first <= printed < first + (65536 if first > 99999 else 9999):
            return function, printed - first
    if 1 <= printed <= 9999:
        return 1, printed - 1
    raise vol.Invalid(
        Said(
            "{printed} is no register number; expected 1-9999 (coils), "
            "10001- (discrete inputs), 30001- (input) or 40001- "
            "(holding registers)",
            printed=printed,
        )
    )


def whole(low: int, high: int) -> Any:
    """Return a check for a whole number of low…high; true and false are none."""

    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise vol.Invalid(
                Said(
                    "expected a whole number {low}-{high}, found {value!r}",
                    low=low,
                    high=high,
                    value=value,
                )
            )
        if not low <= value <= high:
            raise vol.Invalid(
                Said(
                    "expected {low}-{high}, found {value}",
                    low=low,
                    high=high,
                    value=value,
                )
            )
        return value

    return check


def number(value: object) -> float:
    """Return a finite number; raises vol.Invalid for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise vol.Invalid(Said("expected a number, found {value!r}", value=value))
    if not abs(value) < 1e300:
        raise vol.Invalid(
            Said("expected a finite number, found {value!r}", value=value)
        )
    return float(value)


def positive(value: object) -> float:
    """Return a number above zero; raises vol.Invalid for anything else."""
    found = number(value)
    if found <= 0:
        raise vol.Invalid(
            Said("expected a number above 0, found {value!r}", value=value)
        )
    return found


def word(value: object) -> str:
    """Return a non-empty text; a bare yes, no, on or off must be quoted."""
    if not isinstance(value, str) or not value:
        raise vol.Invalid(
            Said("expected a text, found {value!r} (quote it: '…')", value=value)
        )
    return value


def identifier(value: object) -> str:
    """Return a name of lower-case letters, digits, ``_`` and ``-``."""
    text = word(value)
    if not text.isascii() or not text.replace("_", "a").replace("-", "a").isalnum():
        raise vol.Invalid(
            Said("expected letters, digits, _ or -, found {value!r}", value=value)
        )
    return text


def one_of(*allowed: str | int) -> Any:
    """Return a check that says what was allowed."""

    def check(value: object) -> object:
        if isinstance(value, bool) or value not in allowed:
            names = [str(a) for a in allowed]
            raise vol.Invalid(
                Said(
                    "expected one of {names}, found {value!r}", names=names, value=value
                )
            )
        return value

    return check


def verdict(value: object) -> Verdict:
    """Return the verdict of ``quality:reason``; only ``good`` needs no reason."""
    name, _, reason = word(value).partition(":")
    if name not in QUALITIES or (not reason and name != "good"):
        names = list(QUALITIES)
        raise vol.Invalid(
            Said(
                "expected quality:reason with a quality of {names}; found {value!r}",
                names=names,
                value=value,
            )
        )
    return Verdict(QUALITIES[name], REASON + identifier(reason) if reason else "")


def _pair(check: Any) -> Any:
    def both(value: object) -> tuple[Any, Any]:
        if not isinstance(value, list) or len(value) != 2:
            raise vol.Invalid(
                Said("expected two numbers [low, high], found {value!r}", value=value)
            )
        return check(value[0]), check(value[1])

    return both


def _rising(edges: list[float]) -> tuple[float, ...]:
    if any(a >= b for a, b in itertools.pairwise(edges)):
        raise vol.Invalid("expected each band's edge above the last")
    return tuple(edges)


BANDS = vol.All([number], vol.Length(min=1, max=7), _rising)
_NAMES = vol.Schema({vol.Required("en"): word, vol.Required("zh"): word})
_CODE = whole(0, 0xFFFFFFFF)
_PLACE: dict[Any, Any] = {
    vol.Exclusive("register", "place"): whole(1, 465536),
    vol.Exclusive("address", "place"): whole(0, 65535),
    vol.Optional("function"): one_of(1, 2, 3, 4),
}
_REGISTER = vol.Schema(
    {
        **_PLACE,
        vol.Required("type"): one_of(*WORDS),
        vol.Optional("word_order"): one_of(*ORDERS),
        vol.Optional("bit"): whole(0, 15),
        vol.Optional("bits"): _pair(whole(0, 15)),
    }
)
_JUDGE: dict[Any, Any] = {
    vol.Required("from"): identifier,
    vol.Required("map"): vol.Schema({_CODE: verdict}),
    vol.Required("otherwise"): verdict,
}
_VALID_WHEN = vol.Schema(
    {
        vol.Required("from"): identifier,
        vol.Required("in"): [_CODE],
        vol.Required("otherwise"): verdict,
    }
)
_CHOICE_UNIT = vol.Schema(
    {vol.Required("from"): identifier, vol.Required("map"): vol.Schema({_CODE: word})}
)
_CHOICE_SCALE = vol.Schema(
    {
        vol.Required("from"): identifier,
        vol.Required("map"): vol.Schema({_CODE: positive}),
    }
)
_COIL = vol.Schema(
    {
        **_PLACE,
        vol.Optional("on_state", default=True): checks.flag,
        vol.Optional("read_back"): vol.Schema(dict(_PLACE)),
        vol.Optional("proof", default=""): vol.Any("", word),
    }
)
_DERIVE = vol.Schema(
    {
        vol.Required("kind"): one_of("mean", "peak", "rise", "band"),
        vol.Optional("over_s"): positive,
        vol.Optional("of_s"): positive,
        vol.Optional("floor"): positive,
        vol.Optional("bands"): BANDS,
    }
)
_ENTITY = vol.Schema(
    {
        vol.Required("kind"): one_of("gas", "sensor", "binary", "output"),
        vol.Required("names"): _NAMES,
        vol.Optional("from"): identifier,
        vol.Optional("quantity", default=""): vol.Any("", word),
        vol.Optional("unit"): vol.Any(None, word, msg="expected a unit or null"),
        vol.Optional("scale", default=1.0): number,
        vol.Optional("offset", default=0.0): number,
        vol.Optional("scale_from"): _CHOICE_SCALE,
        vol.Optional("unit_from"): _CHOICE_UNIT,
        vol.Optional("valid_when"): _VALID_WHEN,
        vol.Optional("range"): _pair(number),
        vol.Optional("over_raw"): _CODE,
        vol.Optional("critical"): checks.flag,
        vol.Optional("judged", default=True): checks.flag,
        vol.Optional("coil"): _COIL,
        vol.Optional("derive"): _DERIVE,
        vol.Optional("output"): one_of(*(str(k) for k in OutputKind)),
    }
)
_RAW = vol.Schema({whole(0, 465536): whole(0, 0xFFFF)})
_EXPECT = vol.Schema(
    {
        vol.Optional("value"): vol.Any(None, bool, int, float, str),
        vol.Required("quality"): one_of(*QUALITIES),
        vol.Optional("reason", default=""): vol.Any("", identifier),
    }
)
_VECTOR = vol.Schema(
    {
        vol.Required("name"): word,
        vol.Optional("holding", default={}): _RAW,
        vol.Optional("input", default={}): _RAW,
        vol.Optional("coils", default={}): _RAW,
        vol.Optional("discrete", default={}): _RAW,
        vol.Optional("heartbeat_age_s", default=0.0): number,
        vol.Required("expect"): vol.Schema({identifier: _EXPECT}),
    }
)
SERIAL = vol.Schema(
    {
        vol.Optional("baudrate", default=9600): whole(300, 4_000_000),
        vol.Optional("parity", default="N"): one_of("N", "E", "O"),
        vol.Optional("stopbits", default=1): one_of(1, 2),
        vol.Optional("bytesize", default=8): one_of(7, 8),
    }
)
PROFILE = vol.Schema(
    {
        vol.Required("profile"): identifier,
        vol.Required("version"): whole(1, 9999),
        vol.Required("names"): _NAMES,
        vol.Required("manufacturer"): word,
        vol.Required("model"): word,
        vol.Required("source"): word,
        vol.Optional("evidence", default=True): checks.flag,
        vol.Optional("bump_every_h"): positive,
        vol.Optional("serial", default={}): SERIAL,
        vol.Optional("poll_s", default=1.0): positive,
        vol.Optional("timeout_s", default=0.5): positive,
        vol.Optional("max_gap", default=0): whole(0, 120),
        vol.Optional("word_order", default="big"): one_of(*ORDERS),
        vol.Optional("registers", default={}): vol.Schema({identifier: _REGISTER}),
        vol.Optional("quality", default={}): vol.Schema(
            {
                identifier: vol.Schema(
                    {**_JUDGE, vol.Optional("entities", default=[]): [identifier]}
                )
            }
        ),
        vol.Optional("heartbeat"): vol.Schema(
            {
                vol.Required("from"): identifier,
                vol.Required("period_s"): positive,
                vol.Required("max_interval_s"): positive,
                vol.Required("otherwise"): verdict,
            }
        ),
        vol.Required("entities"): vol.Schema({identifier: _ENTITY}),
        vol.Optional("simulate", default={}): vol.Schema(
            {identifier: vol.Schema({identifier: number})}
        ),
        vol.Required("vectors"): vol.All([_VECTOR], vol.Length(min=1)),
    }
)
#: Kinds as the file writes them.
KINDS = {str(k): k for k in EntityKind}
