"""The contract of ``conformance.yaml``: how the kit proves an integration.

Written for people in docs/conformance.md. Every field is checked; a key that is
not known is an error with its name.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from core.api.documents import read
from core.api.errors import ConfigError
from core.api.said import Said, sentence

NAME = "conformance.yaml"
Why = Annotated[str, msgspec.Meta(min_length=8, max_length=300)]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=600)]
Uid = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Plain = float | int | bool | str | list[Any] | dict[str, Any] | None

#: Faults of a simulator, and what the kit hands it when nothing else is said.
FAULTS: Mapping[str, Any] = {
    "silent": True,
    "garbage": True,
    "slow": None,
    "half": True,
    "frozen": True,
    "replay": True,
    "swapped": True,
    "clock_s": 3600,
    "rate": 10,
}
#: Words for what the hub shall see of a point: a quality, or that it is lost.
WORDS = (
    *("good", "uncertain", "test", "inhibited", "stale", "fault", "not_present"),
    "lost",
)


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Refuse what is not known."""


class Then(_Strict, frozen=True, kw_only=True):
    """Give a second value of a reading, for what must notice a change."""

    set: Plain
    expect: Plain | msgspec.UnsetType = msgspec.UNSET


class Point(_Strict, frozen=True, kw_only=True):
    """Name a reading: what the simulator is told, what must arrive as GOOD.

    ``expect`` is what was set unless it says otherwise, in the entity's unit.
    ``then`` is a second value; without it half the first, or its opposite.
    """

    device: Uid
    entity: Uid
    set: Plain
    expect: Plain | msgspec.UnsetType = msgspec.UNSET
    tolerance: Annotated[float, msgspec.Meta(ge=0)] = 0.001
    then: Then | None = None
    as_entity: Uid | None = None
    """The simulator's name of it, where it differs from the entity's uid."""


class Raised(_Strict, frozen=True, kw_only=True):
    """Name a discrete event that the simulator can make."""

    device: Uid
    kind: Uid
    params: dict[str, Any] = {}
    """Handed to the simulator."""
    expect: dict[str, Any] = {}
    """Must be among what arrives."""
    arrives_as: Uid | None = None
    """The event's kind in the hub, where it differs."""


class Switched(_Strict, frozen=True, kw_only=True):
    """Name an output: switched to ``on``, then to ``off``, each read back."""

    device: Uid
    entity: Uid
    on: bool | float | str = True
    off: bool | float | str | None = False
    """None: it ends by itself and is not switched back."""


class Fault(_Strict, frozen=True, kw_only=True):
    """Say what the hub must see while a fault lasts, or why there is none."""

    not_applicable: Why | None = None
    quality: tuple[str, ...] = ()
    """Any of these within ``within_s``; empty: the kit's own for this fault."""
    within_s: Seconds | None = None
    """None: three times the interval."""
    value: Plain | msgspec.UnsetType = msgspec.UNSET
    """What the simulator is handed instead of the kit's own value."""
    devices: tuple[Uid, ...] = ()
    """Empty: every device that has a reading here."""


class Credentials(_Strict, frozen=True, kw_only=True):
    """Say how wrong credentials are made, and told."""

    not_applicable: Why | None = None
    secrets: dict[str, str] = {}
    """Wrong ones; empty: each secret of the simulator with another value."""
    options: dict[str, Any] = {}
    """Laid over the options, for credentials that are no secrets."""
    code: Uid = "auth"
    """Part of the code by which the driver tells it."""
    devices: tuple[Uid, ...] = ()
    """Those behind the credentials; empty: all."""


class Found(_Strict, frozen=True, kw_only=True):
    """Say how the device is found by itself, or why it is not."""

    not_applicable: Why | None = None
    facts: dict[str, str] = {}
    """Of a finding, for `flow.prefill`."""


class Parser(_Strict, frozen=True, kw_only=True):
    """Name a pure function that takes what the network says."""

    parse: Annotated[str, msgspec.Meta(pattern=r"^[\w.]+:\w+$")]
    takes: str = "bytes"
    """bytes, text or json."""
    errors: tuple[Annotated[str, msgspec.Meta(pattern=r"^[\w.]+:\w+$")], ...] = ()
    """What it may raise; empty: any error class of its own package or core.api."""
    seeds: tuple[str, ...] = ()
    """Good input to begin with: hexadecimal for bytes, else text."""


class Excused(_Strict, frozen=True, kw_only=True):
    """Say why a check does not apply."""

    not_applicable: Why


class Conformance(_Strict, frozen=True, kw_only=True):
    """Hold one integration's conformance.yaml."""

    options: dict[str, Any]
    secrets: dict[str, str] = {}
    interval_s: Seconds
    start_s: Seconds = 20.0
    recover_s: Seconds = 10.0
    proxy: tuple[str, ...] = ()
    """Dotted paths of options that hold a TCP port, ``host:port`` or ``tty``."""
    devices: tuple[Uid, ...]
    readings: tuple[Point, ...] = ()
    events: tuple[Raised, ...] = ()
    outputs: tuple[Switched, ...] = ()
    faults: dict[str, Fault] = {}
    flap: Excused | None = None
    link: Excused | None = None
    credentials: Credentials = Credentials()
    discovery: Found = Found()
    identity: Excused | None = None
    parsers: tuple[Parser, ...] | Excused = ()
    guide: str = ""
    """Path from the folder of the integration, or from the project's own."""


def parse(data: Any, file: str) -> Conformance:
    """Return the contract of a file's plain data; raises ConfigError."""
    try:
        found = msgspec.convert(data, Conformance)
    except msgspec.ValidationError as error:
        raise ConfigError(
            Said("{file}: {error}", file=file, error=error),
            file=file,
            detail=str(error),
        ) from error
    wrong = _wrong(found)
    if wrong:
        raise ConfigError(
            Said("{file}: {wrong}", file=file, wrong=sentence(wrong)),
            file=file,
            detail=str(wrong),
        )
    return found


def load(folder: Path) -> Conformance:
    """Return the contract that lies in an integration's folder; raises ConfigError."""
    file = folder / NAME
    if not file.is_file():
        raise ConfigError(
            Said("{file}: is missing; see docs/conformance.md", file=file)
        )
    return parse(read(file).data, str(file))


def _wrong(found: Conformance) -> str:
    """Return what is wrong between fields; '' when nothing is."""
    for name, fault in found.faults.items():
        if name not in FAULTS:
            return f"faults: there is no fault {name!r}; known: {', '.join(FAULTS)}"
        for word in fault.quality:
            if word not in WORDS:
                return f"faults.{name}: {word!r} is none of {', '.join(WORDS)}"
    named = [each.device for each in found.readings]
    named += [each.device for each in found.outputs]
    named += [each.device for each in found.events]
    for uid in named:
        if uid not in found.devices:
            return Said("{uid!r} is not among 'devices'", uid=uid)
    if not (found.readings or found.events or found.outputs):
        return "it names no reading, event or output: there is nothing to prove"
    return ""
