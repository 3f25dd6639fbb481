"""What is usual of each class of quantity, as data: ``classes.json``.

Figures are in the unit that core keeps a quantity in (see `core.readings.units`).
They judge how a curve is drawn and how a device is doing, and nothing else: limits
and interlocks read raw values.
"""

from functools import cache
from pathlib import Path

import msgspec

from core.api.model import Entity, EntityKind

_FILE = Path(__file__).parent / "classes.json"


class Usual(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Say what values of a class do; what is not stated is not judged."""

    low: float | None = None
    high: float | None = None
    """Beyond these no instrument of the class measures."""
    rate: float | None = None
    """Fastest true change, a second."""
    noise: float | None = None
    """Least spread that counts as more than the instrument's own; 0: any change."""
    stuck_s: float = 0.0
    """Unchanged for longer, an instrument of this class hangs; 0: it may."""
    zero: float = 0.0
    drift: float | None = None
    """How far the quiet value may stray from ``zero``."""
    zero_drift: float | None = None
    """The same as a share of full scale, where the entity tells its own."""
    interval_s: float
    """How often the class speaks, where its driver does not say."""


class _Book(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    classes: dict[str, Usual]
    quantities: dict[str, str]


@cache
def _book() -> _Book:
    return msgspec.json.decode(_FILE.read_bytes(), type=_Book)


def class_of(entity: Entity) -> str:
    """Return the class that an entity belongs to."""
    known = _book().quantities.get(entity.quantity)
    if known is not None:
        return known
    return "gas" if entity.kind is EntityKind.GAS else "other"


def usual(entity: Entity) -> Usual:
    """Return what is usual of an entity, its own full scale taken in."""
    found = _book().classes[class_of(entity)]
    scale = entity.full_scale
    if scale is None or found.zero_drift is None:
        return found
    margin = abs(scale) * found.zero_drift
    return msgspec.structs.replace(
        found,
        low=-abs(scale) * 0.1,
        high=scale * 1.1,
        noise=margin / 4,
        drift=margin,
    )


def quantities() -> frozenset[str]:
    """Return the names of quantities that have a class of their own."""
    return frozenset(_book().quantities)
