"""A reading: typed value, unit, quality and two times."""

import msgspec

from core.api.quality import Quality

Value = float | int | bool | str | None
_OFF_WORDS = ("", "0", "off", "false", "no", "closed")


def is_on(value: Value) -> bool:
    """Say whether a value means ON."""
    if isinstance(value, str):
        return value.strip().lower() not in _OFF_WORDS
    return bool(value)


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """Hold one judged measurement of one entity.

    ``value`` is in ``unit`` (see core.readings.units); ``measured_ns`` is the
    device's boot-clock time or 0 when it has none; ``received_ns`` is the hub's.
    """

    entity_id: str
    value: Value
    unit: str = ""
    quality: Quality = Quality.NOT_PRESENT
    reason: str = ""
    measured_ns: int = 0
    received_ns: int = 0
    source_seq: int = 0
