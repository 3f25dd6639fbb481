"""What a person may do about the gas of a permit."""

from typing import Annotated, Literal

import msgspec

from core.journal.envelope import Effect
from core.people.acts import Act, DayOrNone, Id, act

Place = Literal["upper", "middle", "lower", "inside", "outside"]
#: Who may be an analyst; a pack's role ``analyst`` narrows it (GB 30871 5.3, 6.3).
ANALYSTS = ("guardian", "supervisor", "issuer", "safety_officer")
_LEAD = ("supervisor", "issuer", "safety_officer")
_Text = Annotated[str, msgspec.Meta(max_length=500)]


class Typed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Give a value by hand: a marked fallback where no meter of the hub measures."""

    value: float
    unit: str
    instrument: Id
    """Make and number of what measured it."""
    full_scale: float | None = None
    """The instrument's range in the same unit."""
    calibrated_to: DayOrNone = ""
    sampled_ms: int = 0
    """Wall time of the sample; 0 is now."""


class Sample(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take one sample: from a meter of the hub, or typed."""

    gas: Id
    place: Place
    entity_id: str = ""
    typed: Typed | None = None
    note: _Text = ""


@act("permit.gas_test", *ANALYSTS, "maintainer", "worker")
class TestGas(Act, frozen=True, kw_only=True):
    """Test the gas of a permit; meters are read at this moment."""

    __test__ = False

    permit_id: Id
    samples: Annotated[tuple[Sample, ...], msgspec.Meta(min_length=1, max_length=60)]
    cause: _Text = ""
    """Why oxygen lies above its clause; needed where the site lets that pass."""


@act("permit.gases", *_LEAD)
class NameGases(Act, frozen=True, kw_only=True):
    """Name the gases that the analysis expects; once approved only more of them."""

    permit_id: Id
    gases: Annotated[tuple[Id, ...], msgspec.Meta(max_length=30)]


@act(
    "gas.oxygen_check",
    "safety_officer",
    effect=Effect.PERMISSIVE,
    two=("safety_officer", "issuer"),
)
class AllowOxygenCheck(Act, frozen=True, kw_only=True):
    """Let oxygen between its clause and 23.5 % pass with a written cause (G3)."""

    reason: _Text


@act(
    "gas.oxygen_check_end",
    "safety_officer",
    "issuer",
    effect=Effect.PROTECTIVE,
)
class EndOxygenCheck(Act, frozen=True, kw_only=True):
    """Let oxygen above its clause fail again; one person is enough."""

    reason: _Text
