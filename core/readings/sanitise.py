"""Turn what a driver sent into a value and a quality that can be believed."""

import math
from typing import NamedTuple

from core.api.model import EntityKind
from core.api.reading import Value
from core.clock import NS
from core.readings.point import FAULT, GOOD, NOT_PRESENT, UNCERTAIN, VALUELESS, Point
from core.site.earth import GCJ02, WGS84, placed

#: A measuring time may lie so far ahead: the clocks of one machine agree better.
FUTURE_NS = 2 * NS
#: A counter that falls back by more than this has been restarted.
COUNTER_WINDOW = 32


class Judged(NamedTuple):
    """Hold a row after its first judgement; ``fresh`` rows count as signs of life."""

    value: Value
    quality: int
    reason: str
    fresh: bool = True


#: A switch that was on while nobody could listen.
PRESSED = Judged(True, UNCERTAIN, "coalesced", fresh=False)


def let_go(point: Point, high: float | None, last: Judged) -> bool:
    """Say whether coalesced rows hide that a switch was on: a call is never lost."""
    return point.kind is EntityKind.BINARY and high == 1.0 and not last.value


def sanitise(point: Point, value: Value, quality: int, reason: str) -> Judged:
    """Return the row in the point's unit; what is no value becomes FAULT."""
    if not GOOD <= quality <= NOT_PRESENT:
        return Judged(None, FAULT, "bad_quality")
    if quality in VALUELESS:
        return Judged(None, quality, reason)
    if point.broken:
        return Judged(None, FAULT, point.broken)
    if point.numeric:
        return _number(point, value, quality, reason)
    return _discrete(point, value, quality, reason)


def _number(point: Point, value: Value, quality: int, reason: str) -> Judged:
    if value is None:
        return Judged(None, FAULT, reason or "no_value")
    if isinstance(value, bool | str):
        return Judged(None, FAULT, "wrong_type")
    try:
        number = float(value) * point.factor + point.offset
    except OverflowError:
        return Judged(None, FAULT, "not_finite")
    if not math.isfinite(number):
        return Judged(None, FAULT, "not_finite")
    if number < point.floor:
        return Judged(number, max(quality, UNCERTAIN), "under_range")
    return Judged(number, quality, reason)


def _discrete(point: Point, value: Value, quality: int, reason: str) -> Judged:
    if value is None:
        return Judged(None, FAULT, reason or "no_value")
    if isinstance(value, float) and not math.isfinite(value):
        return Judged(None, FAULT, "not_finite")
    if point.kind is EntityKind.BINARY:
        if value not in (0, 1):
            return Judged(None, FAULT, "wrong_type")
        return Judged(bool(value), quality, reason)
    if point.kind is EntityKind.LOCATION:
        return _place(point, value, quality, reason)
    return Judged(value, quality, reason)


def _place(point: Point, value: Value, quality: int, reason: str) -> Judged:
    """Return a place in the plan; one by satellite is a claim and proves nothing."""
    if not isinstance(value, str):
        return Judged(None, FAULT, "wrong_type")
    if point.datum not in (WGS84, GCJ02):
        return Judged(value, quality, reason)
    if point.geo is None:
        return Judged(None, FAULT, "no_reference")
    place = placed(point.geo, point.datum, value)
    if place is None:
        return Judged(None, FAULT, "no_place")
    return Judged(place, max(quality, UNCERTAIN), reason or "by_satellite")


def dated(point: Point, row: Judged, seq: int, measured_ns: int, now: int) -> Judged:
    """Return the row judged by its counter and its measuring time.

    A repeated or late row is UNCERTAIN and no sign of life: an old message that
    comes again must not keep a dead detector alive.
    """
    if seq:
        behind = point.seq - seq
        if 0 <= behind <= COUNTER_WINDOW:
            word = "replayed" if behind == 0 else "out_of_order"
            return _doubt(row, word, fresh=False)
        point.seq = seq
        if behind > COUNTER_WINDOW:
            return _doubt(row, "counter_restarted")
    if measured_ns > now + FUTURE_NS:
        return _doubt(row, "measured_in_future")
    if 0 < measured_ns < point.measured_ns:
        return _doubt(row, "out_of_order", fresh=False)
    return row


def _doubt(row: Judged, word: str, *, fresh: bool = True) -> Judged:
    return Judged(row.value, max(row.quality, UNCERTAIN), word, fresh)
