"""What a person states of a device at its enrolment, and how they proved it theirs.

A device enrolled by hand promises what one of the site's files would: the rooms ask
for one `DeviceRule`, wherever it was written.
"""

from typing import Annotated, Final, NamedTuple

import msgspec

from core.api.model import Output
from core.api.proof import ProofKind
from core.people.acts import Line, Word, Words

_Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400.0)]
_Hours = Annotated[float, msgspec.Meta(gt=0, le=8_784.0)]
_Days = Annotated[float, msgspec.Meta(gt=0, le=3_660.0)]
Outputs = Annotated[dict[Word, Output], msgspec.Meta(max_length=64)]


class Facts(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
):
    """State what the site knows better than the device (requirement 1.15)."""

    critical: Words = ()
    """Entity uids whose loss is a fault alarm; ``*`` is all of them."""
    max_age_s: _Seconds | None = None
    lost_s: _Seconds | None = None
    stuck_s: _Seconds | None = None
    outputs: Outputs = {}
    """Entity uid → its Ex rating, the place of its contact, its fail-safe."""
    evidence: bool = True
    """False: never GOOD, so alarms and no proof of safety."""
    bump_every_h: _Hours | None = None
    calibrate_every_d: _Days | None = None
    proof_every_h: Annotated[dict[Word, _Hours], msgspec.Meta(max_length=64)] = {}
    carried: bool | None = None
    rack: Word = ""


class Possession(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
):
    """Say how a person proved that a device is the one in front of them.

    wired: the port or bus that they named. code: what its label says. button: it was
    pressed just now. pairing and key: its driver accepted the key that it was given.
    """

    kind: ProofKind
    detail: Line = ""
    """The port, or the code typed; never a secret."""


class Said(NamedTuple):
    """Join what a person stated of a device and how they proved it."""

    facts: Facts | None = None
    proof: Possession | None = None


NOTHING: Final = Said()


class Place(NamedTuple):
    """Say where a device stands, or who carries it."""

    zone_id: str | None = None
    person_id: str | None = None
