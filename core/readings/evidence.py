"""What a point proves: acceptable, over range, a number at all."""

from core.api.model import EntityKind
from core.api.reading import Value
from core.logic.truth import Truth
from core.readings.point import GOOD, Point


def accepts(point: Point, now: int, max_age_ns: int) -> Truth:
    """Say whether a point proves that its zone is acceptable (GB 30871-2022 6.4).

    Only a GOOD value within the acceptance limits, young enough and without an
    active alarm, does; a value outside says FALSE whatever its quality.
    """
    value, quantity = as_number(point.value), point.quantity
    if any(state.active for state in point.limits):
        return Truth.FALSE
    if quantity is None or value is None:
        return Truth.UNKNOWN
    below, above = quantity.accept_below, quantity.accept_above
    if (below is not None and value > below) or (above is not None and value < above):
        return Truth.FALSE
    if below is None and above is None:
        return Truth.UNKNOWN
    proven = point.quality_at(now) == GOOD and now - point.stamp_ns <= max_age_ns
    return Truth.TRUE if proven else Truth.UNKNOWN


def as_number(value: Value) -> float | None:
    """Return a number or a switch as a float; None for text and for nothing."""
    if isinstance(value, str) or value is None:
        return None
    return float(value)


def over_range(point: Point, value: Value) -> bool:
    """Say whether a gas reading lies above its full scale."""
    full, number = point.declared.full_scale, as_number(value)
    if full is None or number is None or point.kind is not EntityKind.GAS:
        return False
    return number > full * point.factor + point.offset
