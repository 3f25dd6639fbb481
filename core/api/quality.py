"""Quality: an axis of its own, never a value (design §5 Readings)."""

import enum


class Quality(enum.IntEnum):
    """Say how far a reading can be believed; a higher number is worse."""

    GOOD = 0
    """Fresh, in range, from a checked meter: the only proof of safety."""
    UNCERTAIN = 1
    """Plausible but unproven: overdue bump test, unknown map, shared identity."""
    TEST = 2
    """Made by a test or a drill; never evidence."""
    INHIBITED = 3
    """Warm-up, calibration, bump test or maintenance inhibit at the device."""
    STALE = 4
    """Older than the entity's declared maximum age."""
    FAULT = 5
    """The device or its link reports that it cannot measure."""
    NOT_PRESENT = 6
    """Nothing has been heard, or the device says that the part is absent."""


#: A value of these qualities never acts, not even when it is beyond a limit.
NEVER_ACTS = frozenset(
    {Quality.INHIBITED, Quality.TEST, Quality.NOT_PRESENT, Quality.FAULT}
)
