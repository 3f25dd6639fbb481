"""The exchange's settings: site facts that no permit carries, checked with positions.

They lie in ``<data>/exchange/settings.yaml``: with that file the keeper starts the
uplink, without it nothing leaves the site. Secrets are named, never held here.
"""

from pathlib import Path
from typing import Any

import msgspec
import voluptuous as vol

from core.api.documents import Document, parse, read
from core.api.errors import ConfigError
from core.api.said import Said
from frontend_api.exchange.aq import ALARM_TYPES, TICKET_TYPES
from frontend_api.exchange.rules import Complaint, check_form

FOLDER, NAME = "exchange", "settings.yaml"
UNKNOWN_TIMES = ("empty", "null", "planned")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Hold a position in degrees (CGCS2000)."""

    longitude: float
    latitude: float


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """Hold a worker's trade card."""

    name: str
    number: str


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """Name the firm; ``code`` as the platform knows it."""

    name: str
    code: str


class Platform(msgspec.Struct, frozen=True, kw_only=True):
    """Say where tickets and alarms go and how long to try."""

    tickets: str
    alarms: str
    token: str = ""
    """Name of the bearer token among the hub's secrets."""
    timeout_s: float = 10.0
    first_retry_s: float = 2.0
    retry_cap_s: float = 300.0
    late_s: float = 600.0
    """What is owed for longer than this is a fault."""


class Witness(msgspec.Struct, frozen=True, kw_only=True):
    """Describe one outside witness of the journal's head."""

    kind: str
    """file, mail, peer or tsa."""
    id: str
    path: str = ""
    url: str = ""
    host: str = ""
    port: int = 25
    sender: str = ""
    to: str = ""
    starttls: bool = False
    user: str = ""
    secret: str = ""
    """Name of the password or token among the hub's secrets."""
    every_s: float = 3600.0


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Hold what the exchange must know of the site."""

    company: Company | None = None
    position: Place | None = None
    zones: dict[str, Place] = {}
    mobile: str = ""
    mobiles: dict[str, str] = {}
    cards: dict[str, Card] = {}
    types: dict[str, str] = {}
    """Permit kind → TICKETTYPE."""
    alarms: dict[str, str] = {}
    """Hold code → ALARMTYPE, beside the standing ones."""
    unknown_time: str = "empty"
    """What stands in ENDTIME and CHECKEDTIME while nobody can know them."""
    platform: Platform | None = None
    witnesses: tuple[Witness, ...] = ()


def load(file: Path) -> Settings:
    """Read and check a settings file; raises ConfigError with line and column."""
    return check(read(file))


def loads(text: str, name: str = NAME) -> Settings:
    """Check settings text; raises ConfigError with line and column."""
    return check(parse(text, name))


def check(document: Document) -> Settings:
    """Return typed settings; raises ConfigError naming every problem."""
    data = document.check(_SCHEMA)
    found = msgspec.convert(data, Settings)
    if found.platform is not None:
        for key, told in (
            ("company", found.company),
            ("position", found.position),
            ("mobile", found.mobile),
        ):
            if not told:
                raise document.error(
                    (), Said("the platform needs '{key}' here", key=key)
                )
    ids = [witness.id for witness in found.witnesses]
    for number, witness in enumerate(found.witnesses):
        if ids.index(witness.id) != number:
            raise document.error(("witnesses", number, "id"), "stands twice")
        for need in _NEEDS[witness.kind]:
            if not getattr(witness, need):
                place = ("witnesses", number)
                raise document.error(
                    place,
                    Said(
                        "a {kind} witness needs '{need}'", kind=witness.kind, need=need
                    ),
                )
    return found


_NEEDS = {
    "file": ("path",),
    "mail": ("host", "sender", "to"),
    "peer": ("url",),
    "tsa": ("url",),
}


def _form(name: str) -> Any:
    def judge(value: Any) -> str:
        bad: Complaint | None = check_form(name, value)
        if bad is not None:
            raise vol.Invalid(
                Said("{value!r} cannot stand in {name}", value=value, name=name)
            )
        return str(value)

    return judge


def _url(value: Any) -> str:
    if not isinstance(value, str) or not value.startswith(("http://", "https://")):
        raise vol.Invalid(Said("{value!r} is no address; write https://…", value=value))
    return value


def _words(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise vol.Invalid("expected text; quote numbers, such as '913301…'")
    return value.strip()


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise vol.Invalid(
            Said("{value!r} is no positive number of seconds", value=value)
        )
    return float(value)


def _degrees(limit: float) -> Any:
    def judge(value: Any) -> float:
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if not good or not 0 < abs(value) <= limit:
            raise vol.Invalid(
                Said(
                    "{value!r} is no position in degrees, up to ±{limit:g}",
                    value=value,
                    limit=limit,
                )
            )
        return float(value)

    return judge


_PLACE = vol.Schema(
    {
        vol.Required("longitude"): _degrees(180.0),
        vol.Required("latitude"): _degrees(90.0),
    }
)
_SCHEMA = vol.Schema(
    {
        "company": {vol.Required("name"): _words, vol.Required("code"): _words},
        "position": _PLACE,
        "zones": {str: _PLACE},
        "mobile": _form("MAJORPERSONMOBILE"),
        "mobiles": {str: _form("MAJORPERSONMOBILE")},
        "cards": {str: {vol.Required("name"): _words, vol.Required("number"): _words}},
        "types": {
            str: vol.In(TICKET_TYPES, msg=f"expected one of {', '.join(TICKET_TYPES)}")
        },
        "alarms": {
            str: vol.In(ALARM_TYPES, msg=f"expected one of {', '.join(ALARM_TYPES)}")
        },
        "unknown_time": vol.In(
            UNKNOWN_TIMES, msg=f"expected one of {', '.join(UNKNOWN_TIMES)}"
        ),
        "platform": {
            vol.Required("tickets"): _url,
            vol.Required("alarms"): _url,
            "token": _words,
            "timeout_s": _seconds,
            "first_retry_s": _seconds,
            "retry_cap_s": _seconds,
            "late_s": _seconds,
        },
        "witnesses": [
            {
                vol.Required("id"): _words,
                vol.Required("kind"): vol.In(
                    tuple(_NEEDS), msg=f"expected one of {', '.join(_NEEDS)}"
                ),
                "path": _words,
                "url": _url,
                "host": _words,
                "port": vol.All(int, vol.Range(1, 65535)),
                "sender": _words,
                "to": _words,
                "starttls": bool,
                "user": _words,
                "secret": _words,
                "every_s": _seconds,
            }
        ],
    }
)

__all__ = ["ConfigError", "Settings", "check", "load", "loads"]
